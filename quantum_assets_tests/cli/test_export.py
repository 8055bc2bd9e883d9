"""`quantum-assets export`, as a user gives it."""

import csv
from pathlib import Path

from quantum_assets_tests.cli.homes import call
from quantum_assets_tests.models.decisions import decide


def test_a_decided_study_becomes_a_submission(tmp_path: Path) -> None:
    decide(tmp_path)
    out = tmp_path / "out"
    given = ("--submitter", "A", "--submitter", "B", "--date", "2026-01-02", "--hardware", "a laptop")
    answer = call(tmp_path, "export", "small", "--profile", "ideal", "--out", str(out), *given)
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    assert lines[0].split() == ["workflow", "instance", "objective", "bound", "seconds", "paradigm"]
    assert lines[1].split() == ["quantum_ideal", "path_3", "2", "N/A", "N/A", "Quantum", "Simulator"]
    assert lines[-1] == f"11 files below {out}; summaries have 27 columns."
    with (out / "tabu" / "path_3" / "path_3_summary.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (len(row), row["Submitter"], row["Date"]) == (27, "A, B", "2026-01-02")
    assert row["Hardware Specifications"] == "a laptop"


def test_months_the_newer_columns_and_the_library_s_name(tmp_path: Path) -> None:
    decide(tmp_path, period="2020-03")
    options = ("--period", "2020-03", "--columns", "30", "--instance", "p3", "--out", str(tmp_path / "out"))
    answer = call(tmp_path, "export", "small", "--profile", "ideal", *options)
    assert answer.exit_code == 0, answer.output
    with (tmp_path / "out" / "quantum_ideal" / "p3" / "p3_summary.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (len(row), row["Affiliation"], row["Paradigm"]) == (30, "N/A", "Quantum Simulator")


def test_a_path_that_did_not_answer_is_said_so(tmp_path: Path) -> None:
    decide(tmp_path, answered=False, made={"path_reasons": ["the purse is empty"]})
    answer = call(tmp_path, "export", "small", "--profile", "ideal", "--out", str(tmp_path / "out"))
    assert "No quantum row: the purse is empty" in answer.output
    assert not (tmp_path / "out" / "quantum_ideal").exists()


def test_an_undecided_partition_is_one_line_and_writes_nothing(tmp_path: Path) -> None:
    decide(tmp_path)
    answer = call(tmp_path, "export", "small", "--profile", "noisy", "--out", str(tmp_path / "out"))
    assert answer.exit_code == 2
    assert answer.stderr.startswith("error: study small: has no decision for noisy; decided is ideal. Materialise")
    assert answer.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_affiliations_must_pair_with_submitters(tmp_path: Path) -> None:
    decide(tmp_path)
    wrong = call(tmp_path, "export", "small", "--profile", "ideal", "--affiliation", "U", "--affiliation", "V")
    assert wrong.exit_code == 2
    assert "1 submitters and 2 affiliations" in wrong.stderr
