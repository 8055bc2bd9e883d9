"""Quantum kernels and quantum optimisation as versioned, partitioned assets, each beside its classical baseline.

The notebook's door is here: `load`, `load_gram`, `load_table` and `history` (`quantum_assets.store.loading`). They are
imported when first used, so that importing the package costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quantum_assets.store.loading import history, load, load_gram, load_table

__version__ = "0.1.0"
__all__ = ["__version__", "history", "load", "load_gram", "load_table"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from quantum_assets.store import loading

        return getattr(loading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
