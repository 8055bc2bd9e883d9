"""Transactions: one engine a process and database, locks waited out, and errors told in our own words.

SQLite has one writer at a time. A transaction that will write says so when it begins (``BEGIN IMMEDIATE``), waits its
turn inside SQLite, and is made again after a pause of random length if its turn never came. PostgreSQL transactions
that a deadlock or a serialisation failure ended are made again in the same way.

A PostgreSQL server that is restarting, or has every connection taken, is asked for a connection again a few times
within two seconds. Nothing has been sent to it by then, so nothing can be done twice.
"""

import atexit
import os
import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

import stamina
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError, StatementError

from quantum_assets.contracts.errors import LedgerError
from quantum_assets.execution.ledger.address import file_of, scrubbed, shown

T = TypeVar("T")
TRIES = 8
BUSY_SECONDS = 30.0
CONNECTS = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 0.8  # seconds
#: What libpq and the server say when they may say otherwise a moment later; libpq gives a refusal no code.
_PASSING = (
    *("Connection refused", "Connection reset", "No such file or directory", "server closed the connection"),
    *("is starting up", "is shutting down", "in recovery mode", "too many clients", "remaining connection slots"),
)
_LOCKED_STATES = frozenset({"40001", "40P01", "55P03"})  # serialisation failure, deadlock, lock not available

#: The only state of the package: engines by database and process. A fork finds no engine under its own pid and makes
#: one; what it inherited stays referenced, so that it never closes a connection that its parent still uses.
_engines: dict[tuple[tuple[object, ...], int], Engine] = {}
_KEPT = 16


def engine_for(url: URL) -> Engine:
    """The engine of this process for a database; made at the first call, connects at its first use."""
    # not the URL itself: it is written out to be hashed, which takes as long as a short transaction
    key = ((*url[:6], *sorted(url.query.items())), os.getpid())
    if key not in _engines:
        if not _engines:
            atexit.register(_close)
        mine = [known for known in _engines if known[1] == key[1]]
        for oldest in mine[: max(0, len(mine) + 1 - _KEPT)]:
            _engines.pop(oldest).dispose()
        _engines[key] = new_engine(url)
    return _engines[key]


def _close() -> None:
    """Leave SQLite files whole, without a log beside them, when the process ends."""
    for (_, pid), engine in list(_engines.items()):
        if pid == os.getpid():
            engine.dispose()


def new_engine(url: URL) -> Engine:
    """A fresh engine.

    Raises:
        LedgerError: If the driver is not installed, or SQLite is too old.
    """
    try:
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    except ImportError as missing:
        raise LedgerError(
            f"ledger {shown(url)}",
            f"needs a driver that is not installed ({missing.name})",
            'Run: pip install "quantum_assets[postgres]"',
        ) from missing
    return engine


