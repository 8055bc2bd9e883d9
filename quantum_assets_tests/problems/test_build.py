"""From YAML to an instance: every kind is built, and everything that cannot be is one clear error."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import ProblemSpec
from quantum_assets.problems.build import LOOK_BACK, RISK_AVERSION, TURNOVER_COST, build
from quantum_assets.problems.portfolio import Portfolio

GAP = "i,j,value\n0,0,-1\n0,2,2\n"
FULL = "i,j,value\n0,1,2\n1,0,2\n"
FEW = ("AAPL", "GE", "KO", "MSFT")
PORTFOLIO: dict[str, Any] = {"kind": "portfolio", "choose": 2, "tickers": FEW}


def _portfolio(period: str = "2020-06", **fields: Any) -> Portfolio:
    made = build(ProblemSpec(**{**PORTFOLIO, **fields}), Path(), period)
    assert isinstance(made, Portfolio)
    return made


@pytest.mark.parametrize(
    ("fields", "name", "variables"),
    [
        ({"kind": "max_cut", "graph": "karate"}, "karate", 34),
        ({"kind": "independent_set", "graph": "petersen"}, "petersen", 10),
        ({"kind": "delivery_routes", "cities": 6, "candidates": 8}, "german cities", 8),
        ({"kind": "shift_schedule"}, "ward", 16),
        ({"kind": "labs", "length": 7}, "labs", 7),
    ],
)
def test_each_kind_is_built(fields: dict[str, Any], name: str, variables: int, tmp_path: Path) -> None:
    made = build(ProblemSpec(**fields), tmp_path)
    assert made.kind == fields["kind"]
    assert len(made.variables) == variables
    assert made.violations(made.greedy()[None]) == [0]
    assert made.fingerprint == build(ProblemSpec(**fields), tmp_path).fingerprint
    assert made.encode().ising.n_variables == variables


def test_a_file_is_found_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text("i,j,value\n0,0,-1\n0,1,2\n1,1,-1\n")
    lowest = build(ProblemSpec(kind="qubo_file", path="q.csv"), tmp_path)
    rows = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=np.uint8)
    assert lowest.objective(rows).tolist() == [0, -1, -1, 0]
    assert (lowest.sense, lowest.kind) == ("minimise", "qubo_file")
    spins = build(ProblemSpec(kind="qubo_file", path="q.csv", form="ising", sense="maximise"), tmp_path)
    assert spins.sense == "maximise"
    assert spins.fingerprint != lowest.fingerprint


def test_what_an_error_about_a_file_advises_works(tmp_path: Path) -> None:
    (tmp_path / "gap.csv").write_text(GAP)
    (tmp_path / "full.csv").write_text(FULL)
    stated = build(ProblemSpec(kind="qubo_file", path="gap.csv", n_variables=5), tmp_path)
    assert len(stated.variables) == 5
    summed = build(ProblemSpec(kind="qubo_file", path="full.csv", duplicates="sum"), tmp_path)
    assert summed.objective(np.array([[1, 1], [1, 0]], dtype=np.uint8)).tolist() == [4, 0]


def test_a_portfolio_takes_its_defaults_and_last_months_greedy_holding() -> None:
    made = _portfolio()
    assert (made.risk_aversion, made.turnover_cost) == (RISK_AVERSION, TURNOVER_COST)
    assert made.fingerprint == _portfolio(look_back=LOOK_BACK, mean="ShrunkMu", covariance="LedoitWolf").fingerprint
    before = _portfolio("2020-05")
    bare = Portfolio(
        before.name,
        before.tickers,
        before.mean,
        before.covariance,
        before.k,
        before.risk_aversion,
        before.turnover_cost,
    )
    kept = bare.greedy()
    assert made.previous == tuple(name for name, bit in zip(FEW, kept, strict=True) if bit)
    assert len(made.previous) == 2


def test_zero_is_a_weight_and_not_a_missing_one() -> None:
    assert _portfolio(risk_aversion=0.0).risk_aversion == 0
    assert _portfolio(turnover_cost=0.0).turnover_cost == 0


def test_all_tickers_are_taken_where_none_is_named() -> None:
    assert len(_portfolio(tickers=None).variables) == 20


MISTAKES: list[tuple[dict[str, Any], str, list[str]]] = [
    (
        {"kind": "portfolio", "choose": 21},
        "2020-06",
        ["problem.choose: is 21, and there are 20 assets. Hold from 1 to 20 of them"],
    ),
    ({**PORTFOLIO, "tickers": ("AAPL", "GOGL")}, "2020-06", ["ticker 'GOGL': has no prices"]),
    ({**PORTFOLIO, "tickers": ("AAPL", " ")}, "2020-06", ["ticker 2: has no name"]),
    (PORTFOLIO, "1985-06", ["period 1985-06", "outside the data"]),
    (PORTFOLIO, "2023-06", ["period 2023-06", "outside the data"]),
    (PORTFOLIO, "1990-06", ["period 1990-06", "Ask for", "shorten the window"]),
    ({**PORTFOLIO, "look_back": 9000}, "2020-06", ["period 2020-06", "9,001"]),
    (PORTFOLIO, "2020-13", ["2020-13", "is no month"]),
    (PORTFOLIO, "", ["problem portfolio", "period ''", "Give periods to a portfolio"]),
    ({"kind": "shift_schedule"}, "2020-06", ["problem shift_schedule", "'2020-06'", "to no other problem"]),
    ({"kind": "max_cut", "graph": "karat"}, "", ["karat", "karate"]),
    ({"kind": "independent_set", "graph": "x"}, "", ["x", "petersen"]),
    ({"kind": "qubo_file", "path": "no.csv"}, "", ["no.csv", "is not there"]),
    ({"kind": "qubo_file", "path": "bad.csv"}, "", ["bad.csv: line 3", "-2"]),
    ({"kind": "qubo_file", "path": "gap.csv"}, "", ["never variable 1", "set n_variables"]),
    ({"kind": "qubo_file", "path": "gap.csv", "n_variables": 2}, "", ["the index 2 is not in 0 … 1"]),
    ({"kind": "qubo_file", "path": "full.csv"}, "", ["line 3: gives the pair 0, 1 again", "set duplicates: sum"]),
    ({"kind": "delivery_routes", "cities": 99}, "", ["99"]),
    ({"kind": "delivery_routes", "cities": 6, "capacity": 1}, "", ["capacity"]),
]


@pytest.mark.parametrize(("fields", "period", "words"), MISTAKES, ids=[" ".join(words) for _, _, words in MISTAKES])
def test_bad_input_is_one_clear_error(tmp_path: Path, fields: dict[str, Any], period: str, words: list[str]) -> None:
    (tmp_path / "bad.csv").write_text("i,j,value\n0,0,-1\n0,-2,2\n")
    (tmp_path / "gap.csv").write_text(GAP)
    (tmp_path / "full.csv").write_text(FULL)
    with pytest.raises(PlanError) as caught:
        build(ProblemSpec(**fields), tmp_path, period)
    assert caught.value.mend
    for word in words:
        assert word in str(caught.value)
    assert "Begin a month later" not in caught.value.mend  # no other month would help


def test_the_first_month_that_has_a_window_and_no_month_before_it_says_what_it_misses() -> None:
    """Holdings of the month before need a window too; the error must not name a month that nobody asked for alone."""
    with pytest.raises(PlanError) as caught:
        _portfolio("1991-01")
    assert caught.value.culprit == "period 1991-01"
    for word in ("month before it", "period 1990-12", "Begin a month later"):
        assert word in str(caught.value)
    assert _portfolio("1991-02").previous
