"""A decided partition of a study as files of a QOBLIB submission: read from the store, one folder a workflow.

The library lists one workflow a folder. So does this: the quantum path under its profile, and each rival that ran.

::

    <folder>/quantum_ideal/karate/karate_summary.csv
    <folder>/quantum_ideal/karate/karate_solution.sol
    <folder>/tabu/karate/karate_summary.csv
    <folder>/tabu/karate/karate_solution.sol
    <folder>/tabu/karate/karate_objective_time_series.json

The store knows no seconds of the quantum path: training is kept on disk and serves several profiles, so that the time
of one run is not what the answer cost. Its runtimes are ``N/A``, and it has no series.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Incumbent
from quantum_assets.models.decided import Decided
from quantum_assets.models.qoblib import (
    COLUMNS_27,
    NOT_GIVEN,
    Particulars,
    Row,
    Run,
    as_csv,
    run_of,
    summary,
    time_series,
)
from quantum_assets.solvers import bounding, enumeration, tree

#: Rivals that draw nothing that matters; whoever else ran is called stochastic.
_DETERMINISTIC = frozenset({tree.NAME, enumeration.NAME, bounding.NAME})


@dataclass(frozen=True, eq=False)
class Entry:
    """What one workflow submits.

    Attributes:
        workflow: Name of its folder.
        instance: Name of the instance, of its folder and its files.
        row: All columns by name.
        runs: What the row sums up.
        values: Variable and bit of the best row.
    """

    workflow: str
    instance: str
    row: Row
    runs: tuple[Run, ...]
    values: tuple[tuple[str, int], ...]

    def files(self, columns: Sequence[str] = COLUMNS_27) -> dict[str, str]:
        """Path below the folder of the submission, to text; no series where no seconds are known."""
        stem = f"{self.workflow}/{self.instance}/{self.instance}"
        lines = [f"# Objective value = {self.row['Best Objective Value']}"]
        lines += [f"{name} {bit}" for name, bit in self.values]
        found = {f"{stem}_summary.csv": as_csv([self.row], columns), f"{stem}_solution.sol": "\n".join(lines) + "\n"}
        if all(run.incumbents for run in self.runs):
            found[f"{stem}_objective_time_series.json"] = time_series(self.runs)
        return found


def entries(decided: Decided, people: Particulars, instance: str = "") -> tuple[Entry, ...]:
    """What each workflow submits: the quantum path first, where it answered, then the rivals that ran.

    Args:
        decided: The partition.
        people: Submitters, reference, day; hardware where it is known. Workflow, paradigm, algorithm type and remarks
            are filled in here; remarks that are given come first.
        instance: The library's name of the instance; empty: the study's own.

    Raises:
        PlanError: For a name that cannot be a file's.
    """
    name = instance or _file_name(str(decided.problem["instance"]))
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise PlanError(f"instance {name!r}", "cannot name a file", "Use letters, digits, dots, dashes, underscores")
    rows = [row for row in decided.paths if row["path"] == "quantum"]
    found = [_quantum_entry(decided, row, people, name) for row in rows]
    at = decided.objective_at()
    return (*found, *(_rival_entry(decided, row, people, name, at) for row in decided.solutions if row["bits"]))


def write_submission(found: Sequence[Entry], folder: Path, columns: Sequence[str] = COLUMNS_27) -> tuple[Path, ...]:
    """Write every file of a submission below a folder, over what an earlier export left there.

    Returns:
        Where they lie, in order.

    Raises:
        PlanError: If the folder cannot be written to.
    """
    texts = {folder / path: text for entry in found for path, text in entry.files(columns).items()}
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlanError(
            f"folder {folder}", f"cannot be written to ({error.strerror})", "Give another folder"
        ) from error
    return tuple(texts)


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name).strip("._-") or "instance"


def _rival_entry(
    decided: Decided, row: Mapping[str, Any], people: Particulars, instance: str, at: Callable[[float], float] | None
) -> Entry:
    steps = [Incumbent(seconds, energy) for seconds, energy in json.loads(row["incumbents"])]
    objective = row["objective"] if row["violations"] == 0 else None
    bound = objective if row["proven"] else None if row["bound"] is None or at is None else at(row["bound"])
    run = run_of(objective, row["seconds"], steps, at if decided.problem["penalty"] == 0 else None)
    particulars = replace(
        people,
        workflow=f"{row['solver']} on the Ising polynomial; settings {row['settings']}; reads {row['reads']}",
        paradigm="Classical",
        stochastic=row["solver"] not in _DETERMINISTIC,
        remarks=_remarks(decided, people, "classical", row["solver"]),
    )
    return _entry(decided, row["solver"], instance, run, particulars, row["bits"], bound)


def _quantum_entry(decided: Decided, row: Mapping[str, Any], people: Particulars, instance: str) -> Entry:
    """The quantum path; it proves no bound."""
    effective = decided.sampling["effective_profile"]
    software = ", ".join(f"{name} {version}" for name, version in sorted(effective["versions"].items()))
    machine = f"{effective['backend'] or effective['provider']}, {effective['engine']} ({software})"
    particulars = replace(
        people,
        workflow=_quantum_workflow(decided),
        hardware=machine if people.hardware == NOT_GIVEN else f"{people.hardware}; {machine}",
        paradigm="Quantum Hardware" if effective["mode"] == "hardware" else "Quantum Simulator",
        stochastic=True,
        remarks=_remarks(decided, people, "quantum", row["maker"]),
    )
    run = Run(row["objective"] if row["violations"] == 0 else None)
    return _entry(decided, f"quantum_{decided.profile}", instance, run, particulars, row["bits"], None)


def _quantum_workflow(decided: Decided) -> str:
    """Pre-processing, circuit, angles, samples and post-processing, in words."""
    width, whole = len(decided.samples[0]["bits"]), decided.ising.n_variables
    step = decided.ladder.get("quantum_step") or f"{width} of {whole} variables"
    shots = sum(row["count"] for row in decided.samples)
    return (
        f"{step}; QAOA circuit {decided.job['circuit']} on {width} qubits; "
        f"angles: {decided.job['source'].rstrip('.')}; {shots} samples; "
        "every sample repaired by the problem's own rule; the best one"
    )


def _entry(
    decided: Decided,
    workflow: str,
    instance: str,
    run: Run,
    particulars: Particulars,
    bits: str,
    bound: float | None,
) -> Entry:
    row = summary(instance, decided.problem["sense"], decided.ising, [run], particulars, bound=bound)
    return Entry(workflow, instance, row, (run,), tuple(zip(decided.variables, map(int, bits), strict=True)))


def _remarks(decided: Decided, people: Particulars, path: str, maker: str) -> str:
    """What the decision made of this row, and which instance it was."""
    published = next(row for row in decided.paths if row["published"])
    chosen = (published["path"], published["maker"]) == (path, maker)
    verdict = f"published by {published['by']}" if chosen else f"not published: {published['maker']} was"
    given = [] if people.remarks == NOT_GIVEN else [people.remarks]
    facts = [
        f"study {decided.study}, partition {decided.partition}: {verdict}",
        f"objective in {decided.problem['unit']}, {decided.problem['sense']}d",
        f"instance hash {decided.problem['instance_hash'][:16]}, polynomial {decided.ising.fingerprint[:16]}",
        f"penalty: {decided.problem['penalty_rule']}",
    ]
    if path == "quantum":
        reasons = "; ".join(decided.sampling.get("path_reasons", ()))
        facts += [f"execution path {decided.sampling['path']}" + (f": {reasons}" if reasons else "")]
        facts += ["runtimes are not recorded: training is kept and shared between profiles"]
    return "; ".join([*given, *facts])
