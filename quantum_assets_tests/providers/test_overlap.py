"""Compute-uncompute circuits are the workload's circuit, at every optimisation level."""

import numpy as np
import pytest

from quantum_assets.circuits.build import build
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.providers.overlap import overlap_circuit
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.tile import fidelities, qiskit_states
from quantum_assets_tests.providers.workloads import YY, ZZ, angles, nested_circuit, swapping_circuit

CIRCUITS = {"zz": build(ZZ, 3), "yy": build(YY, 3), "swapping": swapping_circuit(), "nested": nested_circuit()}
PAIRS = np.array([(0, 1), (1, 0), (2, 2), (3, 0)])


def compiled(name: str, level: int):
    circuit = circuit_of(CIRCUITS[name])
    return circuit, overlap_circuit(circuit, Transpilation(optimization_level=level))


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("name", CIRCUITS)
def test_zero_probability_is_the_fidelity(name, level):
    circuit, overlap = compiled(name, level)
    x = angles(4, 3)
    states = qiskit_states(circuit, x)
    expected = fidelities(states, states)[PAIRS[:, 0], PAIRS[:, 1]]
    found = np.abs(qiskit_states(overlap.circuit, overlap.values(x, PAIRS))[:, 0]) ** 2
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_swapping_circuit_does_make_the_compiler_rename_qubits():
    from qiskit import transpile

    half = transpile(circuit_of(CIRCUITS["swapping"]), basis_gates=["rz", "sx", "x", "cx"], optimization_level=3)
    assert half.layout.final_index_layout() != [0, 1, 2]


@pytest.mark.parametrize("level", [1, 3])
def test_equal_halves_do_not_cancel(level):
    _, overlap = compiled("zz", level)
    operations = overlap.circuit.count_ops()
    assert operations["cx"] >= 8
    assert operations["barrier"] == 1
    assert set(overlap.gates) <= {"rz", "sx", "x", "cx"}


def test_halves_are_compiled_apart():
    _, overlap = compiled("zz", 3)
    data = list(overlap.circuit.data)
    barrier = [item.operation.name for item in data].index("barrier")
    assert [vectors(data[:barrier]), vectors(data[barrier:])] == [{"a"}, {"b"}]


def vectors(instructions) -> set[str]:
    """First letters of the parameters that some instructions use."""
    values = [value for item in instructions for value in item.operation.params]
    return {p.name[0] for value in values for p in getattr(value, "parameters", ())}


def test_parameters_stay_in_order_past_ten():
    from quantum_assets.contracts.study import FeatureMapSpec

    overlap = overlap_circuit(circuit_of(build(FeatureMapSpec(kind="z", reps=1), 11)), Transpilation())
    assert overlap.columns == tuple(range(22))


def test_a_parameter_that_compiles_away_does_not_shift_the_others():
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    x = ParameterVector("x", 2)
    circuit = QuantumCircuit(1)
    circuit.rz(x[0], 0)
    circuit.rz(-x[0], 0)
    circuit.ry(x[1], 0)
    overlap = overlap_circuit(circuit, Transpilation(optimization_level=1))
    values = overlap.values(np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([(0, 1)]))
    named = dict(zip([p.name for p in overlap.circuit.parameters], values[0].tolist(), strict=True))
    full = {"a[0]": 0.1, "a[1]": 0.2, "b[0]": 0.3, "b[1]": 0.4}
    assert named.items() <= full.items()
    assert {"a[1]", "b[1]"} <= set(named)


def test_measuring_leaves_the_circuit_alone():
    _, overlap = compiled("zz", 1)
    measured = overlap.measured()
    assert [register.name for register in measured.cregs] == ["meas"]
    assert overlap.circuit.num_clbits == 0
