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


def read(probabilities: np.ndarray, errors: list[float]) -> np.ndarray:
    """What is read where each bit flips with its own probability, qubit 0 first: one true outcome after the other."""
    found = np.zeros_like(probabilities)
    for true, probability in enumerate(probabilities):
        for seen in range(len(probabilities)):
            flipped = [(true ^ seen) >> qubit & 1 for qubit in range(len(errors))]
            found[seen] += probability * np.prod([e if f else 1 - e for e, f in zip(errors, flipped, strict=True)])
    return found


def noisy_probabilities(circuit, noise) -> np.ndarray:
    """Outcome probabilities of a bound circuit, with noise after every gate and readout flips on every qubit."""
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
    return read(state.probabilities(), [noise.readout] * circuit.num_qubits)


def noisy_zero_probability(circuit, noise) -> float:
    """P(0…0) of the same."""
    return float(noisy_probabilities(circuit, noise)[0])


def device_probabilities(overlap, row, target) -> np.ndarray:
    """Outcome probabilities of a compiled circuit under noise from a target's properties, without Aer or our channels.

    Relaxation in Kraus operators: amplitude damping by T1, then dephasing for what T2 asks beyond it. Depolarising as
    Pauli strings, its strength from the average gate fidelity of both together, which is linear in it.
    """
    from qiskit.quantum_info import DensityMatrix, Kraus, Operator

    circuit = overlap.compact.assign_parameters(row)
    state, strengths = DensityMatrix.from_label("0" * circuit.num_qubits), {}
    for instruction in circuit.data:
        name = instruction.operation.name
        if name == "barrier":
            continue
        qubits = [circuit.find_bit(q).index for q in instruction.qubits]
        state = state.evolve(Operator(instruction.operation), qubits)
        physical = tuple(overlap.touched[q] for q in qubits)
        properties = target[name].get(physical)
        if properties is None or not (properties.error or properties.duration):
            continue
        relaxations = [relaxation_kraus(target.qubit_properties[q], properties.duration) for q in physical]
        if (name, physical) not in strengths:
            strengths[name, physical] = depolarising_strength(relaxations, properties.error)
        strength = strengths[name, physical]
        state = state.evolve(Kraus(depolarising(strength, len(qubits))), qubits)
        for qubit, operators in zip(qubits, relaxations, strict=True):
            state = state.evolve(Kraus(operators), [qubit])
    landed = [overlap.touched.index(q) for q in overlap.landed]
    return read(state.probabilities(landed), [target["measure"][(q,)].error for q in overlap.landed])


def device_zero_probability(overlap, row, target) -> float:
    """P(0…0) of the same."""
    return float(device_probabilities(overlap, row, target)[0])


def relaxation_kraus(properties, seconds) -> list[np.ndarray]:
    t1, t2 = properties.t1, min(properties.t2, 2 * properties.t1)
    gamma = 1 - np.exp(-seconds / t1)
    kept = np.exp(-seconds / t2) / np.sqrt(1 - gamma)  # of the coherence, beyond what damping leaves
    flips = [np.sqrt((1 + kept) / 2) * np.eye(2), np.sqrt(max(0.0, 1 - kept) / 2) * np.diag([1, -1])]
    return [flip @ operator for flip in flips for operator in damping(gamma)]


def depolarising_strength(relaxations, error) -> float:
    """Where the average gate fidelity of depolarising and relaxation together is `1 - error`; 0 if it never is."""
    from qiskit.quantum_info import Kraus, SuperOp, average_gate_fidelity

    joint = SuperOp(Kraus(relaxations[0]))
    for operators in relaxations[1:]:
        joint = SuperOp(Kraus(operators)).tensor(joint)

    def infidelity(strength):
        return 1 - average_gate_fidelity(SuperOp(Kraus(depolarising(strength, len(relaxations)))).compose(joint))

    least, most = infidelity(0.0), infidelity(1.0)
    return max(0.0, (error - least) / (most - least))
