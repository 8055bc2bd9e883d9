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
    """SQL text, the name of the value in each of its places, values that are always the same, and what types do.

    `work` has the places whose values are not given as they are, and what their type makes of them.
    """

    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    work: tuple[tuple[int, _Process], ...]

    def bound(self, values: Mapping[str, Any]) -> list[Any]:
        """What the driver is given."""
        known = {**self.fixed, **values} if self.fixed else values
        given = [known[name] for name in self.names]
        try:
            for place, process in self.work:
                given[place] = process(given[place])
        except (TypeError, ValueError) as wrong:  # told as SQLAlchemy tells it
            raise StatementError(str(wrong), self.sql, None, wrong, hide_parameters=True) from wrong
        return given


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
    return _Prepared(
        str(compiled),
        tuple(compiled.bind_names[bind] for bind in binds),
        {compiled.bind_names[bind]: bind.value for bind in binds if not bind.required},
        tuple((place, process) for place, process in enumerate(kinds) if process is not None),
    )


@lru_cache(maxsize=1)
def _read() -> tuple[tuple[int, _Process], ...]:
    """The columns whose values are not as the driver gives them."""
    found = ((place, column.type.dialect_impl(_SQLITE)) for place, column in enumerate(tickets.c))
    processes = ((place, kind.result_processor(_SQLITE, None)) for place, kind in found)
    return tuple((place, process) for place, process in processes if process is not None)
