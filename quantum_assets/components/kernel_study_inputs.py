"""What the steps of a kernel study share: opening upstream tables, choosing rows, and setting up the learners."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from quantum_assets.components.kernel_study_plan import KernelStudyPlan
from quantum_assets.components.quantum_gram import QuantumGram
from quantum_assets.contracts.dataset import Dataset, Features
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import IntArray
from quantum_assets.datasets.sampling import subsample
from quantum_assets.datasets.tables import dataset_from_table, features_from_table
from quantum_assets.execution.session import Session
from quantum_assets.models.baselines import BASELINES
from quantum_assets.models.learners import KernelLearner, Learner, common_budget, without_entanglers
from quantum_assets.store.gram import gram_values

QUANTUM = "quantum"
"""Name of the quantum learner and of its matrix in diagnostics."""


def open_inputs(plan: KernelStudyPlan, dataset_rows: pa.Table, feature_rows: pa.Table) -> tuple[Dataset, Features]:
    """The study's rows and prepared splits, which must belong together."""
    data = dataset_from_table(dataset_rows, plan.name)
    return data, features_from_table(feature_rows, data.fingerprint)


def rows_under(profile: ExecutionProfile, data: Dataset) -> IntArray:
    """Rows that an evaluation under this profile uses: all, or a stratified sample where the profile caps them."""
    limit = profile.guardrails.max_samples
    if limit is None or limit >= data.n_samples:
        return np.arange(data.n_samples)
    return subsample(data.labels, data.groups, limit, profile.seed, data.class_names, data.name)


def quantum_learner(
    plan: KernelStudyPlan, prepared: Features, data: Dataset, profile: ExecutionProfile, session: Session
) -> tuple[KernelLearner, QuantumGram]:
    """The quantum side under a profile; where pairs have a price, tuning asks exact kernels of the training rows."""
    final = QuantumGram(plan.name, prepared, data.sample_ids, profile, session)
    selection = (
        QuantumGram(plan.name, prepared, data.sample_ids, selection_profile(profile), session)
        if profile.pair_priced
        else final
    )
    learner = KernelLearner(QUANTUM, "quantum", plan.feature_maps, plan.protocol.c_grid, selection, final)
    return learner, final


def selection_profile(profile: ExecutionProfile) -> ExecutionProfile:
    """The exact profile that stands in where configurations are chosen, and for a matrix's exact twin."""
    return ExecutionProfile(
        name=f"{profile.name}-selection",
        mode="ideal",
        providers=("statevector", "aer"),
        guardrails=profile.guardrails,
    )


def baselines_of(plan: KernelStudyPlan) -> tuple[Learner, ...]:
    """The classical learners that the study names."""
    return tuple(BASELINES[name](plan.protocol.seed) for name in plan.baselines)


def shared_budget(plan: KernelStudyPlan, learner: KernelLearner) -> int:
    """Configurations that every tuned learner of the study tries, as the evaluation will find it."""
    return common_budget((learner, without_entanglers(learner), *baselines_of(plan)), plan.protocol.budget)


def same_samples(classical_table: pa.Table, name: str, ids: tuple[str, ...]) -> KernelMatrix:
    """One classical matrix, cut to the samples of the quantum one and in its order."""
    known, values = gram_values(classical_table, kernel=name)
    rows = positions(known, ids)
    return KernelMatrix(values[np.ix_(rows, rows)], ids, ids, name)


def quantum_matrix(table: pa.Table, profile: ExecutionProfile) -> KernelMatrix:
    """The stored quantum matrix with how its entries were estimated."""
    ids, values = gram_values(table)
    return KernelMatrix(values, ids, ids, QUANTUM, symmetric=not profile.pair_priced, shots=profile.shots)


def positions(known: Sequence[str], ids: Sequence[str]) -> IntArray:
    """Where each sample id stands among the known ones."""
    place = {sample: row for row, sample in enumerate(known)}
    return np.array([place[sample] for sample in ids], dtype=np.int64)


def rows_only(data: Dataset, rows: IntArray) -> Dataset:
    """The same data set cut to some rows; class indices keep their meaning."""
    return dataclasses.replace(
        data,
        features=data.features[rows],
        labels=data.labels[rows],
        sample_ids=tuple(data.sample_ids[row] for row in rows),
        groups=None if data.groups is None else data.groups[rows],
    )


def class_of(data: Dataset, labels: IntArray) -> list[str]:
    """Class name of each label, for pictures."""
    return [data.class_names[index] for index in labels]
