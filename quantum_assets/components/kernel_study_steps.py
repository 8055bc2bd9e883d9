"""What each asset of a kernel study computes: plain functions from a plan and tables to what is to be stored.

No Dagster here: a step can be called from a test or a notebook. Every step says what it was made from (`inputs`), and
nothing that it returns in its table depends on the clock, except columns that its contract declares volatile.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.circuits.build import build
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.kernel_study_records import (
    circuit_artifacts,
    evidence_of,
    profile_params,
    provenance,
    study_params,
)
from quantum_assets.components.quantum_gram import QuantumGram
from quantum_assets.contracts.dataset import Dataset, Features
from quantum_assets.contracts.evaluation import FoldScore
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.record import ModelRecord
from quantum_assets.contracts.tables import DATASET, DIAGNOSTICS, EVALUATION, FEATURES, GRAM, KERNELS, MODEL, VERDICT
from quantum_assets.contracts.workload import IntArray
from quantum_assets.datasets.loading import load
from quantum_assets.datasets.preparation import prepare
from quantum_assets.datasets.sampling import subsample
from quantum_assets.datasets.splits import splits
from quantum_assets.datasets.tables import dataset_from_table, dataset_table, features_from_table, features_table
from quantum_assets.datasets.validation import check_folds, check_qubits
from quantum_assets.kernels import classical
from quantum_assets.kernels.diagnose import diagnose
from quantum_assets.kernels.measures import target_alignment
from quantum_assets.kernels.plan import check_size
from quantum_assets.models.baselines import BASELINES
from quantum_assets.models.evaluate import evaluate
from quantum_assets.models.grids import canonical
from quantum_assets.models.kernel_model import model_arrays, model_table, refit
from quantum_assets.models.learners import KernelLearner, Learner, common_budget, without_entanglers
from quantum_assets.models.tables import scores_from_table, scores_table, verdict_table
from quantum_assets.models.tuning import tune
from quantum_assets.models.verdict import judge
from quantum_assets.orchestration import figures
from quantum_assets.orchestration.stored import Stored, provenance_of
from quantum_assets.store.gram import gram_table, gram_values

QUANTUM = "quantum"
_GAMMAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)


def dataset(plan: KernelStudyPlan) -> Stored:
    """Load and validate the rows; what can be refused from sizes alone is refused here, before any feature exists."""
    data = load(plan.source, plan.name, plan.base, *plan.row_limit())
    check_folds(data, plan.protocol)
    check_qubits(data.features.shape[1], plan.preparation, plan.name)
    qubits = plan.preparation.qubits or data.features.shape[1]
    for profile in plan.profiles.values():
        check_size(len(_rows_under(profile, data)), qubits, profile, label=f"study {plan.name}")
    facts = {"samples": data.n_samples, "features": data.features.shape[1], "classes": len(data.class_names)}
    return Stored(
        table=dataset_table(data),
        contract=DATASET,
        provenance=provenance(plan, {}, source=data.source, data_class=data.data_class, content=data.fingerprint),
        params=study_params(plan) | {"data_class": data.data_class},
        metrics={name: float(value) for name, value in facts.items()},
        notes={"source": data.source, "classes": ", ".join(data.class_names)},
    )


def features(plan: KernelStudyPlan, dataset_table_: pa.Table) -> Stored:
    """Prepare every split, each fitted on its own training rows."""
    data = dataset_from_table(dataset_table_, plan.name)
    prepared = prepare(data, splits(data, plan.protocol), plan.preparation)
    full = prepared.splits["full"]
    labels = data.labels[full.rows]
    return Stored(
        table=features_table(prepared, data),
        contract=FEATURES,
        provenance=provenance(
            plan,
            {"dataset": dataset_table_},
            preparation=plan.preparation.model_dump(mode="json"),
            qubits=prepared.n_qubits,
        ),
        params=study_params(plan),
        metrics={"qubits": float(prepared.n_qubits), "splits": float(len(prepared.splits))},
        figures={"first_two_columns": figures.features_scatter(full.values, [data.class_names[i] for i in labels])},
    )


def quantum_kernel(
    plan: KernelStudyPlan, profile_name: str, dataset_table_: pa.Table, features_table_: pa.Table
) -> Stored:
    """Choose map, bandwidth and C on inner folds of all rows, then keep the matrix of the winner."""
    data, prepared = _inputs(plan, dataset_table_, features_table_)
    profile = plan.profiles[profile_name]
    prepared = prepared.restricted(_rows_under(profile, data))
    learner, final = _quantum_learner(plan, prepared, data, profile)
    tuned = tune(learner, data, prepared, "full", plan.protocol, budget=_budget(plan, learner))
    spec = next(s for s in plan.feature_maps if s.name == tuned.configuration["map"])
    bandwidth, c = float(tuned.configuration["bandwidth"]), float(tuned.configuration["C"])
    matrix = final.matrix(prepared.splits["full"], spec, bandwidth)
    circuit = build(spec, prepared.n_qubits)
    eigenvalues = np.linalg.eigvalsh((matrix.values + matrix.values.T) / 2)
    labels = data.labels[prepared.splits["full"].rows]
    alignment = target_alignment(matrix.values, labels)
    evidence = evidence_of(final, profile)
    return Stored(
        table=gram_table(matrix, {"configuration": canonical(tuned.configuration)}),
        contract=GRAM,
        provenance=provenance(
            plan,
            {"dataset": dataset_table_, "features": features_table_},
            profile=profile,
            circuit=circuit.fingerprint,
            qubits=circuit.n_qubits,
            configuration={"map": spec.name, "bandwidth": bandwidth, "C": c},
            estimator=profile.estimator,
            shots=profile.shots,
            seed=profile.seed,
            **evidence.provenance,
        ),
        params=study_params(plan)
        | profile_params(profile, evidence.effective)
        | {
            "map": spec.name,
            "bandwidth": bandwidth,
            "C": c,
            "circuit": circuit.fingerprint,
            "qubits": circuit.n_qubits,
        },
        metrics={
            "min_eigenvalue": float(eigenvalues[0]),
            "centred_alignment": alignment,
            "inner_score": tuned.inner_score,
            "samples": float(len(matrix.row_ids)),
            "circuit_depth": float(circuit.depth),
            "two_qubit_gates": float(circuit.two_qubit_gates),
            "circuits_needed": float(matrix.circuits_needed),
            **evidence.metrics,
        },
        figures={
            "gram": figures.gram_heatmap(matrix.values, labels, f"{plan.name}: {spec.name}, bandwidth {bandwidth:g}"),
            "spectrum": figures.spectrum({f"{profile.name}": eigenvalues}),
        },
        artifacts=circuit_artifacts(circuit) | {"profile.json": profile.model_dump_json(indent=2).encode()},
        notes={"configuration": f"{spec.name}, bandwidth {bandwidth:g}, C {c:g}", "sampling": evidence.note},
    )


def classical_kernels(plan: KernelStudyPlan, dataset_table_: pa.Table, features_table_: pa.Table) -> Stored:
    """The rivals' matrices on the same prepared columns; the RBF width is the one best aligned with the labels."""
    data, prepared = _inputs(plan, dataset_table_, features_table_)
    full = prepared.splits["full"]
    ids = tuple(data.sample_ids[row] for row in full.rows)
    labels = data.labels[full.rows]
    scale = 1.0 / max(float(full.values.var(axis=0).sum()), 1e-12)
    widths = [classical.rbf(full.values, ids, gamma=gamma * scale) for gamma in _GAMMAS]
    rbf = max(widths, key=lambda matrix: target_alignment(matrix.values, labels))
    matrices = (
        rbf,
        classical.polynomial(full.values, ids, degree=3, gamma=scale),
        classical.linear(full.values, ids),
    )
    tables = [
        gram_table(matrix, {"kernel": matrix.kernel, "configuration": canonical(matrix.parameters)})
        for matrix in matrices
    ]
    spectra = {matrix.kernel: np.linalg.eigvalsh(matrix.values) for matrix in matrices}
    return Stored(
        table=pa.concat_tables(tables),
        contract=KERNELS,
        provenance=provenance(plan, {"dataset": dataset_table_, "features": features_table_}),
        params=study_params(plan) | {"rbf_gamma": rbf.parameters["gamma"]},
        metrics={f"{m.kernel}_alignment": target_alignment(m.values, labels) for m in matrices},
        figures={
            "gram_rbf": figures.gram_heatmap(rbf.values, labels, f"{plan.name}: RBF"),
            "spectrum": figures.spectrum(spectra),
        },
    )


