"""Statements about one ticket, compiled once: SQLAlchemy's own way around each takes several times what SQLite does.

In SQLite a statement goes to the driver as it was compiled, with SQLAlchemy's types at both ends, inside the
transaction of the connection given. In PostgreSQL, where each is a journey in any case, it takes the usual way.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects.sqlite import dialect
from sqlalchemy.exc import StatementError
from sqlalchemy.sql.compiler import SQLCompiler

from quantum_assets.contracts.ticket import Ticket
from quantum_assets.execution.ledger.rows import ticket_of
from quantum_assets.execution.ledger.schema import tickets

_Process = Callable[[Any], Any]
_SQLITE = dialect()
_MOST = 128


@dataclass(frozen=True)
class _Prepared:
    """SQL text, and for each of its places in order: the value's name, or None and the value, and its type's work."""

    sql: str
    places: tuple[tuple[str | None, Any, _Process | None], ...]

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        """What the driver is given."""
        found = ((fixed if name is None else values[name], process) for name, fixed, process in self.places)
        try:
            return [value if process is None else process(value) for value, process in found]
        except (TypeError, ValueError) as wrong:  # told as SQLAlchemy tells it
            raise StatementError(str(wrong), self.sql, None, wrong, hide_parameters=True) from wrong


def one_ticket(connection: Connection, statement: Executable, values: Mapping[str, Any]) -> Ticket | None:
    """Run a statement that gives whole rows of `tickets`; the first as a ticket, or None.

    Args:
        connection: In a transaction.
        statement: One that is kept, for what was compiled is found by it.
        values: Its parameters, and the columns that it writes.
    """
    if connection.dialect.name != "sqlite":
        row = connection.execute(statement, values).first()
        return None if row is None else ticket_of(row)
    rows = _run(connection, statement, values).fetchall()  # all of them, for it writes until the last is taken
    if not rows:
        return None
    read = list(rows[0])
    for place, process in _read():
        read[place] = process(read[place])
    return ticket_of(read)


def changed(connection: Connection, statement: Executable, values: Mapping[str, Any]) -> int:
    """Run a statement that gives nothing back; how many rows an UPDATE changed. Parameters as for `one_ticket`."""
    if connection.dialect.name != "sqlite":
        return int(connection.execute(statement, values).rowcount)
    return int(_run(connection, statement, values).rowcount)


def _run(connection: Connection, statement: Executable, values: Mapping[str, Any]) -> Any:
    prepared, raw = _prepared(statement, tuple(values)), connection.connection.dbapi_connection
    if raw is None:
        raise AssertionError("a connection in a transaction has one")
    return raw.execute(prepared.sql, prepared.bound(values))


@lru_cache(maxsize=_MOST)
def _prepared(statement: Executable, names: tuple[str, ...]) -> _Prepared:
    compiled = statement.compile(dialect=_SQLITE, column_keys=list(names))  # type: ignore[attr-defined]
    assert isinstance(compiled, SQLCompiler)
    binds = [compiled.binds[name] for name in compiled.positiontup or ()]
    kinds = [bind.type.dialect_impl(_SQLITE).bind_processor(_SQLITE) for bind in binds]
    given = [compiled.bind_names[bind] if bind.required else None for bind in binds]
    fixed = [None if bind.required else bind.value for bind in binds]
    return _Prepared(str(compiled), tuple(zip(given, fixed, kinds, strict=True)))


@lru_cache(maxsize=1)
def _read() -> tuple[tuple[int, _Process], ...]:
    """The columns whose values are not as the driver gives them."""
    found = ((place, column.type.dialect_impl(_SQLITE)) for place, column in enumerate(tickets.c))
    processes = ((place, kind.result_processor(_SQLITE, None)) for place, kind in found)
    return tuple((place, process) for place, process in processes if process is not None)
