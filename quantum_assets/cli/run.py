"""`quantum-assets run`: materialise studies through a real Dagster instance, several at a time, and print the verdicts.

Each study and profile is one ordinary Dagster run of that study's job, in a worker process, and so is the problem that
the decisions of a month share; the runs are in the UI afterwards like any other. This process only watches the instance
and reports.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantum_assets.cli.agenda import Agenda, Ended, tasks_of
from quantum_assets.cli.leash import end_with_parent
from quantum_assets.cli.report import Job, Outcome, decision_table, verdict_table, where_next
from quantum_assets.contracts.errors import PlanError
from quantum_assets.orchestration.partitions import PERIOD, PROFILE, dimensions_of

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun
    from dagster._core.definitions.assets.graph.base_asset_graph import BaseAssetGraph
    from rich.console import Console

_LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Offer:
    """What a study can be run for.

    Attributes:
        profiles: Its execution profiles.
        periods: Its months; none for a study without periods.
        decides: Whether it ends in a decision and not in a verdict.
    """

    profiles: tuple[str, ...]
    periods: tuple[str, ...] = ()
    decides: bool = False


def plan_jobs(
    available: Mapping[str, Offer], studies: Sequence[str], profiles: Sequence[str], periods: Sequence[str] = ()
) -> tuple[Job, ...]:
    """Which studies to run under which profiles and for which months: as named, or all by name.

    Args:
        available: Study name to what it offers.
        studies: Names wanted; empty for all.
        profiles: Profiles wanted; empty for the first of each study.
        periods: Months wanted; empty for the last of each study that has any.

    Raises:
        PlanError: For an unknown study, or a profile or month that a named study does not have.
    """
    unknown = [name for name in studies if name not in available]
    if unknown:
        raise PlanError(f"study {unknown[0]}", "is not defined", f"Choose from {', '.join(sorted(available))}")
    jobs = []
    for study in studies or sorted(available):
        offer = available[study]
        wanted = _chosen(f"study {study}: profile", profiles or offer.profiles[:1], offer.profiles, bool(studies))
        months = _chosen(f"study {study}: period", periods or offer.periods[-1:], offer.periods, bool(studies))
        jobs += [
            Job(study, profile, month, offer.decides)
            for month in (months if offer.periods else ("",))
            for profile in wanted
        ]
    return tuple(jobs)


def _chosen(whose: str, wanted: Sequence[str], offered: Sequence[str], named: bool) -> list[str]:
    missing = [key for key in wanted if key not in offered]
    if missing and named:
        shown = offered if len(offered) < 12 else (offered[0], "…", offered[-1])
        raise PlanError(
            f"{whose} {missing[0]}", "is not one of its partitions", f"Choose from {', '.join(shown) or 'none'}"
        )
    return [key for key in wanted if key in offered]


def run_studies(
    home: Path,
    studies: Sequence[str],
    profiles: Sequence[str],
    workers: int,
    console: "Console",
    periods: Sequence[str] = (),
) -> int:
    """Run, watch and report; returns the exit status, 0 when every run succeeded."""
    from quantum_assets.cli.instance import prepare_instance
    from quantum_assets.definitions import build_defs

    started = time.monotonic()
    quiet_previews()
    home = home.absolute()
    os.environ["QUANTUM_ASSETS_HOME"] = str(home)
    os.environ["DAGSTER_HOME"] = str(prepare_instance(home))
    console.print(f"Home: {home}")
    _end_lost_runs(console)
    _warm_tracking(home)
    offers = available_studies(build_defs(home).resolve_asset_graph())
    jobs = plan_jobs(offers, studies, profiles, periods)
    console.print(f"Materialising {_counted(jobs)}, {min(workers, len(jobs))} at a time ...")
    outcomes = tuple(_run_all(jobs, home, min(workers, len(jobs)), console))
    ended = [outcome.job for outcome in outcomes if not outcome.problem]
    if any(not job.decides for job in ended):
        console.print(verdict_table(home, outcomes))
    if any(job.decides for job in ended):
        console.print(decision_table(home, outcomes))
    for outcome in outcomes:
        if outcome.problem:
            console.print(f"[red]failed[/red] {outcome.job.label}: {outcome.problem}", soft_wrap=True)
    _deliver_records(home, console)
    if ended:
        console.print(where_next(home, ended), soft_wrap=True)
    console.print(f"Done in {time.monotonic() - started:.0f} s.")
    return 1 if any(outcome.problem for outcome in outcomes) else 0


def _counted(jobs: Sequence[Job]) -> str:
    studies = len({job.study for job in jobs})
    named = "1 study" if studies == 1 else f"{studies} studies"
    return named if len(jobs) == studies else f"{len(jobs)} partitions of {named}"


def quiet_previews() -> None:
    """Dagster announces its preview and beta features at every use; the tests pin the ones that are relied on."""
    import warnings

    import dagster as dg

    for category in (dg.BetaWarning, dg.PreviewWarning, dg.SupersessionWarning):
        warnings.simplefilter("ignore", category)


def _end_lost_runs(console: "Console") -> None:
    """Runs that a crash left STARTED are ended first, so that the UI tells the truth without a daemon."""
    import dagster as dg

    from quantum_assets.orchestration.reconcile import reconcile

    with dg.DagsterInstance.get() as instance:
        for lost in reconcile(instance):
            console.print(f"Ended run {lost.run_id[:8]}: {lost.reason}", soft_wrap=True)


def _warm_tracking(home: Path) -> None:
    """MLflow takes seconds to open; start on it before there is anything to record."""
    from quantum_assets.definitions import storage

    storage(home).new_tracker().warm()


def available_studies(graph: "BaseAssetGraph[Any]") -> dict[str, Offer]:
    """Study name to what it offers, by the asset graph of the definitions."""
    found: dict[str, Offer] = {}
    for key in graph.materializable_asset_keys:
        partitions = graph.get(key).partitions_def
        if key.path[-1] in ("verdict", "decision") and partitions is not None:
            parts = [dimensions_of(one) for one in partitions.get_partition_keys()]
            profiles = dict.fromkeys(part[PROFILE] for part in parts)
            periods = dict.fromkeys(part[PERIOD] for part in parts if PERIOD in part)
            found[key.path[0]] = Offer(tuple(profiles), tuple(periods), key.path[-1] == "decision")
    return found


def _run_all(jobs: Sequence[Job], home: Path, workers: int, console: "Console") -> Iterator[Outcome]:
    """Run jobs in worker processes; yields in order of completion and says how far each is."""
    import dagster as dg

    context = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(str(home),)) as pool,
        dg.DagsterInstance.get() as instance,
    ):
        agenda, watch = Agenda(tasks_of(jobs)), _Watch(console, instance, len(jobs))
        waiting = {pool.submit(_run_task, task.name, task.key): task for task in agenda.due()}
        while waiting:
            finished = [future for future in waiting if future.done()]
            for future in finished:
                for outcome in agenda.note(waiting.pop(future), _end_of(future)):
                    watch.say(outcome)
                    yield outcome
            waiting |= {pool.submit(_run_task, task.name, task.key): task for task in agenda.due()}
            if not finished:
                watch.look()
                time.sleep(_LOOK_SECONDS)


def _end_of(future: "Future[Ended]") -> Ended:
    """The worker's answer, or what killed the worker."""
    error = future.exception()
    return Ended(0.0, "", f"the worker died: {error}") if error is not None else future.result()


