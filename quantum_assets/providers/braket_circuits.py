"""Overlap circuits in Braket's own words: bound pair by pair, converted gate by gate, never compiled once joined.

Braket's converter drops barriers, and its compilers may cancel `U† U` altogether. So both halves are compiled apart
before, the joined circuit is only translated, and its length is checked afterwards: every gate of both halves is in
what is sent. For a device it is sent as one verbatim box, which the vendor's compiler must not touch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.contracts.workload import FloatArray, IntArray, Workload
from quantum_assets.providers.compiled import compiled_overlap
from quantum_assets.providers.exact_overlaps import overlaps_of
from quantum_assets.providers.overlap import OverlapCircuit, overlap_circuit
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.tile import qiskit_states, spread

if TYPE_CHECKING:
    from braket.aws import AwsDevice
    from braket.circuits import Circuit
    from qiskit import QuantumCircuit

#: One- and two-qubit gates, by Qiskit's names, that Braket's simulators run as they are.
GATES = frozenset(
    "cp cx cy cz ecr h id iswap p rx rxx ry ryy rz rzz s sdg swap sx sxdg t tdg u x y z".split()  # noqa: SIM905
)
_SAME_CIRCUIT = 1e-8


@dataclass(frozen=True, eq=False)
class BraketOverlap:
    """A compiled overlap circuit, and how its bound copies become Braket circuits.

    Attributes:
        overlap: Compiled, unmeasured, parameters free.
        template: The same, measured, without its barrier.
        translate: Turns bound copies of `template` into Braket circuits without compiling them.
        transpilation: How it was compiled; the basis gates are those of the device where it has its own.
    """

    overlap: OverlapCircuit
    template: "QuantumCircuit"
    translate: "Callable[[QuantumCircuit], Circuit]"
    transpilation: Transpilation

    def circuits(self, bindings: FloatArray, pairs: IntArray) -> "Iterator[Circuit]":
        """One measured Braket circuit a pair, in order.

        Raises:
            ProviderError: When the conversion left gates out, as a converter that cancels would.
        """
        wanted = len(self.template.data)
        for row in self.overlap.values(bindings, pairs):
            bound = self.template.assign_parameters(row)
            bound.global_phase = 0  # Braket has no global phase here, and no probability depends on it
            circuit = self.translate(bound)
            if len(circuit.instructions) < wanted:
                raise ProviderError(
                    f"circuit {self.template.name}",
                    f"Braket's conversion left {len(circuit.instructions)} of {wanted} operations",
                    "Use another version of qiskit-braket-provider, and report this",
                )
            yield circuit


def simulator_overlap(circuit: "QuantumCircuit", transpilation: Transpilation) -> BraketOverlap:
    """Compile for a simulator: to the profile's basis gates, of which each becomes one Braket gate."""
    from qiskit_braket_provider import to_braket

    overlap = overlap_circuit(circuit, transpilation)
    gates = {*overlap.gates, "measure"}

    def translate(bound: "QuantumCircuit") -> "Circuit":
        # circuits within the basis gates skip the converter's pass manager
        return to_braket(bound, basis_gates=gates)

    return BraketOverlap(overlap, _without_barriers(overlap.measured()), translate, transpilation)


def device_overlap(circuit: "QuantumCircuit", transpilation: Transpilation, device: "AwsDevice") -> BraketOverlap:
    """Compile for a device: to its native gates and couplings, the second half where the first one left the qubits."""
    from qiskit_braket_provider import BraketAwsBackend, to_braket

    backend = BraketAwsBackend(device=device)
    overlap = compiled_overlap(circuit, backend, transpilation)

    def translate(bound: "QuantumCircuit") -> "Circuit":
        # a target with couplings makes the whole circuit one verbatim box; level 0 only renames gates
        return to_braket(bound, target=backend.target, qubit_labels=backend.qubit_labels, optimization_level=0)

    return BraketOverlap(overlap, _without_barriers(overlap.measured()), translate, overlap.transpilation)


def ideal_tile(workload: Workload, pairs: IntArray, rows: int) -> tuple[IntArray, FloatArray]:
    """A tile of pairs (their indices) and their ideal overlaps, by Qiskit's Statevector of the workload's circuit."""
    tile = spread(len(pairs), rows)
    states = qiskit_states(circuit_of(workload.circuit), workload.bindings[pairs[tile].ravel()])
    return tile, overlaps_of(states, np.arange(2 * len(tile), dtype=np.int64).reshape(-1, 2))


def check_circuit(
    workload: Workload, pairs: IntArray, overlap: BraketOverlap, rows: int
) -> tuple[IntArray, FloatArray, float]:
    """Compare the circuits that will be sent with the workload's own, exactly, on a tile of pairs.

    Braket's state-vector simulator takes the very circuits that are to be sent, without their measurements; Qiskit's
    Statevector takes the workload's circuit.

    Returns:
        The tile (indices of pairs), its ideal overlaps, and the largest difference.

    Raises:
        ProviderError: When they differ by more than 1e-8.
    """
    tile, ideal = ideal_tile(workload, pairs, rows)
    sent = np.array([exact_zero(each) for each in overlap.circuits(workload.bindings, pairs[tile])])
    difference = float(np.abs(sent - ideal).max())
    if difference > _SAME_CIRCUIT:
        raise ProviderError(
            f"circuit {workload.circuit.name}",
            f"what would be sent to Braket differs from it by {difference:.2e}",
            "Lower transpilation.optimization_level, and report this",
        )
    return tile, ideal, difference


def exact_zero(circuit: "Circuit") -> float:
    """P(0…0) of a measured Braket circuit by Braket's own state vector, its measurements left out."""
    from braket.circuits import Circuit
    from braket.circuits.compiler_directive import CompilerDirective
    from braket.circuits.measure import Measure
    from braket.devices import LocalSimulator

    kept = [i for i in circuit.instructions if not isinstance(i.operator, Measure | CompilerDirective)]
    unmeasured = Circuit(kept)
    zeros = "0" * unmeasured.qubit_count
    values = LocalSimulator("braket_sv").run(unmeasured.amplitude([zeros]), shots=0).result().values
    return float(abs(values[0][zeros]) ** 2)


def _without_barriers(circuit: "QuantumCircuit") -> "QuantumCircuit":
    kept = circuit.copy_empty_like()
    for instruction in circuit.data:
        if instruction.operation.name != "barrier":
            kept.append(instruction)
    return kept
