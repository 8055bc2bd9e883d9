"""Second half of a kernel study: from matrices to a verdict and a model; plain functions, as in the first half.

Only columns that a contract declares volatile (CPU seconds) depend on the clock; the digests leave them out.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.components.execution_records import profile_params
from quantum_assets.components.kernel_study_inputs import (
    QUANTUM,
    baselines_of,
    open_inputs,
    positions,
    quantum_learner,
    quantum_matrix,
    rows_only,
    rows_under,
    same_samples,
)
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.kernel_study_records import evidence_of, study_params
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.evaluation import FoldScore, Verdict
from quantum_assets.contracts.record import ModelRecord
from quantum_assets.contracts.tables import DIAGNOSTICS, EVALUATION, MODEL, VERDICT
from quantum_assets.datasets.tables import dataset_from_table
from quantum_assets.execution.session import Session
from quantum_assets.kernels.diagnose import Diagnostic, diagnose
from quantum_assets.kernels.measures import spectrum
from quantum_assets.models.evaluate import evaluate
from quantum_assets.models.kernel_model import model_arrays, model_table, refit
from quantum_assets.models.learners import without_entanglers
from quantum_assets.models.tables import scores_from_table, scores_table, verdict_table
from quantum_assets.models.verdict import judge
from quantum_assets.orchestration import figures
from quantum_assets.orchestration.stored import Stored, provenance_of


def diagnostics(
    plan: KernelStudyPlan,
    profile_name: str,
    dataset_rows: pa.Table,
    quantum_table: pa.Table,
    classical_table: pa.Table,
) -> Stored:
    """Judge the matrices before anyone trains on them."""
    data = dataset_from_table(dataset_rows, plan.name)
    profile = plan.profiles[profile_name]
    quantum = quantum_matrix(quantum_table, profile)
    labels = data.labels[positions(data.sample_ids, quantum.row_ids)]
    rivals = {name: same_samples(classical_table, name, quantum.row_ids) for name in ("rbf", "polynomial", "linear")}
    qubits = int(provenance_of(quantum_table).get("qubits", 0)) or None
    found = diagnose(quantum, labels, rivals, n_qubits=qubits)
    for name, rival in rivals.items():
        found += diagnose(rival, labels, normalised=name == "rbf")
    columns = ("kernel", "metric", "value", "meaning")
    table = pa.table({name: [getattr(row, name) for row in found] for name in columns})
    own = [row for row in found if row.kernel == QUANTUM and not row.metric.startswith("eigenvalue")]
    spectra = {m.kernel: spectrum(m.values) for m in (quantum, *rivals.values())}
    return Stored(
        table=table,
        contract=DIAGNOSTICS,
        provenance=provenance(
            plan,
            {"dataset": dataset_rows, "quantum_kernel": quantum_table, "classical_kernels": classical_table},
            profile=profile,
        ),
        params=study_params(plan) | profile_params(profile),
        metrics={row.metric: row.value for row in own},
        figures={"spectrum": figures.spectrum(spectra)},
        notes={"what it means": _meanings(own)},
    )


def evaluation(
    plan: KernelStudyPlan,
    profile_name: str,
    dataset_rows: pa.Table,
    feature_rows: pa.Table,
    diagnostics_table: pa.Table,
    session: Session,
    on_progress: Callable[[str], None] | None = None,
) -> Stored:
    """Tune and score every learner on the same folds with the same budget."""
    data, prepared = open_inputs(plan, dataset_rows, feature_rows)
    profile = plan.profiles[profile_name]
    prepared = prepared.restricted(rows_under(profile, data))
    quantum, final = quantum_learner(plan, prepared, data, profile, session)
    learners = (quantum, without_entanglers(quantum), *baselines_of(plan))

    def report(done: int, total: int, what: str) -> None:
        if on_progress is not None and (done % len(learners) == 0 or done == total):
            on_progress(f"{done} of {total} models and folds; last {what}")

    scores = evaluate(data, prepared, learners, plan.protocol, report)
    means = {name: float(np.mean([s.score for s in scores if s.model == name])) for name in _models(scores)}
    evidence = evidence_of(final, profile)
    return Stored(
        table=scores_table(scores),
        contract=EVALUATION,
        provenance=provenance(
            plan,
            {"dataset": dataset_rows, "features": feature_rows, "diagnostics": diagnostics_table},
            profile=profile,
            protocol=plan.protocol.model_dump(mode="json"),
            **evidence.provenance,
        ),
        params=study_params(plan) | profile_params(profile, evidence.effective) | {"budget": scores[0].tried},
        metrics={f"score/{name}": mean for name, mean in means.items()}
        | {"cpu_seconds": sum(score.cpu_seconds for score in scores), **evidence.metrics},
        figures={"scores": figures.scores(scores, f"{plan.name}, {profile_name}: outer test scores")},
        notes=evidence.notes,
        tags=evidence.tags,
        headline=("qa.path", "qa.path_reason", *(f"score/{name}" for name in sorted(means, key=lambda n: -means[n]))),
    )


def verdict(
    plan: KernelStudyPlan, profile_name: str, evaluation_table: pa.Table, diagnostics_table: pa.Table
) -> Stored:
    """Say what the scores support, and why."""
    scores = scores_from_table(evaluation_table)
    rows = diagnostics_table.to_pylist()
    answer = judge(scores, plan.protocol, {r["metric"]: r["value"] for r in rows if r["kernel"] == QUANTUM})
    answer = _with_path(answer, provenance_of(evaluation_table))
    profile = plan.profiles[profile_name]
    return Stored(
        table=verdict_table(answer),
        contract=VERDICT,
        provenance=provenance(
            plan,
            {"evaluation": evaluation_table, "diagnostics": diagnostics_table},
            profile=profile,
            protocol=plan.protocol.model_dump(mode="json"),
        ),
        params=study_params(plan) | profile_params(profile) | {"verdict": answer.word, "best_rival": answer.best_rival},
        metrics={
            "quantum_score": answer.quantum_score,
            "quantum_low": answer.quantum_low,
            "quantum_high": answer.quantum_high,
            "best_score": answer.best_score,
            "best_low": answer.best_low,
            "best_high": answer.best_high,
            "difference": answer.quantum_score - answer.best_score,
            "p_holm": answer.p_holm,
            "cost_ratio": answer.cost_ratio,
        },
        figures={
            "comparison": figures.comparison(
                answer.comparisons,
                plan.protocol.equivalence_band,
                f"{plan.name}, {profile_name}: quantum minus each rival",
            )
        },
        notes={"verdict": f"**{answer.sentence}**", "reasons": "\n".join(f"- {reason}" for reason in answer.reasons)},
        headline=("verdict", "reasons", "quantum_score", "best_score", "difference", "p_holm"),
    )


def kernel_model(plan: KernelStudyPlan, profile_name: str, dataset_rows: pa.Table, quantum_table: pa.Table) -> Stored:
    """Refit the classifier on the whole matrix with the chosen penalty, as plain arrays."""
    data = dataset_from_table(dataset_rows, plan.name)
    profile = plan.profiles[profile_name]
    matrix = quantum_matrix(quantum_table, profile)
    rows = positions(data.sample_ids, matrix.row_ids)
    configuration = json.loads(quantum_table.column("configuration")[0].as_py())
    model = refit(matrix.values, rows_only(data, rows), configuration)
    record = ModelRecord(
        name=f"{plan.name}-{profile_name}",
        alias="candidate",
        arrays=model_arrays(model),
        input_schema=matrix.row_ids,
        output_schema=("label",),
    )
    return Stored(
        table=model_table(model),
        contract=MODEL,
        provenance=provenance(
            plan,
            {"dataset": dataset_rows, "quantum_kernel": quantum_table},
            profile=profile,
            configuration=configuration,
        ),
        params=study_params(plan) | profile_params(profile) | dict(configuration),
        metrics={"support_vectors": float(len(model.machine.rows)), "samples": float(len(rows))},
        model=record,
    )


def _with_path(answer: Verdict, made: Mapping[str, Any]) -> Verdict:
    """Say first where the quantum side's matrices did not all come from the quantum path: it is not silent anywhere."""
    path = made.get("path", "quantum")
    if path == "quantum":
        return answer
    why = "; ".join(made.get("path_reasons", ())) or "no reason was recorded"
    told = f"the quantum side was answered by the {path} path, so these scores say nothing about the backend: {why}"
    return replace(answer, sentence=f"{answer.sentence} ({path} path)", reasons=(told, *answer.reasons))


def _meanings(found: Sequence[Diagnostic]) -> str:
    rows = [f"| {row.metric} | {row.value:.4g} | {row.meaning} |" for row in found]
    return "\n".join(["| metric | value | meaning |", "|---|---|---|", *rows])


def _models(scores: Sequence[FoldScore]) -> list[str]:
    return list(dict.fromkeys(score.model for score in scores))