def diagnostics(
    plan: KernelStudyPlan,
    profile_name: str,
    dataset_table_: pa.Table,
    quantum_table: pa.Table,
    classical_table: pa.Table,
) -> Stored:
    """Judge the matrices before anyone trains on them."""
    data = dataset_from_table(dataset_table_, plan.name)
    profile = plan.profiles[profile_name]
    quantum = _quantum_matrix(quantum_table, profile)
    labels = data.labels[_rows_of(data, quantum.row_ids)]
    rivals = {name: _same_samples(classical_table, name, quantum.row_ids) for name in ("rbf", "polynomial", "linear")}
    qubits = int(provenance_of(quantum_table).get("qubits", 0)) or None
    found = diagnose(quantum, labels, rivals, n_qubits=qubits)
    for name, rival in rivals.items():
        found += diagnose(rival, labels, normalised=name == "rbf")
    columns = ("kernel", "metric", "value", "meaning")
    table = pa.table({name: [getattr(row, name) for row in found] for name in columns})
    own = {row.metric: row.value for row in found if row.kernel == QUANTUM}
    spectra = {m.kernel: np.linalg.eigvalsh((m.values + m.values.T) / 2) for m in (quantum, *rivals.values())}
    return Stored(
        table=table,
        contract=DIAGNOSTICS,
        provenance=provenance(
            plan,
            {"dataset": dataset_table_, "quantum_kernel": quantum_table, "classical_kernels": classical_table},
            profile=profile,
        ),
        params=study_params(plan) | profile_params(profile),
        metrics={name: value for name, value in own.items() if not name.startswith("eigenvalue")},
        figures={"spectrum": figures.spectrum(spectra)},
        notes={"what it means": _meanings(found)},
    )


