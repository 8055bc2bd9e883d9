"""Amazon Braket as a provider: its local simulators offline, and its devices and managed simulators by ARN."""

import re
from dataclasses import dataclass, field
from time import perf_counter

from quantum_assets.contracts.envelope import ResultEnvelope, Timings
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobStatus, Limits, Order
from quantum_assets.contracts.profile import EffectiveProfile, ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import installed, memory_fault, named_backends, require_support
from quantum_assets.providers.braket_circuits import GATES, check_circuits, for_simulator
from quantum_assets.providers.braket_cloud import PACKAGES, BraketCloud
from quantum_assets.providers.braket_device import is_hardware
from quantum_assets.providers.braket_local import WIDEST, sampled, sampling_seed
from quantum_assets.providers.compiled import compiled_size
from quantum_assets.providers.extras import extra_fault, require_extra
from quantum_assets.providers.in_process import Claims, InProcessProvider
from quantum_assets.providers.measured import circuits_fault, data_of, deviation, kept_of, samples_fault

_ARN = re.compile(r"arn:aws[a-z-]*:braket:[a-z0-9-]*::device/(qpu|quantum-simulator)/[\w-]+/[\w.-]+")
_PACKAGES = ("numpy", "qiskit", "qiskit-braket-provider", "amazon-braket-sdk", "amazon-braket-default-simulator")
_LOCAL = Limits(max_circuits=1_000, max_workloads=16, same_key_same_job=True)
_SIMULATOR = Limits(
    max_circuits=100,
    max_workloads=20,
    max_shots=100_000,
    durable=True,
    same_key_same_job=True,
    settle_seconds=60.0,
    poll_seconds=5.0,
)
_DEVICE = Limits(
    max_circuits=100,
    max_workloads=20,
    durable=True,
    same_key_same_job=True,
    settle_seconds=60.0,
    poll_seconds=60.0,
    hardware=True,
)


