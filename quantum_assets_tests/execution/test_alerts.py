"""What is unread: alerts after the last reading, and never the lines that persons cause themselves."""

from datetime import timedelta
from pathlib import Path

import pytest

from quantum_assets.execution.alerts import BREAKER_RESET, mark_read, unread
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.execution.clocks import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def ledger(tmp_path: Path, clock: ManualClock) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", clock)


def test_reading_is_remembered_for_every_process(ledger: Ledger) -> None:
    first, second = ledger.alert("job_lost", "ticket a", "gone"), ledger.alert("job_lost", "ticket b", "gone")
    assert mark_read(ledger, "ada") == (first, second)
    assert unread(Ledger(ledger.url).alerts()) == ()
    third = ledger.alert("job_lost", "ticket c", "gone")
    assert unread(ledger.alerts()) == (third,)


def test_nothing_to_read_writes_nothing(ledger: Ledger) -> None:
    assert mark_read(ledger, "ada") == ()
    ledger.alert(BREAKER_RESET, "remote/rehearsal", "closed by ada: it is back")
    assert mark_read(ledger, "ada") == ()
    assert [alert.kind for alert in ledger.alerts()] == [BREAKER_RESET]


def test_only_what_is_recent_enough(ledger: Ledger, clock: ManualClock) -> None:
    ledger.alert("job_lost", "ticket a", "gone")
    clock.advance(3600)
    late = ledger.alert("job_lost", "ticket b", "gone")
    assert unread(ledger.alerts(), since=clock.now() - timedelta(minutes=30)) == (late,)
    assert len(unread(ledger.alerts(), since=clock.now() - timedelta(hours=1))) == 2
