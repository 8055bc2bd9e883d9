"""Rows in a pipe, on a terminal and as JSON."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from quantum_assets.cli.listing import Listing, lines, moment, printable, show, show_json, stamp
from quantum_assets.contracts.ticket import State

LISTING = Listing(
    ("name", "count", "reason"), (("a", "7", "[bold]as it is[/bold]"), ("longer", "1,000", "")), frozenset({"count"})
)
NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


@dataclass(frozen=True)
class Value:
    when: datetime
    state: State
    inner: "tuple[Value, ...]" = ()
    none: None = None


def test_text_is_aligned_and_numbers_to_the_right() -> None:
    assert lines(LISTING) == (
        "name    count  reason",
        "a           7  [bold]as it is[/bold]",
        "longer  1,000",
    )


def test_a_pipe_gets_lines_that_are_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    show(Listing(("reason",), (("x" * 500,),)))
    assert capsys.readouterr().out.splitlines() == ["reason", "x" * 500]


def test_a_terminal_gets_a_table_that_fits_and_takes_no_markup() -> None:
    written = StringIO()
    show(LISTING, Console(file=written, force_terminal=True, width=30, color_system=None))
    told = written.getvalue()
    assert max(map(len, told.splitlines())) <= 30
    assert "[bold]as it" in told
    assert "─" in told


@pytest.mark.parametrize("wild", ["red \x1b[31m", "two\nlines", "bell\x07", "back\x9b2J", "over\u202eturned"])
def test_nothing_that_drives_a_terminal_is_shown(wild: str) -> None:
    assert printable(wild).isprintable()
    assert len(printable(wild)) == len(wild)
    written = StringIO()
    show(Listing(("said",), ((wild,),)), Console(file=written, force_terminal=True, color_system=None))
    assert all(letter.isprintable() or letter == "\n" for letter in written.getvalue())
    assert lines(Listing(("said",), ((wild,),)))[1] == printable(wild).rstrip()


def test_json_holds_values_inside_values(capsys: pytest.CaptureFixture[str]) -> None:
    show_json([Value(NOON, State.FELL_BACK, (Value(NOON, State.PLANNED),))])
    expected: list[dict[str, Any]] = [
        {
            "when": "2026-11-22T12:00:00.123456+00:00",
            "state": "fell_back",
            "inner": [{"when": "2026-11-22T12:00:00.123456+00:00", "state": "planned", "inner": [], "none": None}],
            "none": None,
        }
    ]
    assert json.loads(capsys.readouterr().out) == expected


def test_moments_are_told_in_utc() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=2)))
    assert (moment(there), stamp(there)) == ("2026-11-22 12:00:00 UTC", "2026-11-22 12:00:00")
    assert (moment(None, "never"), stamp(None)) == ("never", "")
