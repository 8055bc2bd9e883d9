"""Polynomials of bits and spins: one into the other without loss, and every energy by enumeration."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising, unpack
from quantum_assets.problems.polynomial import all_energies, from_bits, from_spins, squared, to_bits, to_qubo
from quantum_assets_tests.problems.laws import all_rows

WEIGHTS = st.floats(-8, 8, allow_nan=False).map(lambda w: round(w * 64) / 64)  # dyadic: sums are exact


def terms(n: int, order: int) -> st.SearchStrategy[list[tuple[tuple[int, ...], float]]]:
    variables = st.lists(st.integers(0, n - 1), max_size=order).map(tuple)
    return st.lists(st.tuples(variables, WEIGHTS), max_size=12)


@settings(max_examples=60, deadline=None)
@given(terms(5, 4))
def test_bits_to_spins_keeps_every_energy(given_terms: list[tuple[tuple[int, ...], float]]) -> None:
    rows = all_rows(5)
    direct = sum((w * rows[:, list(t)].prod(axis=1, dtype=np.float64) for t, w in given_terms), np.full(32, 0.25))
    assert (from_bits(5, given_terms, 0.25).energies(rows) == direct).all()


@settings(max_examples=60, deadline=None)
@given(terms(5, 4))
def test_spin_terms_keep_every_energy(given_terms: list[tuple[tuple[int, ...], float]]) -> None:
    rows = all_rows(5)
    spins = 1.0 - 2.0 * rows
    direct = sum((w * spins[:, list(t)].prod(axis=1) for t, w in given_terms), np.zeros(32))
    ising = from_spins(5, given_terms)
    assert (ising.energies(rows) == direct).all()
    assert (ising.coefficients != 0).all()


@settings(max_examples=60, deadline=None)
@given(terms(6, 4), st.randoms())
def test_order_of_terms_leaves_no_trace(given_terms: list[tuple[tuple[int, ...], float]], random) -> None:
    thirds = [(t, w / 3) for t, w in given_terms]
    shuffled = [(tuple(random.sample(t, len(t))), w) for t, w in random.sample(thirds, len(thirds))]
    assert from_bits(6, shuffled).fingerprint == from_bits(6, thirds).fingerprint


@settings(max_examples=60, deadline=None)
@given(terms(9, 4))
def test_all_energies_are_those_of_every_basis_state(given_terms: list[tuple[tuple[int, ...], float]]) -> None:
    ising = from_spins(9, given_terms, 0.5)
    assert (all_energies(ising) == ising.energies(unpack(np.arange(512), 9))).all()


@pytest.mark.parametrize("n", [1, 2, 6, 7, 8, 13])
def test_all_energies_of_real_weights_at_every_width(n: int) -> None:
    rng = np.random.default_rng(n)
    dense = [((i, j), float(rng.normal())) for i in range(n) for j in range(i, n)]
    ising = from_bits(n, dense, 0.1)
    np.testing.assert_allclose(all_energies(ising), ising.energies(unpack(np.arange(1 << n), n)), atol=1e-12 * n * n)


def test_all_energies_without_terms() -> None:
    assert (all_energies(Ising(8, (), np.array([]), 1.5)) == 1.5).all()


@settings(max_examples=60, deadline=None)
@given(terms(5, 2))
def test_qubo_and_back(given_terms: list[tuple[tuple[int, ...], float]]) -> None:
    ising = from_bits(5, given_terms, -1.0)
    qubo = to_qubo(ising)
    assert (qubo.energies(all_rows(5)) == ising.energies(all_rows(5))).all()
    assert (qubo.pairs[:, 0] < qubo.pairs[:, 1]).all()
    again = [((i,), w) for i, w in enumerate(qubo.linear)]
    again += [(tuple(p), w) for p, w in zip(qubo.pairs.tolist(), qubo.weights, strict=True)]
    assert from_bits(5, again, qubo.offset).fingerprint == ising.fingerprint


@settings(max_examples=60, deadline=None)
@given(terms(5, 4))
def test_monomials_of_bits_and_back(given_terms: list[tuple[tuple[int, ...], float]]) -> None:
    ising = from_bits(5, given_terms)
    assert from_bits(5, list(to_bits(ising).items())).fingerprint == ising.fingerprint


def test_squared_is_the_square() -> None:
    rows = all_rows(3)
    energies = from_bits(3, squared({2: 2.0, 0: -1.0}, constant=0.5, weight=4.0)).energies(rows)
    assert (energies == 4.0 * (2.0 * rows[:, 2] - 1.0 * rows[:, 0] + 0.5) ** 2).all()


def test_zeros_are_dropped() -> None:
    ising = from_spins(3, [((0, 1), 2.0), ((1, 0), -2.0), ((2, 2), 3.0), ((1,), 1.0)])
    assert ising.terms == ((1,),)
    assert ising.offset == 3.0


@pytest.mark.parametrize(
    ("call", "culprit", "problem"),
    [
        (lambda: from_bits(2, [((0, 1), np.nan)]), "term (0, 1)", "has the weight nan"),
        (lambda: from_spins(2, [((0,), np.inf)]), "term (0,)", "has the weight inf"),
        (lambda: from_bits(2, [((0, 2), 1.0)]), "Ising term (2,)", "is not an increasing list of variables below 2"),
        (lambda: from_bits(20, [(tuple(range(13)), 1.0)]), "term (0, 1, 2,", "multiplies 13 bits"),
        (lambda: to_qubo(from_spins(3, [((0, 1, 2), 1.0)])), "Ising polynomial", "has order 3"),
        (lambda: to_bits(from_spins(13, [(tuple(range(13)), 1.0)])), "Ising polynomial", "has order 13"),
        (lambda: all_energies(from_spins(25, [((0,), 1.0)])), "enumeration", "is asked for 2^25 energies"),
    ],
)
def test_refusals_name_the_culprit(call, culprit: str, problem: str) -> None:
    with pytest.raises(PlanError) as caught:
        call()
    assert caught.value.culprit.startswith(culprit)
    assert problem in caught.value.problem
