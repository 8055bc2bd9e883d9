from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import LedgerError
from quantum_assets.contracts.ticket import OUTCOMES, State
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.schema import OPEN_STATES, Moment
from quantum_assets_tests.execution.ledger.materials import NOON, ask_for

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001


def written(moment: datetime) -> str:
    text = Moment().process_bind_param(moment, None)  # type: ignore[arg-type]
    assert text is not None
    return text


@given(MOMENTS, MOMENTS)
def test_moments_sort_as_text_and_come_back(one: datetime, other: datetime) -> None:
    assert (written(one) < written(other)) == (one < other)
    back = Moment().process_result_value(written(one), None)  # type: ignore[arg-type]
    assert back == one
    assert back is not None
    assert back.tzinfo is UTC
    assert len(written(one)) == 32


def test_a_moment_without_a_zone_is_refused(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    with pytest.raises(LedgerError, match="2026-11-22T12:00:00 has no time zone"):
        ledger.touch(ticket, not_before=NOON.replace(tzinfo=None))


def test_moments_come_back_in_utc(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-3, minutes=-30))) + timedelta(microseconds=1)
    touched = ledger.touch(ticket, not_before=elsewhere)
    assert touched.not_before == elsewhere
    assert touched.not_before is not None
    assert touched.not_before.utcoffset() == timedelta(0)


def test_the_open_states_are_those_without_an_outcome() -> None:
    named = {state for state in State if f"'{state}'" in OPEN_STATES}
    assert named == OUTCOMES
