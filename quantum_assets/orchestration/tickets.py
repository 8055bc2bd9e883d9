"""The sensor that follows submitted jobs: no run waits for a queue, and nothing is submitted twice.

Each tick takes one bounded turn over the ledger's open tickets (submit what is due, ask for statuses, fetch, judge,
retry or fall back), says where jobs stand in their queues, and launches the collecting run of every partition whose
tickets all have an outcome. What a tick knows lives in the ledger and in the cursor, so a daemon that was killed goes
on where it was.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import dagster as dg

from quantum_assets.contracts.ticket import Ticket
from quantum_assets.execution.answering import cancel, turn_ledger
from quantum_assets.execution.ledger.rows import PartitionStatus
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.orchestration.execution import EXECUTION_KEY, ExecutionRoom

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

    Job = dg.JobDefinition | UnresolvedAssetJobDefinition

TICKETS_A_TICK = 200
RECORDS_LOOKED_AT = 20
JOBS_ASSET = "quantum_jobs"
COLLECT_TAG = "quantum_assets/collect"
"""Tag of a run that the sensor launched to collect what an earlier run handed in."""

_SUFFIX = "_collect"


def collect_job_name(study: str) -> str:
    """Name of the job that collects a study's partition once its tickets have their outcomes."""
    return f"{study}{_SUFFIX}"


def build_tickets_sensor(jobs: "Sequence[Job]", interval_seconds: int = 30) -> dg.SensorDefinition:
    """The sensor over some collecting jobs.

    Args:
        jobs: Collecting jobs, named by `collect_job_name`.
        interval_seconds: Shortest time between two ticks.
    """
    studies = frozenset(job.name.removesuffix(_SUFFIX) for job in jobs)

    @dg.sensor(
        name="quantum_tickets",
        description="Follows submitted jobs and collects partitions whose tickets all have an outcome.",
        minimum_interval_seconds=interval_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        required_resource_keys={EXECUTION_KEY},
        jobs=list(jobs),
    )
    def quantum_tickets(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        room: ExecutionRoom = getattr(context.resources, EXECUTION_KEY)
        seen = json.loads(context.cursor) if context.cursor else {}
        tick = turn_ledger(room.plane, cursor=str(seen.get("after", "")), limit=TICKETS_A_TICK)
        partitions = [status for status in room.plane.ledger.partitions() if status.study in studies]
        collected: dict[str, int] = dict(seen.get("collected", {}))
        due = [
            status for status in partitions if _is_due(status, collected) and _was_handed_in(context.instance, status)
        ]
        for status in due:
            collected[_name(status)] = status.last_request
        cursor = {"after": tick.cursor, "collected": collected}
        requests = [_collect(status) for status in due]
        told = f"{sum(s.open for s in partitions)} tickets open, {len(tick.tickets)} looked at, {tick.settled} settled"
        return dg.SensorResult(
            run_requests=requests,
            asset_events=_observations(room.plane, partitions, tick.tickets),
            cursor=json.dumps(cursor, sort_keys=True),
            skip_reason=None if requests else dg.SkipReason(told),
        )

    return quantum_tickets


def collecting_jobs(found: dg.Definitions) -> "list[Job]":
    """The jobs among some definitions that collect asynchronous partitions."""
    return [job for job in found.jobs or () if job.name.endswith(_SUFFIX)]


def build_cancel_sensor() -> dg.SensorDefinition:
    """Cancels what a cancelled run alone was waiting for; jobs that others wait for go on."""

    @dg.run_status_sensor(
        name="cancel_tickets_of_cancelled_runs",
        run_status=dg.DagsterRunStatus.CANCELED,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Ends the tickets of runs that a person cancelled.",
    )
    def cancel_tickets(context: dg.RunStatusSensorContext, quantum_assets_execution: ExecutionRoom) -> None:
        run_id, gone = context.dagster_run.run_id, _cancelled_runs(context.instance)
        ended = cancel_run(quantum_assets_execution.plane, run_id, gone)
        context.log.info(f"{len(ended)} tickets of run {run_id} ended")

    return cancel_tickets


def cancel_run(
    plane: ControlPlane, run_id: str, cancelled: Callable[[Collection[str]], Collection[str]] | None = None
) -> tuple[Ticket, ...]:
    """End the open tickets of a cancelled run that nobody waits for any more.

    Args:
        plane: The control plane.
        run_id: The run.
        cancelled: Tells which of some runs were cancelled; left out, all others are taken to wait still.

    Returns:
        The tickets as they ended.
    """
    mine = [ticket for ticket in plane.ledger.tickets(run_id=run_id) if not ticket.ended]
    waiting = {ticket.id: _askers(plane, ticket) - {run_id} for ticket in mine}
    gone = frozenset(cancelled(frozenset().union(*waiting.values()))) if cancelled else frozenset()
    return cancel(plane, [ticket for ticket in mine if waiting[ticket.id] <= gone], f"run {run_id}")


def _cancelled_runs(instance: dg.DagsterInstance) -> Callable[[Collection[str]], Collection[str]]:
    def cancelled(runs: Collection[str]) -> Collection[str]:
        named = [run for run in runs if run]  # somebody outside of Dagster has none, and cannot be cancelled by it
        wanted = dg.RunsFilter(run_ids=named, statuses=[dg.DagsterRunStatus.CANCELED])
        return {run.run_id for run in instance.get_runs(wanted)} if named else ()

    return cancelled


def _askers(plane: ControlPlane, ticket: Ticket) -> set[str]:
    """The runs that wait for a ticket: those of its own asking, not of earlier ones."""
    return {row.run_id for row in plane.ledger.requests(ticket.question) if row.generation == ticket.generation}


def _is_due(status: PartitionStatus, collected: Mapping[str, int]) -> bool:
    return status.open == 0 and status.ended > 0 and collected.get(_name(status), 0) < status.last_request


def _was_handed_in(instance: dg.DagsterInstance, status: PartitionStatus) -> bool:
    """Whether the run that asked last has recorded all that it asked for; one that died meanwhile is retried first.

    Its record need not be the newest: a run that asked earlier may end later.
    """
    key = dg.AssetKey([status.study, JOBS_ASSET])
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[status.partition])
    records = instance.fetch_materializations(wanted, limit=RECORDS_LOOKED_AT).records
    return any(not status.last_run or record.run_id == status.last_run for record in records)


