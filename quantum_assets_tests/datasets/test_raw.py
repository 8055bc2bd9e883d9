"""Options and feature selection of bundled sources."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.raw import Bundled, Option, from_arrays, select_features, settle

RAW = from_arrays("dataset demo", [[1, 2, 3], [4, 5, 6]], ["a", "b", "c"], ["x", "y"], rows=[7, 9])


def test_from_arrays_uses_row_numbers_as_ids() -> None:
    assert RAW.sample_ids == ("7", "9")
    assert RAW.features.dtype == np.float64


def test_bundled_calls_its_reader() -> None:
    entry = Bundled("A demonstration.", lambda source: RAW)
    assert entry(DataSource(dataset="demo")) is RAW
    assert dict(entry.options) == {}


def test_select_features_keeps_the_order_given() -> None:
    chosen = select_features(RAW, ("c", "a"), "s: source")
    np.testing.assert_array_equal(chosen.features, [[3, 1], [6, 4]])
    assert chosen.feature_names == ("c", "a")
    assert select_features(RAW, None, "s") is RAW


def test_select_features_names_the_unknown_one() -> None:
    with pytest.raises(PlanError, match=r"s: source\.features: 'aa': dataset demo has no such feature. Write 'a', or"):
        select_features(RAW, ("b", "aa"), "s: source")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"gab": 1.0}, r"s\.options\.gab: there is no such option\. Write 'gap', or another of 'gap', 'n'"),
        ({"gap": 2.0}, r"s\.options\.gap: is 2 \(distance\)\. Use a number from 0 to 1"),
        ({"n": 2.5}, r"s\.options\.n: is 2\.5 \(rows\)\. Use an even number from 2 to 10"),
        ({"n": 3.0}, r"Use an even number"),
    ],
)
def test_settle_refuses_with_the_limits(given: dict[str, float], message: str) -> None:
    known = {"gap": Option(0.3, 0, 1, "distance"), "n": Option(4, 2, 10, "rows", multiple=2)}
    assert settle(known, {"n": 6.0}, "s") == {"gap": 0.3, "n": 6.0}
    with pytest.raises(PlanError, match=message):
        settle(known, given, "s")


def test_settle_without_options() -> None:
    assert settle({}, {}, "s") == {}
    with pytest.raises(PlanError, match=r"s\.options\.gap: this source takes no options\. Remove it\."):
        settle({}, {"gap": 1}, "s")
