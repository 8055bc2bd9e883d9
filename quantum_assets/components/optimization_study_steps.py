"""What the steps of an optimisation study compute: instance, rivals, samples, attribution, decision."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.optimization_study_records import study_params
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Problem, Solution
from quantum_assets.contracts.tables import PROBLEM, SOLUTIONS
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.models.tables import table_of_rows
from quantum_assets.orchestration.optimization_figures import incumbents_figure
from quantum_assets.orchestration.stored import Stored, provenance_of
from quantum_assets.problems.best_known import find
from quantum_assets.problems.build import build
from quantum_assets.problems.narrowing import narrow, narrowed_how
from quantum_assets.solvers.race import Race, race


def instance(plan: OptimizationStudyPlan, period: str) -> Problem:
    """The study's instance for a period (empty: it has none)."""
    return build(plan.problem, plan.base, period)


def kernel_of(plan: OptimizationStudyPlan, asked: Problem, profile: str = "") -> Problem:
    """What is left for the quantum step: the instance itself where it is small enough, else narrowed as the study says.

    Rivals race on the instance as wide as it is: narrowing must not flatter either side.

    Args:
        plan: The study; its `most_variables` is the width that is aimed at, its `narrowing` how.
        asked: The instance.
        profile: Name of an execution profile, whose own width may be smaller still; empty: none.

    Raises:
        PlanError: If it cannot be brought down so far.
    """
    most, room = plan.quantum.most_variables, "that quantum.most_variables allows"
    if profile in plan.profiles and (width := plan.profiles[profile].guardrails.max_qubits) < most:
        most, room = width, f"that guardrails.max_qubits of profile {profile} allows"
    return narrow(asked, most, plan.quantum.narrowing, room)


def problem(plan: OptimizationStudyPlan, period: str) -> Stored:
    """The instance as numbers: its variables, and the Ising polynomial that every solver and circuit gets."""
    asked = instance(plan, period)
    encoding = asked.encode()
    names = asked.variables
    rows: list[dict[str, Any]] = [
        {"part": "variable", "name": name, "members": str(number), "coefficient": 0.0}
        for number, name in enumerate(names)
    ]
    rows += [
        {
            "part": "term",
            "name": " * ".join(names[member] for member in term),
            "members": " ".join(map(str, term)),
            "coefficient": float(weight),
        }
        for term, weight in zip(encoding.ising.terms, encoding.ising.coefficients, strict=True)
    ]
    kernel = kernel_of(plan, asked)
    known = find(asked)
    facts: dict[str, Any] = {
        "kind": asked.kind,
        "instance": asked.name,
        "instance_hash": asked.fingerprint,
        "ising": encoding.ising.fingerprint,
        "sense": asked.sense,
        "unit": asked.unit,
        "offset": encoding.ising.offset,
        "penalty": encoding.penalty,
        "penalty_rule": encoding.rule,
        "cardinality": encoding.cardinality,
        "quantum_variables": len(kernel.variables),
        "best_known": None if known is None else known.value,
        "best_known_source": None if known is None else known.source,
    }
    size = f"{len(names)} variables, {len(encoding.ising.terms)} terms of up to {encoding.ising.order} variables"
    return Stored(
        table=table_of_rows(rows, PROBLEM),
        contract=PROBLEM,
        provenance=provenance(plan, {}, **facts),
        params=study_params(plan) | {"instance": asked.name, "instance_hash": asked.fingerprint},
        metrics={
            "variables": float(len(names)),
            "terms": float(len(encoding.ising.terms)),
            "penalty": encoding.penalty,
        },
        notes={
            "instance": f"{asked.kind} {asked.name}: {asked.sense} {asked.unit}; {size}",
            "penalty rule": encoding.rule,
            "quantum step": _quantum_step_told(plan, asked, kernel),
        },
    )


def classical_solutions(plan: OptimizationStudyPlan, period: str, problem_rows: pa.Table) -> Stored:
    """Every rival on the same polynomial under the same budget, with what it proved."""
    asked = same_instance(plan, period, problem_rows)
    found = race(
        asked.encode().ising, seconds=plan.classical.seconds, seed=plan.classical.seed, starts=asked.greedy()[None]
    )
    rows = [_solution_row(asked, one) for one in found.solutions]
    rows += [_declined_row(name, reason) for name, reason in sorted(found.declined.items())]
    best = found.best
    return Stored(
        table=table_of_rows(rows, SOLUTIONS),
        contract=SOLUTIONS,
        provenance=provenance(plan, {"problem": problem_rows}, bound=found.bound, proven=found.proven),
        params=study_params(plan) | {"best_solver": best.solver},
        metrics={
            "best_energy": best.energy,
            "best_objective": float(asked.objective(best.bits[None])[0]),
            "rivals": float(len(found.solutions)),
            "proven": float(found.proven),
        },
        headline=("best", "best_objective", "proven", "rivals"),
        figures={"incumbents": incumbents_figure(found.solutions, found.bound, f"{plan.name} {period}".strip())},
        notes={"best": _best_told(asked, found)},
    )


