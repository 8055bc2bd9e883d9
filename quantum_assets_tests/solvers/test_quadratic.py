import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.problem import Ising, unpack
from quantum_assets.solvers.declined import Declined
from quantum_assets.solvers.quadratic import binary_monomials, quadratic
from quantum_assets_tests.solvers.instances import random_ising


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 1000))
def test_binary_form_has_the_same_value_everywhere(n, order, seed):
    ising = random_ising(n, min(order, n), seed)
    rows = unpack(np.arange(2**n), n)
    constant, monomials = binary_monomials(ising)
    values = constant + sum(w * rows[:, list(part)].prod(axis=1) for part, w in monomials.items())
    assert np.allclose(values, ising.energies(rows))


@pytest.mark.parametrize("order", [3, 4])
@pytest.mark.parametrize("seed", range(4))
def test_reduction_is_exact_for_every_row_and_the_strength_is_needed(order, seed):
    ising = random_ising(5, order, seed)
    reduced = quadratic(ising)
    size = reduced.n_variables + reduced.n_auxiliaries
    order_of = [*range(5), *(v for v in reduced.model.variables if not isinstance(v, int))]
    assert len(order_of) == size <= 16
    every = unpack(np.arange(2**size), size)
    values = reduced.model.energies((every, order_of)).reshape(-1, 32).min(axis=0)  # auxiliaries are the high bits
    assert np.allclose(values, ising.energies(unpack(np.arange(32), 5)))
    assert reduced.strength > 0


def test_quadratic_stays_as_it_is_and_answers_are_read_back():
    ising = random_ising(5, 2, seed=3)
    found = quadratic(ising)
    assert (found.n_auxiliaries, found.strength) == (0, 0.0)
    rows = unpack(np.arange(32), 5)
    assert np.allclose(found.model.energies((1 - 2 * rows.astype(int), range(5))), ising.energies(rows))
    import dimod

    answer = dimod.SampleSet.from_samples_bqm((1 - 2 * rows[:, ::-1].astype(int), [4, 3, 2, 1, 0]), found.model)
    assert (found.bits(answer) == rows).all()


def test_a_variable_without_terms_is_kept():
    assert quadratic(Ising(3, ((0, 1),), np.array([1.0]))).model.num_variables == 3
    assert quadratic(Ising(4, ((0, 1, 2),), np.array([1.0]))).n_variables == 4


def test_very_high_orders_are_declined():
    with pytest.raises(Declined, match="order 9"):
        quadratic(Ising(9, (tuple(range(9)),), np.array([1.0])))
