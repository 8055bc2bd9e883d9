"""IBM Quantum as a provider: devices through the cloud service, and offline copies of them in this process.

Which of the two it is, the profile's backend says: ``fake_manila`` and the like run here, under mode `managed`, without
network or account; any other name is a device behind the service, under mode `hardware`, with credentials from the
environment only. Both go through the SDK's executor-based sampler.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobStatus, Limits, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import installed, memory_fault, require_support
from quantum_assets.providers.extras import extra_fault
from quantum_assets.providers.fakes import EXTRA, PACKAGE, PREFIX
from quantum_assets.providers.ibm_cloud import INSTANCE, MAX_QUBITS, PACKAGES, TOKEN, IbmCloud, service_of
from quantum_assets.providers.ibm_local import IbmLocal
from quantum_assets.providers.measured import circuits_fault, samples_fault

_LOCAL = "local-"  # jobs of this process; the service's own ids hold no hyphen


@dataclass(frozen=True)
class IbmProvider:
    """Circuits for overlaps and samples on IBM's devices and on their offline copies.

    Attributes:
        environment: Where credentials are read, when a device is asked for.
        connect: Makes a connected service; None: with the SDK, from `environment`.
        name: The name that profiles use.
    """

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False, compare=False)
    connect: Callable[[], Any] | None = field(default=None, repr=False, compare=False)
    name: str = "ibm"
    _local: IbmLocal = field(default_factory=IbmLocal, init=False, repr=False, compare=False)
    _clouds: list[IbmCloud] = field(default_factory=list, init=False, repr=False, compare=False)

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """None when it can be run as asked, as far as can be told without importing the SDK or connecting."""
        if profile.backend is None:
            return f"the profile names no backend: {PREFIX}manila or the like for mode managed, or a device of IBM's"
        if profile.backend.startswith(PREFIX) or profile.mode != "hardware":
            return self._local.supports(workload, profile)
        return self._device_fault(workload, profile)

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        """Versions of the SDK; and of the simulator behind an offline copy."""
        return self._local.versions(profile) if _is_local(profile) else installed(*PACKAGES)

    def limits(self, profile: ExecutionProfile) -> Limits:
        """Those of this process, or those of the service."""
        return self._local.limits(profile) if _is_local(profile) else self._cloud.limits(profile)

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        """Of the profile's backend."""
        return self._local.calibration(profile) if _is_local(profile) else self._cloud.calibration(profile)

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        """Of the offline copies, or of the devices: those of the kind that the profile's own backend is."""
        return self._local.backends(profile) if _is_local(profile) else self._cloud.backends(profile)

    def submit(self, order: Order) -> str:
        """Run the order here, or submit it as one job.

        Raises:
            ProviderError: When a workload is not supported, or its compiled circuit is another one.
            BudgetError: When the service says that the account's time is used up.
            Exception: Whatever the SDK raises.
        """
        if _is_local(order.profile):
            return _LOCAL + self._local.submit(order)
        for workload in order.workloads:
            require_support(self, workload, order.profile)
        return self._cloud.submit(order)

    def find(self, order: Order) -> str | None:
        """The job under the order's key: in this process, or at the service by its tag."""
        if not _is_local(order.profile):
            return self._cloud.find(order)
        found = self._local.find(order)
        return None if found is None else _LOCAL + found

    def status(self, job: str) -> JobStatus:
        """How the job is doing."""
        key = _local_key(job)
        return self._cloud.status(job) if key is None else self._local.status(key)

    def fetch(self, job: str, order: Order) -> tuple[ResultEnvelope | ProviderError, ...]:
        """The claims of a completed job, one a workload."""
        key = _local_key(job)
        return self._cloud.fetch(job, order) if key is None else self._local.fetch(key, order)

    def cancel(self, job: str) -> None:
        """Ask that the job be ended."""
        key = _local_key(job)
        if key is None:
            self._cloud.cancel(job)
        else:
            self._local.cancel(key)

    @property
    def _cloud(self) -> IbmCloud:
        if not self._clouds:
            connect = partial(service_of, self.environment) if self.connect is None else self.connect
            self._clouds.append(IbmCloud(connect, bool(self.environment.get(INSTANCE)), self.name))
        return self._clouds[0]

    def _device_fault(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        width = workload.circuit.n_qubits
        if width > MAX_QUBITS:
            return f"compiled circuits are checked on at most {MAX_QUBITS} qubits, and this has {width}"
        if self.connect is None and not self.environment.get(TOKEN):
            return f"backend {profile.backend} is reached over the network, and {TOKEN} is not set in the environment"
        return (
            circuits_fault(workload, profile)
            or extra_fault(PACKAGE, EXTRA)
            or samples_fault(workload, profile)
            or memory_fault(64 * 2**width, profile.guardrails.max_memory_bytes)
        )


def _is_local(profile: ExecutionProfile) -> bool:
    return (profile.backend or "").startswith(PREFIX)


def _local_key(job: str) -> str | None:
    """The order's key behind the id of a job of this process; None for an id of the service."""
    return job.removeprefix(_LOCAL) if job.startswith(_LOCAL) else None
