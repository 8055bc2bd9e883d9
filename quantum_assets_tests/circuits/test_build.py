"""Laws of every feature map: its diagonal form is its circuit, parameters are features, and bad input is refused."""

from typing import get_args

import numpy as np
import pytest

from quantum_assets.circuits import FEATURE_MAPS
from quantum_assets.circuits.archive import restore
from quantum_assets.circuits.build import build, diagonal_form
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import FeatureMapSpec, MapKind
from quantum_assets_tests.circuits.specs import DIAGONAL, EVERY, GENERAL, cases, label


def angles_for(width: int, rows: int = 3) -> np.ndarray:
    return np.random.default_rng(width).uniform(-4.0, 7.0, (rows, width))


def statevectors(spec: FeatureMapSpec, angles: np.ndarray) -> np.ndarray:
    from qiskit.quantum_info import Statevector

    circuit = restore(build(spec, angles.shape[1]))
    return np.array([Statevector(circuit.assign_parameters(row)).data for row in angles])


def by_definition(form, width: int) -> np.ndarray:
    """The states of a diagonal form written out from the contract's definition, one basis state at a time."""
    plus = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    hadamard = np.eye(1)
    for _ in range(width):
        hadamard = np.kron(hadamard, plus)
    states = []
    for row in form.phases:
        phase = [
            sum(phi for phi, term in zip(row, form.terms, strict=True) if sum(z >> q & 1 for q in term) % 2)
            for z in range(2**width)
        ]
        state = np.eye(2**width)[0].astype(complex)
        for _ in range(form.reps):
            state = np.exp(1j * np.array(phase)) * (hadamard @ state)
        states.append(state)
    return np.array(states)


@pytest.mark.parametrize(("spec", "width"), cases(DIAGONAL), ids=label)
def test_the_diagonal_form_is_the_circuit(spec, width):
    angles = angles_for(width)
    expected = statevectors(spec, angles)
    found = by_definition(diagonal_form(spec, angles), width)
    phase = np.sum(found.conj() * expected, axis=1, keepdims=True)
    np.testing.assert_allclose(np.abs(phase), 1.0, atol=1e-12)
    np.testing.assert_allclose(found * phase, expected, atol=1e-12)


@pytest.mark.parametrize(("spec", "width"), cases(GENERAL), ids=label)
def test_maps_with_x_or_y_have_no_diagonal_form(spec, width):
    assert diagonal_form(spec, angles_for(width)) is None


@pytest.mark.parametrize(("spec", "width"), cases(EVERY), ids=label)
def test_parameters_are_the_features_in_order(spec, width):
    artifact = build(spec, width)
    assert artifact.parameters == tuple(f"x[{i}]" for i in range(width))
    assert artifact.n_qubits == width
    assert artifact.name == spec.name
    if spec.entanglement == "none" or spec.kind == "z":
        assert artifact.two_qubit_gates == 0


def test_feature_order_holds_past_ten_qubits():
    assert build(FeatureMapSpec(kind="iqp"), 12).parameters == tuple(f"x[{i}]" for i in range(12))


def test_one_feature_moves_one_qubit():
    spec = FeatureMapSpec(kind="zz", reps=1, entanglement="none")
    base, moved = np.zeros((1, 3)), np.array([[0.0, 0.0, 0.4]])
    before, after = statevectors(spec, base)[0], statevectors(spec, moved)[0]
    changed = {z for z in range(8) if abs(before[z] - after[z]) > 1e-9}
    assert changed == {z for z in range(8) if z >> 2 & 1}


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_z_kernel_of_one_repetition_is_a_product_of_cosines(width):
    x = angles_for(width, rows=4)
    states = statevectors(FeatureMapSpec(kind="z", reps=1), x)
    kernel = np.abs(states.conj() @ states.T) ** 2
    closed = np.prod(np.cos(x[:, None, :] - x[None, :, :]) ** 2, axis=2)
    np.testing.assert_allclose(kernel, closed, atol=1e-12)


def test_the_ablation_of_every_family_has_no_entangling_gate():
    for spec in EVERY:
        assert build(spec.without_entanglers(), 3).two_qubit_gates == 0


def test_every_repetition_of_iqp_has_its_entanglers():
    one, three = (build(FeatureMapSpec(kind="iqp", reps=r, entanglement="full"), 4) for r in (1, 3))
    assert three.two_qubit_gates == 3 * one.two_qubit_gates == 18


def test_zz_on_one_qubit_is_the_z_map():
    zz, z = (build(FeatureMapSpec(kind=kind), 1) for kind in ("zz", "z"))
    assert zz.fingerprint == z.fingerprint


def test_bandwidths_do_not_enter_the_circuit():
    narrow, wide = (build(FeatureMapSpec(kind="zz", bandwidths=b), 3) for b in ((0.1,), (0.2, 0.5)))
    assert narrow is wide


def test_different_specs_are_different_circuits():
    seen = {}
    for spec in EVERY:
        seen.setdefault(build(spec, 4).fingerprint, []).append(spec)
    for same in seen.values():
        # Only true synonyms share a circuit: the Z map under any name, and ZZ spelled as a Pauli expansion.
        forms = [diagonal_form(spec, angles_for(4)) for spec in same]
        assert len({(f.reps, f.terms) if f else None for f in forms}) == 1
    assert len(seen) > len(EVERY) // 2


def test_the_registry_holds_every_kind_of_the_contract():
    assert set(FEATURE_MAPS) == set(get_args(MapKind))
    assert all(entry.describe for entry in FEATURE_MAPS.values())


def test_a_string_longer_than_the_register_is_refused():
    spec = FeatureMapSpec(kind="pauli", paulis=("Z", "ZZZ"))
    for attempt in (lambda: build(spec, 2), lambda: diagonal_form(spec, np.zeros((1, 2)))):
        with pytest.raises(PlanError, match="3 letters for 2 qubits") as caught:
            attempt()
        assert "paulis" in caught.value.culprit


def test_no_string_left_without_entanglement_is_refused():
    spec = FeatureMapSpec(kind="pauli", paulis=("ZZ",), entanglement="none")
    with pytest.raises(PlanError, match="leaves no string"):
        build(spec, 3)


def test_a_width_below_one_is_refused():
    with pytest.raises(PlanError, match="0 qubits"):
        build(FeatureMapSpec(kind="z"), 0)


@pytest.mark.parametrize("angles", [np.zeros(3), np.array([[np.nan]]), np.array([[np.inf, 0.0]]), np.zeros((2, 0))])
def test_angles_that_are_no_table_of_numbers_are_refused(angles):
    with pytest.raises(PlanError, match="angles"):
        diagonal_form(FeatureMapSpec(kind="z"), angles)
