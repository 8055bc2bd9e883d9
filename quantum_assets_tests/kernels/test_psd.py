"""Repair: nothing valid is touched, the nearest valid matrix is found, and test rows follow the same map."""

import dataclasses

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.kernels.fidelity import fidelities
from quantum_assets.kernels.psd import repair
from quantum_assets.kernels.sampling import binomial, sample_keys
from quantum_assets_tests.trust.honest import random_states


def gram(values: FloatArray, **fields: object) -> KernelMatrix:
    ids = tuple(str(i) for i in range(len(values)))
    return KernelMatrix(values, ids, ids, "fake", **fields)  # type: ignore[arg-type]


def product_kernel(points: FloatArray) -> FloatArray:
    """The closed form of the Z map with one repetition: Π cos²(x - x')."""
    return np.asarray(np.prod(np.cos(points[:, None, :] - points[None, :, :]) ** 2, axis=2))


def noisy_gram(rows: int = 40, shots: int = 64) -> tuple[KernelMatrix, KernelMatrix]:
    exact = gram(fidelities(random_states(rows, 2).amplitudes))
    keys = sample_keys("c", exact.row_ids, np.zeros((rows, 1)))
    return exact, binomial(exact, keys, shots=shots, seed=0)


@pytest.mark.parametrize(
    "values",
    [
        product_kernel(np.linspace(0, np.pi, 8, endpoint=False)[:, None]),
        product_kernel(np.stack(np.meshgrid(*[np.linspace(0, np.pi, 4, endpoint=False)] * 2), -1).reshape(-1, 2)),
        np.eye(6),
        np.ones((5, 5)),
        fidelities(random_states(50, 2).amplitudes),
    ],
    ids=["8 points on a circle", "4x4 grid", "identity", "ones", "rank 16 of 50"],
)
def test_a_valid_matrix_with_repeated_eigenvalues_is_not_touched(values: FloatArray) -> None:
    """Regression: a release of qiskit-machine-learning moves the first two by 0.099 and 0.20 (field defect D2)."""
    matrix = gram(values)
    repaired = repair(matrix)
    assert repaired.matrix is matrix
    assert repaired.moved == 0
    assert repaired.projector is None
    rows = values[:2] * 0.5
    assert repaired.apply(rows) is rows


def test_clipping_gives_the_nearest_valid_matrix_and_reports_the_distance() -> None:
    _, noisy = noisy_gram()
    repaired = repair(noisy)
    eigenvalues = np.linalg.eigvalsh(noisy.values)
    negative = eigenvalues[eigenvalues < 0]
    assert repaired.smallest == pytest.approx(eigenvalues[0])
    assert repaired.smallest < -0.1
    assert np.linalg.eigvalsh(repaired.matrix.values)[0] > -1e-12
    assert repaired.moved == pytest.approx(np.linalg.norm(negative))  # Higham 1988: the least possible
    assert repaired.moved == pytest.approx(np.linalg.norm(repaired.matrix.values - noisy.values))
    assert repaired.negative_mass == pytest.approx(-negative.sum() / np.abs(eigenvalues).sum())
    assert (repaired.matrix.values == repaired.matrix.values.T).all()
    assert (repaired.matrix.shots, repaired.matrix.stderr) == (noisy.shots, noisy.stderr)


def test_repair_of_shot_noise_brings_the_matrix_closer_to_the_truth() -> None:
    exact, noisy = noisy_gram()
    before = np.linalg.norm(noisy.values - exact.values)
    assert np.linalg.norm(repair(noisy).matrix.values - exact.values) < before


@pytest.mark.parametrize("method", ["clip", "flip"])
def test_test_rows_follow_the_same_map(method: str) -> None:
    _, noisy = noisy_gram()
    repaired = repair(noisy, method)  # type: ignore[arg-type]
    np.testing.assert_allclose(repaired.apply(noisy.values), repaired.matrix.values, atol=1e-12)
    assert repaired.apply(noisy.values[:3]).shape == (3, 40)


def test_a_square_block_of_test_rows_is_mapped_and_not_repaired() -> None:
    """Regression: a release of sQUlearn repairs the test-train block when it happens to be square (defect D4)."""
    _, noisy = noisy_gram()
    repaired = repair(noisy)
    block = np.random.default_rng(1).uniform(size=(40, 40))
    expected = np.stack([repaired.apply(row[None, :])[0] for row in block])
    np.testing.assert_allclose(repaired.apply(block), expected, atol=1e-13)


def test_flipping_keeps_absolute_eigenvalues() -> None:
    _, noisy = noisy_gram()
    flipped = np.linalg.eigvalsh(repair(noisy, "flip").matrix.values)
    np.testing.assert_allclose(flipped, np.sort(np.abs(np.linalg.eigvalsh(noisy.values))), atol=1e-12)


def test_repairing_twice_changes_nothing_more() -> None:
    _, noisy = noisy_gram()
    once = repair(noisy).matrix
    np.testing.assert_allclose(repair(once).matrix.values, once.values, atol=1e-13)


def test_separate_triangles_are_averaged_and_that_counts_as_moved() -> None:
    values = np.array([[0.9, 0.2], [0.4, 0.8]])
    repaired = repair(gram(values, symmetric=False))
    np.testing.assert_allclose(repaired.matrix.values, [[0.9, 0.3], [0.3, 0.8]])
    assert repaired.matrix.symmetric
    assert repaired.moved == pytest.approx(np.sqrt(2) * 0.1)


def test_a_rectangle_is_refused() -> None:
    matrix = dataclasses.replace(gram(np.eye(3)), values=np.ones((3, 2)), column_ids=("0", "1"))
    with pytest.raises(PlanError, match="no Gram matrix"):
        repair(matrix)
