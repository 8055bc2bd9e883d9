"""What the rehearsals share: the platform as processes that can be killed, and waiting for what must come of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from quantum_assets.contracts.errors import PlanError

_LOOK_SECONDS = 1.0


def environment_of(home: Path) -> dict[str, str]:
    """Environment of everything that works on a home's Dagster instance, which is made ready."""
    from quantum_assets.cli.instance import PATIENCE, prepare_instance

    return os.environ | {
        "DAGSTER_HOME": str(prepare_instance(home)),
        "QUANTUM_ASSETS_HOME": str(home),
        "QUANTUM_ASSETS_TICK_SECONDS": "5",
        "DO_NOT_TRACK": "1",
        **PATIENCE,
    }


@contextmanager
def daemon(home: Path, environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The Dagster daemon: sensors, run queue, backfills, and the runs that it launches, all in one process group."""
    from quantum_assets.cli.instance import WORKSPACE, project_file

    command = [sys.executable, "-m", "dagster._daemon", "run", "--workspace", str(project_file(WORKSPACE))]
    child = start(command, environment, home / "logs" / "rehearsal-daemon.log")
    try:
        yield child
    finally:
        kill(child)


def start(command: list[str], environment: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a process that leads a group of its own and writes to a log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        return subprocess.Popen(command, env=environment, stdout=sink, stderr=sink, start_new_session=True)  # noqa: S603


def kill(child: "subprocess.Popen[bytes]") -> None:
    """SIGKILL to the process and everything that it started: nobody gets to clean up."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def until(true: Callable[[], bool], deadline: float, otherwise: str, environment: dict[str, str] | None = None) -> None:
    """Look once a second, until it is true.

    Args:
        true: What is waited for.
        deadline: On the monotonic clock.
        otherwise: What to say after the deadline.
        environment: Of an instance whose failed runs end the wait; None looks at no runs.

    Raises:
        PlanError: At the deadline, or when a step of the instance has failed.
    """
    while not true():
        failed = failed_run(environment) if environment else ""
        if failed or time.monotonic() > deadline:
            raise PlanError(
                "the rehearsal",
                failed or otherwise,
                "`quantum-assets tickets` says what became of each; then look into the logs below the home folder",
            )
        time.sleep(_LOOK_SECONDS)


def failed_run(environment: dict[str, str]) -> str:
    """What a run of the instance failed of; empty when none did, or when it is tried again."""
    import dagster as dg

    with dg.DagsterInstance.from_config(environment["DAGSTER_HOME"]) as instance:
        failed = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE]))
        for run in (run for run in failed if run.tags.get("dagster/will_retry") != "true"):
            events = [entry.dagster_event for entry in instance.all_logs(run.run_id, dg.DagsterEventType.STEP_FAILURE)]
            told = [event.step_failure_data.error for event in events if event is not None]
            if told:
                return f"run {run.run_id} failed: {told[0].message.strip() if told[0] else 'see the UI'}"
    return ""
