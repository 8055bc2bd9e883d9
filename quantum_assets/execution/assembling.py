"""From tickets that all have their outcome to one answer: quantum, the fallback's or both, with its reason."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from quantum_assets.contracts.answer import Answer, Request
from quantum_assets.contracts.envelope import Attempt, ResultEnvelope
from quantum_assets.contracts.errors import (
    BudgetError,
    LedgerError,
    PlanError,
    ProviderError,
    QuantumAssetsError,
    UnderWay,
)
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.contracts.wire import unpack_envelope
from quantum_assets.execution.asking import Asked, fallback_of
from quantum_assets.execution.deciding import LATE, leaves_it_to_a_fallback
from quantum_assets.execution.plane import ControlPlane, profile_of
from quantum_assets.execution.receiving import attempts_of
from quantum_assets.execution.split import join

#: Answers the request that stands in for another.
StandIn = Callable[[ControlPlane, Request], Answer]


def assemble(plane: ControlPlane, asked: Asked, stand_in: StandIn) -> Answer:
    """Put an answer together.

    Args:
        plane: The control plane.
        asked: A request whose tickets all have their outcome; one that has none is too late for it.
        stand_in: Answers the fallback's question.

    Raises:
        ProviderError: If the quantum path ended without an answer and there is no fallback.
        LedgerError: If an accepted answer is gone.
    """
    request = asked.request
    if asked.refusal:
        return _classical(plane, request, asked.refusal, (), stand_in)
    ended = [ticket for ticket in asked.tickets if ticket.state in (State.REJECTED, State.FELL_BACK)]
    refused = next((ticket for ticket in ended if _is_the_end(plane, request, ticket)), None)
    if refused is not None:
        tries = f"{refused.attempt} {'try' if refused.attempt == 1 else 'tries'}"
        raise _unanswered(request, f"was not answered after {tries}: {refused.reason}")
    if ended:
        return _fallen(plane, request, ended[0].reason, asked.tickets, stand_in)
    if any(not ticket.ended for ticket in asked.tickets):
        return _fallen(plane, request, LATE, asked.tickets, stand_in)
    return _quantum(plane, asked, stand_in)


def is_here(plane: ControlPlane, ticket: Ticket) -> bool:
    """Whether the answer of an accepted ticket can be had from here."""
    if ticket.id in plane.memory.claims or plane.answers.has(ticket.id):
        return True
    return bool(ticket.answer) and plane.cache.has(ticket.answer)


def _is_the_end(plane: ControlPlane, request: Request, ticket: Ticket) -> bool:
    """Whether a ticket was rejected for this request too, which may have a fallback where the ticket's own has none."""
    if ticket.state is not State.REJECTED:
        return False
    return request.profile.routing.fallback is None or not leaves_it_to_a_fallback(plane, ticket)


def _quantum(plane: ControlPlane, asked: Asked, stand_in: StandIn) -> Answer:
    request, profile = asked.request, profile_of(asked.tickets[0].profile)
    if any(ticket.profile_fingerprint != profile.fingerprint for ticket in asked.tickets):
        changed = "; ".join(dict.fromkeys(ticket.modification for ticket in asked.tickets if ticket.modification))
        why = f"its parts were answered under different profiles: {changed}"
        return _fallen(plane, request, why, asked.tickets, stand_in)
    claims = [_claim(plane, ticket) for ticket in asked.tickets]
    try:
        envelope = claims[0] if len(claims) == 1 else join(claims, request.workload, profile)
    except ProviderError as unlike:
        return _fallen(plane, request, str(unlike), asked.tickets, stand_in)
    whole = Answer(
        path="quantum",
        reason="",
        profile=profile,
        envelope=envelope,
        attempts=envelope.attempts,
        tickets=tuple(ticket.id for ticket in asked.tickets),
        cache_hit=envelope.cache_hit,
    )
    return whole if request.profile.routing.prefer != "ensemble" else _ensemble(plane, request, whole, stand_in)


