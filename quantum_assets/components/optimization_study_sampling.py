"""The quantum steps of an optimisation study: train and hand in; collect, recompute and store the samples."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.components.evidence import sum_up
from quantum_assets.components.execution_records import circuit_artifacts, profile_params, step_evidence
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.optimization_study_records import study_params
from quantum_assets.components.optimization_study_rows import (
    finalists_in,
    finalists_told,
    history_rows,
    job_rows,
    published_told,
    refined_in,
    refined_told,
    sample_rows,
    seen_rows,
)
from quantum_assets.components.optimization_study_steps import best_energy, best_of, kernel_of, same_instance
from quantum_assets.components.quantum_final import Final, Finalist, final, finalists
from quantum_assets.components.quantum_loop import Loop, Refined, noisy_question, refine
from quantum_assets.components.quantum_sampler import Trained, cost_of, handed_in, trained
from quantum_assets.components.quantum_start import Origin, origin_of
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.optimization import LoopSpec
from quantum_assets.contracts.problem import Problem
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.tables import SAMPLES, SAMPLING_JOBS
from quantum_assets.execution.session import Session
from quantum_assets.models.tables import table_of_rows
from quantum_assets.orchestration.checkpoints import Checkpoints
from quantum_assets.orchestration.optimization_figures import energies_figure, history_figure
from quantum_assets.orchestration.stored import Stored, provenance_of
from quantum_assets.qaoa.training import Guard


def quantum_jobs(
    plan: OptimizationStudyPlan,
    period: str,
    profile_name: str,
    problem_rows: pa.Table,
    session: Session,
    checkpoints: Checkpoints,
    guard: Guard | None = None,
) -> Stored:
    """Train, check that the circuit is what was trained, refine under noise, and hand in where answers take long.

    Args:
        plan: The study.
        period: The month; empty without periods.
        profile_name: Which profile samples are asked of.
        problem_rows: The instance.
        session: The way into the execution room.
        checkpoints: Where training is kept.
        guard: Halts both stages of training, for example at a deadline; the best angles so far go on.
    """
    profile, label = plan.profiles[profile_name], _label(plan, period)
    kernel = kernel_of(plan, same_instance(plan, period, problem_rows), profile_name)
    origin = origin_of(kernel, plan.quantum, plan.name, guard)
    ready = _trained(plan, kernel, origin, checkpoints, guard)
    loop = Loop(ready, kernel, plan.quantum, plan.loop_profile, profile, session, label)
    refined = _refined(loop, checkpoints, guard)
    asked = finalists(loop, refined)
    tickets = handed_in([one.ready for one in asked], profile, session, label)
    return Stored(
        table=table_of_rows(job_rows(asked, tickets, refined, profile, label), SAMPLING_JOBS),
        contract=SAMPLING_JOBS,
        provenance=provenance(
            plan,
            {"problem": problem_rows},
            profile=profile,
            circuit=ready.circuit.fingerprint,
            circuit_difference=max(one.ready.difference for one in asked),
            start_halted=origin.halted or None,
            ending=ready.training.ending,
            refinement_ending=refined.ending,
            loop_profile=None if plan.loop_profile is None else plan.loop_profile.name,
            loop_profile_fingerprint=None if plan.loop_profile is None else plan.loop_profile.fingerprint,
        ),
        params=study_params(plan)
        | profile_params(profile)
        | _loop_params(plan)
        | {"angles_source": ready.angles.source},
        metrics=_training_metrics(ready, asked) | _refined_metrics(refined),
        figures={
            "history": history_figure(
                [line.value for line in ready.training.history],
                ready.random_value,
                label,
                [line.value for line in refined.history],
                "" if plan.loop_profile is None else f"under {plan.loop_profile.name}",
            )
        },
        artifacts=circuit_artifacts(ready.circuit) | _histories(ready, refined),
        notes={
            "training": _training_told(origin, ready),
            "under noise": refined_told(refined),
            "circuit": f"{ready.circuit.name}: depth {ready.circuit.depth}, {ready.circuit.two_qubit_gates} two-qubit "
            f"gates; amplitudes agree with the engine to {ready.difference:.1e}",
        },
        tags={"qa.correlation_id": ", ".join(sorted({one.correlation_id for of_it in tickets for one in of_it}))},
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
    """The admitted samples of the finalist that won, each recomputed by the problem itself.

    Raises:
        UnderWay: Under an asynchronous profile, while an answer is not there yet.
    """
    profile, label = plan.profiles[profile_name], _label(plan, period)
    asked = same_instance(plan, period, problem_rows)
    kernel = kernel_of(plan, asked, profile_name)
    ready = _trained_then(plan, kernel, jobs, checkpoints)
    finals, refined = finalists_in(jobs, ready, plan.quantum), refined_in(jobs)
    ended = final([one.ready for one in finals], kernel, plan.quantum, profile, session, label)
    got = ended.published
    energies = kernel.encode().ising.energies(got.bits) if len(got.bits) else np.zeros(0)
    rows = sample_rows(kernel, got, energies) + seen_rows(kernel, refined, finals, ended)
    rows += history_rows("exact", ready.training.history) + history_rows("noisy", refined.history)
    inputs = {"problem": problem_rows, "classical_solutions": solutions, "quantum_jobs": jobs}
    metrics = {"samples": float(got.counts.sum()), "distinct": float(len(got.counts))}
    metrics |= _final_metrics(refined, ended, profile, session)
    told = {"final": finalists_told(finals, ended, refined), "shots": published_told(ended)}
    told["training"] = ready.training.ending
    facts = _final_facts(finals, ended) | {"question_of_samples": plan.question_of_samples}
    if got.found is None:
        return Stored(
            table=table_of_rows(rows, SAMPLES),
            contract=SAMPLES,
            provenance=provenance(
                plan, inputs, profile=profile, period=period, path="none", path_reasons=[got.reason], **facts
            ),
            params=study_params(plan) | profile_params(profile),
            metrics=metrics,
            headline=("qa.path", "qa.path_reason"),
            notes={"execution": f"Nobody answered: {got.reason}"} | told,
            tags={"qa.path": "none", "qa.path_reason": got.reason},
        )
    evidence = step_evidence(sum_up([got.found]), profile)
    mean = float(energies @ got.counts / got.counts.sum())
    best = best_energy(asked, best_of(solutions))
    return Stored(
        table=table_of_rows(rows, SAMPLES),
        contract=SAMPLES,
        provenance=provenance(
            plan, inputs, profile=profile, period=period, maker=got.maker, **facts, **evidence.provenance
        ),
        params=study_params(plan) | profile_params(profile, evidence.effective),
        metrics=metrics
        | {"mean_energy": mean, "best_energy": float(energies.min()), "random_energy": _uniform_mean(ready)}
        | dict(evidence.metrics),
        headline=("qa.path", "qa.path_reason", "best_energy", "mean_energy", "random_energy", "cost"),
        figures={"energies": energies_figure(energies, got.counts, best, label)},
        notes=dict(evidence.notes) | told,
        tags=evidence.tags,
    )


def _trained(
    plan: OptimizationStudyPlan, kernel: Problem, origin: Origin, checkpoints: Checkpoints, guard: Guard | None
) -> Trained:
    """Train, or go on where a run that was killed or halted stopped; a finished training is not made again."""
    name = _training_name(plan, kernel)
    return trained(
        kernel.encode(),
        plan.quantum,
        plan.name,
        origin=origin,
        resume=checkpoints.load(name),
        # where the start is not the study's own, what is kept of the study's own is worth more
        checkpoint=None if origin.halted else lambda state: checkpoints.keep(name, state),
        guard=guard,
    )


def _trained_then(plan: OptimizationStudyPlan, kernel: Problem, jobs: pa.Table, checkpoints: Checkpoints) -> Trained:
    """The training behind a stored table of jobs: as far as it went then, whatever went on since, and by no clock.

    Nothing is evaluated where its record is kept, and nothing is kept: a longer record stays.
    """
    made, evaluations = provenance_of(jobs), int(jobs.to_pylist()[0]["evaluations"])
    halted, ending = str(made.get("start_halted", "")), str(made.get("ending") or "quantum_jobs trained so far.")
    kept = checkpoints.load(_training_name(plan, kernel))
    if kept is not None and len(kept.history) > evaluations:
        kept = kept.model_copy(update={"history": kept.history[:evaluations], "ending": ""})
    return trained(
        kernel.encode(),
        plan.quantum,
        plan.name,
        origin=origin_of(kernel, plan.quantum, plan.name, (lambda _: halted) if halted else None),
        resume=kept,
        guard=lambda history: ending if len(history) >= evaluations else "",
    )


def _training_name(plan: OptimizationStudyPlan, kernel: Problem) -> str:
    encoding = kernel.encode()
    exact = plan.quantum.model_copy(update={"loop": LoopSpec()})  # what follows under noise changes nothing here
    return fingerprint("training-of/v1", encoding.ising.fingerprint, exact, encoding.cardinality)


def _training_told(origin: Origin, ready: Trained) -> str:
    """How training ended and where its angles come from; and why they do not start from fewer variables."""
    started = f" On fewer variables: {origin.halted}" if origin.halted else ""
    return f"{ready.training.ending} {ready.angles.source}{started}"


def _refined(loop: Loop, checkpoints: Checkpoints, guard: Guard | None) -> Refined:
    """Refine under noise, or go on where a run that was killed stopped; what was measured is not asked for again."""
    name = fingerprint("refinement-of/v1", noisy_question(loop), loop.spec.loop, loop.profile.fingerprint)
    return refine(
        loop, resume=checkpoints.load(name), checkpoint=lambda state: checkpoints.keep(name, state), guard=guard
    )


def _final_facts(finals: Sequence[Finalist], ended: Final) -> dict[str, Any]:
    """Whose samples are published: number, stage and house angles, gammas then betas; and what each was judged by."""
    won = finals[ended.chosen]
    judging = 0 if ended.winner is None else int(ended.winner.judging.counts.sum())
    return {
        "finalist": ended.chosen,
        "angles_of": won.stage,
        "angles": won.ready.angles.vector.tolist(),
        "finalists": list(ended.values),
        "published_value": ended.value,
        "shots_published": int(ended.published.counts.sum()),
        "shots_judging": judging,
    }


def _histories(ready: Trained, refined: Refined) -> dict[str, bytes]:
    """Both stages of training as files."""
    found = {"training.json": ready.training.model_dump_json().encode()}
    return found if refined.state is None else found | {"refinement.json": refined.state.model_dump_json().encode()}


def _loop_params(plan: OptimizationStudyPlan) -> dict[str, str | int | float | bool]:
    loop = plan.quantum.loop
    return {
        "loop/profile": loop.profile or "",
        "loop/evaluations": loop.evaluations,
        "loop/optimiser": loop.optimiser,
        "loop/finalists": loop.finalists,
        "loop/max_shots": loop.max_shots or 0,
        "loop/max_cost": -1.0 if loop.max_cost is None else loop.max_cost,
    }


def _training_metrics(ready: Trained, asked: Sequence[Finalist]) -> dict[str, float]:
    return {
        "value": ready.value,
        "start_value": ready.training.history[0].value,
        "random_value": ready.random_value,
        "gain": ready.training.gain,
        "evaluations": float(len(ready.training.history)),
        "circuit_difference": max(one.ready.difference for one in asked),
        "depth": float(ready.circuit.depth),
        "two_qubit_gates": float(ready.circuit.two_qubit_gates),
        "finalists": float(len(asked)),
    }


def _refined_metrics(refined: Refined) -> dict[str, float]:
    found = {
        "noisy_evaluations": float(len(refined.history)),
        "noisy_shots": float(refined.shots),
        "noisy_cost": refined.cost,
    }
    if refined.state is None or not refined.history:
        return found
    return found | {"noisy_start_value": refined.history[0].value, "noisy_gain": refined.state.gain}


def _final_metrics(refined: Refined, ended: Final, profile: ExecutionProfile, session: Session) -> dict[str, float]:
    """What the loop spent, noisy evaluations and finalists together; what each was judged by, and what is published."""
    circuits = profile.estimator == "circuits"  # other shots are drawn from exact states
    measured = sum(int(one.counts.sum()) for one in ended.got) if circuits else 0
    found = {
        "loop_shots": float(refined.shots + measured),
        "loop_cost": refined.cost + sum(cost_of(session, one) for one in ended.got),
        "finalist": float(ended.chosen),
    }
    if ended.value is not None:
        found["published_value"] = ended.value
    values = {f"finalist/{number}/value": value for number, value in enumerate(ended.values) if value is not None}
    return found | values


def _uniform_mean(ready: Trained) -> float:
    """Mean energy of uniform rows, among those that the ansatz can reach."""
    return float(ready.engine.diagonal.energies.mean()) + ready.engine.diagonal.offset


def _label(plan: OptimizationStudyPlan, period: str) -> str:
    return f"{plan.name}/{period}" if period else plan.name
