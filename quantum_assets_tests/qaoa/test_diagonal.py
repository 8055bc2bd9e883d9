"""Energies by doubling are the polynomial's own; states with a fixed number of ones are all of them."""

from itertools import combinations

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising, unpack
from quantum_assets.qaoa.diagonal import MOST_VARIABLES, all_energies, diagonal, states_with
from quantum_assets_tests.qaoa.polynomials import labs, max_cut, random_polynomial


@pytest.mark.parametrize(("n", "order"), [(1, 1), (2, 2), (4, 4), (7, 3), (10, 5), (13, 2)])
def test_doubling_gives_the_polynomial_at_every_state(n: int, order: int) -> None:
    ising = random_polynomial(n, order, seed=n)
    wanted = ising.energies(unpack(np.arange(1 << n), n)) - ising.offset
    np.testing.assert_allclose(all_energies(ising), wanted, atol=1e-12)


def test_a_polynomial_without_terms_is_flat() -> None:
    found = diagonal(Ising(3, (), np.empty(0), 2.5))
    np.testing.assert_array_equal(found.energies, np.zeros(8))
    assert found.minimum == 2.5
    assert len(found.optima) == 8


def test_few_energies_become_levels_and_many_do_not() -> None:
    few = diagonal(labs(8))
    assert few.levels is not None
    assert few.level_of is not None
    np.testing.assert_array_equal(few.levels[few.level_of], few.energies)
    assert (np.diff(few.levels) > 0).all()
    assert diagonal(random_polynomial(10, 2, seed=0, per_size=30)).levels is None


@pytest.mark.parametrize(("n", "minimum"), [(10, 13), (14, 19)])
def test_published_optima_of_low_autocorrelation_sequences(n: int, minimum: int) -> None:
    found = diagonal(labs(n))
    assert found.minimum == minimum
    bits = unpack(found.optima, n)
    spins = 1 - 2 * bits.astype(int)
    for row in spins:
        assert sum(int(row[:-lag] @ row[lag:]) ** 2 for lag in range(1, n)) == minimum


@pytest.mark.parametrize(("n", "ones"), [(1, 0), (1, 1), (5, 0), (5, 2), (6, 6), (9, 4)])
def test_states_with_so_many_ones_are_all_of_them_in_order(n: int, ones: int) -> None:
    wanted = sorted(sum(1 << place for place in chosen) for chosen in combinations(range(n), ones))
    np.testing.assert_array_equal(states_with(n, ones), wanted)


@pytest.mark.parametrize("n", [8, 14])
def test_energies_of_a_subspace_are_those_of_its_states(n: int) -> None:
    ising = random_polynomial(n, 3, seed=2)
    found = diagonal(ising, cardinality=3)
    assert found.states is not None
    np.testing.assert_allclose(found.energies, all_energies(ising)[found.states], atol=1e-12)
    lowest = found.optima
    assert (unpack(lowest, n).sum(axis=1) == 3).all()
    np.testing.assert_allclose(ising.energies(unpack(lowest, n)), found.minimum)


@pytest.mark.parametrize("times", [1e-10, 1.0, 1e10])
def test_the_optima_are_the_same_in_every_unit(times: float) -> None:
    ising = random_polynomial(8, 2, seed=5)
    scaled = Ising(8, ising.terms, ising.coefficients * times, ising.offset * times)
    np.testing.assert_array_equal(diagonal(scaled).optima, diagonal(ising).optima)
    assert len(diagonal(ising).optima) < 256


def test_what_is_too_large_is_refused_before_memory_is_taken() -> None:
    wide = Ising(40, ((0, 1),), np.ones(1))
    with pytest.raises(PlanError, match=f"40 variables; the exact engine writes down 2\\*\\*{MOST_VARIABLES} states"):
        diagonal(wide)
    assert diagonal(wide, cardinality=2).n_states == 780
    with pytest.raises(PlanError, match="20 ones among 40 variables: are 137846528820 basis states"):
        diagonal(wide, cardinality=20)
    with pytest.raises(PlanError, match="are no basis states"):
        states_with(3, 4)


def test_ascending_puts_the_lowest_first() -> None:
    found = diagonal(max_cut("petersen"))
    assert (np.diff(found.energies[found.ascending]) >= 0).all()
    assert found.minimum == -12
