"""What the rehearsals stand on: a kill that leaves nothing alive, and waiting that ends with a reason."""

import os
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from quantum_assets.cli.rehearsal_tools import environment_of, failed_run, kill, start, until
from quantum_assets.contracts.errors import PlanError
from quantum_assets.orchestration.reconcile import is_alive

_PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""


@dg.op
def breaks() -> None:
    raise dg.Failure("the disk is on fire")


@dg.job
def broken() -> None:
    breaks()


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return environment_of(tmp_path)


def _soon(seconds: float = 20) -> float:
    return time.monotonic() + seconds


def test_a_kill_takes_the_children_along(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "parent.log"
    parent = start([sys.executable, "-S", "-c", _PARENT], dict(os.environ), log)
    until(lambda: len(log.read_text().split()) == 2, _soon(), "it did not speak")
    pids = [int(word) for word in log.read_text().split()]
    assert pids[0] == parent.pid
    seen = time.time()
    assert [is_alive(pid, seen) for pid in pids] == [True, True]
    kill(parent)
    until(lambda: not any(is_alive(pid, seen) for pid in pids), _soon(), "somebody lives")
    kill(parent)  # there is nobody left, which is no error


def test_waiting_ends_at_the_deadline_with_what_was_missed() -> None:
    with pytest.raises(PlanError, match="no ticket reached the provider"):
        until(lambda: False, time.monotonic() - 1, "no ticket reached the provider")


def test_waiting_ends_with_the_words_of_a_run_that_failed(environment: dict[str, str]) -> None:
    assert failed_run(environment) == ""
    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        run = broken.execute_in_process(instance=instance, raise_on_error=False)
        with pytest.raises(PlanError, match=f"run {run.run_id} failed: .*the disk is on fire"):
            until(lambda: False, _soon(), "nothing came", environment)
        instance.add_run_tags(run.run_id, {"dagster/will_retry": "true"})
    assert failed_run(environment) == ""  # it is tried again, so that there is something to wait for


def test_the_environment_names_an_instance_that_is_ready(environment: dict[str, str], tmp_path: Path) -> None:
    assert environment["QUANTUM_ASSETS_HOME"] == str(tmp_path)
    assert Path(environment["DAGSTER_HOME"]) == tmp_path / "dagster"
    assert (tmp_path / "dagster" / "dagster.yaml").is_file()
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["DAGSTER_BACKFILL_RETRY_DEFINITION_CHANGED_ERROR"]  # a busy machine ends no backfill
