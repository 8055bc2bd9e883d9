import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.solvers import greedy
from quantum_assets_tests.solvers.instances import Clock, minimum, random_ising


@pytest.mark.parametrize("order", [1, 2, 4])
def test_many_starts_find_small_optima(order):
    ising = random_ising(8, order, seed=order)
    assert greedy.solve(ising, seconds=60, seed=1).energy == pytest.approx(minimum(ising))


def test_a_given_row_is_offered_as_it_is_and_after_the_descent():
    ising = Ising(3, ((0,), (1,), (2,)), np.array([1.0, 1.0, 1.0]))
    found = greedy.solve(ising, seconds=60, seed=0, reads=0, starts=np.array([0, 0, 1], dtype=np.uint8))
    assert [i.energy for i in found.incumbents] == [1.0, -3.0]
    assert (found.reads, found.settings["given"]) == (1, 1)


def test_same_seed_same_row():
    ising = random_ising(40, 2, 3)
    assert (greedy.solve(ising, seconds=9, seed=2).bits == greedy.solve(ising, seconds=9, seed=2).bits).all()


def test_the_cap_cuts_between_chunks():
    found = greedy.solve(random_ising(8, 2, 1), seconds=2.5, seed=1, reads=1000, clock=Clock(1.0))
    assert found.settings["stopped_by"] == "seconds"
    assert 64 <= found.reads < 1000


def test_needs_a_start():
    with pytest.raises(PlanError, match="Give at least one"):
        greedy.solve(random_ising(4, 2, 1), seconds=1, seed=0, reads=0)
