"""Vendors' SDKs are extras: whether one is there, found out without importing it, and the line that installs it."""

from importlib.util import find_spec

from quantum_assets.contracts.errors import ProviderError


def extra_fault(package: str, extra: str) -> str | None:
    """The reason to refuse when a package of an extra is not installed, with the install line; None when it is.

    Args:
        package: Name that would be imported, top level, for example ``qiskit_ibm_runtime``.
        extra: Name of the extra that brings it, for example ``ibm``.
    """
    if find_spec(package) is not None:
        return None
    return f"it needs the package {package}, which is not installed: {_line(extra)}"


def require_extra(package: str, extra: str) -> None:
    """Raise unless the package is installed.

    Raises:
        ProviderError: Naming the package and the line that installs it.
    """
    if find_spec(package) is None:
        raise ProviderError(f"package {package}", "is not installed", f"Run {_line(extra)}")


def _line(extra: str) -> str:
    return f'pip install "quantum_assets[{extra}]"'