def _collect(status: PartitionStatus) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"collect:{_name(status)}:{status.last_request}",
        job_name=collect_job_name(status.study),
        partition_key=status.partition,
        tags={"quantum_assets/study": status.study, COLLECT_TAG: str(status.last_request)},
    )


def _name(status: PartitionStatus) -> str:
    return f"{status.study}/{status.partition}"


def _observations(
    plane: ControlPlane, partitions: Sequence[PartitionStatus], looked_at: Sequence[Ticket]
) -> list[dg.AssetObservation]:
    """Where the tickets of each waiting partition stand, as numbers that Dagster plots over time."""
    ids = {ticket.id for ticket in looked_at}
    observations = []
    for status in partitions:
        tickets = plane.ledger.tickets(study=status.study, partition=status.partition) if status.open else ()
        waiting = [ticket for ticket in tickets if not ticket.ended]
        if any(ticket.id in ids for ticket in waiting):
            observations.append(_observation(status, waiting))
    return observations


def _observation(status: PartitionStatus, waiting: Sequence[Ticket]) -> dg.AssetObservation:
    places = [ticket.queue_position for ticket in waiting if ticket.queue_position is not None]
    states = Counter(ticket.state.value for ticket in waiting)
    metadata: dict[str, int | str] = {f"tickets/{state}": count for state, count in sorted(states.items())}
    metadata |= {"tickets/open": status.open, "tickets/ended": status.ended}
    if places:
        metadata["queue_position"] = min(places)
    metadata["backends"] = ", ".join(sorted({f"{t.provider}/{t.backend}".rstrip("/") for t in waiting if t.provider}))
    return dg.AssetObservation(
        asset_key=dg.AssetKey([status.study, JOBS_ASSET]), partition=status.partition, metadata=metadata
    )
