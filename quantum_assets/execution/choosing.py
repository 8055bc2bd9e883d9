"""Where a ticket goes: the first provider of its profile that supports the workload and whose breaker is closed.

And who may go on with it: nobody but its owner while that one works on it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.failure import Phase
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.breaker import BreakerOpen
from quantum_assets.execution.modify import candidates
from quantum_assets.execution.owner import alive
from quantum_assets.execution.plane import ControlPlane, profile_of
from quantum_assets.execution.route import route

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Destination:
    """A provider, and the backend that the profile names (empty: its only one)."""

    provider: str
    backend: str


@dataclass(frozen=True)
class Nowhere:
    """Why nobody takes a ticket now: every refusal in a sentence, and the first open breaker among them."""

    reason: str
    breaker: BreakerOpen | None = None


def destination(plane: ControlPlane, ticket: Ticket) -> Destination | Nowhere:
    """Choose for one ticket."""
    return place_of(plane, plane.workload(ticket), profile_of(ticket.profile))


def place_of(plane: ControlPlane, workload: Workload, profile: ExecutionProfile) -> Destination | Nowhere:
    """Who would take a workload now, on the profile's backend."""
    able, refusals = able_providers(plane, workload, profile)
    closed_doors = _open_breakers(plane, able, profile)
    decision = route(profile, breaker_open={name: str(door) for name, door in closed_doors.items()}, refusals=refusals)
    if decision.provider is None:
        return Nowhere(decision.reason, next(iter(closed_doors.values()), None))
    return Destination(decision.provider, profile.backend or "")


def able_providers(
    plane: ControlPlane, workload: Workload, profile: ExecutionProfile
) -> tuple[tuple[str, ...], Mapping[str, str]]:
    """Names of the profile's providers that support a workload, in order; and why the others do not."""
    able, refusals = [], {}
    for name in profile.providers:
        reason = _refusal(plane, name, workload, profile)
        if reason is None:
            able.append(name)
        else:
            refusals[name] = reason
    return tuple(able), refusals


def able_places(
    plane: ControlPlane, workload: Workload, profile: ExecutionProfile
) -> tuple[tuple[tuple[str, ExecutionProfile], ...], Mapping[str, str]]:
    """Every provider that supports a workload on a backend that the request may go to; and why the others do not.

    Returns:
        Provider and profile on that backend, in the order of backends, then providers; and the refusals of providers
        that support it on none.
    """
    places, refusals = [], dict[str, list[str]]()
    for option in options(profile):
        able, refused = able_providers(plane, workload, option)
        places += [(name, option) for name in able]
        for name, reason in refused.items():
            refusals.setdefault(name, []).append(reason)
    found = {name for name, _ in places}
    return tuple(places), {name: "; ".join(dict.fromkeys(r)) for name, r in refusals.items() if name not in found}


def options(profile: ExecutionProfile) -> tuple[ExecutionProfile, ...]:
    """The profile on every backend that a request may go to: on its own alone, unless it asks for the most suitable."""
    return candidates(profile) if profile.routing.choose == "suitable" else (profile,)


def require_able(
    plane: ControlPlane, workload: Workload, profile: ExecutionProfile
) -> tuple[tuple[str, ExecutionProfile], ...]:
    """The places of `able_places`, of which there must be one.

    Raises:
        ProviderError: With the refusal of every provider.
    """
    able, refusals = able_places(plane, workload, profile)
    if not able:
        raise ProviderError(
            f"profile {profile.name}",
            f"no provider runs {workload.label or workload.circuit.name}: "
            + "; ".join(f"{name}: {reason}" for name, reason in refusals.items()),
            "Name a provider that supports it under providers, or change the profile",
        )
    return able


def guarded(
    plane: ControlPlane, ticket: Ticket, phase: Phase, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Call a provider through its breaker; a simulator in this process has none, for it cannot be away.

    Raises:
        BreakerOpen: When nothing was called.
        Exception: Whatever the call raises, as it is.
    """
    if plane.in_process(ticket):
        return call(*args, **kwargs)
    return plane.breakers.guard(ticket.provider, ticket.backend, phase).call(call, *args, **kwargs)


def held_elsewhere(plane: ControlPlane, ticket: Ticket) -> bool:
    """Whether another process, or another thread of this one, works on it: then it is not ours to go on with.

    That can be in the submit window, and as long as its job lives in a process. A stranger, whose process cannot be
    looked at from here, is given a while.
    """
    if ticket.state is not State.SUBMITTING and not plane.in_process(ticket):
        return False  # the provider has it, and whoever asks is told
    if ticket.owner == plane.owner:
        return ticket.state is State.SUBMITTING and plane.memory.in_window(ticket.id)
    lives = alive(ticket.owner)
    if lives is not None:
        return lives
    return plane.waited(f"stranger {ticket.id} {ticket.version}", ticket.updated_at) < plane.patience.stranger


def forgotten(plane: ControlPlane, ticket: Ticket) -> bool:
    """Planned by a process that is gone, so long ago that it would be dropped as stale instead of submitted."""
    old = (plane.clock.now() - ticket.created_at).total_seconds() >= profile_of(ticket.profile).batching.stale_seconds
    return ticket.state is State.PLANNED and old


def _open_breakers(plane: ControlPlane, names: tuple[str, ...], profile: ExecutionProfile) -> Mapping[str, BreakerOpen]:
    found, backend = {}, profile.backend or ""
    for name in names:
        if plane.provider(name).limits(profile).durable:
            state = plane.breakers.state(name, backend)
            if state.since is not None and state.half_opens_at is not None:
                found[name] = BreakerOpen(name, backend, state.since, state.half_opens_at)
    return found


def _refusal(plane: ControlPlane, name: str, workload: Workload, profile: ExecutionProfile) -> str | None:
    if name not in plane.providers:
        return f"not known here (known: {', '.join(sorted(plane.providers)) or 'none'})"
    try:
        return plane.provider(name).supports(workload, profile)
    except ImportError as missing:
        return f"needs a package that is not installed ({missing})"
