"""What is sent to Braket: the workload's circuit, both halves of it, gate by gate."""

import json
from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.providers.braket_circuits import (
    GATES,
    check_circuits,
    exact_outcomes,
    exact_zero,
    for_device,
    for_simulator,
    ideal_tile,
)
from quantum_assets_tests.providers.braket_service import GARNET, Service, garnet
from quantum_assets_tests.providers.workloads import (
    ZZ,
    nested_circuit,
    overlaps_workload,
    qaoa_circuit,
    samples_workload,
    swapping_circuit,
)

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
    overlap = for_simulator(workload, Transpilation(optimization_level=level))
    tile = check_circuits(workload, overlap, 3)
    assert tile.difference < 1e-12
    assert tile.rows.tolist() == [0, 4, 8]
    np.testing.assert_allclose(tile.ideal, 1.0)
    assert check_circuits(replace(workload, pairs=np.array([[0, 1]])), overlap, 3).difference < 1e-12


@pytest.mark.parametrize("spec", SPECS)
def test_devices_get_the_workloads_overlaps(spec):
    workload = overlaps_workload(spec, 3, 3)
    overlap = for_device(workload, Transpilation(), device())
    assert check_circuits(replace(workload, pairs=workload.pairs[:3]), overlap, 3).difference < 1e-12
    assert set(overlap.transpilation.basis_gates) == {"cz", "r"}


@pytest.mark.parametrize("spec", SPECS)
def test_nothing_cancels_on_the_diagonal(spec):
    workload = overlaps_workload(spec, 2, 3)
    for overlap in (
        for_simulator(workload, Transpilation(optimization_level=3)),
        for_device(workload, Transpilation(optimization_level=3), device()),
    ):
        same, other = overlap.circuits(workload.bindings, np.array([[1, 1], [0, 1]]))
        assert names(same) == names(other)
        assert len(same.instructions) > 20


def test_a_device_gets_one_verbatim_box_on_its_own_qubits_and_couplings():
    workload = overlaps_workload(swapping_circuit(), 2, 3)
    overlap = for_device(workload, Transpilation(optimization_level=2), device())
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
    overlap = for_simulator(workload, Transpilation())
    (circuit,) = overlap.circuits(workload.bindings, np.array([[0, 1]]))
    assert "StartVerbatimBox" not in names(circuit)
    assert "$" not in circuit.to_ir("OPENQASM").source


def test_a_wrong_circuit_is_found_before_anything_runs():
    workload = overlaps_workload(ZZ, 3, 2)
    right = for_simulator(workload, Transpilation())
    damaged = right.template.copy()
    damaged.data.pop(1)  # its first, an rz, does nothing to |0>
    wrong = replace(right, template=damaged)
    with pytest.raises(ProviderError, match="differs from it by"):
        check_circuits(workload, wrong, 4)


def test_a_converter_that_cancels_is_found():
    from braket.circuits import Circuit

    workload = overlaps_workload(ZZ, 2, 2)
    right = for_simulator(workload, Transpilation())

    def cancelling(bound):
        return Circuit().i(0).i(1).measure([0, 1])

    wrong = replace(right, translate=cancelling)
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
    tile, ideal = ideal_tile(workload, 4)
    assert tile[0] == 0
    assert tile[-1] == 8
    np.testing.assert_allclose(ideal[[0, -1]], 1.0)


ANSATZE = [qaoa_circuit(), qaoa_circuit(4, "xy_ring"), swapping_circuit()]


@pytest.mark.parametrize("level", [0, 3])
@pytest.mark.parametrize("artifact", ANSATZE)
def test_samples_are_asked_of_the_workloads_own_circuit(artifact, level):
    workload, asked = samples_workload(artifact, 3, artifact.n_qubits), Transpilation(optimization_level=level)
    for circuits in (for_simulator(workload, asked), for_device(workload, asked, device())):
        tile = check_circuits(workload, circuits, 2)
        assert tile.difference < 1e-12
        assert tile.ideal.shape == (2, 2**artifact.n_qubits)
    assert min(circuits.qubits) >= 1  # Garnet counts its qubits from 1


def test_samples_of_exchanged_qubits_are_found_before_anything_runs():
    workload = samples_workload(qaoa_circuit(), 2, 4)
    right = for_simulator(workload, Transpilation())
    with pytest.raises(ProviderError, match="differs from it by"):
        check_circuits(workload, replace(right, qubits=(1, 0, 2, 3)), 2)


def test_exact_outcomes_put_the_first_qubit_lowest_and_know_idle_ones():
    from braket.circuits import Circuit

    circuit = Circuit().add_verbatim_box(Circuit().x(4).ry(7, 0.6)).measure([4, 7, 9])
    found = exact_outcomes(circuit, (7, 9, 4))
    np.testing.assert_allclose(found, [0, 0, 0, 0, np.cos(0.3) ** 2, np.sin(0.3) ** 2, 0, 0], atol=1e-15)
