"""From planned to submitted: who travels together, what it may cost, and what forbids it."""

from datetime import timedelta

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Limits
from quantum_assets.contracts.money import Budget
from quantum_assets.contracts.profile import Batching, Routing
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.answering import answer, answer_all, submit
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.turning import turn
from quantum_assets_tests.execution.fakes import (
    BUDGETS,
    LOCAL,
    SAFE,
    VENDOR,
    Throttled,
    Unavailable,
    World,
    all_tickets,
    exact_question,
    question,
    request,
    sound,
    states_of,
)
from quantum_assets_tests.execution.test_choosing import open_breaker

LATER = SAFE.model_copy(update={"asynchronous": True})


def sizes(world: World) -> list[int]:
    return [len(job.order.workloads) for job in world.vendor.jobs]


def test_workloads_that_share_a_backend_travel_together(world: World, plane: ControlPlane) -> None:
    answers = answer_all(plane, [request(question(n)) for n in range(12)])
    assert sizes(world) == [10, 2]
    assert [a.envelope.workload_fingerprint for a in answers] == [question(n).fingerprint for n in range(12)]
    assert (world.vendor.calls["status"], world.vendor.calls["fetch"]) == (2, 2)
    sound(plane)


def test_several_studies_share_an_order_and_other_profiles_do_not(world: World, plane: ControlPlane) -> None:
    more = VENDOR.model_copy(update={"name": "more", "shots": 200})
    answer_all(plane, [request(question(1)), request(question(2), study="other"), request(question(1), more)])
    assert sorted(sizes(world)) == [1, 2]
    assert {job.order.profile.shots for job in world.vendor.jobs} == {100, 200}


def test_orders_of_several_places_go_out_by_priority_then_deadline_then_suitability(
    world: World, plane: ControlPlane
) -> None:
    world.vendor.facts = (BackendFact("busy", 5, 9, 0.01), BackendFact("free", 5, 1, 0.01))
    plane.memory.heard["vendor", "any"] = (0.0, world.vendor.facts)
    at = {name: VENDOR.model_copy(update={"backend": name}) for name in ("busy", "free", "unheard")}
    soon = world.clock.now() + timedelta(seconds=50)
    asked = [
        request(question(1), at["unheard"]),
        request(question(2), at["busy"]),
        request(question(3), at["free"]),
        request(question(4), at["busy"], deadline=soon),
        request(question(5), at["busy"].model_copy(update={"shots": 200}), priority=3),
    ]
    answer_all(plane, asked)
    went = [(job.order.profile.backend, len(job.order.workloads)) for job in world.vendor.jobs]
    assert went == [("busy", 1), ("busy", 2), ("free", 1), ("unheard", 1)]
    assert world.vendor.jobs[0].order.profile.shots == 200
    sound(plane)


def test_an_order_waits_for_company_as_long_as_its_profile_says(world: World, plane: ControlPlane) -> None:
    patient = LATER.model_copy(update={"batching": Batching(max_wait_seconds=60)})
    ((first,),) = submit(plane, [request(question(1), patient)])
    assert (first.state, world.vendor.calls["submit"]) == (State.PLANNED, 0)
    world.clock.advance(30)
    ((second,),) = submit(plane, [request(question(2), patient)])
    world.clock.advance(30)
    turn(plane, [first, second])
    assert sizes(world) == [2]


def test_what_waited_too_long_goes_to_the_fallback(world: World, plane: ControlPlane) -> None:
    ((planned,),) = submit(plane, [request(profile=LATER)], hand_in=False)
    world.clock.advance(3600)
    (ended,) = turn(plane, [planned])
    assert (ended.state, world.vendor.calls["submit"]) == (State.FELL_BACK, 0)
    assert "goes stale after 3600 s" in ended.reason
    assert states_of(plane, ended)[1] is State.EXPIRED


