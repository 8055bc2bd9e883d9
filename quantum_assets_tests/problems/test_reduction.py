"""Reduced problems: the laws of every problem, the original's rows and energies, a repair that always ends feasible."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Encoding, Ising, Problem
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.problems.best_known import find
from quantum_assets.problems.elimination import eliminate
from quantum_assets.problems.graphs import Graph, from_edges, named, random_regular
from quantum_assets.problems.independent_set import IndependentSet
from quantum_assets.problems.labs import Labs
from quantum_assets.problems.max_cut import MaxCut
from quantum_assets.problems.penalty import check
from quantum_assets.problems.polynomial import all_energies, from_bits
from quantum_assets.problems.polynomial_problem import PolynomialProblem
from quantum_assets.problems.reduction import ReducedProblem, reduce
from quantum_assets.problems.routes import route_bundle
from quantum_assets.problems.ward import ward
from quantum_assets_tests.problems.laws import all_rows, check_laws
from quantum_assets_tests.problems.test_deliveries import made
from quantum_assets_tests.problems.test_elimination import quadratics
from quantum_assets_tests.problems.test_max_cut import graphs
from quantum_assets_tests.problems.test_schedule import made as schedule


def reachable(problem: Problem, most: int) -> int:
    """`most`, or more where the problem does not go down so far; its own width where nothing can go."""
    return max(most, len(eliminate(problem.encode().ising, 1).kept))


def reduced(problem: Problem, most: int) -> ReducedProblem:
    """As `reduce`, where it must do something."""
    found = reduce(problem, most)
    assert isinstance(found, ReducedProblem)
    return found


def drawn(problem: Problem, most: int) -> ReducedProblem:
    """Down to `most` or as far as it goes; the drawn case is dropped where nothing can go."""
    width = reachable(problem, most)
    assume(width < len(problem.variables))
    return reduced(problem, width)


def check_reduction(problem: ReducedProblem) -> None:
    """The laws of problems, and what a reduction adds to them."""
    check_laws(problem)
    original, encoding, whole = problem.original, problem.encode(), problem.original.encode()
    rows = all_rows(len(problem.variables))
    full = problem.expand(rows)
    size = 1.0 + np.abs(whole.ising.energies(full)).max()
    np.testing.assert_allclose(encoding.ising.energies(rows), whole.ising.energies(full), rtol=0, atol=1e-10 * size)
    assert (problem.restrict(full) == rows).all()
    every = all_rows(len(original.variables))
    assert all_energies(encoding.ising).min() == pytest.approx(whole.ising.energies(every).min(), abs=1e-10 * size)
    feasible = every[original.violations(every) == 0]
    best = max if original.sense == "maximise" else min
    here = rows[problem.violations(rows) == 0]
    assert best(problem.objective(here)) == pytest.approx(best(original.objective(feasible)), abs=1e-10 * size)
    assert (problem.objective(rows) == original.objective(full)).all()
    assert (problem.violations(rows) == original.violations(full)).all()


@settings(max_examples=60, deadline=None)
@given(graphs(), st.integers(1, 5))
def test_max_cut(graph: Graph, most: int) -> None:
    check_reduction(drawn(MaxCut(graph), most))


@settings(max_examples=60, deadline=None)
@given(graphs(weighted=False), st.integers(1, 5))
def test_independent_set(graph: Graph, most: int) -> None:
    check_reduction(drawn(IndependentSet(graph), most))


@settings(max_examples=60, deadline=None)
@given(quadratics(), st.sampled_from(["minimise", "maximise"]), st.integers(1, 6))
def test_polynomials_either_way(polynomial: Ising, sense, most: int) -> None:
    assume(polynomial.terms)
    check_reduction(drawn(PolynomialProblem("drawn", polynomial, sense), most))


@pytest.mark.parametrize("most", [1, 3, 6])
@pytest.mark.parametrize(("n", "seed"), [(4, 0), (4, 3), (5, 2), (5, 3), (6, 2), (6, 3), (6, 5)])
def test_routes(n: int, seed: int, most: int) -> None:
    problem = route_bundle(made(n=n, seed=seed), 8)
    width = min(reachable(problem, most), len(problem.variables) - 1)
    check_reduction(reduced(problem, width))


@pytest.mark.parametrize(
    "problem",
    [
        schedule(shifts=2, people=4),
        schedule(shifts=4, fairness=0.0),
        schedule(shifts=4, fairness=0.0, away=((0, 1), (1, 0), (2, 2))),
        schedule(shifts=6, people=2, fairness=0.0, away=()),
    ],
)
@pytest.mark.parametrize("most", [1, 4])
def test_schedules(problem: Problem, most: int) -> None:
    check_reduction(reduced(problem, reachable(problem, most)))


@pytest.mark.parametrize(("kind", "best"), [(MaxCut, 61), (IndependentSet, 20)])
@pytest.mark.parametrize("most", [12, 14])
def test_karate_fits_a_simulator_and_keeps_its_proven_optimum(kind, best: int, most: int) -> None:
    original = kind(named("karate"))
    problem = reduce(original, most)
    assert isinstance(problem, ReducedProblem)
    ising = problem.encode().ising
    assert len(problem.variables) == ising.n_variables == most
    assert len(ising.terms) > 2 * most  # there is a problem left to solve
    assert {v for term in ising.terms for v in term} == set(range(most))
    found = check(problem)
    assert found.holds
    assert found.best_objective == best == find(original).value
    winner = problem.expand(found.best_bits)
    assert winner.shape == (1, 34)
    assert (original.violations(winner)[0], original.objective(winner)[0]) == (0, best)


def test_karate_repairs_every_row() -> None:
    problem = reduce(IndependentSet(named("karate")), 14)
    rows = all_rows(14)
    broken = problem.violations(rows) > 0
    assert broken.any()
    repaired = problem.repair(rows)
    assert (problem.violations(repaired) == 0).all()
    assert (repaired[~broken] == rows[~broken]).all()


@settings(max_examples=40, deadline=None)
@given(graphs(weighted=False), st.integers(1, 5), st.sampled_from(["broken", "all"]))
def test_the_repair_is_the_stated_rule(graph: Graph, most: int, completes) -> None:
    """One row at a time; the original's repair may also add to feasible rows."""
    problem = drawn(IndependentSet(graph, completes), most)
    rows = all_rows(len(problem.variables))
    for row, mended in zip(rows, problem.repair(rows), strict=True):
        expected = problem.restrict(problem.original.repair(problem.expand(row)))[0]
        if problem.violations(expected)[0] > 0:
            expected = problem.greedy()
        assert (mended == expected).all()


