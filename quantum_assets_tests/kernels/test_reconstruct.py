"""Admitted results become matrices: exact, sampled and measured ones, each with its own honesty."""

import dataclasses

import numpy as np
import pytest

from quantum_assets.contracts.envelope import AdmittedResult, Overlaps
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.kernels.reconstruct import cross, gram, symmetrise
from quantum_assets.trust.admit import require
from quantum_assets_tests.trust.honest import (
    BINOMIAL,
    CIRCUITS,
    EXACT,
    NOISY,
    circuit,
    envelope_for,
    overlaps_workload,
    random_states,
    samples_workload,
    states_workload,
)

IDS = tuple(f"s{i}" for i in range(30))
STATES = states_workload(rows=30, n_qubits=3)
TRUTH = np.abs(random_states(30, 3).amplitudes @ random_states(30, 3).amplitudes.conj().T) ** 2


def admitted(workload: Workload, profile: ExecutionProfile) -> AdmittedResult:
    return require(envelope_for(workload, profile), workload, profile)


def measured(profile: ExecutionProfile = NOISY) -> tuple[Workload, AdmittedResult]:
    """Three samples, nine pairs, every estimate another."""
    workload = overlaps_workload(rows=3)
    p_zero = np.array([0.80, 0.10, 0.20, 0.30, 0.81, 0.40, 0.50, 0.60, 0.82])
    return workload, require(envelope_for(workload, profile, Overlaps(p_zero, 100)), workload, profile)


def test_samples_are_no_kernel() -> None:
    workload = samples_workload(rows=3)
    every = np.arange(3)
    with pytest.raises(PlanError, match="answered with samples, and a kernel is made of states or overlaps"):
        gram(admitted(workload, CIRCUITS), workload, CIRCUITS, IDS[:3])
    with pytest.raises(PlanError, match="answered with samples"):
        cross(admitted(workload, CIRCUITS), workload, CIRCUITS, IDS[:3], rows=every, columns=every)


def test_states_become_an_exact_symmetric_matrix() -> None:
    matrix = gram(admitted(STATES, EXACT), STATES, EXACT, IDS, {"bandwidth": 0.5})
    np.testing.assert_allclose(matrix.values, TRUTH, atol=1e-14)
    assert (matrix.row_ids, matrix.column_ids, matrix.kernel) == (IDS, IDS, "fake-map")
    assert matrix.parameters == {"bandwidth": 0.5}
    assert matrix.symmetric
    assert (matrix.stderr, matrix.shots) == (None, None)
    assert (matrix.circuits_run, matrix.circuits_needed) == (0, 435)


def test_a_binomial_profile_draws_on_top_of_the_states() -> None:
    exact = gram(admitted(STATES, EXACT), STATES, EXACT, IDS)
    matrix = gram(admitted(STATES, BINOMIAL), STATES, BINOMIAL, IDS)
    assert matrix.shots == 1024
    assert matrix.stderr is not None
    off = ~np.eye(30, dtype=bool)
    deviations = (matrix.values - exact.values)[off] / np.sqrt(exact.values * (1 - exact.values) / 1024)[off]
    assert 0.7 < deviations.std() < 1.3
    again = gram(admitted(STATES, BINOMIAL), STATES, BINOMIAL, IDS)
    np.testing.assert_array_equal(again.values, matrix.values)
    reseeded = BINOMIAL.model_copy(update={"seed": 6})
    assert (gram(admitted(STATES, reseeded), STATES, reseeded, IDS).values != matrix.values).any()


@pytest.mark.parametrize("profile", [EXACT, BINOMIAL], ids=lambda p: p.name)
def test_a_rectangle_is_a_part_of_the_square(profile: ExecutionProfile) -> None:
    square = gram(admitted(STATES, profile), STATES, profile, IDS)
    rows, columns = np.array([29, 3, 7]), np.arange(10)
    part = cross(admitted(STATES, profile), STATES, profile, IDS, rows=rows, columns=columns)
    np.testing.assert_allclose(part.values, square.values[np.ix_(rows, columns)], atol=1e-14)
    assert part.row_ids == ("s29", "s3", "s7")
    assert part.column_ids == IDS[:10]
    assert part.shots == profile.shots


