"""The clock of a partition's decision: when it began, how long it trains and waits for an answer, what it took.

It begins with the run that made the partition's `quantum_jobs`. Retries of that run, and the run that collects what it
handed in, go on with it. Any other run decides again and begins anew. What depends on the clock is told in metadata and
metrics; stored tables know nothing of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import dagster as dg

from quantum_assets.contracts.optimization import DecisionPolicy
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.checks import CheckOutcome
from quantum_assets.orchestration.stored import Stored
from quantum_assets.orchestration.tickets import COLLECT_TAG, JOBS_ASSET
from quantum_assets.qaoa.training import Evaluation, Guard

ELAPSED = "elapsed_seconds"
DEADLINE = "deadline_seconds"


def began(instance: dg.DagsterInstance, run: dg.DagsterRun, study: str, partition: str) -> datetime:
    """When the clock of a partition began, for a run that is about it; UTC.

    Args:
        instance: Knows all runs.
        run: The run that asks.
        study: Its study.
        partition: Its partition; empty for none.
    """
    maker = _maker(instance, dg.AssetKey([study, JOBS_ASSET]), partition) if COLLECT_TAG in run.tags else None
    for one in (_first_try(maker or run), run.run_id):  # the first of several may have been deleted
        record = instance.get_run_record_by_id(one)
        if record is not None:
            return datetime.fromtimestamp(record.start_time or record.create_timestamp.timestamp(), UTC)
    return datetime.now(UTC)  # a step that is run without an instance's knowledge


def in_time(session: Session, policy: DecisionPolicy, beginning: datetime) -> Session:
    """The session, which waits no longer for an answer than the policy's deadline allows."""
    if policy.answer_seconds is None:
        return session
    until = beginning + timedelta(seconds=policy.answer_seconds)
    return replace(session, until=until, whose=f"the decision's deadline of {policy.deadline_seconds:g} s")


def training_in_time(session: Session, policy: DecisionPolicy, beginning: datetime) -> Guard:
    """Halts training, by the session's clock, while there is still time to ask at the angles that were found."""
    seconds, whole, clock = policy.training_seconds, policy.deadline_seconds, session.plane.clock

    def guard(_: Sequence[Evaluation]) -> str:
        if seconds is None or clock.now() < beginning + timedelta(seconds=seconds):
            return ""
        return (
            f"Halted: the decision's deadline of {whole:g} s leaves {seconds:g} s for training, and they are over; "
            "a later run goes on."
        )

    return guard


def timed(decision: Stored, policy: DecisionPolicy, beginning: datetime, now: datetime) -> Stored:
    """The decision, with what it took and might have taken among its metrics; its table stays as it is."""
    figures = {ELAPSED: max(0.0, (now - beginning).total_seconds())}
    if policy.deadline_seconds is not None:
        figures[DEADLINE] = policy.deadline_seconds
    return replace(decision, metrics={**decision.metrics, **figures})


def on_time(told: Mapping[str, float]) -> CheckOutcome:
    """The decision was there by the deadline of its policy, where it has one."""
    elapsed, deadline = told.get(ELAPSED), told.get(DEADLINE)
    if elapsed is None:
        return CheckOutcome(False, "nobody measured how long the decision took")
    if deadline is None:
        return CheckOutcome(True, f"decided after {elapsed:.3g} s; the policy has no deadline", {ELAPSED: elapsed})
    return CheckOutcome(
        elapsed <= deadline,
        f"decided after {elapsed:.3g} s; the deadline is {deadline:g} s",
        {ELAPSED: elapsed, DEADLINE: deadline},
    )


def _maker(instance: dg.DagsterInstance, jobs: dg.AssetKey, partition: str) -> dg.DagsterRun | None:
    """The run of the latest materialisation of `quantum_jobs`; None where there is none, or the run is gone."""
    wanted = dg.AssetRecordsFilter(asset_key=jobs, asset_partitions=[partition] if partition else None)
    records = instance.fetch_materializations(wanted, limit=1).records
    return instance.get_run_by_id(records[0].run_id) if records else None


def _first_try(run: dg.DagsterRun) -> str:
    """The first of the runs that are retries of one another."""
    return run.root_run_id or run.run_id
