"""Noise from a backend's properties: its definition, whether a simulator applies it, and exact values under it.

The definition, per gate and the qubits that it acts on: depolarising, then relaxation of each qubit for the gate's
duration. Relaxation is amplitude damping with T1 and dephasing with T2 (at most 2 T1) towards the ground state. The
depolarising strength is chosen so that the average gate infidelity of both together is the reported gate error
(none where relaxation alone exceeds it). Each measured bit flips with its qubit's reported readout errors. There is no
crosstalk, no leakage and no drift in it: a simulated model, never to be presented as the device.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.envelope import ComplexArray
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.providers.aer_states import saved_probabilities
from quantum_assets.providers.compiled_circuit import CompiledCircuit
from quantum_assets.providers.samples import with_readout

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import Gate
    from qiskit.providers import BackendV2
    from qiskit.transpiler import Target
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel

#: Name of a gate, and the backend's qubits that it acts on.
Place = tuple[str, tuple[int, ...]]

_TOLERANCE = 1e-8
_PROBE_ANGLE = 0.7


@dataclass(frozen=True, eq=False)
class DeviceNoise:
    """The noise of one backend.

    Attributes:
        backend: Whose properties they are; a `BackendV2` with a target.
    """

    backend: "BackendV2"

    @cached_property
    def model(self) -> "NoiseModel":
        """Aer's noise model of it."""
        from qiskit_aer.noise import NoiseModel

        return NoiseModel.from_backend(self.backend)

    def simulator(self) -> "AerSimulator":
        """A one-thread density-matrix simulator with this noise, for circuits on the backend's qubits."""
        from qiskit_aer import AerSimulator

        simulator = AerSimulator(method="density_matrix", noise_model=self.model, max_parallel_threads=1)
        simulator.set_max_qubits(self.backend.num_qubits)  # qubits that nothing acts on cost nothing
        return simulator

    def require_in_force(self, simulator: "AerSimulator", compiled: CompiledCircuit) -> None:
        """Run every gate of a circuit alone, where it stands, and hold its channel against the definition.

        Raises:
            ProviderError: Naming the first gate, or the measurement, that shows other noise.
        """
        target, places = self.backend.target, _places(compiled)
        for (name, qubits), found in zip(places, _probes(simulator, target, places), strict=True):
            if np.abs(found - gate_channel(target, name, qubits)).max() > _TOLERANCE:
                raise _other_noise(self.backend.name, f"gate {name} on qubits {qubits}")
        applied = _readouts(simulator)
        for qubit in compiled.landed:
            if np.abs(applied.get(qubit, np.eye(2)) - confusion(target, qubit)).max() > _TOLERANCE:
                raise _other_noise(self.backend.name, f"the measurement of qubit {qubit}")

    def exact_outcomes(self, compiled: CompiledCircuit, values: FloatArray) -> FloatArray:
        """Exact outcome probabilities of a few circuits, readout errors included, from the definition.

        Aer evolves the density matrices, with the channels of `gate_channel`: nothing of its noise from backends is in
        it, so that a sampler which lost that, or made it otherwise, is found out.

        Args:
            compiled: The compiled circuit.
            values: Parameter values in radians, shape `(n, n_parameters)`.

        Returns:
            Shape `(n, 2**n_qubits)`, little-endian.
        """
        from qiskit.quantum_info import SuperOp
        from qiskit_aer import AerSimulator
        from qiskit_aer.noise import NoiseModel, QuantumError

        model = NoiseModel(basis_gates=list(compiled.gates))
        for name, qubits in _places(compiled):
            channel = gate_channel(self.backend.target, name, qubits)
            if not np.array_equal(channel, np.eye(len(channel))):
                model.add_quantum_error(QuantumError(SuperOp(channel)), [name], list(qubits))
        simulator = AerSimulator(method="density_matrix", noise_model=model, max_parallel_threads=1, shots=1)
        simulator.set_max_qubits(self.backend.num_qubits)
        prepared = compiled.circuit.copy()
        prepared.save_probabilities(list(compiled.landed))
        confusions = [confusion(self.backend.target, qubit) for qubit in compiled.landed]
        return with_readout(saved_probabilities(simulator, prepared, values), confusions)


def _places(compiled: CompiledCircuit) -> list[Place]:
    """Every gate of a circuit with the qubits that it acts on, once each, sorted."""
    circuit = compiled.circuit
    found = {(i.operation.name, tuple(circuit.find_bit(q).index for q in i.qubits)) for i in circuit.data}
    return sorted(place for place in found if place[0] != "barrier")


def gate_channel(target: "Target", name: str, qubits: tuple[int, ...]) -> ComplexArray:
    """The noise after one gate, by the definition, as a superoperator on column-stacked density matrices.

    Shape `(4**k, 4**k)`; the first qubit is the least significant.
    """
    properties = target[name].get(qubits)
    dimension = 2 ** len(qubits)
    relaxation = np.eye(dimension**2, dtype=np.complex128)
    if properties is None:
        return relaxation
    if properties.duration:
        relaxation = _relaxation(target, qubits, properties.duration)
    strength = _depolarising(relaxation, properties.error or 0.0, dimension)
    mixed = np.eye(dimension).reshape(-1, 1) @ np.eye(dimension).reshape(1, -1) / dimension
    return np.asarray(relaxation @ ((1 - strength) * np.eye(dimension**2) + strength * mixed), dtype=np.complex128)


