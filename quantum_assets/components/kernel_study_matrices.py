"""First half of a kernel study: from rows to matrices. Plain functions from a plan and tables to what is to be stored.

No Dagster here: a step can be called from a test or a notebook. Every step says what it was made from (`inputs`), and
nothing that it returns in its table depends on the clock.
"""

import pyarrow as pa

from quantum_assets.circuits.archive import drawing_png
from quantum_assets.circuits.build import build
from quantum_assets.components.execution_records import Param, circuit_artifacts, profile_params
from quantum_assets.components.kernel_study_inputs import (
    class_of,
    open_inputs,
    quantum_learner,
    rows_under,
    shared_budget,
)
from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.kernel_study_records import evidence_of, study_params
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.tables import DATASET, FEATURES, GRAM, KERNELS
from quantum_assets.datasets.loading import load
from quantum_assets.datasets.preparation import prepare
from quantum_assets.datasets.splits import splits
from quantum_assets.datasets.tables import dataset_from_table, dataset_table, features_table
from quantum_assets.datasets.validation import check_folds, check_qubits
from quantum_assets.execution.session import Session
from quantum_assets.kernels import classical
from quantum_assets.kernels.measures import spectrum, target_alignment
from quantum_assets.kernels.plan import check_size
from quantum_assets.models.grids import canonical
from quantum_assets.models.tuning import tune
from quantum_assets.orchestration import figures
from quantum_assets.orchestration.stored import Stored
from quantum_assets.store.gram import gram_table

_GAMMAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
"""RBF widths tried, relative to one over the total variance."""


def dataset(plan: KernelStudyPlan) -> Stored:
    """Load and validate the rows; what can be refused from sizes alone is refused here, before any feature exists."""
    data = load(plan.source, plan.name, plan.base, *plan.row_limit())
    check_folds(data, plan.protocol)
    check_qubits(data.features.shape[1], plan.preparation, plan.name)
    qubits = plan.preparation.qubits or data.features.shape[1]
    for profile in plan.profiles.values():
        check_size(len(rows_under(profile, data)), qubits, profile, label=f"study {plan.name}")
    facts = {"samples": data.n_samples, "features": data.features.shape[1], "classes": len(data.class_names)}
    return Stored(
        table=dataset_table(data),
        contract=DATASET,
        provenance=provenance(plan, {}, source=data.source, data_class=data.data_class, content=data.fingerprint),
        params=study_params(plan) | {"data_class": data.data_class},
        metrics={name: float(value) for name, value in facts.items()},
        notes={"source": data.source, "class names": ", ".join(data.class_names)},
    )


def features(plan: KernelStudyPlan, dataset_rows: pa.Table) -> Stored:
    """Prepare every split, each fitted on its own training rows."""
    data = dataset_from_table(dataset_rows, plan.name)
    prepared = prepare(data, splits(data, plan.protocol), plan.preparation)
    full = prepared.splits["full"]
    labels = data.labels[full.rows]
    return Stored(
        table=features_table(prepared, data),
        contract=FEATURES,
        provenance=provenance(
            plan,
            {"dataset": dataset_rows},
            preparation=plan.preparation.model_dump(mode="json"),
            qubits=prepared.n_qubits,
        ),
        params=study_params(plan),
        metrics={"qubits": float(prepared.n_qubits), "splits": float(len(prepared.splits))},
        figures={"first_two_columns": figures.features_scatter(full.values, class_of(data, labels))},
    )


def quantum_kernel(
    plan: KernelStudyPlan,
    profile_name: str,
    dataset_rows: pa.Table,
    feature_rows: pa.Table,
    jobs_table: pa.Table,
    session: Session,
) -> Stored:
    """Choose map, bandwidth and C on inner folds of all rows, then keep the matrix of the winner."""
    data, prepared = open_inputs(plan, dataset_rows, feature_rows)
    profile = plan.profiles[profile_name]
    prepared = prepared.family("full").restricted(rows_under(profile, data))
    learner, final = quantum_learner(plan, prepared, data, profile, session)
    tuned = tune(learner, data, prepared, "full", plan.protocol, budget=shared_budget(plan, learner))
    spec = next(s for s in plan.feature_maps if s.name == tuned.configuration["map"])
    bandwidth, c = float(tuned.configuration["bandwidth"]), float(tuned.configuration["C"])
    configuration: dict[str, Param] = {"map": spec.name, "bandwidth": bandwidth, "C": c}
    matrix = final.matrix(prepared.splits["full"], spec, bandwidth)
    circuit = build(spec, prepared.n_qubits)
    eigenvalues = spectrum(matrix.values)
    labels = data.labels[prepared.splits["full"].rows]
    names = class_of(data, labels)
    alignment = target_alignment(matrix.values, labels)
    evidence = evidence_of(final, profile)
    return Stored(
        table=gram_table(matrix, {"configuration": canonical(tuned.configuration)}),
        contract=GRAM,
        provenance=provenance(
            plan,
            {"dataset": dataset_rows, "features": feature_rows, "quantum_jobs": jobs_table},
            profile=profile,
            circuit=circuit.fingerprint,
            qubits=circuit.n_qubits,
            configuration=configuration,
            estimator=profile.estimator,
            shots=profile.shots,
            seed=profile.seed,
            **evidence.provenance,
        ),
        params=study_params(plan)
        | profile_params(profile, evidence.effective)
        | configuration
        | {"circuit": circuit.fingerprint, "qubits": circuit.n_qubits},
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
            "gram": figures.gram_heatmap(matrix.values, names, f"{plan.name}: {spec.name}, bandwidth {bandwidth:g}"),
            "spectrum": figures.spectrum({f"{profile.name}": eigenvalues}),
            "circuit": drawing_png(circuit),
        },
        artifacts=circuit_artifacts(circuit) | {"profile.json": profile.model_dump_json(indent=2).encode()},
        notes={"configuration": f"{spec.name}, bandwidth {bandwidth:g}, C {c:g}", **evidence.notes},
        tags=evidence.tags,
    )


def classical_kernels(plan: KernelStudyPlan, dataset_rows: pa.Table, feature_rows: pa.Table) -> Stored:
    """The rivals' matrices on the same prepared columns; the RBF width is the one best aligned with the labels."""
    data, prepared = open_inputs(plan, dataset_rows, feature_rows)
    full = prepared.splits["full"]
    ids = tuple(data.sample_ids[row] for row in full.rows)
    labels = data.labels[full.rows]
    names = class_of(data, labels)
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
    return Stored(
        table=pa.concat_tables(tables),
        contract=KERNELS,
        provenance=provenance(plan, {"dataset": dataset_rows, "features": feature_rows}),
        params=study_params(plan) | {"rbf_gamma": rbf.parameters["gamma"]},
        metrics={f"{m.kernel}_alignment": target_alignment(m.values, labels) for m in matrices},
        figures={"gram_rbf": figures.gram_heatmap(rbf.values, names, f"{plan.name}: RBF")},
    )
