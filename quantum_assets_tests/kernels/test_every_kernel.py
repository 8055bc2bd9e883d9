"""Laws that every kernel keeps, over a list that ends with the classical rivals; then the closed forms.

A new feature map joins by being registered in `circuits.FEATURE_MAPS`, a new classical kernel by `classical.KERNELS`;
both lists are checked for completeness.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from quantum_assets.circuits import FEATURE_MAPS
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.kernels.classical import KERNELS
from quantum_assets_tests.kernels.composed import AER, CIRCUITS, DEPOLARISED, IDEAL, SAMPLED, kernel

Make = Callable[[FloatArray, tuple[str, ...]], KernelMatrix]
POINTS = np.random.default_rng(0).normal(size=(40, 3))
IDS = tuple(f"s{i}" for i in range(len(POINTS)))


@dataclass(frozen=True)
class Case:
    """One kernel and what may be expected of it."""

    name: str
    make: Make
    kind: str
    normalised: bool = True


def quantum(name: str, profile: ExecutionProfile = IDEAL, **spec: object) -> Case:
    feature_map = FeatureMapSpec.model_validate(spec)
    return Case(name, lambda values, ids: kernel(feature_map, 0.7, values, profile, ids), feature_map.kind)


def classical(name: str, normalised: bool, **parameters: float) -> Case:
    return Case(name, lambda values, ids: KERNELS[name](values, ids, **parameters), name, normalised)


CASES = [
    quantum("z", kind="z", reps=2),
    quantum("zz linear", kind="zz", reps=2, entanglement="linear"),
    quantum("zz full", kind="zz", reps=2, entanglement="full"),
    quantum("zz without entanglers", kind="zz", reps=2, entanglement="none"),
    quantum("iqp", kind="iqp", reps=2, entanglement="circular"),
    quantum("pauli", kind="pauli", reps=1, paulis=("Z", "YY"), entanglement="linear"),
    quantum("zz by aer", AER, kind="zz", reps=2),
    quantum("zz sampled", SAMPLED, kind="zz", reps=2),
    quantum("pauli sampled", SAMPLED, kind="pauli", reps=1, paulis=("X", "ZZ")),
    classical("rbf", True, gamma=0.5),
    classical("polynomial", False, gamma=0.3, degree=3, coef0=1.0),
    classical("linear", False),
]
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def test_no_kernel_of_ours_is_left_out() -> None:
    assert {case.kind for case in CASES} == {*FEATURE_MAPS, *KERNELS}


@EVERY
def test_symmetric_with_ids_and_finite(case: Case) -> None:
    matrix = case.make(POINTS, IDS)
    assert matrix.square
    assert matrix.symmetric
    assert matrix.row_ids == IDS
    np.testing.assert_array_equal(matrix.values, matrix.values.T)


@EVERY
def test_normalised_kernels_have_a_unit_diagonal_and_stay_in_the_unit_interval(case: Case) -> None:
    matrix = case.make(POINTS, IDS)
    inside = bool(np.all((matrix.values >= 0) & (matrix.values <= 1)))
    if case.normalised:
        assert inside
        np.testing.assert_allclose(np.diag(matrix.values), 1, atol=1e-12)
    else:
        assert not inside


@EVERY
def test_positive_semi_definite_within_shot_noise(case: Case) -> None:
    """Symmetric noise of variance at most 1/4S an entry has spectral norm near 2 sqrt(n) times its deviation."""
    matrix = case.make(POINTS, IDS)
    eigenvalues = np.linalg.eigvalsh(matrix.values)
    slack = 0.0 if matrix.shots is None else 1.5 * 2 * np.sqrt(len(IDS) / (4 * matrix.shots))
    assert eigenvalues[0] > -1e-12 * eigenvalues[-1] - slack
    if matrix.shots is not None:
        assert eigenvalues[0] < -1e-6  # the slack is needed: shot noise does make it indefinite


@EVERY
def test_permuting_samples_permutes_the_matrix(case: Case) -> None:
    order = np.random.default_rng(1).permutation(len(IDS))
    matrix = case.make(POINTS, IDS)
    permuted = case.make(POINTS[order], tuple(IDS[i] for i in order))
    np.testing.assert_allclose(permuted.values, matrix.values[np.ix_(order, order)], atol=1e-12)


@EVERY
def test_a_subset_of_samples_gives_the_same_entries(case: Case) -> None:
    chosen = np.array([3, 17, 8, 30])
    part = case.make(POINTS[chosen], tuple(IDS[i] for i in chosen))
    whole = case.make(POINTS, IDS).values[np.ix_(chosen, chosen)]
    np.testing.assert_allclose(part.values, whole, atol=1e-12)


@EVERY
def test_the_same_question_gives_the_same_bits(case: Case) -> None:
    first, second = case.make(POINTS, IDS), case.make(POINTS.copy(), IDS)
    assert first.values.tobytes() == second.values.tobytes()


def test_the_number_of_threads_changes_no_bit_of_the_whole_walk() -> None:
    from threadpoolctl import threadpool_limits

    values = np.random.default_rng(2).normal(size=(250, 6))
    matrices = []
    for threads in (1, 2, 3):
        with threadpool_limits(threads):
            matrices.append(kernel(FeatureMapSpec(kind="zz", entanglement="full"), 0.7, values))
    assert len({matrix.values.tobytes() for matrix in matrices}) == 1


def z_closed_form(values: FloatArray) -> FloatArray:
    return np.asarray(np.prod(np.cos(values[:, None, :] - values[None, :, :]) ** 2, axis=2))


@pytest.mark.parametrize("profile", [IDEAL, AER], ids=lambda p: p.name)
def test_the_z_map_is_a_product_of_squared_cosines(profile: ExecutionProfile) -> None:
    """Two angles x, x' a qubit, phases 2x: |(1 + exp(2i(x - x')))/2|² = cos²(x - x')."""
    matrix = kernel(FeatureMapSpec(kind="z", reps=1), 0.9, POINTS, profile)
    np.testing.assert_allclose(matrix.values, z_closed_form(0.9 * POINTS), atol=1e-13)


def test_sampled_and_measured_kernels_scatter_around_the_exact_one_as_they_claim() -> None:
    spec, points = FeatureMapSpec(kind="zz", reps=1), POINTS[:12]
    exact = kernel(spec, 0.7, points).values
    off = ~np.eye(12, dtype=bool)
    for profile in (SAMPLED, CIRCUITS):
        matrix = kernel(spec, 0.7, points, profile)
        assert profile.shots is not None
        z = (matrix.values - exact)[off] / np.sqrt(exact * (1 - exact) / profile.shots)[off]
        assert 0.6 < z.std() < 1.4
        assert np.abs(z).max() < 5
        np.testing.assert_array_equal(np.diag(matrix.values), 1)
        assert (matrix.circuits_run > 0) == (profile is CIRCUITS)


def test_measured_triangles_are_separate_estimates() -> None:
    matrix = kernel(FeatureMapSpec(kind="zz", reps=1), 0.7, POINTS[:8], CIRCUITS)
    assert not matrix.symmetric
    upper = np.triu_indices(8, 1)
    assert (matrix.values != matrix.values.T)[upper].mean() > 0.7
    assert (matrix.circuits_run, matrix.circuits_needed) == (64, 64)


def test_global_depolarising_noise_mixes_the_kernel_with_its_mean() -> None:
    """On one qubit gate noise is global: K' = (1 - l) K + l/2 with one l for all pairs, read off the diagonal."""
    points = POINTS[:8, :1]
    matrix = kernel(FeatureMapSpec(kind="z", reps=1), 0.7, points, DEPOLARISED)
    exact = z_closed_form(0.7 * points)
    shots = 20_000
    mixing = 2 * (1 - np.diag(matrix.values).mean())
    assert 0.05 < mixing < 0.5  # noise is there: the diagonal is nowhere near 1
    expected = (1 - mixing) * exact + mixing / 2
    z = (matrix.values - expected) / np.sqrt(expected * (1 - expected) / shots)
    assert np.abs(z).max() < 5
    assert z.std() < 1.4