def confusion(target: "Target", qubit: int) -> FloatArray:
    """`P(read | true)` of a qubit's measurement: rows are what is true, columns what is read."""
    measured = target["measure"].get((qubit,))
    error = (measured.error if measured is not None else 0.0) or 0.0
    one_for_zero = getattr(measured, "prob_meas1_prep0", error)
    zero_for_one = getattr(measured, "prob_meas0_prep1", error)
    return np.array([[1 - one_for_zero, one_for_zero], [zero_for_one, 1 - zero_for_one]])


def _relaxation(target: "Target", qubits: tuple[int, ...], seconds: float) -> ComplexArray:
    joint: FloatArray = np.eye(1)
    operators = []
    for qubit in qubits:
        properties = target.qubit_properties[qubit]
        t1 = np.inf if properties.t1 is None else properties.t1
        t2 = min(np.inf if properties.t2 is None else properties.t2, 2 * t1)
        damped, coherence = 1 - np.exp(-seconds / t1), np.exp(-seconds / t2)
        one = np.diag([1.0, coherence, coherence, 1 - damped])
        one[0, 3] = damped
        operators.append(one)
    # (row, column) of each qubit apart, so that the qubits can be stacked one upon the other
    for one in operators:
        joint = np.asarray(np.kron(one, joint), dtype=np.float64)
    return _restacked(joint, len(qubits))


def _restacked(product: FloatArray, width: int) -> ComplexArray:
    """From a product of one-qubit superoperators to one of column-stacked density matrices of all qubits."""
    if width == 1:
        return np.asarray(product, dtype=np.complex128)
    # indices, most significant first: (column_1, row_1, column_0, row_0) → (column_1, column_0, row_1, row_0)
    half = [*range(0, 2 * width, 2), *range(1, 2 * width, 2)]
    order = [*half, *(2 * width + index for index in half)]
    tensor = product.reshape([2] * (4 * width)).transpose(order)
    return np.asarray(tensor.reshape(4**width, 4**width), dtype=np.complex128)


def _depolarising(relaxation: ComplexArray, error: float, dimension: int) -> float:
    process = float(np.trace(relaxation).real) / dimension**2
    fidelity = (dimension * process + 1) / (dimension + 1)
    if error <= 1 - fidelity:
        return 0.0
    error = min(error, dimension / (dimension + 1))
    strength = dimension * (error - (1 - fidelity)) / (dimension * fidelity - 1)
    return float(min(strength, dimension**2 / (dimension**2 - 1)))


def _probes(simulator: "AerSimulator", target: "Target", places: list[Place]) -> Iterator[ComplexArray]:
    """The channel that each gate leaves after undoing the ideal one, from its Choi state."""
    from qiskit.quantum_info import Operator

    gates = [_probed_gate(target, name) for name, _ in places]
    simulator.set_max_qubits(target.num_qubits + 2)
    # one run: Aer converts the noise model anew in every one
    result = simulator.run([_probe(g, q, target.num_qubits) for g, (_, q) in zip(gates, places, strict=True)]).result()
    simulator.set_max_qubits(target.num_qubits)
    if not result.success:
        raise ProviderError("provider aer", f"the probes of its gates failed: {result.status}", "Look at the gates")
    for index, gate in enumerate(gates):
        dimension = 2**gate.num_qubits
        # ρ[(spare, qubits), (spare', qubits')] = E(|spare><spare'|)[qubits, qubits'] / d: columns of the superoperator
        state = np.asarray(result.data(index)["density_matrix"]).reshape([dimension] * 4)
        found = dimension * state.transpose(3, 1, 2, 0).reshape(dimension**2, dimension**2)
        ideal = Operator(gate).data
        yield np.asarray(found @ np.kron(ideal.conj(), ideal).conj().T, dtype=np.complex128)


def _probed_gate(target: "Target", name: str) -> "Gate":
    gate = target.operation_from_name(name)
    return gate.base_class(*[_PROBE_ANGLE] * len(gate.params)) if gate.params else gate


def _probe(gate: "Gate", qubits: tuple[int, ...], total: int) -> "QuantumCircuit":
    """One gate where it stands, each of its qubits entangled with a spare one behind the backend's last."""
    from qiskit import QuantumCircuit
    from qiskit.circuit.library import UnitaryGate

    spare = range(total, total + len(qubits))
    bell = np.array([[1, 1, 0, 0], [0, 0, 1, -1], [0, 0, 1, 1], [1, -1, 0, 0]]) / np.sqrt(2)
    circuit = QuantumCircuit(total + len(qubits))
    for qubit, other in zip(qubits, spare, strict=True):
        circuit.append(UnitaryGate(bell, label="entangle"), [qubit, other])
    circuit.append(gate, qubits)
    circuit.save_density_matrix([*qubits, *spare])
    return circuit


def _readouts(simulator: "AerSimulator") -> dict[int, FloatArray]:
    """The confusion matrices that measurements go through, by qubit."""
    model = simulator.options.noise_model
    errors = [] if model is None else model.to_dict()["errors"]
    return {
        qubit: np.asarray(error["probabilities"], dtype=np.float64)
        for error in errors
        if error["type"] == "roerror"
        for (qubit,) in error["gate_qubits"]
    }


def _other_noise(backend: str, where: str) -> ProviderError:
    return ProviderError(
        "provider aer", f"{where} shows other noise than the properties of {backend}", "Report this as a defect"
    )
