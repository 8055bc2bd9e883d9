import subprocess
import sys

import numpy as np
import pytest

from quantum_assets.datasets import sp500


def test_twenty_stocks_over_thirty_three_years():
    prices = sp500.read()
    assert prices.values.shape == (8313, 20)
    assert (str(prices.days[0]), str(prices.days[-1])) == ("1990-01-02", "2022-12-28")
    assert (prices.tickers[0], prices.tickers[-1]) == ("AAPL", "XOM")
    assert np.isfinite(prices.values).all()
    assert prices.values[0, 0] == 0.264  # the first line of the file
    assert prices.values[-1, -1] == 106.627  # and the last


def test_a_process_parses_the_file_once_and_nobody_can_change_what_others_read():
    prices = sp500.read()
    assert sp500.read() is prices
    for array in (prices.days, prices.values, prices.values[:5]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[-1]


def test_reading_does_not_import_skfolio():
    code = "import sys; from quantum_assets.datasets import sp500; sp500.read(); print('skfolio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
