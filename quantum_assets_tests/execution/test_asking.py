"""From a request to tickets: the guardrails, the split, the cache, and who meets whom."""

from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.contracts.envelope import Overlaps
from quantum_assets.contracts.errors import PlanError, ProviderError
from quantum_assets.contracts.jobs import Limits
from quantum_assets.contracts.profile import Batching, Guardrails, Routing
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.answering import answer
from quantum_assets.execution.asking import ask, fallback_of, find, parts_of
from quantum_assets.execution.plane import ControlPlane
from quantum_assets_tests.execution.fakes import (
    DEAD,
    LOCAL,
    MICROS,
    SAFE,
    VENDOR,
    World,
    all_tickets,
    exact_question,
    question,
    request,
    sound,
    states_of,
)


def test_a_broken_guardrail_plans_nothing(plane: ControlPlane) -> None:
    narrow = VENDOR.model_copy(update={"guardrails": Guardrails(max_qubits=1)})
    with pytest.raises(PlanError, match="2 qubits, the profile allows 1"):
        ask(plane, request(profile=narrow))
    assert all_tickets(plane) == ()


def test_policy_against_the_quantum_path_plans_nothing_and_says_why(world: World, plane: ControlPlane) -> None:
    off = SAFE.model_copy(update={"routing": Routing(fallback="stand-in", flag=False)})
    assert "switched off in profile vendor-100" in ask(plane, request(profile=off)).refusal
    world.vendor.refusal = "it is too wide"
    assert "it is too wide" in ask(plane, request(profile=SAFE)).refusal
    with pytest.raises(ProviderError, match="no provider runs question 0: vendor: it is too wide"):
        ask(plane, request())
    flagged = VENDOR.model_copy(update={"routing": Routing(flag=False)})
    world.vendor.refusal = None
    with pytest.raises(ProviderError, match="switched off"):
        ask(plane, request(profile=flagged))
    assert all_tickets(plane) == ()


def test_two_processes_that_ask_the_same_meet_in_one_ticket(world: World) -> None:
    one, other = ask(world.plane(), request()), ask(world.plane(DEAD), request(study="other", priority=7))
    assert one.tickets[0].id == other.tickets[0].id
    assert other.tickets[0].priority == 7
    assert [row.study for row in world.plane().ledger.requests(one.tickets[0].question)] == ["toy", "other"]


def test_answers_that_are_not_kept_are_asked_for_by_each(world: World) -> None:
    one, other = world.plane(), world.plane(DEAD)
    ids = {ask(plane, request(exact_question(), LOCAL, correlation_id="c")).tickets[0].id for plane in (one, other)}
    assert len(ids) == 2
    again = ask(one, request(exact_question(), LOCAL, correlation_id="c")).tickets[0].id
    assert again in ids


def test_another_replicate_is_another_question(world: World, plane: ControlPlane) -> None:
    tickets = [ask(plane, request(replicate=n)).tickets[0] for n in (0, 1, 1)]
    assert len({ticket.id for ticket in tickets}) == 2
    for n in (0, 1):
        answer(plane, request(replicate=n))
    assert sorted(job.order.replicate for job in world.vendor.jobs) == [0, 1]
    assert answer(plane, request(replicate=1)).cache_hit


def test_a_request_is_cut_for_the_tightest_provider(world: World, plane: ControlPlane) -> None:
    world.other.limits_ = Limits(max_circuits=4, durable=True)
    either = VENDOR.model_copy(update={"providers": ("vendor", "other")})
    parts = parts_of(plane, request(profile=either))
    pairs = [part.request.workload.pairs for part in parts]
    assert [len(one) for one in pairs if one is not None] == [3, 3, 3]
    assert len({part.question for part in parts}) == 3


