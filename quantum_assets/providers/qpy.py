"""A workload's circuit as a Qiskit object: read from its QPY bytes, and checked to be what the artifact says.

Providers do not know the room that wrote the circuit, so they read the archive themselves.
"""

import io
import struct
from typing import TYPE_CHECKING

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.workload import CircuitArtifact

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

# QPY below 13 may carry expressions that older readers evaluated as code.
OLDEST_QPY = 13
MAX_QPY_BYTES = 8_000_000


def circuit_of(artifact: CircuitArtifact) -> "QuantumCircuit":
    """Restore the circuit of an artifact; its parameters are in binding order.

    Raises:
        ProviderError: For bytes that are not QPY, older than version 13, larger than 8 MB or cut short; for a circuit
            of another width or with other parameters than the artifact says; and for one with clbits, whose
            measurements cannot be inverted.
    """
    from qiskit import qpy
    from qiskit.exceptions import QiskitError

    content = artifact.qpy
    if len(content) > MAX_QPY_BYTES or content[:6] != b"QISKIT" or content[6:7] < bytes([OLDEST_QPY]):
        raise _unreadable(artifact, f"is not QPY of version {OLDEST_QPY} or later within {MAX_QPY_BYTES} bytes")
    try:
        (circuit,) = qpy.load(io.BytesIO(content))
    except (QiskitError, ValueError, TypeError, KeyError, EOFError, struct.error) as error:
        raise _unreadable(artifact, f"cannot be read ({type(error).__name__})") from error
    names = tuple(parameter.name for parameter in circuit.parameters)
    if circuit.num_qubits != artifact.n_qubits or names != artifact.parameters:
        raise _unreadable(artifact, f"holds {circuit.num_qubits} qubits and parameters {names}, not what it says")
    if circuit.num_clbits:
        raise _unreadable(artifact, "holds classical bits; circuits travel unmeasured")
    return circuit


def _unreadable(artifact: CircuitArtifact, problem: str) -> ProviderError:
    return ProviderError(f"circuit {artifact.name}: qpy", problem, "Archive the circuit again")
