"""A host crash leaves a run STARTED and a job at the vendor: the run is ended, and the sensor's turns end the job."""

from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from dagster._core.events import EngineEventData

from quantum_assets.contracts.ticket import State
from quantum_assets.orchestration.reconcile import reconcile
from quantum_assets_tests.faults.place import PRICE, Place
from quantum_assets_tests.faults.worker import started

pytestmark = pytest.mark.slow


@dg.job
def materialises() -> None:
    """Stands for the run whose process asked."""


@pytest.mark.parametrize("stop", ["after call submit", "after submitted", "after failed"])
def test_the_tickets_of_a_lost_run_are_finished_and_paid(place: Place, tmp_path: Path, stop: str) -> None:
    if stop == "after failed":
        place.go_wrong({"at": "run", "kind": "fail", "code": "5203"})
    (tmp_path / "dagster").mkdir()
    child = started(replace(place.task, stop=stop))
    assert child.reached() == stop
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster"), {"telemetry": {"enabled": False}}) as instance:
        run = instance.create_run_for_job(materialises, status=DagsterRunStatus.STARTED)
        pid = child.process.pid
        assert pid is not None
        instance.report_engine_event("Started process for run.", run, EngineEventData.in_process(pid))
        child.kill()
        assert [lost.run_id for lost in reconcile(instance)] == [run.run_id]
        (ended,) = instance.get_runs()
        assert ended.status is DagsterRunStatus.FAILURE
    place.at_rest()
    place.at_rest(ahead=86_400.0)  # a next try that nobody waits for goes stale
    jobs, tickets = place.jobs(), place.ledger.tickets()
    failed = stop == "after failed"
    assert [one.state for one in tickets] == ([State.RETRIED, State.FELL_BACK] if failed else [State.ACCEPTED])
    assert [job.micros for job in jobs] == [0 if failed else PRICE]
