"""Independent bits given their number of ones: against enumeration, at the edges, and as a sampler."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.models.conditional_bernoulli import draw_given_ones, fitted_log_odds, inclusion


def rows_with(n: int, ones: int) -> np.ndarray:
    return np.array([row for row in product((0, 1), repeat=n) if sum(row) == ones], dtype=np.uint8)


def enumerated(log_odds: np.ndarray, ones: int) -> tuple[np.ndarray, np.ndarray]:
    """Every row with that number of ones, and its chance by the formula."""
    rows = rows_with(len(log_odds), ones)
    weights = np.exp(rows @ log_odds)
    return rows, weights / weights.sum()


@pytest.mark.parametrize(("n", "ones"), [(1, 0), (1, 1), (2, 1), (5, 2), (6, 5), (7, 3), (8, 8), (8, 0)])
def test_marginals_are_those_of_enumeration(n: int, ones: int) -> None:
    log_odds = np.random.default_rng(n).normal(scale=2, size=n)
    rows, chances = enumerated(log_odds, ones)
    assert inclusion(log_odds, ones) == pytest.approx(chances @ rows, abs=1e-12)
    assert inclusion(log_odds + 3.0, ones) == pytest.approx(chances @ rows, abs=1e-12)


@pytest.mark.parametrize(("n", "ones"), [(2, 1), (5, 2), (6, 5), (7, 3)])
def test_fitted_odds_are_those_that_the_marginals_came_from(n: int, ones: int) -> None:
    log_odds = np.random.default_rng(n).normal(scale=2, size=n)
    rows, chances = enumerated(log_odds, ones)
    found = fitted_log_odds(chances @ rows, ones)
    assert found - found.mean() == pytest.approx(log_odds - log_odds.mean(), abs=1e-6)


@pytest.mark.parametrize(("n", "ones"), [(4, 2), (6, 1), (6, 5)])
def test_draws_have_the_chances_of_enumeration(n: int, ones: int) -> None:
    log_odds = np.random.default_rng(n).normal(size=n)
    rows, chances = enumerated(log_odds, ones)
    shots = 40_000
    drawn = draw_given_ones(log_odds, ones, shots, np.random.default_rng(1))
    seen = (drawn[:, None] == rows[None]).all(axis=2).sum(axis=0)
    assert seen.sum() == shots  # every draw is one of the rows
    chi_squared = float(((seen - shots * chances) ** 2 / (shots * chances)).sum())
    freedom = len(rows) - 1
    assert chi_squared < freedom + 4 * np.sqrt(2 * freedom)


def test_bits_that_never_vary_stay() -> None:
    wanted = np.array([1.0, 0.25, 0.75, 0.0, 1.0])
    found = fitted_log_odds(wanted, 3)
    assert found[[0, 3, 4]].tolist() == [np.inf, -np.inf, np.inf]
    assert inclusion(found, 3) == pytest.approx(wanted, abs=1e-9)
    drawn = draw_given_ones(found, 3, 4000, np.random.default_rng(2))
    assert drawn.mean(axis=0) == pytest.approx(wanted, abs=0.03)
    assert set(drawn.sum(axis=1)) == {3}
    same = fitted_log_odds(np.array([0.0, 1.0, 1.0]), 2)
    assert np.unique(draw_given_ones(same, 2, 9, np.random.default_rng(3)), axis=0).tolist() == [[0, 1, 1]]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 24), st.integers(1, 300), st.floats(0, 8), st.integers(0, 2**32 - 1), st.data())
def test_the_marginals_of_any_rows_are_reached(
    n: int, shots: int, spread: float, seed: int, data: st.DataObject
) -> None:
    ones = data.draw(st.integers(0, n))
    rng = np.random.default_rng(seed)
    wanted = draw_given_ones(spread * rng.normal(size=n), ones, shots, rng).mean(axis=0)
    assert np.abs(inclusion(fitted_log_odds(wanted, ones), ones) - wanted).max() < 1e-9


def test_some_hundred_bits_do_not_overflow() -> None:
    rng = np.random.default_rng(4)
    wanted = draw_given_ones(3 * rng.normal(size=300), 150, 1000, rng).mean(axis=0)
    found = fitted_log_odds(wanted, 150)
    assert np.abs(inclusion(found, 150) - wanted).max() < 1e-9
    assert set(draw_given_ones(found, 150, 50, rng).sum(axis=1)) == {150}


@pytest.mark.parametrize(("marginals", "ones"), [([0.5, 0.6], 1), ([1.5, -0.5], 1), ([0.5, 0.5], 2)])
def test_marginals_of_another_number_of_ones_are_refused(marginals: list[float], ones: int) -> None:
    with pytest.raises(PlanError, match="marginals"):
        fitted_log_odds(np.array(marginals), ones)


def test_more_or_fewer_ones_than_the_odds_allow_are_refused() -> None:
    with pytest.raises(PlanError, match=r"rows.*ones"):
        inclusion(np.array([np.inf, np.inf, 0.0]), 1)
    with pytest.raises(PlanError, match=r"rows.*ones"):
        draw_given_ones(np.array([0.0, -np.inf]), 2, 3, np.random.default_rng(0))
