"""Asking providers how their jobs are doing, and paying for those that ended.

One question a job, however many tickets are in it. What is not understood is state unknown and never an error; a job
that is said to have failed is only believed to when its result is not there either.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf

from quantum_assets.contracts.errors import LedgerError, PlanError
from quantum_assets.contracts.failure import Action, Failure
from quantum_assets.contracts.jobs import Charge, JobStatus, Limits
from quantum_assets.contracts.ticket import AT_PROVIDER, State, Ticket
from quantum_assets.execution.choosing import guarded, held_elsewhere
from quantum_assets.execution.cost import charge_of, estimate
from quantum_assets.execution.deciding import end, fail, lost
from quantum_assets.execution.ledger.rows import Move, OrderRow
from quantum_assets.execution.plane import ControlPlane, profile_of
from quantum_assets.providers.base import remains_of

_LOG = logging.getLogger(__name__)
_STATE = {
    "queued": State.QUEUED,
    "running": State.RUNNING,
    "completed": State.COMPLETED,
    "failed": State.FAILED,
    "cancelled": State.CANCELLED,
}
_FINAL = frozenset({"completed", "failed", "cancelled"})
_IN_PASSING = frozenset({Action.RETRY, Action.REATTACH})
_PAGE = 100


@dataclass(frozen=True)
class Settling:
    """What one look at the orders that nobody paid for yet did.

    Attributes:
        settled: Orders that were paid for.
        cursor: Where the next look goes on; empty: the last one was come by.
    """

    settled: int
    cursor: str


def poll(plane: ControlPlane, tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Ask once a job how it is doing; tickets that are not at a provider come back as they are."""
    return plane.advance(tickets, jobs_of(tickets, AT_PROVIDER), _polled)


def jobs_of(tickets: Iterable[Ticket], states: Iterable[State]) -> list[list[Ticket]]:
    """Tickets in some states, those of one job together."""
    groups: dict[tuple[str, str], list[Ticket]] = {}
    wanted = frozenset(states)
    for ticket in tickets:
        if ticket.state in wanted and ticket.job:
            groups.setdefault((ticket.provider, ticket.job), []).append(ticket)
    return list(groups.values())


def settle_ended(plane: ControlPlane, limit: int = 50, *, cursor: str = "", until: float = inf) -> Settling:
    """Pay for orders whose tickets all ended before the provider said what it bills.

    An order that was given up may still run, and cost, at the provider: it is asked to cancel, and asked again later.

    Args:
        plane: The control plane.
        limit: Most such orders that are looked at.
        cursor: As the call before returned it, so that orders of which nobody can tell anything do not hide the others.
        until: Nobody is asked any more after this (monotonic seconds).
    """
    settled = looked_at = 0
    while True:
        page = plane.ledger.orders(settled=False, after=cursor, limit=_PAGE)
        for row in page:
            if looked_at == limit or plane.clock.monotonic() >= until:
                return Settling(settled, cursor)
            cursor = row.key
            if all(ticket.ended for ticket in plane.ledger.tickets(order=row.key)):  # or went elsewhere
                looked_at += 1
                settled += _settled_late(plane, row, plane.ledger.opened_for(row.key))
        if len(page) < _PAGE:
            return Settling(settled, "")


def settle_orders(plane: ControlPlane, tickets: Iterable[Ticket]) -> None:
    """The same for the orders of some tickets, wherever they stand in the queue of all orders."""
    for key in dict.fromkeys(ticket.order for ticket in tickets if ticket.order):
        row, members = plane.ledger.order(key), plane.ledger.tickets(order=key)
        if row is not None and row.state == "open" and all(ticket.ended for ticket in members):
            _settled_late(plane, row, plane.ledger.opened_for(key))


def settle(plane: ControlPlane, members: Sequence[Ticket], status: JobStatus) -> bool:
    """Book what an order cost: what the provider says, or what its price says of what ran.

    Returns:
        Whether it is booked. Where it cannot be (there is no price any more, or another amount was booked before) a
        person is told.
    """
    order = members[0].order
    try:
        plane.ledger.settle(order, _charge(plane, members, status))
    except (LedgerError, PlanError) as problem:
        plane.tell("not_settled", f"order {order[:12]}", str(problem), members[0].correlation_id)
        return False
    return True


