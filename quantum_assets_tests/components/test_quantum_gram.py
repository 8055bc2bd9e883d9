"""Planning, execution, trust and reconstruction together: the right matrix for every profile, with evidence."""

from pathlib import Path

import numpy as np
import pytest

from quantum_assets.components.quantum_gram import QuantumGram
from quantum_assets.contracts.dataset import Features, PreparedSplit
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.profile import ExecutionProfile, Guardrails, NoiseSpec
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets_tests.execution.rooms import session_in

IDEAL = ExecutionProfile(name="ideal", mode="ideal", providers=("statevector", "aer"))
SAMPLED = ExecutionProfile(
    name="sampled", mode="ideal", estimator="binomial", providers=("statevector",), shots=64, seed=1
)
NOISY = ExecutionProfile(
    name="noisy",
    mode="noisy",
    estimator="circuits",
    providers=("aer",),
    shots=64,
    seed=1,
    noise=NoiseSpec(readout=0.05),
)
ZZ = FeatureMapSpec(kind="zz", reps=1)


def _split(key: str, seed: int, rows: int = 6) -> PreparedSplit:
    values = np.random.default_rng(seed).normal(size=(rows, 2))
    return PreparedSplit(key, np.arange(rows), np.arange(rows) < rows - 2, values)


FEATURES = Features({"r0f0": _split("r0f0", 1), "r0f0/i0": _split("r0f0/i0", 2)}, 2, "d" * 64)
IDS = tuple(f"s{i}" for i in range(6))


def _gram(profile: ExecutionProfile, home: Path) -> QuantumGram:
    return QuantumGram("toy", FEATURES, IDS, profile, session_in(home))


def _reference(values: np.ndarray, spec: FeatureMapSpec) -> np.ndarray:
    """Fidelities by Qiskit alone, circuit by circuit."""
    from qiskit.circuit.library import zz_feature_map
    from qiskit.quantum_info import Statevector

    circuit = zz_feature_map(2, reps=spec.reps, entanglement="linear")
    states = [Statevector(circuit.assign_parameters(row)).data for row in values]
    return np.array([[abs(np.vdot(a, b)) ** 2 for b in states] for a in states])


def test_each_split_gets_its_own_rows_from_one_workload(tmp_path: Path) -> None:
    gram = _gram(IDEAL, tmp_path)
    for split in FEATURES.splits.values():
        assert np.allclose(gram(split, ZZ, 0.5), _reference(0.5 * split.values, ZZ), atol=1e-12)
    assert gram.evidence.workloads == 1
    assert gram.evidence.circuits_run == 0
    assert gram.evidence.crosscheck_difference is not None
    assert gram.evidence.crosscheck_difference < 1e-12


def test_maps_that_are_not_diagonal_go_to_aer(tmp_path: Path) -> None:
    gram = _gram(IDEAL, tmp_path)
    spec = FeatureMapSpec(kind="pauli", paulis=("X", "ZZ"), reps=1)
    matrix = gram.matrix(FEATURES.splits["r0f0"], spec, 0.5)
    assert gram.evidence.effective.provider == "aer"
    assert np.allclose(matrix.values, matrix.values.T)
    assert np.allclose(np.diagonal(matrix.values), 1)


def test_shot_counts_are_keyed_by_sample_and_angles(tmp_path: Path) -> None:
    first, again = _gram(SAMPLED, tmp_path), _gram(SAMPLED, tmp_path)
    split = FEATURES.splits["r0f0"]
    assert np.array_equal(first(split, ZZ, 0.5), again(split, ZZ, 0.5))
    assert not np.array_equal(first(split, ZZ, 0.5), first(split, ZZ, 0.51))
    assert np.allclose(first(split, ZZ, 0.5) * 64, np.round(first(split, ZZ, 0.5) * 64))


def test_noisy_matrices_are_circuits_both_triangles(tmp_path: Path) -> None:
    gram = _gram(NOISY, tmp_path)
    matrix = gram.matrix(FEATURES.splits["r0f0"], ZZ, 0.5)
    assert gram.evidence.circuits_run >= 36
    assert not matrix.symmetric
    assert np.diagonal(matrix.values).mean() < 1
    assert gram.evidence.effective.noise == NOISY.noise


def test_guardrails_speak_before_anything_runs(tmp_path: Path) -> None:
    narrow = IDEAL.model_copy(update={"guardrails": Guardrails(max_qubits=1)})
    gram = _gram(narrow, tmp_path)
    with pytest.raises(PlanError, match="1 qubits"):
        gram(FEATURES.splits["r0f0"], ZZ, 0.5)


def test_a_family_is_a_split_and_its_inner_folds() -> None:
    more = Features(dict(FEATURES.splits) | {"r0f1": _split("r0f1", 3), "full": _split("full", 4)}, 2, "d" * 64)
    assert list(more.family("r0f0").splits) == ["r0f0", "r0f0/i0"]
    assert list(more.family("full").splits) == ["full"]
