"""Aer's states are Qiskit's states, for any circuit and across batches."""

import numpy as np
import pytest

from quantum_assets.circuits.build import build, diagonal_form
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.providers import diagonal
from quantum_assets.providers.aer_states import aer_states, batch_rows, expanded
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.tile import fidelities, qiskit_states
from quantum_assets_tests.circuits.specs import DIAGONAL, label, narrowest
from quantum_assets_tests.providers.workloads import YY, angles, nested_circuit, swapping_circuit


@pytest.mark.parametrize("spec", DIAGONAL[::3], ids=label)
def test_equals_the_diagonal_engine(spec):
    width = max(3, narrowest(spec))
    x = angles(4, width)
    by_aer = aer_states(circuit_of(build(spec, width)), x)
    by_engine = diagonal.states(diagonal_form(spec, x), width)
    np.testing.assert_allclose(fidelities(by_aer, by_aer), fidelities(by_engine, by_engine), atol=1e-12)
    np.testing.assert_allclose(np.abs(np.sum(by_aer.conj() * by_engine, axis=1)), 1.0, atol=1e-12)


@pytest.mark.parametrize(
    "artifact", [build(YY, 3), swapping_circuit(), nested_circuit()], ids=["yy", "swapping", "nested"]
)
def test_equals_statevector_for_any_circuit(artifact):
    circuit, x = circuit_of(artifact), angles(5, 3)
    overlap = np.sum(aer_states(circuit, x).conj() * qiskit_states(circuit, x), axis=1)
    np.testing.assert_allclose(np.abs(overlap), 1.0, atol=1e-12)


def test_batches_do_not_show():
    circuit = circuit_of(build(YY, 2))
    rows = batch_rows(2) + 3
    x = angles(rows, 2)
    found = aer_states(circuit, x)
    tail = aer_states(circuit, x[-3:])
    np.testing.assert_array_equal(found[-3:], tail)


def test_batches_bound_memory():
    assert all(batch_rows(n) * 16 * 2**n <= 64_000_000 or batch_rows(n) == 1 for n in range(1, 28))


def test_the_callers_circuit_is_left_alone():
    circuit = circuit_of(build(YY, 2))
    before = circuit.count_ops()
    aer_states(circuit, angles(1, 2))
    assert circuit.count_ops() == before


def test_an_opaque_gate_is_refused_by_name():
    from qiskit import QuantumCircuit
    from qiskit.circuit import Gate

    circuit = QuantumCircuit(1)
    circuit.append(Gate("mystery", 1, []), [0])
    with pytest.raises(ProviderError, match="mystery"):
        expanded(circuit, {"h", "cx"})
