from typing import Any

import pytest
from sqlalchemy import inspect, text

from quantum_assets.execution.ledger.address import parse
from quantum_assets.execution.ledger.engine import engine_for, write
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.migrate import HEAD, revision
from quantum_assets_tests.execution.ledger.materials import ask_for, downgrade, take_back


def test_up_down_and_up_again(empty_url: str) -> None:
    ledger, engine = Ledger(empty_url), engine_for(parse(empty_url))
    assert revision(engine) is None
    ledger.prepare()
    assert revision(engine) == HEAD
    ledger.ask(ask_for())

    take_back(empty_url, "base")
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["alembic_version"]
        left = "sqlite_master WHERE type = 'trigger'" if engine.dialect.name == "sqlite" else "pg_trigger"
        assert connection.execute(text(f"SELECT count(*) FROM {left}")).scalar() == 0
        if engine.dialect.name == "postgresql":
            named = text("SELECT count(*) FROM pg_proc WHERE proname LIKE 'ledger%'")
            assert connection.execute(named).scalar() == 0
    assert revision(engine) is None
    ledger.prepare()
    assert ledger.tickets() == ()


def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    """The scripts run inside the transaction that they are handed: what comes after them takes them back too."""
    engine = engine_for(parse(empty_url))
    Ledger(empty_url).prepare()

    def half(connection: Any) -> None:
        downgrade(connection, "base")
        raise KeyError("power cut")

    with pytest.raises(KeyError):
        write(engine, half)
    assert revision(engine) == HEAD
    assert Ledger(empty_url).ask(ask_for())[1]
    assert Ledger(empty_url).check() == ()
