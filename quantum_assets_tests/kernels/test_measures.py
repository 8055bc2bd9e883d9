"""Every measure against a case that can be worked out by hand or by another route."""

import numpy as np
import pytest

from quantum_assets.contracts.workload import FloatArray
from quantum_assets.kernels import measures
from quantum_assets.kernels.fidelity import fidelities
from quantum_assets_tests.trust.honest import random_states

LABELS = np.array([0, 0, 1, 1, 1])


def random_gram(rows: int, seed: int, width: int | None = None) -> FloatArray:
    raw = np.random.default_rng(seed).normal(size=(rows, width or 2 * rows))
    return np.asarray(raw @ raw.T)


def test_effective_ranks_of_known_spectra() -> None:
    for n in (2, 7):
        identity, ones = np.ones(n), np.append(np.zeros(n - 1), float(n))
        assert measures.entropy_rank(identity) == pytest.approx(n)
        assert measures.participation_rank(identity) == pytest.approx(n)
        assert measures.entropy_rank(ones) == pytest.approx(1)
        assert measures.participation_rank(ones) == pytest.approx(1)
    shares = np.array([0.5, 0.25, 0.25])
    assert measures.entropy_rank(8 * shares) == pytest.approx(2**1.5)
    assert measures.participation_rank(8 * shares) == pytest.approx(1 / 0.375)
    assert measures.entropy_rank(np.array([-1e-18, 1.0])) == pytest.approx(1)


def test_centring_is_the_product_with_the_centring_matrix() -> None:
    values = random_gram(5, 0)
    h = np.eye(5) - 1 / 5
    np.testing.assert_allclose(measures.centred(values), h @ values @ h, atol=1e-12)


def test_alignment_is_one_with_itself_blind_to_scale_and_shift_and_zero_for_constants() -> None:
    values = random_gram(6, 1)
    assert measures.centred_alignment(values, 3 * values + 2) == pytest.approx(1)
    assert measures.centred_alignment(values, np.ones((6, 6))) == 0


def test_target_alignment_equals_the_formula_with_signs_for_two_classes() -> None:
    values = random_gram(5, 2)
    y = np.where(LABELS == 1, 1.0, -1.0)
    h = np.eye(5) - 1 / 5
    first, second = h @ values @ h, h @ np.outer(y, y) @ h
    expected = np.trace(first @ second) / (np.linalg.norm(first) * np.linalg.norm(second))
    assert measures.target_alignment(values, LABELS) == pytest.approx(expected)
    perfect = (LABELS[:, None] == LABELS[None, :]).astype(float)
    assert measures.target_alignment(perfect, LABELS) == pytest.approx(1)


@pytest.mark.parametrize("rows", [2, 20, 60])
def test_the_geometric_difference_of_a_kernel_with_itself_is_one(rows: int) -> None:
    """Also for singular kernels (60 rows of rank 16); with the row-sum norm it would be 2 (field defect D7)."""
    values = fidelities(random_states(rows, 2).amplitudes)
    assert measures.geometric_difference(values, 5 * values, 0.0) == pytest.approx(1, abs=1e-6)
    assert measures.geometric_difference(values, values, 1e-9) == pytest.approx(1, abs=1e-6)


def test_the_geometric_difference_is_the_largest_generalised_eigenvalue() -> None:
    from scipy.linalg import eigh

    classical, quantum = random_gram(12, 3), random_gram(12, 4)
    scaled = [12 * k / np.trace(k) for k in (quantum, classical)]
    expected = np.sqrt(eigh(*scaled, eigvals_only=True)[-1])
    assert measures.geometric_difference(classical, quantum, 0.0) == pytest.approx(expected)
    assert measures.geometric_difference(quantum, classical, 0.0) != pytest.approx(expected, rel=1e-3)


def test_regularisation_lowers_the_geometric_difference() -> None:
    classical, quantum = random_gram(12, 3), random_gram(12, 4)
    sweep = [measures.geometric_difference(classical, quantum, strength) for strength in (0.0, 1e-3, 1e-1, 10.0)]
    assert sweep == sorted(sweep, reverse=True)


