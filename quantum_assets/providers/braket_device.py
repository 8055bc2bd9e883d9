"""What Amazon Braket tells of a device: width, queue, errors, calibration, and how many circuits a task takes."""

import hashlib
import json
from statistics import median
from typing import TYPE_CHECKING

from quantum_assets.contracts.jobs import BackendFact, Calibration

if TYPE_CHECKING:
    from braket.aws import AwsDevice


def is_hardware(backend: str) -> bool:
    """Whether an ARN names a quantum device and not a simulator."""
    return ":device/qpu/" in backend


def task_size(device: "AwsDevice", shots: int) -> int:
    """Circuits in one task: one, or what the device takes as a program set."""
    from braket.device_schema import DeviceActionType

    action = device.properties.action.get(DeviceActionType.OPENQASM_PROGRAM_SET)
    return 1 if action is None else max(1, min(action.maximumExecutables, action.maximumTotalShots // shots))


def fact_of(device: "AwsDevice") -> BackendFact:
    """Its width, queue and two-qubit error, as Braket tells them now."""
    return BackendFact(device.arn, int(device.properties.paradigm.qubitCount), _queue(device), _error(device))


def _queue(device: "AwsDevice") -> int | None:
    """Tasks before one's own; Braket counts to 4000, and says so (``>4000``)."""
    from braket.aws.queue_information import QueueType

    said = device.queue_depth().quantum_tasks.get(QueueType.NORMAL)
    return None if said is None else int(said.lstrip(">"))


def _error(device: "AwsDevice") -> float | None:
    """Median over pairs of qubits of the error of the best gate between them; managed simulators have none."""
    if not is_hardware(device.arn):
        return 0.0
    standardized = getattr(device.properties, "standardized", None)
    pairs = (getattr(standardized, "twoQubitProperties", None) or {}).values()
    errors = [1.0 - max(gate.fidelity for gate in pair.twoQubitGateFidelity) for pair in pairs]
    return median(errors) if errors else None


def calibration_of(device: "AwsDevice") -> Calibration:
    """Of what describes the machine; opening hours, prices and pictures are left out."""
    properties = json.loads(device.properties.json())
    service = properties.pop("service", {})
    header = properties.get("braketSchemaHeader", {})
    return Calibration(
        backend=device.arn,
        version=f"{header.get('name', '')} {header.get('version', '')}".strip(),
        digest=hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest(),
        updated_at=str(service.get("updatedAt") or ""),
    )
