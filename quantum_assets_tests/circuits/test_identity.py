"""Laws of the canonical fingerprint: what may change without changing it, and what may not."""

import contextlib
import io
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.circuits.build import build
from quantum_assets.circuits.identity import circuit_fingerprint
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets_tests.circuits.specs import EVERY

SCRIPT = """
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from quantum_assets.circuits.build import build
from quantum_assets.circuits.identity import circuit_fingerprint
from quantum_assets.contracts.study import FeatureMapSpec
for kind, extra in (("zz", {}), ("iqp", {}), ("pauli", {"paulis": ("Z", "YY")})):
    print(build(FeatureMapSpec(kind=kind, entanglement="circular", **extra), 4).fingerprint)
inner = QuantumCircuit(2); t = Parameter("t"); inner.rx(t / 3, 0); inner.cx(0, 1)
outer = QuantumCircuit(3); outer.append(inner.to_gate(), [2, 0]); outer.rz(0.1, 1)
print(circuit_fingerprint(outer))
"""
PINNED = {
    "iqp": "085d3c550c562deafe8b6f2e24531d03b4e34dbde495cb40d74fc26cdc4cad03",
    "zz": "89b1e4a699ae7b98042d66aebe3a446c0b9c3d536b55af3a9e92db5bc88eb32b",
}


def circuit(n_qubits=2, n_clbits=0):
    from qiskit import QuantumCircuit

    return QuantumCircuit(n_qubits, n_clbits)


def with_angle(angle):
    c = circuit(1)
    c.rz(angle, 0)
    return circuit_fingerprint(c)


def test_equal_in_another_process_with_another_hash_seed():
    # Qiskit names circuits after a per-process counter: make some here, so that the counters differ.
    for _ in range(7):
        circuit(1)
    here = io.StringIO()
    with contextlib.redirect_stdout(here):
        exec(SCRIPT, {})
    env = dict(os.environ, PYTHONHASHSEED="12345")
    there = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True)
    assert there.stdout == here.getvalue()
    assert len(set(there.stdout.split())) == 4


def test_order_of_insertion_on_disjoint_qubits_does_not_matter():
    one, other = circuit(), circuit()
    one.h(0)
    one.h(1)
    other.h(1)
    other.h(0)
    assert circuit_fingerprint(one) == circuit_fingerprint(other)


def test_order_on_one_qubit_matters():
    one, other = circuit(1), circuit(1)
    one.h(0)
    one.x(0)
    other.x(0)
    other.h(0)
    assert circuit_fingerprint(one) != circuit_fingerprint(other)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_reordering_of_disjoint_neighbours_keeps_it(seed):
    rng = np.random.default_rng(seed)
    original = circuit(4)
    for _ in range(15):
        first, second = rng.choice(4, 2, replace=False).tolist()
        match rng.integers(3):
            case 0:
                original.cx(first, second)
            case 1:
                original.rz(float(rng.normal()), first)
            case _:
                original.h(second)
    items = list(original.data)
    for _ in range(60):
        at = int(rng.integers(len(items) - 1))
        if not set(items[at].qubits) & set(items[at + 1].qubits):
            items[at], items[at + 1] = items[at + 1], items[at]
    shuffled = original.copy_empty_like()
    for item in items:
        shuffled.append(item)
    assert circuit_fingerprint(shuffled) == circuit_fingerprint(original)


def test_names_of_registers_parameters_and_circuits_do_not_matter():
    from qiskit import QuantumCircuit, QuantumRegister
    from qiskit.circuit import Parameter, ParameterVector

    def make(register, name, parameters):
        c = QuantumCircuit(register, name=name)
        c.ry(parameters[0] * parameters[1], 0)
        c.rz(parameters[1] + 0.5, 1)
        return circuit_fingerprint(c)

    plain = make(QuantumRegister(2, "q"), "a", ParameterVector("x", 2))
    assert make(QuantumRegister(2, "left"), "b", [Parameter("u"), Parameter("v")]) == plain
    # Order is part of the identity: bound by position, these are two different questions.
    assert make(QuantumRegister(2, "q"), "a", [Parameter("v"), Parameter("u")]) != plain


def test_one_register_or_two_is_the_same_circuit():
    from qiskit import QuantumCircuit, QuantumRegister

    split = QuantumCircuit(QuantumRegister(1, "a"), QuantumRegister(1, "b"))
    split.cx(0, 1)
    joined = circuit()
    joined.cx(0, 1)
    assert circuit_fingerprint(split) == circuit_fingerprint(joined)


def test_numbers_are_exact_and_zero_has_no_sign():
    assert with_angle(np.pi / 2) != with_angle(np.pi / 2 + 1e-10)
    assert with_angle(np.pi / 2) != with_angle(np.nextafter(np.pi / 2, 2))
    assert with_angle(-0.0) == with_angle(0.0)
    assert with_angle(1) == with_angle(1.0) == with_angle(np.float64(1.0))


