"""Quantum tasks of Amazon Braket: made once a client token, found again by tag, read back in our words.

An order is several tasks. Every one carries tags that say whose it is and what it holds, so that nothing needs to be
remembered here: the tasks themselves are the record. A job's id is its tasks' ARNs, with what they share written once.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import JobState, JobStatus
from quantum_assets.providers.braket_local import packed_outcomes
from quantum_assets.providers.samples import zero_shares

if TYPE_CHECKING:
    from braket.aws import AwsSession

_TAG = "quantum-assets-"
_STATES: Mapping[str, JobState] = {
    "CREATED": "queued",
    "QUEUED": "queued",
    "RUNNING": "running",
    "CANCELLING": "running",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
_COUNTED = 1e-6
ENDED = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass(frozen=True)
class Part:
    """One task's share of an order, as its tags say.

    Attributes:
        order: Key of the order.
        index: Place among the order's tasks.
        total: Number of them.
        workload: Place of its workload in the order.
        start: First pair, or binding, of that workload.
        stop: The one after the last.
        compiled: Facts about the compiled circuit, as an envelope's metrics.
        basis: Gates of the compiled circuit.
        calibration: Digest of the device's calibration at submission; empty for simulators.
        correlation_id: Of the order.
        qubits: For samples: the device's qubit behind each bit; overlaps need none, for all zeros have no order.
    """

    order: str
    index: int
    total: int
    workload: int
    start: int
    stop: int
    compiled: Mapping[str, float]
    basis: tuple[str, ...]
    calibration: str
    correlation_id: str
    qubits: tuple[int, ...] = ()

    @property
    def token(self) -> str:
        """Client token: 64 characters, Braket's limit; the same order and place give the same task for ever."""
        return fingerprint("braket-task/v1", self.order, self.index)

    @property
    def tags(self) -> dict[str, str]:
        """As AWS tags; all of them use characters that tags may have."""
        facts = " ".join(f"{name}={value!r}" for name, value in sorted(self.compiled.items()))
        named = {
            "order": self.order,
            "task": f"{self.index}/{self.total}",
            "pairs": f"{self.workload}:{self.start}:{self.stop}",
            "compiled": facts,
            "basis": " ".join(self.basis),
            "calibration": self.calibration,
            "correlation": self.correlation_id,
            "qubits": " ".join(map(str, self.qubits)),
        }
        return {_TAG + name: value for name, value in named.items() if value}


def part_of(tags: Mapping[str, str]) -> Part | None:
    """What a task's tags say; None for a task of somebody else.

    Raises:
        ProviderError: When tags of ours do not read as we write them.
    """
    if _TAG + "order" not in tags:
        return None
    ours = {name.removeprefix(_TAG): value for name, value in tags.items()}
    try:
        index, total = (int(number) for number in ours["task"].split("/"))
        workload, start, stop = (int(number) for number in ours["pairs"].split(":"))
        compiled = {name: float(value) for name, _, value in (fact.partition("=") for fact in ours["compiled"].split())}
        basis = tuple(ours["basis"].split())
        qubits = tuple(int(number) for number in ours.get("qubits", "").split())
    except (KeyError, ValueError) as error:
        raise ProviderError(
            f"order {ours['order'][:12]}", "has a task whose tags were changed", "Submit the workload again"
        ) from error
    return Part(
        ours["order"],
        index,
        total,
        workload,
        start,
        stop,
        compiled,
        basis,
        ours.get("calibration", ""),
        ours.get("correlation", ""),
        qubits,
    )


def job_of(arns: Sequence[str]) -> str:
    """One id for several tasks: their common beginning, then what differs, separated by semicolons."""
    head, _, _ = arns[0].rpartition("/")
    return head + "/" + ";".join(arn.removeprefix(head + "/") for arn in arns)


def arns_of(job: str) -> tuple[str, ...]:
    """The ARNs of a job's tasks."""
    head, _, names = job.rpartition("/")
    return tuple(f"{head}/{name}" for name in names.split(";"))