def evaluation(
    plan: KernelStudyPlan,
    profile_name: str,
    dataset_table_: pa.Table,
    features_table_: pa.Table,
    diagnostics_table: pa.Table,
    on_progress: Callable[[str], None] | None = None,
) -> Stored:
    """Tune and score every learner on the same folds with the same budget."""
    data, prepared = _inputs(plan, dataset_table_, features_table_)
    profile = plan.profiles[profile_name]
    prepared = prepared.restricted(_rows_under(profile, data))
    quantum, final = _quantum_learner(plan, prepared, data, profile)
    learners = (quantum, without_entanglers(quantum), *_baselines(plan))

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
            {"dataset": dataset_table_, "features": features_table_, "diagnostics": diagnostics_table},
            profile=profile,
            protocol=plan.protocol.model_dump(mode="json"),
            **evidence.provenance,
        ),
        params=study_params(plan) | profile_params(profile, evidence.effective) | {"budget": scores[0].tried},
        metrics={f"score/{name}": mean for name, mean in means.items()}
        | {"cpu_seconds": sum(score.cpu_seconds for score in scores), **evidence.metrics},
        figures={"scores": figures.scores(scores, f"{plan.name}, {profile_name}: outer test scores")},
    )


def verdict(
    plan: KernelStudyPlan, profile_name: str, evaluation_table: pa.Table, diagnostics_table: pa.Table
) -> Stored:
    """Say what the scores support, and why."""
    scores = scores_from_table(evaluation_table)
    rows = diagnostics_table.to_pylist()
    answer = judge(scores, plan.protocol, {r["metric"]: r["value"] for r in rows if r["kernel"] == QUANTUM})
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
    )


