"""What `quantum-assets run` says in the end: the table of verdicts, and where to look next."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


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


def verdict_table(home: Path, outcomes: Sequence[Outcome]) -> Any:
    """The table of answers: scores with intervals, corrected p, verdict and time, one row a study and profile."""
    from rich import box
    from rich.table import Table

    table = Table(title="Verdicts", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    widths = {"verdict": 11, "time": 4, "p": 6, "qubits": 2, "rows": 3, "quantum": 13, "best classical": 14}
    for name in ("study", "rows", "qubits", "quantum", "best classical", "p", "verdict", "time"):
        justify: Literal["left", "right"] = "right" if name in {"rows", "qubits", "p", "time"} else "left"
        table.add_column(name, justify=justify, min_width=widths.get(name), overflow="fold")
    table.caption = "Mean outer score ± half of its corrected 95 % interval; p after Holm's correction."
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
        f"{job.study}\n{job.profile}",
        str(kernel.rows),
        str(qubits),
        _interval(answer.quantum_score, answer.quantum_low, answer.quantum_high),
        f"{_interval(answer.best_score, answer.best_low, answer.best_high)}\n{answer.best_rival}",
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