def find_job(session: "AwsSession", device: str, order: str) -> str | None:
    """The job of an order, when every one of its tasks is there; a part of them is not a job yet.

    Braket searches by device and not by tag, so the account's tasks on that device are paged through.
    """
    tasks, total = _tasks_of(session, device, order)
    return job_of(tasks) if tasks and len(tasks) == total else None


def find_remains(session: "AwsSession", device: str, order: str) -> str | None:
    """A job of those tasks of an order that are there, all of them or a part; None when there is none."""
    tasks, _ = _tasks_of(session, device, order)
    return job_of(tasks) if tasks else None


def _tasks_of(session: "AwsSession", device: str, order: str) -> tuple[list[str], int]:
    """ARNs of an order's tasks by their place, and how many it has when it is whole."""
    found: dict[int, str] = {}
    total = 0
    paginator = session.braket_client.get_paginator("search_quantum_tasks")
    for page in paginator.paginate(filters=[{"name": "deviceArn", "operator": "EQUAL", "values": [device]}]):
        for task in page["quantumTasks"]:
            part = part_of(task.get("tags", {})) if (task.get("tags", {}).get(_TAG + "order") == order) else None
            if part is not None:
                found[part.index], total = task["quantumTaskArn"], part.total
        if len(found) == total > 0:
            break
    return [found[index] for index in sorted(found)], total


def joint_status(tasks: Sequence[Mapping[str, Any]]) -> JobStatus:
    """The status of a job from its tasks as `GetQuantumTask` tells them.

    It moves as long as one task does. Once all have ended it is completed if any task is: what failed fails alone.
    """
    words = Counter(str(task.get("status")) for task in tasks)
    states = {_STATES.get(word, "unknown") for word in words}
    failed = [str(task.get("failureReason") or "no reason given") for task in tasks if task.get("status") == "FAILED"]
    spans = [seconds for task in tasks if (seconds := _lifetime(task)) is not None]
    return JobStatus(
        state=_joint_state(states),
        raw=", ".join(f"{count} {word}" if len(tasks) > 1 else word for word, count in sorted(words.items())),
        queue_position=_queue_position(tasks),
        code="FAILED" if failed else "",
        message="; ".join(sorted(set(failed)))[:500],
        seconds={"lifetime": max(spans)} if spans and len(spans) == len(tasks) else {},
        circuits=_billed(tasks),
    )


def _billed(tasks: Sequence[Mapping[str, Any]]) -> int | None:
    """Circuits of the tasks that cost something, which those that failed or were cancelled do not (SDK: `Tracker`)."""
    try:
        parts = [part_of(task.get("tags", {})) for task in tasks if task.get("status") not in ("FAILED", "CANCELLED")]
    except ProviderError:
        return None
    return None if None in parts else sum(part.stop - part.start for part in parts if part is not None)


def _joint_state(states: set[JobState]) -> JobState:
    if "unknown" in states:
        return "unknown"
    if states <= {"completed", "failed", "cancelled"}:
        ends: tuple[JobState, ...] = ("completed", "failed", "cancelled")
        return next(state for state in ends if state in states)
    return "queued" if states == {"queued"} else "running"


def _queue_position(tasks: Sequence[Mapping[str, Any]]) -> int | None:
    """Of the task that waits longest; Braket says ``>2000`` beyond that number."""
    told = [str(task.get("queueInfo", {}).get("position", "")).lstrip(">") for task in tasks]
    return max((int(position) for position in told if position.isdigit()), default=None)


