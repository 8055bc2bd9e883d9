"""What tests of the ledger are made of: a clock that is told the time, questions, estimates, raw connections."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from alembic import command
from sqlalchemy import Connection

from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.money import Estimate
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.contracts.workload import CircuitArtifact, Workload
from quantum_assets.execution.ledger.address import file_of, parse
from quantum_assets.execution.ledger.engine import engine_for, write
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.migrate import configuration

#: What a process that uses a ledger imports.
LEDGER = (
    __name__,
    "alembic.command",
    "psycopg",
    "pytest",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
)
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PROFILE = ExecutionProfile(name="ideal", mode="ideal", providers=("statevector",))
OTHER_PROFILE = ExecutionProfile(name="sampled", mode="ideal", providers=("aer",), estimator="circuits", shots=1024)
PATIENT = PROFILE.model_copy(update={"asynchronous": True})
CIRCUIT = CircuitArtifact("c", b"", 13, "", "", "f" * 64, 2, ("a",), 1, 1)


@dataclass
class TestClock:
    """Stands still unless told to go on, or back."""

    __test__ = False
    moment: datetime = NOON

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


def ask_for(number: float = 1.0, profile: ExecutionProfile = PROFILE, **whose: Any) -> Request:
    """A request whose question depends on the number."""
    return Request(Workload(CIRCUIT, np.array([[float(number)]]), "states"), profile, **whose)


def guess(micros: int = 100, shots: int = 10, kind: str = "simulator", currency: str = "USD") -> Estimate:
    return Estimate.model_validate(
        {"provider": "aer", "backend": "", "kind": kind, "micros": micros, "currency": currency, "shots": shots}
        | {"circuits": 1, "price_version": date(2026, 11, 1)}
    )


def opened(
    ledger: Ledger, key: str, tickets: Sequence[Ticket], estimates: Sequence[Estimate] = (), **more: Any
) -> tuple[Ticket, ...]:
    """The submit window of an order on aer."""
    guesses = estimates or [guess()] * len(tickets)
    wanted = {"provider": "aer", "backend": "", "owner": "me", "limit_micros": None, **more}
    return ledger.open_window(tickets, order_key=key, estimates=guesses, **wanted)


def walk(ledger: Ledger, ticket: Ticket, *states: State) -> Ticket:
    for state in states:
        ticket = ledger.move(ticket, state, f"to {state}")
    return ticket


def take_back(url: str, revision: str) -> None:
    """Take a prepared ledger back to a revision of before."""
    write(engine_for(parse(url)), lambda connection: downgrade(connection, revision))


def downgrade(connection: Connection, revision: str) -> None:
    """Alembic's downgrade, inside a transaction."""
    config = configuration()
    config.attributes["connection"] = connection
    command.downgrade(config, revision)


@contextmanager
def raw(ledger: Ledger) -> Iterator[Any]:
    """A driver's own connection, past all our code (in SQLite without foreign keys); commits at the end."""
    url = parse(ledger.url)
    file = file_of(url)
    if file is not None:
        connection: Any = sqlite3.connect(file)
    else:
        import psycopg

        connection = psycopg.connect(
            dbname=url.database, user=url.username, password=url.password, port=url.port,
            host=url.host or str(url.query.get("host", "")),
        )  # fmt: skip
    try:
        yield connection
        connection.commit()
    finally:
        connection.close()
