"""Every test of the ledger runs on SQLite and on PostgreSQL; the database was migrated once and is empty."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from quantum_assets.execution.ledger.address import parse
from quantum_assets.execution.ledger.engine import engine_for
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.schema import metadata
from quantum_assets_tests.execution.ledger.materials import TestClock
from quantum_assets_tests.execution.postgres import Postgres, postgres

__all__ = ["postgres"]


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("ledger") / "migrated.db"
    url = f"sqlite:///{file}"
    Ledger(url).prepare()
    engine_for(parse(url)).dispose()
    return file


@pytest.fixture(scope="session")
def migrated_database(postgres: Postgres) -> Iterator[str]:
    url = postgres.new_database()
    Ledger(url).prepare()
    yield url
    engine_for(parse(url)).dispose()
    postgres.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without anything in it."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    url = server.new_database()
    yield url
    engine_for(parse(url)).dispose()
    server.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with an empty ledger."""
    if request.param == "sqlite":
        file = tmp_path / "ledger.db"
        shutil.copy(request.getfixturevalue("migrated_file"), file)
        yield f"sqlite:///{file}"
        engine_for(parse(f"sqlite:///{file}")).dispose()
        return
    used: str = request.getfixturevalue("migrated_database")
    empty(used)
    yield used


def empty(url: str) -> None:
    """Take every row out of a PostgreSQL ledger, past its guards: it takes a second to make another database."""
    kept = {"legal_moves"}
    tables = ", ".join(table.name for table in metadata.sorted_tables if table.name not in kept)
    with engine_for(parse(url)).begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
def ledger(url: str, clock: Any) -> Ledger:
    return Ledger(url, clock, "tester")
