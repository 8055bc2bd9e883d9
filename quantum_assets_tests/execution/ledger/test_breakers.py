from concurrent.futures import ThreadPoolExecutor

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.execution.ledger.ledger import BreakerRow, Ledger
from quantum_assets_tests.execution.ledger.materials import NOON

KEY = "aer/noisy"


def test_a_breaker_is_closed_until_something_is_written(ledger: Ledger) -> None:
    assert ledger.breaker(KEY) == BreakerRow(KEY, "closed", 0, 0, None, 0)
    assert ledger.breakers() == ()


def test_changes_are_seen_by_everybody_and_raise_the_version(ledger: Ledger) -> None:
    assert ledger.count_failure(KEY) == 1
    assert ledger.count_failure(KEY) == 2
    assert ledger.count_success(KEY) == 1
    written = ledger.set_breaker(KEY, state="open", opened_at=NOON, successes=0)
    assert written == BreakerRow(KEY, "open", 2, 0, NOON, 4)
    assert Ledger(ledger.url).breaker(KEY) == written
    assert [ledger.count_failed_job(KEY), ledger.count_failed_job(KEY)] == [1, 2]
    assert (ledger.breaker(KEY).failed_jobs, ledger.breaker(KEY).counted) == (2, 4)
    ledger.set_breaker("aer/", opened_at=None)
    assert [row.key for row in ledger.breakers()] == ["aer/", KEY]


def test_of_two_who_saw_one_version_one_probes(ledger: Ledger) -> None:
    assert ledger.set_breaker(KEY, expected=0, state="open") is not None
    seen = ledger.breaker(KEY).version
    assert ledger.set_breaker(KEY, expected=seen, state="half-open") is not None
    assert ledger.set_breaker(KEY, expected=seen, state="half-open") is None
    assert ledger.set_breaker(KEY, expected=0, state="closed") is None
    assert ledger.breaker(KEY).state == "half-open"


def test_failures_that_are_counted_at_once_are_all_counted(ledger: Ledger) -> None:
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: ledger.count_failure(KEY), range(40)))
    assert sorted(counts) == list(range(1, 41))


def test_an_unknown_field_is_named(ledger: Ledger) -> None:
    with pytest.raises(PlanError, match="has no colour"):
        ledger.set_breaker(KEY, colour="red")
