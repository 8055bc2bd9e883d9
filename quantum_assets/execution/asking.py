"""From a request to tickets: guardrails, routing, splitting, the cache; nothing is submitted here.

Two processes that ask the same question meet in one ticket. Answers that are not kept (exact states, cheaper made again
than read) are asked for by each process on its own.
"""

from contextlib import suppress
from dataclasses import dataclass, replace

from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError, StaleTicket
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.profile import ExecutionProfile, Routing
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.cache import cache_key
from quantum_assets.execution.choosing import able_providers, require_able
from quantum_assets.execution.deciding import give_up
from quantum_assets.execution.guardrails import check_guardrails
from quantum_assets.execution.plane import ControlPlane, profile_of
from quantum_assets.execution.receiving import keep
from quantum_assets.execution.route import route
from quantum_assets.execution.split import split


@dataclass(frozen=True, eq=False)
class Part:
    """One piece of a request, small enough for one order, and the question that its tickets answer."""

    request: Request
    question: str


@dataclass(frozen=True, eq=False)
class Asked:
    """A request on its way.

    Attributes:
        request: As it was asked.
        parts: Its pieces in order; one, when it fits in an order whole.
        tickets: The latest ticket of each part.
        refusal: Why the quantum path is not taken; then there are no parts.
    """

    request: Request
    parts: tuple[Part, ...] = ()
    tickets: tuple[Ticket, ...] = ()
    refusal: str = ""


def ask(plane: ControlPlane, request: Request, path: str = "quantum") -> Asked:
    """Plan a request, or adopt what is on its way already.

    Args:
        plane: The control plane.
        request: What is asked.
        path: Which path it is a try of: quantum, or classical when it stands in for another.

    Raises:
        PlanError: If a guardrail is broken.
        ProviderError: If no provider of the profile can run it and the profile names no fallback.
    """
    check_guardrails(request.workload, request.profile)
    refusal = refusal_of(plane, request)
    if refusal:
        return Asked(request, refusal=refusal)
    parts = parts_of(plane, request)
    return Asked(request, parts, tuple(_planned(plane, part, path) for part in parts))


def find(plane: ControlPlane, request: Request) -> Asked | None:
    """What became of a request that was asked before, perhaps by another process; None when it never was."""
    refusal = refusal_of(plane, request)
    if refusal:
        return Asked(request, refusal=refusal)
    parts = parts_of(plane, request)
    tickets = [plane.ledger.last_ticket(part.question) for part in parts]
    known = tuple(ticket for ticket in tickets if ticket is not None)
    return Asked(request, parts, known) if len(known) == len(parts) else None


def refusal_of(plane: ControlPlane, request: Request) -> str:
    """Why policy keeps this request from the quantum path; empty when it does not.

    Raises:
        ProviderError: If no provider can run it and there is no fallback either.
    """
    _, refusals = able_providers(plane, request.workload, request.profile)
    decision = route(request.profile, refusals=refusals)
    if decision.path == "refused":
        require_able(plane, request.workload, request.profile)  # names them all
        raise ProviderError(f"profile {request.profile.name}", decision.reason, "Switch it on, or name a fallback")
    return decision.reason if decision.path == "classical" else ""


def parts_of(plane: ControlPlane, request: Request) -> tuple[Part, ...]:
    """Cut a request for the tightest of the providers that may run it, so that any of them can."""
    able = require_able(plane, request.workload, request.profile)
    limits = [plane.provider(name).limits(request.profile) for name in able]
    pieces = split(request.workload, min(limit.max_circuits for limit in limits))
    elsewhere = request.profile.asynchronous or any(limit.durable for limit in limits)
    for piece in pieces:
        plane.remember(piece, durable=elsewhere)
    requests = [request if piece is request.workload else replace(request, workload=piece) for piece in pieces]
    shared = elsewhere or request.profile.cached
    return tuple(Part(one, one.question if shared else _own_question(plane, one)) for one in requests)


def fallback_of(plane: ControlPlane, profile: ExecutionProfile) -> ExecutionProfile:
    """The profile that answers where the quantum path does not. It has the last word: its own routing is left out.

    Raises:
        ProviderError: When the profile names none, or one that is not known here.
    """
    name = profile.routing.fallback
    if name is None or name not in plane.profiles:
        raise ProviderError(
            f"profile {profile.name}",
            f"its fallback {name!r} is not among {', '.join(plane.profiles) or 'no profiles'}",
            "Name a classical profile in routing.fallback",
        )
    return plane.profiles[name].model_copy(update={"routing": Routing()})


def _own_question(plane: ControlPlane, request: Request) -> str:
    """A question that only this process's request meets: its answer is not kept for anybody else."""
    return fingerprint("own-question/v1", request.question, plane.owner, request.correlation_id)


def _planned(plane: ControlPlane, part: Part, path: str) -> Ticket:
    ticket, planned = plane.ledger.ask(part.request, path=path, question=part.question)
    if not planned and _forgotten(plane, ticket):
        with suppress(StaleTicket):  # somebody goes on with it after all
            give_up(plane, ticket, "nobody went on with it, and it was asked for anew", State.EXPIRED)
        ticket, planned = plane.ledger.ask(part.request, path=path, question=part.question)
    if not planned or not part.request.profile.cached:
        return ticket
    found = _from_cache(plane, part.request)
    return ticket if found is None else _hit(plane, part, ticket, *found)


def _forgotten(plane: ControlPlane, ticket: Ticket) -> bool:
    """Planned by a process that is gone, so long ago that it would be dropped as stale instead of submitted."""
    old = (plane.clock.now() - ticket.created_at).total_seconds() >= profile_of(ticket.profile).batching.stale_seconds
    return ticket.state is State.PLANNED and old


def _hit(plane: ControlPlane, part: Part, ticket: Ticket, key: str, envelope: ResultEnvelope) -> Ticket:
    """The ledger knows of every answer; nothing is submitted for this one and nothing is charged."""
    ran = envelope.effective
    stamped = replace(envelope, correlation_id=ticket.correlation_id)
    keep(plane, ticket.id, stamped, durable=part.request.profile.asynchronous)
    try:
        done = plane.ledger.move(
            ticket, State.COMPLETED, "cache hit", provider=ran.provider, backend=ran.backend or "", answer=key
        )
        return plane.ledger.move(done, State.ACCEPTED, "cache hit")
    except StaleTicket:  # another process took it up meanwhile
        return plane.latest([ticket])[0]


def _from_cache(plane: ControlPlane, request: Request) -> tuple[str, ResultEnvelope] | None:
    """The kept answer under the present calibration, judged again; with its key."""
    able, _ = able_providers(plane, request.workload, request.profile)
    for name in able:
        key = _key(plane, request, name)
        found = None if key is None else plane.cache.get(key)
        if key and found is not None and not plane.judge(found, request.workload, request.profile):
            return key, found
    return None


def _key(plane: ControlPlane, request: Request, name: str) -> str | None:
    """The cache key under the provider's present calibration and versions; None when it cannot say."""
    provider = plane.provider(name)
    try:
        calibration = provider.calibration(request.profile)
        versions = provider.versions(request.profile)
    except Exception as error:  # noqa: BLE001 - no key, no hit: the request goes its usual way
        failure = plane.classified(error, name, "status")
        plane.tell("calibration_unknown", name, failure.sentence, request.correlation_id)
        return None
    return cache_key(
        request.workload.fingerprint,
        request.profile,
        provider=name,
        versions=versions,
        calibration_digest=None if calibration is None else calibration.digest,
        replicate=request.replicate,
    )
