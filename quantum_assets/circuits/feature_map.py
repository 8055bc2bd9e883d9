"""What a feature map is, and what the maps share: entanglement blocks and the phases of Pauli-Z terms.

Phases follow Qiskit's convention: a term on the qubits S is the gate `P(2 φ_S)` on the parity of S, with
`φ_S = x_i` for one qubit and `φ_S = Π_{j in S} (π - x_j)` for several (Havlicek et al., "Supervised learning with
quantum-enhanced feature spaces", Nature 567, 209 (2019), equation 5 and its supplement).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.study import Entanglement, FeatureMapSpec
from quantum_assets.contracts.workload import FloatArray

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

Terms = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class FeatureMap:
    """One family of data-encoding circuits.

    Attributes:
        describe: What it is, in one sentence with its source.
        circuit: Makes the parameterised circuit for a spec and a width: one parameter a qubit, in feature order,
            without measurements. Raises `PlanError` when the spec does not fit the width.
        diagonal: Terms and phases `(n, n_terms)` in radians for angles `(n, n_qubits)`, or None when the family is not
            of the form (diagonal times Hadamard)^reps; agrees with `circuit` up to a global phase.
    """

    describe: str
    circuit: Callable[[FeatureMapSpec, int], "QuantumCircuit"]
    diagonal: Callable[[FeatureMapSpec, FloatArray], tuple[Terms, FloatArray] | None]


def blocks(entanglement: Entanglement, size: int, n_qubits: int) -> Terms:
    """Qubits that `size`-body terms act on, in Qiskit's reading of the entanglement words.

    Args:
        entanglement: `linear`: neighbours; `circular`: neighbours and around the end; `full`: every combination;
            `none`: no term of more than one qubit.
        size: Qubits a term, at least 1.
        n_qubits: Width.

    Returns:
        Tuples of qubit indices; empty when `size` exceeds the width. One-qubit terms act on every qubit, always.
    """
    if size == 1:
        return tuple((qubit,) for qubit in range(n_qubits))
    if entanglement == "none" or size > n_qubits:
        return ()
    if entanglement == "full":
        return tuple(combinations(range(n_qubits), size))
    linear = tuple(tuple(range(start, start + size)) for start in range(n_qubits - size + 1))
    if entanglement == "linear" or size == n_qubits:
        return linear
    around = range(n_qubits - size + 1, n_qubits)
    return linear + tuple(tuple((start + step) % n_qubits for step in range(size)) for start in around)


def z_phases(sizes: Sequence[int], entanglement: Entanglement, angles: FloatArray) -> tuple[Terms, FloatArray]:
    """Terms and phases of a Pauli-Z expansion with term sizes `sizes`, in the convention of the module docstring.

    Args:
        sizes: Bodies of each Pauli string, for example (1, 2) for the ZZ map.
        entanglement: Of the terms of more than one qubit.
        angles: Radians, shape `(n, n_qubits)`.

    Returns:
        Terms and phases in radians, shape `(n, n_terms)`.
    """
    n_qubits = angles.shape[1]
    terms = tuple(term for size in sizes for term in blocks(entanglement, size, n_qubits))
    columns = [_phase(angles, term) for term in terms]
    return terms, np.stack(columns, axis=1)


def _phase(angles: FloatArray, term: tuple[int, ...]) -> FloatArray:
    if len(term) == 1:
        return 2.0 * angles[:, term[0]]
    return 2.0 * np.asarray(np.prod(np.pi - angles[:, list(term)], axis=1), dtype=np.float64)
