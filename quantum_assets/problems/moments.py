"""Expected returns and covariances of a price window, estimated by skfolio and annualised here.

The estimators are skfolio's, chosen by name; none is ours. Daily moments become annual ones by a factor for both the
mean and the covariance, which assumes daily returns without memory (Lo 2002, "The statistics of Sharpe ratios").
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import CovarianceName, MeanName
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.datasets.wording import choices
from quantum_assets.problems.price_window import PriceWindow

#: Classes of `skfolio.moments` for the mean: sample, exponentially weighted, James-Stein shrunk, equilibrium (CAPM).
MEANS: tuple[str, ...] = get_args(MeanName)
#: Classes of `skfolio.moments` for the covariance.
COVARIANCES: tuple[str, ...] = get_args(CovarianceName)
#: Trading days a year on the New York exchange, the usual convention.
TRADING_DAYS = 252.0


@dataclass(frozen=True, eq=False)
class Moments:
    """Annual moments of a window's assets.

    Attributes:
        mean: Expected simple return a year, shape `(n,)`.
        covariance: Of returns a year, symmetric, shape `(n, n)`.
        estimators: Names of the two classes that made them.
        factor: What daily moments were multiplied by.
    """

    mean: FloatArray
    covariance: FloatArray
    estimators: tuple[str, str]
    factor: float


def estimate(
    window: PriceWindow,
    mean: str = "ShrunkMu",
    covariance: str = "LedoitWolf",
    factor: float = TRADING_DAYS,
) -> Moments:
    """Estimate the moments of a window's daily returns with skfolio's `EmpiricalPrior`.

    Args:
        window: The only prices looked at.
        mean: One of `MEANS`.
        covariance: One of `COVARIANCES`.
        factor: Periods a year: 252 for daily returns.

    Raises:
        PlanError: For an estimator that is not in the list, a factor that is not positive, or moments that did not
            come out finite.
    """
    for name, known in ((mean, MEANS), (covariance, COVARIANCES)):
        if name not in known:
            raise PlanError(f"estimator {name}", "is not offered", f"Write {choices(name, known)}")
    if not (np.isfinite(factor) and factor > 0):
        raise PlanError("annualisation factor", f"is {factor}", "Give the positive number of periods a year")
    returns = window.returns
    order: Literal["F", "C"] = "F" if returns.flags.fnc else "C"
    daily_mean, daily_covariance = _fit(returns.tobytes(order), returns.shape, order, mean, covariance)
    if not (np.isfinite(daily_mean).all() and np.isfinite(daily_covariance).all()):
        raise PlanError(
            f"period {window.period}: {mean} with {covariance}",
            f"is not finite on {len(window.days) - 1} returns of {len(window.tickers)} assets",
            "Lengthen the look-back window or choose another estimator",
        )
    symmetric = (daily_covariance + daily_covariance.T) / 2
    return Moments(daily_mean * factor, symmetric * factor, (mean, covariance), factor)


@lru_cache(maxsize=8)
def _fit(
    returns: bytes, shape: tuple[int, ...], order: Literal["F", "C"], mean: str, covariance: str
) -> tuple[FloatArray, FloatArray]:
    """Daily moments, known by the content of the returns: every step and check of a study asks for the same ones.

    The layout belongs to the question: sums over rows and over columns differ in their last bits.
    """
    from skfolio import moments, prior
    from threadpoolctl import threadpool_limits

    model = prior.EmpiricalPrior(getattr(moments, mean)(), getattr(moments, covariance)())
    with threadpool_limits(1):  # the same bits on any number of threads
        found = model.fit(np.frombuffer(returns).reshape(shape, order=order)).return_distribution_
    return np.asarray(found.mu, dtype=np.float64), np.asarray(found.covariance, dtype=np.float64)
