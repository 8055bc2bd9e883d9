"""The same decision under every profile that was run, side by side: what each mode did to the samples, at what price.

Shots of each profile are laid beside their exact twin: the same spins at the same angles, without shots and noise. What
is left is the mode's own. A finite number of shots is never its distribution, so every distance comes with what shots
of the exact distribution itself would have.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.components.optimization_study_modes_told import side_by_side
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.optimization_study_records import study_params
from quantum_assets.components.optimization_study_steps import kernel_of, read_bits, same_instance
from quantum_assets.components.quantum_start import ansatz_of
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Problem
from quantum_assets.contracts.tables import OPTIMIZATION_MODES
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.models.distances import cross_entropy_fidelity, total_variation, weighted_mean
from quantum_assets.models.tables import table_of_rows
from quantum_assets.orchestration.mode_figures import EnergyPicture, energies_beside_exact, optima_side_by_side
from quantum_assets.orchestration.stored import Stored, provenance_of, version_of
from quantum_assets.qaoa.engine import prepare

_STAGE = "repaired"
_PLOTTED = ("energy_difference", "total_variation", "fidelity", "optimum", "gap", "cost")


@dataclass(frozen=True, eq=False)
class ModeTables:
    """What one profile's partition holds: angles and samples, and, once they exist, ladder and decision."""

    jobs: pa.Table
    samples: pa.Table
    attribution: pa.Table | None
    decision: pa.Table | None


@dataclass(frozen=True, eq=False)
class _Side:
    """One profile's line, and what is drawn of it."""

    row: dict[str, Any]
    energies: EnergyPicture
    rungs: Mapping[str, tuple[float, float, float]]


def modes(plan: OptimizationStudyPlan, period: str, found: Mapping[str, ModeTables], problem_rows: pa.Table) -> Stored:
    """Compare the profiles that were materialised so far; those that were not, or not for this question, are left out.

    Args:
        plan: The study.
        period: The month; empty without periods.
        found: Profile to its newest tables.
        problem_rows: The instance.

    Raises:
        PlanError: If no profile has samples of this instance and question.
    """
    asked = same_instance(plan, period, problem_rows)
    left_out = {name: _out_of_date(plan, name, tables, problem_rows) for name, tables in found.items()}
    kept = {name: tables for name, tables in found.items() if not left_out[name]}
    if not kept:
        told = "; ".join(f"{name}: {reason}" for name, reason in left_out.items()) or "there are none yet"
        raise PlanError(
            f"modes of {plan.name} {period}".rstrip(), f"have no samples to compare ({told})", "Materialise a decision"
        )
    sides = {name: _side(plan, asked, name, tables) for name, tables in kept.items()}
    rows = [side.row for side in sides.values()]
    return Stored(
        table=table_of_rows(rows, OPTIMIZATION_MODES),
        contract=OPTIMIZATION_MODES,
        provenance=provenance(plan, {"problem": problem_rows}, period=period)
        | {"modes": {name: _versions(tables) for name, tables in kept.items()}},
        params=study_params(plan) | {"modes": ", ".join(kept), "period": period},
        metrics={
            f"{row['profile']}/{name}": float(row[name]) for row in rows for name in _PLOTTED if row[name] is not None
        },
        figures=_figures(sides, f"{plan.name} {period}".rstrip()),
        notes={"side by side": side_by_side(rows, asked.unit, len(asked.variables))}
        | {f"left out: {name}": reason for name, reason in left_out.items() if reason},
    )


def _out_of_date(plan: OptimizationStudyPlan, name: str, tables: ModeTables, problem_rows: pa.Table) -> str:
    """Why stored samples are no answer to what the study asks now; empty if they are."""
    made = provenance_of(tables.samples)
    inputs = made.get("inputs", {})
    if made.get("question_of_samples") != plan.question_of_samples:
        return "its samples answer another question: problem or quantum of the study was edited since"
    if made.get("profile_fingerprint") != plan.profiles[name].fingerprint:
        return "its profile was edited since"
    if inputs.get(f"{plan.name}/problem") != version_of(problem_rows):
        return "its samples are of another version of problem"
    if inputs.get(f"{plan.name}/quantum_jobs") != version_of(tables.jobs):
        return "its samples are of other angles than quantum_jobs has now"
    return ""


def _figures(sides: Mapping[str, _Side], title: str) -> dict[str, bytes]:
    """Energies beside the exact state's; and P(optimum) of every source, once there is a ladder."""
    energies = energies_beside_exact({name: side.energies for name, side in sides.items()}, title)
    rungs = {name: side.rungs for name, side in sides.items() if side.rungs}
    return {"modes": energies} | ({"ladders": optima_side_by_side(rungs, title)} if rungs else {})


def _side(plan: OptimizationStudyPlan, asked: Problem, name: str, tables: ModeTables) -> _Side:
    kernel = kernel_of(plan, asked, name)
    shots = _shots(tables.samples)
    twin = _twin(plan, kernel, _angles(tables))
    ladder, decided = (_of_these(plan, table, tables.samples) for table in (tables.attribution, tables.decision))
    rungs = _rungs(ladder)
    return _Side(
        row={
            "profile": name,
            **_execution(provenance_of(tables.samples)),
            "variables": len(kernel.variables),
            "reduced": len(kernel.variables) < len(asked.variables),
            "shots": int(shots.counts.sum()),
            **_against_exact(shots, twin),
            **_reached(rungs.get("sampler", {})),
            "finding": "" if ladder is None else str(provenance_of(ladder).get("finding", "")),
            **_published(decided),
        },
        energies=EnergyPicture(twin.energies, twin.weights, shots.energies, shots.counts),
        rungs={rung: (row["optimum"], row["optimum_low"], row["optimum_high"]) for rung, row in rungs.items()},
    )


