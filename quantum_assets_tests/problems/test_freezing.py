"""Frozen problems: the original's rows and energies in a subspace that holds the greedy row; a rule that is kept."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import ProblemSpec
from quantum_assets.contracts.problem import Ising, Problem
from quantum_assets.problems.build import build
from quantum_assets.problems.freezing import FrozenProblem, best_move, freeze, moves_of, substituted
from quantum_assets.problems.graphs import Graph, from_edges, named, random_regular
from quantum_assets.problems.independent_set import IndependentSet
from quantum_assets.problems.labs import Labs
from quantum_assets.problems.max_cut import MaxCut
from quantum_assets.problems.polynomial import from_bits
from quantum_assets.problems.polynomial_problem import PolynomialProblem
from quantum_assets.problems.reduction import ReducedProblem, reduce
from quantum_assets.problems.routes import route_bundle
from quantum_assets_tests.problems.laws import all_rows, check_decoder, check_laws
from quantum_assets_tests.problems.test_deliveries import made as deliveries
from quantum_assets_tests.problems.test_elimination import quadratics
from quantum_assets_tests.problems.test_max_cut import graphs
from quantum_assets_tests.problems.test_portfolio import made as portfolio
from quantum_assets_tests.problems.test_schedule import made as schedule


def frozen(problem: Problem, most: int) -> FrozenProblem:
    """As `freeze`, where it must do something."""
    found = freeze(problem, most)
    assert isinstance(found, FrozenProblem)
    assert len(found.variables) == most
    return found


def check_freezing(problem: FrozenProblem) -> None:
    """What holds of every row of a frozen problem, by enumeration."""
    original, encoding, whole = problem.original, problem.encode(), problem.original.encode()
    rows = all_rows(len(problem.variables))
    full = problem.expand(rows)
    energies = whole.ising.energies(full)
    size = 1.0 + np.abs(energies).max()
    np.testing.assert_allclose(encoding.ising.energies(rows), energies, rtol=0, atol=1e-10 * size)
    assert (problem.restrict(full) == rows).all()
    assert (problem.objective(rows) == original.objective(full)).all()
    assert (problem.violations(rows) == original.violations(full)).all()
    left_out = [v for v in range(len(original.variables)) if v not in problem.kept]
    assert (full[:, left_out] == original.greedy()[left_out]).all()
    assert list(problem.frozen.values()) == original.greedy()[left_out].tolist()
    assert (problem.expand(problem.greedy())[0] == original.greedy()).all()
    feasible = problem.violations(rows) == 0
    check_decoder(problem, rows, feasible)
    if encoding.cardinality is not None:
        assert 0 < encoding.cardinality < len(problem.variables)
        assert (rows[feasible].sum(axis=1) == encoding.cardinality).all()


@settings(max_examples=40, deadline=None)
@given(graphs(), st.integers(1, 5))
def test_max_cut(graph: Graph, most: int) -> None:
    problem = MaxCut(graph)
    assume(len(problem.variables) > most)
    check_freezing(frozen(problem, most))
    check_laws(frozen(problem, most))


@settings(max_examples=40, deadline=None)
@given(graphs(weighted=False), st.integers(1, 5))
def test_independent_set(graph: Graph, most: int) -> None:
    problem = IndependentSet(graph)
    assume(len(problem.variables) > most)
    check_freezing(frozen(problem, most))
    check_laws(frozen(problem, most))


@settings(max_examples=40, deadline=None)
@given(quadratics(), st.sampled_from(["minimise", "maximise"]), st.integers(1, 5))
def test_polynomials_either_way(polynomial: Ising, sense, most: int) -> None:
    assume(polynomial.terms and polynomial.n_variables > most)
    check_freezing(frozen(PolynomialProblem("drawn", polynomial, sense), most))


@pytest.mark.parametrize("most", [1, 4, 7])
@pytest.mark.parametrize("seed", [0, 2, 4, 7])
def test_routes(seed: int, most: int) -> None:
    check_freezing(frozen(route_bundle(deliveries(n=10, seed=seed), 16), most))


@pytest.mark.parametrize("most", [1, 5])
@pytest.mark.parametrize("problem", [schedule(), schedule(shifts=4, fairness=0.0), schedule(shifts=2, people=4)])
def test_schedules(problem: Problem, most: int) -> None:
    check_freezing(frozen(problem, most))
    check_laws(frozen(problem, most))


@pytest.mark.parametrize("most", [3, 4, 6])
def test_terms_of_four_variables(most: int) -> None:
    problem = frozen(Labs(9), most)
    assert problem.original.encode().ising.order == 4
    check_freezing(problem)
    check_laws(problem)


@pytest.mark.parametrize("most", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("k", [1, 2, 3, 5, 6])
def test_a_fixed_number_of_ones_stays_one_and_is_balanced(k: int, most: int) -> None:
    problem = frozen(portfolio(n=7, k=k), most)
    check_freezing(problem)
    check_laws(problem)
    ones = problem.encode().cardinality
    assert ones == problem.greedy().sum() == k - sum(problem.frozen.values())
    fewest, most_ones = max(1, most - (7 - k)), min(k, most - 1)
    assert abs(ones - most / 2) == min(abs(one - most / 2) for one in range(fewest, most_ones + 1))


@pytest.mark.parametrize(
    ("kind", "most", "best", "moved", "feasible"),
    [("delivery_routes", 8, 2842, 2842, 5), ("shift_schedule", 7, 15, 15, 4)],
)
def test_the_shipped_instances_leave_something_to_choose(
    kind, most: int, best: float, moved: float, feasible: int
) -> None:
    original = build(ProblemSpec(kind=kind), Path(), "")
    problem = frozen(original, most)
    check_freezing(problem)
    rows = all_rows(most)
    rows = rows[problem.violations(rows) == 0]
    assert (len(rows), problem.objective(rows).min()) == (feasible, best)
    assert original.objective(best_move(original)[None])[0] == moved < original.objective(original.greedy()[None])[0]


def test_a_move_is_a_held_flip_and_a_descent() -> None:
    problem = route_bundle(deliveries(n=8, seed=2), 12)
    ising, greedy = problem.encode().ising, problem.greedy()
    for variable, move in enumerate(moves_of(problem)):
        ended = greedy.copy()
        ended[list(move.flips)] ^= 1
        assert variable in move.flips
        assert ising.energies(ended)[0] == pytest.approx(move.energy)
        for other in set(range(len(greedy))) - {variable}:
            step = ended.copy()
            step[other] ^= 1
            assert ising.energies(step)[0] >= move.energy - 1e-9 * abs(move.energy)


def test_with_a_fixed_number_of_ones_a_move_is_the_best_exchange() -> None:
    problem = portfolio(n=7, k=3)
    greedy = problem.greedy()
    for variable, move in enumerate(moves_of(problem)):
        swapped = [row for row in all_rows(7) if (row != greedy).sum() == 2 and row.sum() == 3]
        through = [row for row in swapped if row[variable] != greedy[variable]]
        assert move.energy == pytest.approx(min(problem.encode().ising.energies(np.array(through))))
        assert len(move.flips) == 2
        assert greedy[list(move.flips)].sum() == 1


def test_whole_moves_are_kept_in_the_order_of_their_energy() -> None:
    problem = route_bundle(deliveries(n=10, seed=7), 16)
    kept = set(frozen(problem, 8).kept)
    ranked = sorted(moves_of(problem), key=lambda move: round(move.energy, 6))
    room: set[int] = set()
    for move in ranked:
        if len(room | set(move.flips)) <= 8:
            room |= set(move.flips)
    assert room <= kept
    assert any(len(move.flips) > 1 for move in ranked)
    assert best_move(problem).tolist() != problem.greedy().tolist()


def test_a_cheaper_move_stays_free_before_a_dearer_one() -> None:
    """Independent bits: the greedy row is all zeros or ones, and the least weights are contested least dearly."""
    weights = [5.0, -1.0, 3.0, 0.5, -4.0]
    problem = PolynomialProblem("lone", from_bits(5, [((i,), w) for i, w in enumerate(weights)]), "minimise")
    assert problem.greedy().tolist() == [0, 1, 0, 0, 1]
    assert frozen(problem, 2).kept == (1, 3)
    for offset, unit in ((0.0, 1e-10), (0.0, 1e10), (1e10, 1.0)):
        terms = [((i,), w * unit) for i, w in enumerate(weights)]
        assert frozen(PolynomialProblem("unit", from_bits(5, terms, offset), "minimise"), 2).kept == (1, 3)
    assert [move.flips for move in moves_of(problem)] == [(0,), (1,), (2,), (3,), (4,)]


def test_ties_go_to_the_lower_variable() -> None:
    problem = PolynomialProblem("alike", from_bits(6, [((i,), 1.0) for i in range(6)]), "minimise")
    assert frozen(problem, 3).kept == (0, 1, 2)


def test_over_a_reduced_problem() -> None:
    original = MaxCut(random_regular(20, 3, 1))
    middle = reduce(original, 13)
    assert isinstance(middle, ReducedProblem)
    problem = frozen(middle, 8)
    check_freezing(problem)
    assert problem.name == f"{original.name} reduced to 13 of 20 frozen to 8 of 13"
    assert len(problem.interpret(problem.greedy())) == len(original.interpret(original.greedy()))


def test_a_frozen_problem_can_be_frozen_again() -> None:
    """The second row is the greedy row of the first."""
    twice = frozen(frozen(route_bundle(deliveries(n=10, seed=2), 16), 9), 6)
    check_freezing(twice)


def test_repair_falls_back_on_the_greedy_row() -> None:
    problem = frozen(route_bundle(deliveries(n=10, seed=4), 16), 7)
    rows = all_rows(7)
    once = problem.restrict(problem.original.repair(problem.expand(rows)))
    lost = problem.violations(once) > 0
    assert lost.any()
    assert not lost.all()
    assert (problem.repair(rows)[lost] == problem.greedy()).all()
    assert (problem.repair(rows)[~lost] == once[~lost]).all()


def test_what_fits_is_returned_as_it_is() -> None:
    for problem in (MaxCut(named("petersen")), Labs(10)):
        assert freeze(problem, 10) is problem


def test_the_same_question_gives_the_same_problem() -> None:
    one, other = (frozen(route_bundle(deliveries(n=10, seed=3), 16), 7) for _ in range(2))
    assert (one.kept, one.fingerprint) == (other.kept, other.fingerprint)
    assert one.encode().ising.fingerprint == other.encode().ising.fingerprint
    assert len({one.fingerprint, one.original.fingerprint, frozen(one.original, 6).fingerprint}) == 3


def test_it_says_what_it_is_and_that_it_is_a_heuristic() -> None:
    problem = frozen(IndependentSet(from_edges("path", [(i, i + 1) for i in range(13)])), 3)
    assert problem.name == "path frozen to 3 of 14"
    assert (problem.kind, problem.sense, problem.unit) == ("independent_set", "maximise", "nodes")
    assert len(problem.variables) == 3
    assert not set(problem.variables) & set(problem.frozen)
    rule = problem.encode().rule
    assert "; 11 of 14 variables are frozen at the greedy row, a heuristic: " in rule
    assert rule.endswith(" and 3 more")
    name, value = next(iter(problem.frozen.items()))
    assert f"{name} = {value}" in rule


def test_spins_are_substituted_in_any_order_of_terms() -> None:
    ising = Ising(4, ((2,), (0, 1, 3), (0, 2), (1, 3)), np.array([2.0, 3.0, 5.0, 7.0]), 1.0)
    found = substituted(ising, [0, 2], np.array([0, 1, 1, 1], dtype=np.uint8))
    # z_1 = z_3 = -1: 3 z_0, 5 z_0 z_2, 2 z_2 and 1 + 7
    assert dict(zip(found.terms, found.coefficients, strict=True)) == {(0,): 3.0, (1,): 2.0, (0, 1): 5.0}
    assert found.offset == 8.0


@pytest.mark.parametrize(
    ("kept", "expected"),
    [((), "keeps ()"), ((1, 0), "keeps (1, 0)"), ((0, 7), "keeps (0, 7) of 7"), ((1, 1), "each once, in order")],
)
def test_variables_that_cannot_be_kept_are_named(kept: tuple[int, ...], expected: str) -> None:
    with pytest.raises(PlanError) as caught:
        FrozenProblem(portfolio(n=7, k=3), kept)
    assert expected in str(caught.value)


def test_a_subspace_without_a_choice_is_refused() -> None:
    problem = portfolio(n=7, k=3)
    held = tuple(np.flatnonzero(problem.greedy()).tolist())
    with pytest.raises(PlanError, match="keeps 3 variables, of which 3 are 1 in every row that has 3 ones"):
        FrozenProblem(problem, held)
    with pytest.raises(PlanError, match="at least 2 variables"):
        freeze(problem, 1)
    with pytest.raises(PlanError, match="is asked to leave 0 variables"):
        freeze(problem, 0)
    everything = replace(problem, k=7, previous=())
    assert frozen(everything, 4).encode().cardinality == 4  # there was no choice before either


def test_rows_of_another_width_are_named() -> None:
    problem = frozen(MaxCut(named("karate")), 14)
    with pytest.raises(PlanError, match=r"karate frozen to 14 of 34: bits: have the shape \(1, 34\)"):
        problem.objective(np.zeros((1, 34), dtype=np.uint8))
