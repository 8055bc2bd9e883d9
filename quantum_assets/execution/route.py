"""Which path answers a request, and why: one pure function of the profile and what is known at that moment.

It is handed every reason that speaks against the quantum path and never looks anything up, so that a decision can be
logged, repeated and tested. Nothing falls back silently: a route that is not the quantum path alone says why.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from quantum_assets.contracts.profile import ExecutionProfile


@dataclass(frozen=True)
class Route:
    """A decision.

    Attributes:
        path: Who answers: the profile's provider, the fallback, both, or nobody.
        provider: Who runs the quantum member; None on the paths that have none.
        reason: Why it is not the quantum path alone; empty only when it is.
        passed_over: Providers before the chosen one that could not, each with its reason; for the log.
    """

    path: Literal["quantum", "classical", "ensemble", "refused"]
    provider: str | None
    reason: str
    passed_over: tuple[str, ...] = ()


def route(
    profile: ExecutionProfile,
    *,
    flag: bool | None = None,
    breaker_open: Mapping[str, str] | None = None,
    budget_reason: str = "",
    deadline_reason: str = "",
    refusals: Mapping[str, str] | None = None,
) -> Route:
    """Choose the path.

    The quantum path is open when no flag is off, budget and deadline allow it, and one of the profile's providers
    neither refuses the workload nor has an open breaker. Where it is closed, the profile's fallback answers with every
    reason; without a fallback nobody does. A profile that prefers the classical path takes it whatever the rest says.

    Args:
        profile: Its `routing` says what is preferred, and what stands in.
        flag: A feature flag read elsewhere; None: there is none. Off here or in the profile is off.
        breaker_open: Open breakers with their reason, by ``provider/backend`` or by ``provider`` (all its backends).
        budget_reason: Why the budget forbids it; empty when it does not.
        deadline_reason: Why it would be too late; empty when it would not.
        refusals: Providers that cannot run the workload, with their own reason.
    """
    policy = profile.routing
    if policy.prefer == "classical":
        return Route("classical", None, f"profile {profile.name} prefers the classical path: {policy.fallback}")
    provider, passed_over = _first_able(profile, breaker_open or {}, refusals or {})
    against = [*_flags_off(profile, flag), *(reason for reason in (budget_reason, deadline_reason) if reason)]
    if provider is None:
        against.extend(passed_over)
    if against:
        reason = "; ".join(against)
        if policy.fallback is None:
            return Route("refused", None, f"{reason}; profile {profile.name} has no fallback", passed_over)
        return Route("classical", None, reason, passed_over)
    if policy.prefer == "ensemble":
        return Route("ensemble", provider, f"profile {profile.name} prefers both, with {policy.fallback}", passed_over)
    return Route("quantum", provider, "", passed_over)


def _flags_off(profile: ExecutionProfile, flag: bool | None) -> list[str]:
    off = [] if profile.routing.flag else [f"the quantum path is switched off in profile {profile.name}"]
    return [*off, *(["the quantum path is switched off by a flag"] if flag is False else [])]


def _first_able(
    profile: ExecutionProfile, breaker_open: Mapping[str, str], refusals: Mapping[str, str]
) -> tuple[str | None, tuple[str, ...]]:
    """The first provider without an objection (None: every one has one), and the objections met on the way."""
    met: list[str] = []
    for name in profile.providers:
        objections = _objections(name, profile.backend or "", breaker_open, refusals)
        if not objections:
            return name, tuple(met)
        met.extend(objections)
    return None, tuple(met)


def _objections(name: str, backend: str, breaker_open: Mapping[str, str], refusals: Mapping[str, str]) -> list[str]:
    """A reason that was left empty still counts: the objection is that the key is there."""
    found = [f"{name}: {refusals[name] or 'refuses it without a reason'}"] if name in refusals else []
    for key in dict.fromkeys((name, f"{name}/{backend}")):
        if key in breaker_open:
            found.append(f"{key.rstrip('/')}: breaker open{', ' + breaker_open[key] if breaker_open[key] else ''}")
    return found
