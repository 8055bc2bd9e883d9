"""The QAOA ansatz as a circuit artifact: the gates whose product `contracts.qaoa` states, and nothing approximated.

Energy terms are RZ, RZZ or, from three variables on, RZ between two ladders of CX; mixers are RX, RY·RZ·RY or
XXPlusYY gates in the stated order. Qiskit's own exponential of a sum (PauliEvolutionGate) is never used: untranspiled
it is the exact exponential, transpiled it is a Trotter product, and the two differ.

Parameters are `beta_0, …` and `gamma_0, …`, with leading zeros from eleven layers on, so that Qiskit's alphabetical
order is all betas and then all gammas, each by layer. `binding` puts angles in that order.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from quantum_assets.circuits.archive import archive, restore
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.contracts.qaoa import AngleTable, AnsatzSpec, mixer_edges
from quantum_assets.contracts.workload import CircuitArtifact, FloatArray

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import ParameterExpression

_MOST_EXACT = 20


def ansatz(ising: Ising, spec: AnsatzSpec, name: str = "qaoa") -> CircuitArtifact:
    """Archive the circuit of an ansatz on a polynomial, angles unbound.

    Args:
        ising: Its terms and coefficients; the offset is no part of the circuit.
        spec: The ansatz.
        name: Human name; not part of the circuit's identity.

    Raises:
        PlanError: For an ansatz that does not fit the width, or a polynomial without terms.
    """
    return archive(ansatz_circuit(ising, spec), name)


def ansatz_circuit(ising: Ising, spec: AnsatzSpec) -> "QuantumCircuit":
    """The circuit of an ansatz without measurements.

    Raises:
        PlanError: As `ansatz`.
    """
    from qiskit import QuantumCircuit
    from qiskit.circuit import Parameter

    spec.check_width(ising.n_variables)
    if not ising.terms:
        raise PlanError("Ising polynomial", "has no terms, so every state is as good", "Give it an objective")
    circuit = QuantumCircuit(ising.n_variables)
    _start(circuit, spec)
    for gamma, beta in zip(*_names(spec.layers), strict=True):
        _separate(circuit, ising, Parameter(gamma))
        _mix(circuit, spec, Parameter(beta))
    return circuit


def binding(artifact: CircuitArtifact, angles: AngleTable) -> FloatArray:
    """House angles in the order of the artifact's parameters, one row, shape `(1, n_parameters)`.

    Raises:
        PlanError: For angles of another number of layers.
    """
    table = angles.house()
    gammas, betas = _names(table.layers)
    values = dict(zip((*gammas, *betas), (*table.gammas, *table.betas), strict=True))
    if set(values) != set(artifact.parameters):
        raise PlanError(
            f"circuit {artifact.name}",
            f"has {len(artifact.parameters)} parameters for angles of {table.layers} layers",
            "Build the circuit with as many layers as there are angles",
        )
    return np.array([[values[name] for name in artifact.parameters]])


def amplitudes(artifact: CircuitArtifact, angles: AngleTable) -> npt.NDArray[np.complex128]:
    """State of the archived circuit by Qiskit's own simulator, for the check that it is the trained ansatz.

    Raises:
        PlanError: For more than 20 qubits, or angles that do not fit.
    """
    from qiskit.quantum_info import Statevector

    if artifact.n_qubits > _MOST_EXACT:
        raise PlanError(
            f"circuit {artifact.name}",
            f"has {artifact.n_qubits} qubits; the exact check takes {_MOST_EXACT} at most",
            "Check a smaller instance of the same ansatz",
        )
    bound = restore(artifact).assign_parameters(binding(artifact, angles)[0])
    return np.asarray(Statevector(bound).data)


def _names(layers: int) -> tuple[list[str], list[str]]:
    digits = len(str(layers - 1))
    return [f"gamma_{layer:0{digits}}" for layer in range(layers)], [
        f"beta_{layer:0{digits}}" for layer in range(layers)
    ]


def _separate(circuit: "QuantumCircuit", ising: Ising, gamma: "ParameterExpression") -> None:
    """exp(-iγE): every term is a Z string with twice its coefficient as the angle."""
    for term, weight in zip(ising.terms, ising.coefficients.tolist(), strict=True):
        angle = 2.0 * weight * gamma
        if len(term) == 1:
            circuit.rz(angle, term[0])
        elif len(term) == 2:
            circuit.rzz(angle, *term)
        else:
            ladder = list(pairwise(term))
            for control, target in ladder:
                circuit.cx(control, target)
            circuit.rz(angle, term[-1])
            for control, target in reversed(ladder):
                circuit.cx(control, target)


def _start(circuit: "QuantumCircuit", spec: AnsatzSpec) -> None:
    if spec.cardinality is not None:
        dicke(circuit, spec.cardinality)
    elif spec.initial == "warm":
        for qubit, tilt in enumerate(spec.tilts(circuit.num_qubits).tolist()):
            circuit.ry(tilt, qubit)
    else:
        circuit.h(range(circuit.num_qubits))


def _mix(circuit: "QuantumCircuit", spec: AnsatzSpec, beta: "ParameterExpression") -> None:
    from qiskit.circuit.library import XXPlusYYGate

    if spec.constrained:
        for first, second in mixer_edges(spec.mixer, circuit.num_qubits):
            circuit.append(XXPlusYYGate(2.0 * beta), [first, second])
    elif spec.initial == "warm":
        for qubit, tilt in enumerate(spec.tilts(circuit.num_qubits).tolist()):
            circuit.ry(-tilt, qubit)
            circuit.rz(2.0 * beta, qubit)
            circuit.ry(tilt, qubit)
    else:
        circuit.rx(2.0 * beta, range(circuit.num_qubits))


def dicke(circuit: "QuantumCircuit", ones: int) -> None:
    """Append the even superposition of all states with so many ones, to a circuit in `|0…0⟩`.

    Bärtschi and Eidenbenz, arXiv:1904.07358: split and cyclic shift on ever fewer qubits, O(k n) gates and no ancilla.
    With more ones than zeros the zeros are spread instead and all qubits flipped.

    Args:
        circuit: All its qubits take part.
        ones: From 0 to the width.
    """
    width = circuit.num_qubits
    fewer = min(ones, width - ones)
    if fewer:
        circuit.x(range(width - fewer, width))
        for last in range(width - 1, 0, -1):
            _split_and_shift(circuit, last, min(fewer, last))
    if fewer != ones:
        circuit.x(range(width))


def _split_and_shift(circuit: "QuantumCircuit", last: int, ones: int) -> None:
    """SCS on qubits 0..last: a one on the last qubit stays or moves to the front of the ones before it."""
    for reach in range(1, ones + 1):
        target = last - reach
        angle = 2.0 * float(np.arccos(np.sqrt(reach / (last + 1))))
        circuit.cx(target, last)
        _controlled_turn(circuit, angle, [last] if reach == 1 else [last, target + 1], target)
        circuit.cx(target, last)


def _controlled_turn(circuit: "QuantumCircuit", angle: float, controls: Sequence[int], target: int) -> None:
    """RY under one or two controls, in gates of two qubits."""
    if len(controls) == 1:
        circuit.cry(angle, controls[0], target)
        return
    first, second = controls
    circuit.cry(angle / 2, second, target)
    circuit.cx(first, second)
    circuit.cry(-angle / 2, second, target)
    circuit.cx(first, second)
    circuit.cry(angle / 2, first, target)
