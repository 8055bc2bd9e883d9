"""The published decision: order, thresholds and refusals are kept, and an ensemble is never worse than its members."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import DecisionPolicy, Path
from quantum_assets.contracts.problem import Sense
from quantum_assets.models.decision import Candidate, decide, relative_gap

BITS = np.array([0, 1], dtype=np.uint8)
CLASSICAL = Candidate("classical", "tabu", BITS, 10.0, 0.0)
QUANTUM = Candidate("quantum", "qaoa", 1 - BITS, 9.0, 0.0, samples=100, feasible_share=0.5)
QUANTUM_FIRST = ("quantum", "classical")


def _policy(*order: Path, **fields: Any) -> DecisionPolicy:
    return DecisionPolicy(order=order or ("ensemble", "classical"), **fields)


def test_the_better_member_of_an_ensemble_is_published() -> None:
    verdict = decide([CLASSICAL, QUANTUM], _policy(), "minimise", 1.0)
    assert (verdict.path, verdict.chosen) == ("ensemble", QUANTUM)
    assert verdict.reasons == ("quantum (qaoa) with 9 is better than classical (tabu) with 10",)
    verdict = decide([CLASSICAL, QUANTUM], _policy(), "maximise", 1.0)
    assert (verdict.path, verdict.chosen) == ("ensemble", CLASSICAL)
    assert verdict.reasons == ("classical (tabu) with 10 is better than quantum (qaoa) with 9",)


@pytest.mark.parametrize("off", [0.0, 1e-13, -1e-13])
@pytest.mark.parametrize("sense", ["minimise", "maximise"])
def test_a_tie_goes_to_the_classical_member(off: float, sense: Sense) -> None:
    verdict = decide([replace(QUANTUM, objective=10.0 + off), CLASSICAL], _policy(), sense, 1.0)
    assert verdict.chosen is CLASSICAL
    assert "is as good as quantum (qaoa)" in verdict.reasons[0]


@pytest.mark.parametrize("scale", [1e-10, 1.0, 1e10])
def test_a_tie_is_one_on_the_scale_of_the_instance(scale: float) -> None:
    better = replace(QUANTUM, objective=(10 - 1e-9) * scale)
    classical = replace(CLASSICAL, objective=10 * scale)
    assert decide([classical, better], _policy(), "minimise", scale).chosen is better
    same = replace(QUANTUM, objective=(10 - 1e-14) * scale)
    assert decide([classical, same], _policy(), "minimise", scale).chosen is classical


def test_a_large_offset_hides_nothing() -> None:
    verdict = decide(
        [replace(CLASSICAL, objective=1e12 + 100), replace(QUANTUM, objective=1e12)], _policy(), "minimise", 1
    )
    assert verdict.chosen.path == "quantum"
    assert verdict.reasons == ("quantum (qaoa) with 1000000000000 is better than classical (tabu) with 1000000000100",)
    rounded = replace(QUANTUM, objective=float(np.nextafter(1e12, 0)))
    assert decide([replace(CLASSICAL, objective=1e12), rounded], _policy(), "minimise", 1).chosen.path == "classical"


def test_the_order_is_the_policys() -> None:
    worse = replace(QUANTUM, objective=11.0)
    assert decide([CLASSICAL, worse], _policy(*QUANTUM_FIRST), "minimise", 1.0).chosen is worse
    assert decide([CLASSICAL, worse], _policy("classical", "quantum"), "minimise", 1.0).chosen is CLASSICAL
    assert decide([CLASSICAL, worse], _policy("classical", "quantum"), "minimise", 1.0).reasons == ()


REFUSALS: list[tuple[Candidate | None, dict[str, Any], str]] = [
    (None, {}, "there is no answer"),
    (replace(QUANTUM, refusal="provider x said no"), {}, "provider x said no"),
    (replace(QUANTUM, violations=2.0), {}, "its best row breaks the constraints by 2"),
    (QUANTUM, {"min_samples": 101}, "100 samples, and the policy asks for 101"),
    (QUANTUM, {"min_feasible": 0.6}, "50.0% of its samples are feasible, below 60.0%"),
    (
        replace(QUANTUM, objective=10.6),
        {"max_gap": 0.05},
        "its objective is 6.00% worse than the best classical one, over 5.00%",
    ),
]


@pytest.mark.parametrize(("quantum", "thresholds", "reason"), REFUSALS, ids=[reason for _, _, reason in REFUSALS])
def test_the_quantum_path_is_passed_over_with_its_reason(
    quantum: Candidate | None, thresholds: dict[str, Any], reason: str
) -> None:
    candidates = [CLASSICAL, *([quantum] if quantum else [])]
    verdict = decide(candidates, _policy(*QUANTUM_FIRST, **thresholds), "minimise", 1.0)
    assert (verdict.path, verdict.chosen) == ("classical", CLASSICAL)
    assert verdict.reasons == (f"quantum passed over: quantum: {reason}",)
    verdict = decide(candidates, _policy(**thresholds), "minimise", 1.0)
    assert (verdict.path, verdict.chosen) == ("ensemble", CLASSICAL)
    assert verdict.reasons == (f"ensemble without quantum: {reason}", "classical (tabu) is the only member")


def test_thresholds_that_are_just_met_let_it_pass() -> None:
    policy = _policy(*QUANTUM_FIRST, min_samples=100, min_feasible=0.5, max_gap=0.05)
    assert decide([CLASSICAL, replace(QUANTUM, objective=10.5)], policy, "minimise", 1.0).path == "quantum"
    assert decide([CLASSICAL, replace(QUANTUM, objective=9.5)], policy, "maximise", 1.0).path == "quantum"
    assert decide([CLASSICAL, replace(QUANTUM, objective=9.4)], policy, "maximise", 1.0).path == "classical"


def test_every_objection_is_told_and_each_once() -> None:
    bad = replace(QUANTUM, violations=1.0, samples=1, refusal="late")
    verdict = decide([CLASSICAL, bad], _policy("quantum", "ensemble", "classical", min_samples=2), "minimise", 1.0)
    assert verdict.reasons == (
        "quantum passed over: quantum: late",
        "quantum passed over: quantum: its best row breaks the constraints by 1",
        "quantum passed over: quantum: 1 samples, and the policy asks for 2",
        "ensemble without quantum: late",
        "ensemble without quantum: its best row breaks the constraints by 1",
        "ensemble without quantum: 1 samples, and the policy asks for 2",
        "classical (tabu) is the only member",
    )


def test_an_infeasible_classical_answer_lets_the_quantum_one_through_and_measures_no_gap() -> None:
    broken = replace(CLASSICAL, violations=1.0, objective=-100.0)
    verdict = decide([broken, QUANTUM], _policy(max_gap=0.0), "minimise", 1.0)
    assert (verdict.path, verdict.chosen) == ("ensemble", QUANTUM)
    assert "ensemble without classical: its best row breaks the constraints by 1" in verdict.reasons


def test_nothing_feasible_is_an_error_with_every_reason() -> None:
    broken = replace(CLASSICAL, violations=1.0)
    with pytest.raises(PlanError) as caught:
        decide([broken], _policy(), "minimise", 1.0)
    for word in ("has no feasible candidate", "classical: its best row breaks", "quantum: there is no answer"):
        assert word in str(caught.value)


def test_an_objective_that_is_not_a_number_is_never_published() -> None:
    broken = replace(QUANTUM, objective=float("nan"))
    verdict = decide([CLASSICAL, broken], _policy("quantum", "ensemble", "classical"), "minimise", 1.0)
    assert verdict.chosen is CLASSICAL
    assert "quantum: its objective is nan" in verdict.reasons[0]
    assert (
        decide([CLASSICAL, replace(QUANTUM, violations=float("nan"))], _policy(), "minimise", 1.0).chosen is CLASSICAL
    )


def test_gaps_are_relative_to_the_best_and_signed() -> None:
    assert relative_gap(9.0, 10.0, "minimise", 1.0) == pytest.approx(-0.1)
    assert relative_gap(9.0, 10.0, "maximise", 1.0) == pytest.approx(0.1)
    assert relative_gap(9.0, -10.0, "minimise", 1.0) == pytest.approx(1.9)


@pytest.mark.parametrize("scale", [1e-10, 1.0, 1e10])
def test_beside_a_best_of_nothing_a_gap_is_a_share_of_the_scale(scale: float) -> None:
    assert relative_gap(5.6e-17 * scale, 0.0, "minimise", scale) == 0.0
    assert relative_gap(1e-9 * scale, 0.0, "minimise", scale) == 0.0
    assert relative_gap(0.3 * scale, 0.0, "minimise", scale) == pytest.approx(0.3)
    assert relative_gap(0.3 * scale, 1e-13 * scale, "maximise", scale) == pytest.approx(-0.3)
    assert relative_gap(3 * scale, 2 * scale, "minimise", scale) == pytest.approx(0.5)
    candidates = [replace(CLASSICAL, objective=0.0), replace(QUANTUM, objective=1e-9 * scale)]
    policy = _policy(*QUANTUM_FIRST, max_gap=0.01)
    assert decide(candidates, policy, "minimise", scale).path == "quantum"
    worse = replace(QUANTUM, objective=0.02 * scale)
    assert decide([candidates[0], worse], policy, "minimise", scale).path == "classical"


def test_without_a_scale_every_difference_counts() -> None:
    assert relative_gap(0.0, 0.0, "minimise", 0.0) == 0.0
    assert relative_gap(1.0, 0.0, "minimise", 0.0) == float("inf")
    assert relative_gap(1.0, 0.0, "maximise", 0.0) == -float("inf")


NUMBERS = st.floats(-1e6, 1e6)
MEMBERS = st.builds(
    Candidate,
    path=st.just("quantum"),
    maker=st.just("m"),
    bits=st.just(BITS),
    objective=NUMBERS,
    violations=st.sampled_from([0.0, 0.0, 1.0]),
    samples=st.integers(1, 10),
    feasible_share=st.floats(0, 1),
    refusal=st.sampled_from(["", "", "no"]),
)


@given(MEMBERS, MEMBERS, st.sampled_from(["minimise", "maximise"]))
def test_an_ensemble_is_never_worse_than_its_best_allowed_member(
    one: Candidate, other: Candidate, sense: Sense
) -> None:
    candidates = [replace(one, path="classical", feasible_share=1.0), other]
    allowed = [c for c in candidates if c.violations == 0 and not c.refusal]
    sign = 1 if sense == "minimise" else -1
    if not allowed:
        with pytest.raises(PlanError):
            decide(candidates, _policy(), sense, 1.0)
        return
    verdict = decide(candidates, _policy(), sense, 1.0)
    assert verdict.chosen in allowed
    best = min(sign * c.objective for c in allowed)
    assert sign * verdict.chosen.objective <= best + 1e-12 + 2**-50 * abs(best)


@given(st.permutations([CLASSICAL, QUANTUM]), st.sampled_from(["minimise", "maximise"]))
def test_the_order_of_the_candidates_does_not_matter(candidates: list[Candidate], sense: Sense) -> None:
    assert decide(candidates, _policy(), sense, 1.0) == decide(candidates[::-1], _policy(), sense, 1.0) or (
        decide(candidates, _policy(), sense, 1.0).chosen is decide(candidates[::-1], _policy(), sense, 1.0).chosen
    )
