"""What a month's holding earned later: return, risk and turnover, from prices that the decision did not know.

A holding is bought in equal parts at the last close before the month and kept until the month's last close.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.datasets.prices import Prices
from quantum_assets.problems.moments import TRADING_DAYS
from quantum_assets.problems.price_window import days_before, month_of


@dataclass(frozen=True)
class Realised:
    """One holding in one month.

    Attributes:
        period: The month, ``2020-01``.
        n_days: Trading days of that month in the data.
        last_day: The last of them.
        complete: Whether the data go on after the month; if not, more of its days may come.
        total_return: Over those days, before costs: 0.02 is two per cent.
        volatility: Standard deviation of the holding's daily returns (n - 1 in the divisor), a year.
        turnover: Half the sum of absolute weight changes on the day of the decision, cash included, in [0, 1]; the
            weights before are those to which the previous holding had drifted by then.
    """

    period: str
    n_days: int
    last_day: str
    complete: bool
    total_return: float
    volatility: float
    turnover: float


def realise(prices: Prices, period: str, held: Sequence[str], previous: Sequence[str] = ()) -> Realised:
    """Recompute what a holding did in its month.

    Equal weight over all assets is `realise(prices, period, prices.tickers, prices.tickers)`: its turnover is what
    rebalancing costs.

    Args:
        prices: With the month's own prices.
        period: The month, ``2020-01``.
        held: Tickers in equal parts, at least one.
        previous: Tickers of the month before, in equal parts; empty: everything was cash.

    Raises:
        PlanError: For no holding, an unknown or repeated ticker, missing prices, a period outside the data, or a month
            with fewer than two trading days so far.
    """
    if not held:
        raise PlanError(f"holding of {period}", "is empty", "Name at least one ticker")
    start = days_before(prices, period)
    stop = int(np.searchsorted(prices.days, (month_of(period) + 1).astype("datetime64[D]")))
    if stop - start < 2:
        raise PlanError(
            f"period {period}",
            f"has {stop - start} trading days in {prices.origin}, too few for an outcome",
            "Wait until its prices are there",
        )
    path = prices.whole(slice(start - 1, stop), held)
    value = (path / path[0]).mean(axis=1)
    daily = value[1:] / value[:-1] - 1.0
    return Realised(
        period,
        stop - start,
        str(prices.days[stop - 1]),
        stop < len(prices.days),
        float(value[-1] - 1.0),
        float(daily.std(ddof=1) * np.sqrt(TRADING_DAYS)),
        _turnover(prices, period, held, previous),
    )


def _turnover(prices: Prices, period: str, held: Sequence[str], previous: Sequence[str]) -> float:
    change: FloatArray = np.zeros(len(prices.tickers))
    change[prices.columns(held)] = 1.0 / len(held)
    if not previous:
        return 1.0
    bought = days_before(prices, str(month_of(period) - 1)) - 1
    sold = days_before(prices, period) - 1
    growth = prices.whole(slice(bought, sold + 1), previous)[[0, -1]]
    drifted = growth[1] / growth[0]
    change[prices.columns(previous)] -= drifted / drifted.sum()
    return float(np.abs(change).sum() / 2)
