"""Each limit is held with the figure that breaks it; just within it passes; all that is broken is said at once."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from quantum_assets.contracts.errors import GuardrailError, PlanError
from quantum_assets.contracts.jobs import Limits
from quantum_assets.contracts.profile import ExecutionProfile, Guardrails
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.guardrails import GATES, MID_CIRCUIT, check_guardrails, check_limits, estimate_memory
from quantum_assets_tests.trust.honest import (
    BINOMIAL,
    CIRCUITS,
    EXACT,
    NOISY,
    circuit,
    overlaps_workload,
    samples_workload,
    states_workload,
)

PAULI = FeatureMapSpec(kind="pauli", paulis=("Z", "YY", "XYZ"))


def under(profile: ExecutionProfile, **limits: Any) -> ExecutionProfile:
    return profile.model_copy(update={"guardrails": Guardrails(**limits)})


def with_circuit(workload: Workload, **changes: Any) -> Workload:
    return dataclasses.replace(workload, circuit=dataclasses.replace(workload.circuit, **changes))


def test_width() -> None:
    limits = under(EXACT, max_qubits=3)
    check_guardrails(states_workload(n_qubits=3), limits)
    with pytest.raises(PlanError, match=r"a question under profile ideal: the circuit has 4 qubits, .* allows 3"):
        check_guardrails(states_workload(n_qubits=4), limits)


def test_circuits() -> None:
    limits = under(CIRCUITS, max_circuits=9)
    check_guardrails(overlaps_workload(rows=3), limits)
    with pytest.raises(PlanError, match="16 circuits are needed, the profile allows 9"):
        check_guardrails(overlaps_workload(rows=4), limits)
    check_guardrails(states_workload(rows=40), limits)
    check_guardrails(samples_workload(rows=9), limits)
    with pytest.raises(PlanError, match="10 circuits are needed, the profile allows 9"):
        check_guardrails(samples_workload(rows=10), limits)


def test_memory() -> None:
    limits = under(EXACT, max_memory_bytes=1_000_000)
    check_guardrails(states_workload(rows=100, n_qubits=8), limits)
    with pytest.raises(PlanError, match=r"about 0\.00164 GB of memory is needed, the profile allows 0\.001"):
        check_guardrails(states_workload(rows=200, n_qubits=8), limits)


def test_a_density_matrix_costs_the_square_of_a_state() -> None:
    wide = Workload(circuit(10), np.zeros((1, 10)), "overlaps", pairs=np.array([[0, 0]]))
    assert estimate_memory(wide, CIRCUITS) == 2 * 16 * 2**10 + 24
    assert estimate_memory(wide, NOISY) == 2 * 16 * 4**10 + 24
    with pytest.raises(PlanError, match="GB of memory"):
        check_guardrails(wide, under(NOISY, max_memory_bytes=30_000_000))


def test_samples_keep_every_shot_and_one_state_at_a_time() -> None:
    wide = samples_workload(rows=7, n_qubits=10)
    assert estimate_memory(wide, CIRCUITS) == 2 * 16 * 2**10 + 7 * 2 * 100 * 2
    assert estimate_memory(wide, NOISY) == 2 * 16 * 4**10 + 7 * 2 * 100 * 2


def test_depth_and_two_qubit_gates_count_double_for_an_overlap() -> None:
    states = with_circuit(states_workload(), depth=10, two_qubit_gates=6)
    overlaps = with_circuit(overlaps_workload(), depth=10, two_qubit_gates=6)
    check_guardrails(states, under(EXACT, max_depth=10, max_two_qubit_gates=6))
    check_guardrails(overlaps, under(CIRCUITS, max_depth=20, max_two_qubit_gates=12))
    with pytest.raises(PlanError, match="the circuit has depth 10, the profile allows 9"):
        check_guardrails(states, under(EXACT, max_depth=9))
    with pytest.raises(PlanError, match="the circuit with its inverse has depth 20, the profile allows 19"):
        check_guardrails(overlaps, under(CIRCUITS, max_depth=19))
    with pytest.raises(PlanError, match="it has 6 two-qubit gates, the profile allows 5"):
        check_guardrails(states, under(EXACT, max_two_qubit_gates=5))
    with pytest.raises(PlanError, match="it has 12 two-qubit gates with its inverse, the profile allows 11"):
        check_guardrails(overlaps, under(CIRCUITS, max_two_qubit_gates=11))


@pytest.mark.parametrize(
    "name",
    [
        "if_else",
        "for_loop",
        "while_loop",
        "switch_case",
        "break_loop",
        "box",
        "initialize",
        "kraus",
        "delay",
        "oracle",
        "cx_o",
        "save_statevector",
    ],
)
def test_what_is_no_known_gate_is_refused_by_name(name: str) -> None:
    for workload, profile in ((states_workload(), EXACT), (overlaps_workload(), CIRCUITS)):
        with pytest.raises(PlanError, match=f"unsupported operations: {name}"):
            check_guardrails(with_circuit(workload, operations=("cx", name)), under(profile, allow_mid_circuit=True))


def test_gates_and_their_control_states_pass() -> None:
    check_guardrails(with_circuit(overlaps_workload(), operations=(*sorted(GATES), "cx_o0", "crx_o0")), CIRCUITS)


def test_the_known_gates_are_those_of_qiskit_on_at_most_two_qubits() -> None:
    from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping

    standard = {name: gate.num_qubits for name, gate in get_standard_gate_name_mapping().items()}
    narrow = {name for name, width in standard.items() if width <= 2} - {"delay", *MID_CIRCUIT}
    assert narrow | {"barrier"} == GATES


def test_the_shipped_feature_maps_are_made_of_known_gates() -> None:
    from quantum_assets.circuits.build import build

    for spec in (FeatureMapSpec(kind="zz"), FeatureMapSpec(kind="z"), FeatureMapSpec(kind="iqp"), PAULI):
        artifact = build(spec, 3)
        assert artifact.operations
        assert set(artifact.operations) <= GATES


@pytest.mark.parametrize("names", [("measure",), ("reset",), ("measure", "reset")])
def test_mid_circuit_measurement_only_where_allowed_and_never_in_an_overlap(names: tuple[str, ...]) -> None:
    states = with_circuit(states_workload(), operations=("cx", *names))
    overlaps = with_circuit(overlaps_workload(), operations=("cx", *names))
    told = " and ".join(names)
    check_guardrails(states, under(EXACT, allow_mid_circuit=True))
    with pytest.raises(PlanError, match=f"{told} inside the circuit, and the profile does not allow it"):
        check_guardrails(states, EXACT)
    for allowed in (True, False):
        with pytest.raises(PlanError, match=f"{told} inside the circuit cannot be inverted"):
            check_guardrails(overlaps, under(CIRCUITS, allow_mid_circuit=allowed))


def test_a_parameter_that_no_column_binds_is_found_in_the_circuits_text() -> None:
    text = 'OPENQASM 3.0;\ninclude "stdgates.inc";\ninput float[64] x0;\ninput float[64] x1;\n{}qubit[2] q;\n'
    check_guardrails(with_circuit(states_workload(), qasm3=text.format("")), EXACT)
    with pytest.raises(PlanError, match="1 of the circuit's 3 parameters would stay unbound"):
        check_guardrails(with_circuit(states_workload(), qasm3=text.format("input float[64] theta;\n")), EXACT)
    with pytest.raises(PlanError, match="parameters are listed twice: x0"):
        check_guardrails(with_circuit(states_workload(), parameters=("x0", "x0")), EXACT)


def test_the_declarations_that_qiskit_writes_are_counted() -> None:
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    from quantum_assets.circuits.archive import archive

    x = ParameterVector("x", 3)
    asked = QuantumCircuit(2)
    asked.rz(x[0] + x[1], 0)
    asked.rx(x[2], 1)
    artifact = archive(asked, "three")
    whole = Workload(artifact, np.zeros((1, 3)), "states")
    check_guardrails(whole, EXACT)
    fewer = Workload(dataclasses.replace(artifact, parameters=("x[0]", "x[1]")), np.zeros((1, 2)), "states")
    with pytest.raises(PlanError, match="1 of the circuit's 3 parameters would stay unbound"):
        check_guardrails(fewer, EXACT)


def test_everything_broken_is_said_in_one_error() -> None:
    bad = with_circuit(
        overlaps_workload(rows=4, n_qubits=15),
        depth=40,
        two_qubit_gates=30,
        operations=("cx", "oracle", "reset"),
        qasm3="input a;\n" * 16,
    )
    limits = under(
        CIRCUITS, max_qubits=1, max_depth=1, max_two_qubit_gates=1, max_circuits=1, max_memory_bytes=1_000_000
    )
    with pytest.raises(PlanError) as caught:
        check_guardrails(bad, limits)
    message = str(caught.value)
    for figure in (
        "15 qubits",
        "depth 80",
        "60 two-qubit gates",
        "oracle",
        "reset",
        "1 of",
        "16 circuits",
        "GB of memory",
    ):
        assert figure in message
    for mend in ("max_qubits", "max_depth", "max_two_qubit_gates", "max_circuits", "max_memory_bytes"):
        assert f"guardrails.{mend}" in message


def test_what_is_only_too_large_is_told_apart_from_what_is_wrong() -> None:
    small = {"max_qubits": 1, "max_depth": 1, "max_two_qubit_gates": 1, "max_circuits": 1}
    for name, limit in small.items():
        with pytest.raises(GuardrailError, match=name):
            check_guardrails(overlaps_workload(rows=4), under(CIRCUITS, **{name: limit}))
    wrong = with_circuit(overlaps_workload(rows=4), operations=("cx", "oracle"))
    for profile in (CIRCUITS, under(CIRCUITS, **small)):
        with pytest.raises(PlanError) as caught:
            check_guardrails(wrong, profile)
        assert type(caught.value) is PlanError


def test_the_providers_shots_are_held_where_circuits_are_sampled() -> None:
    limits = Limits(max_shots=100)
    check_limits(overlaps_workload(), CIRCUITS, limits)
    with pytest.raises(PlanError, match=r"a question under profile circuits: 100 shots are asked for, .* takes 99"):
        check_limits(overlaps_workload(), CIRCUITS, Limits(max_shots=99))
    check_limits(states_workload(), BINOMIAL, limits)
    check_limits(states_workload(), EXACT, limits)
    check_limits(overlaps_workload(rows=4), CIRCUITS, Limits(max_circuits=2))


def test_a_device_runs_nothing_that_was_not_meant_for_one() -> None:
    device = CIRCUITS.model_copy(update={"mode": "hardware", "reproducible": False})
    check_limits(overlaps_workload(), device, Limits(hardware=True))
    with pytest.raises(
        PlanError, match=r"a quantum device would run it, and the profile's mode is ideal.*mode: hardware"
    ):
        check_limits(overlaps_workload(), CIRCUITS, Limits(hardware=True))
