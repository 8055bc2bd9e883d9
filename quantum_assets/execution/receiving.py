"""From completed to accepted: fetch once a job, hand every member its own claim, judge it, keep it.

A claim finds its ticket by the workload that it names, not by its place: a short, doubled or shuffled answer costs only
the members that it does not answer. What was judged good is on disk before the ticket says so. A job that completed is
not run again because its result does not come.
"""

from collections.abc import Sequence
from dataclasses import replace

from quantum_assets.contracts.envelope import Attempt, ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.failure import Action, Failure
from quantum_assets.contracts.money import MICROS
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.contracts.wire import pack_envelope
from quantum_assets.execution.cache import cache_key
from quantum_assets.execution.choosing import guarded, held_elsewhere
from quantum_assets.execution.deciding import decide
from quantum_assets.execution.ledger.rows import Move
from quantum_assets.execution.plane import ControlPlane, profile_of
from quantum_assets.execution.polling import jobs_of

Claim = ResultEnvelope | ProviderError
#: What came of a ticket's job: a claim that was judged good, or what it failed of.
Verdict = ResultEnvelope | Failure
#: What may end while one waits, where the job itself has completed.
_COMES_LATER = frozenset({Action.RETRY, Action.REATTACH, Action.MODIFY})


def receive(plane: ControlPlane, tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Fetch and judge the answers of completed tickets; one ticket a question, in the order given."""
    return plane.advance(tickets, jobs_of(tickets, {State.COMPLETED}), _received)


def verdicts(plane: ControlPlane, tickets: Sequence[Ticket], claims: Sequence[Claim], whole: bool) -> list[Verdict]:
    """Hand every ticket its claim and judge it.

    Args:
        plane: The control plane.
        tickets: Of one job; some of them, or all.
        claims: What was fetched.
        whole: Whether there are as many claims as the job has tickets: then a place says whose an error is.
    """
    return [_judged(plane, ticket, _claim_of(ticket, claims, whole)) for ticket in tickets]


def conclude(plane: ControlPlane, ticket: Ticket, verdict: Verdict) -> Ticket:
    """Accept a completed ticket, or decide what follows its failure."""
    if isinstance(verdict, Failure):
        return decide(plane, ticket, verdict)
    (accepted,) = plane.ledger.move_all([admission(plane, ticket, verdict)])
    return accepted


def admission(plane: ControlPlane, ticket: Ticket, claim: ResultEnvelope) -> Move:
    """Keep a claim that was judged good; the move that says so afterwards."""
    charge = plane.ledger.charge_of(ticket.id) if ticket.order else None
    if charge is None and ticket.order and not claim.cost:  # what it bills is not known yet
        charge = plane.ledger.estimate_of(ticket.id)
    stamped = replace(
        claim,
        correlation_id=ticket.correlation_id,
        job=claim.job or ticket.job,
        cost=claim.cost if charge is None else charge.micros / MICROS,
        currency=claim.currency if charge is None else charge.currency,
        attempts=attempts_of(plane, ticket),
    )
    # Another process may have to collect what was paid for, or what its asker does not wait for
    durable = profile_of(ticket.profile).asynchronous or not plane.in_process(ticket)
    keep(plane, ticket.id, stamped, durable=durable)
    key = _cached(plane, ticket, stamped)
    return Move(ticket, State.ACCEPTED, "admitted by the trust boundary", {"answer": key})


def keep(plane: ControlPlane, ticket_id: str, envelope: ResultEnvelope, *, durable: bool) -> None:
    """Keep an accepted claim until it is collected: on disk where another process may collect it, else in memory."""
    if durable:
        plane.answers.put(ticket_id, pack_envelope(envelope), durable=True)
    else:
        plane.memory.claims[ticket_id] = envelope


def attempts_of(plane: ControlPlane, ticket: Ticket, *, accepted: bool = True) -> tuple[Attempt, ...]:
    """Every try of this asking; `accepted`: the ticket's own is about to be."""
    tries: Sequence[Ticket] = (ticket,)
    if ticket.attempt > 1:
        tries = plane.ledger.tickets(question=ticket.question, generation=ticket.generation)
    return tuple(_attempt(one, accepted and one.id == ticket.id) for one in tries)


def _attempt(ticket: Ticket, accepted: bool) -> Attempt:
    return Attempt(
        number=ticket.attempt,
        provider=ticket.provider,
        backend=ticket.backend,
        outcome=(State.ACCEPTED if accepted else ticket.state).value,
        modification=ticket.modification,
        reason="" if accepted else ticket.reason,
        ticket=ticket.id,
        path=ticket.path,
    )


def _received(plane: ControlPlane, seen: Sequence[Ticket]) -> Sequence[Ticket]:
    if held_elsewhere(plane, seen[0]):
        return ()
    everyone = plane.members(seen[0], seen)
    done = [ticket for ticket in everyone if ticket.state is State.COMPLETED]
    if not done:
        return everyone
    first = done[0]
    try:
        order = plane.order(everyone)
        claims = tuple(guarded(plane, first, "fetch", plane.provider(first.provider).fetch, first.job, order))
    except Exception as error:  # noqa: BLE001 - the failure policy decides what it means
        return _not_fetched(plane, done, error)
    plane.memory.jobs.pop(first.job, None)
    whole = len(claims) == len(everyone)
    judged = verdicts(plane, done, claims, whole)
    return [conclude(plane, ticket, verdict) for ticket, verdict in zip(done, judged, strict=True)]


def _claim_of(ticket: Ticket, claims: Sequence[Claim], whole: bool) -> Claim:
    """The claim that names this ticket's workload; failing that, the error in its place, where places can be told."""
    for claim in claims:
        if isinstance(claim, ResultEnvelope) and claim.workload_fingerprint == ticket.workload_fingerprint:
            return claim
    in_place = claims[ticket.position] if whole else None
    if isinstance(in_place, ProviderError):
        return in_place
    named = "; it holds another workload's answer in this place" if in_place is not None else ""
    return ProviderError(
        f"provider {ticket.provider}",
        f"the answer of {len(claims)} members holds none for this workload{named}",
        "Submit it again; if it happens again, report it to the provider",
        retry=True,
    )


def _judged(plane: ControlPlane, ticket: Ticket, claim: Claim) -> Verdict:
    if isinstance(claim, ProviderError):
        return plane.classified(claim, ticket.provider, "fetch")
    try:
        reasons = plane.judge(claim, plane.workload(ticket), profile_of(ticket.profile))
    except Exception as error:  # noqa: BLE001 - a claim so malformed that it cannot be read is refused
        reasons = (f"unreadable: {type(error).__name__}: {error}",)
    if claim.mocked:
        reasons = (*reasons, "mocked: the provider says that the outcomes are made up")
    return plane.classified(reasons, ticket.provider, "result") if reasons else claim


def _cached(plane: ControlPlane, ticket: Ticket, claim: ResultEnvelope) -> str:
    """Put an accepted claim into the cache where its profile asks for it; its key, or nothing."""
    profile = profile_of(ticket.profile)
    if not profile.cached:
        return ""
    key = cache_key(
        ticket.workload_fingerprint,
        profile,
        provider=ticket.provider,
        versions=claim.effective.versions,
        calibration_digest=claim.calibration_digest,
        replicate=ticket.replicate,
    )
    return key if plane.cache.put(key, claim, profile) else ""


def _not_fetched(plane: ControlPlane, done: Sequence[Ticket], error: Exception) -> Sequence[Ticket]:
    """Trouble in passing is tried again at the next turn, for a while; then it ends, for the job itself completed.

    So it is with what another backend or seed would mend at a submission: here it would be a second job for an answer
    that is there.
    """
    first = done[0]
    failure = plane.classified(error, first.provider, "fetch")
    if plane.in_process(first) or failure.rule.action not in _COMES_LATER:
        return [decide(plane, ticket, failure) for ticket in done]
    if plane.waited(f"fetch {first.id}", first.updated_at) < plane.patience.fetch:
        return done
    return [decide(plane, ticket, failure, again=False) for ticket in done]