def _ensemble(plane: ControlPlane, request: Request, quantum: Answer, stand_in: StandIn) -> Answer:
    other = stand_in(plane, _fallback_request(plane, request))
    return replace(
        quantum,
        path="ensemble",
        reason=f"profile {request.profile.name} asks for both paths",
        classical=other.envelope,
        classical_profile=other.profile,
        attempts=(*quantum.attempts, *_by_the_classical_path(other)),
        tickets=(*quantum.tickets, *other.tickets),
    )


def _fallen(plane: ControlPlane, request: Request, reason: str, tickets: Sequence[Ticket], stand_in: StandIn) -> Answer:
    """The fallback, where this request has one: the ticket may be that of somebody whose profile said otherwise."""
    if request.profile.routing.fallback is None:
        raise _unanswered(request, f"was not answered: {reason}")
    return _classical(plane, request, reason, tickets, stand_in)


def _classical(
    plane: ControlPlane, request: Request, reason: str, tickets: Sequence[Ticket], stand_in: StandIn
) -> Answer:
    """The fallback's answer; the tries of the quantum path stay part of it.

    Raises:
        QuantumAssetsError: If the fallback fails too, of its own kind, with both reasons, the first one first.
    """
    try:
        other = stand_in(plane, _fallback_request(plane, request))
    except (ProviderError, BudgetError, PlanError) as second:
        raise _neither(request, reason, second) from second
    tries = [attempt for ticket in tickets for attempt in attempts_of(plane, ticket, accepted=False)]
    attempts = (*tries, *_by_the_classical_path(other))
    return replace(
        other,
        path="classical",
        reason=reason,
        attempts=attempts,
        envelope=replace(other.envelope, attempts=attempts),
        tickets=(*(ticket.id for ticket in tickets), *other.tickets),
    )


def _neither(request: Request, first: str, second: QuantumAssetsError) -> QuantumAssetsError:
    """Both paths failed: what the first failed of is why the second was asked, and must not be lost behind it."""
    if isinstance(second, UnderWay):
        return second
    whose = f"{request.label} under profile {request.profile.name}"
    problem = f"was not answered: {first}; nor by its fallback: {second.culprit}: {second.problem}"
    if isinstance(second, ProviderError):
        return ProviderError(whose, problem, second.mend, second.retry)
    return type(second)(whose, problem, second.mend)


def _by_the_classical_path(other: Answer) -> tuple[Attempt, ...]:
    """A kept answer may have been made for somebody to whom it was the quantum path."""
    return tuple(replace(attempt, path="classical") for attempt in other.attempts)


def _fallback_request(plane: ControlPlane, request: Request) -> Request:
    """The same question for the profile that stands in; one that runs no circuits gives the state instead of shots."""
    profile, workload = fallback_of(plane, request.profile), request.workload
    if workload.measure == "samples" and profile.estimator != "circuits":
        workload = replace(workload, measure="states")
    return replace(request, workload=workload, profile=profile, deadline=None, replicate=0)


def _claim(plane: ControlPlane, ticket: Ticket) -> ResultEnvelope:
    """The accepted claim of a ticket, from memory or from disk."""
    held = plane.memory.claims.get(ticket.id) or plane.answers.read(ticket.id, unpack_envelope).value
    found = held or (plane.cache.get(ticket.answer) if ticket.answer else None)
    if found is None:
        raise LedgerError(
            f"ticket {ticket.id}",
            "was accepted, and its answer is neither on disk nor in the cache any more",
            "Materialise the asset that submits it again",
        )
    return found


def _unanswered(request: Request, problem: str) -> ProviderError:
    return ProviderError(
        f"{request.label} under profile {request.profile.name}",
        problem,
        "Look at `quantum-assets tickets` and at the alerts, or name a routing.fallback in the profile",
    )
