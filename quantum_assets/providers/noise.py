"""A `NoiseSpec` as an Aer noise model, and the probes that say which noise a simulator really applies.

Conventions, in the order in which they act after each gate of the basis: depolarising with Aer's parameter λ,
`ρ → (1 - λ) ρ + λ I / 2^k` on the k qubits of the gate; then amplitude damping γ on each of them, with Kraus operators
`diag(1, √(1-γ))` and `√γ |0><1|`. Readout flips each measured bit with probability r. It is a simulated model, the same
on every qubit, without crosstalk or drift: never to be presented as a device.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from quantum_assets.contracts.envelope import ComplexArray
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import NoiseSpec
from quantum_assets.contracts.workload import FloatArray

if TYPE_CHECKING:
    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel

_TOLERANCE = 1e-9
_PROBE_ANGLE = 0.7


def gate_widths(names: Iterable[str]) -> dict[str, int | None]:
    """Qubits of each standard gate by name; None for a name that is not a standard gate."""
    known = _standard_gates()
    return {name: known[name].num_qubits if name in known else None for name in names}


def noise_model(noise: NoiseSpec, basis_gates: tuple[str, ...]) -> "NoiseModel":
    """Aer's noise model of a spec over one- and two-qubit basis gates, the same on every qubit."""
    from qiskit_aer.noise import NoiseModel, ReadoutError, amplitude_damping_error, depolarizing_error

    damping = amplitude_damping_error(noise.amplitude_damping)
    errors = {
        1: depolarizing_error(noise.depolarizing_1q, 1).compose(damping),
        2: depolarizing_error(noise.depolarizing_2q, 2).compose(damping.tensor(damping)),
    }
    model = NoiseModel(basis_gates=list(basis_gates))
    for name, width in gate_widths(basis_gates).items():
        if width not in errors:
            raise ProviderError("transpilation.basis_gates", f"{name} is not a one- or two-qubit gate", "Remove it")
        model.add_all_qubit_quantum_error(errors[width], [name])
    if noise.readout:
        model.add_all_qubit_readout_error(ReadoutError(flips(noise.readout)))
    return model


def channel(noise: NoiseSpec, width: int) -> ComplexArray:
    """The noise after one gate as a superoperator on column-stacked density matrices, `(4**width, 4**width)`.

    Written from the definitions of the module docstring, without Aer, so that Aer can be held against it.
    """
    dimension = 2**width
    strength = noise.depolarizing_1q if width == 1 else noise.depolarizing_2q
    mixed = np.eye(dimension).reshape(-1, 1) @ np.eye(dimension).reshape(1, -1) / dimension
    depolarising = (1 - strength) * np.eye(dimension**2) + strength * mixed
    gamma = noise.amplitude_damping
    kraus = [np.diag([1.0, np.sqrt(1 - gamma)]), np.array([[0.0, np.sqrt(gamma)], [0.0, 0.0]])]
    joint = kraus if width == 1 else [np.kron(first, second) for first, second in product(kraus, kraus)]
    damping = sum(np.kron(operator.conj(), operator) for operator in joint)
    return np.asarray(damping @ depolarising, dtype=np.complex128)


def noise_in_force(simulator: "AerSimulator", gates: Iterable[str], asked: NoiseSpec | None) -> NoiseSpec | None:
    """Which noise a simulator really applies: each gate is run alone and its channel compared with the definition.

    Args:
        simulator: As it is used for the run.
        gates: Names of the gates in the circuits that run.
        asked: The noise of the profile.

    Returns:
        `asked` when every gate and the readout show it within 1e-9; None when none shows any noise.

    Raises:
        ProviderError: When it is neither, naming the first gate that differs.
    """
    confusion = _readout_of(simulator)
    probes = {name: _noise_of_gate(simulator, name) for name in sorted(gates)}
    if asked is not None:
        wrong = _differing(probes, asked) or _readout_fault(confusion, asked.readout)
        if wrong is None:
            return asked
    if _differing(probes, NoiseSpec()) is None and _readout_fault(confusion, 0.0) is None:
        return None
    culprit = wrong if asked is not None else "a gate or the readout"
    raise ProviderError("provider aer", f"{culprit} shows other noise than the profile's", "Report this as a defect")


def flips(readout: float) -> FloatArray:
    """`P(read | true)` of a measured bit that flips with probability `readout`: rows are true, columns are read."""
    return np.array([[1 - readout, readout], [readout, 1 - readout]])


@lru_cache(maxsize=1)  # qiskit makes every gate anew at each call
def _standard_gates() -> Mapping[str, Any]:
    from qiskit.circuit import Gate
    from qiskit.circuit.library import get_standard_gate_name_mapping

    gates = get_standard_gate_name_mapping().items()
    return MappingProxyType({name: gate for name, gate in gates if isinstance(gate, Gate)})


def _noise_of_gate(simulator: "AerSimulator", name: str) -> ComplexArray:
    """The channel left after undoing the ideal gate: the identity for a noiseless simulator."""
    from qiskit import QuantumCircuit
    from qiskit.quantum_info import Operator

    gate = _standard_gates()[name]
    circuit = QuantumCircuit(gate.num_qubits)
    circuit.append(gate.base_class(*[_PROBE_ANGLE] * len(gate.params)), range(gate.num_qubits))
    unitary = Operator(circuit).data
    circuit.save_superop()
    result = simulator.run(circuit, method="superop").result()
    if not result.success:
        raise ProviderError("provider aer", f"the probe of gate {name} failed: {result.status}", "Look at the gate")
    undo = np.kron(unitary.conj(), unitary).conj().T
    return np.asarray(np.asarray(result.data(0)["superop"]) @ undo, dtype=np.complex128)


def _differing(probes: dict[str, ComplexArray], noise: NoiseSpec) -> str | None:
    for name, found in probes.items():
        width = 1 if found.shape[0] == 4 else 2
        if np.abs(found - channel(noise, width)).max() > _TOLERANCE:
            return f"gate {name}"
    return None


def _readout_of(simulator: "AerSimulator") -> FloatArray:
    """The confusion matrix that measurements go through; the identity without readout errors."""
    model = simulator.options.noise_model
    errors = [] if model is None else model.to_dict()["errors"]
    readouts = [np.asarray(e["probabilities"], dtype=np.float64) for e in errors if e["type"] == "roerror"]
    return readouts[0] if readouts else np.eye(2)


def _readout_fault(confusion: FloatArray, flip: float) -> str | None:
    return None if np.abs(confusion - flips(flip)).max() <= _TOLERANCE else "readout"
