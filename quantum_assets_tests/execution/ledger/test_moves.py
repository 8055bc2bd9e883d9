from dataclasses import replace
from datetime import timedelta

import pytest

from quantum_assets.contracts.errors import LedgerError, PlanError, StaleTicket
from quantum_assets.contracts.ticket import LEGAL, State
from quantum_assets.execution.ledger.ledger import Ledger, Move
from quantum_assets_tests.execution.ledger.materials import (
    NOON,
    OTHER_PROFILE,
    PROFILE,
    TestClock,
    ask_for,
    opened,
    walk,
)


def test_a_move_is_written_with_its_line(ledger: Ledger, clock: TestClock) -> None:
    ticket, _ = ledger.ask(ask_for(correlation_id="c"))
    clock.sleep(5)
    moved = ledger.move(ticket, State.COMPLETED, "cache hit", answer="key", provider="cache")
    assert (moved.state, moved.version, moved.answer, moved.provider) == (State.COMPLETED, 2, "key", "cache")
    assert (moved.reason, moved.updated_at, moved.created_at) == ("cache hit", NOON + timedelta(seconds=5), NOON)
    assert ledger.ticket(ticket.id) == moved
    line = ledger.transitions(ticket.id)[-1]
    assert (line.before, line.after, line.at) == (State.PLANNED, State.COMPLETED, moved.updated_at)
    assert (line.actor, line.reason, line.correlation_id) == ("tester", "cache hit", "c")


