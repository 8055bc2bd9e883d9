"""The schema, brought up to date under a lock by whoever comes first; free for everybody after."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from quantum_assets.contracts.errors import LedgerError
from quantum_assets.execution.ledger.address import file_of, shown
from quantum_assets.execution.ledger.engine import refused, use_wal, write

if TYPE_CHECKING:
    from alembic.config import Config

#: The revision that this code reads and writes; a test holds it equal to Alembic's head.
HEAD = "0002"
#: Taken as an advisory lock in PostgreSQL while migrating; any number that nobody else uses.
_LOCK = 7_263_101_355_001

_PREPARED = "ledger_prepared"


def prepare(engine: Engine) -> None:
    """Bring the database to revision `HEAD`; does next to nothing when it is there already.

    Raises:
        LedgerError: If it cannot be reached, or is of a revision that this version does not know.
    """
    try:
        _make_folder(engine)
        if revision(engine) == HEAD:
            return
        with _alone(engine):
            if file_of(engine.url) is not None:
                use_wal(engine.url)
            write(engine, _upgrade)
    except OSError as error:
        raise LedgerError(f"ledger {shown(engine.url)}", str(error), "See that its folder can be written") from error


def prepare_once(engine: Engine) -> None:
    """`prepare`, once in the life of an engine."""
    if not engine.get_execution_options().get(_PREPARED):
        prepare(engine)
        engine.update_execution_options(**{_PREPARED: True})


def revision(engine: Engine) -> str | None:
    """The revision that the database is of; None for one without a ledger."""
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    except DBAPIError as error:
        said = str(error.orig)
        if "no such table" in said or getattr(error.orig, "sqlstate", "") == "42P01":
            return None
        raise refused(engine, error) from None
    except SQLAlchemyError as error:
        raise refused(engine, error) from None


def configuration() -> "Config":
    """Alembic's settings: the scripts that are shipped beside this module."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = configuration()
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise LedgerError(
            f"ledger {shown(connection.engine.url)}",
            f"is of revision {current}, and this version knows none after {HEAD}",
            "Install the newer quantum_assets that wrote it",
        )
    command.upgrade(config, HEAD)


def _make_folder(engine: Engine) -> None:
    file = file_of(engine.url)
    if file is not None and not file.parent.is_dir():
        file.parent.mkdir(parents=True, exist_ok=True)


def _alone(engine: Engine) -> AbstractContextManager[object]:
    """A lock file beside the SQLite file; PostgreSQL locks inside its transaction, and memory is ours alone."""
    file = file_of(engine.url)
    return nullcontext() if file is None else FileLock(f"{file}.lock")
