"""The tile: a few rows or pairs of an answer, spread over it, recomputed by Qiskit's own Statevector.

`Statevector` knows nothing of the engines here: it evolves the circuit gate by gate from its QPY, so a wrong diagonal
form, a wrong parameter order or a wrong compilation shows.
"""

from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.envelope import ComplexArray
from quantum_assets.contracts.workload import FloatArray, IntArray

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def spread(count: int, wanted: int) -> IntArray:
    """At most `wanted` indices below `count`, evenly spread, first and last among them, ascending, without repeats."""
    places = np.linspace(0, count - 1, min(count, wanted)).round().astype(np.int64)
    return np.asarray(np.unique(places), dtype=np.int64)


def qiskit_states(circuit: "QuantumCircuit", bindings: FloatArray) -> ComplexArray:
    """State vectors by `qiskit.quantum_info.Statevector`, one circuit a row: slow and independent."""
    from qiskit.quantum_info import Statevector

    rows = [Statevector(circuit.assign_parameters(row)).data for row in bindings]
    return np.array(rows, dtype=np.complex128)


def fidelities(left: ComplexArray, right: ComplexArray) -> FloatArray:
    """`|<l_i|r_j>|²` for every pair of rows, shape `(n_left, n_right)`."""
    return np.asarray(np.abs(left.conj() @ right.T) ** 2, dtype=np.float64)


def states_difference(claimed: ComplexArray, reference: ComplexArray) -> float:
    """Largest absolute difference of fidelities between claimed and reference states; global phases do not matter.

    Two matrices must equal the reference's own Gram matrix: the claimed Gram matrix, and the fidelities of claimed with
    reference states. The second catches states that are wrong in one common way, which the first cannot see.
    """
    truth = fidelities(reference, reference)
    own = np.abs(fidelities(claimed, claimed) - truth).max()
    mixed = np.abs(fidelities(claimed, reference) - truth).max()
    return float(max(own, mixed))