@pytest.mark.parametrize("back", [60.0, 86_400.0])
def test_a_clock_that_steps_back_holds_and_rests_nobody_for_long(
    world: World, plane: ControlPlane, back: float
) -> None:
    patient = LATER.model_copy(update={"batching": Batching(max_wait_seconds=300)})
    world.vendor.before.append(Unavailable("503"))
    ((planned,),) = submit(plane, [request(profile=patient)], hand_in=False)
    world.clock.step(-back)
    (rests,) = turn(plane, [planned])
    assert rests.not_before is not None
    world.clock.step(-back)
    world.clock.advance(plane.patience.longest_pause)
    assert turn(plane, [rests])[0].state is State.ACCEPTED


@pytest.mark.parametrize(("behind", "calls"), [(0.0, 0), (1.0, 0), (1200.0, 0), (1200.001, 1)])
def test_a_clock_that_is_behind_cuts_no_rest_short(world: World, behind: float, calls: int) -> None:
    """The longest pause there is, told by a clock that is ahead of this one; further behind, this one stepped back."""
    world.vendor.before.append(Throttled(3600.0))
    ((ticket,),) = submit(world.plane(), [request(profile=LATER)])
    (rests,) = world.plane().latest([ticket])
    assert rests.not_before is not None
    assert (rests.not_before - world.clock.now()).total_seconds() == 600
    world.clock.step(-behind)
    before = world.vendor.calls["submit"]
    turn(world.plane(), [rests])
    assert world.vendor.calls["submit"] - before == calls


def test_a_ticket_that_pauses_is_not_submitted(world: World, plane: ControlPlane) -> None:
    ((planned,),) = submit(plane, [request(profile=LATER)], hand_in=False)
    rests = plane.ledger.touch(planned, not_before=world.clock.now() + timedelta(seconds=10))
    assert turn(plane, [rests]) == (rests,)
    world.clock.advance(10)
    assert turn(plane, [rests])[0].state is State.ACCEPTED


# ----------------------------------------------------------------------------------------------------- money


def test_an_exhausted_budget_goes_straight_to_the_fallback(world: World) -> None:
    plane = world.plane(budgets={"default": Budget(simulator_per_month=0.25)})
    answered = answer(plane, request(profile=SAFE))
    assert (answered.path, world.vendor.calls) == ("classical", {})
    assert "0.50 USD more on simulator does not fit" in answered.reason
    assert [attempt.outcome for attempt in answered.attempts] == ["fell_back", "accepted"]
    sound(plane)


def test_what_is_reserved_counts_against_the_budget(world: World) -> None:
    plane = world.plane(budgets={"default": Budget(simulator_per_month=0.6)})
    assert answer(plane, request(question(1), SAFE)).path == "quantum"  # billed 0.25
    again = answer(plane, request(question(2), SAFE))
    assert again.path == "classical"
    assert "over the limit" in again.reason


def test_what_does_not_fit_together_may_fit_alone(world: World) -> None:
    world.vendor.limits_ = Limits(max_workloads=10, durable=True, poll_seconds=5.0)
    plane = world.plane(budgets={"default": Budget(simulator_per_month=1.2)})
    world.vendor.charge = 500_000
    dear = VENDOR.model_copy(update={"routing": Routing(fallback="stand-in"), "priority": 0})
    per_task = plane.prices.prices[0].model_copy(update={"task": "circuit", "per_task": 0.5 / 9})
    plane = _with_price(plane, per_task)
    answers = answer_all(plane, [request(question(n), dear) for n in range(3)])
    assert sorted(a.path for a in answers) == ["classical", "quantum", "quantum"]
    assert sizes(world) == [1, 1]
    sound(plane)


def test_one_project_s_empty_purse_is_no_other_project_s(world: World) -> None:
    plane = world.plane(budgets={**BUDGETS, "poor": Budget(project="poor", simulator_per_month=0.1)})
    answers = answer_all(plane, [request(question(1), SAFE, project="poor"), request(question(2), SAFE)])
    assert [a.path for a in answers] == ["classical", "quantum"]


