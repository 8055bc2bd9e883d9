"""Compute-uncompute circuits: `U(b)† U(a)` from one parameterised circuit, the halves compiled apart.

The halves are compiled separately with a barrier between, because joint optimisation cancels pair (i, i) altogether and
fakes a perfect diagonal. From optimisation level 2 the compiler may move qubits instead of swapping them; the second
half is attached where the first one left each qubit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.contracts.workload import FloatArray, IntArray

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


@dataclass(frozen=True, eq=False)
class OverlapCircuit:
    """A compiled compute-uncompute circuit, not yet measured.

    Attributes:
        circuit: `U(b)† U(a)` over the basis gates, parameters `a[...]` then `b[...]`.
        columns: For each parameter of `circuit`, its column in `[bindings of a | bindings of b]`.
        gates: Names of the basis gates that it uses.
    """

    circuit: "QuantumCircuit"
    columns: tuple[int, ...]
    gates: tuple[str, ...]

    def measured(self) -> "QuantumCircuit":
        """The circuit with every qubit measured into the register `meas`."""
        circuit = self.circuit.copy()
        circuit.measure_all()
        return circuit

    def values(self, bindings: FloatArray, pairs: IntArray) -> FloatArray:
        """Parameter values of each pair, in the order of the circuit's parameters: shape `(n_pairs, n_parameters)`."""
        both = np.concatenate([bindings[pairs[:, 0]], bindings[pairs[:, 1]]], axis=1)
        return both[:, list(self.columns)]


def overlap_circuit(circuit: "QuantumCircuit", transpilation: Transpilation) -> OverlapCircuit:
    """Compile the two halves and join them.

    Args:
        circuit: Unmeasured, parameters unbound.
        transpilation: Basis, level and seed, used for each half.

    Returns:
        The joined circuit.

    Raises:
        ProviderError: When the compiler left a gate outside the basis.
    """
    from qiskit.circuit import ParameterVector

    a, b = (ParameterVector(name, circuit.num_parameters) for name in "ab")
    forward = _compiled(circuit.assign_parameters(a), transpilation)
    backward = _compiled(circuit.assign_parameters(b).inverse(), transpilation)
    layout = forward.layout
    landed = list(range(circuit.num_qubits)) if layout is None else layout.final_index_layout()
    joined = forward.copy(name=f"overlap-{circuit.name}")
    joined.barrier()
    joined.compose(backward, qubits=landed, inplace=True)
    gates = tuple(sorted(set(joined.count_ops()) - {"barrier"}))
    outside = sorted(set(gates) - set(transpilation.basis_gates))
    if outside:
        raise ProviderError(
            "transpilation.basis_gates", f"the compiler left {outside} outside the basis", "Use a universal basis"
        )
    order = {parameter: column for column, parameter in enumerate([*a, *b])}
    return OverlapCircuit(joined, tuple(order[parameter] for parameter in joined.parameters), gates)


def _compiled(half: "QuantumCircuit", transpilation: Transpilation) -> "QuantumCircuit":
    from qiskit import transpile

    return transpile(
        half,
        basis_gates=list(transpilation.basis_gates),
        optimization_level=transpilation.optimization_level,
        seed_transpiler=transpilation.seed,
    )
