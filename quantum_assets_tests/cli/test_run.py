"""Which studies `quantum-assets run` runs, and one of them for real."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import quantum_assets
from quantum_assets.cli.report import Job
from quantum_assets.cli.run import Offer, plan_jobs
from quantum_assets.contracts.errors import PlanError
from quantum_assets.store.home import Home
from quantum_assets.store.store import Store

AVAILABLE = {
    "wine": Offer(("ideal", "noisy")),
    "iris": Offer(("ideal",)),
    "stocks": Offer(("ideal", "sampled"), ("2020-01", "2020-02"), decides=True),
}
LAST_MONTH = Job("stocks", "ideal", "2020-02", decides=True)


def test_all_studies_under_their_first_profile_by_default() -> None:
    assert plan_jobs(AVAILABLE, (), ()) == (Job("iris", "ideal"), LAST_MONTH, Job("wine", "ideal"))


def test_a_profile_runs_where_it_exists() -> None:
    assert plan_jobs(AVAILABLE, (), ("noisy",)) == (Job("wine", "noisy"),)


def test_unknown_studies_and_profiles_are_refused_with_the_choices() -> None:
    with pytest.raises(PlanError, match="Choose from iris, stocks, wine"):
        plan_jobs(AVAILABLE, ("whine",), ())
    with pytest.raises(PlanError, match="Choose from ideal"):
        plan_jobs(AVAILABLE, ("iris",), ("noisy",))


def test_months_are_chosen_where_there_are_any() -> None:
    assert plan_jobs(AVAILABLE, ("stocks",), (), ("2020-01",)) == (Job("stocks", "ideal", "2020-01", decides=True),)
    assert plan_jobs(AVAILABLE, (), ("sampled",)) == (Job("stocks", "sampled", "2020-02", decides=True),)
    with pytest.raises(PlanError, match=r"period 2021-01: is not one of its partitions\. Choose from 2020-01, 2020-02"):
        plan_jobs(AVAILABLE, ("stocks",), (), ("2021-01",))


def test_a_month_has_a_partition_key_of_both_dimensions() -> None:
    assert LAST_MONTH.key == "2020-02|ideal"
    assert LAST_MONTH.partition == {"period": "2020-02", "profile": "ideal"}
    assert Job("wine", "noisy").key == "noisy"


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
def test_two_profiles_of_a_month_share_its_problem(tmp_path: Path) -> None:
    home = tmp_path / "home"
    wanted = ["sp500_portfolio", "--period", "2020-02", "--profile", "ideal", "--profile", "sampled"]
    command = [sys.executable, "-m", "quantum_assets", "run", *wanted, "--home", str(home)]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    store = Store(Home(home).store)
    for asset in ("problem", "classical_solutions"):
        assert len(store.history(("sp500_portfolio", asset), {"period": "2020-02"})) == 1
    for profile in ("ideal", "sampled"):
        partition = {"period": "2020-02", "profile": profile}
        assert len(store.history(("sp500_portfolio", "decision"), partition)) == 1
        assert f"2020-02|{profile}" in answer.stdout


@pytest.mark.slow
def test_a_study_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "quantum_assets", "run", "irish", "--home", str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True)
    assert answer.returncode == 2
    assert "error: study irish" in answer.stderr
    assert "Traceback" not in answer.stderr
