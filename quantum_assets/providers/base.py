"""The contract that every provider keeps, and the two things they all do: refuse in words and name their versions."""

from importlib.metadata import version
from typing import Protocol

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload


class Provider(Protocol):
    """A place that runs workloads.

    What every provider promises, and the conformance suite checks:

    - making one does nothing: no connection, no import of an SDK, no file;
    - `supports` is cheap, spends nothing and never raises: None means yes, otherwise one sentence says why not;
    - `run` answers exactly the workload it was given (both fingerprints are echoed) or raises `ProviderError`; a
      workload that `supports` refuses is refused by `run` with the same sentence;
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

    def run(self, workload: Workload, profile: ExecutionProfile) -> ResultEnvelope:
        """Run it and return the claim.

        Raises:
            ProviderError: When it is not supported, or did not run.
        """
        ...


def require_support(provider: Provider, workload: Workload, profile: ExecutionProfile) -> None:
    """Raise `ProviderError` with the provider's own reason when it does not support the workload."""
    reason = provider.supports(workload, profile)
    if reason is not None:
        raise ProviderError(f"provider {provider.name}", reason, "Name a provider that supports it in the profile")


def installed(*packages: str) -> dict[str, str]:
    """Versions of installed packages, by name."""
    return {package: version(package) for package in packages}


def all_pairs(n_bindings: int) -> int:
    """Circuits a device needs for the kernel of `n_bindings` states: one fidelity test an unordered pair."""
    return n_bindings * (n_bindings - 1) // 2


def memory_fault(n_bytes: int, limit: int) -> str | None:
    """The reason to refuse an estimated peak of `n_bytes`, or None within `limit`."""
    if n_bytes <= limit:
        return None
    return f"it would take about {n_bytes / 1e9:.2f} GB, over the profile's max_memory_bytes of {limit / 1e9:.2f} GB"
