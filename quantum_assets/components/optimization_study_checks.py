"""Which checks stand before which asset of an optimisation study; all that the next asset depends on block."""

from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa

from quantum_assets.components.optimization_study_clock import on_time
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.optimization_study_steps import instance, kernel_of, read_bits
from quantum_assets.contracts.problem import Problem
from quantum_assets.contracts.tables import (
    ATTRIBUTION,
    DECISION,
    OPTIMIZATION_MODES,
    OUTCOME,
    PROBLEM,
    SAMPLES,
    SAMPLING_JOBS,
    SOLUTIONS,
)
from quantum_assets.orchestration.checks import Check, CheckOutcome, CheckTold, follows_contract, stored_checks
from quantum_assets.orchestration.stored import provenance_of

SAME_STATE = 1e-8
_SAME = 1e-9


def study_checks(
    plan: OptimizationStudyPlan,
    by_period: dg.PartitionsDefinition[str] | None,
    by_both: dg.PartitionsDefinition[str],
) -> list[dg.AssetChecksDefinition]:
    """One checks step for each asset."""
    over_periods: Mapping[str, Mapping[str, Check]] = {
        "problem": {"contract": follows_contract(PROBLEM)},
        "classical_solutions": {
            "contract": follows_contract(SOLUTIONS),
            "three_rivals": three_rivals_ran,
            "feasible": some_rival_is_feasible,
        },
        "modes": {"contract": follows_contract(OPTIMIZATION_MODES)},
        **({"outcome": {"contract": follows_contract(OUTCOME)}} if by_period is not None else {}),
    }
    over_both: Mapping[str, Mapping[str, Check]] = {
        "quantum_jobs": {"contract": follows_contract(SAMPLING_JOBS), "circuit_is_trained_ansatz": same_ansatz},
        "quantum_samples": {"contract": follows_contract(SAMPLES), "recomputed": samples_recomputed(plan)},
        "attribution": {"contract": follows_contract(ATTRIBUTION, may_be_empty=True)},
        "decision": {
            "contract": follows_contract(DECISION),
            "feasible": published_is_feasible,
            "objective_recomputed": decision_recomputed(plan),
            "no_worse_than_members": never_worse_than_a_member,
        },
    }

    def checks_of(
        group: Mapping[str, Mapping[str, Check]], over: dg.PartitionsDefinition[str] | None
    ) -> list[dg.AssetChecksDefinition]:
        return [
            stored_checks(dg.AssetKey([plan.name, asset]), checks, over, _ADVISORY.get(asset), _TOLD.get(asset))
            for asset, checks in group.items()
        ]

    return [*checks_of(over_periods, by_period), *checks_of(over_both, by_both)]


def three_rivals_ran(table: pa.Table) -> CheckOutcome:
    """At least three rivals ran: fewer are no comparison."""
    ran = [row["solver"] for row in table.to_pylist() if row["state"] == "ran"]
    return CheckOutcome(len(ran) >= 3, f"{len(ran)} rivals ran: {', '.join(ran)}", {"rivals": len(ran)})


def some_rival_is_feasible(table: pa.Table) -> CheckOutcome:
    """At least one rival found a row that keeps every rule."""
    good = [row["solver"] for row in table.to_pylist() if row["state"] == "ran" and row["violations"] == 0]
    return CheckOutcome(bool(good), f"feasible: {', '.join(good) or 'none'}", {"feasible": len(good)})


def same_ansatz(table: pa.Table) -> CheckOutcome:
    """The circuit that is run is the ansatz that was trained: amplitudes agree to 1e-8."""
    worst = max(row["difference"] for row in table.to_pylist())
    return CheckOutcome(
        worst <= SAME_STATE, f"amplitudes differ by {worst:.2g} (limit {SAME_STATE:g})", {"difference": worst}
    )


