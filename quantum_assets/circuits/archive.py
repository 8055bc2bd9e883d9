"""Circuits in and out of storage: QPY for machines, OpenQASM 3 and a drawing for people, sizes for everybody."""

import io
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from quantum_assets.circuits.identity import circuit_fingerprint
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import CircuitArtifact

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.circuit import CircuitInstruction

# QPY below 13 may carry expressions that older readers evaluated as code; nothing here writes or reads it.
OLDEST_QPY = 13
MAX_QPY_BYTES = 8_000_000
_DRAWING_WIDTH = 120
_FONT_PIXELS, _BORDER = 12, 8
_PICTURE_LINES = 90


def archive(circuit: "QuantumCircuit", name: str) -> CircuitArtifact:
    """Freeze a circuit as stored evidence.

    Args:
        circuit: Standard or composite gates, parameters unbound.
        name: Human name; not part of the circuit's identity.

    Returns:
        The artifact. QPY is written at an explicit version: 13, or the oldest above it that this Qiskit still writes.
        Depth and two-qubit count are taken after expanding composite gates.

    Raises:
        PlanError: For a circuit without a canonical identity, or too large to store.
    """
    from qiskit import qasm3, qpy

    frozen = circuit.copy(name=name)
    frozen.metadata = {}
    version = max(OLDEST_QPY, int(qpy.common.QPY_COMPATIBILITY_VERSION))
    buffer = io.BytesIO()
    qpy.dump(frozen, buffer, version=version)
    content = buffer.getvalue()
    if len(content) > MAX_QPY_BYTES:
        raise PlanError(f"circuit {name}", f"takes {len(content)} bytes of QPY", f"Stay below {MAX_QPY_BYTES} bytes")
    expanded = _expanded(frozen)
    return CircuitArtifact(
        name=name,
        qpy=content,
        qpy_version=version,
        qasm3=qasm3.dumps(frozen),
        drawing=str(frozen.draw("text", fold=_DRAWING_WIDTH)),
        fingerprint=circuit_fingerprint(frozen),
        n_qubits=frozen.num_qubits,
        parameters=tuple(parameter.name for parameter in frozen.parameters),
        depth=expanded.depth(),
        two_qubit_gates=sum(len(i.qubits) == 2 and i.operation.name != "barrier" for i in expanded.data),
        operations=tuple(sorted({i.operation.name for i in expanded.data})),
    )


def restore(artifact: CircuitArtifact) -> "QuantumCircuit":
    """Read a circuit back from its QPY bytes, and make sure that it is the one named.

    Only for artifacts whose bytes were stored and verified by this installation: Qiskit's reader trusts the sizes that
    a file states, and a forged one can exhaust memory.

    Raises:
        PlanError: For bytes that are not QPY, older than version 13, too many or cut short, or that hold another
            circuit than the fingerprint says.
    """
    from qiskit import qpy
    from qiskit.exceptions import QiskitError

    culprit = f"circuit {artifact.name}: qpy"
    content = artifact.qpy
    if len(content) > MAX_QPY_BYTES or content[:6] != b"QISKIT" or content[6:7] < bytes([OLDEST_QPY]):
        raise PlanError(culprit, "is not QPY of version 13 or later within 8 MB", "Archive the circuit again")
    try:
        (circuit,) = qpy.load(io.BytesIO(content))
    except (QiskitError, ValueError, TypeError, KeyError, EOFError, struct.error) as error:
        raise PlanError(culprit, f"cannot be read ({type(error).__name__})", "Archive the circuit again") from error
    if circuit_fingerprint(circuit) != artifact.fingerprint:
        raise PlanError(culprit, "holds another circuit than the fingerprint says", "Archive the circuit again")
    return circuit


def drawing_png(artifact: CircuitArtifact) -> bytes:
    """The text drawing as a small PNG picture, the same bytes for the same drawing; long drawings are cut and say so.

    Qiskit's own matplotlib drawer needs pylatexenc, which this package does not install.
    """
    import matplotlib as mpl
    from PIL import Image, ImageDraw, ImageFont

    lines = artifact.drawing.splitlines()
    if len(lines) > _PICTURE_LINES:
        lines = [*lines[:_PICTURE_LINES], f"… {len(lines) - _PICTURE_LINES} further lines in the text drawing"]
    # Pillow sets a page of monospaced text a hundred times as fast as a matplotlib figure does; the font has the lines.
    font = ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSansMono.ttf"), _FONT_PIXELS)
    cell = font.getbbox("┼")
    wide, high = round(cell[2] - cell[0]), _FONT_PIXELS + 1
    size = (2 * _BORDER + wide * max(map(len, lines), default=1), 2 * _BORDER + high * max(len(lines), 1))
    picture = Image.new("L", size, color=255)
    pen = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        pen.text((_BORDER, _BORDER + row * high), line, fill=0, font=font)
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _expanded(circuit: "QuantumCircuit") -> "QuantumCircuit":
    """The circuit with composite gates replaced by their definitions until only one- and two-qubit gates are left."""
    while wide := {i.operation.name for i in circuit.data if _composite(i)}:
        circuit = circuit.decompose(sorted(wide))
    return circuit


def _composite(instruction: "CircuitInstruction") -> bool:
    operation = instruction.operation
    if operation.name == "barrier" or operation.definition is None:
        return False
    standard = operation.base_class.__module__.startswith("qiskit.circuit.library.standard_gates")
    return len(instruction.qubits) > 2 or not standard
