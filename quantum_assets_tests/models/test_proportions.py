import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.models.proportions import best_of, bootstrap_mean, same_mean, same_share, wilson


@settings(deadline=None)
@given(st.integers(1, 5000), st.data(), st.floats(0.001, 0.3))
def test_wilson_is_scipys(shots, data, alpha):
    from scipy.stats import binomtest

    hits = data.draw(st.integers(0, shots))
    found = wilson(hits, shots, alpha)
    low, high = binomtest(hits, shots).proportion_ci(1 - alpha, method="wilson")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.low <= found.value <= found.high


def test_wilson_by_hand():
    # z = 1.959964; 0 of 4000: high = z² / (n + z²)
    assert wilson(0, 4000).high == pytest.approx(3.841459 / 4003.841459, rel=1e-6)
    assert wilson(0, 10).low == 0
    assert wilson(10, 10).high == 1


@pytest.mark.parametrize(("hits", "shots"), [(1, 0), (-1, 3), (4, 3)])
def test_no_such_proportion(hits, shots):
    with pytest.raises(PlanError, match="proportion"):
        wilson(hits, shots)
    with pytest.raises(PlanError, match="proportion"):
        same_share(1, 2, hits, shots)


def test_bootstrap_has_the_normal_width_and_covers():
    rng = np.random.default_rng(0)
    values = rng.normal(3.0, 2.0, 400)
    found = bootstrap_mean(values, np.ones(400, dtype=int), seed=1, resamples=4000)
    assert found.value == pytest.approx(values.mean())
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * values.std() / 20, rel=0.08)


def test_bootstrap_covers_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    covered = 0
    for seed in range(300):
        ones = int(rng.binomial(200, 0.3))
        found = bootstrap_mean(np.array([0.0, 1.0]), np.array([200 - ones, ones]), seed=seed, resamples=500)
        covered += found.low <= 0.3 <= found.high
    assert 270 <= covered <= 298  # 95 % of 300 is 285; five standard errors are 19


def test_counted_outcomes_are_the_same_as_listed_ones():
    listed = np.array([1.0, 1.0, 2.0, 5.0, 5.0, 5.0])
    one = bootstrap_mean(listed, np.ones(6, dtype=int), seed=7)
    two = bootstrap_mean(np.array([5.0, 2.0, 1.0]), np.array([3, 1, 2]), seed=7)
    assert one == two
    assert bootstrap_mean(np.array([2.5]), np.array([9]), seed=0).low == 2.5


def test_fisher_is_the_tea_lady():
    # Fisher 1935: 3 of 4 cups against 1 of 4; the two-sided p value is 34/70
    assert same_share(3, 4, 1, 4) == pytest.approx(34 / 70)
    assert same_share(0, 5000, 0, 5000) == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=5), st.lists(st.integers(0, 3), min_size=2, max_size=5))
def test_permutation_of_means_is_the_exact_one(left, right):
    from itertools import combinations

    pooled = np.array([*left, *right], dtype=float)
    size = len(left)

    def apart(chosen):
        mask = np.isin(np.arange(len(pooled)), chosen)
        return abs(pooled[mask].mean() - pooled[~mask].mean())

    seen = apart(range(size))
    exact = np.mean([apart(c) >= seen - 1e-9 for c in combinations(range(len(pooled)), size)])
    ones = np.ones
    found = same_mean(pooled[:size], ones(size, int), pooled[size:], ones(len(right), int), seed=1, permutations=4000)
    assert found == pytest.approx(exact, abs=0.05)


@pytest.mark.parametrize("kinds", [3, 600])
def test_permutation_keeps_its_level_and_finds_differences(kinds):
    rng = np.random.default_rng(kinds)
    rejected = 0
    for seed in range(200):
        left, right = rng.integers(0, kinds, (2, 80)).astype(float)
        ones = np.ones(80, dtype=int)
        rejected += same_mean(left, ones, right, ones, seed=seed, permutations=199) <= 0.05
    assert rejected <= 23  # 10 expected; P(more than 23) is below 1e-4
    assert same_mean(left, ones, right + kinds / 2, ones, seed=1) == 1 / 2000


def test_one_value_everywhere_tells_nothing():
    assert same_mean(np.array([2.0]), np.array([9]), np.array([2.0]), np.array([4]), seed=0) == 1


def test_best_of_k():
    values, counts = np.array([4.0, 0.0, 1.0]), np.array([2, 1, 1])
    assert best_of(values, counts, 1) == pytest.approx(9 / 4)
    # two draws of {0, 1, 4, 4}: minimum 0 in 7 of 16, 1 in 5, 4 in 4
    assert best_of(values, counts, 2) == pytest.approx((5 + 16) / 16)
    assert best_of(values, counts, 10_000) == pytest.approx(0, abs=1e-9)
    with pytest.raises(PlanError, match="best of k"):
        best_of(values, counts, 0)


@pytest.mark.parametrize(("values", "counts"), [([1.0], [1, 2]), ([np.nan], [1]), ([1.0], [0]), ([1.0, 2.0], [2, -1])])
def test_outcomes_that_are_none(values, counts):
    with pytest.raises(PlanError, match="outcomes"):
        bootstrap_mean(np.array(values), np.array(counts), seed=0)
