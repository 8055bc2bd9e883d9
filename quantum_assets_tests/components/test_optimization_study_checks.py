"""The checks of an optimisation study must fail on what they are for."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quantum_assets.components import optimization_study_checks as checks
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.contracts.optimization import ClassicalSpec, DecisionPolicy, ProblemSpec, QuantumSpec
from quantum_assets.orchestration.stored import with_origin

QUANTUM, CLASSICAL = {"path": "quantum", "by": ""}, {"path": "classical", "by": ""}


def _rows(*rows: dict[str, Any]) -> pa.Table:
    default = {"published": False, "violations": 0.0, "gap_to_best_known": 0.0, "reasons": ""}
    return pa.Table.from_pylist([default | row for row in rows])


def _published(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    return row | {"published": True, "by": "ensemble"} | more


def test_fewer_than_three_rivals_fail() -> None:
    ran, declined = {"state": "ran", "violations": 0.0}, {"state": "declined", "violations": None}
    three = [{"solver": name, **ran} for name in "abc"]
    assert checks.three_rivals_ran(pa.Table.from_pylist([*three, {"solver": "d", **declined}])).passed
    assert not checks.three_rivals_ran(pa.Table.from_pylist([*three[:2], {"solver": "d", **declined}])).passed


def test_no_feasible_rival_fails() -> None:
    good, bad = ({"solver": "a", "state": "ran", "violations": value} for value in (0.0, 1.0))
    assert checks.some_rival_is_feasible(pa.Table.from_pylist([bad, good])).passed
    assert not checks.some_rival_is_feasible(pa.Table.from_pylist([bad])).passed


@pytest.mark.parametrize(("difference", "passed"), [(0.0, True), (1e-8, True), (2e-8, False), (float("nan"), False)])
def test_another_circuit_than_was_trained_fails(difference: float, passed: bool) -> None:
    assert checks.same_ansatz(pa.table({"difference": [difference]})).passed is passed


def test_angles_that_are_no_better_than_none_fail() -> None:
    assert checks.better_than_random(pa.table({"value": [-2.0], "random_value": [0.0]})).passed
    assert not checks.better_than_random(pa.table({"value": [0.0], "random_value": [0.0]})).passed


@pytest.mark.parametrize("path", ["quantum", "classical", "ensemble", "none"])
def test_a_path_other_than_the_quantum_one_is_told(path: str) -> None:
    table = with_origin(pa.table({"a": [1]}), "v", {"path": path, "path_reasons": ["it rained"]})
    outcome = checks.quantum_path_answered(table)
    assert outcome.passed is (path == "quantum")
    assert "it rained" in outcome.description


def test_exactly_one_feasible_row_must_be_published() -> None:
    assert checks.published_is_feasible(_rows(_published(QUANTUM), CLASSICAL)).passed
    assert not checks.published_is_feasible(_rows(_published(QUANTUM, violations=1.0), CLASSICAL)).passed
    assert not checks.published_is_feasible(_rows(_published(QUANTUM), _published(CLASSICAL))).passed
    assert not checks.published_is_feasible(_rows(QUANTUM, CLASSICAL)).passed


def test_an_ensemble_that_is_worse_than_a_member_fails() -> None:
    worse = _published(QUANTUM, gap_to_best_known=0.2)
    assert checks.never_worse_than_a_member(_rows(_published(QUANTUM), CLASSICAL)).passed
    assert not checks.never_worse_than_a_member(_rows(worse, CLASSICAL)).passed
    assert checks.never_worse_than_a_member(_rows(worse, CLASSICAL | {"violations": 1.0})).passed
    assert checks.never_worse_than_a_member(_rows(worse | {"by": "quantum"}, CLASSICAL)).passed
    assert not checks.never_worse_than_a_member(_rows(CLASSICAL)).passed


def test_a_member_that_the_policy_kept_out_does_not_count() -> None:
    """A fallback's row may be better than the classical one; it is not published for it."""
    told = {"gap_to_best_known": 0.2, "reasons": "ensemble without quantum: the quantum path did not answer"}
    assert checks.never_worse_than_a_member(_rows(_published(CLASSICAL, **told), QUANTUM)).passed


@pytest.fixture(scope="module")
def plan() -> OptimizationStudyPlan:
    problem = ProblemSpec(kind="max_cut", graph="petersen")
    return OptimizationStudyPlan(
        "toy", Path(), problem, None, QuantumSpec(), ClassicalSpec(), DecisionPolicy(), profiles={}
    )


def test_a_sample_that_says_another_objective_than_its_bits_fails(plan: OptimizationStudyPlan) -> None:
    row = {"part": "sample", "bits": "1" + "0" * 9, "objective": 3.0, "violations": 0.0}
    check = checks.samples_recomputed(plan)
    assert check(pa.Table.from_pylist([row])).passed
    assert not check(pa.Table.from_pylist([row | {"objective": 4.0}])).passed
    assert not check(pa.Table.from_pylist([row | {"violations": 1.0}])).passed
    assert not check(pa.Table.from_pylist([row | {"bits": "11" + "0" * 8}])).passed
    assert check(pa.Table.from_pylist([row | {"part": "history"}])).passed


def test_a_decision_that_says_another_objective_than_its_bits_fails(plan: OptimizationStudyPlan) -> None:
    row = {"bits": "1" + "0" * 9, "objective": 3.0, "violations": 0.0}
    check = checks.decision_recomputed(plan)
    assert check(pa.Table.from_pylist([row])).passed
    assert not check(pa.Table.from_pylist([row, row | {"objective": 3.1}])).passed
