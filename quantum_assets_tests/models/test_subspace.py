"""What a frozen subspace has to offer, and what the ladder says where the optimum is outside."""

import numpy as np
import pytest

from quantum_assets.contracts.problem import Problem
from quantum_assets.models.attribution import climb
from quantum_assets.models.controls import uniform_shots
from quantum_assets.models.subspace import survey
from quantum_assets.problems.freezing import FrozenProblem, freeze
from quantum_assets.problems.penalty import check
from quantum_assets.problems.polynomial import from_bits
from quantum_assets.problems.polynomial_problem import PolynomialProblem
from quantum_assets.problems.routes import route_bundle
from quantum_assets.problems.ward import ward
from quantum_assets_tests.problems.laws import all_rows
from quantum_assets_tests.problems.test_deliveries import made
from quantum_assets_tests.problems.test_portfolio import made as portfolio


def frozen(problem: Problem, most: int) -> FrozenProblem:
    """As `freeze`, where it must do something."""
    found = freeze(problem, most)
    assert isinstance(found, FrozenProblem)
    return found


@pytest.mark.parametrize("problem", [route_bundle(made(n=10, seed=2), 16), ward(), portfolio(n=8, k=4)])
@pytest.mark.parametrize("most", [3, 5, 7])
def test_it_is_what_enumeration_says(problem: Problem, most: int) -> None:
    kernel = frozen(problem, most)
    known = check(problem).best_objective
    found = survey(kernel, known)
    rows = all_rows(most)
    values = kernel.objective(rows[kernel.violations(rows) == 0])
    best = values.max() if problem.sense == "maximise" else values.min()
    assert (found.rows, found.feasible, found.best_known) == (2**most, len(values), known)
    assert found.best == pytest.approx(best)
    assert found.reachable == (best == pytest.approx(known, rel=1e-9))
    worse = max if problem.sense == "minimise" else min
    greedy = float(problem.objective(problem.greedy()[None])[0])
    assert worse(found.best_move, greedy) == greedy  # a move is never worse than where it began


def test_both_endings_are_told() -> None:
    known = check(ward()).best_objective
    told = survey(frozen(ward(), 7), known).sentence()
    assert told.startswith("ward frozen to 7 of 16, a heuristic narrowing: 4 of 128 rows are feasible")
    assert told.endswith("the best known of the whole instance is 15, so the optimum can be reached.")
    outside = survey(frozen(ward(), 2), known)
    assert not outside.reachable
    assert outside.best > known
    assert "so the optimum is outside, and P(optimum) is 0 for every rung alike" in outside.sentence()


@pytest.mark.parametrize("unit", [1e-10, 1.0, 1e10])
def test_what_can_be_reached_does_not_depend_on_the_unit(unit: float) -> None:
    weights = [5.0, -1.0, 3.0, 0.5, -4.0]
    whole = PolynomialProblem("lone", from_bits(5, [((i,), w * unit) for i, w in enumerate(weights)]))
    kernel = frozen(whole, 2)
    known = check(whole).best_objective
    assert survey(kernel, known).reachable
    assert not survey(kernel, known - 0.5 * unit).reachable


def test_the_ladder_stands_where_the_optimum_is_outside() -> None:
    """No rung reaches it, no test speaks of it, and gaps are still those to the best of the whole instance."""
    problem = route_bundle(made(n=10, seed=2), 16)
    best = check(problem)
    kernel = frozen(problem, 7)
    assert not survey(kernel, best.best_objective).reachable
    shots = uniform_shots(7, 300, seed=3)
    ladder = climb(kernel, shots.bits, shots.counts, best_energy=best.best_energy, seed=0)
    assert ladder.best_known == pytest.approx(best.best_objective)
    assert {rung.optimum.value for rung in ladder.rungs} == {0.0}
    inside = survey(kernel, best.best_objective).best - best.best_objective
    gaps = [rung.gap.value for rung in ladder.rungs if rung.gap is not None]
    assert len(gaps) == 4
    assert min(gaps) >= inside - 1e-9 > 0
    assert all(contrast.difference == 0 for contrast in ladder.contrasts if contrast.measure == "optimum")
    assert all(contrast.p_value == 1 for contrast in ladder.contrasts if contrast.measure == "optimum")


def test_the_ladder_stands_where_only_the_greedy_row_is_feasible() -> None:
    kernel = frozen(route_bundle(made(n=10, seed=2), 16), 1)
    assert survey(kernel, 432.0).feasible == 1
    ladder = climb(kernel, all_rows(1), np.array([40, 60]), best_energy=432.0, seed=0)
    assert {rung.gap.value for rung in ladder.rungs if rung.gap is not None} == {5.0}
    assert ladder.finding() == "not told apart from"
