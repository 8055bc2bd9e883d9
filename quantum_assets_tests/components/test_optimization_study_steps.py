"""What the steps read of each other's tables: bits, the best rival, the same instance."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from quantum_assets.components import optimization_study_steps as steps
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import ClassicalSpec, DecisionPolicy, ProblemSpec, QuantumSpec
from quantum_assets.contracts.profile import ExecutionProfile, Guardrails
from quantum_assets.orchestration.stored import with_origin
from quantum_assets_tests.components.small_optimization import samples_table
from quantum_assets_tests.regression.shipped import loaded

WHOLE, FREEZE = QuantumSpec(), QuantumSpec(narrowing="freeze")


def _plan(graph: str = "petersen", quantum: QuantumSpec = WHOLE, **qubits: int) -> OptimizationStudyPlan:
    """A study of an independent set; `qubits` are the widths of its profiles."""
    return OptimizationStudyPlan(
        "toy",
        Path(),
        ProblemSpec(kind="independent_set", graph=graph),
        None,
        quantum,
        ClassicalSpec(seconds=0.2),
        DecisionPolicy(),
        profiles={
            name: ExecutionProfile(
                name=name, mode="ideal", providers=("statevector",), guardrails=Guardrails(max_qubits=width)
            )
            for name, width in qubits.items()
        },
    )


@pytest.fixture(scope="module")
def problem() -> pa.Table:
    return loaded(steps.problem(_plan(), ""))


@pytest.fixture(scope="module")
def solutions(problem: pa.Table) -> pa.Table:
    return loaded(steps.classical_solutions(_plan(), "", problem))


def test_a_profile_may_be_narrower_than_the_study() -> None:
    plan = _plan(quantum=FREEZE, wide=16, small=6)
    asked = steps.instance(plan, "")
    assert steps.kernel_of(plan, asked) is asked
    assert steps.kernel_of(plan, asked, "wide") is asked
    assert len(steps.kernel_of(plan, asked, "small").variables) == 6


@pytest.mark.parametrize(
    ("graph", "quantum", "expected"),
    [
        ("petersen", WHOLE, "all 10 variables; small: refused: independent_set petersen: has 10 variables, and exact"),
        ("petersen", FREEZE, "all 10 variables; small: 6 of 10 variables: 4 frozen at the greedy row, a heuristic"),
        (
            "karate",
            FREEZE,
            "16 of 34 variables: 18 eliminated exactly; small: 6 of 34 variables: 28 eliminated exactly",
        ),
    ],
)
def test_the_problem_tells_how_it_comes_to_the_quantum_step(graph: str, quantum: QuantumSpec, expected: str) -> None:
    told = steps.problem(_plan(graph, quantum, wide=16, small=6), "").notes["quantum step"]
    assert told.startswith(expected)


def test_what_cannot_be_brought_down_exactly_names_the_other_way() -> None:
    plan = _plan(small=6)
    with pytest.raises(PlanError, match=r"quantum\.narrowing: freeze"):
        steps.kernel_of(plan, steps.instance(plan, ""), "small")


@pytest.mark.parametrize(
    ("profile", "limit"),
    [
        ("", "over the 8 that quantum.most_variables allows"),
        ("small", "over the 6 that guardrails.max_qubits of profile small"),
    ],
)
def test_the_limit_that_an_instance_does_not_fit_is_named(profile: str, limit: str) -> None:
    plan = _plan(quantum=QuantumSpec(most_variables=8), small=6, wide=16)
    with pytest.raises(PlanError) as caught:
        steps.kernel_of(plan, steps.instance(plan, ""), profile)
    assert limit in caught.value.problem
    assert len(steps.kernel_of(_plan(quantum=QuantumSpec(most_variables=10)), steps.instance(plan, "")).variables) == 10


BEST, WORST = "1001000110", "0000000000"


def test_bits_are_text_and_back() -> None:
    bits = np.array([1, 0, 0, 1], dtype=np.uint8)
    assert steps.write_bits(bits) == "1001"
    assert np.array_equal(steps.read_bits("1001"), bits)


def test_every_rival_proves_or_says_what_it_found(solutions: pa.Table) -> None:
    best = steps.best_of(solutions)
    assert (best.energy, best.bound, best.bits.sum()) == (-4, -4, 4)
    assert any(row["proven"] for row in solutions.to_pylist())


def test_only_feasible_rows_of_rivals_that_ran_count(solutions: pa.Table) -> None:
    rows = solutions.to_pylist()
    broken = [row | {"violations": 1.0, "energy": -100.0} for row in rows]
    mixed = pa.Table.from_pylist([rows[0], *broken[1:]], schema=solutions.schema)
    assert steps.best_of(mixed).solver == rows[0]["solver"]
    with pytest.raises(PlanError, match="hold no feasible row"):
        steps.best_of(pa.Table.from_pylist(broken, schema=solutions.schema))


def test_samples_leave_the_history_out() -> None:
    bits, counts, violations = steps.samples_of(samples_table((BEST, 3, 0.0), (WORST, 2, 0.0)))
    assert (bits.shape, counts.tolist(), violations.tolist()) == ((2, 10), [3, 2], [0, 0])
    assert steps.samples_of(samples_table())[0].shape == (0, 0)


def test_a_stored_instance_that_the_source_no_longer_gives_is_refused(problem: pa.Table) -> None:
    other = with_origin(problem, "v", {"instance_hash": "f" * 64})
    with pytest.raises(PlanError, match="Materialise problem again"):
        steps.same_instance(_plan(), "", other)
