"""The circuit of every ansatz prepares the engine's state, before and after compilation."""

from itertools import product

import numpy as np
import pytest

from quantum_assets.circuits.archive import restore
from quantum_assets.circuits.qaoa import amplitudes, ansatz, ansatz_circuit, binding, dicke
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.contracts.qaoa import AngleTable, AnsatzSpec
from quantum_assets.qaoa.diagonal import states_with
from quantum_assets.qaoa.engine import prepare


def polynomial(n: int, order: int, seed: int = 0) -> Ising:
    """Random terms of every size up to `order`, an offset, and no symmetry."""
    generator = np.random.default_rng(seed)
    terms: set[tuple[int, ...]] = set()
    for size in range(1, min(n, order) + 1):
        for _ in range(4):
            terms.add(tuple(sorted(generator.choice(n, size, replace=False).tolist())))
    return Ising(n, tuple(sorted(terms)), generator.normal(size=len(terms)), 0.75)


def table(layers: int, seed: int = 1) -> AngleTable:
    return AngleTable.of(np.random.default_rng(seed).uniform(-2, 2, 2 * layers), "Random angles of a test.")


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Largest difference of amplitudes after the best common phase."""
    overlap = np.vdot(other, one)
    return float(np.abs(one - other * overlap / abs(overlap)).max())


def specs(n: int, layers: int) -> list[AnsatzSpec]:
    chances = np.random.default_rng(n).uniform(size=n).tolist()
    found = [AnsatzSpec(layers=layers), AnsatzSpec(layers=layers, probabilities=chances, epsilon=0.1)]
    for ones in sorted({1, n // 2, n - 1}):
        found += [AnsatzSpec(mixer=mixer, layers=layers, cardinality=ones) for mixer in ("xy_ring", "xy_complete")]
    return found


@pytest.mark.parametrize(("n", "layers", "order"), [(2, 1, 2), (3, 3, 3), (5, 2, 4), (8, 3, 4)])
def test_circuit_and_engine_prepare_one_state(n: int, layers: int, order: int) -> None:
    from qiskit import transpile
    from qiskit.quantum_info import Statevector

    ising, angles = polynomial(n, order), table(layers)
    for spec in specs(n, layers):
        artifact = ansatz(ising, spec)
        exact = prepare(ising, spec).state(angles.vector)
        assert distance(amplitudes(artifact, angles), exact) < 1e-10, spec
        bound = restore(artifact).assign_parameters(binding(artifact, angles)[0])
        compiled = transpile(bound, basis_gates=["rz", "sx", "x", "cx"], optimization_level=1, seed_transpiler=7)
        assert distance(Statevector(compiled).data, exact) < 1e-10, spec


def test_with_mixer_x_not_even_the_global_phase_differs() -> None:
    ising, angles = polynomial(6, 4), table(2)
    for spec in (AnsatzSpec(layers=2), AnsatzSpec(layers=2, probabilities=[0.3] * 6)):
        exact = prepare(ising, spec).state(angles.vector)
        assert np.abs(amplitudes(ansatz(ising, spec), angles) - exact).max() < 1e-10


def test_a_warm_start_of_even_chances_is_the_plain_ansatz() -> None:
    ising, angles = polynomial(5, 3), table(2)
    plain = amplitudes(ansatz(ising, AnsatzSpec(layers=2)), angles)
    warm = amplitudes(ansatz(ising, AnsatzSpec(layers=2, probabilities=[0.5] * 5)), angles)
    assert distance(warm, plain) < 1e-10


@pytest.mark.parametrize(("n", "ones"), [(n, ones) for n, ones in product(range(1, 8), range(8)) if ones <= n])
def test_the_dicke_state_is_even_over_its_states_and_nothing_else(n: int, ones: int) -> None:
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import Statevector

    circuit = QuantumCircuit(n)
    dicke(circuit, ones)
    wanted = np.zeros(1 << n)
    states = states_with(n, ones)
    wanted[states] = len(states) ** -0.5
    np.testing.assert_allclose(Statevector(circuit).data, wanted, atol=1e-12)
    assert all(len(instruction.qubits) <= 2 for instruction in circuit.data)


def test_no_exponential_of_a_sum_hides_in_the_circuit() -> None:
    for spec in specs(4, 2):
        names = set(ansatz_circuit(polynomial(4, 4), spec).count_ops())
        assert names <= {"h", "x", "cx", "cry", "ry", "rx", "rz", "rzz", "xx_plus_yy"}, names


@pytest.mark.parametrize("layers", [1, 3, 12])
def test_parameters_come_in_the_stated_order_and_angles_are_bound_to_their_own_layer(layers: int) -> None:
    ising, angles = polynomial(3, 2), table(layers)
    spec = AnsatzSpec(layers=layers)
    artifact = ansatz(ising, spec)
    np.testing.assert_array_equal(binding(artifact, angles)[0], [*angles.betas, *angles.gammas])
    assert distance(amplitudes(artifact, angles), prepare(ising, spec).state(angles.vector)) < 1e-10


def test_angles_of_another_convention_are_converted_when_bound() -> None:
    artifact = ansatz(polynomial(3, 2), AnsatzSpec())
    published = AngleTable(gammas=(0.8,), betas=(0.3,), convention="half_cut", source="A test.")
    np.testing.assert_allclose(binding(artifact, published), [[-0.3, 0.4]])


def test_what_cannot_be_built_is_refused_by_name() -> None:
    ising = polynomial(3, 2)
    with pytest.raises(PlanError, match="4 ones among 3 variables"):
        ansatz(ising, AnsatzSpec(mixer="xy_ring", cardinality=4))
    with pytest.raises(PlanError, match="2 for 3 variables"):
        ansatz(ising, AnsatzSpec(probabilities=[0.1, 0.2]))
    with pytest.raises(PlanError, match="no terms"):
        ansatz(Ising(2, (), np.empty(0)), AnsatzSpec())
    with pytest.raises(PlanError, match="4 parameters for angles of 1 layers"):
        binding(ansatz(ising, AnsatzSpec(layers=2)), table(1))
    with pytest.raises(PlanError, match="21 qubits"):
        amplitudes(ansatz(Ising(21, ((0, 1),), np.ones(1)), AnsatzSpec()), table(1))