@dataclass(frozen=True)
class BraketProvider(InProcessProvider):
    """Measured circuits on Amazon Braket, one a pair or a binding; the profile's backend says where.

    - ``braket_sv``, ``braket_dm``, mode managed: the SDK's local simulators, in this process, with the seed honoured;
    - the ARN of a managed simulator, mode managed, or of a device, mode hardware: quantum tasks in the cloud, with
      credentials from the environment. Braket takes no seed there.
    """

    name: str = "braket"
    cloud: BraketCloud = field(default_factory=BraketCloud)

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """None when the named backend can run the workload's circuits as asked; else the reason."""
        return (
            _backend_fault(profile)
            or _workload_fault(workload, profile)
            or extra_fault("qiskit_braket_provider", "braket")
        )

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        """Qiskit, its Braket provider and Amazon's SDK; and the simulators, or the client of the cloud."""
        require_extra("qiskit_braket_provider", "braket")
        return installed(*(PACKAGES if _in_cloud(profile) else _PACKAGES))

    def limits(self, profile: ExecutionProfile) -> Limits:
        """Per kind of backend: local simulators end with their process, tasks in the cloud do not."""
        if not _in_cloud(profile):
            return _LOCAL
        return _DEVICE if is_hardware(profile.backend or "") else _SIMULATOR

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        """Of a device, as Braket shows it now; None for simulators, which are ideal."""
        if profile.backend is None or not _in_cloud(profile):
            return None
        require_extra("qiskit_braket_provider", "braket")
        return self.cloud.calibration(profile.backend)

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        """Of local simulators what is fixed: nobody queues before them, they are ideal; of ARNs what Braket says."""
        names = named_backends(profile)
        local = tuple(BackendFact(name, WIDEST[name], 0, 0.0) for name in names if name in WIDEST)
        arns = [name for name in names if _ARN.fullmatch(name)]
        if not arns:
            return local
        require_extra("qiskit_braket_provider", "braket")
        return (*local, *self.cloud.backends(arns))

    def submit(self, order: Order) -> str:
        """Run a local order, or make the tasks of one for the cloud."""
        if not _in_cloud(order.profile):
            return super().submit(order)
        for workload in order.workloads:
            require_support(self, workload, order.profile)
        return self.cloud.submit(order)

    def find(self, order: Order) -> str | None:
        """The accepted job: by tag in the cloud, in this process otherwise."""
        return self.cloud.find(order) if _in_cloud(order.profile) else super().find(order)

    def remains(self, order: Order) -> str | None:
        """In the cloud, what exists of an order that was cut off half way; none here, where orders are whole."""
        return self.cloud.remains(order) if _in_cloud(order.profile) else None

    def status(self, job: str) -> JobStatus:
        """How it is doing, by what kind of job its id names."""
        return self.cloud.status(job) if _is_arn(job) else super().status(job)

    def fetch(self, job: str, order: Order) -> Claims:
        """The claims, one a workload."""
        return self.cloud.fetch(job, order) if _is_arn(job) else super().fetch(job, order)

    def cancel(self, job: str) -> None:
        """End every task of it, or forget local claims."""
        if _is_arn(job):
            self.cloud.cancel(job)
        else:
            super().cancel(job)

    def run(self, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:
        """Run a workload on a local simulator, check a tile, and read back what was done.

        The circuits are checked to be the workload's before anything is sampled, and the samples of a tile are compared
        with exact values by Qiskit's Statevector.

        Raises:
            ProviderError: When `supports` refuses the workload, the backend is in the cloud, or the check fails.
        """
        require_support(self, workload, profile)
        if profile.backend is None or profile.shots is None or _in_cloud(profile):
            raise ProviderError(f"provider {self.name}", "runs local simulators here", "Submit an order for the cloud")
        started = perf_counter()
        circuits = for_simulator(workload, profile.transpilation)
        ready = perf_counter()
        tile = check_circuits(workload, circuits, profile.guardrails.crosscheck_rows)
        sampling = perf_counter()
        seed = sampling_seed(profile.seed, workload.fingerprint, replicate)
        bound = circuits.circuits(workload.bindings, workload.pairs)
        run = sampled(profile.backend, bound, profile.shots, seed, circuits.qubits, kept_of(workload))
        data = data_of(workload, run.kept, run.shots)
        return ResultEnvelope(
            workload_fingerprint=workload.fingerprint,
            profile_fingerprint=profile.fingerprint,
            effective=EffectiveProfile(
                mode="managed",
                estimator="circuits",
                provider=self.name,
                engine=run.engine,
                shots=run.shots,
                seed=profile.seed if run.seeded else None,
                noise=None,
                transpilation=circuits.transpilation,
                backend=run.backend,
                versions=self.versions(profile),
            ),
            data=data,
            crosscheck_difference=None,
            crosscheck_zscore=deviation(data, tile.rows, tile.ideal),
            circuits_run=workload.n_circuits,
            circuits_needed=workload.n_circuits,
            timings=Timings(transpile=ready - started, run=perf_counter() - sampling),
            metrics={
                "crosscheck_rows": float(len(tile.rows)),
                "compiled_difference": tile.difference,
                **compiled_size(circuits.compiled.circuit),
            },
        )


def _is_arn(name: str) -> bool:
    return name.startswith("arn:")


def _in_cloud(profile: ExecutionProfile) -> bool:
    return profile.backend is not None and _is_arn(profile.backend)


def _backend_fault(profile: ExecutionProfile) -> str | None:
    backend = profile.backend
    if backend is None:
        return f"the profile names no backend: give {', '.join(WIDEST)} or the ARN of a device"
    if backend not in WIDEST and not _ARN.fullmatch(backend):
        return f"backend {backend} is neither of {', '.join(WIDEST)} nor the ARN of a Braket device"
    mode = "hardware" if is_hardware(backend) else "managed"
    if profile.mode != mode:
        return f"backend {backend} runs in mode {mode}, and the profile's mode is {profile.mode}"
    if profile.reproducible and _in_cloud(profile):
        return f"Braket takes no seed for {backend}: say reproducible: false in the profile"
    return None


def _workload_fault(workload: Workload, profile: ExecutionProfile) -> str | None:
    fault = circuits_fault(workload, profile) or samples_fault(workload, profile)
    if fault is not None:
        return fault
    wrong = sorted(set(profile.transpilation.basis_gates) - GATES)
    if wrong and not is_hardware(profile.backend or ""):
        return f"basis gates {wrong} are not gates that Braket's simulators run as they are"
    if _in_cloud(profile):
        return None
    width, backend = workload.circuit.n_qubits, profile.backend or ""
    if width > WIDEST[backend]:
        return f"{backend} takes at most {WIDEST[backend]} qubits, and the circuit has {width}"
    entries = 4**width if backend == "braket_dm" else 2**width
    # a few copies of the state, and the outcomes of one circuit as lists of characters
    return memory_fault(64 * entries + 24 * (profile.shots or 0) * (width + 8), profile.guardrails.max_memory_bytes)
