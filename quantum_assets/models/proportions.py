"""Shares of shots and means over shots: intervals, and tests of one sampler against another.

Shots are counted, not listed: distinct outcomes and how often each came. Every function of chance takes its seed.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import FloatArray, IntArray

_BLOCK = 1 << 21  # numbers of one block of resampled counts
_SAME = 1e-12


@dataclass(frozen=True)
class Interval:
    """An estimate and the ends of its interval."""

    value: float
    low: float
    high: float


def wilson(hits: int, shots: int, alpha: float = 0.05) -> Interval:
    """Wilson's score interval of a proportion (1927, "Probable Inference, the Law of Succession, and …", JASA 22).

    With z the normal quantile at 1 - alpha/2: centre (p + z²/2n) / (1 + z²/n), half-width
    z sqrt(p(1-p)/n + z²/4n²) / (1 + z²/n). It stays in [0, 1] and is honest at 0 and n hits.

    Raises:
        PlanError: For no shots, or hits outside 0 … shots.
    """
    from scipy.special import ndtri

    if shots < 1 or not 0 <= hits <= shots:
        raise PlanError("proportion", f"is {hits} of {shots}", "Give at least one shot, and no more hits than shots")
    z = float(ndtri(1 - alpha / 2))
    share = hits / shots
    scale = 1 + z * z / shots
    centre = (share + z * z / (2 * shots)) / scale
    reach = z * np.sqrt(share * (1 - share) / shots + (z / (2 * shots)) ** 2) / scale
    low = 0.0 if hits == 0 else max(0.0, centre - reach)
    high = 1.0 if hits == shots else min(1.0, centre + reach)
    return Interval(share, float(low), float(high))


def bootstrap_mean(
    values: FloatArray, counts: IntArray, *, seed: int, resamples: int = 2000, alpha: float = 0.05
) -> Interval:
    """Mean over shots with its percentile bootstrap interval (Efron 1979): shots are drawn again with replacement.

    Args:
        values: Of each distinct outcome, shape `(k,)`, finite.
        counts: How often each came, shape `(k,)`.
        seed: Of the resampling.
        resamples: Number of resamples.
        alpha: The interval is at level 1 - alpha.

    Raises:
        PlanError: For no shots, or values that are not finite.
    """
    kinds, amounts = _grouped(values, counts)
    shots = int(amounts.sum())
    mean = float(kinds @ amounts / shots)
    if len(kinds) == 1:
        return Interval(mean, mean, mean)
    rng = np.random.default_rng(seed)
    means = [
        rng.multinomial(shots, amounts / shots, size=size) @ kinds / shots for size in _blocks(resamples, len(kinds))
    ]
    low, high = np.quantile(np.concatenate(means), [alpha / 2, 1 - alpha / 2])
    return Interval(mean, min(mean, float(low)), max(mean, float(high)))


def same_share(hits: int, shots: int, other_hits: int, other_shots: int) -> float:
    """Two-sided p value of Fisher's exact test that two proportions are one (1935): no seed, exact at any size.

    It is the permutation test of the pooled shots with all permutations counted.

    Raises:
        PlanError: For no shots, or more hits than shots.
    """
    for one, of in ((hits, shots), (other_hits, other_shots)):
        if of < 1 or not 0 <= one <= of:
            raise PlanError("proportion", f"is {one} of {of}", "Give at least one shot, and no more hits than shots")
    from scipy.stats import fisher_exact

    return float(fisher_exact([[hits, shots - hits], [other_hits, other_shots - other_hits]]).pvalue)


def same_mean(
    values: FloatArray,
    counts: IntArray,
    other_values: FloatArray,
    other_counts: IntArray,
    *,
    seed: int,
    permutations: int = 1999,
) -> float:
    """Two-sided p value of the permutation test that two samples have one mean.

    The pooled shots are dealt again, `permutations` times; p = (1 + number at least as far apart) / (1 + permutations),
    which is never 0 and never too small (Phipson and Smyth 2010).

    Args:
        values: Of one sample's distinct outcomes, shape `(k,)`.
        counts: How often each came.
        other_values: Of the other sample.
        other_counts: How often each came.
        seed: Of the permutations.
        permutations: Number of them.

    Raises:
        PlanError: For no shots in either, or values that are not finite.
    """
    kinds, amounts = _grouped(values, counts)
    others, other_amounts = _grouped(other_values, other_counts)
    pooled, place = np.unique(np.concatenate([kinds, others]), return_inverse=True)
    total = np.bincount(place, np.concatenate([amounts, other_amounts])).astype(np.int64)
    shots, rest = int(amounts.sum()), int(other_amounts.sum())
    everything = float(pooled @ total)
    seen = abs(float(kinds @ amounts) / shots - float(others @ other_amounts) / rest)
    if len(pooled) == 1:
        return 1.0
    rng = np.random.default_rng(seed)
    # dealing out counts costs by kinds, dealing out shots by shots
    method: Literal["marginals", "count"] = "marginals" if len(pooled) <= 256 else "count"
    slack = _SAME * max(1.0, float(np.abs(pooled).max()))
    further = 0
    for size in _blocks(permutations, len(pooled)):
        sums = rng.multivariate_hypergeometric(total, shots, size=size, method=method) @ pooled
        further += int((np.abs(sums / shots - (everything - sums) / rest) >= seen - slack).sum())
    return (1 + further) / (1 + permutations)


def best_of(values: FloatArray, counts: IntArray, k: int) -> float:
    """Expected smallest value of k shots drawn with replacement from these.

    With the values in rising order and F the share of shots above each: Σ_i v_i (F_{i-1}^k - F_i^k), F_0 = 1.

    Raises:
        PlanError: For no shots, values that are not finite, or k below 1.
    """
    if k < 1:
        raise PlanError("best of k", f"is asked for k = {k}", "Give at least 1")
    kinds, amounts = _grouped(values, counts)
    above = 1.0 - np.concatenate([[0], np.cumsum(amounts)]) / amounts.sum()
    return float(kinds @ (above[:-1] ** k - np.maximum(above[1:], 0.0) ** k))


def _grouped(values: FloatArray, counts: IntArray) -> tuple[FloatArray, IntArray]:
    """Distinct values in rising order, and the shots of each."""
    values, counts = np.asarray(values, dtype=float), np.asarray(counts, dtype=np.int64)
    if values.shape != counts.shape or values.ndim != 1 or not np.isfinite(values).all():
        raise PlanError("outcomes", f"have shapes {values.shape}, {counts.shape}", "Give one finite number a count")
    if counts.min(initial=0) < 0 or counts.sum() < 1:
        raise PlanError("outcomes", "have no shots, or a negative count", "Give at least one shot")
    kinds, place = np.unique(values, return_inverse=True)
    amounts = np.bincount(place, counts).astype(np.int64)
    return kinds[amounts > 0], amounts[amounts > 0]


def _blocks(total: int, width: int) -> list[int]:
    """Sizes of blocks that make up `total` rows of `width` numbers each."""
    size = max(1, _BLOCK // width)
    return [min(size, total - start) for start in range(0, total, size)]
