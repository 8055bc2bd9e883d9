"""Sampled matrices: once a pair, mirrored, keyed by sample, with honest errors and labels."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.kernels.fidelity import fidelities
from quantum_assets.kernels.sampling import LABEL, binomial, sample_keys
from quantum_assets.trust.checks import NORM_TOLERANCE
from quantum_assets_tests.trust.honest import random_states

N = 90
IDS = tuple(f"s{i}" for i in range(N))
ANGLES = np.random.default_rng(0).normal(size=(N, 3))


def exact(rows: int = N) -> KernelMatrix:
    return KernelMatrix(fidelities(random_states(rows, 3).amplitudes), IDS[:rows], IDS[:rows], "fake")


def keys(stream: str = "circuit", angles: FloatArray = ANGLES) -> np.ndarray:
    return sample_keys(stream, IDS, angles)


def test_the_label_says_that_no_circuits_were_run() -> None:
    assert LABEL == "statistically exact sampling of an ideal device: no circuits were run"


def test_one_draw_a_pair_whole_counts_and_a_certain_diagonal() -> None:
    drawn = binomial(exact(), keys(), shots=100, seed=1)
    assert (drawn.values == drawn.values.T).all()
    assert (np.diag(drawn.values) == 1).all()
    np.testing.assert_allclose(drawn.values * 100, np.rint(drawn.values * 100), atol=1e-9)
    assert drawn.symmetric
    assert (drawn.shots, drawn.circuits_run, drawn.circuits_needed) == (100, 0, N * (N - 1) // 2)


def test_errors_are_of_the_size_that_they_claim() -> None:
    """Over all pairs the squared deviation in units of the true variance is 1 on average."""
    truth = exact()
    drawn = binomial(truth, keys(), shots=1000, seed=2)
    upper = np.triu_indices(N, 1)
    variance = truth.values * (1 - truth.values) / 1000
    ratio = float((((drawn.values - truth.values) ** 2)[upper] / variance[upper]).mean())
    assert abs(ratio - 1) < 4 * np.sqrt(2 / len(upper[0]))
    assert drawn.stderr is not None
    np.testing.assert_allclose(drawn.stderr, np.sqrt(drawn.values * (1 - drawn.values) / 1000))
    assert (np.diag(drawn.stderr) == 0).all()


def test_rerun_row_subset_and_permutation_agree_draw_by_draw() -> None:
    truth, key = exact(), keys()
    drawn = binomial(truth, key, shots=256, seed=3).values
    np.testing.assert_array_equal(binomial(truth, key, shots=256, seed=3).values, drawn)
    order = np.random.default_rng(5).permutation(N)
    for chosen in (order, order[:17], np.arange(60, 90)):
        ids = tuple(IDS[i] for i in chosen)
        part = KernelMatrix(truth.values[np.ix_(chosen, chosen)], ids, ids, "fake")
        again = binomial(part, key[chosen], shots=256, seed=3)
        np.testing.assert_array_equal(again.values, drawn[np.ix_(chosen, chosen)])


def test_a_rectangle_holds_the_same_draws_and_counts_distinct_pairs() -> None:
    truth, key = exact(), keys()
    drawn = binomial(truth, key, shots=256, seed=3).values
    rows, columns = np.arange(70, 90), np.arange(75)
    part = KernelMatrix(truth.values[np.ix_(rows, columns)], IDS[70:], IDS[:75], "fake")
    again = binomial(part, key[rows], key[columns], shots=256, seed=3)
    np.testing.assert_array_equal(again.values, drawn[np.ix_(rows, columns)])
    distinct = {frozenset((i, j)) for i in rows for j in columns if i != j}
    assert again.circuits_needed == len(distinct)


def test_other_circuits_angles_ids_and_seeds_draw_independently() -> None:
    truth = exact()
    drawn = binomial(truth, keys(), shots=256, seed=3).values
    others = [
        binomial(truth, keys("another circuit"), shots=256, seed=3),
        binomial(truth, keys(angles=ANGLES * 0.5), shots=256, seed=3),
        binomial(truth, sample_keys("circuit", tuple(f"t{i}" for i in range(N)), ANGLES), shots=256, seed=3),
        binomial(truth, keys(), shots=256, seed=4),
    ]
    upper = np.triu_indices(N, 1)
    for other in others:
        residuals = [(values - truth.values)[upper] for values in (drawn, other.values)]
        assert abs(np.corrcoef(residuals)[0, 1]) < 0.08


def test_doubles_of_a_sample_are_certain_but_for_rounding() -> None:
    psi = random_states(4, 3).amplitudes[[0, 1, 1, 2]]
    drawn = binomial(KernelMatrix(fidelities(psi), IDS[:4], IDS[:4], "fake"), keys()[:4], shots=1000, seed=0)
    assert drawn.values[1, 2] == 1


def test_states_as_unnormalised_as_trust_admits_can_be_sampled() -> None:
    psi = random_states(3, 2).amplitudes * (1 + NORM_TOLERANCE / 2)
    drawn = binomial(KernelMatrix(fidelities(psi), IDS[:3], IDS[:3], "fake"), keys()[:3], shots=100, seed=0)
    assert drawn.values.max() == 1


def test_what_is_not_an_exact_probability_is_refused() -> None:
    sampled = binomial(exact(), keys(), shots=10, seed=0)
    with pytest.raises(PlanError, match="not exact"):
        binomial(sampled, keys(), shots=10, seed=0)
    with pytest.raises(PlanError, match="not in"):
        binomial(KernelMatrix(np.full((2, 2), 1.5), IDS[:2], IDS[:2], "fake"), keys()[:2], shots=10, seed=0)
