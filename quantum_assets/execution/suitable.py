"""The most suitable of a profile's backends, chosen once a request: by queue and two-qubit error, as they are now.

The choice is made for a profile that asks for it (`Routing.choose`), and is written into the tickets as a retry's
change is: the profile as it runs, and one sentence. It is no degradation, for such a profile allows every one of its
backends alike. It holds for every part and for every process: what is on its way stays where it is, and what was
answered is answered from there. Where nothing can be learnt of the backends, the request goes where it would have gone
without a choice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.jobs import BackendFact
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.choosing import Destination, Nowhere, able_providers, forgotten, options, place_of
from quantum_assets.execution.modify import candidates
from quantum_assets.execution.pack import rank_backends
from quantum_assets.execution.plane import ControlPlane

#: Seconds for which what a provider said of its backends is not asked again: one asset asks many things at once.
FRESH = 60.0


@dataclass(frozen=True)
class Choice:
    """How the tickets of a request are to run.

    Attributes:
        profile: As asked for, or on another of its backends.
        modification: What is other than asked for, one sentence; empty: nothing.
    """

    profile: ExecutionProfile
    modification: str = ""


def choose(
    plane: ControlPlane,
    request: Request,
    parts: Sequence[tuple[Request, Ticket | None]],
    kept: Callable[[Request], bool],
) -> Choice:
    """Where all parts of a request go: where any is on its way or answered already, else to what suits best now.

    Args:
        plane: The control plane.
        request: The whole of it.
        parts: Each part, with the latest ticket of its question.
        kept: Whether an answer to a part, on the backend that its profile names, is in the cache.
    """
    known = [ticket for _, ticket in parts if ticket is not None]
    open_ = next((ticket for ticket in known if not ticket.ended and not forgotten(plane, ticket)), None)
    if open_ is not None:
        return joined(plane, request, open_, Choice(request.profile))
    if request.profile.routing.choose == "first":
        return Choice(request.profile)
    there = _answered(plane, request, parts, kept)
    return most_suitable(plane, request) if there is None else _moved(request, there, "where it was answered before")


def joined(plane: ControlPlane, request: Request, ticket: Ticket, choice: Choice) -> Choice:
    """The choice with which the asking of a ticket began; `choice` itself where it is the same, or no choice of ours.

    A retry may have moved the ticket since: that is no choice, and its profile is none of `candidates`.
    """
    if ticket.profile_fingerprint == choice.profile.fingerprint:
        return choice
    began = ticket
    if ticket.attempt > 1:
        began = plane.ledger.tickets(question=ticket.question, generation=ticket.generation, limit=1)[0]
    found = next((one for one in candidates(request.profile) if one.fingerprint == began.profile_fingerprint), None)
    if found is None or found.fingerprint == choice.profile.fingerprint:
        return choice
    return _moved(request, found, "where a part of it is on its way")


def most_suitable(plane: ControlPlane, request: Request) -> Choice:
    """Choose among the backends that support a request and whose breaker is closed.

    One that can tell nothing of itself is passed over for those that can. Where none can, or the provider cannot be
    asked (which is told), the first of them is taken, and the profile's own where all of them are closed.
    """
    ways = {
        option.backend or "": (option, place_of(plane, request.workload, option)) for option in options(request.profile)
    }
    usable = {name: place for name, (_, place) in ways.items() if isinstance(place, Destination)}
    own = request.profile.backend or ""
    facts = _facts(plane, request, usable) if len(usable) > 1 else {}
    ranked = rank_backends([facts[name] for name in usable if name in facts], request.workload.circuit.n_qubits)
    best = next(iter(ranked or usable), own)
    if best == own:
        return Choice(request.profile)
    why = _against(plane, request, ways[own][1]) or _compared(request, facts.get(own), facts.get(best))
    return _moved(request, ways[best][0], why)


def heard(plane: ControlPlane) -> Mapping[tuple[str, str], BackendFact]:
    """What this process last heard of backends, by provider and name; asks nobody."""
    latest = sorted(plane.memory.heard.items(), key=lambda item: item[1][0])
    return {(provider, fact.name): fact for (provider, _), (_, told) in latest for fact in told}


def _answered(
    plane: ControlPlane,
    request: Request,
    parts: Sequence[tuple[Request, Ticket | None]],
    kept: Callable[[Request], bool],
) -> ExecutionProfile | None:
    """The profile under which answers are kept: of all parts, or of some while the way is open for the others."""
    if not request.profile.cached:
        return None
    for option in candidates(request.profile):
        there = [_accepted_under(option, ticket) and kept(replace(part, profile=option)) for part, ticket in parts]
        if all(there) or (any(there) and isinstance(place_of(plane, request.workload, option), Destination)):
            return option
    return None


def _accepted_under(profile: ExecutionProfile, ticket: Ticket | None) -> bool:
    if ticket is None or ticket.state is not State.ACCEPTED:
        return False
    return ticket.profile_fingerprint == profile.fingerprint


def _moved(request: Request, profile: ExecutionProfile, why: str) -> Choice:
    own = request.profile.backend
    return Choice(profile, f"backend {own} → {profile.backend}: {why}" if profile.backend != own else "")


def _facts(plane: ControlPlane, request: Request, usable: Mapping[str, Destination]) -> Mapping[str, BackendFact]:
    """What is known of the usable backends, each from the provider that would take the request there."""
    found = dict[str, BackendFact]()
    for provider in dict.fromkeys(place.provider for place in usable.values()):
        mine = {name for name, place in usable.items() if place.provider == provider}
        found |= {fact.name: fact for fact in _told(plane, request, provider) if fact.name in mine}
    return found


def _told(plane: ControlPlane, request: Request, provider: str) -> Sequence[BackendFact]:
    """A provider's word on the backends; nothing when it cannot be asked, and somebody is told of that."""
    key, now = (provider, request.profile.fingerprint), plane.clock.monotonic()
    at, known = plane.memory.heard.get(key, (float("-inf"), ()))
    if now - at < FRESH:
        return known
    try:
        said = plane.provider(provider).backends(request.profile)
    except Exception as error:  # noqa: BLE001 - whoever is away is no reason to fail: the profile names where to go
        failure, said = plane.classified(error, provider, "status"), ()
        plane.tell("backends_unknown", provider, failure.sentence, request.correlation_id)
    plane.memory.heard[key] = (now, said)
    return said


def _against(plane: ControlPlane, request: Request, place: Destination | Nowhere) -> str:
    """Why the profile's own backend cannot take the request now; empty when it can."""
    if isinstance(place, Destination):
        return ""
    if place.breaker is not None:
        return f"the breaker of {request.profile.backend} is open"
    _, refusals = able_providers(plane, request.workload, request.profile)
    return "; ".join(refusals.values())


def _compared(request: Request, own: BackendFact | None, best: BackendFact | None) -> str:
    """Why another backend is more suitable than the profile's own."""
    width = request.workload.circuit.n_qubits
    if own is None or best is None:
        return f"nothing is known of {request.profile.backend}"
    if own.n_qubits < width:
        return f"{own.name} has {own.n_qubits} qubits, and the circuit {width}"
    return (
        f"queue {_figure(best.queue)} against {_figure(own.queue)}, "
        f"two-qubit error {_figure(best.error)} against {_figure(own.error)}"
    )


def _figure(figure: float | None) -> str:
    return "unknown" if figure is None else f"{figure:.3g}"
