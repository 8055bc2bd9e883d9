from datetime import timedelta

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.execution.ledger.materials import NOON, TestClock


def test_the_last_word_on_a_kind_counts_while_it_lasts(ledger: Ledger, clock: TestClock) -> None:
    assert ledger.approved("lab", "hardware") is None
    ledger.approve("lab", "hardware", by="ada", reason="trial", until=NOON + timedelta(hours=1))
    given = ledger.approved("lab", "hardware")
    assert given is not None
    assert (given.approver, given.reason, given.until, given.at) == ("ada", "trial", NOON + timedelta(hours=1), NOON)
    assert ledger.approved("lab", "high_shots") is None
    assert ledger.approved("other", "hardware") is None
    clock.sleep(3600)
    assert ledger.approved("lab", "hardware") is None, "the moment of its end is past it"
    for_ever = ledger.approve("lab", "hardware", by="ada", reason="for good")
    assert ledger.approved("lab", "hardware") == for_ever
    ledger.approve("lab", "hardware", by="bob", reason="taken back", until=clock.now())
    assert ledger.approved("lab", "hardware") is None
    assert [row.approver for row in ledger.approvals("lab")] == ["ada", "ada", "bob"]
    assert len(ledger.approvals()) == 3
    assert ledger.approvals("other") == ()


def test_an_approval_says_who_and_why(ledger: Ledger) -> None:
    with pytest.raises(PlanError, match="does not say who, or why"):
        ledger.approve("lab", "hardware", by=" ", reason="x")
    assert ledger.approvals() == ()


def test_alerts_are_read_from_where_one_stopped(ledger: Ledger) -> None:
    written = [ledger.alert("unknown_failure", f"ticket {n}", "said x", "c") for n in range(4)]
    assert ledger.alerts() == tuple(written)
    assert (written[0].actor, written[0].at, written[0].correlation_id) == ("tester", NOON, "c")
    assert ledger.alerts(after_sequence=written[1].sequence, limit=1) == (written[2],)
    assert ledger.alerts(after_sequence=written[-1].sequence) == ()
