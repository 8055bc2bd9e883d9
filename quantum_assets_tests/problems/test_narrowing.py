"""From the instance to what fits a machine and back: exactly, or exactly as far as that goes and then frozen."""

from pathlib import Path

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import ProblemSpec
from quantum_assets.contracts.problem import Problem
from quantum_assets.problems.build import build
from quantum_assets.problems.freezing import FrozenProblem
from quantum_assets.problems.graphs import named, random_regular
from quantum_assets.problems.labs import Labs
from quantum_assets.problems.max_cut import MaxCut
from quantum_assets.problems.narrowing import narrow, narrowed_how, widened
from quantum_assets.problems.penalty import check
from quantum_assets.problems.reduction import ReducedProblem, reduce
from quantum_assets.problems.ward import ward
from quantum_assets_tests.problems.laws import all_rows
from quantum_assets_tests.problems.test_freezing import check_freezing
from quantum_assets_tests.problems.test_portfolio import made as portfolio

CUBIC = MaxCut(random_regular(30, 3, 0))


def test_what_fits_is_returned_as_it_is() -> None:
    problem = MaxCut(named("petersen"))
    assert narrow(problem, 10) is narrow(problem, 12, "freeze") is problem
    assert narrowed_how(problem) == "all 10 variables"
    rows = all_rows(10)[:5]
    assert widened(problem, rows) is rows


@pytest.mark.parametrize("how", ["exact", "freeze"])
def test_what_elimination_brings_down_is_not_frozen(how) -> None:
    problem = narrow(MaxCut(named("karate")), 14, how)
    assert isinstance(problem, ReducedProblem)
    assert problem.fingerprint == reduce(MaxCut(named("karate")), 14).fingerprint
    assert narrowed_how(problem) == "14 of 34 variables: 20 eliminated exactly"


def test_what_it_does_not_bring_down_is_frozen_on_top_of_it() -> None:
    problem = narrow(CUBIC, 12, "freeze")
    assert isinstance(problem, FrozenProblem)
    assert isinstance(problem.original, ReducedProblem)
    assert problem.original.original is CUBIC
    assert narrowed_how(problem) == (
        "12 of 30 variables: 12 eliminated exactly, 6 frozen at the greedy row, a heuristic"
    )
    check_freezing(problem)


@pytest.mark.parametrize("problem", [CUBIC, MaxCut(named("karate")), ward(), portfolio(), MaxCut(named("petersen"))])
def test_rows_of_the_instance_say_what_the_narrow_rows_say(problem: Problem) -> None:
    kernel = narrow(problem, 6, "freeze")
    rows = kernel.repair(all_rows(len(kernel.variables)))
    full = widened(kernel, rows)
    assert full.shape == (len(rows), len(problem.variables))
    assert (problem.violations(full) == 0).all()
    np.testing.assert_array_equal(problem.objective(full), kernel.objective(rows))
    np.testing.assert_allclose(
        problem.encode().ising.energies(full), kernel.encode().ising.energies(rows), rtol=1e-9, atol=1e-9
    )


@pytest.mark.parametrize("problem", [portfolio(n=7, k=3), Labs(9)])
def test_a_fixed_number_of_ones_and_higher_terms_are_frozen_at_once(problem: Problem) -> None:
    kernel = narrow(problem, 5, "freeze")
    assert isinstance(kernel, FrozenProblem)
    assert kernel.original is problem
    assert (kernel.encode().cardinality is None) == (problem.encode().cardinality is None)


def test_elimination_first_may_leave_a_better_subspace() -> None:
    """One tour of the shipped sixteen is eliminated; with it the optimum comes within reach of eight variables."""
    problem = build(ProblemSpec(kind="delivery_routes"), Path(), "")
    kernel = narrow(problem, 8, "freeze")
    assert narrowed_how(kernel).startswith("8 of 16 variables: 1 eliminated exactly, 7 frozen")
    assert check(kernel).best_objective == check(problem).best_objective == 2764


@pytest.mark.parametrize(("problem", "leaves"), [(CUBIC, 18), (ward(), 16)])
def test_exactly_means_refused_where_it_does_not_suffice(problem: Problem, leaves: int) -> None:
    with pytest.raises(PlanError) as caught:
        narrow(problem, 12)
    assert f"exact elimination leaves {leaves}, over the 12" in str(caught.value)
    assert f"raise that limit to {leaves}" in str(caught.value)
    assert "quantum.narrowing: freeze" in str(caught.value)


@pytest.mark.parametrize("how", ["exact", "freeze"])
def test_no_room_at_all_is_refused(how) -> None:
    with pytest.raises(PlanError, match="is asked to leave 0 variables"):
        narrow(CUBIC, 0, how)
