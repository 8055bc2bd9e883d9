"""States of any circuit through Aer: one circuit, batches of parameter binds, saved state vectors.

One thread: Aer's OpenMP threads make small circuits several times dearer, and parallelism belongs to whoever splits
the work.
"""

from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.envelope import ComplexArray
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.workload import FloatArray

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit_aer import AerSimulator

_BATCH_BYTES = 64_000_000
_BATCH_ROWS = 512


def aer_states(circuit: "QuantumCircuit", bindings: FloatArray) -> ComplexArray:
    """State vectors of every binding, shape `(n_bindings, 2**n_qubits)`, in batches that bound memory.

    Args:
        circuit: Unmeasured, at least one parameter; composite gates are expanded to gates that Aer knows.
        bindings: Radians, one row a state, columns in the order of the circuit's parameters.

    Raises:
        ProviderError: When Aer reports a failure.
    """
    from qiskit_aer import AerSimulator

    simulator = AerSimulator(method="statevector", max_parallel_threads=1)
    prepared = expanded(circuit, set(simulator.configuration().basis_gates))
    prepared.save_statevector()
    amplitudes = np.empty((len(bindings), 1 << circuit.num_qubits), dtype=np.complex128)
    step = batch_rows(circuit.num_qubits)
    for start in range(0, len(bindings), step):
        rows = slice(start, start + step)
        amplitudes[rows] = _batch(simulator, prepared, bindings[rows])
    return amplitudes


def batch_rows(n_qubits: int) -> int:
    """Bindings run at once: their saved states stay within 64 MB."""
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // (16 << n_qubits)))


def expanded(circuit: "QuantumCircuit", known: set[str]) -> "QuantumCircuit":
    """A copy whose operations the simulator knows, by definitions only: nothing is optimised."""
    circuit = circuit.copy()
    while unknown := sorted({i.operation.name for i in circuit.data} - known - {"barrier"}):
        smaller = circuit.decompose(unknown)
        if smaller == circuit:
            raise ProviderError("provider aer", f"does not know {unknown}", "Give these gates a definition")
        circuit = smaller
    return circuit


def binds(circuit: "QuantumCircuit", values: FloatArray) -> list[dict[object, list[float]]]:
    """Aer's parameter binds for one circuit: columns of `values` by parameter, in the circuit's own order."""
    return [{parameter: values[:, column].tolist() for column, parameter in enumerate(circuit.parameters)}]


def saved_probabilities(simulator: "AerSimulator", circuit: "QuantumCircuit", values: FloatArray) -> FloatArray:
    """Outcome probabilities of a circuit that saves them, one row for each row of parameter values.

    Raises:
        ProviderError: When Aer reports a failure.
    """
    result = simulator.run(circuit, parameter_binds=binds(circuit, values)).result()
    if not result.success:
        raise ProviderError("provider aer", f"the cross-check failed: {result.status}", "Use fewer qubits")
    return np.array([result.data(index)["probabilities"] for index in range(len(values))], dtype=np.float64)


def _batch(simulator: "AerSimulator", circuit: "QuantumCircuit", rows: FloatArray) -> ComplexArray:
    result = simulator.run(circuit, parameter_binds=binds(circuit, rows), shots=1).result()
    if not result.success:
        raise ProviderError("provider aer", f"the run failed: {result.status}", "Look at the circuit and its width")
    states = [np.asarray(result.data(index)["statevector"]) for index in range(len(rows))]
    return np.array(states, dtype=np.complex128)
