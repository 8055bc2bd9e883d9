"""The reconciler: ends runs whose worker is gone, and no others."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from dagster._core.events import EngineEventData

from quantum_assets.orchestration.reconcile import (
    GRPC_INFO,
    build_reconcile_sensor,
    is_alive,
    reconcile,
    reconcile_sensor,
    runs_under_way,
)

GONE = 2_147_483_647  # no kernel gives out process ids that large


@dg.job
def nothing() -> None:
    """No steps."""


@pytest.fixture(scope="module")
def sqlite_instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    home = str(tmp_path_factory.mktemp("dagster"))
    with dg.DagsterInstance.local_temp(home, overrides={"telemetry": {"enabled": False}}) as local:
        yield local


@pytest.fixture
def instance(sqlite_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """An instance in SQLite files, without runs."""
    for run in sqlite_instance.get_runs():
        sqlite_instance.delete_run(run.run_id)
    return sqlite_instance


def make_run(
    instance: dg.DagsterInstance,
    status: DagsterRunStatus = DagsterRunStatus.STARTED,
    pid: int | None = GONE,
    server: str | None = "localhost",
) -> dg.DagsterRun:
    tags = {} if server is None else {GRPC_INFO: json.dumps({"host": server, "port": 4000})}
    run = instance.create_run_for_job(nothing, status=status, tags=tags)
    if pid is not None:
        instance.report_engine_event(f"Started process for run (pid: {pid}).", run, EngineEventData.in_process(pid))
    return run


def status_of(instance: dg.DagsterInstance, run: dg.DagsterRun) -> DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (DagsterRunStatus.STARTED, DagsterRunStatus.FAILURE),
        (DagsterRunStatus.STARTING, DagsterRunStatus.FAILURE),
        (DagsterRunStatus.CANCELING, DagsterRunStatus.CANCELED),
        (DagsterRunStatus.NOT_STARTED, DagsterRunStatus.NOT_STARTED),
        (DagsterRunStatus.SUCCESS, DagsterRunStatus.SUCCESS),
    ],
)
def test_a_run_without_a_worker_is_ended_in_the_word_that_fits(
    instance: dg.DagsterInstance, before: DagsterRunStatus, after: DagsterRunStatus
) -> None:
    run = make_run(instance, before)
    lost = reconcile(instance)
    assert status_of(instance, run) == after
    assert [found.run_id for found in lost] == ([run.run_id] if before != after else [])
    assert reconcile(instance) == ()


def test_the_reason_is_in_the_run_s_log(instance: dg.DagsterInstance) -> None:
    run = make_run(instance)
    (lost,) = reconcile(instance)
    assert lost.pid == GONE
    assert str(GONE) in lost.reason
    assert lost.reason in [event.message for event in instance.all_logs(run.run_id)]


@pytest.mark.parametrize("server", [None, "localhost", "127.0.0.1"])
def test_workers_of_this_machine_are_judged(instance: dg.DagsterInstance, server: str | None) -> None:
    make_run(instance, server=server)
    assert len(reconcile(instance)) == 1


def test_nothing_is_concluded_without_evidence(instance: dg.DagsterInstance) -> None:
    runs = [
        make_run(instance, pid=None),  # has not spoken yet
        make_run(instance, server="code-server.example"),  # another machine's process id
        make_run(instance, pid=os.getpid()),
        make_run(instance, pid=os.getppid()),
        make_run(instance, pid=1),
    ]
    assert reconcile(instance) == ()
    assert {status_of(instance, run) for run in runs} == {DagsterRunStatus.STARTED}


def test_an_instance_that_several_machines_may_share_is_left_alone_unless_told(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as shared:
        run = make_run(shared)
        assert reconcile(shared) == ()
        assert status_of(shared, run) == DagsterRunStatus.STARTED
        assert len(reconcile(shared, one_host=True)) == 1


def test_a_local_instance_that_others_use_too_can_be_left_alone(instance: dg.DagsterInstance) -> None:
    make_run(instance)
    assert reconcile(instance, one_host=False) == ()


def test_the_process_that_spoke_last_counts(instance: dg.DagsterInstance) -> None:
    """A resumed run has a second worker."""
    run = make_run(instance, pid=GONE)
    instance.report_engine_event("Started process for resuming job", run, EngineEventData.in_process(os.getpid()))
    assert reconcile(instance) == ()


def test_the_process_is_asked_for_at_the_run_s_last_sign_of_life(instance: dg.DagsterInstance) -> None:
    run = make_run(instance)
    instance.report_engine_event("still here", run)
    asked: list[tuple[int, float]] = []

    def remember(pid: int, seen: float) -> bool:
        asked.append((pid, seen))
        return True

    assert reconcile(instance, remember) == ()
    assert asked == [(GONE, max(event.timestamp for event in instance.all_logs(run.run_id)))]


def test_a_worker_that_ends_its_run_while_it_is_judged_has_the_last_word(instance: dg.DagsterInstance) -> None:
    run = make_run(instance)

    def finishes_first(pid: int, seen: float) -> bool:
        instance.report_run_canceled(run)
        return False

    assert reconcile(instance, finishes_first) == ()
    assert status_of(instance, run) == DagsterRunStatus.CANCELED


def test_runs_are_judged_page_by_page(instance: dg.DagsterInstance) -> None:
    alive = [make_run(instance, pid=os.getpid()) for _ in range(2)]
    dead = [make_run(instance) for _ in range(3)]
    assert [run.run_id for run in runs_under_way(instance, limit=2)] == [run.run_id for run in alive]
    sensor = build_reconcile_sensor(runs_a_tick=2)
    cursors: list[str] = []
    for _ in range(4):
        context = dg.build_sensor_context(instance=instance, cursor=cursors[-1] if cursors else None)
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        cursors.append(result.cursor or "")
    assert [status_of(instance, run) for run in dead] == [DagsterRunStatus.FAILURE] * 3
    assert [status_of(instance, run) for run in alive] == [DagsterRunStatus.STARTED] * 2
    assert cursors[:3] == [alive[1].run_id, dead[1].run_id, ""]


def test_the_sensor_is_on_by_default_and_loads() -> None:
    (loaded,) = dg.Definitions(sensors=[reconcile_sensor]).get_repository_def().sensor_defs
    assert loaded.name == "reconcile_lost_runs"
    assert loaded.default_status == dg.DefaultSensorStatus.RUNNING


def test_a_process_is_alive_until_it_is_reaped_or_replaced() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        now = time.time()
        assert is_alive(child.pid, now)
        assert not is_alive(child.pid, now - 3600)  # whoever was seen an hour ago is not this child
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead and not reaped: a zombie
        assert not is_alive(child.pid, now)
    finally:
        child.kill()
        child.communicate()
    assert not is_alive(child.pid, now)


@pytest.mark.slow
def test_a_killed_worker_s_run_is_ended_and_a_living_one_is_not(tmp_path: Path) -> None:
    script = Path(__file__).with_name("sleeping_run.py")
    worker = subprocess.Popen([sys.executable, str(script), str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        mark = tmp_path / "started"
        while not mark.exists() or not mark.read_text():
            assert worker.poll() is None
            time.sleep(0.05)
        with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"telemetry": {"enabled": False}}) as instance:
            assert reconcile(instance) == ()
            worker.send_signal(signal.SIGKILL)
            worker.wait()
            (lost,) = reconcile(instance)
            assert (lost.run_id, lost.pid) == (mark.read_text(), worker.pid)
            ended = instance.get_run_by_id(lost.run_id)
            assert ended is not None
            assert ended.status == DagsterRunStatus.FAILURE
    finally:
        worker.kill()
        worker.wait()
