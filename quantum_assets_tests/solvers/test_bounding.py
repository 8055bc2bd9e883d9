import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.solvers import bounding
from quantum_assets.solvers.declined import Declined
from quantum_assets_tests.solvers.instances import Clock, karate_max_cut, minimum, random_ising, times


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(3))
def test_optimum_of_small_instances(order, seed):
    ising = random_ising(6, order, seed)
    found = bounding.solve(ising, seconds=60, seed=1)
    assert found.energy == pytest.approx(minimum(ising))
    assert found.proven
    assert found.settings["stopped_by"] == "proof"
    assert np.all(np.diff([i.energy for i in found.incumbents]) < 0)


def test_karate_is_proven_the_same_way_twice():
    one, two = (bounding.solve(karate_max_cut(), seconds=600, seed=1) for _ in range(2))
    assert (one.energy, one.proven) == (-61, True)
    assert (one.bits == two.bits).all()
    assert one.bits[0] == 0  # the turned half of the tree is cut away


@pytest.mark.parametrize("factor", [1e-10, 1e-8, 1e-7, 1.0, 1e10])
def test_what_is_proven_is_so_whatever_the_unit(factor):
    for seed in range(3):
        ising = times(random_ising(11, 2, seed), factor)
        found = bounding.solve(ising, seconds=60, seed=0)
        assert found.proven
        assert found.energy == pytest.approx(minimum(ising), rel=1e-12)
        assert found.bound == found.energy


def test_small_differences_beside_large_ones_are_no_rounding():
    rng = np.random.default_rng(4)
    for _ in range(4):
        twins = Ising(9, tuple((i, i + 1) for i in range(8)), np.where(rng.random(8) < 0.5, 1.0, -1.0))  # two best rows
        apart = Ising(
            9, (*twins.terms, *((i,) for i in range(9))), np.r_[twins.coefficients, 1e-8 * rng.normal(size=9)]
        )
        found = bounding.solve(apart, seconds=60, seed=0)
        assert found.energy <= minimum(apart) + apart.tolerance
        assert found.bound is not None
        assert found.bound <= minimum(apart) + apart.tolerance


def test_an_open_tree_still_bounds_from_below():
    ising = random_ising(30, 2, seed=7)
    cut = bounding.solve(ising, seconds=0.5, seed=1, clock=Clock(1.0))  # no time is left when HiGHS begins
    assert cut.settings["stopped_by"] == "seconds"
    assert cut.bound is None or cut.bound <= cut.energy
    small = random_ising(14, 2, seed=7)
    found = bounding.solve(small, seconds=600, seed=1, nodes=1)
    assert found.bound is not None
    assert found.bound <= minimum(small) + 1e-9 <= found.energy + 2e-9
    tiny = times(small, 1e-9)
    found = bounding.solve(tiny, seconds=600, seed=1, nodes=1)
    assert found.bound is not None
    assert found.bound <= minimum(tiny) + tiny.tolerance
    assert found.bound >= minimum(tiny) - np.abs(tiny.coefficients).sum()  # and it is of the instance's size


def test_without_terms_there_is_nothing_to_find():
    found = bounding.solve(Ising(2, (), np.array([]), 1.5), seconds=60, seed=0)
    assert (found.energy, found.bound) == (1.5, 1.5)


def test_too_many_products_are_declined():
    with pytest.raises(Declined, match="products"):
        bounding.solve(karate_max_cut(), seconds=1, seed=1, max_products=77)


@pytest.mark.parametrize("bad", [{"seed": -1}, {"seed": 2**31}, {"nodes": 0}])
def test_refuses_bad_settings(bad):
    with pytest.raises(PlanError, match="seed"):
        bounding.solve(karate_max_cut(), **{"seconds": 1, "seed": 0, **bad})
