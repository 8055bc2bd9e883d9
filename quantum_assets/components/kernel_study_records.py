"""What a kernel study remembers of each step: provenance for the store, parameters and circuits for MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from quantum_assets.circuits.archive import drawing_png
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.quantum_gram import QuantumGram
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile
from quantum_assets.contracts.workload import CircuitArtifact
from quantum_assets.kernels.sampling import LABEL
from quantum_assets.orchestration.environment import environment
from quantum_assets.orchestration.stored import version_of

Param = str | int | float | bool


@dataclass(frozen=True)
class StepEvidence:
    """The envelopes of one step in three forms: for provenance, for plots, and for a reader."""

    effective: EffectiveProfile
    provenance: Mapping[str, Any]
    metrics: Mapping[str, float]
    note: str


def provenance(
    plan: KernelStudyPlan,
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


def study_params(plan: KernelStudyPlan) -> dict[str, Param]:
    """What the question is, for MLflow's parameter columns."""
    protocol = plan.protocol
    params: dict[str, Param] = {
        "study": plan.name,
        "question": plan.fingerprint,
        "source": plan.source.dataset or plan.source.path or "",
        "feature_maps": ", ".join(spec.name for spec in plan.feature_maps),
        "outer": f"{protocol.outer_folds}x{protocol.repeats}",
        "inner_folds": protocol.inner_folds,
        "metric": protocol.metric,
        "protocol_seed": protocol.seed,
    }
    return params | {f"version/{name}": version for name, version in environment().items()}


def profile_params(profile: ExecutionProfile, effective: EffectiveProfile | None = None) -> dict[str, Param]:
    """The profile as asked for, and as it really ran, side by side."""
    params: dict[str, Param] = {
        "profile": profile.name,
        "requested/fingerprint": profile.fingerprint,
        "requested/mode": profile.mode,
        "requested/estimator": profile.estimator,
        "requested/shots": profile.shots or 0,
        "requested/seed": profile.seed,
    }
    if effective is not None:
        params |= {
            "effective/mode": effective.mode,
            "effective/estimator": effective.estimator,
            "effective/provider": effective.provider,
            "effective/engine": effective.engine,
            "effective/shots": effective.shots or 0,
            "effective/seed": -1 if effective.seed is None else effective.seed,
        }
    return params


def evidence_of(gram: QuantumGram, profile: ExecutionProfile) -> StepEvidence:
    """Sum up the envelopes behind a step's matrices."""
    found = gram.evidence
    compared = {"crosscheck_difference": found.crosscheck_difference, "crosscheck_zscore": found.crosscheck_zscore}
    known = {name: value for name, value in compared.items() if value is not None}
    run = "no circuits were run" if found.circuits_run == 0 else f"{found.circuits_run} circuits were run"
    return StepEvidence(
        effective=found.effective,
        provenance={
            "effective_profile": found.effective.model_dump(mode="json"),
            "profile_differences": list(found.effective.differences(profile)),
            "trust_checks": list(found.checks),
            "circuits_run": found.circuits_run,
            **known,
        },
        metrics={
            "circuits_run": float(found.circuits_run),
            "workloads": float(found.workloads),
            "provider_seconds": found.run_seconds,
            **known,
        },
        note=LABEL if profile.estimator == "binomial" else run,
    )


def circuit_artifacts(circuit: CircuitArtifact) -> dict[str, bytes]:
    """The circuit as evidence: QPY with its version in the name, OpenQASM 3, the drawing as text and picture."""
    return {
        f"circuit/{circuit.name}.v{circuit.qpy_version}.qpy": circuit.qpy,
        f"circuit/{circuit.name}.qasm": circuit.qasm3.encode(),
        f"circuit/{circuit.name}.txt": circuit.drawing.encode(),
        f"circuit/{circuit.name}.png": drawing_png(circuit),
    }
