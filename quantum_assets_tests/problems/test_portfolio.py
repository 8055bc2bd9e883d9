from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.datasets import sp500
from quantum_assets.problems.moments import estimate
from quantum_assets.problems.penalty import check
from quantum_assets.problems.portfolio import Portfolio
from quantum_assets.problems.price_window import look_back, months
from quantum_assets.problems.realised import realise
from quantum_assets_tests.problems.enumeration import assert_kept
from quantum_assets_tests.problems.laws import all_rows


def made(n=7, k=3, seed=0, previous=("A1", "A4"), cost=0.05):
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 3)) * 0.2
    return Portfolio(
        "made",
        tuple(f"A{i}" for i in range(n)),
        rng.normal(0.08, 0.1, n),
        factors @ factors.T + np.diag(rng.uniform(0.01, 0.1, n)),
        k,
        risk_aversion=2.0,
        turnover_cost=cost,
        previous=previous,
    )


def by_hand(p, row):
    """The formula of the docstring, in loops."""
    w = [float(bit) / p.k for bit in row]
    n = range(len(w))
    risk = sum(w[i] * w[j] * p.covariance[i, j] for i in n for j in n)
    bought = sum(w[i] for i in n if p.tickers[i] not in p.previous)
    return sum(w[i] * p.mean[i] for i in n) - p.risk_aversion * risk - p.turnover_cost * bought


@pytest.mark.parametrize("k", [1, 3, 6])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_enumeration(k, seed):
    p = made(k=k, seed=seed)
    assert_kept(p, lambda row: by_hand(p, row), lambda row: int(row.sum()) == k)
    assert p.encode().cardinality == k
    assert p.encode().energy_per_unit == -1


def test_turnover_is_half_the_weights_that_change():
    free, dear = made(previous=("A0", "A1", "A2"), cost=0.0), made(previous=("A0", "A1", "A2"), cost=1.0)
    rows = all_rows(7)[all_rows(7).sum(axis=1) == 3]
    before = np.array([1, 1, 1, 0, 0, 0, 0]) / 3
    one_way = np.abs(rows / 3 - before).sum(axis=1) / 2
    np.testing.assert_allclose(free.objective(rows) - dear.objective(rows), one_way, atol=1e-12)


def test_without_previous_holdings_turnover_changes_no_ranking():
    rows = all_rows(7)[all_rows(7).sum(axis=1) == 3]
    gap = made(previous=(), cost=0.0).objective(rows) - made(previous=(), cost=0.3).objective(rows)
    np.testing.assert_allclose(gap, 0.3, atol=1e-12)


def test_repair_drops_the_asset_whose_loss_lowers_the_objective_least():
    p = made()
    full = np.ones((1, 7), dtype=np.uint8)
    step = replace(p, k=3)
    held = list(range(7))
    while len(held) > 3:  # the rule by hand, one asset at a time

        def worth(rest):
            return by_hand(step, np.isin(np.arange(7), rest).astype(np.uint8))

        held = max((list(rest) for rest in combinations(held, len(held) - 1)), key=worth)
    np.testing.assert_array_equal(np.flatnonzero(p.repair(full)[0]), held)


def test_interpretation_and_fingerprint():
    p = made()
    table = p.interpret(p.greedy())
    assert [line["ticker"] for line in table] == list(p.tickers)
    assert sum(line["weight"] for line in table) == pytest.approx(1.0)
    assert [line["ticker"] for line in table if line["held_before"]] == ["A1", "A4"]
    assert p.fingerprint == replace(p, name="other", previous=("A4", "A1")).fingerprint
    for change in ({"k": 2}, {"risk_aversion": 1.0}, {"previous": ()}, {"mean": p.mean + 1}):
        assert p.fingerprint != replace(p, **change).fingerprint


def spoiled(array, place, value):
    copy = array.copy()
    copy[place] = value
    return copy


@pytest.mark.parametrize(
    ("change", "culprit", "problem"),
    [
        (lambda p: {"k": 0}, "portfolio made: k", "is 0, and there are 7 assets"),
        (lambda p: {"k": 8}, "portfolio made: k", "is 8, and there are 7 assets"),
        (lambda p: {"tickers": (*p.tickers[:6], "A0")}, "ticker 'A0'", "named twice"),
        (lambda p: {"previous": ("A9",)}, "previous holding 'A9'", "not among"),
        (lambda p: {"previous": ("A1", "A1")}, "ticker 'A1'", "named twice"),
        (lambda p: {"risk_aversion": -1.0}, "risk_aversion", "-1.0"),
        (lambda p: {"turnover_cost": float("nan")}, "turnover_cost", "nan"),
        (lambda p: {"mean": spoiled(p.mean, 2, np.nan)}, "portfolio made: A2", "not finite"),
        (lambda p: {"covariance": spoiled(p.covariance, (3, 1), np.inf)}, "portfolio made: A3", "not finite"),
        (lambda p: {"covariance": spoiled(p.covariance, (3, 3), 0.0)}, "portfolio made: A3", "variance 0"),
        (lambda p: {"covariance": spoiled(p.covariance, (3, 1), 9.0)}, "covariance", "not symmetric"),
        (lambda p: {"covariance": np.eye(7) - 0.5}, "covariance", "negative eigenvalue"),
        (lambda p: {"mean": p.mean[:5]}, "portfolio made", "shapes"),
    ],
)
def test_bad_input_is_named(change, culprit, problem):
    p = made()
    with pytest.raises(PlanError) as caught:
        replace(p, **change(p))
    assert culprit in caught.value.culprit
    assert problem in str(caught.value)
    assert caught.value.mend


def of_month(prices, period, n=10, previous=()):
    window = look_back(prices, period, 252, prices.tickers[:n])
    moments = estimate(window)
    return Portfolio(f"sp500 {period}", window.tickers, moments.mean, moments.covariance, 4, 3.0, 0.012, previous)


def test_two_years_of_real_months_are_feasible_and_the_penalty_holds():
    prices, previous, gaps = sp500.read(), (), []
    for period in months(prices)[-25:-1]:
        problem = of_month(prices, period, previous=previous)
        found, greedy = check(problem), problem.greedy()
        assert found.holds
        assert found.feasible_rows == 210
        assert problem.violations(greedy)[0] == 0
        gaps.append(found.best_objective - problem.objective(greedy)[0])
        previous = tuple(line["ticker"] for line in problem.interpret(found.best_bits) if line["held"])
        assert realise(prices, period, previous).n_days > 15
    assert len(gaps) == 24
    assert min(gaps) > -1e-12


def test_a_real_decision_does_not_see_its_own_month():
    prices = sp500.read()
    known = int(np.searchsorted(prices.days, np.datetime64("2020-03-01")))
    crashed = replace(prices, values=np.vstack([prices.values[:known], prices.values[known:] / 2]))
    assert of_month(prices, "2020-03").fingerprint == of_month(crashed, "2020-03").fingerprint
    assert of_month(prices, "2020-04").fingerprint != of_month(crashed, "2020-04").fingerprint
