"""One answer of many tickets: which path, why, and everything that was tried."""

from dataclasses import replace

import pytest

from quantum_assets.contracts.errors import GuardrailError, ProviderError
from quantum_assets.contracts.jobs import JobStatus, Limits
from quantum_assets.contracts.profile import Guardrails, Routing
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.answering import answer, answer_all, cancel, collect, submit
from quantum_assets.execution.deciding import give_up
from quantum_assets.execution.plane import ControlPlane
from quantum_assets_tests.execution.fakes import (
    PROFILES,
    SAFE,
    STAND_IN,
    VENDOR,
    LocalSimulator,
    World,
    all_tickets,
    member_failed,
    question,
    request,
)

BOTH = VENDOR.model_copy(update={"routing": Routing(prefer="ensemble", fallback="stand-in")})


def test_the_fallback_says_why_and_what_was_tried_before(world: World, plane: ControlPlane) -> None:
    world.vendor.results.append(lambda _: (member_failed("too deep"),))
    answered = answer(plane, request(profile=SAFE))
    assert (answered.path, answered.profile.name) == ("classical", "stand-in")
    assert "too deep" in answered.reason
    assert [(a.path, a.provider, a.outcome) for a in answered.attempts] == [
        ("quantum", "vendor", "fell_back"),
        ("classical", "local", "accepted"),
    ]
    assert answered.envelope.attempts == answered.attempts
    assert answered.envelope.effective.provider == "local"
    quantum, classical = all_tickets(plane)
    assert answered.tickets == (quantum.id, classical.id)
    assert (quantum.path, classical.path) == ("quantum", "classical")


def test_policy_s_own_reason_is_part_of_the_answer(plane: ControlPlane) -> None:
    prefers = SAFE.model_copy(update={"routing": Routing(prefer="classical", fallback="stand-in")})
    answered = answer(plane, request(profile=prefers))
    assert (answered.path, answered.reason) == (
        "classical",
        "profile vendor-100 prefers the classical path: stand-in",
    )
    assert [a.path for a in answered.attempts] == ["classical"]


def test_a_kept_answer_that_stands_in_is_of_the_classical_path(world: World, plane: ControlPlane) -> None:
    assert answer(plane, request(profile=STAND_IN)).path == "quantum"
    world.vendor.refusal = "it is too wide"
    answered = answer(plane, request(profile=SAFE))
    assert (answered.path, answered.cache_hit) == ("classical", True)
    assert {a.path for a in answered.attempts} == {"classical"}


def test_an_ensemble_has_both_with_both_tries(plane: ControlPlane) -> None:
    answered = answer(plane, request(profile=BOTH))
    assert (answered.path, answered.reason) == ("ensemble", "profile vendor-100 asks for both paths")
    assert answered.classical is not None
    assert answered.classical_profile is not None
    assert (answered.envelope.effective.provider, answered.classical.effective.provider) == ("vendor", "local")
    assert answered.classical_profile.name == "stand-in"
    assert [a.path for a in answered.attempts] == ["quantum", "classical"]
    assert len(answered.tickets) == 2


def test_an_ensemble_without_its_quantum_member_is_classical(world: World, plane: ControlPlane) -> None:
    world.vendor.refusal = "it is too wide"
    answered = answer(plane, request(profile=BOTH))
    assert (answered.path, answered.classical) == ("classical", None)
    assert "it is too wide" in answered.reason


