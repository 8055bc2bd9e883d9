import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.datasets.prices import Prices, read_csv

GOOD = "Date,AA,BB\n2020-01-02,1.5,2\n2020-01-03,,2.5\n\n2020-01-06,1.25,3\n"


def test_a_table_is_read():
    prices = read_csv(GOOD.encode(), "p.csv")
    assert prices.tickers == ("AA", "BB")
    assert [str(day) for day in prices.days] == ["2020-01-02", "2020-01-03", "2020-01-06"]
    np.testing.assert_array_equal(prices.values, [[1.5, 2], [np.nan, 2.5], [1.25, 3]])
    np.testing.assert_array_equal(prices.whole(slice(0, 3), ["BB"]), [[2], [2.5], [3]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "p.csv: has no prices"),
        ("Date,AA\n", "p.csv: has no prices"),
        ("Date\n2020-01-02\n", "p.csv: has no prices"),
        ("Date,AA,AA\n2020-01-02,1,2\n", "ticker 'AA': is named twice"),
        ("Date,AA,\n2020-01-02,1,2\n", "ticker 2: has no name"),
        ("Date,AA\n2020-01-02,1,2\n", "record 2: has 3 fields, and the header has 2"),
        ("Date,AA\n2/1/2020,1\n", "record 2: begins with '2/1/2020'"),
        ("Date,AA\n2020-01-02,one\n", "record 2: holds a price that is no number"),
        ("Date,AA\n2020-01-02,-1\n", "p.csv: AA on 2020-01-02: has the price -1"),
        ("Date,AA\n2020-01-02,0\n", "has the price 0"),
        ("Date,AA\n2020-01-02,inf\n", "has the price inf"),
        ("Date,AA\n2020-01-03,1\n2020-01-02,1\n", "day 2020-01-02: does not come after"),
        ("Date,AA\n2020-01-02,1\n2020-01-02,1\n", "day 2020-01-02: does not come after"),
    ],
)
def test_what_is_no_such_table_is_named(text, expected):
    with pytest.raises(PlanError) as caught:
        read_csv(text.encode(), "p.csv")
    assert expected in str(caught.value)
    assert caught.value.mend


def test_binary_is_refused():
    with pytest.raises(PlanError, match="is no CSV text"):
        read_csv(b"\xff\xfe\x00", "p.csv")


def test_shapes_must_agree():
    with pytest.raises(PlanError, match=r"shape \(1, 2\) for 1 days and 1 tickers"):
        Prices("p", np.array(["2020-01-02"], dtype="datetime64[D]"), ("AA",), np.ones((1, 2)))


def test_missing_prices_are_named():
    with pytest.raises(PlanError, match=r"p\.csv: AA: has no price on day 2020-01-03"):
        read_csv(GOOD.encode(), "p.csv").whole(slice(0, 2), ["BB", "AA"])
