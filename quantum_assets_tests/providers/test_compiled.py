"""Overlap circuits compiled for a backend: native, rightly joined, and still the workload's own."""

import numpy as np
import pytest

from quantum_assets.circuits.build import build
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.providers.compiled import compiled_overlap, compiled_size, ideal_overlaps
from quantum_assets.providers.fakes import fake_backend
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.tile import qiskit_states
from quantum_assets_tests.providers.workloads import (
    YY,
    ZZ,
    angles,
    nested_circuit,
    overlaps_workload,
    swapping_circuit,
)

PAIRS = np.array([(0, 1), (1, 0), (2, 2), (0, 2)])


def compiled(artifact, backend="fake_manila", level=1, seed=7):
    return compiled_overlap(
        circuit_of(artifact), fake_backend(backend), Transpilation(optimization_level=level, seed=seed)
    )


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("artifact", [build(ZZ, 4), build(YY, 3), swapping_circuit(), nested_circuit()])
def test_it_is_still_the_workloads_circuit(artifact, level):
    workload = overlaps_workload(artifact, 3, artifact.n_qubits)
    overlap = compiled(artifact, level=level)
    ideal, difference = ideal_overlaps(workload, PAIRS, overlap, overlap.compact)
    assert difference < 1e-12
    states = qiskit_states(circuit_of(artifact), workload.bindings)
    expected = [abs(np.vdot(states[b], states[a])) ** 2 for a, b in PAIRS]
    np.testing.assert_allclose(ideal, expected, atol=1e-12)


def test_a_line_that_does_not_fit_is_routed_through_other_qubits():
    artifact = build(ZZ, 6)
    workload = overlaps_workload(artifact, 3, 6)
    overlap = compiled(artifact, "fake_lagos")
    assert compiled_size(overlap.circuit)["compiled_two_qubit_gates"] > 40
    assert ideal_overlaps(workload, PAIRS, overlap, overlap.compact)[1] < 1e-12


def test_every_gate_is_one_that_the_backend_has_where_it_stands():
    backend = fake_backend("fake_lagos")
    overlap = compiled_overlap(circuit_of(build(ZZ, 5)), backend, Transpilation())
    for instruction in overlap.circuit.data:
        qubits = tuple(overlap.circuit.find_bit(q).index for q in instruction.qubits)
        if instruction.operation.name != "barrier":
            assert qubits in backend.target[instruction.operation.name]
    assert set(overlap.transpilation.basis_gates) == set(overlap.gates) <= set(backend.target.operation_names)


def test_the_halves_do_not_cancel():
    overlap = compiled(build(ZZ, 4), level=3)
    operations = overlap.circuit.count_ops()
    assert operations["cx"] == 24
    assert operations["barrier"] == 1


def test_only_the_workloads_qubits_are_measured_where_they_landed():
    overlap = compiled(swapping_circuit(), "fake_lagos", level=3)
    measured = overlap.measured()
    places = [measured.find_bit(i.qubits[0]).index for i in measured.data if i.operation.name == "measure"]
    assert tuple(places) == overlap.landed
    assert [register.name for register in measured.cregs] == ["meas"]
    assert set(overlap.landed) <= set(overlap.touched)
    assert overlap.compact.num_qubits == len(overlap.touched)
    assert overlap.circuit.num_qubits == 7
    assert not overlap.circuit.num_clbits


def test_compilation_repeats():
    one, two = (compiled(build(ZZ, 4), level=3) for _ in range(2))
    values = one.values(angles(2, 4), np.array([(0, 1)]))[0]
    assert one.circuit.assign_parameters(values) == two.circuit.assign_parameters(values)


def test_values_reach_their_parameters():
    overlap = compiled(build(ZZ, 3))
    row = overlap.values(angles(2, 3), np.array([(0, 1)]))[0]
    told = {p.name: value for p, value in zip(overlap.circuit.parameters, row, strict=True)}
    assert told == {f"{h}[{i}]": angles(2, 3)[b, i] for b, h in enumerate("ab") for i in range(3)}


def test_another_circuit_in_its_place_is_found():
    workload = overlaps_workload(ZZ, 3, 4)
    overlap = compiled(build(ZZ, 4))
    other = overlap.compact.copy()
    other.x(0)
    with pytest.raises(ProviderError, match="differs from it by"):
        ideal_overlaps(workload, PAIRS, overlap, other)


def test_a_backend_without_couplings_is_compiled_for_too():
    from qiskit.providers.fake_provider import GenericBackendV2

    backend = GenericBackendV2(3, basis_gates=["rz", "sx", "cz"], seed=1)
    overlap = compiled_overlap(circuit_of(build(ZZ, 3)), backend, Transpilation())
    assert ideal_overlaps(overlaps_workload(ZZ, 3, 3), PAIRS, overlap, overlap.compact)[1] < 1e-12
    assert "cz" in overlap.gates
