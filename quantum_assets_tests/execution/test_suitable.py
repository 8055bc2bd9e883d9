"""Which backend a request goes to: chosen once, for all parts and processes, written down, and never a failure."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Limits
from quantum_assets.contracts.profile import ExecutionProfile, Routing
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.answering import answer, collect, submit
from quantum_assets.execution.asking import ask, parts_of
from quantum_assets.execution.choosing import Destination, destination
from quantum_assets.execution.modify import moved
from quantum_assets.execution.plane import ControlPlane, profile_of
from quantum_assets.execution.shelf import Shelf
from quantum_assets.execution.suitable import FRESH, heard, most_suitable
from quantum_assets_tests.execution.fakes import (
    DEAD,
    VENDOR,
    DurableVendor,
    Unavailable,
    World,
    all_tickets,
    question,
    request,
    sound,
)
from quantum_assets_tests.execution.test_choosing import open_breaker

CHOOSING = ExecutionProfile.model_validate(
    VENDOR.model_dump() | {"backend": "near", "alternatives": ("far", "wide"), "routing": {"choose": "suitable"}}
)
FIRST = CHOOSING.model_copy(update={"routing": Routing()})
NEAR, FAR, WIDE = BackendFact("near", 5, 9, 0.02), BackendFact("far", 5, 2, 0.01), BackendFact("wide", 127, 9, 0.03)
#: Three parts of the usual question.
SMALL_ORDERS = Limits(max_circuits=4, max_workloads=10, durable=True)
WHY = "backend near → far: queue 2 against 9, two-qubit error 0.01 against 0.02"


def busy(fact: BackendFact) -> BackendFact:
    return replace(fact, queue=4000, error=0.5)


@pytest.fixture
def plane(world: World) -> ControlPlane:
    """A process whose vendor says that `far` is the best."""
    world.vendor.facts = (NEAR, FAR, WIDE)
    return world.plane()


def chosen(plane: ControlPlane, profile: ExecutionProfile = CHOOSING) -> str | None:
    return most_suitable(plane, request(profile=profile)).profile.backend


def test_the_busier_and_noisier_is_avoided_and_that_is_written_down(world: World, plane: ControlPlane) -> None:
    answered = answer(plane, request(profile=CHOOSING))
    (ticket,) = all_tickets(plane)
    assert (ticket.backend, ticket.modification, ticket.attempt) == ("far", WHY, 1)
    assert ticket.question == request(profile=CHOOSING).question == request(profile=FIRST).question
    assert profile_of(ticket.profile) == moved(CHOOSING, "far") == answered.profile
    assert world.vendor.jobs[0].order.profile.backend == "far"
    assert (answered.path, answered.reason) == ("quantum", "")
    assert [(a.number, a.backend, a.modification) for a in answered.attempts] == [(1, "far", WHY)]
    assert answered.envelope.effective.differences(answered.profile) == ()
    assert answered.envelope.profile_fingerprint == answered.profile.fingerprint != CHOOSING.fingerprint
    assert plane.ledger.orders()[0].backend == "far"
    assert plane.ledger.alerts() == ()
    sound(plane)


def test_the_profile_s_own_backend_is_no_modification(world: World, plane: ControlPlane) -> None:
    world.vendor.facts = (busy(WIDE), NEAR, busy(FAR))
    (ticket,) = ask(plane, request(profile=CHOOSING)).tickets
    assert (profile_of(ticket.profile), ticket.modification) == (CHOOSING, "")
    world.vendor.facts = tuple(replace(NEAR, name=name) for name in ("far", "near", "wide"))
    assert chosen(world.plane()) == "near", "a tie stays at home"


def test_nobody_chooses_for_a_profile_that_does_not_ask_for_it(world: World, plane: ControlPlane) -> None:
    (ticket,) = ask(plane, request(profile=FIRST)).tickets
    assert destination(plane, ticket) == Destination("vendor", "near")
    assert world.vendor.calls["backends"] == 0


# --------------------------------------------------------------------------------------------- it holds


def test_another_process_adopts_what_is_on_its_way_whatever_the_queues_are_now(
    world: World, plane: ControlPlane
) -> None:
    (mine,) = ask(plane, request(profile=CHOOSING)).tickets
    world.vendor.facts = (NEAR, busy(FAR), busy(WIDE))
    (adopted,) = ask(world.plane(DEAD), request(profile=CHOOSING, study="other")).tickets
    assert (adopted.id, adopted.modification) == (mine.id, WHY)
    assert world.vendor.calls["backends"] == 1


def test_what_was_answered_is_answered_from_there(world: World, plane: ControlPlane) -> None:
    first = answer(plane, request(profile=CHOOSING))
    world.vendor.facts = (NEAR, busy(FAR), busy(WIDE))
    open_breaker(plane, "vendor", "far")  # nobody need be called
    again = answer(world.plane(DEAD), request(profile=CHOOSING))
    assert (again.cache_hit, again.profile) == (True, first.profile)
    assert all_tickets(plane)[-1].modification == "backend near → far: where it was answered before"
    assert (world.vendor.calls["backends"], world.vendor.calls["submit"]) == (1, 1)


def test_a_recalibration_makes_it_be_chosen_anew(world: World, plane: ControlPlane) -> None:
    answer(plane, request(profile=CHOOSING))
    world.vendor.facts, world.vendor.calibrated = (NEAR, busy(FAR), busy(WIDE)), "tuesday"
    again = answer(world.plane(), request(profile=CHOOSING))
    assert (again.cache_hit, again.profile) == (False, CHOOSING)


def test_collecting_and_recalling_ask_nobody(world: World, plane: ControlPlane) -> None:
    later = CHOOSING.model_copy(update={"asynchronous": True})
    asked = request(profile=later)
    ((ticket,),) = submit(plane, [asked])
    answer(world.plane(), asked)
    world.vendor.facts = Unavailable("503")
    collected = collect(world.plane(DEAD), asked)
    assert collected is not None
    assert collected.tickets == (ticket.id,)
    assert collected.profile.backend == "far"
    assert plane.ledger.alerts() == ()


def test_a_split_request_stays_on_one(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = SMALL_ORDERS
    answered = answer(plane, request(profile=CHOOSING))
    assert [job.order.profile.backend for job in world.vendor.jobs] == ["far"] * 3
    assert (answered.path, len(answered.attempts), answered.profile.backend) == ("quantum", 3, "far")
    assert world.vendor.calls["backends"] == 1
    sound(plane)


def test_it_is_cut_for_the_tightest_of_the_backends_that_it_may_go_to(world: World) -> None:
    world.vendor = Tight(world.clock)
    assert len(parts_of(world.plane(), request(profile=CHOOSING))) == 3
    assert len(parts_of(world.plane(), request(profile=FIRST))) == 1


@dataclass
class Tight(DurableVendor):
    """Takes few circuits in one order on `wide`."""

    def limits(self, profile: ExecutionProfile) -> Limits:
        return SMALL_ORDERS if profile.backend == "wide" else self.limits_


@pytest.mark.parametrize("second", [CHOOSING, FIRST])
def test_parts_that_were_not_planned_follow_those_that_were(
    world: World, plane: ControlPlane, second: ExecutionProfile
) -> None:
    """Its process died after the second part; whoever comes then may not even ask for a choice."""
    world.vendor.limits_ = SMALL_ORDERS
    parts = parts_of(plane, request(profile=CHOOSING))
    there = most_suitable(plane, request(profile=CHOOSING))
    begun = replace(parts[1].request, profile=there.profile)
    planned, _ = world.plane(DEAD).ledger.ask(begun, question=parts[1].question, modification=there.modification)
    world.vendor.facts = (NEAR, busy(FAR), busy(WIDE))
    answered = answer(world.plane(), request(profile=second))
    assert (answered.path, answered.profile) == ("quantum", replace_routing(moved(CHOOSING, "far"), second))
    assert planned.id in answered.tickets
    assert {job.order.profile.backend for job in world.vendor.jobs} == {"far"}
    assert {a.modification for a in answered.attempts} == {WHY, "backend near → far: where a part of it is on its way"}


def replace_routing(profile: ExecutionProfile, other: ExecutionProfile) -> ExecutionProfile:
    """Of the first part's ticket, which is the second asker's."""
    return profile.model_copy(update={"routing": other.routing})


def test_parts_follow_a_first_one_that_another_process_planned_meanwhile(world: World) -> None:
    racing = Racing(world.clock, limits_=SMALL_ORDERS, facts=(NEAR, busy(FAR), busy(WIDE)))
    world.vendor = racing
    other, racing.meanwhile = world.plane(DEAD), [(NEAR, FAR, WIDE)]

    def first_part(facts: tuple[BackendFact, ...]) -> None:
        racing.facts, mine = facts, racing.facts
        one, *_ = parts_of(other, request(profile=CHOOSING))
        there = most_suitable(other, request(profile=CHOOSING))
        other.ledger.ask(replace(one.request, profile=there.profile), question=one.question, modification="raced")
        racing.facts = mine

    racing.during_backends = first_part
    asked = ask(world.plane(), request(profile=CHOOSING))
    assert [profile_of(ticket.profile).backend for ticket in asked.tickets] == ["far"] * 3
    assert asked.tickets[0].modification == "raced"


@dataclass
class Racing(DurableVendor):
    """Something happens while it is asked for its backends, once for each entry of `meanwhile`."""

    meanwhile: list[tuple[BackendFact, ...]] = field(default_factory=list)
    during_backends: Any = None

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        if self.meanwhile:
            self.during_backends(self.meanwhile.pop())
        return super().backends(profile)


def test_a_part_whose_answer_is_kept_draws_the_rest_there_while_the_way_is_open(
    world: World, plane: ControlPlane
) -> None:
    world.vendor.limits_ = SMALL_ORDERS
    answer(plane, request(profile=CHOOSING))
    lost = all_tickets(plane)[-1]
    Shelf(plane.cache.root).drop(lost.answer)
    world.vendor.facts = (NEAR, busy(FAR), busy(WIDE))
    again = answer(world.plane(), request(profile=CHOOSING))
    assert (again.path, again.profile.backend, world.vendor.calls["submit"]) == ("quantum", "far", 4)
    Shelf(plane.cache.root).drop(lost.answer)
    open_breaker(plane, "vendor", "far")
    anew = answer(world.plane(), request(profile=CHOOSING))
    assert (anew.path, anew.profile, world.vendor.calls["submit"]) == ("quantum", CHOOSING, 7)
    sound(plane)


def test_a_plan_that_nobody_went_on_with_binds_nobody(world: World, plane: ControlPlane) -> None:
    ask(world.plane(DEAD), request(profile=CHOOSING))
    world.clock.advance(CHOOSING.batching.stale_seconds + 1)
    world.vendor.facts = (NEAR, busy(FAR), busy(WIDE))
    (ticket,) = ask(plane, request(profile=CHOOSING)).tickets
    assert profile_of(ticket.profile) == CHOOSING


# --------------------------------------------------------------------------------- who is passed over


def test_an_open_breaker_is_passed_over(world: World, plane: ControlPlane) -> None:
    open_breaker(plane, "vendor", "far")
    assert chosen(plane) == "near"
    open_breaker(plane, "vendor", "near")
    choice = most_suitable(plane, request(profile=CHOOSING))
    assert (choice.profile.backend, choice.modification) == ("wide", "backend near → wide: the breaker of near is open")
    open_breaker(plane, "vendor", "wide")
    assert most_suitable(plane, request(profile=CHOOSING)).profile == CHOOSING


def test_one_that_is_too_narrow_is_passed_over_by_its_own_word_and_by_its_width(
    world: World, plane: ControlPlane
) -> None:
    world.vendor.narrow = {"near": 1}
    (ticket,) = ask(plane, request(profile=CHOOSING)).tickets
    assert profile_of(ticket.profile).backend == "far"
    assert "5" not in ticket.modification
    world.vendor.narrow = {}
    world.vendor.facts = (replace(NEAR, n_qubits=1, queue=0, error=0.0), FAR)
    choice = most_suitable(world.plane(), request(profile=CHOOSING))
    assert choice.modification == "backend near → far: near has 1 qubits, and the circuit 2"


def test_where_every_backend_is_too_narrow_the_request_is_refused_in_words(world: World, plane: ControlPlane) -> None:
    world.vendor.narrow = {"near": 1, "far": 1, "wide": 1}
    with pytest.raises(ProviderError, match="near is too narrow; far is too narrow; wide is too narrow"):
        ask(plane, request(profile=CHOOSING))
    world.vendor.narrow = {"near": 1, "far": 1}
    (ticket,) = ask(plane, request(profile=CHOOSING)).tickets
    assert ticket.modification == "backend near → wide: near is too narrow"
    with pytest.raises(ProviderError, match="near is too narrow"):
        ask(plane, request(question(1), profile=FIRST))


def test_one_of_which_nothing_is_known_is_passed_over_for_those_of_which_something_is(
    world: World, plane: ControlPlane
) -> None:
    world.vendor.facts = (busy(WIDE),)
    choice = most_suitable(plane, request(profile=CHOOSING))
    assert choice.modification == "backend near → wide: nothing is known of near"
    world.vendor.facts = (replace(NEAR, queue=None, error=None), replace(FAR, queue=None))
    choice = most_suitable(world.plane(), request(profile=CHOOSING))
    assert choice.modification.endswith("queue unknown against unknown, two-qubit error 0.01 against unknown")


# ------------------------------------------------------------------------------- what cannot be learnt


@pytest.mark.parametrize("facts", [Unavailable("503"), OSError("no route, token=s3cr3t-s3cr3t")])
def test_facts_that_cannot_be_had_are_no_failure_and_somebody_is_told(
    world: World, plane: ControlPlane, facts: Exception
) -> None:
    world.vendor.facts = facts
    answered = answer(plane, request(profile=CHOOSING))
    assert (answered.path, answered.profile) == ("quantum", CHOOSING)
    answer(plane, request(question(1), profile=CHOOSING))
    (alert,) = plane.ledger.alerts()
    assert (alert.kind, alert.subject) == ("backends_unknown", "vendor")
    assert "s3cr3t" not in alert.message


def test_a_provider_with_nothing_to_choose_among_is_left_alone(world: World, plane: ControlPlane) -> None:
    world.vendor.facts = ()
    assert (chosen(plane), plane.ledger.alerts()) == ("near", ())


def test_a_provider_is_asked_once_a_minute(world: World, plane: ControlPlane) -> None:
    for number in range(3):
        ask(plane, request(question(number), profile=CHOOSING))
    world.vendor.facts = (NEAR, busy(FAR), busy(WIDE))
    assert (chosen(plane), world.vendor.calls["backends"]) == ("far", 1)
    assert heard(plane)["vendor", "wide"] == WIDE
    world.clock.advance(FRESH)
    assert (chosen(plane), world.vendor.calls["backends"]) == ("near", 2)
    assert heard(plane)["vendor", "wide"] == busy(WIDE)


def test_backends_of_several_providers_are_chosen_among(world: World, plane: ControlPlane) -> None:
    either = CHOOSING.model_copy(update={"providers": ("vendor", "other")})
    world.vendor.narrow = {"far": 1}  # there is none of that name
    world.other.narrow = {"near": 1, "wide": 1}
    world.vendor.facts, world.other.facts = (NEAR, WIDE), (FAR, replace(WIDE, queue=0, error=0.0))
    (ticket,) = ask(plane, request(profile=either)).tickets
    assert destination(plane, ticket) == Destination("other", "far")
    assert ticket.state is State.PLANNED
    assert answer(plane, request(profile=either)).envelope.effective.provider == "other"
