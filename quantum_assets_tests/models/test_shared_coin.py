"""Marginals up to a flip: found again where they are clear, modest where they are not, whatever the order."""

import numpy as np
import pytest

from quantum_assets.models.controls import Shots, coin_shots, counted, uniform_shots
from quantum_assets.models.shared_coin import marginals_up_to_a_flip


def found_of(shots: Shots) -> np.ndarray:
    return marginals_up_to_a_flip(shots.bits, shots.counts)


def distance(found: np.ndarray, wanted: np.ndarray) -> float:
    """Largest difference on the side that fits better."""
    return float(min(np.abs(found - wanted).max(), np.abs(1 - found - wanted).max()))


@pytest.mark.parametrize("flipped", [0.1, 0.3, 0.4])
def test_marginals_of_flipped_rows_are_found_again(flipped: float) -> None:
    wanted = np.abs(np.random.default_rng(1).integers(0, 2, 12) - flipped)
    shots = coin_shots(wanted, 4000, seed=2)
    assert np.abs(shots.marginals - 0.5).max() < 0.05  # plain marginals know nothing
    assert distance(found_of(shots), wanted) < 0.05


def test_a_plain_product_is_such_a_model_too() -> None:
    wanted = np.array([0.1, 0.9, 0.2, 0.7, 0.1, 0.8])
    rows = (np.random.default_rng(3).random((4000, 6)) < wanted).astype(np.uint8)
    assert distance(found_of(counted(rows)), wanted) < 0.05


def test_fair_coins_get_marginals_that_gain_nothing() -> None:
    """Turning rows towards a reference would make them agree with it in 60 % of 14 places; likelihood does not.

    Their pairs are what a control gains by: the mean product of two spins is that of the shots within chance.
    """
    shots = uniform_shots(14, 4000, seed=4)
    means = 1 - 2 * found_of(shots)
    pairs = np.outer(means, means)[np.triu_indices(14, 1)]
    assert abs(pairs.mean()) < 0.01
    assert np.abs(means).mean() < 0.15


def test_one_row_and_its_flip_are_one_row() -> None:
    row = np.array([0, 1, 1, 0, 1, 0, 0, 1], dtype=np.uint8)
    both = Shots(np.array([row, 1 - row]), np.array([30, 50]))
    assert distance(found_of(both), row) < 1e-9
    assert distance(found_of(Shots(row[None], np.array([1]))), row) < 1e-9


def test_a_flip_of_any_rows_changes_nothing() -> None:
    shots = coin_shots(np.array([0.2, 0.7, 0.9, 0.4, 0.8]), 500, seed=5)
    turned = counted(np.repeat(shots.bits ^ (shots.bits[:, :1]), shots.counts, axis=0))
    assert distance(found_of(shots), found_of(turned)) < 1e-3


def test_the_better_of_two_cuts_is_followed() -> None:
    """Rows around two unlike rows, three to one: the marginals are those of the frequent ones, not of their mean."""
    rng = np.random.default_rng(6)
    one, two = np.zeros(12, dtype=np.uint8), np.array([0, 1] * 6, dtype=np.uint8)
    centres = np.where((rng.random(2000) < 0.75)[:, None], one, two)
    rows = centres ^ (rng.random((2000, 12)) < 0.05) ^ rng.integers(0, 2, (2000, 1))
    found = found_of(counted(rows.astype(np.uint8)))
    assert distance(found, one) < 0.4 < distance(found, two)
