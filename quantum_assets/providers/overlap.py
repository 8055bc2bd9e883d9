"""Compute-uncompute circuits: `U(b)† U(a)` from one parameterised circuit, the halves compiled apart.

The halves are compiled separately with a barrier between, because joint optimisation cancels pair (i, i) altogether and
fakes a perfect diagonal. From optimisation level 2 the compiler may move qubits instead of swapping them; the second
half is attached where the first one left each qubit.
"""

from typing import TYPE_CHECKING

from quantum_assets.contracts.profile import Transpilation
from quantum_assets.providers.compiled_circuit import CompiledCircuit, landed_on, on_every_qubit, to_basis

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


def overlap_circuit(circuit: "QuantumCircuit", transpilation: Transpilation) -> CompiledCircuit:
    """Compile the two halves and join them; its parameters are `a[...]`, then `b[...]`.

    Every qubit is measured where it stands, for all-zero outcomes have no order.

    Args:
        circuit: Unmeasured, parameters unbound.
        transpilation: Basis, level and seed, used for each half.

    Raises:
        ProviderError: When the compiler left a gate outside the basis.
    """
    from qiskit.circuit import ParameterVector

    a, b = (ParameterVector(name, circuit.num_parameters) for name in "ab")
    forward = to_basis(circuit.assign_parameters(a), transpilation)
    backward = to_basis(circuit.assign_parameters(b).inverse(), transpilation)
    joined = forward.copy(name=f"overlap-{circuit.name}")
    joined.barrier()
    joined.compose(backward, qubits=list(landed_on(forward)), inplace=True)
    return on_every_qubit(joined, [*a, *b], tuple(range(circuit.num_qubits)), transpilation)
