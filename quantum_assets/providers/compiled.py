"""A workload's circuit compiled for a named backend: its gates, its couplings, its qubits.

For overlaps the same discipline holds as in `providers.overlap`: the halves are compiled apart with a barrier between,
because joint optimisation would cancel pair (i, i) and fake a perfect diagonal. The first half chooses its qubits; the
second starts where the first one left each of them. Every qubit of the workload is measured where it is left at the
end.
"""

from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.contracts.workload import FloatArray, IntArray, Workload
from quantum_assets.providers.compiled_circuit import CompiledCircuit, columns_of, gates_of, landed_on
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.samples import outcome_probabilities
from quantum_assets.providers.tile import qiskit_states

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2

SAME_CIRCUIT = 1e-8


def compiled_sample(circuit: "QuantumCircuit", backend: "BackendV2", transpilation: Transpilation) -> CompiledCircuit:
    """Compile a circuit for a backend.

    Args:
        circuit: Unmeasured, parameters unbound, no wider than the backend.
        backend: Whose target is compiled for.
        transpilation: Level and seed; the basis gates are the backend's.

    Raises:
        ProviderError: When the compiler left an instruction that the backend does not have where it was put.
    """
    compiled = _compiled(circuit, backend, transpilation)
    landed = landed_on(compiled, circuit.num_qubits)
    touched = tuple(sorted({*landed, *_acted_on(compiled)}))
    return _on_backend(compiled, list(circuit.parameters), touched, landed, backend, transpilation)


def compiled_overlap(circuit: "QuantumCircuit", backend: "BackendV2", transpilation: Transpilation) -> CompiledCircuit:
    """Compile the two halves of `U(b)† U(a)` for a backend and join them.

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
    middle = landed_on(forward, circuit.num_qubits)
    backward = _compiled(circuit.assign_parameters(b).inverse(), backend, transpilation, middle)
    landed = landed_on(backward, circuit.num_qubits)
    touched = tuple(sorted({*middle, *landed, *_acted_on(forward), *_acted_on(backward)}))
    joined = forward.copy(name=f"overlap-{circuit.name}")
    joined.barrier(touched)
    joined.compose(backward, inplace=True)
    return _on_backend(joined, [*a, *b], touched, landed, backend, transpilation)


def ideal_outcomes(
    workload: Workload, rows: IntArray, circuit: CompiledCircuit, compiled: "QuantumCircuit"
) -> tuple[FloatArray, float]:
    """Ideal outcome probabilities of a few bindings, and how far the compiled circuit's are from them.

    Args:
        workload: Whose circuit it is.
        rows: The few bindings, shape `(n,)`.
        circuit: The compiled circuit; says which value goes to which parameter, and where qubits are measured.
        compiled: That circuit on as few qubits as it needs.

    Returns:
        Shape `(n, 2**n_qubits)`, little-endian, and the largest total variation distance.

    Raises:
        ProviderError: When they differ by more than 1e-8: the compiled circuit is another one.
    """
    bindings = workload.bindings[rows]
    width = workload.circuit.n_qubits
    ideal = outcome_probabilities(qiskit_states(circuit_of(workload.circuit), bindings), range(width))
    found = outcome_probabilities(qiskit_states(compiled, circuit.values(bindings)), circuit.places)
    return ideal, require_same(workload, distance(found, ideal), "compiled circuit")


def distance(found: FloatArray, ideal: FloatArray) -> float:
    """Largest total variation distance of two sets of outcome probabilities, shape `(n, n_outcomes)` both."""
    return float(np.abs(found - ideal).sum(axis=1).max() / 2)


def require_same(workload: Workload, difference: float, what: str) -> float:
    """Return the difference of a circuit from the workload's own.

    Raises:
        ProviderError: When it is over 1e-8.
    """
    if difference > SAME_CIRCUIT:
        raise ProviderError(
            f"circuit {workload.circuit.name}",
            f"the {what} differs from it by {difference:.2e}",
            "Lower transpilation.optimization_level, and report this",
        )
    return difference


def ideal_overlaps(
    workload: Workload, pairs: IntArray, overlap: CompiledCircuit, compiled: "QuantumCircuit"
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
    difference = require_same(workload, float(np.abs(found - ideal).max()), "compiled overlap circuit")
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


def _on_backend(
    circuit: "QuantumCircuit",
    inputs: list[object],
    touched: tuple[int, ...],
    landed: tuple[int, ...],
    backend: "BackendV2",
    transpilation: Transpilation,
) -> CompiledCircuit:
    _require_native(circuit, backend)
    gates = gates_of(circuit)
    return CompiledCircuit(
        circuit,
        columns_of(circuit, inputs),
        gates,
        _compacted(circuit, touched),
        touched,
        landed,
        transpilation.model_copy(update={"basis_gates": gates}),
    )


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
