import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.solvers import tree
from quantum_assets.solvers.declined import Declined
from quantum_assets_tests.recorded import needs_data, spin125
from quantum_assets_tests.solvers.instances import karate_max_cut, minimum, random_ising


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_optimum_of_small_instances(order, seed):
    ising = random_ising(7, order, seed)
    found = tree.solve(ising, seconds=60)
    assert found.energy == pytest.approx(minimum(ising))
    assert found.proven


def test_karate_is_proven():
    found = tree.solve(karate_max_cut(), seconds=60)
    assert (found.energy, found.proven, found.settings["width"]) == (-61, True, 5)


def test_a_dense_instance_is_declined_by_its_core_and_a_wide_one_by_its_order():
    with pytest.raises(Declined, match="at least 29"):
        tree.solve(_complete(30), seconds=60)
    grid = _grid(8)
    with pytest.raises(Declined, match="limit is 3"):
        tree.solve(grid, seconds=60, max_width=3)
    assert tree.solve(grid, seconds=60, max_width=12).proven


def test_refuses_a_limit_that_the_solver_does_not_know():
    with pytest.raises(PlanError, match="1 to 25"):
        tree.solve(_grid(2), seconds=1, max_width=26)


@needs_data
def test_the_spin_glass_of_125_qubits():
    found = tree.solve(spin125(), seconds=60)
    assert (found.energy, found.bound) == (-130, -130)


def _complete(n: int) -> Ising:
    terms = tuple((i, j) for i in range(n) for j in range(i + 1, n))
    return Ising(n, terms, np.ones(len(terms)))


def _grid(side: int) -> Ising:
    right = [(side * r + c, side * r + c + 1) for r in range(side) for c in range(side - 1)]
    down = [(side * r + c, side * r + c + side) for r in range(side - 1) for c in range(side)]
    weights = np.random.default_rng(0).choice([-1.0, 1.0], len(right) + len(down))
    return Ising(side * side, (*right, *down), weights)