def test_parts_that_were_answered_differently_are_no_answer(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = Limits(max_circuits=5, max_workloads=10, durable=True)
    changed = "p_zero: whole counts, its z-score is odd"

    def odd_once(envelope: object, workload: object, profile: object) -> tuple[str, ...]:
        first = len(seen) == 0
        seen.append(1)
        return (changed,) if first else ()

    seen: list[int] = []
    doubting = replace(plane, judge=odd_once)
    answered = answer(doubting, request(profile=SAFE))
    assert answered.path == "classical"
    assert "its parts were answered under different profiles: shots 100 → " in answered.reason
    seen.clear()
    with pytest.raises(ProviderError, match="different profiles"):
        answer(replace(plane, judge=odd_once), request(question(5)))


def test_parts_that_ran_differently_are_no_answer(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = Limits(max_circuits=5, max_workloads=1, durable=True)
    upgraded = lambda claims: tuple(  # noqa: E731
        replace(c, effective=c.effective.model_copy(update={"versions": {"sdk": "2"}})) for c in claims
    )
    world.vendor.results.append(upgraded)
    answered = answer(plane, request(profile=SAFE))
    assert answered.path == "classical"
    assert "versions is {'sdk': '1'}, the first part's is {'sdk': '2'}" in answered.reason


def test_a_fallback_that_fails_is_the_failure(world: World, plane: ControlPlane) -> None:
    world.vendor.refusal = "it is too wide"
    plane.provider("local").behind.refusal.append("it is too deep")  # type: ignore[attr-defined]
    with pytest.raises(ProviderError, match="local: it is too deep"):
        answer(plane, request(profile=SAFE))


def test_a_fallback_that_fails_too_does_not_hide_the_first_reason(world: World, plane: ControlPlane) -> None:
    world.vendor.results.append(lambda _: (member_failed("too deep"),))
    local: LocalSimulator = plane.provider("local").behind  # type: ignore[attr-defined]
    local.fails.extend([RuntimeError("out of memory")] * 9)
    with pytest.raises(ProviderError) as caught:
        answer(plane, request(profile=SAFE))
    told = str(caught.value)
    assert told.startswith("question 0 under profile vendor-100: was not answered: ")
    assert told.index("too deep") < told.index("nor by its fallback: question 0 under profile stand-in")
    assert "out of memory" in told


def test_a_fallback_that_is_not_there_does_not_hide_the_first_reason(world: World) -> None:
    world.profiles = {}
    world.vendor.refusal = "it is too wide"
    with pytest.raises(ProviderError, match=r"it is too wide.*; nor by its fallback: .*'stand-in' is not among"):
        answer(world.plane(), request(profile=SAFE))


def test_a_question_that_is_too_large_for_the_fallback_keeps_its_kind_and_the_first_reason(world: World) -> None:
    narrow = STAND_IN.model_copy(update={"guardrails": Guardrails(max_qubits=1)})
    world.profiles = {**PROFILES, "stand-in": narrow}
    world.vendor.refusal = "it is too wide"
    with pytest.raises(GuardrailError, match=r"it is too wide.*; nor by its fallback: .*has 2 qubits"):
        answer(world.plane(), request(profile=SAFE))


def test_fallbacks_in_a_circle_end(world: World) -> None:
    back = STAND_IN.model_copy(update={"routing": Routing(fallback="vendor-100")})
    world.profiles = {**PROFILES, "stand-in": back, "vendor-100": SAFE}
    plane = world.plane()
    world.vendor.refusal = "it is too wide"
    plane.provider("local").behind.refusal.append("it is too deep")  # type: ignore[attr-defined]
    with pytest.raises(ProviderError, match="it is too deep"):
        answer(plane, request(profile=SAFE))


def test_another_asker_s_fallback_is_not_mine(plane: ControlPlane) -> None:
    (ticket, _) = plane.ledger.ask(request(profile=SAFE))
    give_up(plane, ticket, "of another asker's", State.EXPIRED)
    from quantum_assets.execution.answering import recall
    from quantum_assets.execution.asking import find
    from quantum_assets.execution.assembling import assemble

    asked = find(plane, request())
    assert asked is not None
    assert recall(plane, request()) is None
    with pytest.raises(ProviderError, match="was not answered: of another asker's"):
        assemble(plane, asked, lambda *_: pytest.fail("nothing stands in"))


def refuses_once(world: World) -> None:
    world.vendor.statuses.append(JobStatus("failed", "ERROR", code="9999", message="internal"))
    world.vendor.results += [RuntimeError("none")] * 2


def test_my_fallback_answers_for_a_ticket_of_somebody_who_has_none(world: World, plane: ControlPlane) -> None:
    without = SAFE.model_copy(update={"routing": Routing(), "asynchronous": True})
    assert without.fingerprint == SAFE.fingerprint
    submit(plane, [request(profile=without, study="other")])
    refuses_once(world)
    answered = answer(world.plane(), request(profile=SAFE))
    assert (answered.path, [a.outcome for a in answered.attempts]) == ("classical", ["rejected", "accepted"])
    assert "ibm_internal (9999)" in answered.reason
    with pytest.raises(ProviderError, match=r"not answered after 1 try: .*9999"):
        collect(plane, request(profile=without, study="other"))


def test_what_a_person_cancelled_is_nobody_s_to_answer(world: World, plane: ControlPlane) -> None:
    without = SAFE.model_copy(update={"routing": Routing(), "asynchronous": True})
    later = SAFE.model_copy(update={"asynchronous": True})
    ((ticket,),) = submit(plane, [request(profile=without)])
    submit(plane, [request(profile=later)])
    cancel(plane, [ticket], "ada")
    with pytest.raises(ProviderError, match="cancelled by ada"):
        collect(world.plane(), request(profile=later))


def test_two_requests_for_one_question_both_have_the_answer(plane: ControlPlane) -> None:
    fresh = STAND_IN.model_copy(update={"cache": False})
    one, other = answer_all(
        plane, [request(profile=fresh, correlation_id="c"), request(profile=fresh, correlation_id="c")]
    )
    assert one.tickets == other.tickets
    assert one.envelope is other.envelope
    assert plane.memory.claims == {}
