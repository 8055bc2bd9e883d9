"""Ends runs whose worker process is gone: after a host crash Dagster leaves them STARTED for ever.

Dagster's default launcher does not look after its workers, so a run that was under way when the machine went down keeps
its state, its concurrency slot and its spinning wheel. The evidence that is left is the process id, which the worker
writes to the event log as it starts. `reconcile` believes it only where it proves something:

* the run was worked on by this machine: the instance lives in SQLite files here (or its operator says `one_host`), and
  the code server that took the run was a local one;
* no process has that id, or the one that has it is a zombie or was started after the run's last sign of life.

Everything else (another machine, a worker that has not spoken yet) is left to `run_monitoring` in `dagster.yaml`, whose
start timeout and `max_runtime_seconds` end it in the end. Containers that share one home count as several machines,
for they do not see each other's processes: build the sensor with ``one_host=False`` there.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
from dagster import DagsterEventType, DagsterRunStatus

#: Says whether the process with this id is the one that was seen at this Unix time.
IsAlive = Callable[[int, float], bool]

UNDER_WAY = (DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING)
GRPC_INFO = ".dagster/grpc_info"
LOCAL_CODE_SERVERS = ("localhost", "127.0.0.1", "::1")
# Process start times are known to a clock tick, event times to the clock's last adjustment.
SLACK_SECONDS = 5.0


@dataclass(frozen=True)
class LostRun:
    """A run that was ended because its worker is gone.

    Attributes:
        run_id: Whose.
        pid: The process that is gone.
        reason: The sentence written to the run's event log.
    """

    run_id: str
    pid: int
    reason: str


def is_alive(pid: int, seen: float) -> bool:
    """Whether the process that had this id at Unix time `seen` still lives on this machine.

    Without a `/proc` file system an id that is in use counts as alive, whoever uses it.
    """
    if not _exists(pid):
        return False
    try:
        state, started = _state_and_start(pid)
    except (OSError, ValueError, IndexError):
        return True
    return state not in "ZX" and started <= seen + SLACK_SECONDS


def runs_under_way(
    instance: dg.DagsterInstance, after: str | None = None, limit: int = 50
) -> tuple[dg.DagsterRun, ...]:
    """Runs that should have a worker, oldest first, from the one after run id `after`."""
    filters = dg.RunsFilter(statuses=list(UNDER_WAY))
    return tuple(instance.get_runs(filters, cursor=after, limit=limit, ascending=True))


def reconcile(
    instance: dg.DagsterInstance,
    is_alive: IsAlive = is_alive,
    *,
    runs: Sequence[dg.DagsterRun] | None = None,
    one_host: bool | None = None,
) -> tuple[LostRun, ...]:
    """Mark runs whose worker process is gone: failed, or canceled where that was asked for.

    Args:
        instance: Where the runs are.
        is_alive: Looks a process up on this machine.
        runs: Runs to judge; by default those under way.
        one_host: Whether every worker of this instance runs on this machine; by default only an instance in SQLite
            files is taken to be so.

    Returns:
        What was ended, in the order judged. A second call finds nothing more.
    """
    if not (_lives_here(instance) if one_host is None else one_host):
        return ()
    lost = []
    for run in runs_under_way(instance) if runs is None else runs:
        pid = _worker_pid(instance, run)
        if pid is None or is_alive(pid, _last_sign_of_life(instance, run)):
            continue
        ended = _end(instance, run.run_id, pid)
        if ended is not None:
            lost.append(ended)
    return tuple(lost)


def build_reconcile_sensor(one_host: bool | None = None, runs_a_tick: int = 50) -> dg.SensorDefinition:
    """A sensor that reconciles a bounded page of runs a tick and takes the next page at the next one."""

    @dg.sensor(
        name="reconcile_lost_runs",
        description="Ends runs whose worker process is gone, for example after a crash of this machine.",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def reconcile_lost_runs(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        runs = runs_under_way(context.instance, after=context.cursor or None, limit=runs_a_tick)
        lost = reconcile(context.instance, runs=runs, one_host=one_host)
        for run in lost:
            context.log.warning(f"{run.run_id}: {run.reason}")
        told = f"{len(runs)} runs under way, {len(lost)} without a worker ended"
        cursor = runs[-1].run_id if len(runs) == runs_a_tick else ""
        return dg.SensorResult(skip_reason=dg.SkipReason(told), cursor=cursor)

    return reconcile_lost_runs


reconcile_sensor = build_reconcile_sensor()


def _lives_here(instance: dg.DagsterInstance) -> bool:
    from dagster._core.storage.runs import SqliteRunStorage

    return isinstance(instance.run_storage, SqliteRunStorage)


def _worker_pid(instance: dg.DagsterInstance, run: dg.DagsterRun) -> int | None:
    """The process id that the worker wrote last; None while it has not spoken, or if its code server is elsewhere."""
    server = run.tags.get(GRPC_INFO)
    if server is not None and json.loads(server).get("host") not in LOCAL_CODE_SERVERS:
        return None
    records = instance.get_records_for_run(run.run_id, of_type=DagsterEventType.ENGINE_EVENT, ascending=False).records
    for record in records:
        event = record.event_log_entry.dagster_event
        pid = event.engine_event_data.metadata.get("pid") if event and event.step_key is None else None
        if pid is not None and str(pid.value).isdigit():
            return int(str(pid.value))
    return None


def _last_sign_of_life(instance: dg.DagsterInstance, run: dg.DagsterRun) -> float:
    latest = instance.get_records_for_run(run.run_id, limit=1, ascending=False).records
    return latest[0].event_log_entry.timestamp


def _end(instance: dg.DagsterInstance, run_id: str, pid: int) -> LostRun | None:
    """Write the end, unless the worker had written its own before it left."""
    run = instance.get_run_by_id(run_id)
    if run is None or run.status not in UNDER_WAY:
        return None
    reason = (
        f"The worker process of this run (pid {pid}) is gone and left no result: it or its machine was stopped. "
        "What it had committed to the store stands; materialise again to finish."
    )
    if run.status == DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, reason)
    else:
        instance.report_run_failed(run, reason)
    return LostRun(run_id, pid, reason)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's process
        return True
    return True


def _state_and_start(pid: int) -> tuple[str, float]:
    """State letter and start as Unix time, from `/proc`; see proc(5), fields 3 and 22 of stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime "))
    return fields[0], int(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")
