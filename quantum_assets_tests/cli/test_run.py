"""Which studies `quantum-assets run` runs, and one of them for real."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import quantum_assets
from quantum_assets.cli.report import Job
from quantum_assets.cli.run import plan_jobs
from quantum_assets.contracts.errors import PlanError

AVAILABLE = {"wine": ["ideal", "noisy"], "iris": ["ideal"]}


def test_all_studies_under_their_first_profile_by_default() -> None:
    assert plan_jobs(AVAILABLE, (), ()) == (Job("iris", "ideal"), Job("wine", "ideal"))


def test_a_profile_runs_where_it_exists() -> None:
    assert plan_jobs(AVAILABLE, (), ("noisy",)) == (Job("wine", "noisy"),)


def test_unknown_studies_and_profiles_are_refused_with_the_choices() -> None:
    with pytest.raises(PlanError, match="Choose from iris, wine"):
        plan_jobs(AVAILABLE, ("whine",), ())
    with pytest.raises(PlanError, match="Choose from ideal"):
        plan_jobs(AVAILABLE, ("iris",), ("noisy",))


@pytest.mark.slow
def test_one_study_from_the_command_line_to_a_frame(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = [sys.executable, "-m", "quantum_assets", "run", "iris", "--home", str(home)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUANTUM_ASSETS")}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    for word in ("Verdicts", "iris", "no evidence of benefit", "Where to look next"):
        assert word in answer.stdout
    assert "Warning" not in answer.stderr
    kernel = quantum_assets.load("iris/quantum_kernel", home=home, profile="ideal")
    assert kernel.shape == (100, 100)


@pytest.mark.slow
def test_a_study_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "quantum_assets", "run", "irish", "--home", str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 2
    assert "error: study irish" in answer.stderr
    assert "Traceback" not in answer.stderr
