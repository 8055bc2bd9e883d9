"""Two ways to keep the newest answer of a partition, behind one face, so that one checker can judge both."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from quantum_assets.contracts.tables import GRAM
from quantum_assets.store.digest import table_digest
from quantum_assets.store.store import Store
from quantum_assets_tests.store.samples import ASSET, IDEAL

Steps = Callable[[str], None]


class Subject(Protocol):
    """A place for versions of one table."""

    def write(self, table: pa.Table, steps: Steps) -> None:
        """Store a table as the newest; `steps` is called on the way."""

    def visible(self) -> pa.Table:
        """What a reader who knows only the path sees."""

    def load(self, version: str | None) -> pa.Table:
        """A version, or the newest, as the subject's own reader gives it."""

    def versions(self) -> set[str]:
        """Every version that it says it has."""


@dataclass(frozen=True)
class StoreSubject:
    """Ours."""

    root: Path

    def write(self, table: pa.Table, steps: Steps) -> None:
        Store(self.root, steps=steps).commit(ASSET, IDEAL, table, GRAM, {})

    def visible(self) -> pa.Table:
        return pq.read_table(self.root / "current" / "wine" / "quantum_kernel" / "profile=ideal" / "data.parquet")

    def load(self, version: str | None) -> pa.Table:
        return Store(self.root).read(ASSET, IDEAL, version)

    def versions(self) -> set[str]:
        return {commit.version for commit in Store(self.root).history(ASSET, IDEAL)}


class ToldFile:
    """A file that tells after every write, as a disk that is slow enough to be interrupted there."""

    def __init__(self, path: Path, steps: Steps) -> None:
        self._file = path.open("wb")
        self._steps = steps
        steps("opened")

    def write(self, content: bytes) -> int:
        written = self._file.write(content)
        self._file.flush()
        self._steps("written")
        return written

    def __getattr__(self, name: str):
        return getattr(self._file, name)


@dataclass(frozen=True)
class NaiveSubject:
    """What path-based IO managers do: open the one path for writing, and write."""

    root: Path

    @property
    def path(self) -> Path:
        return self.root / "data.parquet"

    def write(self, table: pa.Table, steps: Steps) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        file = ToldFile(self.path, steps)
        pq.write_table(table, file)
        file.close()
        steps("closed")

    def visible(self) -> pa.Table:
        return pq.read_table(self.path)

    def load(self, version: str | None) -> pa.Table:
        table = self.visible()
        if version is not None and table_digest(table, GRAM) != version:
            raise FileNotFoundError(version)
        return table

    def versions(self) -> set[str]:
        return {table_digest(self.visible(), GRAM)}


def forked(act: Callable[[], None]) -> int:
    """Run something in a forked process; returns its id. It leaves with 0, or 1 when it raised; it never hangs."""
    child = os.fork()
    if child:
        return child
    signal.alarm(120)
    code = 1
    try:
        act()
        code = 0
    finally:
        os._exit(code)
