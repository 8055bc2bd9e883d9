"""What an optimisation study remembers of each step: provenance for the store, and its question for MLflow."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from quantum_assets.components.execution_records import Param
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.orchestration.environment import environment
from quantum_assets.orchestration.stored import version_of


def provenance(
    plan: OptimizationStudyPlan,
    inputs: Mapping[str, pa.Table],
    profile: ExecutionProfile | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """What a version was made from: study, input versions, profile, software; JSON-able, without a clock."""
    made: dict[str, Any] = {
        "study": plan.name,
        "question": plan.fingerprint,
        "inputs": {f"{plan.name}/{name}": version_of(table) for name, table in inputs.items()},
        "environment": environment(),
    }
    if profile is not None:
        made |= {"profile": profile.name, "profile_fingerprint": profile.fingerprint}
    return made | {name: value for name, value in facts.items() if value is not None}


def study_params(plan: OptimizationStudyPlan) -> dict[str, Param]:
    """What the question is, for MLflow's parameter columns."""
    quantum = plan.quantum
    params: dict[str, Param] = {
        "study": plan.name,
        "question": plan.fingerprint,
        "problem": plan.problem.kind,
        "mixer": quantum.mixer,
        "layers": quantum.layers,
        "start": quantum.start,
        "objective": quantum.objective.kind,
        "alpha": quantum.objective.alpha,
        "evaluations": quantum.training.evaluations,
        "policy": ", ".join(plan.policy.order),
    }
    return params | {f"version/{name}": version for name, version in environment().items()}
