"""The contract that every provider keeps, and the two things they all do: refuse in words and name their versions."""

from functools import cache
from importlib.metadata import version
from typing import Protocol, runtime_checkable

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobStatus, Limits, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload


class Provider(Protocol):
    """A place that runs workloads: submit, status, fetch, cancel, calibration.

    What every provider promises, and the conformance suite checks:

    - making one does nothing: no connection, no import of an SDK, no file;
    - `supports` is cheap, spends nothing and never raises: None means yes, otherwise one sentence says why not;
    - `submit` takes an order or raises; a workload that `supports` refuses is refused with the same sentence;
    - vendors' exceptions pass through unwrapped: what they mean is decided by the failure policy, not here;
    - `fetch` answers exactly the workloads of the order (both fingerprints are echoed), one entry each, in order; a
      workload that failed alone has a `ProviderError` in its place;
    - the `effective` profile is read back from what ran: shots from the samples, noise from the simulator, versions
      from the installed packages. Where it cannot tell, it says less, not what was asked;
    - a tile of the answer is recomputed by an independent route, and the difference (or its z-score, for samples) is
      part of the envelope. The provider does not judge it: `trust` does;
    - the same workload and profile give the same data, in any process; another seed gives other samples.
    """

    @property
    def name(self) -> str:
        """The name that profiles use."""
        ...

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """Say whether this workload can run here under this profile: None for yes, else the reason as a sentence."""
        ...

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        """Installed packages whose version belongs to every answer; the effective profile names the same."""
        ...

    def limits(self, profile: ExecutionProfile) -> Limits:
        """What one order may hold under this profile, and what the provider promises about it; connects to nothing."""
        ...

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        """What the backend is like now; None for an ideal simulator, which has no calibration."""
        ...

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        """What is known now of the backends that the profile names; empty where there is only one.

        One that the vendor does not know, or does not let run anything now, is left out.

        Raises:
            Exception: Whatever the vendor's SDK raises.
        """
        ...

    def submit(self, order: Order) -> str:
        """Hand the order in and return the provider's id of the job, without waiting for it where that is possible.

        Raises:
            ProviderError: When a workload is not supported.
            Exception: Whatever the vendor's SDK raises.
        """
        ...

    def find(self, order: Order) -> str | None:
        """The job that was accepted under the order's key; None when the provider has none (yet)."""
        ...

    def status(self, job: str) -> JobStatus:
        """How the job is doing; a word that is not understood is state ``unknown`` with the word in `raw`."""
        ...

    def fetch(self, job: str, order: Order) -> tuple[ResultEnvelope | ProviderError, ...]:
        """The claims of a completed job, one a workload."""
        ...

    def cancel(self, job: str) -> None:
        """Ask that the job be ended; harmless for one that has ended."""
        ...


@runtime_checkable
class AcceptsInParts(Protocol):
    """A provider that makes several jobs of one order, so that a submission may end half way."""

    def remains(self, order: Order) -> str | None:
        """The id of a job that stands for whatever exists of the order, even a part of it; None for nothing (yet).

        Its status and its end are asked for as of any job. `find` answers with whole orders only, for a part of one is
        completed by submitting it again.
        """
        ...


def remains_of(provider: Provider, order: Order) -> str | None:
    """What exists of an order that `find` does not find; None also where orders are accepted whole or not at all."""
    return provider.remains(order) if isinstance(provider, AcceptsInParts) else None


def require_support(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    """Raise `ProviderError` with the provider's own reason when it does not support the workload."""
    reason = provider.supports(workload, profile)
    if reason is not None:
        raise ProviderError(f"provider {provider.name}", reason, "Name a provider that supports it in the profile")


def named_backends(profile: ExecutionProfile) -> tuple[str, ...]:
    """The backends that a profile names, its own first; none where that is the only one."""
    names = tuple(dict.fromkeys(name for name in (profile.backend, *profile.alternatives) if name is not None))
    return names if len(names) > 1 else ()


def installed(*packages: str) -> dict[str, str]:
    """Versions of installed packages, by name."""
    return {package: _version(package) for package in packages}


@cache  # the metadata of a package is a file, read and parsed at every look
def _version(package: str) -> str:
    return version(package)


def all_pairs(n_bindings: int) -> int:
    """Circuits a device needs for the kernel of `n_bindings` states: one fidelity test an unordered pair."""
    return n_bindings * (n_bindings - 1) // 2


def memory_fault(n_bytes: int, limit: int) -> str | None:
    """The reason to refuse an estimated peak of `n_bytes`, or None within `limit`."""
    if n_bytes <= limit:
        return None
    return f"it would take about {n_bytes / 1e9:.2f} GB, over the profile's max_memory_bytes of {limit / 1e9:.2f} GB"
