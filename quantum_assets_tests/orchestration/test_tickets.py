"""Submitted in one run, followed by the sensor, collected in another: once each, whatever dies in between."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.test_utils import create_run_for_test

import quantum_assets
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import State
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.execution import EXECUTION_KEY, ExecutionRoom
from quantum_assets.orchestration.tickets import (
    build_cancel_sensor,
    build_tickets_sensor,
    cancel_run,
    collect_job_name,
    collecting_jobs,
)
from quantum_assets.providers.remote import URL_VARIABLE
from quantum_assets.service.server import Settings, running
from quantum_assets_tests.execution.rooms import room_in
from quantum_assets_tests.orchestration.slow_study import MATRICES, SLOW, accepted_jobs, loading, post_faults
from quantum_assets_tests.providers.workloads import ZZ, overlaps_workload

PROFILE = ExecutionProfile(name="slow", **SLOW)
AN_HOUR = 3600.0
Provider = Callable[..., str]


def question(number: int) -> Workload:
    """Overlaps of a few rows; another number is another question."""
    return overlaps_workload(ZZ, 2 + number, 2)


@pytest.fixture
def provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """Starts the stand-in, and starts it again over the same account with another queue; only one at a time."""
    started: list[object] = []

    def start(queue_seconds: float = 0.0) -> str:
        stop()
        service = running(Settings(tmp_path / "provider", queue_seconds=queue_seconds, rehearsal=True))
        started.append(service)
        url = service.__enter__()
        monkeypatch.setenv(URL_VARIABLE, url)
        return url

    def stop() -> None:
        while started:
            started.pop().__exit__(None, None, None)  # type: ignore[attr-defined]

    yield start
    stop()


# A whole study


@pytest.mark.slow
def test_a_partition_is_submitted_followed_and_collected_once(tmp_path: Path, provider: Provider) -> None:
    with loading(tmp_path) as load:
        study = load()
        provider(queue_seconds=AN_HOUR)
        asked = study.run("small_job")
        assert asked.success
        assert study.made(asked) == {"dataset", "features", "classical_kernels", "quantum_jobs"}
        skipped = {event.step_key for event in asked.all_events if event.event_type_value == "STEP_SKIPPED"}
        assert {f"small__{name}" for name in ("diagnostics", "evaluation", "verdict", "kernel_model")} <= skipped

        first = study.tick()
        second = study.tick(first.cursor)
        assert not first.run_requests
        assert not second.run_requests
        (seen,) = second.asset_events
        assert seen.asset_key == dg.AssetKey(["small", "quantum_jobs"])
        assert seen.partition == "slow"
        told = {name: value.value for name, value in seen.metadata.items()}
        assert told == {
            "tickets/queued": MATRICES,
            "tickets/open": MATRICES,
            "tickets/ended": 0,
            "queue_position": 0,
            "backends": "remote/rehearsal",
        }

        url = provider()  # the provider comes back, and its queue moves
        due = study.ticks(second.cursor)
        (request,) = due.run_requests
        assert request.job_name == "small_collect"
        assert request.partition_key == "slow"
        again = study.tick(due.cursor)
        assert not again.run_requests
        jobs = accepted_jobs(url)

        collected = study.run(str(request.job_name), str(request.partition_key))
        assert collected.success
        assert study.made(collected) == {
            "quantum_kernel", "diagnostics", "evaluation", "verdict", "kernel_model", "modes",
        }  # fmt: skip
        assert accepted_jobs(url) == jobs  # nothing was submitted for it
        (event,) = collected.asset_materializations_for_node("small__quantum_kernel")
        assert "| **path** | quantum |" in str(event.metadata["execution"].value)
        assert all(check.passed for check in collected.get_asset_check_evaluations())
        assert not study.tick(again.cursor).run_requests
        assert {ticket.state for ticket in study.ledger.tickets(study="small")} == {State.ACCEPTED}
        assert study.ledger.check() == ()
        assert len({job["key"] for job in jobs}) == len(jobs) == len(study.ledger.orders())


@pytest.mark.slow
def test_where_the_provider_fails_the_fallback_answers_and_says_so(tmp_path: Path, provider: Provider) -> None:
    with loading(tmp_path) as load:
        study = load()
        url = provider()
        post_faults(url, {"at": "run", "kind": "fail", "times": 1000, "code": "9999", "message": "the fridge is warm"})
        assert study.run("small_job").success
        (request,) = study.ticks().run_requests
        collected = study.run(str(request.job_name))
        assert collected.success  # the checks below warn, and block nothing
        told = {
            (check.asset_key.path[-1], check.check_name): check for check in collected.get_asset_check_evaluations()
        }
        for asset in ("quantum_kernel", "evaluation"):
            check = told[asset, "quantum_path"]
            assert not check.passed
            assert check.severity is dg.AssetCheckSeverity.WARN
            assert "the fridge is warm" in str(check.description)
        verdict = quantum_assets.load("small/verdict", home=study.home, profile="slow")
        first = verdict["reasons"][0].splitlines()[0]
        assert "answered by the classical path" in first
        assert "the fridge is warm" in first
        assert {job["micros"] for job in accepted_jobs(url)} == {0}
        tickets = study.ledger.tickets(study="small", asynchronous=True)
        assert [ticket.state for ticket in tickets] == [State.FELL_BACK] * MATRICES


# The sensor over one asset


@dataclass(frozen=True)
class Toy:
    """One asset that asks two questions, and the sensor that follows them."""

    instance: dg.DagsterInstance
    room: ExecutionRoom
    asset: dg.AssetsDefinition
    defs: dg.Definitions
    lingers: list[Callable[[], object]]

    def ask(self, dies: bool = False, meanwhile: Callable[[], object] | None = None) -> str:
        """A run that asks; it may die before it has recorded what it asked, or linger until then; its id."""
        if meanwhile is not None:
            self.lingers.append(meanwhile)
        result = dg.materialize(
            [self.asset],
            instance=self.instance,
            partition_key="slow",
            resources={EXECUTION_KEY: self.room},
            tags={"dies": str(dies)},
            raise_on_error=False,
        )
        assert result.success is not dies
        return result.run_id

    def tick(self, cursor: str | None = None) -> SensorExecutionData:
        context = dg.build_sensor_context(
            instance=self.instance, cursor=cursor, resources={EXECUTION_KEY: self.room}, definitions=self.defs
        )
        return self.defs.resolve_sensor_def("quantum_tickets").evaluate_tick(context)

    def settled(self) -> SensorExecutionData:
        """The tick at which nothing is open any more."""
        for _ in range(2000):
            told = self.tick()
            if all(status.open == 0 for status in self.room.plane.ledger.partitions()):
                return told
            time.sleep(0.02)
        raise AssertionError("the provider does not answer")


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[Toy]:
    """The asset, its collecting job and the sensor; events are in memory, and in SQLite in the whole studies above."""
    partitions = dg.StaticPartitionsDefinition(["slow"])
    questions = [question(0), question(1)]
    lingers: list[Callable[[], object]] = []

    @dg.asset(key=["toy", "quantum_jobs"], partitions_def=partitions, required_resource_keys={EXECUTION_KEY})
    def quantum_jobs(context: dg.AssetExecutionContext) -> None:
        room: ExecutionRoom = getattr(context.resources, EXECUTION_KEY)
        room.session("toy", context.partition_key, context.run_id).submit_each(questions, PROFILE)
        if context.run.tags["dies"] == "True":
            raise dg.Failure("power cut")
        if lingers:
            lingers.pop()()

    @dg.asset(key=["toy", "quantum_kernel"], deps=[quantum_jobs], partitions_def=partitions)
    def quantum_kernel() -> None:
        return None

    job = dg.define_asset_job(collect_job_name("toy"), selection=[quantum_kernel], partitions_def=partitions)
    found = dg.Definitions(assets=[quantum_jobs, quantum_kernel], jobs=[job])
    assert collecting_jobs(found) == [job]
    room = room_in(tmp_path / "home")
    ours = dg.Definitions(sensors=[build_tickets_sensor([job])], resources={EXECUTION_KEY: room})
    with dg.DagsterInstance.ephemeral() as instance:
        yield Toy(instance, room, quantum_jobs, dg.Definitions.merge(found, ours), lingers)


def test_what_no_run_recorded_is_not_collected_until_one_does(toy: Toy, provider: Provider) -> None:
    url = provider()
    toy.ask(dies=True)
    settled = toy.settled()
    assert not settled.run_requests
    assert not toy.tick(settled.cursor).run_requests
    jobs = accepted_jobs(url)
    toy.ask()  # its questions are asked anew, and answered from what is known
    (request,) = toy.settled().run_requests
    assert request.job_name == "toy_collect"
    assert accepted_jobs(url) == jobs


def test_a_run_that_dies_after_one_that_recorded_is_waited_for(toy: Toy, provider: Provider) -> None:
    provider()
    toy.ask()
    toy.ask(dies=True)
    assert not toy.settled().run_requests


def test_a_run_that_asked_first_and_ends_last_keeps_nothing_from_being_collected(toy: Toy, provider: Provider) -> None:
    provider()
    toy.ask(meanwhile=toy.ask)
    (request,) = toy.settled().run_requests
    assert request.partition_key == "slow"


def test_the_cursor_is_json_and_one_that_is_lost_asks_under_the_same_key(toy: Toy, provider: Provider) -> None:
    provider()
    toy.ask()
    told = toy.settled()
    (request,) = told.run_requests
    cursor = json.loads(str(told.cursor))
    assert set(cursor) == {"after", "collected"}
    assert cursor["collected"] == {"toy/slow": 2}
    assert not toy.tick(json.dumps(cursor)).run_requests
    (lost,) = toy.tick(None).run_requests  # Dagster launches one run a key, so that nothing is collected twice
    assert lost.run_key == request.run_key
    toy.ask()
    (anew,) = toy.tick(told.cursor).run_requests
    assert anew.run_key != request.run_key


def test_a_study_without_a_collecting_job_is_left_alone(toy: Toy, provider: Provider) -> None:
    provider(queue_seconds=AN_HOUR)
    toy.room.session("stranger", "slow", "run-1").submit_each([question(7)], PROFILE)
    told = toy.tick()
    assert not told.run_requests
    assert not told.asset_events
    assert "0 tickets open, 1 looked at" in str(told.skip_message)


# Cancelling


def _session(toy: Toy, run_id: str) -> Session:
    return toy.room.session("toy", "slow", run_id)


def test_cancelling_a_run_ends_only_what_it_alone_waits_for(toy: Toy, provider: Provider) -> None:
    url = provider(queue_seconds=AN_HOUR)
    plane = toy.room.plane
    ((mine,), (shared,)) = _session(toy, "run-1").submit_each([question(0), question(1)], PROFILE)
    ((theirs,),) = _session(toy, "run-2").submit_each([question(1)], PROFILE)
    assert theirs.id == shared.id
    (ended,) = cancel_run(plane, "run-1")
    assert (ended.id, ended.state, ended.reason) == (mine.id, State.REJECTED, "cancelled by run run-1")
    assert not plane.ledger.ticket(shared.id).ended
    assert [job["status"] for job in accepted_jobs(url)] == ["QUEUED"]  # it is one job, and somebody waits for it
    assert cancel_run(plane, "run-2") == ()
    (last,) = cancel_run(plane, "run-2", lambda runs: set(runs) & {"run-1"})
    assert last.id == shared.id
    toy.tick()
    assert [(job["status"], job["micros"]) for job in accepted_jobs(url)] == [("CANCELLED", 0)]
    assert plane.ledger.check() == ()


def test_the_sensor_cancels_for_cancelled_runs(toy: Toy, provider: Provider) -> None:
    provider(queue_seconds=AN_HOUR)
    first, second = (create_run_for_test(toy.instance, job_name="toy_job") for _ in range(2))
    ((ticket,),) = _session(toy, first.run_id).submit_each([question(0)], PROFILE)
    _session(toy, second.run_id).submit_each([question(0)], PROFILE)

    def cancelled(run: dg.DagsterRun) -> None:
        toy.instance.report_run_canceled(run)
        (record,) = toy.instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.RUN_CANCELED).records
        context = dg.build_run_status_sensor_context(
            "cancel_tickets_of_cancelled_runs",
            record.event_log_entry.get_dagster_event(),
            toy.instance,
            toy.instance.get_run_by_id(run.run_id),  # type: ignore[arg-type]
            resources={EXECUTION_KEY: toy.room},
        )
        build_cancel_sensor()(context)

    cancelled(first)
    assert not toy.room.plane.ledger.ticket(ticket.id).ended
    cancelled(second)
    assert toy.room.plane.ledger.ticket(ticket.id).state is State.REJECTED