def kernel_model(plan: KernelStudyPlan, profile_name: str, dataset_table_: pa.Table, quantum_table: pa.Table) -> Stored:
    """Refit the classifier on the whole matrix with the chosen penalty, as plain arrays."""
    data = dataset_from_table(dataset_table_, plan.name)
    profile = plan.profiles[profile_name]
    matrix = _quantum_matrix(quantum_table, profile)
    rows = _rows_of(data, matrix.row_ids)
    configuration = json.loads(quantum_table.column("configuration")[0].as_py())
    model = refit(matrix.values, _rows_only(data, rows), configuration)
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
            {"dataset": dataset_table_, "quantum_kernel": quantum_table},
            profile=profile,
            configuration=configuration,
        ),
        params=study_params(plan) | profile_params(profile) | dict(configuration),
        metrics={"support_vectors": float(len(model.machine.rows)), "samples": float(len(rows))},
        model=record,
    )


def _inputs(plan: KernelStudyPlan, dataset_table_: pa.Table, features_table_: pa.Table) -> tuple[Dataset, Features]:
    data = dataset_from_table(dataset_table_, plan.name)
    return data, features_from_table(features_table_, data.fingerprint)


def _rows_under(profile: ExecutionProfile, data: Dataset) -> IntArray:
    """Rows that an evaluation under this profile uses: all, or a stratified sample where the profile caps them."""
    limit = profile.guardrails.max_samples
    if limit is None or limit >= data.n_samples:
        return np.arange(data.n_samples)
    return subsample(data.labels, data.groups, limit, profile.seed, data.class_names, data.name)


def _quantum_learner(
    plan: KernelStudyPlan, prepared: Features, data: Dataset, profile: ExecutionProfile
) -> tuple[KernelLearner, QuantumGram]:
    """The quantum side under a profile; where pairs have a price, tuning asks exact kernels of the training rows."""
    final = QuantumGram(plan.name, prepared, data.sample_ids, profile)
    selection = (
        QuantumGram(plan.name, prepared, data.sample_ids, _selection_profile(profile)) if profile.pair_priced else final
    )
    learner = KernelLearner(QUANTUM, "quantum", plan.feature_maps, plan.protocol.c_grid, selection, final)
    return learner, final


def _selection_profile(profile: ExecutionProfile) -> ExecutionProfile:
    return ExecutionProfile(
        name=f"{profile.name}-selection",
        mode="ideal",
        providers=("statevector", "aer"),
        guardrails=profile.guardrails,
    )


def _baselines(plan: KernelStudyPlan) -> tuple[Learner, ...]:
    return tuple(BASELINES[name](plan.protocol.seed) for name in plan.baselines)


def _budget(plan: KernelStudyPlan, learner: KernelLearner) -> int:
    return common_budget((learner, without_entanglers(learner), *_baselines(plan)), plan.protocol.budget)


def _same_samples(classical_table: pa.Table, name: str, ids: tuple[str, ...]) -> KernelMatrix:
    """One classical matrix, cut to the samples of the quantum one and in its order."""
    known, values = gram_values(classical_table, kernel=name)
    place = {sample: row for row, sample in enumerate(known)}
    rows = [place[sample] for sample in ids]
    return KernelMatrix(values[np.ix_(rows, rows)], ids, ids, name)


def _quantum_matrix(table: pa.Table, profile: ExecutionProfile) -> KernelMatrix:
    ids, values = gram_values(table)
    return KernelMatrix(values, ids, ids, QUANTUM, symmetric=not profile.pair_priced, shots=profile.shots)


def _rows_of(data: Dataset, ids: tuple[str, ...]) -> IntArray:
    place = {sample: row for row, sample in enumerate(data.sample_ids)}
    return np.array([place[sample] for sample in ids], dtype=np.int64)


def _rows_only(data: Dataset, rows: IntArray) -> Dataset:
    """The same data set cut to some rows; class indices keep their meaning."""
    return dataclasses.replace(
        data,
        features=data.features[rows],
        labels=data.labels[rows],
        sample_ids=tuple(data.sample_ids[row] for row in rows),
        groups=None if data.groups is None else data.groups[rows],
    )


def _models(scores: Sequence[FoldScore]) -> list[str]:
    return list(dict.fromkeys(score.model for score in scores))


def _meanings(found: Any) -> str:
    rows = [f"| {r.metric} | {r.value:.4g} | {r.meaning} |" for r in found if r.kernel == QUANTUM]
    kept = [row for row in rows if not row.startswith("| eigenvalue")]
    return "\n".join(["| metric | value | meaning |", "|---|---|---|", *kept])
