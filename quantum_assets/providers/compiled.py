"""Compute-uncompute circuits compiled for a named backend: its gates, its couplings, its qubits.

The same discipline as in `providers.overlap`: the halves are compiled apart with a barrier between, because joint
optimisation would cancel pair (i, i) and fake a perfect diagonal. The first half chooses its qubits; the second starts
where the first one left each of them, and every qubit of the workload is measured where the second one left it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.contracts.workload import FloatArray, IntArray, Workload
from quantum_assets.providers.overlap import OverlapCircuit
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.tile import qiskit_states

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2

_SAME_CIRCUIT = 1e-8


@dataclass(frozen=True, eq=False)
class CompiledOverlap(OverlapCircuit):
    """An overlap circuit on a backend's qubits, not yet measured.

    Attributes:
        compact: The same gates on `touched` alone, in that order: what a state vector of it can be made from.
        touched: The backend's qubits that a gate acts on or that are measured, ascending.
        landed: For each qubit of the workload, the backend's qubit that it is measured on.
        transpilation: How it was compiled; the basis gates are those of the backend that are in it.
    """

    compact: "QuantumCircuit"
    touched: tuple[int, ...]
    landed: tuple[int, ...]
    transpilation: Transpilation

    def measured(self) -> "QuantumCircuit":
        """The circuit with the workload's qubits, and no others, measured into the register `meas`."""
        from qiskit import ClassicalRegister

        circuit = self.circuit.copy()
        bits = ClassicalRegister(len(self.landed), "meas")
        circuit.add_register(bits)
        circuit.barrier(self.landed)
        circuit.measure(self.landed, bits)
        return circuit


def compiled_overlap(circuit: "QuantumCircuit", backend: "BackendV2", transpilation: Transpilation) -> CompiledOverlap:
    """Compile the two halves for a backend and join them.

    Args:
        circuit: Unmeasured, parameters unbound, no wider than the backend.
        backend: Whose target is compiled for.
        transpilation: Level and seed, used for each half; the basis gates are the backend's.

    Raises:
        ProviderError: When the compiler left an instruction that the backend does not have where it was put.
    """
    from qiskit.circuit import ParameterVector

    a, b = (ParameterVector(name, circuit.num_parameters) for name in "ab")
    forward = _compiled(circuit.assign_parameters(a), backend, transpilation)
    middle = _places(forward, circuit.num_qubits)
    backward = _compiled(circuit.assign_parameters(b).inverse(), backend, transpilation, middle)
    landed = _places(backward, circuit.num_qubits)
    touched = tuple(sorted({*middle, *landed, *_acted_on(forward), *_acted_on(backward)}))
    joined = forward.copy(name=f"overlap-{circuit.name}")
    joined.barrier(touched)
    joined.compose(backward, inplace=True)
    _require_native(joined, backend)
    gates = tuple(sorted(set(joined.count_ops()) - {"barrier"}))
    order = {parameter: column for column, parameter in enumerate([*a, *b])}
    return CompiledOverlap(
        joined,
        tuple(order[parameter] for parameter in joined.parameters),
        gates,
        _compacted(joined, touched),
        touched,
        landed,
        transpilation.model_copy(update={"basis_gates": gates}),
    )


def ideal_overlaps(
    workload: Workload, pairs: IntArray, overlap: OverlapCircuit, compiled: "QuantumCircuit"
) -> tuple[FloatArray, float]:
    """Ideal overlaps of a few pairs from the workload's own circuit, and how far the compiled circuit is from them.

    Args:
        workload: Whose circuit it is.
        pairs: The few pairs, shape `(n, 2)`.
        overlap: The compiled overlap circuit; says which value goes to which parameter.
        compiled: That circuit on as few qubits as it needs.

    Raises:
        ProviderError: When they differ by more than 1e-8: the compiled circuit is another one.
    """
    circuit = circuit_of(workload.circuit)
    first, second = (qiskit_states(circuit, workload.bindings[pairs[:, side]]) for side in (0, 1))
    ideal = np.abs(np.einsum("ij,ij->i", second.conj(), first)) ** 2
    found = np.abs(qiskit_states(compiled, overlap.values(workload.bindings, pairs))[:, 0]) ** 2
    difference = float(np.abs(found - ideal).max())
    if difference > _SAME_CIRCUIT:
        raise ProviderError(
            f"circuit {workload.circuit.name}",
            f"the compiled overlap circuit differs from it by {difference:.2e}",
            "Lower transpilation.optimization_level, and report this",
        )
    return np.asarray(ideal, dtype=np.float64), difference


def compiled_size(circuit: "QuantumCircuit") -> dict[str, float]:
    """Depth and two-qubit gates as the metrics ``compiled_depth`` and ``compiled_two_qubit_gates``."""
    two_qubit = sum(len(i.qubits) == 2 and i.operation.name != "barrier" for i in circuit.data)
    return {"compiled_depth": float(circuit.depth()), "compiled_two_qubit_gates": float(two_qubit)}


def _compiled(
    half: "QuantumCircuit", backend: "BackendV2", transpilation: Transpilation, start: tuple[int, ...] | None = None
) -> "QuantumCircuit":
    from qiskit import transpile

    return transpile(
        half,
        backend=backend,
        initial_layout=None if start is None else list(start),
        optimization_level=transpilation.optimization_level,
        seed_transpiler=transpilation.seed,
    )


def _places(compiled: "QuantumCircuit", n_qubits: int) -> tuple[int, ...]:
    """Where each qubit of the workload is at the end of a compiled half."""
    layout = compiled.layout
    return tuple(range(n_qubits)) if layout is None else tuple(layout.final_index_layout(filter_ancillas=True))


def _acted_on(circuit: "QuantumCircuit") -> set[int]:
    return {circuit.find_bit(qubit).index for i in circuit.data if i.operation.name != "barrier" for qubit in i.qubits}


def _compacted(circuit: "QuantumCircuit", touched: tuple[int, ...]) -> "QuantumCircuit":
    """The circuit without the qubits that nothing acts on."""
    from qiskit import QuantumCircuit

    place = {qubit: index for index, qubit in enumerate(touched)}
    compact = QuantumCircuit(len(touched), global_phase=circuit.global_phase, name=circuit.name)
    for instruction in circuit.data:
        compact.append(instruction.operation, [place[circuit.find_bit(qubit).index] for qubit in instruction.qubits])
    return compact


def _require_native(circuit: "QuantumCircuit", backend: "BackendV2") -> None:
    for instruction in circuit.data:
        name, qubits = instruction.operation.name, tuple(circuit.find_bit(q).index for q in instruction.qubits)
        if name != "barrier" and not backend.target.instruction_supported(name, qubits):
            raise ProviderError(
                f"backend {backend.name}", f"has no {name} on qubits {qubits}", "Use another backend, and report this"
            )
