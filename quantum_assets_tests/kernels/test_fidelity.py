"""The real-arithmetic product equals |S S†|², tile by tile and at every border."""

import numpy as np
import pytest

from quantum_assets.contracts.envelope import ComplexArray
from quantum_assets.kernels.fidelity import TILE, fidelities, fidelities_between
from quantum_assets_tests.trust.honest import random_states


def states(rows: int, n_qubits: int, seed: int = 0) -> ComplexArray:
    return random_states(rows, n_qubits, seed).amplitudes


@pytest.mark.parametrize("rows", [1, 2, TILE - 1, TILE, TILE + 1, 2 * TILE + 37])
@pytest.mark.parametrize("n_qubits", [1, 3, 6])
def test_it_equals_the_complex_product(rows: int, n_qubits: int) -> None:
    psi = states(rows, n_qubits)
    expected = np.abs(psi @ psi.conj().T) ** 2
    found = fidelities(psi)
    np.testing.assert_allclose(found, expected, atol=1e-14)
    assert (found == found.T).all()
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize(("rows", "columns"), [(1, 5), (TILE + 3, 2 * TILE + 1), (7, 7)])
def test_a_rectangle_equals_the_complex_product(rows: int, columns: int) -> None:
    left, right = states(rows, 4, seed=1), states(columns, 4, seed=2)
    np.testing.assert_allclose(fidelities_between(left, right), np.abs(left.conj() @ right.T) ** 2, atol=1e-14)


def test_a_phase_of_a_state_changes_nothing() -> None:
    psi = states(5, 3)
    turned = psi * np.exp(1j * np.arange(5))[:, None]
    np.testing.assert_allclose(fidelities(turned), fidelities(psi), atol=1e-14)


def test_the_diagonal_is_computed_and_a_state_of_another_norm_shows() -> None:
    psi = states(4, 3)
    psi[2] *= 1.01
    found = fidelities(psi)
    assert found[2, 2] == pytest.approx(1.01**4, abs=1e-12)
    np.testing.assert_allclose(np.diag(found)[[0, 1, 3]], 1, atol=1e-14)


def test_rounding_above_one_is_removed_and_more_than_rounding_is_not() -> None:
    psi = np.ones((1, 1), dtype=np.complex128)
    assert fidelities(psi * (1 + 1e-13))[0, 0] == 1.0
    assert fidelities(psi * (1 + 1e-11))[0, 0] > 1.0


def test_the_number_of_threads_changes_no_bit() -> None:
    from threadpoolctl import threadpool_limits

    psi = states(450, 8)
    found, raw = set(), set()
    for threads in (1, 2, 3, 4):
        with threadpool_limits(threads):
            found.add((fidelities(psi).tobytes(), fidelities_between(psi[:250], psi).tobytes()))
            raw.add((psi.real @ psi.imag.T).tobytes())
    assert len(found) == 1
    if len(raw) == 1:
        pytest.skip("this BLAS gives the same bits on any number of threads by itself: nothing to protect from")


def test_views_and_other_layouts_give_the_same() -> None:
    psi = states(9, 4)
    np.testing.assert_array_equal(fidelities(np.asfortranarray(psi)), fidelities(psi))
    np.testing.assert_allclose(fidelities(psi[::2]), fidelities(psi)[::2, ::2], atol=1e-15)
