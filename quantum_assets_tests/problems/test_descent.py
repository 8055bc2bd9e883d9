"""Single flips under polynomials of any order, against energies recomputed from scratch."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.problem import Ising
from quantum_assets.problems.descent import descend, flip_changes
from quantum_assets.problems.polynomial import from_spins
from quantum_assets_tests.problems.test_polynomial import terms


@settings(max_examples=60, deadline=None)
@given(terms(7, 4), st.integers(0, 127))
def test_flip_changes_are_differences_of_energies(given_terms, index: int) -> None:
    ising = from_spins(7, given_terms)
    row = ((index >> np.arange(7)) & 1).astype(np.uint8)
    flipped = ising.energies(row ^ np.eye(7, dtype=np.uint8))
    assert (flip_changes(ising, row) == flipped - ising.energies(row)).all()


@settings(max_examples=60, deadline=None)
@given(terms(7, 4), st.integers(0, 127))
def test_descent_follows_the_steepest_path(given_terms, index: int) -> None:
    """The same rule, with every change recomputed from energies at every step."""
    ising = from_spins(7, given_terms)
    row = ((index >> np.arange(7)) & 1).astype(np.uint8)
    start = row.copy()
    slow = row.copy()
    while True:
        changes = ising.energies(slow ^ np.eye(7, dtype=np.uint8)) - ising.energies(slow)
        if changes.min() >= 0:
            break
        slow[int(np.argmin(changes))] ^= 1
    assert (descend(ising, row) == slow).all()
    assert (row == start).all()


def test_descent_on_real_weights_ends_where_no_flip_helps() -> None:
    rng = np.random.default_rng(3)
    n = 60
    dense = [((i, j), float(rng.normal())) for i in range(n) for j in range(i + 1, n)]
    ising = from_spins(n, [*dense, *(((i,), float(rng.normal())) for i in range(n))])
    found = descend(ising, rng.integers(0, 2, n, dtype=np.uint8))
    assert flip_changes(ising, found).min() > -1e-9


def test_nothing_to_descend() -> None:
    flat = Ising(3, (), np.array([]), 1.0)
    assert (descend(flat, np.array([1, 0, 1], dtype=np.uint8)) == [1, 0, 1]).all()
    assert (flip_changes(flat, np.zeros(3, dtype=np.uint8)) == 0).all()
