"""Circuits that are measured as they are stay the workload's own, wherever the compiler leaves their qubits."""

from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.providers.compiled import compiled_sample, ideal_outcomes
from quantum_assets.providers.compiled_circuit import basis_circuit, on_every_qubit
from quantum_assets.providers.fakes import fake_backend
from quantum_assets.providers.qpy import circuit_of
from quantum_assets_tests.providers.workloads import (
    nested_circuit,
    qaoa_circuit,
    samples_workload,
    swapping_circuit,
)

ARTIFACTS = [
    qaoa_circuit(),
    qaoa_circuit(4, "xy_ring"),
    qaoa_circuit(3, layers=2),
    swapping_circuit(),
    nested_circuit(),
]
ROWS = np.array([0, 2])


@pytest.mark.parametrize("level", [0, 1, 2, 3])
@pytest.mark.parametrize("artifact", ARTIFACTS)
def test_it_is_the_workloads_circuit(artifact, level):
    workload = samples_workload(artifact, 3, artifact.n_qubits)
    transpilation, circuit = Transpilation(optimization_level=level), circuit_of(artifact)
    for compiled in (
        basis_circuit(circuit, transpilation),
        compiled_sample(circuit, fake_backend("fake_lagos"), transpilation),
    ):
        ideal, difference = ideal_outcomes(workload, ROWS, compiled, compiled.compact)
        assert difference < 1e-12
        np.testing.assert_allclose(ideal.sum(axis=1), 1.0)
        measured = compiled.measured()
        places = [measured.find_bit(i.qubits[0]).index for i in measured.data if i.operation.name == "measure"]
        assert tuple(places) == compiled.landed


def test_the_compiler_does_leave_qubits_elsewhere_and_that_is_heeded():
    workload = samples_workload(swapping_circuit(), 3, 3)
    compiled = basis_circuit(circuit_of(workload.circuit), Transpilation(optimization_level=3))
    assert compiled.landed != (0, 1, 2)
    blind = replace(compiled, landed=(0, 1, 2))
    with pytest.raises(ProviderError, match="differs from it by"):
        ideal_outcomes(workload, ROWS, blind, blind.compact)


def test_values_reach_their_parameters():
    artifact = qaoa_circuit(layers=2)
    workload = samples_workload(artifact, 2, 4)
    compiled = basis_circuit(circuit_of(artifact), Transpilation())
    row = dict(zip((p.name for p in compiled.circuit.parameters), compiled.values(workload.bindings)[1], strict=True))
    assert row == dict(zip(artifact.parameters, workload.bindings[1], strict=True))


def test_a_gate_outside_the_basis_is_named():
    circuit = circuit_of(qaoa_circuit())
    with pytest.raises(ProviderError, match=r"left \['rx', 'rz', 'rzz'\] outside the basis"):
        on_every_qubit(circuit, list(circuit.parameters), (0, 1, 2, 3), Transpilation(basis_gates=("h", "cx")))
