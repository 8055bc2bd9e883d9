"""A finished study as a submission to QOBLIB, the quantum optimization benchmarking library (arXiv:2504.03832).

Two files an instance: a CSV with one row, and the incumbents over time as JSON. The library's template of 2025 has 27
columns. Its checker has since asked for three more, `Affiliation`, `Paradigm` and `Time to Solution`: 30. Both are
written from the same row; where there is no `Affiliation`, `Submitter` holds it. All values are in the problem's own
unit; runtimes are seconds, means over runs, without waiting in queues; what does not exist is ``N/A``.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import SAME, Incumbent, Ising, Sense, alike_within
from quantum_assets.problems.polynomial import to_bits

Paradigm = Literal["Classical", "Quantum Simulator", "Quantum Hardware"]
Row = Mapping[str, str]

COLUMNS_30 = (
    "Problem",
    "Submitter",
    "Affiliation",
    "Date",
    "Reference",
    "Best Objective Value",
    "Optimality Bound",
    "Modeling Approach",
    "# Decision Variables",
    "# Binary Variables",
    "# Integer Variables",
    "# Continuous Variables",
    "# Non-Zero Coefficients",
    "Coefficients Type",
    "Coefficients Range",
    "Workflow",
    "Algorithm Type",
    "Paradigm",
    "# Runs",
    "# Feasible Runs",
    "# Successful Runs",
    "Success Threshold",
    "Hardware Specifications",
    "Total Runtime",
    "Time to Solution",
    "CPU Runtime",
    "GPU Runtime",
    "QPU Runtime",
    "Other HW Runtime",
    "Remarks",
)
"""What the library's checker asks for, in order."""

COLUMNS_27 = tuple(c for c in COLUMNS_30 if c not in ("Affiliation", "Paradigm", "Time to Solution"))
"""The library's published template, in order."""

NOT_GIVEN = "N/A"
"""What the library writes where there is nothing to say."""


@dataclass(frozen=True)
class Run:
    """One independent run of the workflow.

    Attributes:
        objective: Of its best feasible row; None if it found none.
        seconds: Wall seconds from end to end, without queues; None if not measured.
        incumbents: Seconds since the run began and the objective then, in the order of time; None where what was best
            by then is not known to be feasible, and only before the first number.
        cpu_seconds: On classical processors; None if not measured.
        gpu_seconds: As above.
        qpu_seconds: As above.
    """

    objective: float | None
    seconds: float | None = None
    incumbents: tuple[tuple[float, float | None], ...] = ()
    cpu_seconds: float | None = None
    gpu_seconds: float | None = None
    qpu_seconds: float | None = None


@dataclass(frozen=True)
class Particulars:
    """What only the people know.

    Attributes:
        submitters: Authors, at least one.
        affiliations: One an author, in their order.
        day: Of the submission.
        reference: Paper or repository with the rest of the details.
        workflow: Pre-processing, solvers and post-processing, in words.
        hardware: Every machine that took part.
        paradigm: Where the main step ran.
        stochastic: Whether the algorithm draws random numbers.
        remarks: Anything else.
    """

    submitters: tuple[str, ...]
    affiliations: tuple[str, ...]
    day: date
    reference: str
    workflow: str
    hardware: str
    paradigm: Paradigm
    stochastic: bool = True
    remarks: str = NOT_GIVEN

    def __post_init__(self) -> None:
        if not self.submitters or len(self.affiliations) != len(self.submitters):
            raise PlanError(
                "submission",
                f"names {len(self.submitters)} submitters and {len(self.affiliations)} affiliations",
                "Give at least one submitter, and one affiliation for each",
            )


def run_of(
    objective: float | None,
    seconds: float,
    incumbents: Sequence[Incumbent],
    objective_at: Callable[[float], float] | None,
) -> Run:
    """A classical solver's answer as a run.

    Incumbents are energies. Under penalties an energy tells neither whether the row was feasible nor its objective, so
    that all but the last, whose row is known, are handed on as None. Values are rounded to ten digits, as the CSV has
    them, so that a series and its row agree.

    Args:
        objective: Of the best row; None where it is not feasible.
        seconds: Wall seconds on a classical processor.
        incumbents: In the order of time; the last is the best row.
        objective_at: Objective of a feasible row of this energy; None where an energy alone does not tell.
    """
    best = None if objective is None else _rounded(objective)
    known = objective_at if objective is not None else None
    series = [(step.seconds, None if known is None else _rounded(known(step.energy))) for step in incumbents[:-1]]
    if incumbents:
        series.append((incumbents[-1].seconds, best))
    return Run(best, seconds, tuple(series), cpu_seconds=seconds)


