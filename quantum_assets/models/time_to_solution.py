"""Time to solution: how long to go on until the optimum has been met with 99 % certainty.

TTS99 = t max(1, ln 0.01 / ln(1 - p)) with t the mean seconds of a run and p its probability of success (Rønnow et al.
2014, "Defining and detecting quantum speedup", Science 345; the 1 because less than one run cannot be made).
"""

import math
from collections.abc import Sequence

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.models.proportions import Interval, wilson


def time_to_solution(
    seconds: Sequence[float],
    successes: Sequence[bool],
    *,
    seed: int,
    certainty: float = 0.99,
    resamples: int = 2000,
    alpha: float = 0.05,
) -> Interval:
    """Time to solution of repeated runs, with a bootstrap interval over runs.

    If no run or every run succeeded, resampling knows nothing of the other side: the end that p decides is then taken
    from Wilson's interval of p, and without any success value and high are infinite.

    Args:
        seconds: Of each run, positive.
        successes: Whether each run met the target.
        seed: Of the bootstrap.
        certainty: In (0, 1).
        resamples: Number of resamples.
        alpha: The interval is at level 1 - alpha.

    Returns:
        Seconds, with interval.

    Raises:
        PlanError: For no run, times and successes that do not pair, times that are not positive, or a bad certainty.
    """
    times, hits = np.asarray(seconds, dtype=float), np.asarray(successes, dtype=bool)
    if times.shape != hits.shape or times.ndim != 1 or not len(times):
        raise PlanError("runs", f"have {times.shape} times, {hits.shape} successes", "Give one of each a run")
    if not (np.isfinite(times).all() and (times > 0).all() and 0 < certainty < 1):
        raise PlanError("runs", "have a time or a certainty out of range", "Give positive seconds, 0 < certainty < 1")
    value = tts(float(times.mean()), float(hits.mean()), certainty)
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, len(times), (resamples, len(times)))
    again = [tts(t, p, certainty) for t, p in zip(times[drawn].mean(axis=1), hits[drawn].mean(axis=1), strict=True)]
    low, high = np.quantile(again, [alpha / 2, 1 - alpha / 2], method="inverted_cdf").tolist()
    share = wilson(int(hits.sum()), len(hits), alpha)
    if not hits.any():
        low = tts(float(times.mean()), share.high, certainty)
    if hits.all():
        high = tts(float(times.mean()), share.low, certainty)
    return Interval(value, min(value, low), max(value, high))


def tts(seconds: float, probability: float, certainty: float = 0.99) -> float:
    """The formula: seconds of a run times the runs that are needed, at least one; infinite for probability 0."""
    if probability <= 0:
        return math.inf
    if probability >= certainty:
        return seconds
    return seconds * max(1.0, math.log(1 - certainty) / math.log1p(-probability))
