from itertools import pairwise

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.realised import realise
from quantum_assets_tests.problems.test_price_window import made, with_values


def test_return_and_risk_by_hand():
    prices = made()
    start, stop = (int(np.searchsorted(prices.days, np.datetime64(day))) for day in ("2020-03-01", "2020-04-01"))
    found = realise(prices, "2020-03", ["AA", "CC"])
    money = [
        0.5 * prices.values[t, 0] / prices.values[start - 1, 0]
        + 0.5 * prices.values[t, 2] / prices.values[start - 1, 2]
        for t in range(start - 1, stop)
    ]
    daily = [after / before - 1 for before, after in pairwise(money)]
    assert found.total_return == pytest.approx(money[-1] - 1, abs=1e-12)
    assert found.volatility == pytest.approx(np.std(daily, ddof=1) * 252**0.5, rel=1e-12)
    assert (found.n_days, found.last_day, found.complete) == (22, "2020-03-31", True)


def test_turnover_counts_from_the_weights_that_were_drifted_to():
    prices = made()
    decided, before = (
        int(np.searchsorted(prices.days, np.datetime64(day))) - 1 for day in ("2020-03-01", "2020-02-01")
    )
    growth = prices.values[decided] / prices.values[before]
    drifted = growth[[0, 1]] / growth[[0, 1]].sum()
    expected = (abs(drifted[0] - 0.5) + drifted[1] + 0.5) / 2
    assert realise(prices, "2020-03", ["AA", "CC"], ["AA", "BB"]).turnover == pytest.approx(expected, abs=1e-12)
    assert realise(prices, "2020-03", ["CC"], ["AA", "BB"]).turnover == pytest.approx(1.0)
    assert realise(prices, "2020-03", ["CC"], ["CC"]).turnover == pytest.approx(0.0, abs=1e-12)
    assert realise(prices, "2020-03", ["AA"]).turnover == 1.0
    assert 0 < realise(prices, "2020-03", prices.tickers, prices.tickers).turnover < 0.1


def test_the_last_month_may_not_be_over():
    assert not realise(made(last="2020-06-15"), "2020-06", ["AA"]).complete


@pytest.mark.parametrize(
    ("period", "held", "previous", "expected"),
    [
        ("2020-03", [], [], "holding of 2020-03: is empty"),
        ("2020-03", ["XX"], [], "ticker 'XX': has no prices"),
        ("2020-03", ["AA", "AA"], [], "named twice"),
        ("2020-07", ["AA"], [], "period 2020-07: has 0 trading days in made, too few for an outcome"),
        ("2020-09", ["AA"], [], "lies outside the data"),
        ("2020-02", ["AA"], ["BB"], "period 2020-01: lies outside the data"),
        ("2020-03", ["BB"], [], "made: BB: has no price on day 2020-03-04"),
    ],
)
def test_bad_questions_are_named(period, held, previous, expected):
    prices = made()
    day = int(np.searchsorted(prices.days, np.datetime64("2020-03-04")))
    with pytest.raises(PlanError) as caught:
        realise(with_values(prices, day, 1, np.nan), period, held, previous)
    assert expected in str(caught.value)
