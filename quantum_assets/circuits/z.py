"""The Z feature map: Hadamards and one phase a qubit; no entanglement, and the fidelity kernel is a product.

For one repetition the kernel is `Π_i cos²(x_i - x'_i)`, which the tests use as a closed form.
"""

from typing import TYPE_CHECKING

from quantum_assets.circuits.feature_map import FeatureMap, Terms, z_phases
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(spec: FeatureMapSpec, n_qubits: int) -> "QuantumCircuit":
    from qiskit.circuit.library import z_feature_map

    return z_feature_map(n_qubits, reps=spec.reps)


def _diagonal(spec: FeatureMapSpec, angles: FloatArray) -> tuple[Terms, FloatArray]:
    return z_phases((1,), spec.entanglement, angles)


Z = FeatureMap("First-order Pauli-Z expansion (Havlicek et al. 2019): no entanglement.", _circuit, _diagonal)
