"""Storage of circuit breakers: one row a backend, seen and counted by all processes."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update

from quantum_assets.contracts.errors import PlanError
from quantum_assets.execution.ledger.rows import BreakerRow, Stamp
from quantum_assets.execution.ledger.schema import breakers
from quantum_assets.execution.ledger.tickets import insert_unless_there

_COLUMNS = tuple(breakers.c[name] for name in BreakerRow.__dataclass_fields__)
_CHANGEABLE = frozenset({"state", "failures", "failed_jobs", "successes", "opened_at"})


def breaker(connection: Connection, key: str) -> BreakerRow:
    """The breaker of a backend; closed and untouched where nothing was ever written."""
    row = connection.execute(select(*_COLUMNS).where(breakers.c.key == key)).one_or_none()
    return BreakerRow(key, "closed", 0, 0, None, 0) if row is None else BreakerRow(*row)


def every_breaker(connection: Connection) -> tuple[BreakerRow, ...]:
    """All that were ever written, by key."""
    return tuple(BreakerRow(*row) for row in connection.execute(select(*_COLUMNS).order_by(breakers.c.key)))


def set_breaker(
    connection: Connection, key: str, changes: Mapping[str, Any], expected: int | None, stamp: Stamp
) -> BreakerRow | None:
    """Change fields of a breaker.

    Args:
        connection: In a writing transaction.
        key: ``provider/backend``.
        changes: Any of state, failures, failed_jobs, successes, opened_at.
        expected: Version that the caller decided upon; None: write whatever it is now.
        stamp: Who and when.

    Returns:
        The row as written; None where its version is another than `expected`.
    """
    unknown = sorted(set(changes) - _CHANGEABLE)
    if unknown:
        raise PlanError(f"breaker {key}", f"has no {', '.join(unknown)}", f"Change {', '.join(sorted(_CHANGEABLE))}")
    _make(connection, key, stamp)
    query = update(breakers).where(breakers.c.key == key)
    if expected is not None:
        query = query.where(breakers.c.version == expected)
    values = {**changes, "version": breakers.c.version + 1, "updated_at": stamp.at}
    row = connection.execute(query.values(values).returning(*_COLUMNS)).one_or_none()
    return None if row is None else BreakerRow(*row)


def count(connection: Connection, key: str, name: str, stamp: Stamp) -> int:
    """Add one to a counter and return it; two processes at once count two."""
    _make(connection, key, stamp)
    column = breakers.c[name]
    values = {name: column + 1, "version": breakers.c.version + 1, "updated_at": stamp.at}
    query = update(breakers).where(breakers.c.key == key).values(values).returning(column)
    return int(connection.execute(query).scalar_one())


def _make(connection: Connection, key: str, stamp: Stamp) -> None:
    values = {"key": key, "state": "closed", "failures": 0, "successes": 0, "opened_at": None, "version": 0}
    connection.execute(insert_unless_there(connection.dialect.name, breakers), {**values, "updated_at": stamp.at})
