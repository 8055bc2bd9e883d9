"""Tests and intervals for scores of repeated cross-validation, whose training sets overlap.

Nadeau and Bengio (2003), "Inference for the Generalization Error", Machine Learning 52, section 3: the k scores are not
independent, and the naive variance of their mean, s²/k, is too small; they correct it to (1/k + n_test/n_train) s².
Bouckaert and Frank (2004) recommend it for repeated k-fold cross-validation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantum_assets.contracts.errors import PlanError

_SAME = 1e-12


@dataclass(frozen=True)
class PairedTest:
    """Outcome of one corrected test: mean difference, its interval at level 1 - alpha, two-sided p value."""

    difference: float
    low: float
    high: float
    p_value: float


def corrected_t(differences: Sequence[float], n_train: float, n_test: float, alpha: float = 0.05) -> PairedTest:
    """Nadeau and Bengio's corrected resampled t test of paired differences against 0.

    t = mean / sqrt((1/k + n_test/n_train) s²) with k - 1 degrees of freedom and s² the unbiased variance. Differences
    that are all the same (to 1e-12) have no variance to judge by: all zero gives p = 1, one constant other than zero
    gives p = 0, and the interval is that point. Read it with k in mind.

    Args:
        differences: One an outer fold, at least two.
        n_train: Training rows of a fold.
        n_test: Test rows of a fold.
        alpha: The interval is at level 1 - alpha.

    Returns:
        The outcome.

    Raises:
        PlanError: For fewer than two differences, ones that are not finite, or fewer than one row.
    """
    values = _checked(differences, n_train, n_test)
    mean = float(values.mean())
    if np.ptp(values) <= _SAME:
        return PairedTest(mean, mean, mean, 1.0 if abs(mean) <= _SAME else 0.0)
    from scipy.special import stdtr

    error = _standard_error(values, n_train, n_test)
    freedom = len(values) - 1
    reach = _quantile(freedom, alpha) * error
    p_value = float(min(1.0, 2 * stdtr(freedom, -abs(mean) / error)))
    return PairedTest(mean, mean - reach, mean + reach, p_value)


def score_interval(
    scores: Sequence[float], n_train: float, n_test: float, alpha: float = 0.05
) -> tuple[float, float, float]:
    """Mean of a model's scores with its corrected interval, cut to [0, 1].

    Args:
        scores: One an outer fold, at least two, in [0, 1].
        n_train: Training rows of a fold.
        n_test: Test rows of a fold.
        alpha: The interval is at level 1 - alpha.

    Returns:
        Mean, low, high.

    Raises:
        PlanError: As `corrected_t`.
    """
    values = _checked(scores, n_train, n_test)
    mean = float(values.mean())
    reach = _quantile(len(values) - 1, alpha) * _standard_error(values, n_train, n_test)
    return mean, max(0.0, mean - reach), min(1.0, mean + reach)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction (1979, "A Simple Sequentially Rejective Multiple Test Procedure").

    Args:
        p_values: One a rival, in [0, 1]; may be empty.

    Returns:
        Adjusted p values in the same order: the i-th smallest times (m - i + 1), never below an earlier one, at most 1.
    """
    order = np.argsort(p_values, kind="stable")
    factors = np.arange(len(order), 0, -1)
    stepped = np.minimum(1.0, np.maximum.accumulate(np.asarray(p_values, float)[order] * factors))
    adjusted = np.empty(len(order))
    adjusted[order] = stepped
    return tuple(adjusted.tolist())


def equivalent(low: float, high: float, band: float) -> bool:
    """Whether a whole interval of a difference lies within ±band: too small to matter, and known to be."""
    return -band <= low and high <= band


def _checked(values: Sequence[float], n_train: float, n_test: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or len(array) < 2 or not np.isfinite(array).all():
        raise PlanError(
            "scores", f"{len(array)} of them, finite: {bool(np.isfinite(array).all())}", "Give two or more outer folds"
        )
    if n_train < 1 or n_test < 1:
        raise PlanError("fold sizes", f"{n_train} train and {n_test} test rows", "Give at least one of each")
    return array


def _standard_error(values: "np.ndarray[tuple[int], np.dtype[np.float64]]", n_train: float, n_test: float) -> float:
    return float(np.sqrt((1 / len(values) + n_test / n_train) * values.var(ddof=1)))


def _quantile(freedom: int, alpha: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - alpha / 2))
