"""What a decided partition submits, file by file."""

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.models.decided import read_decided
from quantum_assets.models.qoblib import COLUMNS_27, COLUMNS_30, NOT_GIVEN, Particulars
from quantum_assets.models.submission import Entry, entries, write_submission
from quantum_assets_tests.models.decisions import EFFECTIVE, decide

PEOPLE = Particulars(
    submitters=("Jane Doe",),
    affiliations=("University A",),
    day=date(2026, 11, 22),
    reference="https://example.org/study",
    workflow=NOT_GIVEN,
    hardware=NOT_GIVEN,
    paradigm="Classical",
)


def submitted(home: Path, name: str = "", people: Particulars = PEOPLE, **changes: Any) -> dict[str, Entry]:
    decided = read_decided(decide(home, **changes), "small", changes.get("profile", "ideal"))
    return {one.workflow: one for one in entries(decided, people, name)}


def test_the_quantum_path_comes_first_and_rivals_that_declined_are_left_out(tmp_path: Path) -> None:
    assert list(submitted(tmp_path)) == ["quantum_ideal", "enumeration", "highs", "tabu"]


def test_what_the_quantum_path_says(tmp_path: Path) -> None:
    row = submitted(tmp_path)["quantum_ideal"].row
    expected = {
        "Problem": "path_3",
        "Submitter": "Jane Doe",
        "Date": "2026-11-22",
        "Best Objective Value": "2",
        "Optimality Bound": "N/A",
        "# Decision Variables": "3",
        "# Non-Zero Coefficients": "5",  # of bits: 3 nodes, 2 edges
        "Algorithm Type": "Stochastic",
        "Paradigm": "Quantum Simulator",
        "# Runs": "1",
        "# Successful Runs": "1",
        "Hardware Specifications": "aer, statevector (qiskit 2)",
        "Total Runtime": "N/A",
        "Time to Solution": "N/A",
        "CPU Runtime": "N/A",
    }
    assert expected.items() <= row.items()
    assert row["Workflow"] == (
        "2 of 3 variables: 1 eliminated exactly; QAOA circuit qaoa-x-p1 on 2 qubits; angles: A linear ramp; "
        "32 samples; every sample repaired by the problem's own rule; the best one"
    )
    assert "partition ideal: not published: enumeration was; objective in edges, maximised" in row["Remarks"]
    assert "execution path quantum; runtimes are not recorded" in row["Remarks"]


def test_what_rivals_say(tmp_path: Path) -> None:
    found = submitted(tmp_path)
    proof, bounded, tabu = (found[name].row for name in ("enumeration", "highs", "tabu"))
    assert (proof["Optimality Bound"], proof["Algorithm Type"]) == ("2", "Deterministic")
    assert (bounded["Best Objective Value"], bounded["Optimality Bound"]) == ("1", "1.5")
    assert (tabu["Optimality Bound"], tabu["Algorithm Type"], tabu["Total Runtime"]) == ("N/A", "Stochastic", "0.5")
    assert tabu["Workflow"] == 'tabu on the Ising polynomial; settings {"reads": 16}; reads 16'
    assert "published by ensemble" in proof["Remarks"]
    assert {row["Paradigm"] for row in (proof, bounded, tabu)} == {"Classical"}


def test_devices_fallbacks_and_given_hardware_are_named(tmp_path: Path) -> None:
    people = Particulars(("A",), ("B",), date(2026, 1, 1), "r", "", "16 cores", "Classical", remarks="ours")
    hardware = EFFECTIVE | {"mode": "hardware", "backend": "device_1", "engine": "sampler"}
    made = {"path": "classical", "path_reasons": ["the queue is closed"], "effective_profile": hardware}
    found = submitted(tmp_path, people=people, made=made, profile="paid")
    row = found["quantum_paid"].row
    assert row["Paradigm"] == "Quantum Hardware"
    assert row["Hardware Specifications"] == "16 cores; device_1, sampler (qiskit 2)"
    assert row["Remarks"].startswith("ours; study small, partition paid")
    assert "execution path classical: the queue is closed" in row["Remarks"]
    assert found["tabu"].row["Hardware Specifications"] == "16 cores"


def test_incumbents_are_objectives_where_energies_tell_them(tmp_path: Path) -> None:
    name = "tabu/path_3/path_3_objective_time_series.json"
    (run,) = json.loads(submitted(tmp_path / "free")["tabu"].files()[name])
    assert [(step["Time"], step["Incumbent"]) for step in run] == [(0.25, 0), (0.3, 1), (0.4, 2), (0.5, 2)]
    (run,) = json.loads(submitted(tmp_path / "bound", instance={"penalty": 2.0})["tabu"].files()[name])
    assert [step["Incumbent"] for step in run] == [None, None, 2, 2]


def test_the_quantum_path_has_no_series(tmp_path: Path) -> None:
    found = submitted(tmp_path)
    assert sorted(found["quantum_ideal"].files()) == [
        "quantum_ideal/path_3/path_3_solution.sol",
        "quantum_ideal/path_3/path_3_summary.csv",
    ]
    text = found["quantum_ideal"].files()["quantum_ideal/path_3/path_3_solution.sol"]
    assert text == "# Objective value = 2\nleft 0\nmiddle 1\nright 0\n"


def test_a_silent_quantum_path_submits_nothing(tmp_path: Path) -> None:
    assert "quantum_ideal" not in submitted(tmp_path, answered=False)


@pytest.mark.parametrize("columns", [COLUMNS_27, COLUMNS_30])
def test_written_files_are_read_back(tmp_path: Path, columns: tuple[str, ...]) -> None:
    found = submitted(tmp_path / "home", name="graph_7")
    written = write_submission(tuple(found.values()), tmp_path / "out", columns)
    assert len(written) == 11
    assert write_submission(tuple(found.values()), tmp_path / "out", columns) == written  # again, over the first
    text = (tmp_path / "out" / "highs" / "graph_7" / "graph_7_summary.csv").read_text()
    (row,) = csv.DictReader(io.StringIO(text))
    assert tuple(row) == columns
    assert row["Problem"] == "graph_7"
    assert "University A" in text


def test_names_and_folders_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="cannot name a file"):
        submitted(tmp_path / "home", name="../up")
    (tmp_path / "file").write_text("")
    with pytest.raises(PlanError, match="cannot be written"):
        write_submission(tuple(submitted(tmp_path / "again").values()), tmp_path / "file")