def _charge(plane: ControlPlane, members: Sequence[Ticket], status: JobStatus) -> Charge:
    if status.charge is not None:
        return status.charge
    first = members[0]
    limits, ran = plane.limits(first), status.seconds.get("run")
    workloads = [plane.workload(ticket) for ticket in members]
    guess = estimate(workloads, profile_of(first.profile), first.provider, limits, plane.prices)
    if status.circuits is not None and guess.circuits:  # all of one profile: shots are shared as circuits are
        part, whole = min(max(status.circuits, 0), guess.circuits), guess.circuits
        shares = {"shots": guess.shots * part // whole, "micros": -(-guess.micros * part // whole)}
        guess = guess.model_copy(update={"circuits": part, **shares})
    if status.state == "cancelled" and not ran and (ran is not None or not limits.meters):
        return Charge(0, guess.currency)  # it never ran
    return charge_of(status, guess, plane.prices)


def _polled(plane: ControlPlane, seen: Sequence[Ticket]) -> Sequence[Ticket]:
    if held_elsewhere(plane, seen[0]):
        return ()
    everyone = plane.members(seen[0], seen)
    members = [ticket for ticket in everyone if ticket.state in AT_PROVIDER]
    if not members:
        return everyone
    first = members[0]
    try:
        status = guarded(plane, first, "status", plane.provider(first.provider).status, first.job)
    except Exception as error:  # noqa: BLE001 - asking failed; that says nothing of the job
        return _unanswered(plane, members, plane.classified(error, first.provider, "status"))
    if status.state == "failed":
        status = _believed(plane, everyone, status)
    if status.state not in _STATE:
        return lost(plane, members) if plane.in_process(first) else _unknown(plane, members, status)
    if first.order and _told_in_full(plane.limits(first), status):
        settle(plane, everyone, status)
    if status.state in ("failed", "cancelled"):
        failure = plane.classified(status, first.provider, "status")
        if not plane.in_process(first):  # a backend that accepts jobs and fails each is as unwell as one that is away
            plane.breakers.guard(first.provider, first.backend, "status").count(failure)
            _make_sure(plane, first)
        return fail(plane, members, failure, state=_STATE[status.state])
    return _moved(plane, members, status)


def _make_sure(plane: ControlPlane, ticket: Ticket) -> None:
    """Cancel a job that is said to have ended without a result: another try beside it would be paid for twice."""
    try:
        plane.provider(ticket.provider).cancel(ticket.job)
    except Exception as error:  # noqa: BLE001 - it has ended, as was said, or is asked about again when it is paid for
        failure = plane.classified(error, ticket.provider, "status")
        _LOG.info("job %s: %s", ticket.job, failure.sentence)


def _moved(plane: ControlPlane, members: Sequence[Ticket], status: JobStatus) -> Sequence[Ticket]:
    state, place = _STATE[status.state], {"queue_position": status.queue_position}
    why = status.message or status.raw
    moves = [Move(ticket, state, why, place) for ticket in members if ticket.state is not state]
    moved = {ticket.id: ticket for ticket in plane.ledger.move_all(moves)} if moves else {}
    return [moved.get(ticket.id) or _at_place(plane, ticket, status) for ticket in members]


def _at_place(plane: ControlPlane, ticket: Ticket, status: JobStatus) -> Ticket:
    if ticket.queue_position == status.queue_position:
        return ticket
    return plane.ledger.touch(ticket, queue_position=status.queue_position)


def _unanswered(plane: ControlPlane, members: Sequence[Ticket], failure: Failure) -> Sequence[Ticket]:
    """Trouble in passing leaves the tickets where they are; with anything else they are unknown."""
    if failure.rule.action in _IN_PASSING:
        return members
    if failure.rule.alert:
        subject = f"job {members[0].job}"
        plane.tell(failure.rule.name, subject, f"{failure.sentence}. {failure.rule.mend}", members[0].correlation_id)
    return _unknown(plane, members, JobStatus("unknown", failure.sentence))


def _unknown(plane: ControlPlane, members: Sequence[Ticket], status: JobStatus) -> Sequence[Ticket]:
    """The provider does not know the job, or its word was not understood: wait, but not for ever."""
    first, told = members[0], f"{members[0].provider} says {status.raw!r}"
    moves = [Move(ticket, State.UNKNOWN, told) for ticket in members if ticket.state is not State.UNKNOWN]
    if moves:
        moved = {ticket.id: ticket for ticket in plane.ledger.move_all(moves)}
        return [moved.get(ticket.id, ticket) for ticket in members]
    waited = plane.waited(f"unknown {first.id} {first.version}", first.updated_at)
    if waited < plane.patience.unknown:
        return members
    reason = f"{first.provider} could not say how job {first.job} is for {waited:.0f} s: {status.raw}"
    plane.tell("job_lost", f"job {first.job}", reason, first.correlation_id)
    return [end(plane, ticket, reason) for ticket in members]


def _believed(plane: ControlPlane, everyone: Sequence[Ticket], status: JobStatus) -> JobStatus:
    """A job that is said to have failed: completed if its result is there; unknown while that cannot be told."""
    first = everyone[0]
    try:
        claims = plane.provider(first.provider).fetch(first.job, plane.order(everyone))
        there = any(not isinstance(claim, Exception) for claim in claims)
    except Exception as error:  # noqa: BLE001 - no result, as it said; or no connection
        failure = plane.classified(error, first.provider, "fetch")
        waited = plane.waited(f"failed {first.id}", first.updated_at)
        if failure.rule.counts_for_breaker and failure.rule.action in _IN_PASSING and waited < plane.patience.fetch:
            return JobStatus("unknown", f"{status.raw}, and whether its result is there cannot be told now")
        return status
    told = f"{status.raw}, yet its result is there"
    return replace(status, state="completed", raw=told, message="") if there else status


def _settled_late(plane: ControlPlane, row: OrderRow, members: Sequence[Ticket]) -> int:
    """1 where nothing is owed or to be known any more."""
    try:
        return _asked_late(plane, row, members)
    except Exception as error:  # noqa: BLE001 - asked again at the next turn
        failure = plane.classified(error, row.provider, "status")
        if failure.rule.action not in _IN_PASSING:
            plane.tell("not_settled", f"order {row.key[:12]}", failure.sentence, members[0].correlation_id)
        return 0


def _asked_late(plane: ControlPlane, row: OrderRow, members: Sequence[Ticket]) -> int:
    provider, limits = plane.provider(row.provider), plane.limits(members[0])
    job = part = None  # one that lived in a process is gone with it
    if limits.durable and not row.job:
        order = plane.order(sorted(members, key=lambda ticket: ticket.position))
        job = provider.find(order)
        part = remains_of(provider, order) if job is None else None
    elif limits.durable:
        job = row.job
    if job is None:
        if part is not None:
            provider.cancel(part)  # at once; but which parts there are is not sure before look-ups are
        if not plane.surely_waited(limits.settle_seconds, f"late {row.key} {row.submissions}", row.opened_at):
            return 0
        if part is None:
            plane.ledger.release(row.key)
            return 1
        job = part
    if not row.job:
        plane.ledger.name_job(row.key, job)
    status = provider.status(job)
    if _told_in_full(limits, status):
        return settle(plane, members, status)
    if status.state in ("queued", "running"):
        provider.cancel(job)
        return 0
    # Counted from the first such word, for a single one may be a slip
    if plane.memory.watched(f"blind {row.key}", plane.clock.monotonic()) >= plane.patience.unknown:
        plane.tell("settled_blind", f"order {row.key[:12]}", f"{row.provider} says {status.raw!r} of job {job}")
        return settle(plane, members, status)  # what it may have cost at most is booked
    return 0


def _told_in_full(limits: Limits, status: JobStatus) -> bool:
    """Whether a job ended and what it costs is known: by its own word, or its time, where the provider gives one."""
    if status.state not in _FINAL or status.charge is not None:
        return status.state in _FINAL
    return not limits.bills and (not limits.meters or "run" in status.seconds)
