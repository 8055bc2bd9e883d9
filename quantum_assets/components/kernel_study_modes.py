"""The same study under every profile that was run, side by side: what each mode did to the kernel, and at what price.

Each stored matrix is laid beside its exact twin: the same samples, map and bandwidth without shots or noise. The
difference is therefore the mode's own, and not that of another configuration or another subsample.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.components.kernel_study_inputs import open_inputs, rows_under, selection_profile
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.kernel_study_records import study_params
from quantum_assets.components.quantum_gram import QuantumGram
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.tables import MODES
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.execution.session import Session
from quantum_assets.models.tables import table_of_rows
from quantum_assets.orchestration.mode_figures import entries_beside_exact
from quantum_assets.orchestration.stored import Stored, provenance_of, version_of
from quantum_assets.store.gram import gram_values


@dataclass(frozen=True, eq=False)
class ModeTables:
    """What one profile's partition holds: the matrix and, once it exists, the verdict."""

    kernel: pa.Table
    verdict: pa.Table | None


def modes(
    plan: KernelStudyPlan,
    found: Mapping[str, ModeTables],
    dataset_rows: pa.Table,
    feature_rows: pa.Table,
    session: Session,
) -> Stored:
    """Compare the profiles that were materialised so far; those that were not are left out."""
    data, prepared = open_inputs(plan, dataset_rows, feature_rows)
    rows: list[dict[str, Any]] = []
    pictures: dict[str, tuple[FloatArray, FloatArray]] = {}
    for name, tables in found.items():
        profile = plan.profiles[name]
        ids, values = gram_values(tables.kernel)
        configuration = json.loads(tables.kernel.column("configuration")[0].as_py())
        kept = prepared.family("full").restricted(rows_under(profile, data))
        twin = QuantumGram(plan.name, kept, data.sample_ids, selection_profile(profile), session.within(name))
        spec = next(spec for spec in plan.feature_maps if spec.name == configuration["map"])
        exact = twin.matrix(kept.splits["full"], spec, float(configuration["bandwidth"]))
        assert exact.row_ids == ids, "the stored matrix is of the samples that the profile keeps"
        rows.append(_row(name, profile.shots, configuration, tables, values, exact.values))
        pictures[name] = (exact.values, values)
    table = table_of_rows(rows, MODES)
    return Stored(
        table=table,
        contract=MODES,
        provenance=provenance(plan, {"dataset": dataset_rows, "features": feature_rows})
        | {"modes": {name: version_of(tables.kernel) for name, tables in found.items()}},
        params=study_params(plan) | {"modes": ", ".join(found)},
        metrics={
            f"{row['profile']}/{name}": float(row[name])
            for row in rows
            for name in ("rms_difference", "max_difference", "alignment", "cost", "quantum_score")
            if row[name] is not None
        },
        figures={"modes": entries_beside_exact(pictures, f"{plan.name}: kernel entries beside their exact values")},
        notes={"side by side": _told(rows)},
    )


def _row(
    name: str,
    shots: int | None,
    configuration: Mapping[str, Any],
    tables: ModeTables,
    values: FloatArray,
    exact: FloatArray,
) -> dict[str, Any]:
    made = provenance_of(tables.kernel)
    effective = made.get("effective_profile", {})
    off = ~np.eye(len(values), dtype=bool)
    verdict = {} if tables.verdict is None else tables.verdict.slice(0, 1).to_pylist()[0]
    return {
        "profile": name,
        "mode": str(effective.get("mode", "")),
        "estimator": str(effective.get("estimator", "")),
        "provider": str(effective.get("provider", "")),
        "backend": ", ".join(made.get("backends", ())),
        "calibration": ", ".join(made.get("calibrations", ())),
        "path": str(made.get("path", "quantum")),
        "samples": len(values),
        "map": str(configuration["map"]),
        "bandwidth": float(configuration["bandwidth"]),
        "shots": shots or 0,
        "circuits_run": int(made.get("circuits_run", 0)),
        "depth": _whole(made.get("compiled_depth")),
        "two_qubit_gates": _whole(made.get("compiled_two_qubit_gates")),
        "rms_difference": float(np.sqrt(np.mean((values - exact)[off] ** 2))),
        "max_difference": float(np.abs(values - exact).max()),
        "alignment": float(np.sum(values * exact) / np.sqrt(np.sum(values**2) * np.sum(exact**2))),
        "diagonal_mean": float(np.diagonal(values).mean()),
        "cost": float(made.get("cost", 0.0)),
        "currency": str(made.get("currency", "USD")),
        "quantum_score": verdict.get("quantum_score"),
        "verdict": str(verdict.get("verdict", "")),
    }


def _whole(value: float | None) -> int:
    return 0 if value is None else int(value)


def _told(rows: Sequence[Mapping[str, Any]]) -> str:
    shown = ("profile", "mode", "backend", "path", "samples", "shots", "depth", "rms_difference", "alignment")
    lines = [[*shown, "score", "cost"], ["---"] * (len(shown) + 2)]
    for row in rows:
        score = "" if row["quantum_score"] is None else f"{row['quantum_score']:.3f}"
        cells = [f"{row[name]:.4g}" if isinstance(row[name], float) else str(row[name]) for name in shown]
        lines.append([*cells, score, f"{row['cost']:.4g} {row['currency']}"])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
