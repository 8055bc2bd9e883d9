"""The quantum steps of an optimisation study: train and hand in; collect, recompute and store the samples."""

import json
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.components.evidence import sum_up
from quantum_assets.components.execution_records import circuit_artifacts, profile_params, step_evidence
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.optimization_study_records import study_params
from quantum_assets.components.optimization_study_steps import (
    best_energy,
    best_of,
    kernel_of,
    same_instance,
    write_bits,
)
from quantum_assets.components.quantum_sampler import Sampled, Trained, handed_in, sampled, trained, workload_of
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.problem import Problem
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.tables import SAMPLES, SAMPLING_JOBS
from quantum_assets.contracts.ticket import Ticket
from quantum_assets.execution.session import Session
from quantum_assets.models.tables import table_of_rows
from quantum_assets.orchestration.checkpoints import Checkpoints
from quantum_assets.orchestration.optimization_figures import energies_figure, history_figure
from quantum_assets.orchestration.stored import Stored


def quantum_jobs(
    plan: OptimizationStudyPlan,
    period: str,
    profile_name: str,
    problem_rows: pa.Table,
    session: Session,
    checkpoints: Checkpoints,
) -> Stored:
    """Train the ansatz, check that the circuit is what was trained, and hand it in where answers take long."""
    profile = plan.profiles[profile_name]
    asked = same_instance(plan, period, problem_rows)
    ready = _trained(plan, kernel_of(plan, asked, profile_name), checkpoints)
    tickets = handed_in(ready, profile, session, _label(plan, period))
    return Stored(
        table=table_of_rows([_job_row(plan, period, ready, profile, tickets)], SAMPLING_JOBS),
        contract=SAMPLING_JOBS,
        provenance=provenance(
            plan,
            {"problem": problem_rows},
            profile=profile,
            circuit=ready.circuit.fingerprint,
            circuit_difference=ready.difference,
            ending=ready.training.ending,
        ),
        params=study_params(plan) | profile_params(profile) | {"angles_source": ready.angles.source},
        metrics={
            "value": ready.value,
            "start_value": ready.training.history[0].value,
            "random_value": ready.random_value,
            "gain": ready.training.gain,
            "evaluations": float(len(ready.training.history)),
            "circuit_difference": ready.difference,
            "depth": float(ready.circuit.depth),
            "two_qubit_gates": float(ready.circuit.two_qubit_gates),
        },
        figures={
            "history": history_figure(
                [line.value for line in ready.training.history], ready.random_value, _label(plan, period)
            )
        },
        artifacts=circuit_artifacts(ready.circuit) | {"training.json": ready.training.model_dump_json().encode()},
        notes={
            "training": f"{ready.training.ending} {ready.angles.source}",
            "circuit": f"{ready.circuit.name}: depth {ready.circuit.depth}, {ready.circuit.two_qubit_gates} two-qubit "
            f"gates; amplitudes agree with the engine to {ready.difference:.1e}",
        },
        tags={"qa.correlation_id": ", ".join(sorted({ticket.correlation_id for ticket in tickets}))},
    )


def quantum_samples(
    plan: OptimizationStudyPlan,
    period: str,
    profile_name: str,
    problem_rows: pa.Table,
    solutions: pa.Table,
    jobs: pa.Table,
    session: Session,
    checkpoints: Checkpoints,
) -> Stored:
    """The admitted samples, each recomputed by the problem itself.

    Raises:
        UnderWay: Under an asynchronous profile, while the answer is not there yet.
    """
    profile = plan.profiles[profile_name]
    asked = same_instance(plan, period, problem_rows)
    kernel = kernel_of(plan, asked, profile_name)
    ready = _trained(plan, kernel_of(plan, asked, profile_name), checkpoints)
    got = sampled(ready, plan.quantum, profile, session, _label(plan, period))
    energies = kernel.encode().ising.energies(got.bits) if len(got.bits) else np.zeros(0)
    rows = _sample_rows(kernel, got, energies) + _history_rows(ready)
    inputs = {"problem": problem_rows, "classical_solutions": solutions, "quantum_jobs": jobs}
    metrics = {"samples": float(got.counts.sum()), "distinct": float(len(got.counts))}
    if got.found is None:
        return Stored(
            table=table_of_rows(rows, SAMPLES),
            contract=SAMPLES,
            provenance=provenance(plan, inputs, profile=profile, period=period, path="none", path_reasons=[got.reason]),
            params=study_params(plan) | profile_params(profile),
            metrics=metrics,
            notes={"execution": f"Nobody answered: {got.reason}"},
            tags={"qa.path": "none", "qa.path_reason": got.reason},
        )
    evidence = step_evidence(sum_up([got.found]), profile)
    mean = float(energies @ got.counts / got.counts.sum())
    best = best_energy(asked, best_of(solutions))
    return Stored(
        table=table_of_rows(rows, SAMPLES),
        contract=SAMPLES,
        provenance=provenance(plan, inputs, profile=profile, period=period, maker=got.maker, **evidence.provenance),
        params=study_params(plan) | profile_params(profile, evidence.effective),
        metrics=metrics
        | {"mean_energy": mean, "best_energy": float(energies.min()), "random_energy": _uniform_mean(ready)}
        | dict(evidence.metrics),
        figures={"energies": energies_figure(energies, got.counts, best, _label(plan, period))},
        notes=evidence.notes,
        tags=evidence.tags,
    )


