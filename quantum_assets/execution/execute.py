"""Run one workload on the first provider of its profile that can, and bring back the envelope."""

import dataclasses
from collections.abc import Callable, Mapping
from uuid import uuid4

from threadpoolctl import threadpool_limits

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError, QuantumAssetsError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.guardrails import check_guardrails
from quantum_assets.providers.base import Provider

Factory = Callable[[], Provider]


def execute(
    workload: Workload,
    profile: ExecutionProfile,
    providers: Mapping[str, Factory],
    *,
    correlation_id: str | None = None,
) -> ResultEnvelope:
    """Ask the profile's providers in order and run on the first that supports the workload.

    Args:
        workload: What to run.
        profile: How; its guardrails are checked before any provider is made.
        providers: Factories by name; only those that the profile names are used.
        correlation_id: Follows the request through logs and records; None: a fresh one.

    Returns:
        The provider's claim, stamped with the correlation id; still to be admitted by `trust`.

    Raises:
        PlanError: If a guardrail is broken.
        ProviderError: If no provider can (all refusals listed), or the chosen one failed; the cause is chained.
    """
    check_guardrails(workload, profile)
    provider = choose(workload, profile, providers)
    envelope = _run(provider, workload, profile)
    return dataclasses.replace(envelope, correlation_id=correlation_id or str(uuid4()))


def choose(workload: Workload, profile: ExecutionProfile, providers: Mapping[str, Factory]) -> Provider:
    """Find the first provider of the profile that supports the workload.

    Raises:
        ProviderError: With the refusal of every one, if none does.
    """
    refusals = []
    for name in profile.providers:
        if name not in providers:
            refusals.append(f"{name}: not known here (known: {', '.join(sorted(providers)) or 'none'})")
            continue
        try:
            provider = providers[name]()
        except ImportError as missing:
            refusals.append(f"{name}: needs a package that is not installed ({missing})")
            continue
        reason = provider.supports(workload, profile)
        if reason is None:
            return provider
        refusals.append(f"{name}: {reason}")
    raise ProviderError(
        f"profile {profile.name}",
        f"no provider runs {workload.label or workload.circuit.name}: " + "; ".join(refusals),
        "Name a provider that supports it under providers, or change the profile",
    )


def _run(provider: Provider, workload: Workload, profile: ExecutionProfile) -> ResultEnvelope:
    try:
        with threadpool_limits(1):  # BLAS sums in another order on more threads: the same bits on any number of them
            envelope = provider.run(workload, profile)
    except QuantumAssetsError:
        raise
    except Exception as unexpected:
        raise ProviderError(
            provider.name,
            f"failed on {workload.label or workload.circuit.name} with {type(unexpected).__name__}: {unexpected}",
            "Look at the chained error; try again, or name another provider in the profile",
            retry=isinstance(unexpected, (OSError, TimeoutError)),
        ) from unexpected
    if not isinstance(envelope, ResultEnvelope):
        raise ProviderError(
            provider.name, f"returned {type(envelope).__name__}, not an envelope", "Mend the provider's run method"
        )
    return envelope
