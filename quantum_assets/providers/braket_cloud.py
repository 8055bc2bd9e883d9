"""Orders on Amazon Braket's devices and managed simulators, named by ARN.

Credentials, region and the bucket for results come from the environment, through boto3's own chain
(``AWS_ACCESS_KEY_ID`` …, ``AWS_REGION``, ``AMZN_BRAKET_OUT_S3_BUCKET``). Every circuit of an order is a quantum task of
its own, or, where the device takes program sets, as many as it allows are one task.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.envelope import ResultEnvelope, Timings
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobStatus, Order
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import installed
from quantum_assets.providers.braket_circuits import (
    BraketCircuits,
    check_circuits,
    for_device,
    for_simulator,
    ideal_tile,
)
from quantum_assets.providers.braket_device import calibration_of, fact_of, is_hardware, task_size
from quantum_assets.providers.braket_tasks import (
    ENDED,
    Outcome,
    Part,
    arns_of,
    find_job,
    find_remains,
    job_of,
    joint_status,
    outcome_of,
    part_of,
)
from quantum_assets.providers.compiled import compiled_size
from quantum_assets.providers.measured import data_of, deviation

if TYPE_CHECKING:
    from braket.aws import AwsDevice, AwsSession
    from braket.circuits import Circuit

PACKAGES = ("numpy", "qiskit", "qiskit-braket-provider", "amazon-braket-sdk", "boto3")
_PREFIX = "quantum-assets"
_NOT_FOUND = "ResourceNotFoundException"

SessionOf = Callable[[str], "AwsSession"]
Task = Mapping[str, Any]


def aws_session(region: str) -> "AwsSession":
    """A session of the environment's credentials; an empty region is the environment's own."""
    import boto3
    from braket.aws import AwsSession

    return AwsSession(boto3.Session(region_name=region)) if region else AwsSession()


@dataclass(frozen=True)
class BraketCloud:
    """The job methods for ARNs; sessions are made when they are first needed, one a region."""

    session_of: SessionOf = aws_session
    _sessions: dict[str, "AwsSession"] = field(default_factory=dict, init=False, repr=False, compare=False)
    _ended: dict[str, Task] = field(default_factory=dict, init=False, repr=False, compare=False)

    def submit(self, order: Order) -> str:
        """Compile and check every circuit, then make the tasks.

        Under one key the same tasks are made for ever: an order that was cut off half way is completed by submitting it
        again, and one that was accepted whole is answered with its old job.
        """
        device = self._device(_backend(order))
        planned = list(_planned(order, device))
        return job_of([self._create(device, order, part, circuits) for part, circuits in planned])

    def find(self, order: Order) -> str | None:
        """The order's job, once Braket shows every task of it; None for none of them, or a part."""
        backend = _backend(order)
        return find_job(self._device(backend).aws_session, backend, order.key)

    def remains(self, order: Order) -> str | None:
        """A job of as many of the order's tasks as Braket shows; None for none."""
        backend = _backend(order)
        return find_remains(self._device(backend).aws_session, backend, order.key)

    def status(self, job: str) -> JobStatus:
        """The tasks' words, joined."""
        return joint_status([self._task(arn) for arn in arns_of(job)])

    def cancel(self, job: str) -> None:
        """Ask for the end of every task that has not ended."""
        from botocore.exceptions import ClientError

        for arn in arns_of(job):
            try:
                self._session_of_arn(arn).cancel_quantum_task(arn)
            except ClientError as error:
                if _code(error) not in ("ConflictException", _NOT_FOUND):  # it has ended, or never was
                    raise

    def calibration(self, backend: str) -> Calibration | None:
        """Digest of a device's properties as Braket shows them now; None for a simulator."""
        return calibration_of(self._device(backend)) if is_hardware(backend) else None

    def backends(self, arns: Sequence[str]) -> tuple[BackendFact, ...]:
        """Width, queue and two-qubit error of devices and simulators; one that is not online is left out."""
        devices = [self._device(arn) for arn in arns]
        return tuple(fact_of(device) for device in devices if device.status == "ONLINE")

    def fetch(self, job: str, order: Order) -> tuple[ResultEnvelope | ProviderError, ...]:
        """Read every task's result; a workload with a task that failed, was lost or is malformed fails alone."""
        pieces: list[list[tuple[Part, Task, Outcome]]] = [[] for _ in order.workloads]
        faults: dict[int, ProviderError] = {}
        for place, arn in enumerate(arns_of(job)):
            part, task = self._part(arn, order, place)
            try:
                pieces[part.workload].append((part, task, self._outcome(arn, task, part.qubits)))
            except ProviderError as fault:
                faults.setdefault(part.workload, fault)
        answers: list[ResultEnvelope | ProviderError] = []
        for number, workload in enumerate(order.workloads):
            try:
                answers.append(faults.get(number) or _envelope(order, workload, job, pieces[number]))
            except ProviderError as fault:
                answers.append(fault)
        for arn in arns_of(job):
            self._ended.pop(arn, None)
        return tuple(answers)

    def _create(self, device: "AwsDevice", order: Order, part: Part, circuits: Sequence["Circuit"]) -> str:
        from braket.aws import AwsQuantumTask
        from braket.program_sets import ProgramSet

        session, shots = device.aws_session, order.profile.shots or 0
        single = len(circuits) == 1
        task = AwsQuantumTask.create(
            _Tokened(session, part.token),
            device.arn,
            circuits[0] if single else ProgramSet(list(circuits), shots_per_executable=shots),
            (session.default_bucket(), f"{_PREFIX}/{order.key}"),
            shots if single else shots * len(circuits),
            disable_qubit_rewiring=is_hardware(device.arn),
            tags=part.tags,
        )
        return str(task.id)

    def _outcome(self, arn: str, task: Task, qubits: Sequence[int]) -> Outcome:
        from botocore.exceptions import ClientError

        if task["status"] != "COMPLETED":
            reason = task.get("failureReason") or "no reason given"
            raise ProviderError(
                f"quantum task {arn.rpartition('/')[2]}",
                f"ended {task['status']}: {reason}" if task["status"] in ENDED else f"is still {task['status']}",
                "Look at the reason; run it again if it is the service's",
                True,
            )
        key = f"{task['outputS3Directory']}/results.json"
        try:
            stored = self._session_of_arn(arn).s3_client.get_object(Bucket=task["outputS3Bucket"], Key=key)
        except ClientError as error:
            if _code(error) not in ("NoSuchKey", "404"):
                raise
            raise ProviderError(
                f"quantum task {arn.rpartition('/')[2]}", "lost its result", "Run it again", True
            ) from error
        return outcome_of(stored["Body"].read().decode(), arn, qubits)

    def _part(self, arn: str, order: Order, place: int) -> tuple[Part, Task]:
        task = self._task(arn)
        part = part_of(task.get("tags", {}))
        if part is None or part.order != order.key or part.index != place or part.workload >= len(order.workloads):
            raise ProviderError(
                f"quantum task {arn.rpartition('/')[2]}",
                "says by its tags that it answers something else",
                "Submit the order again",
            )
        return part, task

    def _task(self, arn: str) -> Task:
        """What Braket says of a task; what it said of one that has ended never changes."""
        from botocore.exceptions import ClientError

        if arn in self._ended:
            return self._ended[arn]
        client = self._session_of_arn(arn).braket_client
        try:
            task: Task = client.get_quantum_task(quantumTaskArn=arn, additionalAttributeNames=["QueueInfo"])
        except ClientError as error:
            if _code(error) != _NOT_FOUND:
                raise
            return {"status": _NOT_FOUND}
        if task["status"] in ENDED:
            self._ended[arn] = task
        return task

    def _device(self, backend: str) -> "AwsDevice":
        from braket.aws import AwsDevice

        return AwsDevice(backend, aws_session=self._session_of_arn(backend))

    def _session_of_arn(self, arn: str) -> "AwsSession":
        region = arn.split(":")[3]
        if region not in self._sessions:
            self._sessions[region] = self.session_of(region)
        return self._sessions[region]


