import importlib

from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.execution.ledger.materials import ask_for, raw, take_back

second = importlib.import_module("quantum_assets.execution.ledger.migrations.versions.0002_whole_askings")


def test_a_ledger_of_before_keeps_what_it_has(empty_url: str) -> None:
    Ledger(empty_url).prepare()
    take_back(empty_url, second.down_revision)
    with raw(Ledger(empty_url)) as connection:
        connection.execute(
            "INSERT INTO breakers (key, state, failures, successes, version, updated_at)"
            " VALUES ('vendor/a', 'closed', 3, 0, 1, '2026-11-22T12:00:00.000000+00:00')"
        )
    ledger = Ledger(empty_url)
    ledger.prepare()
    row = ledger.breaker("vendor/a")
    assert (row.failures, row.failed_jobs, row.counted) == (3, 0, 3)
    ticket, _ = ledger.ask(ask_for(1, asked_shots=70_000_000_000))
    assert ledger.ticket(ticket.id).asked_shots == 70_000_000_000
    assert ledger.check() == ()


def test_it_can_be_taken_back(empty_url: str) -> None:
    Ledger(empty_url).ask(ask_for(1))
    take_back(empty_url, second.down_revision)
    with raw(Ledger(empty_url)) as connection:
        assert list(connection.execute("SELECT state FROM tickets")) == [("planned",)]
    Ledger(empty_url).prepare()
    (ticket,) = Ledger(empty_url).tickets()
    assert ticket.asked_shots == 0