def test_global_phase_counts():
    plain, phased = circuit(1), circuit(1)
    phased.global_phase = np.pi
    assert circuit_fingerprint(plain) != circuit_fingerprint(phased)


def test_idle_qubits_and_qubit_order_count():
    assert circuit_fingerprint(circuit(1)) != circuit_fingerprint(circuit(2))
    one, other = circuit(), circuit()
    one.cx(0, 1)
    other.cx(1, 0)
    assert circuit_fingerprint(one) != circuit_fingerprint(other)


def test_expressions_are_compared_by_value_not_by_spelling():
    from qiskit.circuit import Parameter

    x = Parameter("x")
    assert with_angle(2 * (x + 1)) == with_angle(x + x + 2)
    assert with_angle(2 * x) != with_angle(x * x)
    assert with_angle(x + np.pi / 2) != with_angle(x + np.pi / 2 + 1e-9)


def test_binding_gives_the_identity_of_the_bound_circuit():
    from qiskit.circuit import Parameter

    x = Parameter("x")
    c = circuit(1)
    c.rz(x / 2, 0)
    assert circuit_fingerprint(c.assign_parameters([0.5])) == with_angle(0.25)


def test_custom_gates_go_by_their_definition():
    def wrapped(gate_name, angle):
        inner = circuit(2)
        inner.name = gate_name
        inner.rz(angle, 0)
        inner.cx(0, 1)
        outer = circuit(3)
        outer.append(inner.to_gate(), [2, 0])
        return circuit_fingerprint(outer)

    assert wrapped("first", 0.1) == wrapped("second", 0.1)
    assert wrapped("first", 0.1) != wrapped("first", 0.2)


def test_a_users_gate_called_h_is_not_the_hadamard():
    inner = circuit(1)
    inner.name = "h"
    inner.x(0)
    fake, real = circuit(1), circuit(1)
    fake.append(inner.to_gate(), [0])
    real.h(0)
    assert circuit_fingerprint(fake) != circuit_fingerprint(real)


def test_control_states_matrices_measurements_and_barriers_count():
    from qiskit.circuit.library import CXGate

    def one(apply):
        c = circuit(2, 1)
        apply(c)
        return circuit_fingerprint(c)

    variants = [
        lambda c: None,
        lambda c: c.append(CXGate(), [0, 1]),
        lambda c: c.append(CXGate(ctrl_state=0), [0, 1]),
        lambda c: c.unitary(np.diag([1, 1j]), 0),
        lambda c: c.unitary(np.diag([1, -1j]), 0),
        lambda c: c.measure(0, 0),
        lambda c: c.measure(1, 0),
        lambda c: c.reset(0),
        lambda c: c.barrier(),
    ]
    assert len({one(v) for v in variants}) == len(variants)


def test_gates_on_no_qubit_commute_with_everything():
    from qiskit.circuit.library import GlobalPhaseGate

    one, other = circuit(1), circuit(1)
    one.append(GlobalPhaseGate(0.1), [])
    one.h(0)
    one.append(GlobalPhaseGate(0.2), [])
    other.append(GlobalPhaseGate(0.2), [])
    other.append(GlobalPhaseGate(0.1), [])
    other.h(0)
    assert circuit_fingerprint(one) == circuit_fingerprint(other)


def test_survives_qpy(tmp_path):
    from qiskit import qpy

    from quantum_assets.circuits.archive import restore

    for spec in EVERY[::5]:
        artifact = build(spec, 4)
        path = tmp_path / "c.qpy"
        with path.open("wb") as file:
            qpy.dump(restore(artifact), file, version=15)
        with path.open("rb") as file:
            assert circuit_fingerprint(qpy.load(file)[0]) == artifact.fingerprint


def test_pinned_values():
    """The identity of shipped circuits is stored with results: changing it needs a new tag and a reason."""
    assert build(FeatureMapSpec(kind="iqp", reps=2, entanglement="full"), 3).fingerprint == PINNED["iqp"]
    assert build(FeatureMapSpec(kind="zz", reps=2, entanglement="linear"), 3).fingerprint == PINNED["zz"]


@pytest.mark.parametrize("fault", ["control flow", "opaque"])
def test_what_has_no_canonical_form_is_refused(fault):
    from qiskit.circuit import Gate

    c = circuit(1, 1)
    if fault == "opaque":
        c.append(Gate("mystery", 1, []), [0])
    else:
        with c.if_test((c.clbits[0], 1)):
            c.x(0)
    with pytest.raises(PlanError, match="no canonical identity"):
        circuit_fingerprint(c)


def test_a_foreign_parameter_in_a_definition_is_refused():
    from qiskit.circuit import Gate, Parameter

    class Hidden(Gate):
        def __init__(self):
            super().__init__("hidden", 1, [])

        def _define(self):
            inner = circuit(1)
            inner.rz(Parameter("y"), 0)
            self.definition = inner

    c = circuit(1)
    c.append(Hidden(), [0])
    with pytest.raises(PlanError, match="gate parameter y"):
        circuit_fingerprint(c)
