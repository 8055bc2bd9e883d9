"""From a request to tickets: guardrails, routing, splitting, the cache; nothing is submitted here.

Two processes that ask the same question meet in one ticket. Answers that are not kept (exact states, cheaper made again
than read) are asked for by each process on its own.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError, StaleTicket
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.profile import ExecutionProfile, Routing
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.cache import cache_key
from quantum_assets.execution.choosing import able_places, able_providers, forgotten, require_able
from quantum_assets.execution.deciding import give_up
from quantum_assets.execution.guardrails import check_guardrails
from quantum_assets.execution.ledger.rows import Move
from quantum_assets.execution.plane import ControlPlane, profile_of
from quantum_assets.execution.receiving import keep
from quantum_assets.execution.route import route
from quantum_assets.execution.split import split
from quantum_assets.execution.suitable import Choice, choose, joined


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


@dataclass(frozen=True)
class InForce:
    """What providers say is in force: calibration and versions, asked once a provider and profile.

    Such a value lives as long as some requests are asked together: no longer, for backends are recalibrated.
    """

    _said: dict[tuple[str, str], tuple[dict[str, str], str | None] | None] = field(default_factory=dict)

    def at(self, plane: ControlPlane, name: str, request: Request) -> tuple[dict[str, str], str | None] | None:
        """Versions and calibration digest (None: it has no calibration); None when the provider cannot say."""
        place = (name, request.profile.fingerprint)
        if place not in self._said:
            self._said[place] = _in_force(plane, name, request)
        return self._said[place]


def ask(plane: ControlPlane, request: Request, path: str = "quantum", in_force: InForce | None = None) -> Asked:
    """Plan a request, or adopt what is on its way already.

    Args:
        plane: The control plane.
        request: What is asked.
        path: Which path it is a try of: quantum, or classical when it stands in for another.
        in_force: Shared by requests that are asked together; None: its own.

    Raises:
        PlanError: If a guardrail is broken.
        ProviderError: If no provider of the profile can run it and the profile names no fallback.
    """
    check_guardrails(request.workload, request.profile)
    refusal = refusal_of(plane, request)
    if refusal:
        return Asked(request, refusal=refusal)
    parts = parts_of(plane, request)
    in_force = in_force or InForce()
    choice, tickets = _choice(plane, request, parts, in_force), list[Ticket]()
    for part in parts:
        tickets.append(_planned(plane, _on(part, choice), path, choice.modification, in_force))
        if len(tickets) == 1:  # another process may have been first: the other parts go where that one goes
            choice = joined(plane, request, tickets[0], choice)
    return Asked(request, parts, tuple(tickets))


def find(plane: ControlPlane, request: Request) -> Asked | None:
    """What became of a request that was asked before, perhaps by another process; None when it never was."""
    refusal = refusal_of(plane, request)
    if refusal:
        return Asked(request, refusal=refusal)
    parts = parts_of(plane, request)
    tickets = [plane.ledger.last_ticket(part.question) for part in parts]
    known = tuple(ticket for ticket in tickets if ticket is not None)
    return Asked(request, parts, known) if len(known) == len(parts) else None


def is_current(plane: ControlPlane, part: Part, ticket: Ticket) -> bool:
    """Whether an accepted ticket's answer is what its provider would give now, as the cache sees it: by its key.

    Not so after a recalibration or an upgrade, where the provider cannot say, and where the answer was not kept.
    """
    ran = replace(part.request, profile=profile_of(ticket.profile))
    return bool(ticket.answer) and ticket.answer == _key(plane, ran, ticket.provider, InForce())


def refusal_of(plane: ControlPlane, request: Request) -> str:
    """Why policy keeps this request from the quantum path; empty when it does not.

    Raises:
        ProviderError: If no provider can run it and there is no fallback either.
    """
    _, refusals = able_places(plane, request.workload, request.profile)
    decision = route(request.profile, refusals=refusals)
    if decision.path == "refused":
        require_able(plane, request.workload, request.profile)  # names them all
        raise ProviderError(f"profile {request.profile.name}", decision.reason, "Switch it on, or name a fallback")
    return decision.reason if decision.path == "classical" else ""


def parts_of(plane: ControlPlane, request: Request) -> tuple[Part, ...]:
    """Cut a request for the tightest of the providers and backends that may run it, so that any of them can."""
    able = require_able(plane, request.workload, request.profile)
    limits = [plane.provider(name).limits(profile) for name, profile in able]
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


def _choice(plane: ControlPlane, request: Request, parts: Sequence[Part], in_force: InForce) -> Choice:
    """Where the parts go, all of them; without alternatives there is nothing to ask the ledger."""
    if not request.profile.alternatives:
        return Choice(request.profile)
    known = [(part.request, plane.ledger.last_ticket(part.question)) for part in parts]
    return choose(plane, request, known, lambda piece: _from_cache(plane, piece, in_force) is not None)


def _on(part: Part, choice: Choice) -> Part:
    """The part as it is planned: on the chosen backend; its question stays that of the profile as asked for."""
    if choice.profile is part.request.profile:
        return part
    return Part(replace(part.request, profile=choice.profile), part.question)


def _planned(plane: ControlPlane, part: Part, path: str, modification: str, in_force: InForce) -> Ticket:
    asked = partial(plane.ledger.ask, part.request, path=path, question=part.question, modification=modification)
    ticket, planned = asked()
    if not planned and forgotten(plane, ticket):
        with suppress(StaleTicket):  # somebody goes on with it after all
            give_up(plane, ticket, "nobody went on with it, and it was asked for anew", State.EXPIRED)
        ticket, planned = asked()
    if not planned or not part.request.profile.cached:
        return ticket
    found = _from_cache(plane, part.request, in_force)
    return ticket if found is None else _hit(plane, part, ticket, *found)


def _hit(plane: ControlPlane, part: Part, ticket: Ticket, key: str, envelope: ResultEnvelope) -> Ticket:
    """The ledger knows of every answer; nothing is submitted for this one and nothing is charged."""
    ran = envelope.effective
    stamped = replace(envelope, correlation_id=ticket.correlation_id)
    keep(plane, ticket.id, stamped, durable=part.request.profile.asynchronous)
    where = {"provider": ran.provider, "backend": ran.backend or "", "answer": key}
    completed = Move(ticket, State.COMPLETED, "cache hit", where)
    try:
        return plane.ledger.move_all([completed, Move(completed.left, State.ACCEPTED, "cache hit")])[0]
    except StaleTicket:  # another process took it up meanwhile
        return plane.latest([ticket])[0]


def _from_cache(plane: ControlPlane, request: Request, in_force: InForce) -> tuple[str, ResultEnvelope] | None:
    """The kept answer under the present calibration, judged again; with its key."""
    able, _ = able_providers(plane, request.workload, request.profile)
    for name in able:
        key = _key(plane, request, name, in_force)
        found = None if key is None else plane.cache.get(key)
        if key and found is not None and not plane.judge(found, request.workload, request.profile):
            return key, found
    return None


def _key(plane: ControlPlane, request: Request, name: str, in_force: InForce) -> str | None:
    """The cache key under the provider's present calibration and versions; None when it cannot say."""
    said = in_force.at(plane, name, request)
    if said is None:
        return None
    versions, digest = said
    return cache_key(
        request.workload.fingerprint,
        request.profile,
        provider=name,
        versions=versions,
        calibration_digest=digest,
        replicate=request.replicate,
    )


def _in_force(plane: ControlPlane, name: str, request: Request) -> tuple[dict[str, str], str | None] | None:
    try:
        provider = plane.provider(name)
        calibration = provider.calibration(request.profile)
        versions = provider.versions(request.profile)
    except Exception as error:  # noqa: BLE001 - no key, no hit: the request goes its usual way
        failure = plane.classified(error, name, "status")
        plane.tell("calibration_unknown", name, failure.sentence, request.correlation_id)
        return None
    return versions, None if calibration is None else calibration.digest
