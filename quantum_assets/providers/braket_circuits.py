"""A workload's measured circuits in Braket's own words: bound one by one, converted gate by gate, never compiled again.

Braket's converter drops barriers, and its compilers may cancel `U† U` altogether. So both halves of an overlap are
compiled apart before, the joined circuit is only translated, and its length is checked afterwards: every gate is in
what is sent. For a device it is sent as one verbatim box, which the vendor's compiler must not touch.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import Transpilation
from quantum_assets.contracts.workload import FloatArray, IntArray, Workload
from quantum_assets.providers.compiled import distance, require_same
from quantum_assets.providers.compiled_circuit import CompiledCircuit
from quantum_assets.providers.exact_overlaps import overlaps_of
from quantum_assets.providers.measured import Tile, compiled_for
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.samples import outcome_probabilities
from quantum_assets.providers.tile import qiskit_states, spread

if TYPE_CHECKING:
    from braket.aws import AwsDevice
    from braket.circuits import Circuit
    from qiskit import QuantumCircuit

#: One- and two-qubit gates, by Qiskit's names, that Braket's simulators run as they are.
GATES = frozenset(
    "cp cx cy cz ecr h id iswap p rx rxx ry ryy rz rzz s sdg swap sx sxdg t tdg u x y z".split()  # noqa: SIM905
)


@dataclass(frozen=True, eq=False)
class BraketCircuits:
    """A compiled circuit, and how its bound copies become Braket circuits.

    Attributes:
        compiled: The circuit, unmeasured, parameters free.
        template: The same, measured, without its barriers.
        translate: Turns bound copies of `template` into Braket circuits without compiling them.
        qubits: For each qubit of the workload, Braket's number of the qubit that it is measured on.
    """

    compiled: CompiledCircuit
    template: "QuantumCircuit"
    translate: "Callable[[QuantumCircuit], Circuit]"
    qubits: tuple[int, ...]

    @property
    def transpilation(self) -> Transpilation:
        """How it was compiled; the basis gates are those of the device where it has its own."""
        return self.compiled.transpilation

    def circuits(self, bindings: FloatArray, pairs: IntArray | None = None) -> "Iterator[Circuit]":
        """One measured Braket circuit a pair, or a binding, in order.

        Raises:
            ProviderError: When the conversion left gates out, as a converter that cancels would.
        """
        wanted = len(self.template.data)
        for row in self.compiled.values(bindings, pairs):
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


def for_simulator(workload: Workload, transpilation: Transpilation) -> BraketCircuits:
    """Compile for a simulator: to the profile's basis gates, of which each becomes one Braket gate."""
    from qiskit_braket_provider import to_braket

    compiled = compiled_for(workload, transpilation)
    gates = {*compiled.gates, "measure"}

    def translate(bound: "QuantumCircuit") -> "Circuit":
        # circuits within the basis gates skip the converter's pass manager
        return to_braket(bound, basis_gates=gates)

    return BraketCircuits(compiled, _without_barriers(compiled.measured()), translate, compiled.landed)


def for_device(workload: Workload, transpilation: Transpilation, device: "AwsDevice") -> BraketCircuits:
    """Compile for a device, to its native gates and couplings, where qubits go by the device's own numbers."""
    from qiskit_braket_provider import BraketAwsBackend, to_braket

    backend = BraketAwsBackend(device=device)
    compiled = compiled_for(workload, transpilation, backend)
    labels = backend.qubit_labels

    def translate(bound: "QuantumCircuit") -> "Circuit":
        # a target with couplings makes the whole circuit one verbatim box; level 0 only renames gates
        return to_braket(bound, target=backend.target, qubit_labels=labels, optimization_level=0)

    qubits = tuple(int(qubit if labels is None else labels[qubit]) for qubit in compiled.landed)
    return BraketCircuits(compiled, _without_barriers(compiled.measured()), translate, qubits)


def ideal_tile(workload: Workload, rows: int) -> tuple[IntArray, FloatArray]:
    """A tile of circuits (their indices) and what they ideally give, by Qiskit's Statevector of the workload's circuit.

    Returns:
        Indices, and overlaps or outcome probabilities in the form of `measured.Tile.ideal`.
    """
    tile, circuit = spread(workload.n_circuits, rows), circuit_of(workload.circuit)
    if workload.pairs is None:
        states = qiskit_states(circuit, workload.bindings[tile])
        return tile, outcome_probabilities(states, range(workload.circuit.n_qubits))
    states = qiskit_states(circuit, workload.bindings[workload.pairs[tile].ravel()])
    return tile, overlaps_of(states, np.arange(2 * len(tile), dtype=np.int64).reshape(-1, 2))


def check_circuits(workload: Workload, circuits: BraketCircuits, rows: int) -> Tile:
    """Compare the circuits that will be sent with the workload's own, exactly, on a tile.

    Braket's state-vector simulator takes the very circuits that are to be sent, without their measurements; Qiskit's
    Statevector takes the workload's circuit.

    Raises:
        ProviderError: When they differ by more than 1e-8.
    """
    tile, ideal = ideal_tile(workload, rows)
    if workload.pairs is None:
        bound = circuits.circuits(workload.bindings[tile])
        difference = distance(np.array([exact_outcomes(each, circuits.qubits) for each in bound]), ideal)
    else:
        bound = circuits.circuits(workload.bindings, workload.pairs[tile])
        difference = float(np.abs(np.array([exact_zero(each) for each in bound]) - ideal).max())
    return Tile(tile, ideal, require_same(workload, difference, "circuit that would be sent to Braket"))


def exact_zero(circuit: "Circuit") -> float:
    """P(0…0) of a measured Braket circuit by Braket's own state vector, its measurements left out."""
    from braket.devices import LocalSimulator

    unmeasured = _unmeasured(circuit)
    zeros = "0" * unmeasured.qubit_count
    values = LocalSimulator("braket_sv").run(unmeasured.amplitude([zeros]), shots=0).result().values
    return float(abs(values[0][zeros]) ** 2)


def exact_outcomes(circuit: "Circuit", qubits: tuple[int, ...]) -> FloatArray:
    """Outcome probabilities of a measured Braket circuit by Braket's own state vector, its measurements left out.

    Args:
        circuit: Bound.
        qubits: Braket's numbers of the qubits, the one of bit 0 first.

    Returns:
        Shape `(2**n_qubits,)`, little-endian in that order.
    """
    from braket.devices import LocalSimulator

    unmeasured = _unmeasured(circuit)
    for idle in sorted(set(qubits) - {int(qubit) for qubit in unmeasured.qubits}):
        unmeasured.i(idle)
    # the simulator (1.41) gives probabilities of ordered targets in the inverse order, so the whole state is asked for;
    # its lowest qubit is the most significant
    amplitudes = np.asarray(LocalSimulator("braket_sv").run(unmeasured.state_vector(), shots=0).result().values[0])
    order = sorted((int(qubit) for qubit in unmeasured.qubits), reverse=True)
    return outcome_probabilities(amplitudes[None], [order.index(qubit) for qubit in qubits]).reshape(-1)


def _unmeasured(circuit: "Circuit") -> "Circuit":
    from braket.circuits import Circuit
    from braket.circuits.compiler_directive import CompilerDirective
    from braket.circuits.measure import Measure

    return Circuit([i for i in circuit.instructions if not isinstance(i.operator, Measure | CompilerDirective)])


def _without_barriers(circuit: "QuantumCircuit") -> "QuantumCircuit":
    kept = circuit.copy_empty_like()
    for instruction in circuit.data:
        if instruction.operation.name != "barrier":
            kept.append(instruction)
    return kept
