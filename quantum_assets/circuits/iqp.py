"""The IQP feature map: layers of H, `RZ(x_i)` and `RZZ(x_i x_j)`.

Instantaneous quantum polynomial-time circuits (Shepherd and Bremner, Proc. R. Soc. A 465, 1413 (2009)) as a data
encoding after Havlicek et al. (2019), in the convention of PennyLane's `IQPEmbedding`: angles are plain products
`x_i x_j`, without Qiskit's shift `(π - x)` and without its factor 2. The pairs of every layer are the same: PennyLane
up to 0.33 used them up in the first layer, and published benchmark numbers carry that defect.
"""

from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.circuits.feature_map import FeatureMap, Terms, blocks
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(spec: FeatureMapSpec, n_qubits: int) -> "QuantumCircuit":
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterVector

    x = ParameterVector("x", n_qubits)
    pairs = blocks(spec.entanglement, 2, n_qubits)
    circuit = QuantumCircuit(n_qubits)
    for _ in range(spec.reps):
        circuit.h(range(n_qubits))
        for qubit in range(n_qubits):
            circuit.rz(x[qubit], qubit)
        for first, second in pairs:
            circuit.rzz(x[first] * x[second], first, second)
    return circuit


def _diagonal(spec: FeatureMapSpec, angles: FloatArray) -> tuple[Terms, FloatArray]:
    """`RZ(θ)` and `RZZ(θ)` are `P(θ)` on the qubit and on the pair's parity, up to a global phase."""
    n_qubits = angles.shape[1]
    terms = blocks("none", 1, n_qubits) + blocks(spec.entanglement, 2, n_qubits)
    return terms, np.stack([np.prod(angles[:, list(term)], axis=1) for term in terms], axis=1)


IQP = FeatureMap("IQP embedding with plain products (PennyLane's IQPEmbedding convention).", _circuit, _diagonal)
