"""Storage as a step sees it that reads what is newest: tables by name, and real turns for which nobody waits."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from quantum_assets.store.store import Store


@dataclass
class Shelf:
    """Gives what lies on it.

    Attributes:
        home: Where the lock files are.
        tables: The newest table of an asset, by its own name, and of a partition.
        read: What was asked for, in order.
    """

    home: Path
    tables: dict[tuple[str, str], pa.Table] = field(default_factory=dict)
    read: list[tuple[str, str]] = field(default_factory=list)

    def newest(self, asset: tuple[str, ...], partition: str) -> pa.Table | None:
        """As `StoreIOManager` gives it."""
        self.read.append((asset[-1], partition))
        return self.tables.get((asset[-1], partition))

    def put(self, profile: str, tables: Mapping[str, pa.Table]) -> None:
        """What a profile's run has committed."""
        self.tables |= {(name, profile): table for name, table in tables.items()}

    def turn(self, asset: tuple[str, ...], partition: str) -> AbstractContextManager[None]:
        """As `StoreIOManager` gives it; who cannot have it at once is refused."""
        return Store(self.home / "store", turn_seconds=0).turn(asset, {"period": partition} if partition else {})


def made_together(shelf: Shelf, step: Callable[[], Iterator[Any]], arrives: Callable[[], None]) -> tuple[Any, Any]:
    """What two makers gave, where something arrives after the first has read and before it is stored.

    Args:
        shelf: What they read from.
        step: Begins a maker.
        arrives: Puts something newer on the shelf.
    """
    first = step()
    early = next(first)  # made of what was there, and not stored yet
    arrives()
    asked = len(shelf.read)
    with pytest.raises(dg.Failure, match="another process has been making it"):
        next(step())
    assert len(shelf.read) == asked  # it had to wait before it read
    assert list(first) == []  # stored: the turn is over
    return early, next(step())