@dataclass(frozen=True, eq=False)
class _Shots:
    """Different states that came, as numbers, with their energies and counts, shape `(m,)`; none if nobody answered."""

    states: IntArray
    energies: FloatArray
    counts: IntArray


@dataclass(frozen=True, eq=False)
class _Twin:
    """The trained state without shots and noise.

    Attributes:
        probabilities: Of all states, shape `(2**n,)`.
        energies: Of the states that the ansatz can reach, offset included.
        weights: Their probabilities.
    """

    probabilities: FloatArray
    energies: FloatArray
    weights: FloatArray

    @property
    def mean(self) -> float:
        return float(self.energies @ self.weights)


def _shots(samples: pa.Table) -> _Shots:
    rows = [row for row in samples.to_pylist() if row["part"] == "sample"]
    states = [int(read_bits(row["bits"]) @ (1 << np.arange(len(row["bits"]), dtype=np.int64))) for row in rows]
    return _Shots(
        np.array(states, dtype=np.int64),
        np.array([row["energy"] for row in rows], dtype=float),
        np.array([row["count"] for row in rows], dtype=np.int64),
    )


def _angles(tables: ModeTables) -> FloatArray:
    """House angles of the samples, gammas then betas: the only ones that were asked for, or those that were chosen."""
    chosen = provenance_of(tables.samples).get("angles")
    row = tables.jobs.to_pylist()[0]
    return np.array(chosen or [*json.loads(row["gammas"]), *json.loads(row["betas"])], dtype=float)


def _twin(plan: OptimizationStudyPlan, kernel: Problem, angles: FloatArray) -> _Twin:
    """The same spins at the angles of the samples."""
    encoding = kernel.encode()
    greedy = None if plan.quantum.warm_start is None else kernel.greedy()
    engine = prepare(encoding.ising, ansatz_of(encoding, plan.quantum, plan.name, greedy))
    probabilities = np.abs(engine.state(angles)) ** 2
    probabilities /= probabilities.sum()
    found = engine.diagonal
    reached = probabilities if found.states is None else probabilities[found.states]
    return _Twin(probabilities, found.energies + found.offset, reached)


def _execution(made: Mapping[str, Any]) -> dict[str, Any]:
    effective = made.get("effective_profile", {})
    return {
        "mode": str(effective.get("mode", "")),
        "estimator": str(effective.get("estimator", "")),
        "provider": str(effective.get("provider", "")),
        "backend": ", ".join(made.get("backends", ())),
        "calibration": ", ".join(made.get("calibrations", ())),
        "path": str(made.get("path", "quantum")),
        "reason": "; ".join(made.get("path_reasons", ())),
        "depth": int(made.get("compiled_depth") or 0),
        "angles_of": str(made.get("angles_of", "exact")),
        "two_qubit_gates": int(made.get("compiled_two_qubit_gates") or 0),
        "cost": float(made.get("cost", 0.0)),
        "currency": str(made.get("currency", "USD")),
    }


def _against_exact(shots: _Shots, twin: _Twin) -> dict[str, float | None]:
    """What the mode did: mean energy, distance and fidelity beside the exact state; null where nobody answered."""
    names = ("mean_energy", "energy_difference", "energy_error", "fidelity", "fidelity_error")
    row: dict[str, float | None] = {"exact_energy": twin.mean, **dict.fromkeys(names)}
    row |= dict.fromkeys(("total_variation", "total_variation_expected", "total_variation_margin"))
    if not len(shots.counts):
        return row
    mean = weighted_mean(shots.energies, shots.counts, int(shots.counts.sum()))
    row |= {"mean_energy": mean.value, "energy_difference": mean.value - twin.mean, "energy_error": mean.error}
    far = total_variation(twin.probabilities, shots.states, shots.counts)
    row |= {
        "total_variation": far.value,
        "total_variation_expected": far.expected,
        "total_variation_margin": far.margin,
    }
    kept = cross_entropy_fidelity(twin.probabilities, shots.states, shots.counts)
    return row if kept is None else row | {"fidelity": kept.value, "fidelity_error": kept.error}


def _of_these(plan: OptimizationStudyPlan, table: pa.Table | None, samples: pa.Table) -> pa.Table | None:
    """A ladder or decision, if it was made of these samples and not of earlier ones."""
    if table is None:
        return None
    seen = provenance_of(table).get("inputs", {}).get(f"{plan.name}/quantum_samples")
    return table if seen == version_of(samples) else None


def _rungs(ladder: pa.Table | None) -> dict[str, dict[str, Any]]:
    """Rows of the ladder after repair, by source of the bits."""
    rows = [] if ladder is None else ladder.to_pylist()
    return {row["rung"]: row for row in rows if row["stage"] == _STAGE}


def _reached(sampler: Mapping[str, Any]) -> dict[str, float | None]:
    names = [f"{measure}{end}" for measure in ("optimum", "gap") for end in ("", "_low", "_high")]
    return {name: sampler.get(name) for name in names}


def _published(decided: pa.Table | None) -> dict[str, Any]:
    rows = [] if decided is None else decided.to_pylist()
    row: dict[str, Any] = next((row for row in rows if row["published"]), {})
    return {
        "decided_by": row.get("by", ""),
        "maker": row.get("maker", ""),
        "objective": row.get("objective"),
        "violations": row.get("violations"),
    }


def _versions(tables: ModeTables) -> dict[str, str]:
    whole = {"quantum_samples": tables.samples, "attribution": tables.attribution, "decision": tables.decision}
    return {asset: version_of(table) for asset, table in whole.items() if table is not None}
