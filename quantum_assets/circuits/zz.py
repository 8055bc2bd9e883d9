"""The ZZ feature map: single-qubit phases and pair phases `(π - x_i)(π - x_j)` along the entanglement.

On one qubit, or with entanglement `none`, no pair is left and it is the Z map.
"""

from typing import TYPE_CHECKING

from quantum_assets.circuits.feature_map import FeatureMap, Terms, z_phases
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def _circuit(spec: FeatureMapSpec, n_qubits: int) -> "QuantumCircuit":
    from qiskit.circuit.library import z_feature_map, zz_feature_map

    if spec.entanglement == "none" or n_qubits == 1:
        return z_feature_map(n_qubits, reps=spec.reps)
    return zz_feature_map(n_qubits, reps=spec.reps, entanglement=spec.entanglement)


def _diagonal(spec: FeatureMapSpec, angles: FloatArray) -> tuple[Terms, FloatArray]:
    return z_phases((1, 2), spec.entanglement, angles)


ZZ = FeatureMap("Second-order Pauli-Z expansion (Havlicek et al. 2019).", _circuit, _diagonal)