@dataclass(frozen=True, eq=False)
class Best:
    """What the classical side knows: its best feasible row, and the highest proven bound."""

    solver: str
    bits: Bits
    energy: float
    bound: float | None


def best_of(solutions: pa.Table) -> Best:
    """The best feasible row of `classical_solutions`.

    Raises:
        PlanError: If no rival found a feasible row.
    """
    rows = [row for row in solutions.to_pylist() if row["state"] == "ran" and row["violations"] == 0]
    if not rows:
        raise PlanError("classical_solutions", "hold no feasible row", "Give the rivals more seconds")
    best = min(rows, key=lambda row: (row["energy"], row["solver"]))
    bounds = [row["bound"] for row in solutions.to_pylist() if row["bound"] is not None]
    return Best(best["solver"], read_bits(best["bits"]), best["energy"], max(bounds, default=None))


def best_energy(asked: Problem, best: Best) -> float:
    """The lowest energy of a feasible row that anybody knows: the registry's, or the best rival's."""
    known = find(asked)
    if known is None:
        return best.energy
    return min(best.energy, float(asked.encode().ising.energies(known.bits[None])[0]))


def samples_of(samples: pa.Table) -> tuple[Bits, IntArray, FloatArray]:
    """Rows of bits, their counts and violations, of a samples table; of length 0 where nobody answered."""
    rows = [row for row in samples.to_pylist() if row["part"] == "sample"]
    bits = np.vstack([read_bits(row["bits"]) for row in rows]) if rows else np.zeros((0, 0), dtype=np.uint8)
    counts = np.array([row["count"] for row in rows], dtype=np.int64)
    return bits, counts, np.array([row["violations"] for row in rows], dtype=np.float64)


def read_bits(word: str) -> Bits:
    """A row of bits from its text, variable 0 first."""
    return np.frombuffer(word.encode(), dtype=np.uint8) - ord("0")


def write_bits(bits: Bits) -> str:
    """A row of bits as text, variable 0 first."""
    return "".join("01"[int(bit)] for bit in bits)


def same_instance(plan: OptimizationStudyPlan, period: str, problem_rows: pa.Table) -> Problem:
    """The instance, made again, which must be the stored one.

    Raises:
        PlanError: If the source has changed since `problem` was stored.
    """
    asked = instance(plan, period)
    stored = provenance_of(problem_rows).get("instance_hash")
    if stored is not None and stored != asked.fingerprint:
        raise PlanError(
            f"study {plan.name}: problem {period}".rstrip(),
            f"is instance {stored[:12]}, and its source now gives {asked.fingerprint[:12]}",
            "Materialise problem again, and what follows from it",
        )
    return asked


def _quantum_step_told(plan: OptimizationStudyPlan, asked: Problem, kernel: Problem) -> str:
    """How the instance comes to the quantum step under each profile, and which profile is too narrow for it."""
    told = {"": narrowed_how(kernel)}
    for profile in plan.profiles:
        try:
            told[profile] = narrowed_how(kernel_of(plan, asked, profile))
        except PlanError as refusal:
            told[profile] = f"refused: {refusal}"
    others = [f"{profile}: {said}" for profile, said in told.items() if profile and said != told[""]]
    return "; ".join([told[""], *others])


def _solution_row(asked: Problem, one: Solution) -> dict[str, Any]:
    return {
        "solver": one.solver,
        "state": "ran",
        "reason": "",
        "bits": write_bits(one.bits),
        "energy": one.energy,
        "objective": float(asked.objective(one.bits[None])[0]),
        "violations": float(asked.violations(one.bits[None])[0]),
        "bound": one.bound,
        "proven": one.proven,
        "reads": one.reads,
        "seconds": one.seconds,
        "incumbents": json.dumps([[round(i.seconds, 6), i.energy] for i in one.incumbents]),
        "settings": json.dumps(dict(one.settings), sort_keys=True),
    }


def _declined_row(name: str, reason: str) -> dict[str, Any]:
    numbers = dict.fromkeys(("energy", "objective", "violations", "bound"), None)
    words = {"solver": name, "state": "declined", "reason": reason, "bits": "", "incumbents": "[]", "settings": "{}"}
    return {**words, **numbers, "proven": False, "reads": 0, "seconds": 0.0}


def _best_told(asked: Problem, found: Race) -> str:
    best = found.best
    value = float(asked.objective(best.bits[None])[0])
    proof = "proven optimal" if found.proven else "no bound meets it"
    others = ", ".join(one.solver for one in found.solutions[1:])
    declined = f"; declined: {', '.join(sorted(found.declined))}" if found.declined else ""
    return f"{best.solver}: {value:g} {asked.unit} ({proof}); also ran: {others}{declined}"
