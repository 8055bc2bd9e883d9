"""IBM's devices through the cloud service: one order is one job, found again by its tag.

The service has no client token, so the order's key travels as a job tag, and whoever is not sure looks it up before it
submits again. What was compiled, and which question it answers, travels as metadata of each circuit and comes back with
the results: the fingerprints of an answer are read from the answer. Nothing is simulated here, so there are no exact
values to hold samples against; what is checked, before anything is submitted, is that the compiled circuit is the
workload's own.
"""

import contextlib
import logging
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from quantum_assets.contracts.envelope import ResultEnvelope, Timings
from quantum_assets.contracts.errors import BudgetError, ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobState, JobStatus, Limits, Order
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile, Transpilation
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import installed, named_backends
from quantum_assets.providers.compiled import compiled_size
from quantum_assets.providers.compiled_circuit import CompiledCircuit
from quantum_assets.providers.extras import require_extra
from quantum_assets.providers.fakes import EXTRA, PACKAGE, PREFIX, calibration_of, properties_digest, two_qubit_error
from quantum_assets.providers.measured import checked_tile, compiled_for, data_of, kept_of
from quantum_assets.providers.samples import little_endian

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.providers import BackendV2

TOKEN = "QISKIT_IBM_TOKEN"  # noqa: S105 - the name of a variable, not its value
INSTANCE = "QISKIT_IBM_INSTANCE"
MAX_QUBITS = 20  # the compiled circuit is checked by state vectors
#: quantum.cloud.ibm.com/docs/guides/job-limits: circuits times shots of one sampler job.
MAX_EXECUTIONS = 10_000_000
PACKAGES = ("numpy", "qiskit", "qiskit-ibm-runtime")

_OPTIONS = {"channel": "QISKIT_IBM_CHANNEL", "instance": INSTANCE, "url": "QISKIT_IBM_URL"}
_CHANNEL = "ibm_quantum_platform"
_TAG = "qa:"
_MOCK = "mock_"  # the service's own stand-ins for devices, which make results up
_RESULT_SECONDS = 60.0
_SETTLE_SECONDS = 30.0
_POLL_SECONDS = 10.0
_STATES: Mapping[str, JobState] = {
    "INITIALIZING": "queued",
    "VALIDATING": "queued",
    "QUEUED": "queued",
    "RUNNING": "running",
    "DONE": "completed",
    "CANCELLED": "cancelled",
    "ERROR": "failed",
}
_CODE = re.compile(r"[Ee]rror code (\d+)")
_USED_UP = r"(This instance has met its usage limit|There is currently no more time available)"

logger = logging.getLogger(__name__)


def service_of(environment: Mapping[str, str]) -> Any:
    """Connect to the service with what the environment says; a saved account is never read.

    Args:
        environment: `QISKIT_IBM_TOKEN`, and optionally `QISKIT_IBM_CHANNEL`, `QISKIT_IBM_INSTANCE`, `QISKIT_IBM_URL`.

    Raises:
        ProviderError: When the SDK or the token is missing.
        Exception: Whatever the SDK raises while connecting.
    """
    require_extra(PACKAGE, EXTRA)
    token = environment.get(TOKEN)
    if not token:
        raise ProviderError(f"environment: {TOKEN}", "is not set", "Set it to an API key of IBM Quantum Platform")
    from qiskit_ibm_runtime import QiskitRuntimeService

    options = {option: environment[name] for option, name in _OPTIONS.items() if environment.get(name)}
    return QiskitRuntimeService(token=token, **{"channel": _CHANNEL, **options})


def tag_of(key: str) -> str:
    """The job tag of an order's key."""
    return f"{_TAG}{key}"


