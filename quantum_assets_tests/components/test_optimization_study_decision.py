"""The published decision: the policy is kept, raw shots are judged before repair, and nobody's silence has a reason."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quantum_assets.components import optimization_study_steps as steps
from quantum_assets.components.optimization_study_clock import timed
from quantum_assets.components.optimization_study_decision import attribution, decision
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.contracts.optimization import ClassicalSpec, DecisionPolicy, Periods, ProblemSpec, QuantumSpec
from quantum_assets.orchestration.stored import materialized
from quantum_assets_tests.components.small_optimization import STOCKS, samples_table
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


HEADLINE = ["path", "reason", "feasible", "objective", "gap_to_best_known", "gap_to_bound"]
CLOCK = ["elapsed_seconds", "deadline_seconds"]


def test_the_page_of_a_decision_begins_with_what_was_decided_and_tables_follow(
    problem: pa.Table, solutions: pa.Table
) -> None:
    plan = _plan(deadline_seconds=900.0)
    made = decision(plan, "", samples_table((BEST, 3, 0.0)), solutions, NO_ROWS, problem)
    began = datetime(2026, 3, 1, 12, tzinfo=UTC)
    page = list(materialized(timed(made, plan.policy, began, began + timedelta(seconds=5))).metadata or {})
    assert page == [*HEADLINE, *CLOCK, "paths", "choice", "violations", "qa.path", "qa.path_reason"]
    (row,) = [row for row in made.table.to_pylist() if row["published"]]
    assert made.notes["path"] == f"**ensemble**: the row of classical ({row['maker']})"
    assert made.notes["reason"] == f"- {row['reasons']}"
    assert made.notes["feasible"] == "yes"
    assert made.notes["paths"].count("\n") == 3  # two paths


def test_where_nobody_proved_a_bound_the_page_says_so(problem: pa.Table, solutions: pa.Table) -> None:
    place = solutions.column_names.index("bound")
    silent = solutions.set_column(place, "bound", pa.nulls(len(solutions), pa.float64()))
    unproven = silent.replace_schema_metadata(solutions.schema.metadata)
    made = decision(_plan(), "", samples_table((BEST, 3, 0.0)), unproven, NO_ROWS, problem)
    assert list(materialized(made).metadata or {})[:6] == [*HEADLINE[:5], "bound"]
    assert made.notes["bound"] == "no rival proved one"


def test_a_long_choice_shows_the_chosen_first_and_counts_the_rest() -> None:
    plan = _plan("karate", order=("quantum", "classical"))
    problem = loaded(steps.problem(plan, ""))
    solutions = loaded(steps.classical_solutions(plan, "", problem))
    made = decision(plan, "", samples_table(("0" * 14, 3, 0.0)), solutions, NO_ROWS, problem)
    (row,) = [row for row in made.table.to_pylist() if row["published"]]
    ones = row["bits"].count("1")
    assert 0 < ones <= 20 < len(json.loads(row["choice"])) == 34
    lines = made.notes["choice"].splitlines()
    chosen = [line.split("|")[2].strip() for line in lines if line.startswith("|")][2:]
    assert chosen == ["1"] * ones + ["0"] * (20 - ones)
    assert lines[-1].startswith(f"20 of 34 lines. Those with a 1 come first, {ones} in all.")


def test_the_controls_are_those_of_polynomial_and_mixer(problem: pa.Table, solutions: pa.Table) -> None:
    samples = samples_table((BEST, 30, 0.0), ("0110000110", 20, 3.0))
    plain = attribution(_plan(), "", samples, solutions, problem)
    assert plain.provenance["controls"] == {"uniform": "uniform bits", "product": "product of its marginals"}
    cut = replace(_plan(), problem=ProblemSpec(kind="max_cut", graph="petersen"))
    parts = loaded(steps.problem(cut, ""))
    even = attribution(cut, "", samples, loaded(steps.classical_solutions(cut, "", parts)), parts)
    assert even.provenance["controls"]["product"] == "product of its marginals up to a flip of all bits"
    assert even.params["control"] == "product of its marginals up to a flip of all bits"
    assert "| raw | product of its marginals up to a flip of all bits | " in even.notes["what the sampler added"]


def test_an_xy_mixers_controls_have_its_number_of_ones() -> None:
    plan = replace(
        _plan(),
        problem=ProblemSpec(**STOCKS["problem"]),
        periods=Periods(**STOCKS["periods"]),
        quantum=QuantumSpec(mixer="xy_ring"),
    )
    parts = loaded(steps.problem(plan, "2020-01"))
    rivals = loaded(steps.classical_solutions(plan, "2020-01", parts))
    kept = attribution(plan, "2020-01", samples_table(("11000", 30, 0.0), ("00101", 20, 0.0)), rivals, parts)
    told = {"uniform": "uniform rows of 2 ones", "product": "product of its marginals, given 2 ones"}
    assert kept.provenance["controls"] == told
    assert "the product of its marginals, given 2 ones: P(optimum)" in kept.notes["in words"]
    feasible = {row["rung"]: row["feasible"] for row in kept.table.to_pylist() if row["stage"] == "raw"}
    assert set(feasible.values()) == {1.0}  # no control is repaired where the sampler is not


def test_a_finding_on_a_fallbacks_samples_says_so_wherever_it_is_published(
    problem: pa.Table, solutions: pa.Table
) -> None:
    fallen = samples_table((BEST, 30, 0.0), path="classical", path_reasons=["the line is dead"])
    climbed = attribution(_plan(), "", fallen, solutions, problem)
    finding = "of the fallback's samples: not told apart from"
    assert climbed.provenance["finding"] == climbed.params["finding"] == finding
    assert "**of the fallback's samples: not told apart**" in climbed.notes["what the sampler added"]
    assert climbed.notes["in words"].startswith("of the fallback's samples: After the repaired stage")
    stored = decision(_plan(), "", fallen, solutions, loaded(climbed), problem)
    assert stored.provenance["finding"] == stored.tags["qa.finding"] == finding
    document = json.loads(stored.artifacts["decision.json"])
    assert document["sampler_against_its_marginals"] == finding
    assert document["controls"]["product"] == "product of its marginals"
