"""Daily prices of named assets, as a table that is checked once and then trusted; and their reader from CSV.

A missing price is NaN and stands: an asset may be listed late. Whoever uses a span of days asks for that span to be
whole, and gets an error that names the asset and the days.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.datasets.wording import choices, counted, shown

Days = npt.NDArray[np.datetime64]

_NAMED = 5


@dataclass(frozen=True, eq=False)
class Prices:
    """Closing prices, adjusted for splits and dividends, one row a trading day.

    Attributes:
        origin: The file or bundled dataset, as messages name it.
        days: Trading days, strictly increasing, `datetime64[D]`, shape `(n_days,)`.
        tickers: Name of each asset, no two alike.
        values: Positive, NaN where there was no price; shape `(n_days, n_tickers)`.
    """

    origin: str
    days: Days
    tickers: tuple[str, ...]
    values: FloatArray

    def __post_init__(self) -> None:
        if not self.tickers or self.values.shape != (len(self.days), len(self.tickers)) or not len(self.days):
            raise PlanError(
                self.origin,
                f"has prices of shape {self.values.shape} for {len(self.days)} days and {len(self.tickers)} tickers",
                "Give one row a day and one column a ticker, at least one of each",
            )
        check_tickers(self.tickers, self.origin)
        self._check_days()
        bad = np.argwhere(~np.isnan(self.values) & ~((self.values > 0) & np.isfinite(self.values)))
        if len(bad):
            day, asset = bad[0]
            raise PlanError(
                f"{self.origin}: {self.tickers[asset]} on {self.days[day]}",
                f"has the price {self.values[day, asset]:g}",
                "Give a positive number, or leave it empty where there was no price",
            )

    def _check_days(self) -> None:
        steps = np.diff(self.days) <= np.timedelta64(0, "D")
        if steps.any():
            later = self.days[1:][steps][0]
            raise PlanError(f"{self.origin}: day {later}", "does not come after the day before it", "Sort the days")

    def columns(self, tickers: Sequence[str]) -> list[int]:
        """Column of each ticker.

        Raises:
            PlanError: For a ticker that is not here, or is named twice.
        """
        check_tickers(tickers, self.origin)
        for ticker in tickers:
            if ticker not in self.tickers:
                mend = f"Write {choices(ticker, self.tickers)}"
                raise PlanError(f"ticker {shown(ticker)}", f"has no prices in {self.origin}", mend)
        return [self.tickers.index(ticker) for ticker in tickers]

    def whole(self, rows: slice, tickers: Sequence[str]) -> FloatArray:
        """Prices of some days, none of them missing, shape `(n_rows, n_tickers)`.

        Raises:
            PlanError: For a missing price, naming the first such ticker with its days.
        """
        values = self.values[rows][:, self.columns(tickers)]
        missing = np.isnan(values)
        if missing.any():
            asset = int(np.flatnonzero(missing.any(axis=0))[0])
            days = self.days[rows][missing[:, asset]]
            places = counted([str(day) for day in days[:_NAMED]], len(days), "day")  # type: ignore[misc]
            raise PlanError(
                f"{self.origin}: {tickers[asset]}",
                f"has no price on {places}",
                "Fill the gap in the source, or leave this ticker out of the study",
            )
        return np.asarray(values, dtype=np.float64)


def check_tickers(tickers: Sequence[str], whose: str) -> None:
    """Refuse names that are empty or stand twice.

    Raises:
        PlanError: Naming the ticker.
    """
    for place, ticker in enumerate(tickers):
        if not ticker.strip():
            raise PlanError(f"{whose}: ticker {place + 1}", "has no name", "Name it")
        if ticker in tickers[:place]:
            raise PlanError(f"{whose}: ticker {shown(ticker)}", "is named twice", "Keep one of the two")


def read_csv(data: bytes, origin: str) -> Prices:
    """Read prices from CSV: a header `Date,TICKER,…`, then a line a day; an empty field is a missing price.

    Raises:
        PlanError: For text that is no such table, naming the line.
    """
    try:
        records = [record for record in csv.reader(io.StringIO(data.decode("utf-8-sig"))) if record]
    except (UnicodeDecodeError, csv.Error) as error:
        raise PlanError(origin, f"is no CSV text ({error})", "Save the table as CSV UTF-8") from error
    if len(records) < 2 or len(records[0]) < 2:
        raise PlanError(origin, "has no prices", "Write a header Date,TICKER,… and a line a day")
    header = [name.strip() for name in records[0]]
    days, rows = zip(
        *(_parse(record, len(header), f"{origin}: record {n}") for n, record in enumerate(records[1:], start=2)),
        strict=True,
    )
    return Prices(origin, np.array(days, dtype="datetime64[D]"), tuple(header[1:]), np.array(rows, dtype=np.float64))


def _parse(record: Sequence[str], width: int, whose: str) -> tuple[np.datetime64, list[float]]:
    if len(record) != width:
        raise PlanError(whose, f"has {len(record)} fields, and the header has {width}", "Complete the line")
    try:
        day = np.datetime64(record[0].strip(), "D")
    except ValueError as error:
        raise PlanError(whose, f"begins with {shown(record[0])}", "Write the day as 2020-01-31") from error
    try:
        return day, [float(field) if field.strip() else float("nan") for field in record[1:]]
    except ValueError as error:
        raise PlanError(whose, f"holds a price that is no number ({error})", "Correct it or leave it empty") from error
