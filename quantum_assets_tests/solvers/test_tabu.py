import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.solvers import tabu
from quantum_assets_tests.solvers.instances import Clock, karate_max_cut, minimum, random_ising

SHORT = {"reads": 3, "restarts": 1, "moves": 500, "moves_per_variable": 1}


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_finds_small_optima(order):
    ising = random_ising(8, order, seed=order)
    found = tabu.solve(ising, seconds=60, seed=1, reads=8, moves=2000, moves_per_variable=1)
    assert found.energy == pytest.approx(minimum(ising))
    assert found.bits.shape == (8,)


@pytest.mark.parametrize(("n", "order"), [(60, 2), (12, 3)])
def test_same_seed_same_rows(n, order):
    ising = random_ising(n, order, seed=3)
    one, two = (tabu.solve(ising, seconds=1e6, seed=9, **SHORT) for _ in range(2))
    assert (one.bits == two.bits).all()
    assert one.settings["stopped_by"] == "reads"


def test_karate():
    assert tabu.solve(karate_max_cut(), seconds=60, seed=1).energy == -61


def test_the_cap_cuts_a_search_of_higher_order():
    found = tabu.solve(random_ising(10, 3, 1), seconds=4, seed=1, clock=Clock(1.0), moves=10**6)
    assert found.settings["stopped_by"] == "seconds"


def test_the_cap_cuts_between_reads():
    found = tabu.solve(random_ising(10, 2, 1), seconds=2.5, seed=1, clock=Clock(1.0), **SHORT)
    assert (found.reads, found.settings["stopped_by"]) == (1, "seconds")


@pytest.mark.parametrize("budget", [{"reads": 0}, {"restarts": -1}, {"moves": 0}, {"moves_per_variable": 0}])
def test_refuses_an_empty_budget(budget):
    with pytest.raises(PlanError, match="at least"):
        tabu.solve(random_ising(4, 2, 1), seconds=1, seed=0, **budget)
