"""An independent noisy simulator: dense density matrices and Kraus operators of `qiskit.quantum_info`, without Aer."""

from itertools import product

import numpy as np


def depolarising(strength: float, width: int) -> list[np.ndarray]:
    """`(1 - λ) ρ + λ I / d` as a mixture of Pauli strings, each with weight λ / 4^k beyond the identity's."""
    paulis = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
    operators = []
    for number, letters in enumerate(product(paulis, repeat=width)):
        joint = np.eye(1)
        for letter in letters:
            joint = np.kron(joint, letter)
        weight = strength / 4**width + (1 - strength if number == 0 else 0)
        operators.append(np.sqrt(weight) * joint)
    return operators


def damping(gamma: float) -> list[np.ndarray]:
    return [np.diag([1, np.sqrt(1 - gamma)]), np.array([[0, np.sqrt(gamma)], [0, 0]])]


def noisy_zero_probability(circuit, noise) -> float:
    """P(0…0) of a bound circuit, with noise after every gate and readout flips on every qubit."""
    from qiskit.quantum_info import DensityMatrix, Kraus, Operator

    state = DensityMatrix.from_label("0" * circuit.num_qubits)
    for instruction in circuit.data:
        if instruction.operation.name == "barrier":
            continue
        qubits = [circuit.find_bit(q).index for q in instruction.qubits]
        state = state.evolve(Operator(instruction.operation), qubits)
        strength = noise.depolarizing_1q if len(qubits) == 1 else noise.depolarizing_2q
        state = state.evolve(Kraus(depolarising(strength, len(qubits))), qubits)
        for qubit in qubits:
            state = state.evolve(Kraus(damping(noise.amplitude_damping)), [qubit])
    total = 0.0
    for outcome, probability in enumerate(state.probabilities()):
        chances = [noise.readout if outcome >> q & 1 else 1 - noise.readout for q in range(circuit.num_qubits)]
        total += probability * np.prod(chances)
    return float(total)