def test_what_fits_is_returned_as_it_is() -> None:
    for problem in (MaxCut(named("petersen")), Labs(10)):
        assert reduce(problem, 10) is problem


def test_the_same_question_gives_the_same_problem() -> None:
    original = MaxCut(random_regular(20, 3, 1))
    one, other = reduce(original, 12), reduce(MaxCut(random_regular(20, 3, 1)), 12)
    assert one.variables == other.variables
    assert one.encode().ising.fingerprint == other.encode().ising.fingerprint
    assert one.fingerprint == other.fingerprint
    assert len({one.fingerprint, original.fingerprint, reduce(original, 11).fingerprint}) == 3
    assert reduce(MaxCut(random_regular(20, 3, 2)), 12).fingerprint != one.fingerprint


def test_a_reduced_problem_can_be_reduced_again() -> None:
    problem = reduce(reduce(MaxCut(named("karate")), 16), 12)
    assert len(problem.variables) == 12
    assert check(problem).best_objective == 61


def test_it_says_what_it_is() -> None:
    problem = reduce(IndependentSet(from_edges("path", [(i, i + 1) for i in range(6)])), 2)
    assert isinstance(problem, ReducedProblem)
    assert (problem.kind, problem.sense, problem.unit) == ("independent_set", "maximise", "nodes")
    assert problem.name == "path reduced to 2 of 7"
    assert len(problem.variables) == 2
    assert sorted(problem.variables + problem.eliminated) == list("0123456")
    encoding = problem.encode()
    assert encoding.rule.startswith("flip rule: 1.5 > ")
    named_ones = ", ".join(problem.eliminated)
    assert encoding.rule.endswith(f"; 5 of 7 variables are eliminated exactly, each at its minimum: {named_ones}")
    assert (encoding.penalty, encoding.energy_per_unit, encoding.cardinality) == (1.5, -1.0, None)
    lines = problem.interpret(problem.greedy())
    assert [line["node"] for line in lines] == list("0123456")
    assert sum(line["chosen"] for line in lines) == 4
    many = reduce(MaxCut(named("karate")), 14).encode().rule
    assert "20 of 34 variables are eliminated exactly" in many
    assert many.endswith(" and 12 more")


def test_a_rule_on_the_number_of_ones_does_not_carry_over() -> None:
    class OneOfThree(Fake):
        def encode(self) -> Encoding:
            return replace(super().encode(), cardinality=1)

    assert reduce(OneOfThree(), 1).encode().cardinality is None


