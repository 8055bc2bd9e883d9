"""Twenty stocks of the S&P 500, daily adjusted closes from 1990-01-02 to 2022-12-28, from the wheel of skfolio.

The file is read without importing skfolio, which takes seconds. Its authors call it stale and for examples only: it
holds companies that were still large in 2022, so every backtest on it flatters the past.
"""

import gzip
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from quantum_assets.contracts.errors import PlanError
from quantum_assets.datasets.prices import Prices, read_csv

ORIGIN = "S&P 500 prices of skfolio"

_INSIDE = Path("datasets", "data", "sp500_dataset.csv.gz")


def read() -> Prices:
    """Read all days and all tickers, in the order of the file; a process parses the same file once.

    Returns:
        Prices whose arrays cannot be written to, for others hold them too.

    Raises:
        PlanError: If skfolio is not installed, or its wheel has no such file any more.
    """
    spec = find_spec("skfolio")
    places = list(spec.submodule_search_locations or ()) if spec else []
    files = [Path(place) / _INSIDE for place in places]
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        why = "the installed skfolio does not hold it" if places else "skfolio is not installed"
        raise PlanError(ORIGIN, why, 'Install "skfolio>=0.10", or give prices of your own as CSV')
    return _parsed(found.read_bytes())


@lru_cache(maxsize=1)
def _parsed(packed: bytes) -> Prices:
    """Known by the file's content, so that another file is never answered by the one before."""
    prices = read_csv(gzip.decompress(packed), ORIGIN)
    for shared in (prices.days, prices.values):
        shared.setflags(write=False)
    return prices
