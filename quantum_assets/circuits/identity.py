"""The canonical hash of a circuit: what it does gate by gate, not what it is called or how it was written down.

QPY bytes differ between processes and versions, and OpenQASM 3 drops the global phase and merges close angles, so
neither is an identity. The walk here hashes:

- operations in a canonical order: by ASAP level, then by qubits. Operations of one level share no wire, so the order in
  which commuting operations on disjoint qubits were appended does not matter, and nothing else is reordered;
- standard gates by name and parameters, unitary gates by their matrix, everything else by its definition, recursively
  and without its name (Qiskit names composite gates after a per-process counter);
- qubits, clbits and parameters by index, never by name: a renamed register or parameter changes nothing as long as
  the order stays;
- numbers exactly, with -0.0 equal to 0.0, and the global phase with them;
- parameter expressions by their values at `_POINTS` fixed points, rounded to `_DECIMALS` decimals, because their text
  depends on the symbolic engine's version. Expressions that agree there to within 1e-10 are one expression.
"""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_POINTS = 4
_DECIMALS = 10
# Where a name says what an operation does; a user's own gate of the same name comes from elsewhere.
_NAMED_MODULES = (
    "qiskit.circuit.library.standard_gates",
    "qiskit.circuit.barrier",
    "qiskit.circuit.measure",
    "qiskit.circuit.reset",
)


def circuit_fingerprint(circuit: "QuantumCircuit") -> str:
    """Hash a circuit canonically; equal in every process and for every spelling of the same gates on the same wires.

    Args:
        circuit: Bound or parameterised; gates, barriers, measurements and resets. Composite gates are hashed by their
            definitions.

    Returns:
        64 lower-case hexadecimal characters.

    Raises:
        PlanError: For control flow, opaque instructions and values that have no canonical form.
    """
    index = {parameter: position for position, parameter in enumerate(circuit.parameters)}
    return fingerprint("circuit/v1", len(index), _canonical(circuit, index))


def _canonical(circuit: "QuantumCircuit", index: Mapping[Any, int]) -> list[Any]:
    qubits = {qubit: position for position, qubit in enumerate(circuit.qubits)}
    clbits = {clbit: position for position, clbit in enumerate(circuit.clbits)}
    level: dict[Any, int] = {}
    operations: list[tuple[int, list[int], list[int], Any]] = []
    for instruction in circuit.data:
        wires = (*instruction.qubits, *instruction.clbits)
        at = 1 + max((level.get(wire, 0) for wire in wires), default=-1)
        level.update(dict.fromkeys(wires, at))
        where = [qubits[q] for q in instruction.qubits], [clbits[c] for c in instruction.clbits]
        operations.append((at, *where, _operation(instruction.operation, index)))
    operations.sort(key=_order)
    return [circuit.num_qubits, circuit.num_clbits, _number(circuit.global_phase, index), operations]


def _order(operation: tuple[int, list[int], list[int], Any]) -> tuple[int, list[int], list[int], str]:
    """Operations without wires (a global phase gate) commute with all: they share level 0 and go by content."""
    level, qubits, clbits, content = operation
    return level, qubits, clbits, "" if level else fingerprint(content)


def _operation(operation: Any, index: Mapping[Any, int]) -> list[Any]:
    """What one operation does: a name with parameters, a matrix, or its definition."""
    kind = str(operation.base_class.__module__)  # singletons have classes of their own, without a module
    if kind.startswith(_NAMED_MODULES):
        return [operation.name, [_number(value, index) for value in operation.params]]
    if kind.endswith("generalized_gates.unitary"):
        return ["matrix", np.asarray(operation.params[0], dtype=np.complex128)]
    definition = getattr(operation, "definition", None)
    if definition is None or hasattr(operation, "blocks"):
        raise PlanError(
            f"circuit operation {operation.name}",
            "has no definition in gates, so the circuit has no canonical identity",
            "Use standard gates, or give the operation a definition; control flow is not supported",
        )
    return ["definition", _canonical(definition, index)]


def _number(value: Any, index: Mapping[Any, int]) -> Any:
    """A number exactly, or an expression by its values at the fixed points."""
    if isinstance(value, (int, float, complex, np.number)):
        return _plain(value)
    if not hasattr(value, "parameters"):
        raise PlanError(f"gate parameter {value!r}", "is not a number or an expression", "Use numbers and parameters")
    foreign = [parameter.name for parameter in value.parameters if parameter not in index]
    if foreign:
        raise PlanError(
            f"gate parameter {foreign[0]}",
            "is used in a definition but is not a parameter of the circuit",
            "Pass the parameter to the gate that uses it",
        )
    if not value.parameters:
        return _plain(value.numeric())
    return ["expression", [_sample(value, index, point) for point in range(_POINTS)]]


def _plain(value: Any) -> complex | float:
    """Ints, floats and complex numbers without an imaginary part are one number: 1, 1.0 and 1+0j."""
    number = complex(value)
    return number if number.imag else number.real


def _sample(expression: Any, index: Mapping[Any, int], point: int) -> complex | float:
    values = {parameter: _coordinate(index[parameter], point) for parameter in expression.parameters}
    number = complex(expression.bind(values).numeric())
    return _plain(complex(round(number.real, _DECIMALS), round(number.imag, _DECIMALS)))


def _coordinate(parameter: int, point: int) -> float:
    """A fixed number in (0, 1) with ten binary digits, so that small polynomials are evaluated without rounding."""
    digest = hashlib.sha256(f"{parameter}/{point}".encode()).digest()
    return (2 * (int.from_bytes(digest[:2], "little") % 512) + 1) / 1024
