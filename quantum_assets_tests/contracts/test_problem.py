"""Ising polynomials: their checks, their identity, their energies."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Encoding, Incumbent, Ising, Solution, alike_within, unpack

CUBIC = Ising(3, ((0,), (0, 2), (0, 1, 2)), np.array([1.0, -2.0, 0.5]), offset=0.25)


def _by_hand(ising: Ising, bits: tuple[int, ...]) -> float:
    spins = [1 - 2 * bit for bit in bits]
    return ising.offset + sum(
        float(weight) * float(np.prod([spins[i] for i in term]))
        for term, weight in zip(ising.terms, ising.coefficients, strict=True)
    )


def test_energies_are_the_polynomial_of_spins() -> None:
    rows = list(product((0, 1), repeat=3))
    found = CUBIC.energies(np.array(rows, dtype=np.uint8))
    assert found == pytest.approx([_by_hand(CUBIC, row) for row in rows])
    assert CUBIC.order == 3


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_energies_of_random_polynomials(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    subsets = {tuple(sorted(rng.choice(n, size=rng.integers(1, n + 1), replace=False).tolist())) for _ in range(12)}
    terms = tuple(sorted(subsets))
    ising = Ising(n, terms, rng.normal(size=len(terms)), float(rng.normal()))
    bits = rng.integers(0, 2, (7, n), dtype=np.uint8)
    expected = [_by_hand(ising, tuple(row)) for row in bits.tolist()]
    assert ising.energies(bits) == pytest.approx(expected, abs=1e-12)


def test_a_row_of_another_width_is_refused() -> None:
    with pytest.raises(PlanError, match="4 columns for 3 variables"):
        CUBIC.energies(np.zeros((1, 4), dtype=np.uint8))


def test_the_order_of_terms_is_no_part_of_the_identity_and_everything_else_is() -> None:
    turned = Ising(3, CUBIC.terms[::-1], CUBIC.coefficients[::-1], 0.25)
    assert turned.fingerprint == CUBIC.fingerprint
    for other in (
        Ising(4, CUBIC.terms, CUBIC.coefficients, 0.25),
        Ising(3, CUBIC.terms, CUBIC.coefficients * 2, 0.25),
        Ising(3, CUBIC.terms, CUBIC.coefficients, 0.5),
        Ising(3, ((1,), (0, 2), (0, 1, 2)), CUBIC.coefficients, 0.25),
    ):
        assert other.fingerprint != CUBIC.fingerprint


@pytest.mark.parametrize(
    ("n", "terms", "weights", "offset", "told"),
    [
        (0, (), [], 0.0, "has 0 variables"),
        (2, ((0,),), [1.0, 2.0], 0.0, "coefficients of shape"),
        (2, ((0,),), [np.nan], 0.0, "not finite"),
        (2, ((0,),), [1.0], np.inf, "offset inf"),
        (2, ((0,), (0,)), [1.0, 1.0], 0.0, "names a term twice"),
        (2, ((1, 0),), [1.0], 0.0, "not an increasing list"),
        (2, ((0, 2),), [1.0], 0.0, "not an increasing list"),
        (2, ((),), [1.0], 0.0, "not an increasing list"),
    ],
)
def test_a_wrong_polynomial_is_refused(
    n: int, terms: tuple[tuple[int, ...], ...], weights: list[float], offset: float, told: str
) -> None:
    with pytest.raises(PlanError, match=told):
        Ising(n, terms, np.array(weights), offset)


@pytest.mark.parametrize("times", [2.0**-40, 1.0, 2.0**40])
def test_a_tolerance_grows_with_the_polynomial(times: float) -> None:
    ising = Ising(3, CUBIC.terms, CUBIC.coefficients * times, CUBIC.offset * times)
    assert (ising.scale, ising.tolerance) == (2.0 * times, CUBIC.tolerance * times)
    assert Encoding(ising, energy_per_unit=-4.0).objective_scale == 0.5 * times


def test_a_tolerance_is_never_finer_than_the_rounding_of_what_is_compared() -> None:
    assert Ising(1, (), np.array([])).tolerance == 0
    assert alike_within(2.0) == 2e-9
    far = Ising(1, ((0,),), np.array([1.0]), 1e12)
    assert float(np.spacing(1e12)) < far.tolerance < 1


def test_a_basis_state_has_variable_i_as_bit_i() -> None:
    assert unpack([6, 1], 3).tolist() == [[0, 1, 1], [1, 0, 0]]
    with pytest.raises(PlanError, match="63 variables"):
        unpack([0], 63)


def test_a_solution_is_proven_when_its_bound_meets_it() -> None:
    def of(bound: float | None) -> Solution:
        return Solution("s", np.zeros(1, dtype=np.uint8), -2.0, 0.1, (Incumbent(0.1, -2.0),), bound)

    assert of(-2.0).proven
    assert not of(-2.0 - 1e-12).proven
    assert replace(of(-2.0 - 1e-12), tolerance=1e-9).proven
    assert not of(-2.5).proven
    assert not of(None).proven
