"""Storage as a step sees it that reads what is newest: tables by name, and real turns for which nobody waits."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

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
