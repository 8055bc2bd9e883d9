"""The look-up switched off: a control plane behind this takes every order for one that never arrived."""

from dataclasses import dataclass, replace

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobStatus, Limits, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import Provider


@dataclass(frozen=True)
class Blind:
    """A provider that knows no order by its key, and says that it need not be waited for."""

    inner: Provider

    @property
    def name(self) -> str:
        return self.inner.name

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        return self.inner.supports(workload, profile)

    def limits(self, profile: ExecutionProfile) -> Limits:
        return replace(self.inner.limits(profile), settle_seconds=0.0)

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        return self.inner.versions(profile)

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        return self.inner.calibration(profile)

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        return self.inner.backends(profile)

    def submit(self, order: Order) -> str:
        return self.inner.submit(order)

    def find(self, order: Order) -> str | None:
        return None

    def status(self, job: str) -> JobStatus:
        return self.inner.status(job)

    def fetch(self, job: str, order: Order) -> tuple[ResultEnvelope | ProviderError, ...]:
        return self.inner.fetch(job, order)

    def cancel(self, job: str) -> None:
        self.inner.cancel(job)