def test_a_project_without_a_budget_is_somebody_s_to_mend(world: World, plane: ControlPlane) -> None:
    with pytest.raises(ProviderError, match="project nobody: has no budget"):
        answer(plane, request(profile=SAFE, project="nobody"))
    assert [alert.kind for alert in plane.ledger.alerts()] == ["plan_error"]
    assert world.vendor.calls == {}


def test_a_missing_approval_goes_straight_to_the_fallback_until_it_is_given(world: World) -> None:
    plane = world.plane(budgets={"default": Budget(simulator_per_month=100, approval_above_shots=100)})
    refused = answer(plane, request(profile=SAFE))
    assert refused.path == "classical"
    assert "approval_missing" in refused.reason
    assert "quantum-assets approve high_shots" in refused.reason
    plane.ledger.approve("default", "high_shots", by="ada", reason="once")
    assert answer(plane, request(profile=SAFE)).path == "quantum"


@pytest.mark.parametrize("requests", [1, 4], ids=["one request in parts", "several requests"])
def test_shots_need_an_approval_by_all_that_is_asked_for_at_once(world: World, requests: int) -> None:
    """900 shots a matrix of three rows, and orders of three circuits at most."""
    plane = world.plane(budgets={"default": Budget(simulator_per_month=1000, approval_above_shots=3599)})
    world.vendor.limits_ = Limits(max_workloads=1, max_circuits=3, durable=True, poll_seconds=5.0)
    whole = [request(question(0, rows=6), SAFE)] if requests == 1 else [request(question(n), SAFE) for n in range(4)]
    assert sum(one.workload.n_circuits * 100 for one in whole) == 3600

    refused = answer_all(plane, whole)
    assert {one.path for one in refused} == {"classical"}
    assert all("high_shots (3,600 shots asked for at once, over 3,599)" in one.reason for one in refused)
    assert "submit" not in world.vendor.calls
    assert plane.ledger.spending() == ()
    assert answer(plane, request(question(7), SAFE)).path == "quantum"

    plane.ledger.approve("default", "high_shots", by="ada", reason="a long night")
    assert {one.path for one in answer_all(plane, whole)} == {"quantum"}
    sound(plane)


def test_what_is_asked_for_twice_counts_once(world: World) -> None:
    plane = world.plane(budgets={"default": Budget(simulator_per_month=1000, approval_above_shots=1800)})
    twice = [request(question(n), SAFE) for n in (0, 1, 0, 1)]
    assert {one.path for one in answer_all(plane, twice)} == {"quantum"}
    assert sizes(world) == [2]


def test_an_asking_without_its_approval_keeps_no_other_from_travelling_together(world: World) -> None:
    plane = world.plane(budgets={"default": Budget(simulator_per_month=1000, approval_above_shots=2700)})
    small = submit(plane, [request(question(n), LATER) for n in range(3)], hand_in=False)
    large = submit(plane, [request(question(n), LATER) for n in range(3, 7)], hand_in=False)
    after = turn(plane, [ticket for (ticket,) in (*large, *small)], collect_results=False)
    assert [ticket.state for ticket in after] == [State.FELL_BACK] * 4 + [State.SUBMITTED] * 3
    assert sizes(world) == [3]


def test_what_another_project_asks_for_is_its_own(world: World) -> None:
    small = Budget(simulator_per_month=1000, approval_above_shots=900)
    plane = world.plane(budgets={"default": small, "lab": small.model_copy(update={"project": "lab"})})
    answers = answer_all(plane, [request(question(1), SAFE, project="lab"), request(question(2), SAFE)])
    assert [one.path for one in answers] == ["quantum", "quantum"]


def test_a_budget_in_another_currency_pays_nothing(world: World) -> None:
    plane = world.plane(budgets={"default": Budget(simulator_per_month=100, currency="EUR")})
    assert "charges in USD and the budget is in EUR" in answer(plane, request(profile=SAFE)).reason


