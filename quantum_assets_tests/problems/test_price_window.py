from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.datasets.prices import Prices
from quantum_assets.problems.price_window import look_back, month_of, months


def made(first="2020-01-01", last="2020-06-30", tickers=("AA", "BB", "CC"), seed=0):
    days = np.arange(np.datetime64(first), np.datetime64(last) + 1)
    days = days[np.is_busday(days)]
    steps = np.random.default_rng(seed).normal(0, 0.01, (len(days), len(tickers)))
    return Prices("made", days, tuple(tickers), 100 * np.exp(steps.cumsum(axis=0)))


def with_values(prices, rows, columns, value):
    values = prices.values.copy()
    values[rows, columns] = value
    return replace(prices, values=values)


def test_the_window_ends_on_the_last_trading_day_before_the_month():
    window = look_back(made(), "2020-03", 20)
    assert window.decided_on == "2020-02-28"  # the 29th was a Saturday
    assert window.values.shape == (21, 3)
    assert window.returns.shape == (20, 3)
    np.testing.assert_allclose(window.values[0] * np.prod(1 + window.returns, axis=0), window.values[-1])


@pytest.mark.parametrize("later", [1.0, 1e6, np.nan])
def test_later_prices_change_nothing(later):
    prices = made()
    known = int(np.searchsorted(prices.days, np.datetime64("2020-04-01")))
    window = look_back(prices, "2020-04", 30)
    other = look_back(with_values(prices, slice(known, None), slice(None), later), "2020-04", 30)
    assert window.fingerprint == other.fingerprint
    cut = Prices("made", prices.days[:known], prices.tickers, prices.values[:known])
    assert look_back(cut, "2020-04", 30).fingerprint == window.fingerprint


def test_the_last_price_before_the_month_does_count():
    prices = made()
    known = int(np.searchsorted(prices.days, np.datetime64("2020-04-01")))
    changed = with_values(prices, known - 1, 0, 1.0)
    assert look_back(prices, "2020-04", 30).fingerprint != look_back(changed, "2020-04", 30).fingerprint


def test_tickers_are_taken_in_the_order_asked_for():
    window = look_back(made(), "2020-03", 20, ["CC", "AA"])
    np.testing.assert_array_equal(window.values, look_back(made(), "2020-03", 20).values[:, [2, 0]])


def test_months():
    assert months(made()) == tuple(f"2020-0{m}" for m in range(1, 7))
    assert month_of("2020-02") == np.datetime64("2020-02", "M")


@pytest.mark.parametrize(
    ("period", "n_returns", "tickers", "expected"),
    [
        ("2020-03", 0, None, "look-back window of 0: holds no two daily returns"),
        ("2020-03", 1, None, "look-back window of 1"),
        ("2020-03", 252, None, "period 2020-03: has 43 trading days before it, and the look-back window needs 253"),
        ("2020-01", 20, None, "period 2020-01: lies outside the data"),
        ("2020-08", 20, None, "after 2020-01 and up to 2020-07"),
        ("1990-01", 20, None, "lies outside the data"),
        ("2020-13", 20, None, "period '2020-13': is no month"),
        ("2020-03-01", 20, None, "Write it as 2020-03"),
        ("soon", 20, None, "period 'soon': is no month"),
        ("2020-03", 20, ["AA", "AA"], "ticker 'AA': is named twice"),
        ("2020-03", 20, ["AA", "BX"], "ticker 'BX': has no prices in made"),
    ],
)
def test_what_cannot_be_cut_is_named(period, n_returns, tickers, expected):
    with pytest.raises(PlanError) as caught:
        look_back(made(), period, n_returns, tickers)
    assert expected in str(caught.value)


def test_the_month_after_the_last_price_can_be_decided():
    assert look_back(made(), "2020-07", 20).decided_on == "2020-06-30"


def test_a_missing_price_names_ticker_and_days():
    prices = with_values(made(), slice(30, 32), 1, np.nan)
    with pytest.raises(PlanError, match=r"made: BB: has no price on days 2020-02-12, 2020-02-13\. "):
        look_back(prices, "2020-03", 20)
    look_back(prices, "2020-03", 20, ["AA", "CC"])  # it matters only where it is used
    look_back(prices, "2020-06", 20)


def test_a_constant_asset_is_named():
    prices = with_values(made(), slice(0, 60), 2, 7.0)
    with pytest.raises(PlanError, match="made: CC: has one and the same price from 2020-01-31 to 2020-02-28"):
        look_back(prices, "2020-03", 20)