def test_overlaps_are_laid_in_place_as_measured() -> None:
    workload, result = measured()
    matrix = gram(result, workload, NOISY, IDS[:3])
    np.testing.assert_array_equal(matrix.values, [[0.80, 0.10, 0.20], [0.30, 0.81, 0.40], [0.50, 0.60, 0.82]])
    assert not matrix.symmetric
    assert matrix.stderr is not None
    np.testing.assert_allclose(matrix.stderr, np.sqrt(matrix.values * (1 - matrix.values) / 100))
    assert (matrix.shots, matrix.circuits_run) == (100, 9)


def test_a_rectangle_of_pairs_and_a_missing_pair() -> None:
    bindings = np.zeros((4, 2))
    workload = Workload(circuit(), bindings, "overlaps", pairs=np.array([[3, 0], [3, 1], [2, 0], [2, 1]]), label="part")
    data = Overlaps(np.array([0.31, 0.32, 0.21, 0.22]), 100)
    result = require(envelope_for(workload, CIRCUITS, data), workload, CIRCUITS)
    part = cross(result, workload, CIRCUITS, IDS[:4], rows=np.array([2, 3]), columns=np.array([0, 1]))
    np.testing.assert_array_equal(part.values, [[0.21, 0.22], [0.31, 0.32]])
    with pytest.raises(PlanError, match="part: 12 of 16 pairs were not in the workload"):
        gram(result, workload, CIRCUITS, IDS[:4])


def test_averaging_the_triangles_is_declared_and_shrinks_the_error() -> None:
    workload, result = measured()
    raw = gram(result, workload, NOISY, IDS[:3])
    matrix = symmetrise(raw)
    np.testing.assert_allclose(matrix.values, [[0.80, 0.20, 0.35], [0.20, 0.81, 0.50], [0.35, 0.50, 0.82]])
    assert matrix.symmetric
    assert matrix.stderr is not None
    assert raw.stderr is not None
    assert matrix.stderr[0, 1] == pytest.approx(np.hypot(raw.stderr[0, 1], raw.stderr[1, 0]) / 2)
    assert matrix.stderr[1, 1] == raw.stderr[1, 1]
    assert symmetrise(matrix) is matrix
    with pytest.raises(PlanError, match="rows and columns differ"):
        symmetrise(KernelMatrix(np.ones((1, 2)), ("a",), ("a", "b"), "fake"))


def test_rounding_outside_the_unit_interval_is_clipped_and_no_more() -> None:
    workload = overlaps_workload(rows=1)
    for value, expected in ((1 + 1e-13, 1.0), (1 + 1e-10, 1 + 1e-10)):
        profile = EXACT
        envelope = dataclasses.replace(
            envelope_for(workload, profile, Overlaps(np.array([value]), None)), crosscheck_difference=0.0
        )
        assert gram(require(envelope, workload, profile), workload, profile, IDS[:1]).values[0, 0] == expected


def test_only_admitted_results_that_answer_this_question_have_meaning() -> None:
    envelope = envelope_for(STATES, EXACT)
    with pytest.raises(PlanError, match="a ResultEnvelope was given"):
        gram(envelope, STATES, EXACT, IDS)  # type: ignore[arg-type]
    with pytest.raises(PlanError, match="another workload"):
        gram(admitted(STATES, EXACT), states_workload(rows=29, n_qubits=3), EXACT, IDS[:29])
    for ids in (IDS[:29], ("s0",) * 30):
        with pytest.raises(PlanError, match="distinct ids for 30 bindings"):
            gram(admitted(STATES, EXACT), STATES, EXACT, ids)