@dataclass(frozen=True)
class _Tokened:
    """A session for one task: the SDK writes the request, and this adds the client token, which the SDK cannot."""

    session: "AwsSession"
    token: str

    def create_quantum_task(self, **request: Any) -> str:
        return str(self.session.create_quantum_task(clientToken=self.token, **request))


def _code(error: Any) -> str:
    """The vendor's code of a `ClientError`."""
    return str(error.response["Error"]["Code"])


def _backend(order: Order) -> str:
    if order.profile.backend is None:
        raise ProviderError("provider braket", "was given no backend", "Say backend in the profile")
    return order.profile.backend


def _planned(order: Order, device: "AwsDevice") -> Iterator[tuple[Part, list["Circuit"]]]:
    """Every task of an order: its part, and its circuits."""
    calibration = calibration_of(device).digest if is_hardware(device.arn) else ""
    size = task_size(device, order.profile.shots or 1)
    total = sum(-(-workload.n_circuits // size) for workload in order.workloads)
    index = 0
    for number, workload in enumerate(order.workloads):
        circuits = _compiled(workload, order.profile, device)
        difference = check_circuits(workload, circuits, order.profile.guardrails.crosscheck_rows).difference
        compiled = {**compiled_size(circuits.compiled.circuit), "compiled_difference": difference}
        bound = circuits.circuits(workload.bindings, workload.pairs)
        for start in range(0, workload.n_circuits, size):
            stop = min(start + size, workload.n_circuits)
            part = Part(
                order.key,
                index,
                total,
                number,
                start,
                stop,
                compiled,
                circuits.transpilation.basis_gates,
                calibration,
                order.correlation_id,
                circuits.qubits if workload.measure == "samples" else (),
            )
            yield part, list(islice(bound, stop - start))
            index += 1


def _compiled(workload: Workload, profile: ExecutionProfile, device: "AwsDevice") -> BraketCircuits:
    if is_hardware(device.arn):
        return for_device(workload, profile.transpilation, device)
    return for_simulator(workload, profile.transpilation)


def _envelope(
    order: Order, workload: Workload, job: str, pieces: Sequence[tuple[Part, Task, Outcome]]
) -> ResultEnvelope:
    hardware = is_hardware(_backend(order))
    kept, shots = _assembled(workload, pieces)
    data = data_of(workload, kept, shots)
    first, task, _ = pieces[0]
    compiled = _worst([part.compiled for part, _, _ in pieces])
    devices = {str(each["deviceArn"]) for _, each, _ in pieces}
    tile, ideal = ideal_tile(workload, order.profile.guardrails.crosscheck_rows)
    return ResultEnvelope(
        workload_fingerprint=workload.fingerprint,
        profile_fingerprint=order.profile.fingerprint,
        effective=EffectiveProfile(
            mode="hardware" if hardware else "managed",
            estimator="circuits",
            provider="braket",
            engine=str(task["deviceArn"]).rpartition("/")[2],
            shots=shots,
            seed=None,
            noise=None,
            transpilation=order.profile.transpilation.model_copy(update={"basis_gates": first.basis}),
            backend=" and ".join(sorted(devices)),
            versions=installed(*PACKAGES),
        ),
        data=data,
        # nobody knows the exact values of a noisy device: what was checked is its circuit, in `compiled_difference`
        crosscheck_difference=None,
        crosscheck_zscore=None if hardware else deviation(data, tile, ideal),
        circuits_run=workload.n_circuits,
        circuits_needed=workload.n_circuits,
        timings=Timings(run=sum(outcome.seconds for _, _, outcome in pieces) or _lifetime([t for _, t, _ in pieces])),
        calibration_digest=_calibration_of({part.calibration for part, _, _ in pieces}),
        job=job,
        correlation_id=order.correlation_id,
        metrics={
            "tasks": float(len(pieces)),
            "total_shots": float(shots * workload.n_circuits),
            "crosscheck_rows": float(len(tile)),
            **compiled,
        },
    )


def _assembled(workload: Workload, pieces: Sequence[tuple[Part, Task, Outcome]]) -> tuple[npt.NDArray[Any], int]:
    """All outcomes in the order of the circuits, each circuit's exactly once, and the shots behind each."""
    missing = np.ones(workload.n_circuits, dtype=bool)
    for part, _, outcome in pieces:
        wanted = part.stop - part.start
        if len(outcome.kept) != wanted or part.stop > workload.n_circuits:
            raise ProviderError(
                "provider braket",
                f"a task of {wanted} circuits came back with {len(outcome.kept)}",
                "Run it again",
                True,
            )
        missing[part.start : part.stop] = False
    shots, shapes = {outcome.shots for _, _, outcome in pieces}, {outcome.kept.shape[1:] for _, _, outcome in pieces}
    if missing.any() or len(shots) != 1 or len(shapes) != 1:
        raise ProviderError(
            "provider braket",
            f"{int(missing.sum())} circuits have no answer, the others {sorted(shots)} shots",
            "Run it again",
            True,
        )
    kept = np.empty((workload.n_circuits, *shapes.pop()), dtype=pieces[0][2].kept.dtype)
    for part, _, outcome in pieces:
        kept[part.start : part.stop] = outcome.kept
    return kept, shots.pop()


def _worst(facts: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The largest of each fact: tasks that were made at different times may have been compiled differently."""
    return {name: max(each.get(name, 0.0) for each in facts) for name in facts[0]}


def _calibration_of(digests: set[str]) -> str | None:
    """The digest that all tasks carry; one of all of them where the device was calibrated in between."""
    if len(digests) > 1:
        return fingerprint("calibrations", digests)
    return next(iter(digests)) or None


def _lifetime(tasks: Sequence[Task]) -> float:
    return joint_status(tasks).seconds.get("lifetime", 0.0)
