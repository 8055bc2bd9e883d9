from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.moments import COVARIANCES, MEANS, estimate
from quantum_assets.problems.price_window import look_back
from quantum_assets_tests.problems.test_price_window import made


def test_sample_moments_are_those_of_numpy_times_the_factor():
    window = look_back(made(), "2020-05", 60)
    found = estimate(window, "EmpiricalMu", "EmpiricalCovariance", factor=250)
    np.testing.assert_allclose(found.mean, window.returns.mean(axis=0) * 250, rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(window.returns.T) * 250, rtol=1e-12)
    assert found.estimators == ("EmpiricalMu", "EmpiricalCovariance")


@pytest.mark.parametrize("mean", MEANS)
def test_every_mean(mean):
    found = estimate(look_back(made(), "2020-05", 60), mean)
    assert found.mean.shape == (3,)
    assert np.isfinite(found.mean).all()


@pytest.mark.parametrize("covariance", COVARIANCES)
def test_every_covariance(covariance):
    found = estimate(look_back(made(), "2020-05", 60), covariance=covariance)
    np.testing.assert_array_equal(found.covariance, found.covariance.T)
    assert np.linalg.eigvalsh(found.covariance)[0] > 0


def test_shrinkage_shrinks():
    window = look_back(made(), "2020-05", 60)
    plain, shrunk = estimate(window, "EmpiricalMu"), estimate(window, "ShrunkMu")
    assert np.ptp(shrunk.mean) < np.ptp(plain.mean)


def test_later_prices_change_no_moment():
    early, late = made(last="2020-04-30"), made(last="2020-06-30")
    values = late.values.copy()
    values[: len(early.days)] = early.values
    known = estimate(look_back(early, "2020-05", 60))
    found = estimate(look_back(type(late)("made", late.days, late.tickers, values), "2020-05", 60))
    np.testing.assert_array_equal(known.mean, found.mean)
    np.testing.assert_array_equal(known.covariance, found.covariance)


def test_what_somebody_does_to_an_answer_does_not_reach_the_next():
    window = look_back(made(), "2020-05", 60)
    spoilt = estimate(window)
    mean, covariance = spoilt.mean.copy(), spoilt.covariance.copy()
    spoilt.mean[:] = spoilt.covariance[:] = 0
    again = estimate(look_back(made(), "2020-05", 60))
    np.testing.assert_array_equal(again.mean, mean)
    np.testing.assert_array_equal(again.covariance, covariance)


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_answer_is_the_estimators_own_on_the_same_layout(order):
    from skfolio import moments, prior

    known = look_back(made(), "2020-05", 60)
    window = replace(known, values=np.asarray(known.values, order=order))
    assert window.returns.flags[f"{order}_CONTIGUOUS"]
    model = prior.EmpiricalPrior(moments.EWMu(), moments.LedoitWolf()).fit(window.returns)
    for _ in range(2):
        found = estimate(window, "EWMu", "LedoitWolf", factor=1)
        np.testing.assert_array_equal(found.mean, model.return_distribution_.mu)
        fitted = model.return_distribution_.covariance
        np.testing.assert_array_equal(found.covariance, (fitted + fitted.T) / 2)


def test_other_prices_estimators_and_tickers_get_answers_of_their_own():
    first = estimate(look_back(made(), "2020-05", 60))
    others = [
        estimate(look_back(made(), "2020-05", 59)),
        estimate(look_back(made(), "2020-04", 60)),
        estimate(look_back(made(), "2020-05", 60), "EWMu"),
        estimate(look_back(made(), "2020-05", 60), covariance="EmpiricalCovariance"),
        estimate(look_back(made(), "2020-05", 60, made().tickers[::-1])),
    ]
    for other in others:
        assert not (np.array_equal(other.mean, first.mean) and np.array_equal(other.covariance, first.covariance))


def test_unknown_estimators_and_factors_are_named():
    window = look_back(made(), "2020-05", 60)
    with pytest.raises(PlanError, match=r"estimator ShrunkMean: is not offered.*'ShrunkMu'"):
        estimate(window, "ShrunkMean")
    with pytest.raises(PlanError, match="estimator Ledoit: is not offered"):
        estimate(window, covariance="Ledoit")
    with pytest.raises(PlanError, match=r"annualisation factor: is 0\.0"):
        estimate(window, factor=0.0)
