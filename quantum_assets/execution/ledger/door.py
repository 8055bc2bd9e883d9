"""A ledger as a value, and the transaction that each of its methods is."""

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import URL, Connection, Engine

from quantum_assets.execution.clock import SYSTEM_CLOCK, Clock
from quantum_assets.execution.ledger import migrate
from quantum_assets.execution.ledger.address import IN_MEMORY, parse, shown
from quantum_assets.execution.ledger.engine import engine_for, new_engine, read, write
from quantum_assets.execution.ledger.rows import Stamp
from quantum_assets.execution.owner import Owner

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Door:
    """Where the ledger is, whose clock it goes by and who writes; making one connects to nothing.

    Attributes:
        url: ``sqlite:///<path>``, ``postgresql://…``, or ``sqlite://`` for one in memory that ends with this value.
        clock: Where the time of every line comes from.
        actor: Who writes; empty: this process (`Owner`).
    """

    url: str
    clock: Clock = SYSTEM_CLOCK
    actor: str = ""

    def __post_init__(self) -> None:
        parse(self.url)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({shown(parse(self.url))!r})"

    @classmethod
    def in_home(cls, home: Path, url: str = "") -> Self:
        """The ledger of a home directory: ``ledger.db`` in it, unless a URL names another."""
        return cls(url or f"sqlite:///{home / 'ledger.db'}")

    def prepare(self) -> None:
        """Make the database, or bring it up to date; every other method does it at its first use.

        Safe in many processes at once, and cheap when there is nothing to do.
        """
        migrate.prepare(self._bare)

    @cached_property
    def _parsed(self) -> URL:
        return parse(self.url)

    @cached_property
    def _memory(self) -> Engine | None:
        if self.url not in IN_MEMORY:
            return None
        engine = new_engine(self._parsed)
        weakref.finalize(self, engine.dispose)
        return engine

    @property
    def _bare(self) -> Engine:
        return self._memory if self._memory is not None else engine_for(self._parsed)

    @property
    def _engine(self) -> Engine:
        """The engine of this process, with the schema in place."""
        engine = self._bare
        migrate.prepare_once(engine)
        return engine

    def _read(self, work: Callable[[Connection], T]) -> T:
        return read(self._engine, work)

    def _write(self, work: Callable[[Connection, Stamp], T], *, durable: bool = False) -> T:
        stamp = Stamp(self.clock.now(), self.actor or str(Owner.current()))
        return write(self._engine, lambda connection: work(connection, stamp), durable=durable)
