"""What is sent to Braket: the workload's circuit, both halves of it, gate by gate."""

import json

import numpy as np
import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.providers.braket_circuits import (
    GATES,
    BraketOverlap,
    check_circuit,
    device_overlap,
    exact_zero,
    ideal_tile,
    simulator_overlap,
)
from quantum_assets.providers.qpy import circuit_of
from quantum_assets_tests.providers.braket_service import GARNET, Service, garnet
from quantum_assets_tests.providers.workloads import ZZ, nested_circuit, overlaps_workload, swapping_circuit

SPECS = [ZZ, swapping_circuit(), nested_circuit()]


def names(circuit) -> list[str]:
    return [instruction.operator.name for instruction in circuit.instructions]


def device(capabilities: str | None = None):
    from braket.aws import AwsDevice

    return AwsDevice(GARNET, aws_session=Service({GARNET: capabilities or garnet()}).session("eu-north-1"))


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("spec", SPECS)
def test_simulators_get_the_workloads_overlaps(spec, level):
    workload = overlaps_workload(spec, 3, 3)
    overlap = simulator_overlap(circuit_of(workload.circuit), Transpilation(optimization_level=level))
    tile, ideal, difference = check_circuit(workload, workload.pairs, overlap, 3)
    assert difference < 1e-12
    assert tile.tolist() == [0, 4, 8]
    np.testing.assert_allclose(ideal, 1.0)
    assert check_circuit(workload, np.array([[0, 1]]), overlap, 3)[2] < 1e-12


@pytest.mark.parametrize("spec", SPECS)
def test_devices_get_the_workloads_overlaps(spec):
    workload = overlaps_workload(spec, 3, 3)
    overlap = device_overlap(circuit_of(workload.circuit), Transpilation(), device())
    _, _, difference = check_circuit(workload, workload.pairs[:3], overlap, 3)
    assert difference < 1e-12
    assert set(overlap.transpilation.basis_gates) == {"cz", "r"}


@pytest.mark.parametrize("spec", SPECS)
def test_nothing_cancels_on_the_diagonal(spec):
    workload = overlaps_workload(spec, 2, 3)
    for overlap in (
        simulator_overlap(circuit_of(workload.circuit), Transpilation(optimization_level=3)),
        device_overlap(circuit_of(workload.circuit), Transpilation(optimization_level=3), device()),
    ):
        same, other = overlap.circuits(workload.bindings, np.array([[1, 1], [0, 1]]))
        assert names(same) == names(other)
        assert len(same.instructions) > 20


def test_a_device_gets_one_verbatim_box_on_its_own_qubits_and_couplings():
    workload = overlaps_workload(swapping_circuit(), 2, 3)
    overlap = device_overlap(circuit_of(workload.circuit), Transpilation(optimization_level=2), device())
    (circuit,) = overlap.circuits(workload.bindings, np.array([[0, 1]]))
    words = names(circuit)
    assert words[0] == "StartVerbatimBox"
    assert words[words.index("EndVerbatimBox") + 1 :] == ["Measure"] * 3
    coupled = {
        (int(a), int(b))
        for a, many in json.loads(garnet())["paradigm"]["connectivity"]["connectivityGraph"].items()
        for b in many
    }
    used = {tuple(int(q) for q in i.target) for i in circuit.instructions if i.operator.name == "CZ"}
    assert used
    assert used <= coupled
    source = circuit.to_ir("OPENQASM").source
    assert "#pragma braket verbatim" in source
    assert "$1" in source


def test_a_simulator_gets_no_box_and_no_physical_qubits():
    workload = overlaps_workload(ZZ, 2, 2)
    overlap = simulator_overlap(circuit_of(workload.circuit), Transpilation())
    (circuit,) = overlap.circuits(workload.bindings, np.array([[0, 1]]))
    assert "StartVerbatimBox" not in names(circuit)
    assert "$" not in circuit.to_ir("OPENQASM").source


def test_a_wrong_circuit_is_found_before_anything_runs():
    workload = overlaps_workload(ZZ, 3, 2)
    right = simulator_overlap(circuit_of(workload.circuit), Transpilation())
    damaged = right.template.copy()
    damaged.data.pop(1)  # its first, an rz, does nothing to |0>
    wrong = BraketOverlap(right.overlap, damaged, right.translate, right.transpilation)
    with pytest.raises(ProviderError, match="differs from it by"):
        check_circuit(workload, workload.pairs, wrong, 4)


def test_a_converter_that_cancels_is_found():
    from braket.circuits import Circuit

    workload = overlaps_workload(ZZ, 2, 2)
    right = simulator_overlap(circuit_of(workload.circuit), Transpilation())

    def cancelling(bound):
        return Circuit().i(0).i(1).measure([0, 1])

    wrong = BraketOverlap(right.overlap, right.template, cancelling, right.transpilation)
    with pytest.raises(ProviderError, match="left 4 of"):
        next(wrong.circuits(workload.bindings, workload.pairs))


def test_every_gate_that_is_allowed_is_one_operation_of_the_sdks_simulators():
    from braket.devices import LocalSimulator
    from qiskit import QuantumCircuit
    from qiskit.circuit.library import get_standard_gate_name_mapping
    from qiskit.quantum_info import Operator
    from qiskit_braket_provider import to_braket
    from qiskit_braket_provider.providers.adapter import local_simulator_to_target

    for simulator in ("braket_sv", "braket_dm"):
        assert set(local_simulator_to_target(LocalSimulator(simulator)).operation_names) >= GATES
    known = get_standard_gate_name_mapping()
    for name in sorted(GATES):
        gate = known[name]
        circuit = QuantumCircuit(2)
        circuit.append(gate.base_class(*[0.3 + 0.2 * k for k in range(len(gate.params))]), range(gate.num_qubits))
        if gate.num_qubits == 1:
            circuit.id(1)
        converted = to_braket(circuit, basis_gates={name, "id"})
        ours = Operator(circuit.reverse_bits()).data
        theirs = converted.to_unitary()
        overlap = abs(np.trace(ours.conj().T @ theirs)) / 4  # a global phase may differ
        assert overlap == pytest.approx(1.0), name


def test_exact_zero_leaves_measurements_and_boxes_out():
    from braket.circuits import Circuit

    circuit = Circuit().add_verbatim_box(Circuit().ry(4, 0.6).cnot(4, 7)).measure([4, 7])
    assert exact_zero(circuit) == pytest.approx(np.cos(0.3) ** 2)


def test_the_tile_is_by_the_workloads_own_circuit():
    workload = overlaps_workload(ZZ, 3, 2)
    tile, ideal = ideal_tile(workload, workload.pairs, 4)
    assert tile[0] == 0
    assert tile[-1] == 8
    np.testing.assert_allclose(ideal[[0, -1]], 1.0)