def better_than_random(table: pa.Table) -> CheckOutcome:
    """The trained angles have a lower objective of training (mean energy or CVaR) than uniform rows."""
    row = table.to_pylist()[0]
    return CheckOutcome(
        row["value"] < row["random_value"],
        f"objective {row['value']:.6g}, uniform bits {row['random_value']:.6g}",
        {"value": row["value"], "random_value": row["random_value"]},
    )


def quantum_path_answered(table: pa.Table) -> CheckOutcome:
    """The quantum path answered as asked: no fallback, no failure."""
    made = provenance_of(table)
    path, reasons = made.get("path", "quantum"), "; ".join(made.get("path_reasons", ()))
    return CheckOutcome(path == "quantum", f"path {path}{': ' if reasons else ''}{reasons}", {})


def published_is_feasible(table: pa.Table) -> CheckOutcome:
    """Exactly one row is published, and it keeps every rule."""
    published = [row for row in table.to_pylist() if row["published"]]
    fine = len(published) == 1 and published[0]["violations"] == 0
    told = ", ".join(f"{row['path']} breaks rules by {row['violations']:g}" for row in published)
    return CheckOutcome(fine, f"{len(published)} rows published: {told}", {"published": len(published)})


def never_worse_than_a_member(table: pa.Table) -> CheckOutcome:
    """An ensemble's decision is no worse than its best member that the policy let in, by the recomputed gaps."""
    rows = table.to_pylist()
    published = next((row for row in rows if row["published"]), None)
    if published is None or published["by"] != "ensemble":
        return CheckOutcome(published is not None, "no ensemble decided")
    left_out = {row["path"] for row in rows if f"ensemble without {row['path']}:" in published["reasons"]}
    gaps = [row["gap_to_best_known"] for row in rows if row["violations"] == 0 and row["path"] not in left_out]
    return CheckOutcome(
        published["gap_to_best_known"] <= min(gaps) + _SAME,
        f"gap {published['gap_to_best_known']:.3g}, best member {min(gaps):.3g}",
        {"gap": published["gap_to_best_known"]},
    )


def samples_recomputed(plan: OptimizationStudyPlan) -> Check:
    """A check that stored samples say of their bits what the instance says of them."""

    def check(table: pa.Table) -> CheckOutcome:
        made = provenance_of(table)
        asked = instance(plan, str(made.get("period", "")))
        kernel = kernel_of(plan, asked, str(made.get("profile", "")))
        return _agrees(kernel, [row for row in table.to_pylist() if row["part"] != "history"])

    check.__doc__ = "Objective and violations of every sample are what the instance says of its bits."
    return check


def decision_recomputed(plan: OptimizationStudyPlan) -> Check:
    """A check that the decision's claims are what the instance says of its bits."""

    def check(table: pa.Table) -> CheckOutcome:
        return _agrees(instance(plan, str(provenance_of(table).get("period", ""))), table.to_pylist())

    check.__doc__ = "The objective that is claimed is the objective recomputed from the bits."
    return check


def _agrees(asked: Problem, rows: Sequence[Mapping[str, Any]]) -> CheckOutcome:
    if not rows:
        return CheckOutcome(True, "there are no rows")
    bits = np.vstack([read_bits(row["bits"]) for row in rows])
    claimed = np.array([[row["objective"], row["violations"]] for row in rows], dtype=float)
    found = np.column_stack([asked.objective(bits), asked.violations(bits)])
    apart, scale = np.abs(found - claimed), np.array([asked.encode().objective_scale, 1.0])
    shares = np.divide(apart, np.maximum(scale, np.abs(found)), out=np.zeros_like(apart), where=apart > 0)
    worst = float(shares.max())
    return CheckOutcome(
        worst <= _SAME, f"{len(rows)} rows recomputed; they differ by {worst:.2g}", {"difference": worst}
    )


_ADVISORY: Mapping[str, Mapping[str, Check]] = {
    "quantum_jobs": {"better_than_random": better_than_random},
    "quantum_samples": {"quantum_path_answered": quantum_path_answered},
}
_TOLD: Mapping[str, Mapping[str, CheckTold]] = {"decision": {"on_time": on_time}}
