"""The job methods of providers that run in the caller's own process: submitting runs, fetching hands over.

Such a job dies with its process, and nothing is lost by that: nobody charged for it, and running it again gives the
same answer. That is why a look-up for a key that this process did not run honestly says "none".
"""

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import lru_cache

from threadpoolctl import ThreadpoolController

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobStatus, Limits, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload

_MAX_WORKLOADS = 64

Claims = tuple[ResultEnvelope | ProviderError, ...]


@dataclass(frozen=True)
class InProcessProvider(ABC):
    """Base of simulators that answer at once; a subclass says what it supports and how it runs one workload."""

    _claims: dict[str, Claims] = field(default_factory=dict, init=False, repr=False, compare=False)

    @abstractmethod
    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """Say whether this workload can run here under this profile: None for yes, else the reason as a sentence."""

    @abstractmethod
    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        """Installed packages whose version belongs to every answer."""

    @abstractmethod
    def run(self, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:
        """Run it and return the claim; samples of another replicate are independent.

        Raises:
            ProviderError: When it is not supported, or did not run.
        """

    def limits(self, profile: ExecutionProfile) -> Limits:  # noqa: ARG002 - a part of the protocol
        """One process's job: not durable, and the same key is the same job as long as the process lives."""
        return Limits(max_workloads=_MAX_WORKLOADS, same_key_same_job=True)

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:  # noqa: ARG002 - a part of the protocol
        """None: an ideal simulator has none."""
        return None

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:  # noqa: ARG002 - a part of the protocol
        """None to choose among: there is one simulator, this one."""
        return ()

    def submit(self, order: Order) -> str:
        """Run every workload of the order; a single one that fails raises, of several each fails for itself."""
        if order.key not in self._claims:
            # BLAS sums in another order on more threads: the same bits on any number of them
            with _libraries(len(sys.modules)).limit(limits=1):
                self._claims[order.key] = self._run_all(order)
        return order.key

    def find(self, order: Order) -> str | None:
        """The order's key while its claims wait here."""
        return order.key if order.key in self._claims else None

    def status(self, job: str) -> JobStatus:
        """Completed while the claims wait here; unknown otherwise, for they went with their process or were fetched."""
        if job in self._claims:
            return JobStatus("completed", "completed")
        return JobStatus("unknown", "not in this process")

    def fetch(self, job: str, order: Order) -> Claims:  # noqa: ARG002 - a part of the protocol
        """Hand the claims over; they are not kept.

        Raises:
            ProviderError: When they are not here; running the order again mends it.
        """
        if job not in self._claims:
            raise ProviderError(
                f"job {job[:12]}",
                "is not in this process",
                "Submit its order again; it ran in a process that is gone",
                True,
            )
        return self._claims.pop(job)

    def cancel(self, job: str) -> None:
        """Forget the claims."""
        self._claims.pop(job, None)

    def _run_all(self, order: Order) -> Claims:
        if len(order.workloads) == 1:
            return (self.run(order.workloads[0], order.profile, order.replicate),)
        claims: list[ResultEnvelope | ProviderError] = []
        for workload in order.workloads:
            try:
                claims.append(self.run(workload, order.profile, order.replicate))
            except ProviderError as failed:
                claims.append(failed)
        return tuple(claims)


@lru_cache(maxsize=1)  # looking for them takes longer than a short submission
def _libraries(imported: int) -> ThreadpoolController:
    """The numerical libraries of this process; looked for again after an import, which may have brought some."""
    del imported
    return ThreadpoolController()