@pytest.mark.parametrize(
    ("problem", "most", "expected"),
    [
        (
            MaxCut(random_regular(30, 3, 0)),
            12,
            "exact elimination leaves 18, over the 12 there is room for. Let the rest be frozen at the greedy row",
        ),
        (MaxCut(random_regular(30, 3, 0)), 12, "or raise that limit to 18, if the machine has so many qubits"),
        (MaxCut(random_regular(60, 3, 0)), 12, "fewer variables; 20 is the most that any study allows"),
        (MaxCut(random_regular(30, 3, 0)), 17, "max_cut regular-30-3-0: has 30 variables, and exact elimination"),
        (ward(), 14, "has 16 variables, and exact elimination leaves 16, over the 14"),
        (Labs(10), 8, "labs-10: has 10 variables, over the 8 there is room for, and terms of 4"),
        (MaxCut(named("karate")), 0, "max_cut karate: reduction: is asked to leave 0 variables"),
    ],
)
def test_what_cannot_be_brought_down_is_named(problem: Problem, most: int, expected: str) -> None:
    with pytest.raises(PlanError) as caught:
        reduce(problem, most)
    assert expected in str(caught.value)


def test_rows_of_another_width_are_named() -> None:
    problem = reduce(MaxCut(named("karate")), 14)
    with pytest.raises(PlanError, match=r"karate reduced to 14 of 34: bits: have the shape \(1, 34\)"):
        problem.objective(np.zeros((1, 34), dtype=np.uint8))


def test_an_elimination_of_another_problem_is_refused() -> None:
    karate, cubic = MaxCut(named("karate")), MaxCut(random_regular(20, 3, 1))
    found = eliminate(cubic.encode().ising, 12)
    with pytest.raises(PlanError, match="has an elimination from 20 variables for 34"):
        ReducedProblem(karate, 12, found)
    with pytest.raises(PlanError, match="keeps 12 variables, and 11 were asked for"):
        ReducedProblem(cubic, 11, found)


@dataclass(frozen=True)
class Fake:
    """Two bits, few feasible rows, and an energy that draws the second bit to 1 whatever the first is.

    The first bit is kept. Greedy and repair know one feasible row alone, and its completion is not feasible.

    Attributes:
        allowed: Feasible rows.
        known: The row that greedy and repair give.
    """

    allowed: tuple[tuple[int, int], ...] = ((0, 0), (1, 1))
    known: tuple[int, int] = (0, 0)
    kind = "fake"
    name = "trap"
    sense = "minimise"
    unit = "points"
    variables = ("first", "second")
    fingerprint = "trap"

    def encode(self) -> Encoding:
        return Encoding(from_bits(2, [((0,), -1.0), ((0, 1), -0.5), ((1,), -1.0)]))

    def objective(self, bits: Bits) -> FloatArray:
        return self.encode().ising.energies(bits)

    def violations(self, bits: Bits) -> FloatArray:
        return np.array([float(tuple(row) not in self.allowed) for row in np.atleast_2d(bits).tolist()])

    def repair(self, bits: Bits) -> Bits:
        broken = self.violations(bits)[:, None] > 0
        return np.where(broken, self.greedy(), np.atleast_2d(bits)).astype(np.uint8)

    def greedy(self) -> Bits:
        return np.array(self.known, dtype=np.uint8)

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        return ({"second": int(bits[1])},)


def test_a_completion_that_breaks_a_rule_again_becomes_the_greedy_row() -> None:
    """A schedule where that happens: 4 of 7 variables are left."""
    problem = reduced(schedule(shifts=2, people=4), 4)
    rows = all_rows(4)
    once = problem.restrict(problem.original.repair(problem.expand(rows)))
    lost = problem.violations(once) > 0
    assert lost.any()
    assert (problem.repair(rows)[lost] == problem.greedy()).all()
    assert (problem.repair(rows)[~lost] == once[~lost]).all()


def test_where_greedy_and_repair_lead_nowhere_the_first_feasible_row_stands_in() -> None:
    problem = reduce(Fake(), 1)
    assert isinstance(problem, ReducedProblem)
    rows = all_rows(1)
    assert problem.violations(rows).tolist() == [1.0, 0.0]
    assert problem.repair(rows).tolist() == [[1], [1]]
    problem.greedy()[:] = 0  # what one caller does to his row is not seen by the next
    assert problem.greedy().tolist() == [1]


def test_an_instance_whose_reduction_has_no_feasible_row_is_refused_at_once() -> None:
    with pytest.raises(PlanError, match="fake trap: has no feasible row that a reduction to 1 variables can show"):
        reduce(Fake(allowed=((0, 0),)), 1)
