import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising, unpack
from quantum_assets.solvers.flips import anneal, descend, search
from quantum_assets_tests.solvers.instances import minimum, random_ising


def neighbours(row: np.ndarray) -> np.ndarray:
    return row[None, :] ^ np.eye(len(row), dtype=np.uint8)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 6), st.integers(1, 4), st.integers(0, 1000))
def test_descent_takes_the_steepest_step_until_none_is_left(n, order, seed):
    ising = random_ising(n, min(order, n), seed)
    for row, found in zip(unpack(np.arange(2**n), n), descend(ising, unpack(np.arange(2**n), n)), strict=True):
        while (around := ising.energies(neighbours(row))).min() < ising.energies(row)[0] - 1e-9:
            row = neighbours(row)[around.argmin()]  # noqa: PLW2901 - the row walks downhill
        assert (row == found).all()


def test_descent_leaves_its_input_alone_and_knows_flat_polynomials():
    bits = np.array([[0, 1]], dtype=np.uint8)
    descend(Ising(2, ((0, 1),), np.array([-1.0])), bits)
    assert bits.tolist() == [[0, 1]]
    assert descend(Ising(2, (), np.array([])), bits).tolist() == [[0, 1]]
    assert descend(Ising(2, ((0,),), np.array([0.0])), bits).tolist() == [[0, 1]]
    with pytest.raises(PlanError, match="3 columns"):
        descend(Ising(2, ((0,),), np.array([1.0])), np.zeros((1, 3), dtype=np.uint8))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_annealing_finds_small_optima_and_never_returns_worse_than_it_began(order):
    ising = random_ising(9, order, seed=order)
    starts = np.random.default_rng(0).integers(0, 2, (12, 9), dtype=np.uint8)
    found = anneal(ising, starts, sweeps=60, seed=1)
    assert (ising.energies(found) <= ising.energies(starts) + 1e-9).all()
    assert ising.energies(found).min() == pytest.approx(minimum(ising))
    assert (found == anneal(ising, starts, sweeps=60, seed=1)).all()


def test_annealing_stops_when_it_is_told_to():
    ising = random_ising(6, 3, seed=1)
    asked = []
    anneal(ising, np.zeros((2, 6), dtype=np.uint8), sweeps=50, seed=0, stop=lambda: len(asked) == 3 or asked.append(1))
    assert len(asked) == 3


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_tabu_search_leaves_local_minima(order):
    ising = random_ising(9, order, seed=order)
    every = unpack(np.arange(2**9), 9)
    stuck = np.unique(descend(ising, every), axis=0)  # all local minima, the best among them
    found = search(ising, stuck, flips=300, tenure=2, seed=1)
    assert ising.energies(found) == pytest.approx(minimum(ising))
    assert (found == search(ising, stuck, flips=300, tenure=2, seed=1)).all()
