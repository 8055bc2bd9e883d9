"""Entanglement words mean what Qiskit means by them, and phases follow the stated convention."""

import numpy as np
import pytest

from quantum_assets.circuits.feature_map import blocks, z_phases


@pytest.mark.parametrize("entanglement", ["linear", "circular", "full"])
@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("width", [2, 3, 4, 5, 6])
def test_blocks_are_qiskits(entanglement, size, width):
    from qiskit.circuit.library import pauli_feature_map

    if size > width:
        assert blocks(entanglement, size, width) == ()
        return
    circuit = pauli_feature_map(width, reps=1, paulis=["Z" * size], entanglement=entanglement)
    parameters = list(circuit.parameters)
    used = [
        frozenset(parameters.index(p) for p in i.operation.params[0].parameters)
        for i in circuit.data
        if i.operation.name == "p"
    ]
    ours = [frozenset(block) for block in blocks(entanglement, size, width)]
    assert sorted(map(sorted, ours)) == sorted(map(sorted, used))


def test_single_qubit_terms_act_everywhere_whatever_the_entanglement():
    for entanglement in ("linear", "circular", "full", "none"):
        assert blocks(entanglement, 1, 3) == ((0,), (1,), (2,))
    assert blocks("none", 2, 3) == ()


def test_two_qubits_in_a_circle_are_one_pair():
    assert blocks("circular", 2, 2) == ((0, 1),)


def test_phases_follow_the_formula():
    angles = np.array([[0.1, 0.2, 0.7], [-1.0, 2.0, 0.5]])
    terms, phases = z_phases((1, 2), "linear", angles)
    assert terms == ((0,), (1,), (2,), (0, 1), (1, 2))
    np.testing.assert_allclose(phases[:, :3], 2 * angles)
    np.testing.assert_allclose(phases[0, 3], 2 * (np.pi - 0.1) * (np.pi - 0.2))
    np.testing.assert_allclose(phases[1, 4], 2 * (np.pi - 2.0) * (np.pi - 0.5))
