"""What `quantum-assets run` says in the end: the table of verdicts, and where to look next."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from quantum_assets.store.home import FOLDER


@dataclass(frozen=True)
class Job:
    """One study under one profile.

    Attributes:
        study: Its name.
        profile: Execution profile.
        period: Month that is decided for; empty where the study has none.
        decides: Whether it ends in a decision, as optimisation studies do, and not in a verdict.
    """

    study: str
    profile: str
    period: str = ""
    decides: bool = False

    @property
    def label(self) -> str:
        """As it is shown."""
        return f"{self.study} ({self.key})"

    @property
    def key(self) -> str:
        """Partition key of its last asset."""
        return f"{self.period}|{self.profile}" if self.period else self.profile

    @property
    def partition(self) -> dict[str, str]:
        """The same as the store knows it."""
        return {**({"period": self.period} if self.period else {}), "profile": self.profile}


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
        if not outcome.problem and not outcome.job.decides:
            table.add_row(*_verdict_row(home, outcome))
    return table


def decision_table(home: Path, outcomes: Sequence[Outcome]) -> Any:
    """The published decisions: path, objective, gaps, and what the control ladder says the sampler added."""
    from rich import box
    from rich.table import Table

    table = Table(title="Decisions", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in ("study", "published", "objective", "gap", "bound", "rules", "sampler against its marginals", "time"):
        justify: Literal["left", "right"] = "right" if name in {"objective", "gap", "bound", "time"} else "left"
        table.add_column(name, justify=justify, overflow="fold")
    table.caption = (
        "Gap to the best known and to the proven bound, relative; last: does the sampler beat the product of its own "
        "marginals through the same repair?"
    )
    for outcome in sorted(outcomes, key=lambda o: (o.job.study, o.job.key)):
        if not outcome.problem and outcome.job.decides:
            table.add_row(*_decision_row(home, outcome))
    return table


def _decision_row(home: Path, outcome: Outcome) -> tuple[str, ...]:
    from quantum_assets.store.home import Home
    from quantum_assets.store.store import Store

    store, job = Store(Home(home).store), outcome.job
    rows = store.read((job.study, "decision"), job.partition).to_pylist()
    published = next(row for row in rows if row["published"])
    problem = store.find((job.study, "problem"), {"period": job.period} if job.period else {}).provenance
    finding = store.find((job.study, "decision"), job.partition).provenance.get("finding", "")
    bound = published["gap_to_bound"]
    return (
        f"{job.study}\n{job.key}",
        f"{published['path']} ({published['maker']})",
        f"{published['objective']:.6g} {problem.get('unit', '')}",
        f"{published['gap_to_best_known']:.2%}",
        "none" if bound is None else f"{bound:.2%}",
        "kept" if published["violations"] == 0 else f"broken by {published['violations']:g}",
        str(finding),
        f"{outcome.seconds:.0f} s",
    )


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
    """What a newcomer does with the result: commands that work in this folder, on what has just been made.

    Args:
        home: Where it is.
        jobs: Those that succeeded; at least one.
    """
    wine = next((job for job in jobs if job.study == "wine"), None)
    judged = wine or next((job for job in jobs if not job.decides), None)
    decided = next((job for job in jobs if job.decides), None)
    shown = _shown(home)
    said = f", home='{shown}'" if shown else ""
    option = f" --home {shown}" if shown else ""
    ui = f"quantum-assets ui{option}" if option else "make ui"
    lines = [f"  {ui:<37}  Dagster http://127.0.0.1:3000, MLflow http://127.0.0.1:5000"]
    if judged is not None:
        lines.append(f"  quantum-assets history {judged.study}/verdict --partition profile={judged.profile}{option}")
        lines.append(_load(f"'{judged.study}/quantum_kernel', profile='{judged.profile}'{said}"))
    if decided is not None:
        where = ", ".join(f"{name}='{value}'" for name, value in decided.partition.items())
        lines.append(_load(f"'{decided.study}/decision', {where}{said}"))
    return "\n".join(["", "Where to look next", *lines, f"  files: {home / 'store' / 'current'}", ""])


def _load(arguments: str) -> str:
    return f'  python -c "import quantum_assets as qa; print(qa.load({arguments}))"'


def _shown(home: Path) -> str:
    """What a command in this folder must be told of the home; empty where it finds it by itself."""
    if home == Path.cwd() / FOLDER:
        return ""
    return str(home.relative_to(Path.cwd()) if home.is_relative_to(Path.cwd()) else home)
