"""What decisions were worth: read from the decisions themselves, and every path and equal weight on equal footing."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quantum_assets.components.optimization_study_outcome import outcome
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.contracts.optimization import ClassicalSpec, DecisionPolicy, Periods, ProblemSpec, QuantumSpec
from quantum_assets.orchestration.stored import Stored, with_origin

OFFERED = ("AAPL", "BAC", "CVX", "GE", "JNJ")
TODAY = ("MSFT", "PG", "KO", "GE", "JNJ")
ALL = "AAPL BAC CVX GE JNJ"


def _plan(tickers: tuple[str, ...] = OFFERED) -> OptimizationStudyPlan:
    return OptimizationStudyPlan(
        "stocks",
        Path(),
        ProblemSpec(kind="portfolio", choose=2, tickers=tickers),
        Periods(first="2020-01", last="2020-04"),
        QuantumSpec(),
        ClassicalSpec(),
        DecisionPolicy(),
        {},
    )


def _decided(offered: tuple[str, ...] = OFFERED, published: str = "classical", **paths: str) -> pa.Table:
    """A stored decision: the tickers that each path holds, and whose row is published."""
    rows = [
        {
            "path": path,
            "published": path == published,
            "bits": "".join("01"[name in held.split()] for name in offered),
            "choice": json.dumps([{"ticker": name, "held": int(name in held.split())} for name in offered]),
        }
        for path, held in paths.items()
    ]
    return with_origin(pa.Table.from_pylist(rows), "v", {})


def _rows(stored: Stored) -> dict[tuple[str, str], dict[str, Any]]:
    return {(row["profile"], row["path"]): row for row in stored.table.to_pylist()}


def test_old_decisions_keep_the_assets_they_were_made_for() -> None:
    """The study's tickers were edited since; as many there are, so that the bits alone would fit both."""
    now, before = _decided(classical="AAPL BAC"), _decided(classical="BAC CVX")
    found = outcome(_plan(TODAY), "2020-02", {"ideal": (now, before)})
    rows = _rows(found)
    assert {key: (row["held"], row["before"]) for key, row in rows.items()} == {
        ("ideal", "classical"): ("AAPL BAC", "BAC CVX"),
        ("ideal", "published"): ("AAPL BAC", "BAC CVX"),
        ("", "equal_weight"): (ALL, ALL),
    }
    assert found.table.equals(outcome(_plan(), "2020-02", {"ideal": (now, before)}).table)


def test_a_month_before_of_other_assets_is_read_by_its_own_names() -> None:
    now, before = _decided(TODAY, classical="MSFT GE"), _decided((*OFFERED[:3], "GE"), classical="BAC GE")
    rows = _rows(outcome(_plan(TODAY), "2020-02", {"ideal": (now, before)}))
    assert rows["ideal", "classical"]["before"] == "BAC GE"
    assert rows["ideal", "classical"]["turnover"] == pytest.approx(0.5, abs=0.1)  # half is kept, but for its drift
    assert (rows["", "equal_weight"]["held"], rows["", "equal_weight"]["before"]) == (
        " ".join(TODAY),
        "AAPL BAC CVX GE",
    )


def test_in_the_first_month_equal_weight_comes_from_cash_as_every_path_does() -> None:
    now = _decided(quantum="GE JNJ", classical="AAPL BAC")
    found = outcome(_plan(), "2020-01", {"ideal": (now, None), "sampled": (now, None)})
    assert {row["turnover"] for row in found.table.to_pylist()} == {1.0}
    assert {row["before"] for row in found.table.to_pylist()} == {""}
    assert found.notes["outcome"].count("100%, from cash") == 7
    assert found.provenance["before"] == {}


def test_equal_weight_is_rebalanced_as_soon_as_one_profile_held_something() -> None:
    now, before = _decided(quantum="GE JNJ", classical="AAPL BAC"), _decided(classical="AAPL BAC")
    rows = _rows(outcome(_plan(), "2020-02", {"ideal": (now, before), "late": (now, None)}))
    assert rows["", "equal_weight"]["before"] == ALL
    assert rows["", "equal_weight"]["turnover"] < 0.1
    assert rows["ideal", "classical"]["turnover"] < 0.1
    assert (rows["late", "classical"]["before"], rows["late", "classical"]["turnover"]) == ("", 1.0)
    assert (rows["ideal", "quantum"]["before"], rows["ideal", "quantum"]["turnover"]) == ("", 1.0)  # none before


def test_equal_weight_holds_every_asset_that_some_profile_was_offered() -> None:
    """Profiles decided before and after an edit of the tickers."""
    found = outcome(
        _plan(),
        "2020-02",
        {"ideal": (_decided(classical="GE JNJ"), None), "sampled": (_decided(TODAY, classical="MSFT GE"), None)},
    )
    assert _rows(found)["", "equal_weight"]["held"] == f"{ALL} MSFT PG KO"
    assert _rows(found)["sampled", "published"]["held"] == "MSFT GE"