def summary(
    instance: str,
    sense: Sense,
    ising: Ising,
    runs: Sequence[Run],
    particulars: Particulars,
    *,
    bound: float | None = None,
    epsilon: float = 0.0,
) -> Row:
    """The row of a submission: all 30 columns by name.

    A run is successful by the library's rule: feasible, and within ε |best| of the best objective that the algorithm
    itself found. The model is the polynomial of bits, a QUBO or, beyond pairs, a HUBO, and the coefficients are its,
    the constant left out; solvers and circuits are given the same polynomial of spins.

    Args:
        instance: Its name in the library.
        sense: Which way the objective goes.
        ising: The polynomial that was solved.
        runs: Independent runs, at least one.
        particulars: What only the people know.
        bound: Proven bound of the objective, in the problem's unit.
        epsilon: Success threshold, at least 0.

    Raises:
        PlanError: For no run, a negative threshold, a bound on the wrong side of the best objective, or a term of more
            than 12 variables.
    """
    if not runs or epsilon < 0:
        raise PlanError("submission", f"has {len(runs)} runs, threshold {epsilon}", "Give a run and epsilon >= 0")
    sign = 1.0 if sense == "minimise" else -1.0
    values = [run.objective for run in runs if run.objective is not None]
    best = sign * min(sign * value for value in values) if values else None
    if best is not None and bound is not None and sign * (bound - best) > SAME * max(ising.scale, abs(best)):
        raise PlanError("submission's bound", f"{bound} is worse than the value {best} found", "Give a proven bound")
    near = 0.0 if best is None else epsilon * abs(best) + alike_within(ising.scale, best, share=1e-12)
    successes = 0 if best is None else sum(sign * (value - best) <= near for value in values)
    n = ising.n_variables
    return {
        "Problem": instance,
        "Submitter": ", ".join(particulars.submitters),
        "Affiliation": ", ".join(particulars.affiliations),
        "Date": particulars.day.isoformat(),
        "Reference": particulars.reference,
        "Best Objective Value": _number(best),
        "Optimality Bound": _number(bound),
        "Modeling Approach": "QUBO" if ising.order <= 2 else "HUBO",
        "# Decision Variables": str(n),
        "# Binary Variables": str(n),
        "# Integer Variables": "0",
        "# Continuous Variables": "0",
        **_coefficients(ising),
        "Workflow": particulars.workflow,
        "Algorithm Type": "Stochastic" if particulars.stochastic else "Deterministic",
        "Paradigm": particulars.paradigm,
        "# Runs": str(len(runs)),
        "# Feasible Runs": str(len(values)),
        "# Successful Runs": str(successes),
        "Success Threshold": _number(epsilon),
        "Hardware Specifications": particulars.hardware,
        "Total Runtime": _mean([run.seconds for run in runs]),
        "Time to Solution": _mean([run.incumbents[-1][0] if run.incumbents else None for run in runs]),
        "CPU Runtime": _mean([run.cpu_seconds for run in runs]),
        "GPU Runtime": _mean([run.gpu_seconds for run in runs]),
        "QPU Runtime": _mean([run.qpu_seconds for run in runs]),
        "Other HW Runtime": NOT_GIVEN,
        "Remarks": particulars.remarks,
    }


def as_csv(rows: Sequence[Row], columns: Sequence[str] = COLUMNS_27) -> str:
    """Rows as the text of `<instance>_summary.csv`: with the 27 columns of the template, or `COLUMNS_30`.

    The template has no column for affiliations and wants them beside the names: they follow in brackets, in order.

    Raises:
        PlanError: For columns that a row does not have.
    """
    missing = sorted({column for row in rows for column in (*columns, "Submitter", "Affiliation") if column not in row})
    if missing:
        raise PlanError("submission", f"has no values for {missing}", "Take the row from `summary`")
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(columns), extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(row if "Affiliation" in columns else _with_affiliation(row) for row in rows)
    return text.getvalue()


def time_series(runs: Sequence[Run]) -> str:
    """The text of `<instance>_objective_time_series.json`: one list a run of `Time` in seconds and `Incumbent`.

    The last entry of a run stands at its end, so that the run's length can be read from it.

    Raises:
        PlanError: For a run whose incumbents go back, in time or in quality, or lose a value they had.
    """
    written = []
    for place, run in enumerate(runs):
        _demand_monotone(place, run)
        steps = [*run.incumbents]
        if steps and run.seconds is not None and steps[-1][0] < run.seconds:
            steps.append((run.seconds, steps[-1][1]))
        written.append([{"Time": seconds, "Incumbent": value} for seconds, value in steps])
    return json.dumps(written, indent=1)


def _demand_monotone(place: int, run: Run) -> None:
    seconds = [when for when, _ in run.incumbents]
    values = [value for _, value in run.incumbents]
    numbers = [value for value in values if value is not None]
    steps = np.diff(numbers)
    lost = None in values[len(values) - len(numbers) :]
    if sorted(seconds) != seconds or lost or not ((steps <= 0).all() or (steps >= 0).all()):
        raise PlanError(f"incumbents of run {place}", "go back", "Give each improvement once, in the order of time")


def _with_affiliation(row: Row) -> Row:
    where = row["Affiliation"]
    given = set(where.split(", ")) != {NOT_GIVEN}
    return {**row, "Submitter": f"{row['Submitter']} ({where})"} if given else row


def _coefficients(ising: Ising) -> Row:
    """Of the polynomial of bits; what two sums that should cancel leave of each other is no coefficient."""
    found = np.array([weight for members, weight in to_bits(ising).items() if members])
    weights = found[np.abs(found) > 1e-12 * ising.scale]
    whole = bool((weights == np.rint(weights)).all())
    return {
        "# Non-Zero Coefficients": str(len(weights)),
        "Coefficients Type": "Integer" if whole else "Continuous",
        "Coefficients Range": f"{_number(weights.min())} - {_number(weights.max())}" if len(weights) else NOT_GIVEN,
    }


def _mean(values: Sequence[float | None]) -> str:
    """Mean over runs; not there unless every run has it."""
    numbers = [value for value in values if value is not None]
    return _number(float(np.mean(numbers))) if len(numbers) == len(values) else NOT_GIVEN


def _number(value: float | None) -> str:
    return NOT_GIVEN if value is None else f"{float(value):.10g}"


def _rounded(value: float) -> float:
    return float(f"{value:.10g}")
