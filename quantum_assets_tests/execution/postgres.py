"""A throw-away PostgreSQL server for tests: started where its programs are found, on a private socket, gone afterwards.

To use a server of your own instead, name it, as a superuser of it::

    QUANTUM_ASSETS_TEST_POSTGRES_URL=postgresql://user:password@localhost:5432/postgres pytest
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

VARIABLE = "QUANTUM_ASSETS_TEST_POSTGRES_URL"
MISSING = (
    f"no PostgreSQL: neither {VARIABLE} is set nor are initdb and postgres found on PATH or in /usr/lib/postgresql "
    "(Debian: apt-get install postgresql)"
)
_PATIENCE = 60.0


@dataclass(frozen=True)
class Postgres:
    """A running server; `url` names a database from which others can be made."""

    url: str

    def new_database(self) -> str:
        """The URL of a fresh, empty database."""
        name = f"ledger_{uuid4().hex[:12]}"
        self._run(f'CREATE DATABASE "{name}"')
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Remove a database, and whoever is connected to it."""
        self._run(f'DROP DATABASE IF EXISTS "{make_url(url).database}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        engine = create_engine(make_url(self.url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(text(statement))
        finally:
            engine.dispose()


@contextmanager
def running() -> Iterator[Postgres | None]:
    """The server of the environment variable, or one of our own until the block ends; None where there is neither."""
    named = os.environ.get(VARIABLE)
    programs = find_programs()
    if named:
        yield Postgres(named)
    elif programs is None:
        yield None
    else:
        folder = Path(tempfile.mkdtemp(prefix="qa-postgres-", dir="/tmp"))  # a socket's path must be short
        try:
            yield from _serve(programs, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def find_programs() -> Path | None:
    """The folder of initdb and postgres; the newest version where there are several."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True
    )
    on_path = shutil.which("initdb")
    folders = [*([Path(on_path).resolve().parent] if on_path else []), *installed]
    return next((f for f in folders if (f / "initdb").is_file() and (f / "postgres").is_file()), None)


def _serve(programs: Path, folder: Path) -> Iterator[Postgres]:
    who = _unprivileged()
    if who:
        shutil.chown(folder, who["user"], who["group"])
    data = folder / "data"
    made = subprocess.run(
        [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        cwd=folder, capture_output=True, text=True, check=False, **who,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    settings = {"listen_addresses": "", "unix_socket_directories": folder, "fsync": "off", "max_connections": 60}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, *options], cwd=folder, stdout=log, stderr=log, **who
        )
    try:
        postgres = Postgres(f"postgresql://postgres@/postgres?host={folder}")
        _wait(postgres, server, folder / "log")
        yield postgres
    finally:
        server.send_signal(2)  # fast shutdown: clients are thrown out
        try:
            server.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _unprivileged() -> dict[str, Any]:
    """initdb refuses root: the user that runs it instead."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known["nobody"]
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _wait(postgres: Postgres, server: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while server.poll() is None:
        try:
            postgres._run("SELECT 1")
        except OperationalError:
            if time.monotonic() > end:
                break
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"PostgreSQL did not start: {log.read_text()}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server, or a skipped test."""
    with running() as server:
        if server is None:
            pytest.skip(MISSING)
        yield server
