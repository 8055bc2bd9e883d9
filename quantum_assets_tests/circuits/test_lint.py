"""Lint names real faults and is silent on the shipped maps."""

import pytest

from quantum_assets.circuits.archive import archive
from quantum_assets.circuits.build import build
from quantum_assets.circuits.lint import lint
from quantum_assets.contracts.profile import Guardrails
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets_tests.circuits.specs import EVERY, label


@pytest.mark.parametrize("spec", EVERY, ids=label)
def test_shipped_maps_are_clean(spec):
    assert lint(build(spec, 3), Guardrails()) == ()


def test_width_and_memory():
    artifact = build(FeatureMapSpec(kind="z", reps=1), 17)
    (reason,) = lint(artifact, Guardrails(max_qubits=16))
    assert "17 qubits" in reason
    (reason,) = lint(artifact, Guardrails(max_qubits=20, max_memory_bytes=1_000_000))
    assert "2097152 bytes" in reason


def test_a_constant_circuit():
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2)
    circuit.h(0)
    (reason,) = lint(archive(circuit, "constant"), Guardrails())
    assert "no parameters" in reason
    assert len(lint(archive(QuantumCircuit(2), "empty"), Guardrails())) == 2


def test_irreversible_operations():
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter

    circuit = QuantumCircuit(1, 1)
    circuit.rx(Parameter("x"), 0)
    circuit.reset(0)
    circuit.measure(0, 0)
    (reason,) = lint(archive(circuit, "measured"), Guardrails())
    assert reason.startswith("measure and reset")