def _start_worker(home: str) -> None:
    """Load the definitions once a worker; every job of it uses them."""
    end_with_parent()
    quiet_previews()
    from quantum_assets.definitions import build_defs

    _WORKER["defs"] = build_defs(Path(home))


#: What a worker process keeps between jobs; filled by its initialiser and by nothing else.
_WORKER: dict[str, Any] = {}


def _run_task(name: str, key: str) -> Ended:
    import dagster as dg

    started = time.monotonic()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance:
        result = (
            _WORKER["defs"]
            .resolve_job_def(name)
            .execute_in_process(
                instance=instance,
                partition_key=key,
                raise_on_error=False,
                run_config=quiet,
                tags={"quantum_assets/started_by": "quantum-assets run"},
            )
        )
    return Ended(time.monotonic() - started, result.run_id, "" if result.success else _problem_of(result))


def _problem_of(result: Any) -> str:
    """The first failure's own sentence, without the stack."""
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data = event.event_specific_data
            described = getattr(data.user_failure_data, "description", None)
            message = described or (data.error.cause.message if data.error.cause else data.error.message)
            return f"{event.step_key}: {' '.join(str(message).split())}"
    return "the run failed; its page in the Dagster UI says why"


class _Watch:
    """Says what is going on: a line when a run reaches another step, a line when it ends."""

    def __init__(self, console: "Console", instance: "DagsterInstance", total: int) -> None:
        self._console = console
        self._instance = instance
        self._total = total
        self._done = 0
        self._seen: dict[str, str] = {}

    def say(self, outcome: Outcome) -> None:
        """A run has ended."""
        self._done += 1
        word = "[red]failed[/red]" if outcome.problem else "[green]done[/green]"
        self._console.print(f"  {self._done}/{self._total} {word} {outcome.job.label} in {outcome.seconds:.0f} s")

    def look(self) -> None:
        """Runs under way: say which step each has reached, if it is another one than last time."""
        from dagster import DagsterRunStatus, RunsFilter

        for run in self._instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.STARTED]), limit=8):
            self._tell(run)

    def _tell(self, run: "DagsterRun") -> None:
        stats = self._instance.get_run_step_stats(run.run_id)
        current = [s.step_key for s in stats if s.status is None or s.status.value == "IN_PROGRESS"]
        step = current[-1].split("__", 1)[-1] if current else ""
        finished = sum(1 for s in stats if s.status is not None and s.status.value == "SUCCESS")
        if step and self._seen.get(run.run_id) != step and not step.endswith("checks"):
            self._seen[run.run_id] = step
            label = f"{run.job_name.removesuffix('_job')} ({run.tags.get('dagster/partition', '')})"
            self._console.print(f"      {label}: {step} ({finished} steps done)", style="dim")


def _deliver_records(home: Path, console: "Console") -> None:
    """Let the courier finish; what it has not delivered in half a minute stays in the outbox and is said so."""
    from quantum_assets.tracking.sync import pending_count

    deadline = time.monotonic() + 30
    while (left := pending_count(home)) and time.monotonic() < deadline:
        time.sleep(0.2)
    if left:
        console.print(f"{left} MLflow records wait in the outbox; `quantum-assets sync` delivers them.")
