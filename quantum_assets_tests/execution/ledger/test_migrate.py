import time
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory

from quantum_assets.contracts.errors import LedgerError
from quantum_assets.execution.ledger.address import parse
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.migrate import HEAD, configuration
from quantum_assets_tests.execution.ledger.materials import LEDGER, ask_for, raw
from quantum_assets_tests.processes import results


def test_the_code_reads_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(configuration()).get_heads() == [HEAD]


def test_a_newer_ledger_is_left_alone(ledger: Ledger) -> None:
    ledger.prepare()
    try:
        with raw(ledger) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(LedgerError, match=f"is of revision 9999, and this version knows none after {HEAD}"):
            ledger.prepare()
    finally:
        with raw(ledger) as connection:
            connection.execute(f"UPDATE alembic_version SET version_num = '{HEAD}'")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerError, match="See that its folder can be written"):
        Ledger(f"sqlite:///{tmp_path}/file/ledger.db").prepare()


def test_scripts_are_shipped_beside_the_code() -> None:
    folder = Path(configuration().get_main_option("script_location") or "")
    for name in ("env.py", "script.py.mako", "__init__.py", "versions/__init__.py"):
        assert (folder / name).is_file(), name
    for revision in ("0001_first_ledger", "0002_whole_askings"):
        assert (folder / "versions" / f"{revision}.py").is_file(), revision


def prepare_and_ask(url: str, number: int) -> None:
    Ledger(url).ask(ask_for(number))


def test_eight_processes_start_on_a_fresh_database(empty_url: str, report_figures: Any) -> None:
    begun = time.perf_counter()
    results(prepare_and_ask, [(empty_url, number) for number in range(8)], modules=LEDGER)
    ledger = Ledger(empty_url)
    assert len(ledger.tickets()) == 8
    assert ledger.check() == ()
    report_figures(f"8 processes on a fresh {parse(empty_url).get_backend_name()}: {time.perf_counter() - begun:.2f} s")


def test_preparing_what_is_prepared_changes_nothing(ledger: Ledger, report_figures: Any) -> None:
    asked = ledger.ask(ask_for(1))
    times = []
    for _ in range(20):
        begun = time.perf_counter()
        ledger.prepare()
        times.append(time.perf_counter() - begun)
    with raw(ledger) as connection:
        assert list(connection.execute("SELECT version_num FROM alembic_version")) == [(HEAD,)]
    assert [ticket.id for ticket in ledger.tickets()] == [asked[0].id]
    report_figures(f"prepare of a current ledger: {1e3 * sorted(times)[10]:.2f} ms")
