"""A workload's circuit, compiled and ready to be measured, whatever it was compiled for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.contracts.workload import FloatArray, IntArray

if TYPE_CHECKING:
    from qiskit import QuantumCircuit


@dataclass(frozen=True, eq=False)
class CompiledCircuit:
    """A compiled circuit, not yet measured: the workload's own, or `U(b)† U(a)` for overlaps.

    Attributes:
        circuit: Over the basis gates, or on a backend's qubits.
        columns: For each parameter of `circuit`, its column in the bindings, or in `[bindings of a | bindings of b]`.
        gates: Names of the basis gates that it uses, sorted.
        compact: The same gates on `touched` alone, in that order: what a state vector of it can be made from.
        touched: The qubits that a gate acts on or that are measured, ascending.
        landed: For each qubit of the workload, the qubit that it is measured on.
        transpilation: How it was compiled; the basis gates are those of the backend that are in it.
    """

    circuit: "QuantumCircuit"
    columns: tuple[int, ...]
    gates: tuple[str, ...]
    compact: "QuantumCircuit"
    touched: tuple[int, ...]
    landed: tuple[int, ...]
    transpilation: Transpilation

    @property
    def places(self) -> tuple[int, ...]:
        """For each qubit of the workload, the qubit of `compact` that it is measured on."""
        return tuple(self.touched.index(qubit) for qubit in self.landed)

    def measured(self) -> "QuantumCircuit":
        """The circuit with the workload's qubits, and no others, measured into the register `meas`."""
        from qiskit import ClassicalRegister

        circuit = self.circuit.copy()
        bits = ClassicalRegister(len(self.landed), "meas")
        circuit.add_register(bits)
        circuit.barrier(self.landed)
        circuit.measure(self.landed, bits)
        return circuit

    def values(self, bindings: FloatArray, pairs: IntArray | None = None) -> FloatArray:
        """Parameter values of each circuit that runs, shape `(n_circuits, n_parameters)`: one a pair, or a binding."""
        rows = bindings if pairs is None else np.concatenate([bindings[pairs[:, 0]], bindings[pairs[:, 1]]], axis=1)
        return rows[:, list(self.columns)]


def basis_circuit(circuit: "QuantumCircuit", transpilation: Transpilation) -> CompiledCircuit:
    """Compile a circuit to the basis gates, for a simulator without couplings.

    Args:
        circuit: Unmeasured, parameters unbound.
        transpilation: Basis, level and seed.

    Raises:
        ProviderError: When the compiler left a gate outside the basis.
    """
    compiled = to_basis(circuit, transpilation)
    return on_every_qubit(compiled, list(circuit.parameters), landed_on(compiled), transpilation)


def on_every_qubit(
    compiled: "QuantumCircuit", inputs: list[object], landed: tuple[int, ...], transpilation: Transpilation
) -> CompiledCircuit:
    """Say what is known of a circuit that was compiled to the basis gates.

    Args:
        compiled: The circuit.
        inputs: The parameters that values will be given for, in that order.
        landed: Where each qubit of the workload is at its end.
        transpilation: How it was compiled.

    Raises:
        ProviderError: When it holds a gate outside the basis.
    """
    gates = gates_of(compiled)
    outside = sorted(set(gates) - set(transpilation.basis_gates))
    if outside:
        raise ProviderError(
            "transpilation.basis_gates", f"the compiler left {outside} outside the basis", "Use a universal basis"
        )
    return CompiledCircuit(
        compiled,
        columns_of(compiled, inputs),
        gates,
        compiled,
        tuple(range(compiled.num_qubits)),
        landed,
        transpilation,
    )


def to_basis(circuit: "QuantumCircuit", transpilation: Transpilation) -> "QuantumCircuit":
    """Compile to the basis gates; from level 2 on the compiler may move qubits instead of swapping them."""
    from qiskit import transpile

    return transpile(
        circuit,
        basis_gates=list(transpilation.basis_gates),
        optimization_level=transpilation.optimization_level,
        seed_transpiler=transpilation.seed,
    )


def gates_of(circuit: "QuantumCircuit") -> tuple[str, ...]:
    """Names of the gates in a circuit, sorted."""
    return tuple(sorted(set(circuit.count_ops()) - {"barrier"}))


def columns_of(circuit: "QuantumCircuit", inputs: list[object]) -> tuple[int, ...]:
    """For each parameter of a circuit, its place among the inputs; some inputs may have been compiled away."""
    order = {parameter: column for column, parameter in enumerate(inputs)}
    return tuple(order[parameter] for parameter in circuit.parameters)


def landed_on(compiled: "QuantumCircuit", n_qubits: int | None = None) -> tuple[int, ...]:
    """Where each of the first `n_qubits` qubits of a circuit (None: all) is at the end of its compiled form."""
    layout = compiled.layout
    if layout is None:
        return tuple(range(compiled.num_qubits if n_qubits is None else n_qubits))
    return tuple(layout.final_index_layout(filter_ancillas=n_qubits is not None))
