"""Circuits survive storage, and what is not the circuit named is refused."""

import io
from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.circuits.archive import MAX_QPY_BYTES, archive, drawing_png, restore
from quantum_assets.circuits.build import build
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets_tests.circuits.specs import EVERY, label, narrowest

ZZ = FeatureMapSpec(kind="zz", reps=1)


@pytest.mark.parametrize("spec", EVERY, ids=label)
def test_restoring_gives_the_same_circuit(spec):
    artifact = build(spec, max(2, narrowest(spec)))
    circuit = restore(artifact)
    again = archive(circuit, artifact.name)
    assert again.fingerprint == artifact.fingerprint
    assert (again.qasm3, again.drawing, again.depth) == (artifact.qasm3, artifact.drawing, artifact.depth)
    assert tuple(p.name for p in circuit.parameters) == artifact.parameters


def test_qpy_version_is_explicit_and_not_the_newest():
    from qiskit import qpy

    artifact = build(ZZ, 2)
    assert artifact.qpy_version == artifact.qpy[6] >= 13
    assert artifact.qpy_version < qpy.common.QPY_VERSION


def test_identity_of_an_artifact_is_its_fingerprint_and_width_alone():
    artifact = build(ZZ, 2)
    renamed = replace(artifact, name="other", qpy=b"", qasm3="", drawing="", depth=0)
    assert fingerprint(renamed) == fingerprint(artifact)


def test_sizes_are_taken_after_expanding_composite_gates():
    from qiskit import QuantumCircuit

    inner = QuantumCircuit(3)
    inner.h(0)
    inner.ccx(0, 1, 2)
    outer = QuantumCircuit(3)
    outer.append(inner.to_gate(), [0, 1, 2])
    artifact = archive(outer, "nested")
    assert artifact.two_qubit_gates == 6  # a Toffoli is six CX
    assert artifact.depth > 6
    plain = build(ZZ, 3)
    assert (plain.two_qubit_gates, plain.parameters) == (4, ("x[0]", "x[1]", "x[2]"))


def test_barriers_are_no_gates():
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.barrier(0, 1)
    assert archive(circuit, "b").two_qubit_gates == 0


def test_metadata_and_names_of_the_caller_stay_out():
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(1, name="secret", metadata={"token": "secret"})
    circuit.h(0)
    artifact = archive(circuit, "public")
    assert b"secret" not in artifact.qpy
    assert circuit.metadata == {"token": "secret"}


@pytest.mark.parametrize("length", [0, 5, 6, 7, 19, 60, 200, 700])
def test_cut_bytes_are_refused(length):
    artifact = build(ZZ, 2)
    with pytest.raises(PlanError, match="qpy") as caught:
        restore(replace(artifact, qpy=artifact.qpy[:length]))
    assert caught.value.culprit == "circuit zz-linear-r1: qpy"


def test_old_formats_foreign_bytes_and_giants_are_refused():
    artifact = build(ZZ, 2)
    old = bytearray(artifact.qpy)
    old[6] = 12
    for content in (bytes(old), b"PK\x03\x04" + artifact.qpy, artifact.qpy + b"\0" * MAX_QPY_BYTES):
        with pytest.raises(PlanError, match="version 13 or later"):
            restore(replace(artifact, qpy=content))


def test_another_circuits_bytes_are_refused():
    with pytest.raises(PlanError, match="another circuit"):
        restore(replace(build(ZZ, 2), qpy=build(FeatureMapSpec(kind="zz", reps=2), 2).qpy))


def test_the_picture_shows_the_drawing_and_is_reproducible():
    from matplotlib.image import imread

    small, large = build(ZZ, 2), build(FeatureMapSpec(kind="zz", reps=2, entanglement="full"), 10)
    picture = drawing_png(small)
    assert picture == drawing_png(small)
    pixels = imread(io.BytesIO(picture))
    assert pixels.ndim == 2  # greys
    assert 0.005 < np.mean(pixels < 0.5) < 0.5  # ink on paper
    assert pixels[:, :2].min() > 0.99  # nothing is cut at the margin
    assert len(large.drawing.splitlines()) > 90
    assert len(drawing_png(large)) < 100_000
