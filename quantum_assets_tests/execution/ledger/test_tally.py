"""Counts by study, partition, provider and state; every ticket once, whoever waits for it."""

from quantum_assets.contracts.ticket import State
from quantum_assets.execution.ledger.ledger import Ledger, Tally
from quantum_assets_tests.execution.ledger.materials import NOON, PROFILE, TestClock, ask_for, opened, walk

KEY = "a" * 32


def test_an_empty_ledger_has_nothing_to_count(ledger: Ledger) -> None:
    assert ledger.tally() == ()


def test_tickets_are_counted_where_they_stand(ledger: Ledger, clock: TestClock) -> None:
    first, _ = ledger.ask(ask_for(1, study="wine", partition="ideal"))
    clock.sleep(60)
    second, _ = ledger.ask(ask_for(2, study="wine", partition="ideal"))
    (sent,) = opened(ledger, KEY, [second])
    (named,) = ledger.name_job(KEY, "job")
    assert (sent.state, named.state) == (State.SUBMITTING, State.SUBMITTED)
    assert ledger.tally() == (
        Tally("wine", "ideal", "", State.PLANNED, 1, 0, 0, first.created_at),
        Tally("wine", "ideal", "aer", State.SUBMITTED, 1, 0, 0, second.created_at),
    )
    assert (first.created_at, second.created_at > NOON) == (NOON, True)


def test_a_retry_a_cache_hit_and_an_ended_ticket_say_so(ledger: Ledger) -> None:
    failed = walk(ledger, ledger.ask(ask_for(1, study="wine"))[0], State.FAILED)
    ledger.again(failed, State.RETRIED, "busy", profile=PROFILE, modification="")
    known = walk(ledger, ledger.ask(ask_for(2, study="wine"))[0], State.COMPLETED)
    walk(ledger, known, State.ACCEPTED)
    (again,) = opened(ledger, KEY, [ledger.ask(ask_for(3, study="wine"))[0]])
    walk(ledger, again, State.SUBMITTED, State.COMPLETED, State.ACCEPTED)
    counted = {(one.provider, one.state): one for one in ledger.tally()}
    assert counted["", State.RETRIED].oldest is None
    assert (counted["", State.PLANNED].tickets, counted["", State.PLANNED].retries) == (1, 1)
    assert (counted["", State.ACCEPTED].cache_hits, counted["aer", State.ACCEPTED].cache_hits) == (1, 0)


def test_a_shared_ticket_counts_once_for_whoever_asked_first(ledger: Ledger) -> None:
    for study in ("wine", "iris", "wine"):
        ledger.ask(ask_for(1, study=study, partition="ideal"))
    (only,) = ledger.tally()
    assert (only.study, only.tickets) == ("wine", 1)


def test_a_question_asked_again_belongs_to_whoever_asks_now(ledger: Ledger) -> None:
    walk(ledger, ledger.ask(ask_for(1, study="wine"))[0], State.CANCELLED, State.REJECTED)
    ledger.ask(ask_for(1, study="iris"))
    assert {(one.study, one.state) for one in ledger.tally()} == {
        ("wine", State.REJECTED),
        ("iris", State.PLANNED),
    }
