"""`quantum-assets run`: materialise studies through a real Dagster instance, several at a time, and print the verdicts.

Each study and profile is one ordinary Dagster run of that study's job, in a worker process; the runs are in the UI
afterwards like any other. This process only watches the instance and reports.
"""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quantum_assets.contracts.errors import PlanError

if TYPE_CHECKING:
    from rich.console import Console

#: Steps of one kernel study: eight assets and their eight checks; only the progress display uses it.
STEPS_A_STUDY = 16


@dataclass(frozen=True)
class Job:
    """One study under one profile."""

    study: str
    profile: str

    @property
    def label(self) -> str:
        """As it is shown."""
        return f"{self.study} ({self.profile})"


@dataclass(frozen=True)
class Outcome:
    """How a job ended; `problem` is empty on success."""

    job: Job
    seconds: float
    run_id: str
    problem: str = ""


def plan_jobs(available: dict[str, Sequence[str]], studies: Sequence[str], profiles: Sequence[str]) -> tuple[Job, ...]:
    """Which studies to run under which profiles, longest studies first as they are listed.

    Args:
        available: Study name to its profiles.
        studies: Names wanted; empty for all.
        profiles: Profiles wanted; empty for the first of each study.

    Raises:
        PlanError: For an unknown study, or a profile that a named study does not have.
    """
    unknown = [name for name in studies if name not in available]
    if unknown:
        raise PlanError(f"study {unknown[0]}", "is not defined", f"Choose from {', '.join(sorted(available))}")
    jobs = []
    for study in studies or sorted(available):
        wanted = profiles or available[study][:1]
        missing = [profile for profile in wanted if profile not in available[study]]
        if missing and studies:
            raise PlanError(
                f"study {study}: profile {missing[0]}",
                "is not one of its partitions",
                f"Choose from {', '.join(available[study])}",
            )
        jobs += [Job(study, profile) for profile in wanted if profile in available[study]]
    return tuple(jobs)


def run_studies(home: Path, studies: Sequence[str], profiles: Sequence[str], workers: int, console: "Console") -> int:
    """Run, watch and report; returns the exit status, 0 when every run succeeded."""
    from quantum_assets.cli.instance import prepare_instance

    started = time.monotonic()
    os.environ["QUANTUM_ASSETS_HOME"] = str(home)
    os.environ["DAGSTER_HOME"] = str(prepare_instance(home))
    console.print(f"Home: {home}")
    jobs = plan_jobs(_available_studies(home), studies, profiles)
    console.print(f"Materialising {len(jobs)} studies, {min(workers, len(jobs))} at a time ...")
    outcomes = tuple(_run_all(jobs, home, min(workers, len(jobs)), console))
    console.print(verdict_table(home, outcomes))
    for outcome in outcomes:
        if outcome.problem:
            console.print(f"[red]failed[/red] {outcome.job.label}: {outcome.problem}", soft_wrap=True)
    _deliver_records(home, console)
    console.print(where_next(home, jobs), soft_wrap=True)
    console.print(f"Done in {time.monotonic() - started:.0f} s.")
    return 1 if any(outcome.problem for outcome in outcomes) else 0


def _available_studies(home: Path) -> dict[str, Sequence[str]]:
    """Study name to profile names, from the definitions."""
    from quantum_assets.definitions import build_defs

    graph = build_defs(home).resolve_asset_graph()
    found: dict[str, Sequence[str]] = {}
    for key in graph.materializable_asset_keys:
        partitions = graph.get(key).partitions_def
        if key.path[-1] == "verdict" and partitions is not None:
            found[key.path[0]] = list(partitions.get_partition_keys())
    return found


def _run_all(jobs: Sequence[Job], home: Path, workers: int, console: "Console") -> Iterator[Outcome]:
    """Run jobs in worker processes; yields in order of completion and says how far each is."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker, initargs=(str(home),)) as pool:
        waiting: dict[Future[Outcome], Job] = {pool.submit(_run_job, job): job for job in jobs}
        watch = _Watch(console, len(jobs))
        while waiting:
            finished = [future for future in waiting if future.done()]
            for future in finished:
                job = waiting.pop(future)
                outcome = _outcome_of(future, job)
                watch.say(outcome)
                yield outcome
            if not finished:
                watch.look()
                time.sleep(0.5)


def _outcome_of(future: "Future[Outcome]", job: Job) -> Outcome:
    """The worker's answer, or what killed the worker."""
    error = future.exception()
    return Outcome(job, 0.0, "", f"the worker died: {error}") if error is not None else future.result()


def _start_worker(home: str) -> None:
    """Load the definitions once a worker; every job of it uses them."""
    import warnings

    warnings.simplefilter("ignore")
    from quantum_assets.definitions import build_defs

    _WORKER["defs"] = build_defs(Path(home))


#: What a worker process keeps between jobs; filled by its initialiser and by nothing else.
_WORKER: dict[str, Any] = {}


