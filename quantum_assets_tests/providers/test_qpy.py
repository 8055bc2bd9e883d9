"""A provider reads only what it was told to expect."""

from dataclasses import replace

import pytest

from quantum_assets.circuits.archive import archive
from quantum_assets.circuits.build import build
from quantum_assets.circuits.identity import circuit_fingerprint
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.providers.qpy import MAX_QPY_BYTES, circuit_of
from quantum_assets_tests.providers.workloads import YY, ZZ, nested_circuit


@pytest.mark.parametrize("artifact", [build(ZZ, 3), build(YY, 2), nested_circuit()], ids=["zz", "yy", "nested"])
def test_the_circuit_comes_back(artifact):
    assert circuit_fingerprint(circuit_of(artifact)) == artifact.fingerprint


@pytest.mark.parametrize("length", [0, 6, 7, 30, 400])
def test_cut_bytes_are_refused(length):
    artifact = build(ZZ, 2)
    with pytest.raises(ProviderError, match="qpy"):
        circuit_of(replace(artifact, qpy=artifact.qpy[:length]))


def test_old_foreign_or_giant_bytes_are_refused():
    artifact = build(ZZ, 2)
    old = bytearray(artifact.qpy)
    old[6] = 12
    for content in (bytes(old), b"\x80\x04" + artifact.qpy, artifact.qpy + b"\0" * MAX_QPY_BYTES):
        with pytest.raises(ProviderError, match="version 13 or later"):
            circuit_of(replace(artifact, qpy=content))


def test_another_width_or_other_parameters_are_refused():
    artifact = build(ZZ, 2)
    with pytest.raises(ProviderError, match="3 qubits"):
        circuit_of(replace(artifact, qpy=build(ZZ, 3).qpy))
    with pytest.raises(ProviderError, match="not what it says"):
        circuit_of(replace(artifact, parameters=("x[1]", "x[0]")))


def test_measured_circuits_are_refused():
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(1, 1)
    circuit.h(0)
    circuit.measure(0, 0)
    with pytest.raises(ProviderError, match="unmeasured"):
        circuit_of(archive(circuit, "measured"))