def _trained(plan: OptimizationStudyPlan, kernel: Problem, checkpoints: Checkpoints) -> Trained:
    """Train, or go on where a run that was killed stopped; a finished training is not made again."""
    encoding = kernel.encode()
    name = fingerprint("training-of/v1", encoding.ising.fingerprint, plan.quantum, encoding.cardinality)
    return trained(
        encoding,
        plan.quantum,
        plan.name,
        resume=checkpoints.load(name),
        checkpoint=lambda state: checkpoints.keep(name, state),
    )


def _uniform_mean(ready: Trained) -> float:
    """Mean energy of uniform rows, among those that the ansatz can reach."""
    return float(ready.engine.diagonal.energies.mean()) + ready.engine.diagonal.offset


def _label(plan: OptimizationStudyPlan, period: str) -> str:
    return f"{plan.name}/{period}" if period else plan.name


def _job_row(
    plan: OptimizationStudyPlan, period: str, ready: Trained, profile: ExecutionProfile, tickets: tuple[Ticket, ...]
) -> dict[str, Any]:
    angles = ready.angles.house()
    behind = tickets[0] if tickets else None
    return {
        "circuit": ready.circuit.name,
        "fingerprint": ready.circuit.fingerprint,
        "gammas": json.dumps(list(angles.gammas)),
        "betas": json.dumps(list(angles.betas)),
        "convention": angles.convention.statement,
        "source": angles.source,
        "value": ready.value,
        "start_value": ready.training.history[0].value,
        "random_value": ready.random_value,
        "difference": ready.difference,
        "evaluations": len(ready.training.history),
        "workload": workload_of(ready, profile, _label(plan, period)).fingerprint,
        "shots": profile.shots or 0,
        "provider": "" if behind is None else behind.provider,
        "backend": "" if behind is None else behind.backend,
        "tickets": " ".join(ticket.id for ticket in tickets),
        "state": "not submitted" if behind is None else behind.state.value,
        "reason": _not_handed_in(profile) if behind is None else behind.reason,
    }


def _not_handed_in(profile: ExecutionProfile) -> str:
    if profile.asynchronous:
        return "nobody took it; quantum_samples tells why"
    return "it is asked for where it is needed"


def _sample_rows(asked: Problem, got: Sampled, energies: "np.ndarray") -> list[dict[str, Any]]:
    if not len(got.bits):
        return []
    objective, violations = asked.objective(got.bits), asked.violations(got.bits)
    words = [write_bits(row) for row in got.bits]
    order = sorted(range(len(words)), key=lambda place: (round(float(energies[place]), 9), words[place]))
    return [
        {
            "part": "sample",
            "index": rank,
            "bits": words[place],
            "count": int(got.counts[place]),
            "probability": None if got.probabilities is None else float(got.probabilities[place]),
            "energy": float(energies[place]),
            "objective": float(objective[place]),
            "violations": float(violations[place]),
            "angles": "",
        }
        for rank, place in enumerate(order)
    ]


def _history_rows(ready: Trained) -> list[dict[str, Any]]:
    return [
        {
            "part": "history",
            "index": number,
            "bits": "",
            "count": 0,
            "probability": None,
            "energy": line.value,
            "objective": None,
            "violations": None,
            "angles": json.dumps([round(angle, 12) for angle in line.angles]),
        }
        for number, line in enumerate(ready.training.history)
    ]
