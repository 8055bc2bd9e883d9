"""Distances of shots from their distribution: exact cases, expectations against simulation, known noise recovered."""

from itertools import product

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.models.distances import Distance, cross_entropy_fidelity, total_variation, weighted_mean


def _counted(rng: np.random.Generator, probabilities: np.ndarray, shots: int) -> tuple[np.ndarray, np.ndarray]:
    drawn = rng.multinomial(shots, probabilities)
    states = np.flatnonzero(drawn)
    return states, drawn[states]


def _skewed(states: int, seed: int = 0) -> np.ndarray:
    weights = np.random.default_rng(seed).exponential(size=states)
    return np.asarray(weights / weights.sum())


def test_shots_in_exact_proportion_are_at_no_distance_and_others_at_all_of_it() -> None:
    exact = np.array([0.5, 0.25, 0.25, 0.0])
    assert total_variation(exact, np.array([0, 1, 2]), np.array([4, 2, 2])).value == pytest.approx(0)
    assert total_variation(exact, np.array([3]), np.array([7])).value == pytest.approx(1)
    assert total_variation(exact, np.array([0]), np.array([1])).value == pytest.approx(0.5)


@pytest.mark.parametrize("shots", [1, 2, 5])
def test_the_expectation_is_the_mean_over_every_possible_outcome(shots: int) -> None:
    exact = np.array([0.6, 0.3, 0.1])
    mean = 0.0
    for outcome in product(range(3), repeat=shots):
        states, counts = np.unique(outcome, return_counts=True)
        mean += float(np.prod(exact[list(outcome)])) * total_variation(exact, states, counts).value
    found = total_variation(exact, np.array([0]), np.array([shots])).expected
    assert found == pytest.approx(mean, abs=1e-12)


def test_shots_of_the_distribution_itself_keep_the_margin() -> None:
    rng, exact = np.random.default_rng(1), _skewed(256)
    found = [total_variation(exact, *_counted(rng, exact, 1024)) for _ in range(200)]
    values = np.array([one.value for one in found])
    assert values.mean() == pytest.approx(found[0].expected, abs=4 * values.std() / np.sqrt(200))
    assert sum(one.beyond_chance for one in found) <= 10


def test_noise_is_seen_beyond_chance() -> None:
    exact = _skewed(256)
    noisy = 0.5 * exact + 0.5 / 256
    far: Distance = total_variation(exact, *_counted(np.random.default_rng(2), noisy, 20_000))
    assert far.beyond_chance


def test_a_certain_state_has_no_chance_in_it() -> None:
    certain = np.array([0.0, 1.0])
    found = total_variation(certain, np.array([1]), np.array([9]))
    assert (found.value, found.expected) == (0, 0)
    assert found.margin == pytest.approx(0.4527, abs=1e-3)


@pytest.mark.parametrize("kept", [0.0, 0.4, 1.0])
def test_the_fidelity_is_the_share_of_shots_that_noise_left_alone(kept: float) -> None:
    exact = _skewed(512)
    shots = _counted(np.random.default_rng(3), kept * exact + (1 - kept) / 512, 50_000)
    found = cross_entropy_fidelity(exact, *shots)
    assert found is not None
    assert abs(found.value - kept) < 4 * found.error
    assert found.error < 0.05


def test_a_uniform_distribution_tells_nothing() -> None:
    assert cross_entropy_fidelity(np.full(8, 0.125), np.array([0]), np.array([3])) is None


def test_a_mean_has_the_error_of_its_shots() -> None:
    found = weighted_mean(np.array([0.0, 2.0]), np.array([50, 50]), 100)
    assert found.value == 1
    assert found.error == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("states", "counts"), [(np.array([], dtype=int), np.array([], dtype=int)), (np.array([9]), np.array([1]))]
)
def test_shots_of_nothing_or_of_other_states_are_refused(states: np.ndarray, counts: np.ndarray) -> None:
    with pytest.raises(PlanError, match="shots"):
        total_variation(np.full(4, 0.25), states, counts)
