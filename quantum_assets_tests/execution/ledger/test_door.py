import gc
import pickle
import threading
from pathlib import Path

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.owner import Owner
from quantum_assets_tests.execution.ledger.materials import NOON, TestClock, ask_for


def test_making_one_connects_to_nothing(tmp_path: Path) -> None:
    Ledger(f"sqlite:///{tmp_path}/deep/ledger.db")
    assert list(tmp_path.iterdir()) == []
    Ledger("postgresql://nobody@nowhere.invalid/none")
    with pytest.raises(PlanError, match="names the scheme 'oracle'"):
        Ledger("oracle://db/lab")


def test_a_home_holds_its_ledger_unless_a_url_names_another(tmp_path: Path) -> None:
    assert Ledger.in_home(tmp_path).url == f"sqlite:///{tmp_path}/ledger.db"
    assert Ledger.in_home(tmp_path, "sqlite://").url == "sqlite://"


def test_a_ledger_travels_to_another_process() -> None:
    ledger = Ledger("postgresql://ada@db/lab", actor="me")
    assert pickle.loads(pickle.dumps(ledger)) == ledger


def test_lines_carry_the_clock_s_time_and_the_writer_s_name(url: str) -> None:
    Ledger(url, TestClock(), "a person").alert("kind", "subject", "message")
    Ledger(url, TestClock()).alert("kind", "subject", "message")
    one, other = Ledger(url).alerts()
    assert (one.at, one.actor) == (NOON, "a person")
    assert other.actor == str(Owner.current())


def test_memory_is_one_database_a_ledger_and_safe_for_threads() -> None:
    one, other = Ledger("sqlite://"), Ledger("sqlite://")
    one.ask(ask_for())
    assert len(one.tickets()) == 1
    assert other.tickets() == ()
    threads = [threading.Thread(target=one.ask, args=(ask_for(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(one.tickets()) == 8
    assert one.check() == ()


def test_a_ledger_in_memory_is_closed_when_nobody_has_it() -> None:
    ledger = Ledger("sqlite://")
    ledger.prepare()
    engine = ledger._engine
    before = engine.pool
    del ledger
    gc.collect()
    assert engine.pool is not before, "disposing of an engine gives it an empty pool"
