"""Binomial draws: the generator's published vectors, the distribution by chi-square, and draws that belong to pairs."""

import numpy as np
import pytest

from quantum_assets.kernels.draws import count, philox, uniforms

DRAWS = 100_000


def random_keys(rows: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, size=rows, dtype=np.uint64)


FIRST, SECOND = random_keys(DRAWS, 1), random_keys(DRAWS, 2)


@pytest.mark.parametrize(
    ("counter", "key", "words"),
    [
        ([0, 0, 0, 0], (0, 0), [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
        ([0xFFFFFFFF] * 4, (0xFFFFFFFF,) * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
        (
            [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
            (0xA4093822, 0x299F31D0),
            [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(
    counter: list[int], key: tuple[int, int], words: list[int]
) -> None:
    assert [int(word[0]) for word in philox([np.array([word], dtype=np.uint64) for word in counter], key)] == words


def test_uniforms_are_uniform_and_fresh_at_every_attempt() -> None:
    from scipy.stats import kstest

    numbers = [*uniforms(FIRST, SECOND, 3, 0), *uniforms(FIRST, SECOND, 3, 1)]
    for values in numbers:
        assert 0 < values.min() < values.max() < 1
        assert kstest(values, "uniform").pvalue > 1e-4
    assert np.abs(np.corrcoef(numbers) - np.eye(4)).max() < 0.02


@pytest.mark.parametrize("shots", [1, 2, 16, 100, 1024, 100_000])
@pytest.mark.parametrize("p", [1e-4, 0.003, 0.0097, 0.0103, 0.05, 0.0978, 0.3, 0.5, 0.71, 0.95, 0.9999])
def test_counts_are_binomial_by_chi_square(shots: int, p: float) -> None:
    from scipy.stats import binom, chisquare

    counts = count(np.full(DRAWS, p), FIRST, SECOND, shots=shots, seed=11)
    assert (counts == np.rint(counts)).all()
    assert counts.min() >= 0
    assert counts.max() <= shots
    expected = binom.pmf(np.arange(shots + 1), shots, p) * DRAWS
    observed = np.bincount(counts.astype(np.int64), minlength=shots + 1)
    common = expected >= 20
    expected = np.append(expected[common], max(expected[~common].sum(), 1e-9))
    observed = np.append(observed[common], observed[~common].sum())
    if expected[-1] < 5:  # too rare for a bin of its own: join the neighbour
        expected, observed = [np.append(x[:-2], x[-2] + x[-1]) for x in (expected, observed)]
    assert chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-5


def test_the_tails_are_right_where_chi_square_is_blind() -> None:
    """Far counts at 100 000 shots: third and fourth standardised moments of the normal limit."""
    shots, p = 100_000, 0.2
    counts = count(np.full(DRAWS, p), FIRST, SECOND, shots=shots, seed=5)
    z = (counts - shots * p) / np.sqrt(shots * p * (1 - p))
    assert abs(z.mean()) < 0.015
    assert abs(z.var() - 1) < 0.02
    assert abs((z**3).mean()) < 0.04
    assert abs((z**4).mean() - 3) < 0.12


def test_certain_outcomes_are_certain() -> None:
    p = np.array([0.0, 1.0, 1.0 + 1e-16, 1.0 - 1e-16])
    assert count(p, FIRST[:4], SECOND[:4], shots=1000, seed=0).tolist() == [0, 1000, 1000, 1000]


def test_a_draw_belongs_to_its_pair_seed_and_nothing_else() -> None:
    p = np.random.default_rng(3).uniform(size=500)
    first, second = FIRST[:500], SECOND[:500]
    drawn = count(p, first, second, shots=1024, seed=7)
    np.testing.assert_array_equal(drawn, count(p, second, first, shots=1024, seed=7))
    chosen = np.random.default_rng(4).permutation(500)[:100]
    np.testing.assert_array_equal(drawn[chosen], count(p[chosen], first[chosen], second[chosen], shots=1024, seed=7))
    assert (drawn != count(p, first, second, shots=1024, seed=8)).mean() > 0.8


def test_nothing_to_draw_is_no_error() -> None:
    empty = np.empty(0, dtype=np.uint64)
    assert count(np.empty(0), empty, empty, shots=10, seed=0).shape == (0,)
