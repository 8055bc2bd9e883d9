"""What was known when a month's decision was made: the last prices before that month, and nothing later.

The decision of month M is made on the last trading day before M. A window that reaches the month's own prices would
look into the future; the one function here that cuts days out, `look_back`, cannot.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.datasets.prices import Days, Prices
from quantum_assets.datasets.wording import plural, shown


@dataclass(frozen=True, eq=False)
class PriceWindow:
    """Prices of consecutive trading days that end before a period begins.

    Attributes:
        period: The month decided for, ``2020-01``.
        origin: Where the prices come from.
        tickers: One a column.
        days: `n_returns + 1` trading days; the last is the day of the decision.
        values: Prices, none missing, shape `(n_returns + 1, n_tickers)`.
    """

    period: str
    origin: str
    tickers: tuple[str, ...]
    days: Days
    values: FloatArray

    @property
    def decided_on(self) -> str:
        """The day of the last price that the decision may know."""
        return str(self.days[-1])

    @property
    def returns(self) -> FloatArray:
        """Simple daily returns `p_t / p_{t-1} - 1`, shape `(n_returns, n_tickers)`."""
        return np.asarray(self.values[1:] / self.values[:-1] - 1.0)

    @property
    def fingerprint(self) -> str:
        """Hash of what the decision knows; prices outside the window do not enter."""
        days = self.days.astype("datetime64[D]").astype(np.int64)
        return fingerprint("price-window/v1", self.period, self.tickers, days, self.values)


def month_of(period: str) -> np.datetime64:
    """A partition key as a month.

    Raises:
        PlanError: If it is no ``YYYY-MM``.
    """
    try:
        month = np.datetime64(period, "M")
    except ValueError as error:
        raise PlanError(f"period {shown(period)}", "is no month", "Write it as 2020-01") from error
    if str(month) != period:
        raise PlanError(f"period {shown(period)}", "is no month", f"Write it as {month}")
    return month


def months(prices: Prices) -> tuple[str, ...]:
    """Every month that has prices, in order: the partition keys there can be."""
    return tuple(str(month) for month in np.unique(prices.days.astype("datetime64[M]")))


def days_before(prices: Prices, period: str) -> int:
    """Number of trading days before a month begins; the last of them is the day of the decision.

    Raises:
        PlanError: If there are none, or if the month before is not in the data: its end would be decided on stale
            prices.
    """
    month = month_of(period)
    stop = int(np.searchsorted(prices.days, month.astype("datetime64[D]")))
    known = months(prices)
    if stop == 0 or prices.days[stop - 1].astype("datetime64[M]") + 1 != month:
        last = np.datetime64(known[-1], "M") + 1
        raise PlanError(
            f"period {period}",
            f"lies outside the data: {prices.origin} has no prices in the month before it",
            f"Ask for a month after {known[0]} and up to {last}",
        )
    return stop


def look_back(prices: Prices, period: str, n_returns: int = 252, tickers: Sequence[str] | None = None) -> PriceWindow:
    """Cut out the last trading days before a month.

    Args:
        prices: All there are; later ones are not looked at.
        period: The month decided for, ``2020-01``.
        n_returns: Daily returns in the window, at least 2; 252 are about one year of trading.
        tickers: Assets to choose from, in order; None takes all.

    Raises:
        PlanError: For a window shorter than two returns or longer than the data, a period outside the data, an unknown
            or repeated ticker, a missing price, or an asset whose price never moves.
    """
    if n_returns < 2:
        raise PlanError(f"look-back window of {n_returns}", "holds no two daily returns", "Take at least 2, or 252")
    stop = days_before(prices, period)
    if stop < n_returns + 1:
        first = prices.days[min(n_returns, len(prices.days) - 1)].astype("datetime64[M]") + 1
        raise PlanError(
            f"period {period}",
            f"has {plural(stop, 'trading day')} before it, and the look-back window needs {n_returns + 1:,}",
            f"Ask for {first} or later, or shorten the window",
        )
    rows, names = slice(stop - n_returns - 1, stop), tuple(prices.tickers if tickers is None else tickers)
    window = PriceWindow(period, prices.origin, names, prices.days[rows], prices.whole(rows, names))
    still = np.flatnonzero((window.values == window.values[0]).all(axis=0))
    if len(still):
        raise PlanError(
            f"{prices.origin}: {names[still[0]]}",
            f"has one and the same price from {window.days[0]} to {window.days[-1]}",
            "Leave this ticker out: a constant asset has no variance to estimate",
        )
    return window
