"""What changed from one commit to the next, in one line: code version, inputs, profile, package versions.

Provenance is nested plain JSON; it is compared entry by entry under dotted names. Entries under ``run`` and those whose
name ends in ``run_id`` tell one event from another and are left out: they always differ and explain nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from quantum_assets.store.log import Commit

FIRST = "first version"
NOTHING = "nothing recorded"
_SHOWN = 24


def what_changed(before: Commit | None, after: Commit) -> str:
    """Which recorded causes differ between two commits.

    Args:
        before: The commit before, or None.
        after: The commit.

    Returns:
        Entries as ``name: old → new``, joined by ``; ``; `FIRST` or `NOTHING` where there is nothing to compare.
    """
    if before is None:
        return FIRST
    old, new = causes(before), causes(after)
    names = sorted(old.keys() | new.keys())
    lines = [
        f"{name}: {_short(old.get(name))} → {_short(new.get(name))}" for name in names if old.get(name) != new.get(name)
    ]
    return "; ".join(lines) or NOTHING


def causes(commit: Commit) -> dict[str, Any]:
    """Everything recorded that may explain a difference, flat, under dotted names."""
    recorded = {**commit.provenance, "contract": commit.contract, "packages": dict(commit.packages)}
    return {name: value for name, value in _flat(recorded) if not _is_event(name)}


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from _flat(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item


def _is_event(name: str) -> bool:
    parts = name.split(".")
    return parts[0] == "run" or parts[-1].endswith("run_id")


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = ", ".join(map(str, value)) if isinstance(value, Sequence) and not isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN // 2] + "…"
