import math

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.models.time_to_solution import time_to_solution, tts


def test_formula():
    assert tts(2.0, 0.5) == pytest.approx(2 * math.log(0.01) / math.log(0.5))
    assert tts(2.0, 0.99) == 2
    assert tts(2.0, 0.999) == 2
    assert tts(2.0, 1.0) == 2
    assert tts(2.0, 0.0) == math.inf
    # the field's case: uniform bits and a descent on LABS of length 20, P = 0.27 % at 0.28 ms, about half a second
    assert tts(0.28e-3, 0.0027) == pytest.approx(0.477, abs=0.001)


def test_interval_holds_the_value_and_narrows_with_runs():
    few = time_to_solution([1.0, 1.2] * 10, [True, False] * 10, seed=1)
    many = time_to_solution([1.0, 1.2] * 1000, [True, False] * 1000, seed=1)
    assert few.value == pytest.approx(many.value) == pytest.approx(tts(1.1, 0.5))
    assert few.low < many.low < many.value < many.high < few.high
    assert few == time_to_solution([1.0, 1.2] * 10, [True, False] * 10, seed=1)


def test_interval_covers_the_truth():
    import numpy as np

    rng = np.random.default_rng(0)
    truth = tts(1.0, 0.2)
    inside = 0
    for seed in range(200):
        found = time_to_solution([1.0] * 100, rng.random(100) < 0.2, seed=seed, resamples=400)
        inside += found.low <= truth <= found.high
    assert inside >= 178  # 190 expected, four standard errors


def test_ends_that_resampling_cannot_know():
    never = time_to_solution([1.0] * 50, [False] * 50, seed=0)
    assert never.value == never.high == math.inf
    assert never.low == pytest.approx(tts(1.0, 0.0713), rel=0.01)  # Wilson's upper end of 0 of 50
    always = time_to_solution([1.0] * 50, [True] * 50, seed=0)
    assert (always.low, always.value) == (1, 1)
    assert always.high == pytest.approx(tts(1.0, 0.9287), rel=0.01)
    assert always.high > 1


@pytest.mark.parametrize(
    ("seconds", "successes", "certainty"),
    [
        ([], [], 0.99),
        ([1.0], [True, False], 0.99),
        ([0.0], [True], 0.99),
        ([math.nan], [True], 0.99),
        ([1.0], [True], 1),
    ],
)
def test_refuses_runs_that_are_none(seconds, successes, certainty):
    with pytest.raises(PlanError, match="runs"):
        time_to_solution(seconds, successes, seed=0, certainty=certainty)