@dataclass(frozen=True)
class IbmCloud:
    """Jobs at the service.

    Attributes:
        connect: Makes a connected service; called once, when it is first needed.
        one_instance: Whether the account was narrowed to one instance; otherwise jobs are looked up in all of them.
        name: The provider's name in envelopes.
    """

    connect: Callable[[], Any]
    one_instance: bool = False
    name: str = "ibm"
    _connected: list[Any] = field(default_factory=list, init=False, repr=False, compare=False)

    def limits(self, profile: ExecutionProfile) -> Limits:
        """IBM's own limit on executions; jobs outlive the process, and a look-up may miss a job for half a minute.

        What a job costs is its time on the device, which the service tells some while after the job ended.
        """
        return Limits(
            max_circuits=max(1, MAX_EXECUTIONS // (profile.shots or 1)),
            max_workloads=100,
            max_shots=MAX_EXECUTIONS,
            durable=True,
            settle_seconds=_SETTLE_SECONDS,
            poll_seconds=_POLL_SECONDS,
            hardware=True,
            meters=True,
        )

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        """The calibration that the backend has now; a job records the one in force when it ran."""
        return calibration_of(self._backend(profile))

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        """Width, pending jobs and error of the devices that are named; one that is not operational is left out.

        Raises:
            Exception: Whatever the SDK raises, also for a name that the service does not know.
        """
        devices = [self._device(name) for name in named_backends(profile) if not name.startswith(PREFIX)]
        told = [(device, device.status()) for device in devices]
        return tuple(
            BackendFact(str(device.name), int(device.num_qubits), status.pending_jobs, two_qubit_error(device))
            for device, status in told
            if status.operational
        )

    def submit(self, order: Order) -> str:
        """Compile, check that the compiled circuits are the workloads', and submit one job under the order's tag.

        Raises:
            ProviderError: When a compiled circuit is not the workload's.
            BudgetError: When the service says that the account's time is used up; nothing was submitted.
            Exception: Whatever the SDK raises.
        """
        from qiskit_ibm_runtime.executor_sampler import Sampler
        from qiskit_ibm_runtime.options_models import SamplerOptions

        backend = self._backend(order.profile)
        compiled: dict[tuple[str, str], CompiledCircuit] = {}
        pubs = [_pub(workload, order.profile, backend, compiled) for workload in order.workloads]
        options = SamplerOptions(environment={"job_tags": [tag_of(order.key)]})
        with warnings.catch_warnings():
            # the SDK only warns, and such a job waits for ever
            warnings.filterwarnings("error", message=_USED_UP)
            try:
                job = Sampler(mode=backend, options=options).run(pubs, shots=order.profile.shots)
            except UserWarning as used_up:
                if not re.search(_USED_UP, str(used_up)):
                    raise
                raise BudgetError("the IBM instance", str(used_up), "Wait, or add time to the instance") from used_up
        return str(job.job_id())

    def find(self, order: Order) -> str | None:
        """The oldest job under the order's tag, in any instance that it may have been submitted to."""
        service = self._service()
        for instance in self._instances(service):
            jobs = service.jobs(job_tags=[tag_of(order.key)], instance=instance, limit=1, descending=False)
            if jobs:
                return str(jobs[0].job_id())
        return None

    def status(self, job: str) -> JobStatus:
        """The job's state; with the vendor's code and message if it failed, and with figures where it tells them."""
        from qiskit_ibm_runtime.exceptions import RuntimeJobNotFound

        try:
            running = self._service().job(job)
        except RuntimeJobNotFound:
            return JobStatus("unknown", "not found")
        word = running.status()
        raw = str(getattr(word, "name", word))  # the cloud says strings, simulators say enums
        state = _STATES.get(raw.upper(), "unknown")
        message = str(running.error_message() or "") if state == "failed" else ""
        code = _failure_code(running, message) if state == "failed" else ""
        figures = _figures(running)
        position = figures.get("position_in_queue")
        return JobStatus(
            state=state,
            raw=raw,
            queue_position=position if isinstance(position, int) else None,
            code=code,
            message=message,
            seconds=_seconds(figures),
        )

    def fetch(self, job: str, order: Order) -> tuple[ResultEnvelope | ProviderError, ...]:
        """The claims of a completed job; one that has not ended after a minute raises the SDK's timeout.

        Raises:
            Exception: Whatever the SDK raises: the job failed, was cancelled or did not end in time.
        """
        running = self._service().job(job)
        results = running.result(timeout=_RESULT_SECONDS)
        answers = [] if results is None else list(results)
        backend = running.backend()
        ran = _Ran(
            order=order,
            job=job,
            backend=str(backend.name),
            calibration=_calibration_digest(running),
            seconds=_seconds(_figures(running)),
        )
        return tuple(
            _claim(ran, workload, answers[index]) if index < len(answers) else _missing(job, index, len(answers))
            for index, workload in enumerate(order.workloads)
        )

    def cancel(self, job: str) -> None:
        """Ask the service to end the job; one that has ended, or is not known, is left alone."""
        from qiskit_ibm_runtime.exceptions import RuntimeInvalidStateError, RuntimeJobNotFound

        with contextlib.suppress(RuntimeInvalidStateError, RuntimeJobNotFound):
            self._service().job(job).cancel()

    def _service(self) -> Any:
        if not self._connected:
            self._connected.append(self.connect())
        return self._connected[0]

    def _backend(self, profile: ExecutionProfile) -> "BackendV2":
        backend: BackendV2 = self._device(profile.backend or "")
        return backend

    def _device(self, name: str) -> Any:
        """The SDK's backend of a name; one that is truly not there is the SDK's own exception.

        Raises:
            ProviderError: When the lists of backends that the SDK goes by were not whole.
            Exception: Whatever the SDK raises.
        """
        from qiskit.providers.exceptions import QiskitBackendNotFoundError

        service = self._service()
        try:
            return service.backend(name)
        except QiskitBackendNotFoundError as error:
            missing = error
        # The SDK takes trouble in listing an instance for an empty list, and goes by that for ever
        self._connected.clear()
        listed = {crn: _listed(service, crn) for crn in self._instances(service)}
        silent = [crn for crn, names in listed.items() if not names]
        if not silent and not any(name in names for names in listed.values()):
            raise missing
        # Raised outside of the handler: what is wrapped says what a failure means, and the wrapped one is wrong
        where, problem = ", ".join(silent) or "an IBM instance", "gave no whole list of its backends"
        raise ProviderError(where, f"{problem}, so whether {name} is there is not known", "Ask again", retry=True)

    def _instances(self, service: Any) -> list[str]:
        """CRNs of the instances that jobs may be in."""
        return [service.active_instance()] if self.one_instance else [str(one["crn"]) for one in service.instances()]


@dataclass(frozen=True, eq=False)
class _Ran:
    """What the claims of one job have in common."""

    order: Order
    job: str
    backend: str
    calibration: str | None
    seconds: Mapping[str, float]


def _listed(service: Any, instance: str) -> frozenset[str]:
    """Names of the backends that an instance lists now; none also where the SDK met trouble in asking."""
    return frozenset(str(backend.name) for backend in service.backends(instance=instance, include_mocks=True))


def _pub(
    workload: Workload,
    profile: ExecutionProfile,
    backend: "BackendV2",
    compiled: dict[tuple[str, str], CompiledCircuit],
) -> tuple["QuantumCircuit", Any]:
    """One PUB: the measured circuit, which says what it answers, and a row of values a pair or binding."""
    known = workload.circuit.fingerprint, workload.measure
    if known not in compiled:
        compiled[known] = compiled_for(workload, profile.transpilation, backend)
    ready = compiled[known]
    tile = checked_tile(workload, ready, profile)
    circuit = ready.measured()
    circuit.metadata = {
        "workload": workload.fingerprint,
        "profile": profile.fingerprint,
        "transpilation": ready.transpilation.model_dump(mode="json"),
        "metrics": {
            "crosscheck_rows": float(len(tile.rows)),
            "compiled_difference": tile.difference,
            **compiled_size(ready.circuit),
        },
    }
    return circuit, ready.values(workload.bindings, workload.pairs)


def _claim(ran: _Ran, workload: Workload, answer: Any) -> ResultEnvelope | ProviderError:
    """One envelope, or why there is none; one bad answer spoils no other."""
    try:
        return _envelope(ran, workload, answer)
    except (ValueError, TypeError, AttributeError) as error:
        return ProviderError(f"job {ran.job}", f"an answer cannot be read: {error}", "Look at the job at the vendor")


def _envelope(ran: _Ran, workload: Workload, answer: Any) -> ResultEnvelope:
    """From what the answer itself says; where it says nothing, so does the envelope."""
    said = answer.metadata.get("circuit_metadata") or {}
    bits = answer.data.meas
    mocked = ran.backend.startswith(_MOCK)
    written = said.get("transpilation")
    # one row a circuit, whatever shape the vendor gives the array of bindings
    kept = kept_of(workload)(little_endian(bits.array).reshape(-1, *bits.array.shape[-2:]))
    return ResultEnvelope(
        workload_fingerprint=str(said.get("workload", "")),
        profile_fingerprint=str(said.get("profile", "")),
        effective=EffectiveProfile(
            mode="managed" if mocked else "hardware",
            estimator="circuits",
            provider="ibm",
            engine="executor-sampler",
            shots=int(bits.num_shots),
            seed=None,
            noise=None,
            transpilation=None if written is None else Transpilation.model_validate(written),
            backend=ran.backend,
            versions=installed(*PACKAGES),
        ),
        data=data_of(workload, kept, int(bits.num_shots)),
        crosscheck_difference=None,
        crosscheck_zscore=None,
        circuits_run=len(kept),
        circuits_needed=len(kept),
        timings=Timings(run=ran.seconds.get("run", 0.0), queue=ran.seconds.get("queue", 0.0)),
        calibration_digest=ran.calibration,
        job=ran.job,
        correlation_id=ran.order.correlation_id,
        mocked=mocked,
        metrics={name: float(value) for name, value in said.get("metrics", {}).items()},
    )


def _missing(job: str, index: int, count: int) -> ProviderError:
    return ProviderError(
        f"job {job}", f"holds {count} results, and number {index + 1} was ordered", "Submit that workload again", True
    )


def _calibration_digest(running: Any) -> str | None:
    """Of the properties in force when the job ran."""
    properties = running.properties()
    return None if properties is None else properties_digest(properties)


def _failure_code(running: Any, message: str) -> str:
    """The vendor's code: in its message, except for a job that ran too long, where only the job object has it."""
    found = _CODE.search(message)
    kept = getattr(running, "_reason_code", None)
    return found.group(1) if found else str(kept or "")


def _figures(running: Any) -> Mapping[str, Any]:
    """The service's figures of a job; none where it does not tell them, for no state may be lost over a figure."""
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError

    try:
        figures: Mapping[str, Any] = running.metrics()
    except IBMRuntimeError as error:
        logger.warning("no figures of job %s: %s", running.job_id(), error)
        return {}
    return figures


def _seconds(figures: Mapping[str, Any]) -> dict[str, float]:
    """`queue`: from creation to start; `run` and `quantum`: what the device was held for, once that is final."""
    moments = {name: datetime.fromisoformat(text) for name, text in figures.get("timestamps", {}).items() if text}
    found: dict[str, float] = {}
    if "created" in moments and "running" in moments:
        found["queue"] = max(0.0, (moments["running"] - moments["created"]).total_seconds())
    usage = figures.get("usage", {})
    charged = usage.get("qpu_charge_time_seconds")
    if charged is not None and usage.get("status", "pending") != "pending":
        found["quantum"] = found["run"] = float(charged)
    return found