def test_a_limit_of_the_provider_is_fatal_and_alone(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = Limits(max_workloads=10, durable=True, max_shots=50)
    with pytest.raises(ProviderError, match="the provider takes 50"):
        answer(plane, request(profile=SAFE))
    assert world.vendor.calls == {}


def test_what_is_free_here_takes_no_order_and_few_writes(world: World, plane: ControlPlane) -> None:
    answer(plane, request(exact_question(), LOCAL))
    (ticket,) = all_tickets(plane)
    assert plane.ledger.orders() == ()
    assert states_of(plane, ticket) == [
        State.PLANNED,
        State.SUBMITTING,
        State.SUBMITTED,
        State.COMPLETED,
        State.ACCEPTED,
    ]
    assert world.clock.sleeps == []
    sound(plane)


def test_what_has_a_price_here_is_paid_for(world: World, plane: ControlPlane) -> None:
    priced = _with_price(plane, plane.prices.prices[0].model_copy(update={"provider": "local"}))
    assert answer(priced, request(exact_question(), LOCAL)).envelope.cost == 0.5
    (row,) = priced.ledger.orders()
    assert row.micros == 500_000
    sound(priced)


# -------------------------------------------------------------------------------------------------- breakers


def test_an_open_breaker_sends_it_to_the_other_provider(world: World, plane: ControlPlane) -> None:
    open_breaker(plane, "vendor")
    either = SAFE.model_copy(update={"providers": ("vendor", "other")})
    answered = answer(plane, request(profile=either))
    assert (answered.path, answered.attempts[0].provider) == ("quantum", "other")
    assert world.vendor.calls == {}


def test_without_another_the_fallback_answers_with_the_reason(world: World, plane: ControlPlane) -> None:
    open_breaker(plane, "vendor")
    answered = answer(plane, request(profile=SAFE))
    assert answered.path == "classical"
    assert "breaker is open since" in answered.reason
    with pytest.raises(ProviderError, match="breaker is open since"):
        answer(plane, request(question(2)))


def test_without_another_provider_the_next_backend_is_tried(world: World, plane: ControlPlane) -> None:
    open_breaker(plane, "vendor", "big")
    profile = SAFE.model_copy(update={"backend": "big", "alternatives": ("small",)})
    answered = answer(plane, request(profile=profile))
    assert (answered.path, answered.profile.backend) == ("quantum", "small")
    assert [attempt.modification for attempt in answered.attempts] == ["", "backend big → small"]
    assert answered.envelope.effective.backend == "small"


def test_a_breaker_opened_in_one_process_is_honoured_in_another(world: World) -> None:
    first, second = world.plane(), world.plane()
    world.vendor.before += [Unavailable("503") for _ in range(5)]
    assert answer(first, request(question(1), SAFE)).path == "classical"
    before = world.vendor.calls["submit"]
    assert "breaker" in answer(second, request(question(2), SAFE)).reason
    assert world.vendor.calls["submit"] == before
    world.clock.advance(second.breakers.reset_seconds)
    assert answer(second, request(question(3), SAFE)).path == "quantum"


def test_proved_absent_here_it_may_go_elsewhere_under_another_key(world: World, plane: ControlPlane) -> None:
    world.vendor.before += [Unavailable("503") for _ in range(10)]
    either = LATER.model_copy(update={"providers": ("vendor", "other")})
    ((ticket,),) = submit(plane, [request(profile=either)])
    assert (ticket.state, ticket.order != "") == (State.PLANNED, True)
    open_breaker(plane, "vendor")
    world.clock.advance(30)
    (moved,) = turn(plane, [ticket])
    (done,) = turn(plane, [moved])
    assert (done.state, done.provider) == (State.ACCEPTED, "other")
    assert done.order != ticket.order
    sound(plane)


def _with_price(plane: ControlPlane, price: object) -> ControlPlane:
    from dataclasses import replace

    others = tuple(one for one in plane.prices.prices if one.provider != price.provider)  # type: ignore[attr-defined]
    return replace(plane, prices=plane.prices.model_copy(update={"prices": (price, *others)}))
