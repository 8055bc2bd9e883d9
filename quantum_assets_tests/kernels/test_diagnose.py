"""Diagnostics: all there, finite, in order, and each sentence follows from its number."""

import dataclasses

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.kernels.classical import linear, rbf
from quantum_assets.kernels.diagnose import Diagnostic, diagnose
from quantum_assets.kernels.fidelity import fidelities
from quantum_assets.kernels.sampling import binomial, sample_keys
from quantum_assets_tests.trust.honest import random_states

N = 30
IDS = tuple(f"s{i}" for i in range(N))
POINTS = np.random.default_rng(0).normal(size=(N, 2))
LABELS = (POINTS[:, 0] > 0).astype(np.int64)


def gram(values: FloatArray, **fields: object) -> KernelMatrix:
    return KernelMatrix(values, IDS, IDS, "fake", **fields)  # type: ignore[arg-type]


RANDOM = gram(fidelities(random_states(N, 6).amplitudes))


def table(rows: tuple[Diagnostic, ...]) -> dict[str, Diagnostic]:
    assert len({row.metric for row in rows}) == len(rows)
    return {row.metric: row for row in rows}


def test_everything_is_reported_finite_and_explained() -> None:
    rival = rbf(POINTS, IDS, gamma=0.5)
    found = diagnose(RANDOM, LABELS, {"rbf": rival}, n_qubits=6)
    assert {row.kernel for row in found} == {"fake"}
    assert all(np.isfinite(row.value) and row.meaning.endswith(".") for row in found)
    metrics = [row.metric for row in found]
    assert metrics[:2] == ["min_eigenvalue", "negative_mass"]
    assert {
        "symmetry_defect",
        "unit_diagonal_defect",
        "off_diagonal_mean",
        "off_diagonal_variance",
        "shots_to_resolve",
        "effective_rank_entropy",
        "effective_rank_participation",
        "target_alignment",
        "model_complexity_0.01",
        "geometric_difference_rbf_0.0001",
        "geometric_difference_rbf_0.01",
        "geometric_difference_rbf_1",
        "unlearned_rbf_0.01",
        "spectrum_01",
        "spectrum_10",
    } <= set(metrics)
    assert diagnose(RANDOM, LABELS, {"rbf": rival}, n_qubits=6) == found


def test_the_same_kernel_as_rival_says_stop() -> None:
    found = table(diagnose(RANDOM, LABELS, {"twin": RANDOM}, n_qubits=6))["geometric_difference_twin_0.0001"]
    assert found.value == pytest.approx(1, abs=1e-3)
    assert "stop here" in found.meaning


def test_a_difference_that_is_small_only_by_regularisation_is_not_a_reason_to_stop() -> None:
    wide, narrow = rbf(POINTS, IDS, gamma=0.05), rbf(POINTS, IDS, gamma=10.0)
    found = table(diagnose(RANDOM, LABELS, {"wide": wide, "narrow": narrow}, n_qubits=6))
    assert found["geometric_difference_wide_1"].value < 1
    assert found["unlearned_wide_1"].value > 0.3
    assert "only because wide then fits badly" in found["geometric_difference_wide_1"].meaning
    assert "room above wide" in found["geometric_difference_wide_0.01"].meaning
    smoother = table(diagnose(rbf(POINTS, IDS, gamma=1.0), LABELS, {"narrow": narrow}))
    assert 2 < smoother["geometric_difference_narrow_0.01"].value < np.sqrt(N) / 2
    assert "little room above narrow" in smoother["geometric_difference_narrow_0.01"].meaning


def test_random_states_are_told_to_lower_the_bandwidth_and_data_that_differ_are_not() -> None:
    assert "lower the bandwidth" in table(diagnose(RANDOM, LABELS, n_qubits=6))["off_diagonal_mean"].meaning
    close = rbf(POINTS, IDS, gamma=0.2)
    assert "told apart" in table(diagnose(close, LABELS, n_qubits=6))["off_diagonal_mean"].meaning


def test_shot_noise_is_named_as_the_cause_of_negative_eigenvalues_and_a_defect_is_not() -> None:
    keys = sample_keys("c", IDS, np.zeros((N, 1)))
    sampled = binomial(gram(fidelities(random_states(N, 1).amplitudes)), keys, shots=32, seed=0)
    found = table(diagnose(sampled, LABELS, n_qubits=1))
    assert found["min_eigenvalue"].value < -0.1
    assert "shot noise" in found["min_eigenvalue"].meaning
    assert found["negative_mass"].value > 0
    assert found["spread_over_shot_noise"].value > 2
    assert "above the noise" in found["spread_over_shot_noise"].meaning
    broken = np.eye(N)
    broken[0, 1] = broken[1, 0] = 1.5
    assert "look for the defect" in table(diagnose(gram(broken), LABELS))["min_eigenvalue"].meaning


def test_concentrated_kernels_drown_in_shot_noise() -> None:
    keys = sample_keys("c", IDS, np.zeros((N, 1)))
    sampled = binomial(gram(fidelities(random_states(N, 10).amplitudes)), keys, shots=128, seed=0)
    found = table(diagnose(sampled, LABELS, n_qubits=10))["spread_over_shot_noise"]
    assert found.value < 2
    assert "hardly more than by chance" in found.meaning


def test_the_identity_memorises_and_ones_see_nothing() -> None:
    memory = table(diagnose(gram(np.eye(N)), LABELS, n_qubits=6))
    assert memory["effective_rank_entropy"].value == pytest.approx(N)
    assert "memorising" in memory["effective_rank_entropy"].meaning
    assert "shots_to_resolve" not in memory  # no spread at all: infinitely many
    blind = table(diagnose(gram(np.ones((N, N))), LABELS, n_qubits=6))
    assert blind["effective_rank_entropy"].value == pytest.approx(1)
    assert "sees no structure" in blind["effective_rank_entropy"].meaning


def test_noisy_matrices_show_their_diagonal_and_triangles() -> None:
    values = 0.8 * RANDOM.values + 0.01 * np.triu(np.ones((N, N)), 1)
    found = table(diagnose(gram(values, symmetric=False, shots=100), LABELS, n_qubits=6))
    assert found["unit_diagonal_defect"].value == pytest.approx(0.2)
    assert "noise" in found["unit_diagonal_defect"].meaning
    assert found["symmetry_defect"].value == pytest.approx(0.01)
    assert "separate estimates" in found["symmetry_defect"].meaning
    assert "is not" in table(diagnose(gram(values), LABELS))["symmetry_defect"].meaning


def test_unnormalised_kernels_are_not_held_to_a_unit_diagonal() -> None:
    found = table(diagnose(linear(POINTS, IDS), LABELS, normalised=False))
    assert "unit_diagonal_defect" not in found
    assert "off_diagonal_mean" not in found
    assert found["target_alignment"].value > 0.2


def test_what_does_not_belong_together_is_refused() -> None:
    stranger = dataclasses.replace(RANDOM, row_ids=IDS[::-1], column_ids=IDS[::-1])
    rectangle = KernelMatrix(np.ones((2, 3)), IDS[:2], IDS[:3], "fake")
    with pytest.raises(PlanError, match=r"rivals of other samples: \['x'\]"):
        diagnose(RANDOM, LABELS, {"x": stranger})
    with pytest.raises(PlanError, match="29 labels"):
        diagnose(RANDOM, LABELS[1:])
    with pytest.raises(PlanError, match=r"matrix \(2, 3\)"):
        diagnose(rectangle, LABELS[:2])