def _run_job(job: Job) -> Outcome:
    import dagster as dg

    started = time.monotonic()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with dg.DagsterInstance.get() as instance:
        result = (
            _WORKER["defs"]
            .resolve_job_def(f"{job.study}_job")
            .execute_in_process(
                instance=instance,
                partition_key=job.profile,
                raise_on_error=False,
                run_config=quiet,
                tags={"quantum_assets/started_by": "quantum-assets run"},
            )
        )
    return Outcome(job, time.monotonic() - started, result.run_id, "" if result.success else _problem_of(result))


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

    def __init__(self, console: "Console", total: int) -> None:
        self._console = console
        self._total = total
        self._done = 0
        self._seen: dict[str, str] = {}

    def say(self, outcome: Outcome) -> None:
        self._done += 1
        word = "[red]failed[/red]" if outcome.problem else "[green]done[/green]"
        self._console.print(f"  {self._done}/{self._total} {word} {outcome.job.label} in {outcome.seconds:.0f} s")

    def look(self) -> None:
        import dagster as dg

        with dg.DagsterInstance.get() as instance:
            active = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]), limit=8)
            for run in active:
                self._tell(instance, run)

    def _tell(self, instance: Any, run: Any) -> None:
        stats = instance.get_run_step_stats(run.run_id)
        current = [s.step_key for s in stats if s.status is None or s.status.value == "IN_PROGRESS"]
        step = current[-1].split("__", 1)[-1] if current else ""
        finished = sum(1 for s in stats if s.status is not None and s.status.value == "SUCCESS")
        if step and self._seen.get(run.run_id) != step and not step.endswith("checks"):
            self._seen[run.run_id] = step
            label = f"{run.job_name.removesuffix('_job')} ({run.tags.get('dagster/partition', '')})"
            self._console.print(f"      {label}: {step} ({finished}/{STEPS_A_STUDY} steps)", style="dim")


def verdict_table(home: Path, outcomes: Sequence[Outcome]) -> Any:
    """The table of answers: scores with intervals, corrected p, verdict and time, one row a study and profile."""
    from rich.table import Table

    table = Table(title="Verdicts", show_lines=False)
    for name in (
        "study",
        "profile",
        "samples",
        "qubits",
        "quantum",
        "best classical",
        "corrected p",
        "verdict",
        "time",
    ):
        table.add_column(name, justify="right" if name in {"samples", "qubits", "corrected p", "time"} else "left")
    for outcome in sorted(outcomes, key=lambda o: (o.job.study, o.job.profile)):
        if not outcome.problem:
            table.add_row(*_verdict_row(home, outcome))
    return table


def _verdict_row(home: Path, outcome: Outcome) -> tuple[str, ...]:
    from quantum_assets.models.tables import scores_from_table
    from quantum_assets.models.verdict import judge
    from quantum_assets.store.home import Home
    from quantum_assets.store.store import Store

    store, job = Store(Home(home).store), outcome.job
    partition = {"profile": job.profile}
    protocol = _protocol_of(store, job)
    answer = judge(scores_from_table(store.read((job.study, "evaluation"), partition)), protocol)
    kernel = store.find((job.study, "quantum_kernel"), partition)
    qubits = store.find((job.study, "features"), {}).provenance.get("qubits", "")
    return (
        job.study,
        job.profile,
        str(kernel.rows),
        str(qubits),
        _interval(answer.quantum_score, answer.quantum_low, answer.quantum_high),
        f"{_interval(answer.best_score, answer.best_low, answer.best_high)} {answer.best_rival}",
        f"{answer.p_holm:.2g}",
        answer.word if answer.word != "benefit" else f"benefit, at {answer.cost_ratio:.2g} times the cost",
        f"{outcome.seconds:.0f} s",
    )


def _protocol_of(store: Any, job: Job) -> Any:
    from quantum_assets.contracts.study import Protocol

    commit = store.find((job.study, "verdict"), {"profile": job.profile})
    return Protocol(**commit.provenance["protocol"])


def _interval(mean: float, low: float, high: float) -> str:
    return f"{mean:.3f} ± {(high - low) / 2:.3f}"


def _deliver_records(home: Path, console: "Console") -> None:
    """Let the courier finish; what it has not delivered in half a minute stays in the outbox and is said so."""
    from quantum_assets.tracking.sync import pending_count

    deadline = time.monotonic() + 30
    while (left := pending_count(home)) and time.monotonic() < deadline:
        time.sleep(0.2)
    if left:
        console.print(f"{left} MLflow records wait in the outbox; `quantum-assets sync` delivers them.")


def where_next(home: Path, jobs: Sequence[Job]) -> str:
    """What a newcomer does with the result."""
    study = next((job.study for job in jobs if job.study == "wine"), jobs[0].study if jobs else "wine")
    return (
        "\nWhere to look next\n"
        "  make ui                                 Dagster http://127.0.0.1:3000, MLflow http://127.0.0.1:5000\n"
        f"  quantum-assets history {study}/verdict --partition profile=ideal\n"
        f"  python -c \"import quantum_assets as qa; print(qa.load('{study}/quantum_kernel', profile='ideal'))\"\n"
        f"  files: {home / 'store' / 'current'}\n"
    )