def _lifetime(task: Mapping[str, Any]) -> float | None:
    created, ended = task.get("createdAt"), task.get("endedAt")
    if isinstance(created, datetime) and isinstance(ended, datetime):
        return (ended - created).total_seconds()
    return None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one task measured.

    Attributes:
        kept: One row a circuit: the share of all-zero outcomes, or all of them, packed.
        shots: Outcomes behind each.
        seconds: Of the simulator; 0 where they are not told.
    """

    kept: npt.NDArray[Any]
    shots: int
    seconds: float


def outcome_of(text: str, task: str, qubits: Sequence[int] = ()) -> Outcome:
    """Read a task's result file: one circuit's, or those of a program set in order.

    Args:
        text: The file.
        task: The task's ARN.
        qubits: For samples, the device's qubit behind each bit; none: only the share of all-zero outcomes is kept.

    Raises:
        ProviderError: When it is cut short, is no result, or holds a circuit that failed.
    """
    from braket.schema_common import BraketSchemaBase
    from braket.task_result import GateModelTaskResult, ProgramSetTaskResult

    try:
        result = BraketSchemaBase.parse_raw_schema(text)
    except Exception as error:  # the schema's parser raises whatever its module look-up and two pydantics raise
        raise _unreadable(task, f"is no result of Braket ({type(error).__name__})") from error
    if isinstance(result, GateModelTaskResult):
        kept, shots = _measured(result, result.taskMetadata.shots, task, qubits)
        simulator = getattr(result.additionalMetadata, "simulatorMetadata", None)
        milliseconds = getattr(simulator, "executionDuration", None) or 0
        return Outcome(kept[None], shots, milliseconds / 1000)
    if isinstance(result, ProgramSetTaskResult):
        return _program_set(result, task, qubits)
    raise _unreadable(task, f"is a {type(result).__name__}")


def _program_set(result: Any, task: str, qubits: Sequence[int]) -> Outcome:
    from braket.tasks.program_set_quantum_task_result import ProgramSetQuantumTaskResult

    measured = ProgramSetQuantumTaskResult.from_object(result)
    metadata = measured.task_metadata
    entries = [each for program in measured.entries for each in program.entries]
    if metadata.totalFailedExecutables or not entries:
        raise _unreadable(task, f"reports {metadata.totalFailedExecutables} circuits that failed")
    shots = {len(each.measurements) for each in entries}
    if len(shots) != 1:
        raise _unreadable(task, f"holds circuits of {sorted(shots)} shots")
    kept = [_kept(np.asarray(each.measurements), each.measured_qubits, qubits) for each in entries]
    return Outcome(np.stack(kept), shots.pop(), 0.0)


def _measured(result: Any, told: int, task: str, qubits: Sequence[int]) -> tuple[npt.NDArray[Any], int]:
    """From the outcomes; from the shares of outcomes where a device gives those only, over the shots it says."""
    if result.measurements:
        try:
            rows = np.array(result.measurements, dtype=np.int64)
        except ValueError as error:
            raise _unreadable(task, "holds shots of different widths") from error
        return _kept(rows, result.measuredQubits or (), qubits), len(rows)
    shares = result.measurementProbabilities
    if not shares:
        raise _unreadable(task, "holds no outcomes")
    if not qubits:
        return np.asarray(shares.get("0" * len(next(iter(shares))), 0.0)), int(told)
    return _kept(_counted(shares, told, task), result.measuredQubits or (), qubits), int(told)


def _kept(rows: npt.NDArray[Any], measured: Sequence[int], qubits: Sequence[int]) -> npt.NDArray[Any]:
    if qubits:
        return packed_outcomes(rows, measured, qubits)
    return zero_shares(rows != 0)


def _counted(shares: Mapping[str, float], told: int, task: str) -> npt.NDArray[np.int64]:
    """One row a shot from shares of outcomes; shots have no order that could be lost.

    Raises:
        ProviderError: When they are not whole counts of the shots, as shares that were corrected are not.
    """
    counts = np.array(list(shares.values())) * told
    whole = np.rint(counts).astype(np.int64)
    if np.abs(counts - whole).max() > _COUNTED or whole.sum() != told:
        raise _unreadable(task, f"holds shares of outcomes that are no counts of {told} shots")
    return np.repeat([[int(bit) for bit in outcome] for outcome in shares], whole, axis=0)


def _unreadable(task: str, problem: str) -> ProviderError:
    return ProviderError(f"quantum task {task.rpartition('/')[2]}", f"its result {problem}", "Run it again", True)
