"""The rehearsal of a backfill: what it counts as wrong, and three months that survive a kill."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from click.testing import CliRunner

from quantum_assets.cli.main import main
from quantum_assets.cli.rehearse_backfill import Counted, Rehearsed, is_feasible
from quantum_assets.contracts.columns import Column, TableContract
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.orchestration.partitions import dimensions_of
from quantum_assets.store.home import Home
from quantum_assets.store.store import Store

FIRST, SECOND = ("decision", "2020-01|ideal"), ("decision", "2020-02|ideal")
PROBLEM = ("problem", "2020-01")
PLAN = Rehearsed(
    study="stocks",
    wanted={"problem": ("2020-01",), "decision": (FIRST[1], SECOND[1]), "notes": ()},
    environment={},
    home=Path("nowhere"),
    started=0.0,
)
SOUND = Counted(
    made=Counter(PLAN.places),
    commits=dict.fromkeys(PLAN.places, ("a" * 64,)),
    feasible=frozenset({FIRST, SECOND}),
)


def test_every_partition_asked_for_has_a_place() -> None:
    assert PLAN.places == (PROBLEM, FIRST, SECOND, ("notes", ""))
    assert PLAN.decisions == (FIRST, SECOND)


def test_nothing_is_wrong_where_all_was_made_once() -> None:
    assert SOUND.wrong(PLAN, [PROBLEM]) == []


def test_a_commit_whose_event_the_kill_swallowed_is_made_again_to_the_same_content() -> None:
    again = Counted(SOUND.made, {**SOUND.commits, FIRST: ("a" * 64, "a" * 64)}, SOUND.feasible)
    assert again.wrong(PLAN, [PROBLEM]) == []
    assert again.wrong(PLAN, [PROBLEM, FIRST]) == ["decision 2020-01|ideal was complete, and stored again"]


def test_a_step_that_the_kill_met_before_its_end_is_repeated_once() -> None:
    again = replace(SOUND, made=SOUND.made + Counter([FIRST]), commits={**SOUND.commits, FIRST: ("a" * 64, "a" * 64)})
    assert replace(again, torn=frozenset({FIRST})).wrong(PLAN, [PROBLEM, FIRST]) == []
    assert again.wrong(PLAN, []) == ["decision 2020-01|ideal was made twice"]
    thrice = replace(again, made=again.made + Counter([FIRST]), torn=frozenset({FIRST}))
    assert thrice.wrong(PLAN, []) == ["decision 2020-01|ideal was made twice"]


@pytest.mark.parametrize("violations", [[0], [1], [0, 0], []])
def test_a_decision_is_feasible_that_is_published_once_and_breaks_no_rule(
    tmp_path: Path, violations: list[int]
) -> None:
    plan = replace(PLAN, home=tmp_path)
    assert not is_feasible(plan, FIRST[1])
    rows = [{"published": True, "violations": found} for found in violations] + [{"published": False, "violations": 3}]
    contract = TableContract("decision", (Column("published", "bool", "-"), Column("violations", "int64", "-")))
    Store(Home(tmp_path).store).commit(
        ("stocks", "decision"), dimensions_of(FIRST[1]), pa.Table.from_pylist(rows), contract, {}
    )
    assert is_feasible(plan, FIRST[1]) == (violations == [0])


@pytest.mark.parametrize(
    ("counted", "told"),
    [
        (Counted(SOUND.made - Counter([PROBLEM]), SOUND.commits, SOUND.feasible), "problem 2020-01 was lost"),
        (Counted(SOUND.made, {**SOUND.commits, SECOND: ()}, SOUND.feasible), "decision 2020-02|ideal was lost"),
        (Counted(SOUND.made + Counter([("notes", "")]), SOUND.commits, SOUND.feasible), "notes was made twice"),
        (
            Counted(SOUND.made, {**SOUND.commits, PROBLEM: ("a" * 64, "b" * 64)}, SOUND.feasible),
            "problem 2020-01 has two contents",
        ),
        (Counted(SOUND.made, SOUND.commits, frozenset({FIRST})), "decision 2020-02|ideal is not feasible"),
    ],
)
def test_what_is_wrong_is_named(counted: Counted, told: str) -> None:
    assert counted.wrong(PLAN, []) == [told]


def test_months_that_a_study_does_not_have_are_refused_before_anything_starts(tmp_path: Path) -> None:
    answer = CliRunner().invoke(main, ["rehearse-backfill", "--periods", "25", "--home", str(tmp_path)])
    assert answer.exit_code == 2
    assert "sp500_portfolio: has 24 months to decide, not 25" in answer.output
    assert not (tmp_path / "dagster").exists()


@pytest.mark.slow
def test_months_survive_a_kill_in_the_middle(tmp_path: Path, report_figures: Any) -> None:
    answer = CliRunner().invoke(main, ["rehearse-backfill", "--periods", "3", "--home", str(tmp_path)])
    assert answer.exit_code == 0, answer.output
    killed = re.search(r"2\. Killed the daemon and (\d) runs with SIGKILL; (\d+) partitions were made", answer.output)
    assert killed is not None
    assert int(killed[2]) >= 1
    ended = re.search(r"4\. .* COMPLETED_SUCCESS, .*: 3 of 3 decisions are there and feasible; (\d+)", answer.output)
    assert ended is not None
    assert int(ended[1]) >= 3 * 7
    counts = re.search(r"partitions: (\d+); materialised: (\d+); versions: (\d+);", answer.output)
    assert counts is not None
    assert int(killed[2]) < int(counts[1]) == int(counts[2]) == int(counts[3])
    assert "WRONG" not in answer.output
    assert Ledger.in_home(tmp_path).check() == ()
    report_figures(answer.output.splitlines()[-1].strip())