def read(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Run `work` in a transaction that only reads: it sees one moment of the ledger (SQLite), or each statement's."""
    return _made(engine, work, "BEGIN")


def write(engine: Engine, work: Callable[[Connection], T], *, durable: bool = False) -> T:
    """Run `work` in one transaction: all of it is written, or nothing.

    Args:
        engine: Of the ledger.
        work: Called again from the start after a lost lock, so it must do nothing but write to the ledger.
        durable: Whether what is written must outlive a loss of power, not only the death of the process (SQLite; a
            PostgreSQL server is durable as it is configured).

    Raises:
        LedgerError: If the database refuses or does not answer, in our words.
    """
    return _made(engine, work, "BEGIN IMMEDIATE", durable=durable)


def refused(engine: Engine, error: Exception) -> LedgerError:
    """The database's error in our words, without secrets."""
    cause = error.orig if isinstance(error, StatementError) and error.orig is not None else error
    said = scrubbed(" ".join(str(cause).split()), engine.url)
    where = f"ledger {shown(engine.url)}"
    if _is_lock(error):
        return LedgerError(
            where,
            f"was busy for {TRIES} tries of up to {BUSY_SECONDS:g} s",
            "Look which process holds a transaction open on it, end that process, and try again",
        )
    if isinstance(error, IntegrityError | sqlite3.IntegrityError):
        return LedgerError(where, f"refused what breaks its rules: {said}", "Read the ticket again and decide anew")
    return LedgerError(where, f"did not do it: {said}", "See that the database is there, can be written, and has room")


def _made(engine: Engine, work: Callable[[Connection], T], begin: str, *, durable: bool = False) -> T:
    for attempt in range(1, TRIES + 1):
        try:
            return _once(engine, work, begin, durable)
        except (SQLAlchemyError, sqlite3.Error) as error:
            if attempt == TRIES or not _is_lock(error):
                told = refused(engine, error)
                if _is_lock(error) or scrubbed(str(error), engine.url) != str(error):
                    raise told from None  # the driver's own text says less, or holds the password
                raise told from error
        time.sleep(random.uniform(0, 0.01 * 2**attempt))  # real time: another process needs it
    raise AssertionError("the last try returns or raises")


def _once(engine: Engine, work: Callable[[Connection], T], begin: str, durable: bool) -> T:
    with engine.connect() as connection:
        if engine.dialect.name != "sqlite":
            return _committed(connection, work)
        raw: Any = connection.connection.dbapi_connection
        if not durable:
            raw.execute(begin)
            return _committed(connection, work)
        raw.execute("PRAGMA synchronous = FULL")  # can be set between transactions only
        try:
            raw.execute(begin)
            return _committed(connection, work)
        finally:
            raw.execute("PRAGMA synchronous = NORMAL")


def _committed(connection: Connection, work: Callable[[Connection], T]) -> T:
    """What `work` returns, once it is written; if it raises, all of it is undone."""
    with connection.begin():
        return work(connection)


def _sqlite(url: URL) -> Engine:
    if sqlite3.sqlite_version_info < (3, 35):
        raise LedgerError(
            f"SQLite {sqlite3.sqlite_version}", "is too old for the ledger", "Use a Python with SQLite 3.35 or newer"
        )
    options: dict[str, Any] = {"isolation_level": None, "timeout": BUSY_SECONDS, "check_same_thread": False}
    if file_of(url) is None:  # one connection is the whole database: threads take turns, and it is never dropped
        from sqlalchemy.pool import QueuePool

        engine = create_engine(
            url, connect_args=options, poolclass=QueuePool, pool_size=1, max_overflow=0, hide_parameters=True
        )
    else:
        engine = create_engine(url, connect_args=options, hide_parameters=True)
    event.listen(engine, "connect", _prepare_connection)
    return engine


def _prepare_connection(raw: sqlite3.Connection, record: object) -> None:
    del record
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA synchronous = NORMAL")


def _postgresql(url: URL) -> Engine:
    engine = create_engine(url, pool_size=2, max_overflow=8, pool_pre_ping=True, hide_parameters=True)
    event.listen(engine, "do_connect", _connect)
    return engine


def _connect(dialect: Any, record: object, args: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A new connection of the driver's; asked for again where the server may let us in a moment later."""
    del record
    again = stamina.retry_context(
        on=_may_pass,
        attempts=CONNECTS,
        timeout=None,
        wait_initial=_FIRST_PAUSE,
        wait_max=_LONGEST_PAUSE,
        wait_jitter=_FIRST_PAUSE / 2,
    )
    for attempt in again:
        with attempt:
            return dialect.connect(*args, **options)
    raise AssertionError("the last try returns or raises")


def _may_pass(error: Exception) -> bool:
    told = str(error)
    return any(words in told for words in _PASSING)


def _is_lock(error: Exception) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.OperationalError):
        return cause.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(cause, "sqlstate", None) in _LOCKED_STATES


def use_wal(url: URL) -> None:
    """Turn a SQLite file to write-ahead logging, which stays with the file; others need time to let go of it."""
    file = file_of(url)
    if file is None:
        return
    raw = sqlite3.connect(file, timeout=BUSY_SECONDS)
    try:
        for attempt in range(1, TRIES + 1):
            with suppress(sqlite3.OperationalError):
                raw.execute("PRAGMA journal_mode = WAL")
                return
            time.sleep(random.uniform(0, 0.01 * 2**attempt))
        raw.execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()
