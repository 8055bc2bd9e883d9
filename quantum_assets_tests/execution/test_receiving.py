"""From completed to accepted: every member gets its own claim, and only what it touches suffers from a bad one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.failure import Action
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import State
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.answering import answer, answer_all, submit
from quantum_assets.execution.plane import ControlPlane, Patience
from quantum_assets.execution.turning import turn
from quantum_assets_tests.execution.fakes import (
    LOCAL,
    MICROS,
    SAFE,
    VENDOR,
    Denied,
    Killed,
    OnTheWay,
    Unavailable,
    World,
    all_tickets,
    claim_of,
    exact_question,
    member_failed,
    question,
    request,
    sound,
    trust,
    watched,
)

Claims = tuple[Any, ...]


def three(plane: ControlPlane, profile: ExecutionProfile = VENDOR) -> list[list[str]]:
    """Outcomes of every try of three questions in one order; all of them are answered in the end."""
    answers = answer_all(plane, [request(question(n), profile, priority=9 - n) for n in range(3)])
    for number, answered in enumerate(answers):
        assert answered.path == "quantum"
        assert answered.envelope.workload_fingerprint == question(number).fingerprint
    sound(plane)
    return [[attempt.outcome for attempt in answered.attempts] for answered in answers]


_NAMES = ["shuffled", "all twice", "short", "shorter", "doubled", "foreign"]
_NAMES += ["nothing", "failed", "nan", "shape", "unreadable", "profile"]
ONCE, TWICE = ["accepted"], ["rejected", "accepted"]


@pytest.mark.parametrize(
    ("change", "hurt"),
    [
        (lambda claims: claims[::-1], set()),
        (lambda claims: (*claims, *claims), set()),
        (lambda claims: claims[:2], {2}),
        (lambda claims: claims[1:], {0}),
        (lambda claims: (claims[0], claims[0], claims[2]), {1}),
        (lambda claims: (claims[0], claim_of("vendor", question(99), VENDOR), claims[2]), {1}),
        (lambda claims: (claims[0], None, claims[2]), {1}),
        (lambda claims: (claims[0], member_failed(retry=True), claims[2]), {1}),
        (lambda claims: (claims[0], replace(claims[1], data=Overlaps(np.full(9, np.nan), 100)), claims[2]), {1}),
        (lambda claims: (claims[0], replace(claims[1], data=Overlaps(np.full(4, 0.37), 100)), claims[2]), {1}),
        (lambda claims: (claims[0], replace(claims[1], data=None), claims[2]), {1}),
        (lambda claims: (claims[0], replace(claims[1], profile_fingerprint="x"), claims[2]), {1}),
    ],
    ids=_NAMES,
)
def test_a_bad_answer_costs_only_the_members_that_it_touches(
    world: World, plane: ControlPlane, change: Any, hurt: set[int]
) -> None:
    world.vendor.results.append(change)
    assert three(plane) == [TWICE if number in hurt else ONCE for number in range(3)]
    assert world.vendor.calls["submit"] == (2 if hurt else 1)


def test_an_error_is_a_member_s_only_where_places_can_be_told(world: World, plane: ControlPlane) -> None:
    world.vendor.results.append(lambda claims: (member_failed(retry=False), claims[2]))
    assert three(plane) == [TWICE, TWICE, ONCE]


def test_a_member_that_cannot_be_run_falls_back_alone(world: World, plane: ControlPlane) -> None:
    world.vendor.results.append(lambda claims: (claims[0], member_failed("too deep"), claims[2]))
    answers = answer_all(plane, [request(question(n), SAFE, priority=9 - n) for n in range(3)])
    assert [a.path for a in answers] == ["quantum", "classical", "quantum"]
    assert "too deep" in answers[1].reason


@pytest.mark.parametrize("nonsense", [lambda _: None, lambda _: 7])
def test_an_answer_that_is_none_at_all_falls_back_and_alerts(world: World, plane: ControlPlane, nonsense: Any) -> None:
    world.vendor.results.append(nonsense)
    assert answer(plane, request(profile=SAFE)).path == "classical"
    assert [alert.kind for alert in plane.ledger.alerts()] == ["unknown"]
    sound(plane)


def test_the_judge_s_refusal_is_met_by_a_change_once_then_by_the_fallback(world: World) -> None:
    seen: list[int] = []

    def doubting(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> tuple[str, ...]:
        if envelope.effective.provider == "local":
            return trust(envelope, workload, profile)
        seen.append(profile.seed)
        return ("p_zero: it looks odd",)

    plane = world.plane(judge=doubting)
    answered = answer(plane, request(profile=SAFE))
    assert answered.path == "classical"
    assert "answer_refused: p_zero: it looks odd" in answered.reason
    assert seen == [5, 6], "judged by the profile that ran"
    assert [(a.outcome, a.modification) for a in answered.attempts] == [
        ("rejected", ""),
        ("fell_back", "seed 5 → 6"),
        ("accepted", ""),
    ]
    sound(plane)


def test_the_changed_profile_is_the_one_that_answers(world: World) -> None:
    def once(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> tuple[str, ...]:
        return ("odd",) if profile.seed == 5 else trust(envelope, workload, profile)

    answered = answer(world.plane(judge=once), request())
    assert (answered.profile.seed, answered.envelope.effective.seed) == (6, 6)
    assert answered.envelope.profile_fingerprint == answered.profile.fingerprint != VENDOR.fingerprint
    assert [a.outcome for a in answered.envelope.attempts] == ["rejected", "accepted"]


def test_made_up_outcomes_are_never_believed(world: World, plane: ControlPlane) -> None:
    world.vendor.results.append(lambda claims: (replace(claims[0], mocked=True),))
    answered = answer(plane, request(profile=SAFE))
    assert answered.path == "classical"
    assert "mocked" in answered.reason


def test_a_fetch_that_fails_in_passing_is_made_later(world: World, plane: ControlPlane) -> None:
    world.vendor.results += [Unavailable("503"), TimeoutError("slow")]
    assert answer(plane, request()).path == "quantum"
    assert (world.vendor.calls["submit"], world.vendor.calls["fetch"]) == (1, 3)


@pytest.mark.parametrize("back", [0.0, 86_400.0])
def test_a_result_that_never_comes_is_given_up_and_not_run_again(world: World, back: float) -> None:
    plane = world.plane(patience=Patience(fetch=100))
    world.vendor.results += [Unavailable("503") for _ in range(1000)]
    world.vendor.during = lambda _: world.clock.step(-back)
    answered = answer(plane, request(profile=SAFE))
    assert (answered.path, world.vendor.calls["submit"]) == ("classical", 1)
    assert 100 <= world.clock.passed < 400
    sound(plane)


def test_a_completed_job_is_not_run_again_by_whoever_comes_while_it_is_given_up(world: World) -> None:
    first = world.plane()
    ((ticket,),) = submit(first, [request(profile=SAFE.model_copy(update={"asynchronous": True}))])
    world.vendor.results += [Unavailable("503")] * 100
    turn(first, [ticket])
    world.clock.advance(700)
    other = OnTheWay(world.plane(), ticket)
    (now,) = turn(watched(first, other), first.latest([ticket]))
    world.vendor.results.clear()
    for _ in range(5):
        world.clock.advance(60)
        (now,) = turn(other.plane, other.plane.latest([now]))
    assert (now.state, now.attempt, len(world.vendor.jobs)) == (State.FELL_BACK, 1, 1)
    assert other.seen[-1] is State.FELL_BACK
    sound(first)


def test_a_fetch_that_is_denied_is_fatal(world: World, plane: ControlPlane) -> None:
    world.vendor.results.append(Denied("401"))
    with pytest.raises(ProviderError, match="fetch http_not_authorized"):
        answer(plane, request(profile=SAFE))


def test_the_answer_carries_what_it_cost_and_what_was_tried(world: World, plane: ControlPlane) -> None:
    answered = answer(plane, request(correlation_id="c-1"))
    (ticket,) = all_tickets(plane)
    assert (answered.envelope.cost, answered.envelope.currency) == (MICROS / 1e6, "USD")
    assert (answered.envelope.correlation_id, answered.envelope.job) == ("c-1", "vendor-1")
    (attempt,) = answered.envelope.attempts
    assert (attempt.ticket, attempt.outcome, attempt.path, attempt.reason) == (ticket.id, "accepted", "quantum", "")
    assert answered.tickets == (ticket.id,)


def test_members_share_the_bill_exactly(world: World, plane: ControlPlane) -> None:
    world.vendor.charge = 100
    answers = answer_all(plane, [request(question(n)) for n in range(3)])
    assert sorted(round(a.envelope.cost * 1e6) for a in answers) == [33, 33, 34]


def test_an_answer_is_on_disk_before_its_ticket_says_so(world: World) -> None:
    def killed(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> tuple[str, ...]:
        raise Killed

    first, second = world.plane(judge=killed), world.plane()
    with pytest.raises(Killed):
        answer(first, request())
    assert all_tickets(second)[0].state is State.COMPLETED
    assert answer(second, request()).path == "quantum"
    assert world.vendor.calls["submit"] == 1
    (ticket,) = all_tickets(second)
    assert second.answers.has(ticket.id)
    assert second.cache.has(ticket.answer)


def test_here_nothing_is_written_to_disk_but_for_the_cache(plane: ControlPlane) -> None:
    answer(plane, request(exact_question(), LOCAL))
    assert (plane.answers.entries(), plane.cache.stats().entries, plane.memory.claims) == ((), 0, {})


def test_a_completed_job_is_not_run_elsewhere_because_its_result_does_not_come(world: World) -> None:
    """What another backend would mend at a submission is waited out here; a second job would answer nothing better."""
    plane = world.plane()
    elsewhere = ProviderError("vendor", "NotEnoughQubits on this device", "Name a wider one")
    assert plane.classified(elsewhere, "vendor", "fetch").rule.action is Action.MODIFY
    world.vendor.results += [elsewhere, elsewhere]
    answered = answer(plane, request(question(), SAFE))
    assert (answered.path, len(world.vendor.jobs)) == ("quantum", 1)
    sound(plane)
