"""What a step remembers of how it was run: evidence for provenance, plots, readers and MLflow; circuits as files."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quantum_assets.circuits.archive import drawing_png
from quantum_assets.components.evidence import Evidence
from quantum_assets.contracts.envelope import Attempt
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile, NoiseSpec, Transpilation
from quantum_assets.contracts.workload import CircuitArtifact
from quantum_assets.kernels.sampling import LABEL
from quantum_assets.orchestration.markdown import table

Param = str | int | float | bool


@dataclass(frozen=True)
class StepEvidence:
    """The answers of one step in four forms: for provenance, for plots, for a reader, and for MLflow's tags."""

    effective: EffectiveProfile
    path: str
    provenance: Mapping[str, Any]
    metrics: Mapping[str, float]
    notes: Mapping[str, str]
    tags: Mapping[str, str]


def profile_params(profile: ExecutionProfile, effective: EffectiveProfile | None = None) -> dict[str, Param]:
    """The profile as asked for, and as it really ran, side by side."""
    params: dict[str, Param] = {
        "profile": profile.name,
        "requested/fingerprint": profile.fingerprint,
        "requested/mode": profile.mode,
        "requested/estimator": profile.estimator,
        "requested/shots": profile.shots or 0,
        "requested/seed": profile.seed,
        "requested/backend": profile.backend or "",
    }
    if effective is not None:
        params |= {
            "effective/mode": effective.mode,
            "effective/estimator": effective.estimator,
            "effective/provider": effective.provider,
            "effective/backend": effective.backend or "",
            "effective/engine": effective.engine,
            "effective/shots": effective.shots or 0,
            "effective/seed": -1 if effective.seed is None else effective.seed,
        }
    return params


def step_evidence(found: Evidence, profile: ExecutionProfile) -> StepEvidence:
    """The summed-up answers of a step, in every form that is kept."""
    compared = {
        "crosscheck_difference": found.crosscheck_difference,
        "crosscheck_zscore": found.crosscheck_zscore,
        "compiled_depth": found.depth,
        "compiled_two_qubit_gates": found.two_qubit_gates,
    }
    known = {name: value for name, value in compared.items() if value is not None}
    run = "no circuits were run" if found.circuits_run == 0 else f"{found.circuits_run} circuits were run"
    return StepEvidence(
        effective=found.effective,
        path=found.path,
        provenance={
            "effective_profile": found.effective.model_dump(mode="json"),
            "profile_differences": list(found.differences),
            # what is other in a first try was chosen as the profile asks: no retry, and no degradation
            "modifications": _changes(a for a in found.attempts if a.number > 1),
            "choices": _changes(a for a in found.attempts if a.number == 1),
            "trust_checks": list(found.checks),
            "circuits_run": found.circuits_run,
            "path": found.path,
            "path_reasons": list(found.reasons),
            "backends": list(found.backends),
            "calibrations": list(found.calibrations),
            "correlation_ids": list(found.correlation_ids),
            "cost": found.cost,
            "currency": found.currency,
            **known,
        },
        metrics={
            "circuits_run": float(found.circuits_run),
            "workloads": float(found.workloads),
            "provider_seconds": found.run_seconds,
            "queue_seconds": found.queue_seconds,
            "attempts": float(len(found.attempts)),
            "cache_hits": float(found.cache_hits),
            "cost": found.cost,
            **known,
        },
        notes={
            "execution": _execution_table(found, profile),
            "sampling": LABEL if profile.estimator == "binomial" else run,
            "tries": _attempts_table(found.attempts),
            "profile asked and ran": _profiles_table(profile, found.effective),
        },
        tags={
            "qa.path": found.path,
            "qa.path_reason": "; ".join(found.reasons),
            "qa.correlation_id": ", ".join(found.correlation_ids),
            "qa.backend": ", ".join(found.backends),
            "qa.calibration": ", ".join(found.calibrations),
            "qa.cache_hits": f"{found.cache_hits} of {found.workloads}",
        },
    )


def _changes(attempts: Iterable[Attempt]) -> list[str]:
    return list(dict.fromkeys(attempt.modification for attempt in attempts if attempt.modification))


def _execution_table(found: Evidence, profile: ExecutionProfile) -> str:
    """How the answers came about, for the asset's page."""
    rows = {
        "path": found.path + (f": {'; '.join(found.reasons)}" if found.reasons else ""),
        "backend": ", ".join(found.backends),
        "calibration": ", ".join(digest[:16] for digest in found.calibrations) or "none: an ideal simulator has none",
        "tries": f"{len(found.attempts)} behind {found.workloads} answers",
        "cache hits": f"{found.cache_hits} of {found.workloads}",
        "queue": f"{found.queue_seconds:.3g} s at most",
        "run": f"{found.run_seconds:.3g} s in all",
        "depth": "nothing was compiled" if found.depth is None else f"{found.depth:.0f}",
        "two-qubit gates": "nothing was compiled" if found.two_qubit_gates is None else f"{found.two_qubit_gates:.0f}",
        "shots": "none: exact" if profile.shots is None else f"{profile.shots} a circuit",
        "cost": f"{found.cost:.6g} {found.currency}",
        "correlation id": ", ".join(found.correlation_ids),
    }
    return table(("", ""), [(f"**{name}**", value) for name, value in rows.items()])


def _attempts_table(attempts: Sequence[Attempt]) -> str:
    """What happened, counted: equal lines are told once."""
    told = Counter(
        (a.path, a.provider, a.backend, str(a.number), a.outcome, a.modification, a.reason) for a in attempts
    )
    rows = [(str(count), *line) for line, count in told.items()]
    return table(("times", "path", "provider", "backend", "try", "outcome", "changed", "reason"), rows)


def _profiles_table(asked: ExecutionProfile, ran: EffectiveProfile) -> str:
    names = ("mode", "estimator", "backend", "shots", "seed", "noise", "transpilation")
    rows = [(name, _short(getattr(asked, name)), _short(getattr(ran, name))) for name in names]
    rows.append(("provider", ", ".join(asked.providers), f"{ran.provider} ({ran.engine})"))
    rows.append(("versions", "", ", ".join(f"{name} {version}" for name, version in ran.versions.items())))
    return table(("", "asked", "ran"), rows)


def _short(value: object) -> str:
    """A field of a profile in few words: what is at its default says nothing."""
    if isinstance(value, Transpilation):
        gates = " ".join(value.basis_gates) or "its own gates"
        return f"level {value.optimization_level}, seed {value.seed}, {gates}"
    if isinstance(value, NoiseSpec):
        return ", ".join(f"{name} {figure}" for name, figure in value.model_dump(exclude_defaults=True).items())
    return "" if value is None else str(value)


def circuit_artifacts(circuit: CircuitArtifact) -> dict[str, bytes]:
    """The circuit as evidence: QPY with its version in the name, OpenQASM 3, the drawing as text and picture."""
    return {
        f"circuit/{circuit.name}.v{circuit.qpy_version}.qpy": circuit.qpy,
        f"circuit/{circuit.name}.qasm": circuit.qasm3.encode(),
        f"circuit/{circuit.name}.txt": circuit.drawing.encode(),
        f"circuit/{circuit.name}.png": drawing_png(circuit),
    }
