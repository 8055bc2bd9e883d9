"""The tile is spread over the answer, and the difference sees what it should."""

import numpy as np
import pytest

from quantum_assets.circuits.build import build
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.tile import fidelities, qiskit_states, spread, states_difference
from quantum_assets_tests.providers.workloads import YY, angles


@pytest.mark.parametrize(("count", "wanted", "rows"), [(1, 4, [0]), (3, 4, [0, 1, 2]), (10, 4, [0, 3, 6, 9])])
def test_rows_are_spread(count, wanted, rows):
    assert spread(count, wanted).tolist() == rows


def reference():
    return qiskit_states(circuit_of(build(YY, 3)), angles(4, 3))


def test_global_phases_do_not_matter():
    states = reference()
    turned = states * np.exp(1j * np.arange(4))[:, None]
    assert states_difference(turned, states) < 1e-12


def test_one_wrong_row_shows():
    states = reference()
    wrong = states.copy()
    wrong[2] = states[3]
    assert states_difference(wrong, states) > 0.01


def test_states_that_are_wrong_together_show_although_their_kernel_is_right():
    states = reference()
    reordered = states.reshape(4, 2, 2, 2).transpose(0, 3, 2, 1).reshape(4, 8)  # big-endian instead of little-endian
    np.testing.assert_allclose(fidelities(reordered, reordered), fidelities(states, states), atol=1e-12)
    assert states_difference(reordered, states) > 0.01


def test_fidelities_by_hand():
    zero, plus = np.array([[1.0, 0.0]]), np.array([[1.0, 1.0j]]) / np.sqrt(2)
    assert fidelities(zero + 0j, plus)[0, 0] == pytest.approx(0.5)
