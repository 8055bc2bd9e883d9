import inspect as introspection
from collections.abc import Callable
from typing import Any

import pytest

from quantum_assets.contracts.ticket import OUTCOMES, State
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.execution.ledger.materials import OTHER_PROFILE, TestClock, ask_for, opened, walk

FIRST_CALLS: dict[str, Callable[[Ledger], Any]] = {
    "ask": lambda ledger: ledger.ask(ask_for()),
    "tickets": lambda ledger: ledger.tickets(),
    "open_ticket": lambda ledger: ledger.open_ticket("q"),
    "spending": lambda ledger: ledger.spending(),
    "alert": lambda ledger: ledger.alert("k", "s", "m"),
    "count_failure": lambda ledger: ledger.count_failure("aer/"),
    "check": lambda ledger: ledger.check(),
}


@pytest.mark.parametrize("name", sorted(FIRST_CALLS))
def test_whatever_is_called_first_makes_the_ledger(name: str) -> None:
    FIRST_CALLS[name](Ledger("sqlite://"))


def test_every_method_says_what_it_does() -> None:
    for name, method in introspection.getmembers(Ledger, introspection.isfunction):
        if not name.startswith("_"):
            assert method.__doc__, name


def test_a_long_life_is_told_from_the_first_line_to_the_last(ledger: Ledger, clock: TestClock) -> None:
    """503 on submit, a retry under another profile, a refused answer, a fallback on the classical path."""
    request = ask_for(study="wine", partition="p", run_id="run")
    first, _ = ledger.ask(request)
    (sent,) = opened(ledger, "a" * 32, [first])
    clock.sleep(1)
    ledger.release("a" * 32)
    back = ledger.move(sent, State.PLANNED, "the provider has no such order", owner="")
    failed = ledger.move(back, State.FAILED, "503 Service Unavailable")
    second = ledger.again(failed, State.RETRIED, "503", profile=OTHER_PROFILE, modification="another provider")
    (sent,) = opened(ledger, "b" * 32, [second])
    (named,) = ledger.name_job("b" * 32, "job-7")
    queued = ledger.move(named, State.QUEUED, "third in line", queue_position=3)
    queued = ledger.touch(queued, queue_position=2)
    answered = walk(ledger, queued, State.RUNNING, State.COMPLETED)
    rejected = ledger.move(answered, State.REJECTED, "shots: asked for 1024, ran with 1000")
    ledger.release("b" * 32)
    classical, planned = ledger.ask(request, path="classical", profile=OTHER_PROFILE)
    accepted = walk(ledger, classical, State.COMPLETED, State.ACCEPTED)
    assert planned
    assert [t.id for t in ledger.tickets(study="wine", partition="p", run_id="run")] == [
        first.id,
        second.id,
        classical.id,
    ]
    assert {rejected.state, accepted.state, ledger.ticket(first.id).state} <= OUTCOMES
    assert [line.after.value for line in ledger.transitions(second.id)] == [
        "planned", "submitting", "submitted", "queued", "running", "completed", "rejected",
    ]  # fmt: skip
    sequences = [line.sequence for t in ledger.tickets() for line in ledger.transitions(t.id)]
    assert sequences == sorted(set(sequences))
    assert ledger.check() == ()
