"""What follows a failure, whoever is left to decide it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from quantum_assets.contracts.failure import Failure, Rule
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.asking import ask
from quantum_assets.execution.deciding import (
    LATE,
    decide,
    end,
    fail,
    give_up,
    leaves_it_to_a_fallback,
    lost,
    recalled,
    resume,
)
from quantum_assets.execution.plane import ControlPlane, profile_of
from quantum_assets.execution.turning import cancel
from quantum_assets_tests.execution.fakes import (
    LOCAL,
    SAFE,
    VENDOR,
    OnTheWay,
    World,
    exact_question,
    question,
    request,
    states_of,
    watched,
)

RETRY: dict[str, Any] = {"name": "busy", "action": "retry", "mend": "Wait", "at_most": 2, "backoff_seconds": 8}
MODIFY: dict[str, Any] = {
    "name": "too_noisy",
    "action": "modify",
    "mend": "Mend it",
    "at_most": 1,
    "backoff_seconds": 0,
    "modify": [{"knob": "shots", "factor": 4, "floor": 100_000}],
}


def failure(retry_after: float | None = None, **rule: Any) -> Failure:
    return Failure(Rule(**rule), "vendor", "status", "503", "it is\nbusy", retry_after)


def planned(plane: ControlPlane, safe: bool = True) -> Ticket:
    return ask(plane, request(profile=SAFE if safe else VENDOR)).tickets[0]


def test_the_same_again_after_a_pause_and_at_most_so_often(plane: ControlPlane) -> None:
    now, pauses = planned(plane), []
    for attempt in (1, 2):
        (now,) = fail(plane, [now], failure(**RETRY))
        assert (now.state, now.attempt, now.modification) == (State.PLANNED, attempt + 1, "")
        assert now.not_before is not None
        pauses.append((now.not_before - plane.clock.now()).total_seconds())
    assert 0 < pauses[0] <= 8
    assert 0 < pauses[1] <= 16
    (ended,) = fail(plane, [now], failure(**RETRY))
    assert ended.state is State.FELL_BACK
    assert "vendor status busy (503)" in ended.reason
    assert [one.state for one in plane.ledger.tickets()] == [State.RETRIED, State.RETRIED, State.FELL_BACK]


def test_what_the_provider_asked_for_is_kept(plane: ControlPlane) -> None:
    (again,) = fail(plane, [planned(plane)], failure(retry_after=45.0, **RETRY))
    assert again.not_before is not None
    assert 45 <= (again.not_before - plane.clock.now()).total_seconds() <= 53


def test_a_change_is_in_the_next_try_s_profile_and_said(plane: ControlPlane) -> None:
    (again,) = fail(plane, [planned(plane)], failure(**MODIFY))
    assert (again.modification, again.not_before) == ("shots 100 → 400", None)
    assert profile_of(again.profile).shots == 400
    assert again.profile_fingerprint == profile_of(again.profile).fingerprint
    assert again.question == plane.ledger.tickets()[0].question
    (ended,) = fail(plane, [again], failure(**MODIFY))
    assert ended.state is State.FELL_BACK


def test_nothing_left_to_change_is_the_end(plane: ControlPlane) -> None:
    exhausted = {**MODIFY, "modify": [{"knob": "backend"}], "at_most": 5}
    (ended,) = fail(plane, [planned(plane)], failure(**exhausted))
    assert ended.state is State.FELL_BACK


@pytest.mark.parametrize(
    ("action", "safe", "outcome"),
    [
        ("fall_back", True, State.FELL_BACK),
        ("budget", True, State.FELL_BACK),
        ("fall_back", False, State.REJECTED),
        ("fatal", True, State.REJECTED),
    ],
)
def test_who_answers_in_the_end(plane: ControlPlane, action: str, safe: bool, outcome: State) -> None:
    told = failure(name="bad", action=action, mend="Mend it", alert=action == "fatal")
    (ended,) = fail(plane, [planned(plane, safe)], told)
    assert (ended.state, ended.attempt) == (outcome, 1)
    alerts = plane.ledger.alerts()
    assert [alert.kind for alert in alerts] == (["bad"] if action == "fatal" else [])
    assert all("Mend it" in alert.message and alert.correlation_id == ended.correlation_id for alert in alerts)


@pytest.mark.parametrize("action", ["retry", "fatal"])
@pytest.mark.parametrize("state", [State.FAILED, State.CANCELLED])
def test_where_a_further_try_is_forbidden_nobody_finds_the_failure_without_its_outcome(
    world: World, plane: ControlPlane, action: str, state: State
) -> None:
    tickets = [ask(plane, request(question(n), SAFE)).tickets[0] for n in range(2)]
    others = [OnTheWay(world.plane(), ticket) for ticket in tickets]
    told = failure(**{**RETRY, "action": action, "at_most": 2 if action == "retry" else 0, "alert": True})
    ended = fail(watched(plane, lambda: [other() for other in others]), tickets, told, again=False, state=state)
    outcome = State.FELL_BACK if action == "retry" else State.REJECTED
    assert [(one.id, one.state, one.reason) for one in ended] == [(t.id, outcome, told.sentence) for t in tickets]
    assert [other.seen for other in others] == [[State.PLANNED, State.PLANNED, outcome]] * 2
    assert states_of(plane, ended[0])[-2:] == [state, outcome]
    assert [alert.kind for alert in plane.ledger.alerts()] == ["busy"] * 2


def test_a_completed_job_that_is_given_up_is_never_found_failed(world: World, plane: ControlPlane) -> None:
    done = plane.ledger.move(planned(plane), State.COMPLETED, "done", job="j")
    other = OnTheWay(world.plane(), done)
    ended = decide(watched(plane, other), done, failure(**RETRY), again=False)
    assert (ended.state, other.seen) == (State.FELL_BACK, [State.FELL_BACK])
    assert states_of(plane, ended)[-3:] == [State.COMPLETED, State.FAILED, State.FELL_BACK]


@pytest.mark.parametrize(
    ("why", "safe", "leaves"),
    [
        ("busy", False, True),
        ("busy", True, True),
        ("fatal", False, False),
        ("fatal", True, False),
        ("late", False, True),
        ("person", False, False),
        ("person", True, False),
    ],
)
def test_whose_fallback_may_answer_for_what_ended(plane: ControlPlane, why: str, safe: bool, leaves: bool) -> None:
    """Without a fallback of its own a ticket is rejected; that says nothing of those who adopted it."""
    rules = {"busy": "unavailable", "fatal": "not_installed"}
    ticket = planned(plane, safe)
    if why in rules:
        rule = next(rule for rule in plane.policy.rules if rule.name == rules[why])
        (ended,) = fail(plane, [ticket], Failure(rule, "vendor", "status", "", "it is so"), again=False)
    elif why == "late":
        ended = give_up(plane, ticket, LATE, State.EXPIRED)
    else:
        (ended,) = cancel(plane, [ticket], "ada")
    assert leaves_it_to_a_fallback(plane, ended) is leaves


def test_an_accepted_ticket_needs_no_fallback(plane: ControlPlane) -> None:
    done = plane.ledger.move(planned(plane, safe=False), State.COMPLETED, "done")
    assert not leaves_it_to_a_fallback(plane, plane.ledger.move(done, State.ACCEPTED, "good"))


def test_the_classical_path_has_no_fallback_of_its_own(plane: ControlPlane) -> None:
    (ticket,) = ask(plane, request(profile=SAFE), "classical").tickets
    assert end(plane, plane.ledger.move(ticket, State.FAILED, "why"), "why").state is State.REJECTED


def test_giving_up_says_on_the_way_what_it_was(plane: ControlPlane) -> None:
    ended = give_up(plane, planned(plane), "too late", State.EXPIRED)
    assert [line.after for line in plane.ledger.transitions(ended.id)] == [
        State.PLANNED,
        State.EXPIRED,
        State.FELL_BACK,
    ]
    assert ended.reason == "too late"


def test_a_failure_is_read_back_from_its_sentence(plane: ControlPlane) -> None:
    rule = next(rule for rule in plane.policy.rules if rule.name == "throttled")
    told = Failure(rule, "vendor", "submit", "429", "slow (down): please\nnow")
    failed = plane.ledger.move(planned(plane), State.FAILED, told.sentence)
    assert recalled(plane, failed) == told
    for seconds in (0.0, 7.0, 0.25, 1e9):
        asks = replace(told, retry_after=seconds)
        assert recalled(plane, plane.ledger.touch(plane.ledger.ticket(failed.id), reason=asks.sentence)) == asks
    failed = plane.ledger.ticket(failed.id)
    bare = Failure(rule, "", "result", "", "no code")
    assert recalled(plane, plane.ledger.touch(failed, reason=bare.sentence)) == bare
    for reason in ("asked for", "try 2, after: vendor submit throttled: x", "vendor submit no_such_rule: x"):
        assert recalled(plane, plane.ledger.touch(plane.ledger.ticket(failed.id), reason=reason)) is None


def test_what_a_dead_process_left_undecided_is_decided_as_it_would_have(world: World) -> None:
    dead, alive = world.plane(), world.plane()
    rule = next(rule for rule in dead.policy.rules if rule.name == "throttled")
    told = Failure(rule, "vendor", "status", "429", "slow", retry_after=90.0)
    failed = dead.ledger.move(planned(dead), State.FAILED, told.sentence)
    (again,) = resume(alive, [failed])
    assert (again.state, again.attempt) == (State.PLANNED, 2)
    assert again.not_before is not None
    assert again.not_before >= world.clock.now() + timedelta(seconds=90)
    late = alive.ledger.move(again, State.EXPIRED, "its deadline has passed")
    assert resume(alive, [late])[0].state is State.FELL_BACK


def test_what_a_person_cancelled_has_no_fallback(plane: ControlPlane) -> None:
    gone = plane.ledger.move(planned(plane), State.CANCELLED, "cancelled by ada")
    assert resume(plane, [gone])[0].state is State.REJECTED


def test_a_process_that_dies_with_its_workload_again_and_again_meets_a_limit(plane: ControlPlane) -> None:
    (now,) = ask(plane, request(exact_question(), LOCAL)).tickets
    for _ in range(10):
        if now.ended:
            break
        running = plane.ledger.move(now, State.SUBMITTING, "runs", provider="local")
        (now,) = lost(plane, [running])
    assert now.state is State.REJECTED
    assert now.attempt == 4
    assert "its process: is gone" in now.reason


def test_a_refused_answer_ends_rejected_when_another_try_follows(plane: ControlPlane) -> None:
    ticket = planned(plane)
    done = plane.ledger.move(ticket, State.COMPLETED, "done")
    again = decide(plane, done, failure(**MODIFY))
    assert plane.ledger.ticket(ticket.id).state is State.REJECTED
    assert again.attempt == 2