def test_the_regularised_form_equals_the_matrix_formula() -> None:
    from scipy.linalg import sqrtm

    classical, quantum = random_gram(8, 5), random_gram(8, 6)
    classical, quantum = 8 * classical / np.trace(classical), 8 * quantum / np.trace(quantum)
    inverse = np.linalg.inv(classical + 0.1 * np.eye(8))
    inner = sqrtm(quantum) @ sqrtm(classical) @ inverse @ inverse @ sqrtm(classical) @ sqrtm(quantum)
    expected = np.sqrt(np.linalg.norm(inner, 2))
    assert measures.geometric_difference(classical, quantum, 0.1) == pytest.approx(expected)


def test_what_stays_unlearned_is_the_worst_ridge_residual() -> None:
    from scipy.linalg import sqrtm

    classical, quantum = random_gram(8, 5), random_gram(8, 6)
    classical, quantum = 8 * classical / np.trace(classical), 8 * quantum / np.trace(quantum)
    found = measures.unlearned(classical, quantum, 0.1)
    residual = 0.1 * np.linalg.inv(classical + 0.1 * np.eye(8)) @ sqrtm(quantum)
    assert found == pytest.approx(np.linalg.norm(residual, 2))
    targets = np.random.default_rng(0).normal(size=(8, 10_000))
    targets *= np.sqrt(8) / np.linalg.norm(targets, axis=0)
    worst = np.sqrt((np.abs(residual @ targets) ** 2).mean(axis=0)).max()
    assert 0.9 * found < worst <= found
    assert measures.unlearned(classical, quantum, 1e-9) == pytest.approx(0, abs=1e-6)
    assert measures.unlearned(np.eye(8), np.eye(8), 1.0) == pytest.approx(0.5)


def test_model_complexity_equals_the_matrix_formula() -> None:
    values = random_gram(5, 7)
    scaled = 5 * values / np.trace(values)
    y = np.where(LABELS == 1, 1.0, -1.0)
    inverse = np.linalg.inv(scaled + 0.01 * np.eye(5))
    assert measures.model_complexity(values, LABELS, 0.01) == pytest.approx(y @ inverse @ scaled @ inverse @ y)
    assert measures.model_complexity(np.eye(5), LABELS, 0.0) == pytest.approx(5)


def test_random_states_concentrate_as_the_haar_moments_say() -> None:
    values = fidelities(random_states(400, 4).amplitudes)
    found = measures.concentration(values)
    mean, variance = measures.haar_moments(4)
    assert found.mean == pytest.approx(mean, rel=0.03)
    assert found.variance == pytest.approx(variance, rel=0.05)
    assert found.shot_noise is None


def test_shots_to_resolve_is_where_shot_noise_equals_the_spread() -> None:
    values = fidelities(random_states(50, 3).amplitudes)
    found = measures.concentration(values)
    entries = values[~np.eye(50, dtype=bool)]
    noise = np.sqrt((entries * (1 - entries)).mean() / found.shots_to_resolve)
    assert noise == pytest.approx(entries.std())


def test_shots_to_resolve_can_be_read_off_a_sampled_matrix() -> None:
    exact = fidelities(random_states(300, 3).amplitudes)
    sampled = np.random.default_rng(0).binomial(20, np.minimum(exact, 1)) / 20
    expected = measures.concentration(exact).shots_to_resolve
    assert measures.concentration(sampled, shots=20).shots_to_resolve == pytest.approx(expected, rel=0.03)


def test_a_sampled_constant_has_no_spread_of_its_own() -> None:
    rng = np.random.default_rng(0)
    sampled = rng.binomial(100, 0.3, size=(200, 200)) / 100
    found = measures.concentration(sampled, shots=100)
    assert np.sqrt(found.variance) / (found.shot_noise or 0) == pytest.approx(1, rel=0.03)
    assert found.shots_to_resolve > 5_000
    assert measures.concentration(np.full((4, 4), 0.3)).shots_to_resolve == np.inf


def test_a_zero_matrix_breaks_nothing() -> None:
    zeros = np.zeros((4, 4))
    assert measures.entropy_rank(np.zeros(4)) == pytest.approx(1)
    assert measures.target_alignment(zeros, LABELS[:4]) == 0
    assert measures.geometric_difference(zeros, np.eye(4), 1.0) == 0


def test_the_spectrum_is_that_of_the_symmetrised_matrix_ascending() -> None:
    values = np.array([[2.0, 1.0], [0.0, 2.0]])
    assert np.allclose(measures.spectrum(values), [1.5, 2.5])