def test_an_illegal_move_is_refused_and_nothing_changes(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    for state in set(State) - LEGAL[State.PLANNED]:
        with pytest.raises(LedgerError, match=f"cannot move from planned to {state}"):
            ledger.move(ticket, state, "no")
    assert ledger.ticket(ticket.id) == ticket
    assert len(ledger.transitions(ticket.id)) == 1


def test_of_two_who_saw_one_version_one_moves(ledger: Ledger) -> None:
    seen, _ = ledger.ask(ask_for())
    ledger.move(seen, State.COMPLETED, "first")
    with pytest.raises(StaleTicket, match=r"was moved to completed \(version 2\) since it was read as planned"):
        ledger.move(seen, State.CANCELLED, "second")
    with pytest.raises(StaleTicket):
        ledger.touch(seen, owner="second")
    assert len(ledger.transitions(seen.id)) == 2


def test_a_ticket_of_another_ledger_is_named(ledger: Ledger) -> None:
    foreign, _ = Ledger("sqlite://").ask(ask_for())
    with pytest.raises(LedgerError, match="is not in the ledger"):
        ledger.move(foreign, State.COMPLETED, "whose?")


def test_what_a_ticket_asks_is_not_changeable(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    with pytest.raises(PlanError, match="names question, version"):
        ledger.move(ticket, State.COMPLETED, "no", question="other", version=9)
    with pytest.raises(PlanError, match="names state"):
        ledger.touch(ticket, state=State.ACCEPTED)
    with pytest.raises(LedgerError, match=r"rules|did not do it"):
        ledger.touch(ticket, owner=None)
    assert ledger.ticket(ticket.id) == ticket


def test_a_touch_changes_fields_and_leaves_no_line(ledger: Ledger, clock: TestClock) -> None:
    ticket, _ = ledger.ask(ask_for())
    clock.sleep(9)
    touched = ledger.touch(
        ticket, owner="me", queue_position=7, not_before=NOON, profile=OTHER_PROFILE, reason="looked up", deadline=NOON
    )
    assert (touched.owner, touched.queue_position, touched.not_before, touched.version) == ("me", 7, NOON, 2)
    assert (touched.profile_fingerprint, touched.reason) == (OTHER_PROFILE.fingerprint, "looked up")
    assert touched.updated_at == ticket.updated_at, "the moment of the last move"
    assert touched.question == ticket.question
    assert len(ledger.transitions(ticket.id)) == 1
    assert ledger.touch(touched, queue_position=None, not_before=None).queue_position is None


def test_several_moves_are_made_all_or_none_in_the_order_given(ledger: Ledger) -> None:
    asked = [ledger.ask(ask_for(n))[0] for n in range(4)]
    moved = ledger.move_all([Move(t, State.FAILED, f"because {t.id}", {"owner": "me"}) for t in reversed(asked)])
    assert [t.id for t in moved] == [t.id for t in reversed(asked)]
    assert all(t.state is State.FAILED and t.reason == f"because {t.id}" and t.owner == "me" for t in moved)
    with pytest.raises(StaleTicket):
        ledger.move_all([Move(moved[0], State.RETRIED, "fresh"), Move(asked[0], State.FAILED, "stale")])
    with pytest.raises(PlanError, match="one ticket twice"):
        ledger.move_all([Move(moved[0], State.RETRIED, "a"), Move(moved[0], State.RETRIED, "b")])
    assert ledger.ticket(moved[0].id) == moved[0]
    assert ledger.move_all([]) == ()


def test_one_ticket_may_move_several_times_at_once(ledger: Ledger) -> None:
    asked = [ledger.ask(ask_for(n, correlation_id="c"))[0] for n in range(3)]
    first = [Move(ticket, State.SUBMITTING, "opens", {"owner": "me"}) for ticket in reversed(asked)]
    second = [Move(move.left, State.SUBMITTED, "accepted", {"job": "j"}) for move in first]
    third = [Move(move.left, State.COMPLETED, "DONE", {"queue_position": 3}) for move in second]
    moved = ledger.move_all([*first, *second, *third])
    assert [ticket.id for ticket in moved] == [ticket.id for ticket in reversed(asked)]
    assert moved == tuple(ledger.ticket(ticket.id) for ticket in moved)
    one = moved[0]
    assert (one.state, one.version, one.reason, one.owner, one.job, one.queue_position) == (
        State.COMPLETED,
        4,
        "DONE",
        "me",
        "j",
        3,
    )
    for ticket in moved:
        lines = ledger.transitions(ticket.id)[1:]
        assert [(line.before, line.after, line.reason) for line in lines] == [
            (State.PLANNED, State.SUBMITTING, "opens"),
            (State.SUBMITTING, State.SUBMITTED, "accepted"),
            (State.SUBMITTED, State.COMPLETED, "DONE"),
        ]
        assert {(line.actor, line.correlation_id, line.at) for line in lines} == {("tester", "c", ticket.updated_at)}


def test_of_several_moves_of_a_ticket_a_stale_or_illegal_one_undoes_all(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    first = Move(ticket, State.SUBMITTING, "opens")
    with pytest.raises(LedgerError, match="cannot move from submitting to completed"):
        ledger.move_all([first, Move(first.left, State.COMPLETED, "too fast")])
    with pytest.raises(PlanError, match="one ticket twice"):
        ledger.move_all([first, Move(ticket, State.COMPLETED, "it did not move yet")])
    assert (ledger.ticket(ticket.id), len(ledger.transitions(ticket.id))) == (ticket, 1)
    touched = ledger.touch(ticket, owner="another")
    with pytest.raises(StaleTicket, match=r"was moved to planned \(version 2\) since it was read as planned"):
        ledger.move_all([first, Move(first.left, State.SUBMITTED, "accepted")])
    assert (ledger.ticket(ticket.id), len(ledger.transitions(ticket.id))) == (touched, 1)


def test_a_move_says_how_it_leaves_its_ticket(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    made = Move(ticket, State.SUBMITTING, "opens", {"owner": "me", "profile": OTHER_PROFILE})
    (moved,) = ledger.move_all([made])
    assert made.left == replace(moved, updated_at=ticket.updated_at)


def test_reasons_of_one_transaction_lose_their_secrets_each(ledger: Ledger) -> None:
    asked = [ledger.ask(ask_for(n))[0] for n in range(2)]
    said = "https://ada:wonderland@host/x said no"
    moved = ledger.move_all([Move(asked[0], State.FAILED, "503"), Move(asked[1], State.FAILED, said)])
    assert [ticket.reason for ticket in moved] == ["503", "https://ada:[removed]@host/x said no"]


def test_a_retry_ends_one_try_and_plans_the_next_at_once(ledger: Ledger) -> None:
    asking = ask_for(project="lab", priority=2, correlation_id="c", deadline=NOON, asked_shots=900)
    first, _ = ledger.ask(asking, path="classical")
    (sent,) = opened(ledger, "a" * 32, [first])
    failed = ledger.move(sent, State.FAILED, "503")
    pause = NOON + timedelta(seconds=30)
    second = ledger.again(
        failed,
        State.RETRIED,
        "503",
        profile=OTHER_PROFILE,
        modification="fewer shots",
        not_before=pause,
        provider="aer",
    )
    ended = ledger.ticket(first.id)
    assert (ended.state, ended.reason) == (State.RETRIED, "503")
    assert (second.question, second.generation, second.attempt, second.state) == (first.question, 0, 2, State.PLANNED)
    assert (second.project, second.priority, second.correlation_id, second.deadline, second.path) == (
        "lab",
        2,
        "c",
        NOON,
        "classical",
    )
    assert (second.order, second.job, second.owner, second.provider, second.not_before) == ("", "", "", "aer", pause)
    assert second.asked_shots == 900
    assert (second.modification, second.profile_fingerprint) == ("fewer shots", OTHER_PROFILE.fingerprint)
    assert ledger.open_ticket(first.question) == second == ledger.last_ticket(first.question)
    assert ledger.check() == ("order " + "a" * 32 + " is neither settled nor released, and all its tickets have ended",)


def test_a_refused_answer_ends_rejected_before_the_next_try(ledger: Ledger) -> None:
    first, _ = ledger.ask(ask_for())
    refused = walk(ledger, first, State.COMPLETED)
    ledger.again(refused, State.REJECTED, "shots differ", profile=PROFILE, modification="")
    assert ledger.ticket(first.id).state is State.REJECTED


def test_a_retry_that_is_not_legal_plans_nothing(ledger: Ledger) -> None:
    first, _ = ledger.ask(ask_for())
    with pytest.raises(LedgerError, match="cannot move from planned to retried"):
        ledger.again(first, State.RETRIED, "no", profile=PROFILE, modification="")
    failed = walk(ledger, first, State.FAILED)
    with pytest.raises(PlanError, match="cannot end a try as fell_back"):
        ledger.again(failed, State.FELL_BACK, "no", profile=PROFILE, modification="")
    ledger.again(failed, State.RETRIED, "yes", profile=PROFILE, modification="")
    with pytest.raises(StaleTicket):
        ledger.again(failed, State.RETRIED, "twice", profile=PROFILE, modification="")
    assert len(ledger.tickets()) == 2
