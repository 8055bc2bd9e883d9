"""The published decision: the policy is kept, raw shots are judged before repair, and nobody's silence has a reason."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quantum_assets.components import optimization_study_steps as steps
from quantum_assets.components.optimization_study_decision import attribution, decision
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.contracts.optimization import ClassicalSpec, DecisionPolicy, ProblemSpec, QuantumSpec
from quantum_assets_tests.components.small_optimization import samples_table
from quantum_assets_tests.regression.shipped import loaded

REDUCED = QuantumSpec(most_variables=14)


def _plan(graph: str = "petersen", quantum: QuantumSpec = REDUCED, **policy: Any) -> OptimizationStudyPlan:
    return OptimizationStudyPlan(
        "toy",
        Path(),
        ProblemSpec(kind="independent_set", graph=graph),
        None,
        quantum,
        ClassicalSpec(seconds=0.2),
        DecisionPolicy(**policy),
        profiles={},
    )


@pytest.fixture(scope="module")
def problem() -> pa.Table:
    return loaded(steps.problem(_plan(), ""))


@pytest.fixture(scope="module")
def solutions(problem: pa.Table) -> pa.Table:
    return loaded(steps.classical_solutions(_plan(), "", problem))


BEST, WORST = "1001000110", "0000000000"
NO_ROWS = pa.table({"stage": pa.array([], pa.string())})


def _decided(plan: OptimizationStudyPlan, samples: pa.Table, solutions: pa.Table, problem: pa.Table) -> Any:
    stored = decision(plan, "", samples, solutions, NO_ROWS, problem)
    (row,) = [row for row in stored.table.to_pylist() if row["published"]]
    return row


def test_the_quantum_row_is_published_where_the_policy_asks_for_it_first(
    problem: pa.Table, solutions: pa.Table
) -> None:
    row = _decided(_plan(order=("quantum", "classical")), samples_table((BEST, 3, 0.0)), solutions, problem)
    assert (row["path"], row["by"], row["maker"]) == ("quantum", "quantum", "qaoa")
    assert row["violations"] == 0


def test_raw_feasibility_and_numbers_are_those_of_the_shots_before_repair(
    problem: pa.Table, solutions: pa.Table
) -> None:
    samples = samples_table((BEST, 1, 0.0), ("1111111111", 9, 15.0))
    row = _decided(_plan(order=("quantum", "classical"), min_feasible=0.2), samples, solutions, problem)
    assert row["path"] == "classical"
    assert "10.0% of its samples are feasible, below 20.0%" in row["reasons"]
    row = _decided(_plan(order=("quantum", "classical"), min_samples=11), samples, solutions, problem)
    assert "10 samples, and the policy asks for 11" in row["reasons"]


def test_no_samples_at_all_leave_the_classical_row_with_the_reason(problem: pa.Table, solutions: pa.Table) -> None:
    nobody = samples_table(path="none", path_reasons=["the line is dead"])
    row = _decided(_plan(order=("quantum", "classical")), nobody, solutions, problem)
    assert row["path"] == "classical"
    assert "there is no answer" in row["reasons"]
    assert "execution: the line is dead" in row["reasons"]


def test_a_fallbacks_samples_are_not_published_as_the_quantum_paths(problem: pa.Table, solutions: pa.Table) -> None:
    fallen = samples_table((BEST, 3, 0.0), path="classical", path_reasons=["the line is dead"])
    row = _decided(_plan(order=("quantum", "classical")), fallen, solutions, problem)
    assert row["path"] == "classical"
    assert "the quantum path did not answer (the line is dead)" in row["reasons"]


def test_a_reduced_row_is_published_in_full() -> None:
    plan = _plan("karate", order=("quantum", "classical"))
    problem = loaded(steps.problem(plan, ""))
    solutions = loaded(steps.classical_solutions(plan, "", problem))
    row = _decided(plan, samples_table(("0" * 14, 3, 0.0)), solutions, problem)
    assert (row["path"], len(row["bits"]), row["violations"]) == ("quantum", 34, 0)
    assert 0 <= row["gap_to_best_known"] < 1


def test_a_frozen_row_is_published_in_full_and_the_ladder_tells_the_subspace(
    problem: pa.Table, solutions: pa.Table
) -> None:
    plan = _plan(quantum=QuantumSpec(most_variables=5, narrowing="freeze"), order=("quantum", "classical"))
    samples = samples_table(("00000", 30, 0.0), ("11111", 20, 1.0))
    row = _decided(plan, samples, solutions, problem)
    assert (row["path"], len(row["bits"]), row["violations"]) == ("quantum", 10, 0)
    climbed = attribution(plan, "", samples, solutions, problem)
    assert climbed.provenance["quantum_step"] == "5 of 10 variables: 5 frozen at the greedy row, a heuristic"
    assert climbed.notes["subspace"].startswith("petersen frozen to 5 of 10, a heuristic narrowing: ")
    assert climbed.provenance["subspace"]["rows"] == 32
    exact = attribution(_plan(), "", samples_table((BEST, 30, 0.0)), solutions, problem)
    assert exact.provenance["quantum_step"] == "all 10 variables"
    assert not {"subspace"} & (set(exact.notes) | set(exact.provenance))


def test_the_ladder_is_climbed_where_there_aresamples_table(problem: pa.Table, solutions: pa.Table) -> None:
    climbed = attribution(_plan(), "", samples_table((BEST, 30, 0.0), (WORST, 20, 0.0)), solutions, problem)
    assert {row["rung"] for row in climbed.table.to_pylist()} == {"uniform", "product", "sampler", "greedy"}
    assert climbed.provenance["finding"] in ("above", "not told apart from", "below")
    assert climbed.figures["ladder"].startswith(b"\x89PNG")
    silent = attribution(_plan(), "", samples_table(path="none", path_reasons=["the line is dead"]), solutions, problem)
    assert silent.table.num_rows == 0
    assert "the line is dead" in silent.notes["what the sampler added"]