def test_a_split_request_is_whole_again(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = Limits(max_circuits=4, max_workloads=10, durable=True)
    answered = answer(plane, request())
    assert answered.envelope.workload_fingerprint == question().fingerprint
    assert isinstance(answered.envelope.data, Overlaps)
    expected = np.where(np.eye(3, dtype=bool).ravel(), 1.0, 0.37)
    np.testing.assert_array_equal(answered.envelope.data.p_zero, expected)
    assert (len(answered.tickets), len(answered.attempts), len(world.vendor.jobs)) == (3, 3, 3)
    assert answered.envelope.cost == pytest.approx(3 * MICROS / 1e6)
    sound(plane)


# ----------------------------------------------------------------------------------------------- the cache


def test_a_hit_has_its_ticket_and_no_submission_and_says_so(world: World, plane: ControlPlane) -> None:
    first = answer(plane, request())
    second = answer(world.plane(), request(correlation_id="c-2"))
    assert (first.cache_hit, second.cache_hit, second.envelope.cache_hit) == (False, True, True)
    assert world.vendor.calls["submit"] == 1
    assert (second.envelope.cost, second.envelope.correlation_id) == (0.0, "c-2")
    ticket = all_tickets(plane)[-1]
    assert states_of(plane, ticket) == [State.PLANNED, State.COMPLETED, State.ACCEPTED]
    assert (ticket.reason, ticket.provider, second.tickets) == ("cache hit", "vendor", (ticket.id,))
    np.testing.assert_array_equal(first.envelope.data.p_zero, second.envelope.data.p_zero)  # type: ignore[union-attr]
    assert len(plane.ledger.orders()) == 1
    sound(plane)


def test_a_recalibration_makes_it_be_asked_again(world: World, plane: ControlPlane) -> None:
    answer(plane, request())
    world.vendor.calibrated = "tuesday"
    assert not answer(plane, request()).cache_hit
    assert world.vendor.calls["submit"] == 2


def test_a_calibration_that_cannot_be_asked_for_is_no_hit_and_no_failure(world: World, plane: ControlPlane) -> None:
    answer(plane, request())
    world.vendor.calibrated = "away"
    assert answer(plane, request()).path == "quantum"
    assert answer(plane, request()).path == "quantum"
    assert [alert.kind for alert in plane.ledger.alerts()] == ["calibration_unknown"]


def test_a_profile_that_wants_no_cache_has_none(world: World, plane: ControlPlane) -> None:
    fresh = VENDOR.model_copy(update={"cache": False})
    assert not any(answer(plane, request(profile=fresh)).cache_hit for _ in range(2))
    assert (world.vendor.calls["submit"], plane.cache.stats().entries) == (2, 0)


def test_what_the_judge_would_not_believe_now_is_no_hit(world: World) -> None:
    answer(world.plane(), request())
    doubting = world.plane(judge=lambda *_: ("no longer",))
    with pytest.raises(ProviderError, match="no longer"):
        answer(doubting, request())
    assert world.vendor.calls["submit"] > 1


def test_a_hit_that_another_process_took_up_is_that_process_s(world: World, plane: ControlPlane) -> None:
    answer(plane, request())
    other = world.plane()
    original = plane.cache.get
    taken: list[object] = []

    def meanwhile(key: str) -> object:
        if not taken:
            (open_,) = [ticket for ticket in all_tickets(other) if not ticket.ended]
            taken.append(other.ledger.move(open_, State.EXPIRED, "by another"))
        return original(key)

    raced = replace(plane, cache=_Cache(meanwhile))  # type: ignore[arg-type]
    asked = ask(raced, request())
    assert asked.tickets[0].state is State.EXPIRED


class _Cache:
    def __init__(self, get: object) -> None:
        self.get = get


def test_a_hit_whose_process_died_in_the_middle_is_handed_over(world: World, plane: ControlPlane) -> None:
    first = answer(plane, request())
    ticket, _ = plane.ledger.ask(request())
    key = all_tickets(plane)[0].answer
    plane.ledger.move(ticket, State.COMPLETED, "cache hit", provider="vendor", answer=key)
    again = answer(world.plane(), request())
    assert again.tickets == (ticket.id,)
    assert again.cache_hit
    assert first.tickets != again.tickets
    assert world.vendor.calls["submit"] == 1


# ------------------------------------------------------------------------------------------- left behind


def test_a_plan_that_nobody_went_on_with_is_made_anew_and_not_dropped_as_stale(world: World) -> None:
    hasty = VENDOR.model_copy(update={"batching": Batching(stale_seconds=60)})
    (old,) = ask(world.plane(DEAD), request(profile=hasty)).tickets
    world.clock.advance(3600)
    answered = answer(world.plane(), request(profile=hasty))
    assert (answered.path, answered.tickets == (old.id,)) == ("quantum", False)
    assert world.plane().ledger.ticket(old.id).state is State.REJECTED


def test_what_was_never_asked_is_not_found(plane: ControlPlane) -> None:
    assert find(plane, request()) is None
    asked = ask(plane, request())
    found = find(plane, request())
    assert found is not None
    assert found.tickets == asked.tickets


def test_a_fallback_has_the_last_word(plane: ControlPlane) -> None:
    assert fallback_of(plane, SAFE).name == "stand-in"
    lost = SAFE.model_copy(update={"routing": Routing(fallback="nobody")})
    with pytest.raises(ProviderError, match="its fallback 'nobody' is not among vendor-100, local, stand-in"):
        fallback_of(plane, lost)
    circle = {"stand-in": SAFE.model_copy(update={"name": "stand-in", "routing": Routing(fallback="vendor-100")})}
    assert fallback_of(replace(plane, profiles=circle), SAFE).routing == Routing()
