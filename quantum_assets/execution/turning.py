"""A turn: look at tickets and take each one legal step further; and waiting, which is taking turns.

A process that dies between two steps is followed by another turn, here or elsewhere.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from quantum_assets.contracts.errors import LedgerError, PlanError, StaleTicket
from quantum_assets.contracts.ticket import AT_PROVIDER, OUTCOMES, State, Ticket
from quantum_assets.execution.deciding import LATE, end, give_up, resume
from quantum_assets.execution.dispatch import dispatch
from quantum_assets.execution.owner import alive
from quantum_assets.execution.plane import ControlPlane, profile_of
from quantum_assets.execution.polling import jobs_of, poll, settle_ended, settle_orders
from quantum_assets.execution.receiving import receive
from quantum_assets.execution.window import disown, recover

_OPEN = frozenset(State) - OUTCOMES
_UNDECIDED = frozenset({State.FAILED, State.CANCELLED, State.EXPIRED})
_CAN_EXPIRE = frozenset({State.PLANNED, State.SUBMITTING, *AT_PROVIDER})
_RACES = 10
_A_WHILE = 1.0
_ROUND = "~"
_FIRST = 0.6  # part of a turn's time for asynchronous tickets; the rest is for orphans and unpaid orders
_JOBS_AT_ONCE = 5


@dataclass(frozen=True)
class Turn:
    """What one bounded turn over the ledger did.

    Attributes:
        tickets: Those looked at, as they stand now.
        settled: Orders paid for late.
        cursor: Where the next turn goes on; empty: every open ticket was come by since the beginning.
    """

    tickets: tuple[Ticket, ...]
    settled: int
    cursor: str


def turn(plane: ControlPlane, tickets: Sequence[Ticket], *, collect_results: bool = True) -> tuple[Ticket, ...]:
    """Take every ticket one step further; the latest ticket of each question, in the order given.

    Args:
        plane: The control plane.
        tickets: Any.
        collect_results: Whether to ask for results; those of this process are taken in any case, for they are here.
    """
    now = expire(plane, tickets)
    now = plane.advance(now, [[ticket] for ticket in now if _undecided(ticket)], resume)
    now = _only({State.SUBMITTING}, recover, plane, now)
    now = _only({State.PLANNED}, dispatch, plane, now)
    wanted = now if collect_results else [one for one in now if one.provider and plane.in_process(one)]
    after = {ticket.question: ticket for ticket in receive(plane, poll(plane, wanted))}
    return tuple(after.get(ticket.question, ticket) for ticket in now)


def turn_ledger(plane: ControlPlane, *, cursor: str = "", limit: int = 50, seconds: float = 30.0) -> Turn:
    """One bounded turn over every open ticket of asynchronous requests, for a sensor.

    Paid jobs whose asker died waiting are looked after as well: nobody else settles them. What such an asker left in no
    order is ended once it is stale: nobody else may ever ask the same. Both kinds, and orders that are to be paid for,
    are gone through page by page, each round and round at its own pace, so that none hides behind others that need
    nothing.

    Args:
        plane: The control plane.
        cursor: As the turn before returned it; one that the ledger does not know begins anew.
        limit: Most tickets read, of either kind.
        seconds: No further job is asked about after this, and the next turn goes on there: a provider that takes
            seconds to answer must not outlast whoever waits for the turn.
    """
    place, other_place, unpaid = (*cursor.split(" "), "", "")[:3]
    began = plane.clock.monotonic()
    page, behind = _page(plane, place, limit, asynchronous=True)
    after, place = _taken(plane, page, page, place, behind, began + seconds * _FIRST)
    waited_for, behind = _page(plane, other_place, limit, asynchronous=False)
    others, other_place = _taken(plane, waited_for, _orphans(plane, waited_for), other_place, behind, began + seconds)
    plane.advance([], [[ticket] for ticket in _abandoned(plane, waited_for)], _dropped)
    settling = settle_ended(plane, limit, cursor=_known_order(plane, unpaid), until=began + seconds)
    come_round = place.startswith(_ROUND) and other_place.startswith(_ROUND) and not settling.cursor
    looked_at = {ticket.id: ticket for ticket in (*after, *others)}
    behind = "" if come_round else f"{place} {other_place} {settling.cursor}"
    return Turn(tuple(looked_at.values()), settling.settled, behind)


def expire(plane: ControlPlane, tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """End those whose deadline has passed; the provider is asked to cancel, and what it bills is settled later."""
    now = plane.clock.now()
    late = [
        [ticket]
        for ticket in tickets
        if ticket.deadline is not None and now >= ticket.deadline and ticket.state in _CAN_EXPIRE
    ]
    return plane.advance(tickets, late, _expired)


def cancel(plane: ControlPlane, tickets: Sequence[Ticket], by: str) -> tuple[Ticket, ...]:
    """End tickets on somebody's word, and no fallback answers for them.

    An order is cancelled at the provider once nobody waits for any of it; what completed already stays.
    """
    after = plane.advance(tickets, [[ticket] for ticket in tickets], partial(_cancelled, f"cancelled by {by}"))
    settle_orders(plane, after)
    return after


def wait(
    plane: ControlPlane, tickets: Sequence[Ticket], until: Mapping[str, datetime | None] | None = None
) -> dict[str, Ticket]:
    """Turn until all have their outcome; between turns, sleep as long as the quickest of them may need.

    Args:
        plane: The control plane.
        tickets: Any.
        until: By question, the moment (UTC) after which its answer is of no use here; None: never. A ticket that others
            have more time for is then left to them, without an outcome.

    Returns:
        The latest ticket of each question, by question.
    """
    now, until = tuple({ticket.question: ticket for ticket in tickets}.values()), until or {}
    try:
        while any(_awaited(plane, ticket, until) for ticket in now):
            now = turn(plane, now)
            waiting = [ticket for ticket in now if _awaited(plane, ticket, until)]
            if waiting and not all(_goes_on_at_once(ticket) for ticket in waiting):
                plane.clock.sleep(_nap(plane, waiting, until))
                now = plane.latest(now)
    except BaseException:
        _let_go(plane, now)
        raise
    _let_go(plane, [ticket for ticket in now if not ticket.ended])
    if any(ticket.order for ticket in now):
        settle_orders(plane, now)
        settle_ended(plane)
    return {ticket.question: ticket for ticket in now}


def _let_go(plane: ControlPlane, tickets: Sequence[Ticket]) -> None:
    """This process lives on and nobody in it waits any more: others need not wait for it."""
    for ticket in tickets:
        plane.memory.claims.pop(ticket.id, None)
    with suppress(LedgerError):  # the ledger is away: what ends the waiting will say it
        disown(plane, [one for one in plane.latest(tickets) if not one.ended and one.owner == plane.owner])


def _awaited(plane: ControlPlane, ticket: Ticket, until: Mapping[str, datetime | None]) -> bool:
    """Whether its outcome is still of use here; at its own deadline it is about to have one."""
    now, moment = plane.clock.now(), until.get(ticket.question)
    ends = ticket.deadline is not None and now >= ticket.deadline
    return not ticket.ended and (moment is None or now < moment or ends)


def _goes_on_at_once(ticket: Ticket) -> bool:
    """Whether the next turn has something to do for it without time passing."""
    waits = ticket.not_before is not None or profile_of(ticket.profile).batching.max_wait_seconds > 0
    return ticket.state is State.PLANNED and ticket.attempt > 1 and not waits


def _nap(plane: ControlPlane, tickets: Sequence[Ticket], until: Mapping[str, datetime | None]) -> float:
    now, moments = plane.clock.now(), [until.get(ticket.question) for ticket in tickets]
    left = [(moment - now).total_seconds() for moment in moments if moment is not None and moment > now]
    return max(plane.patience.nap, min([*left, *(_may_wait(plane, ticket) for ticket in tickets)]))


def _may_wait(plane: ControlPlane, ticket: Ticket) -> float:
    """Seconds after which looking at a ticket makes sense, with a clock that stepped back in mind."""
    now, seconds = plane.clock.now(), plane.patience.nap
    if ticket.state is State.PLANNED and ticket.not_before is not None:
        seconds = min((ticket.not_before - now).total_seconds(), plane.patience.longest_pause)
    elif ticket.state is State.PLANNED:  # it may wait for company
        left = profile_of(ticket.profile).batching.max_wait_seconds - (now - ticket.created_at).total_seconds()
        seconds = max(seconds, min(left, _A_WHILE))
    elif ticket.provider:
        seconds = max(seconds, plane.limits(ticket).poll_seconds)
    if ticket.deadline is not None and ticket.deadline > now:
        seconds = min(seconds, (ticket.deadline - now).total_seconds())
    return seconds


def _taken(
    plane: ControlPlane, page: Sequence[Ticket], ours: Sequence[Ticket], place: str, behind: str, until: float
) -> tuple[tuple[Ticket, ...], str]:
    """Turn some tickets of a page, a few jobs at a time while there is time; what became of them, and the new place.

    Those that are not handed in yet come first and together, so that they may share orders.
    """
    new = [ticket for ticket in ours if not ticket.job]
    after = {ticket.id: ticket for ticket in _turned(plane, new)} if new else {}
    jobs = {ticket.id: job for job in jobs_of(ours, AT_PROVIDER) for ticket in job}
    left = [ticket for ticket in ours if ticket.job]
    while left:
        if plane.clock.monotonic() >= until and after:
            return tuple(after.values()), _before(page, left[0], place)
        some = {one.id: one for ticket in left[:_JOBS_AT_ONCE] for one in jobs.get(ticket.id, [ticket])}
        after |= {ticket.id: ticket for ticket in _turned(plane, tuple(some.values()))}
        left = [ticket for ticket in left if ticket.id not in some]
    return tuple(after.values()), behind


def _before(page: Sequence[Ticket], ticket: Ticket, place: str) -> str:
    """The place just before a ticket of a page that began at `place`."""
    number = [one.id for one in page].index(ticket.id)
    mark = _ROUND if place.startswith(_ROUND) else ""
    return mark + page[number - 1].id if number else place


def _known_order(plane: ControlPlane, key: str) -> str:
    """The key, where this ledger has such an order."""
    return key if key and plane.ledger.order(key) is not None else ""


def _turned(plane: ControlPlane, tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """A turn in which no ticket stops the others: where one does, each takes it alone, and somebody is told of it."""
    try:
        return turn(plane, tickets)
    except Exception:  # noqa: BLE001 - it comes again, and is told, from the ticket that it belongs to
        return tuple(_turned_alone(plane, ticket) for ticket in plane.latest(tickets))


def _turned_alone(plane: ControlPlane, ticket: Ticket) -> Ticket:
    try:
        return turn(plane, [ticket])[0]
    except Exception as error:  # noqa: BLE001 - a ledger that is away refuses the alert as well, and that is raised
        failure = plane.classified(error, ticket.provider or "none", "status")
        plane.tell("turn_failed", f"ticket {ticket.id}", failure.sentence, ticket.correlation_id)
        return ticket


def _page(plane: ControlPlane, place: str, limit: int, *, asynchronous: bool) -> tuple[tuple[Ticket, ...], str]:
    """The next open tickets of one kind, and the place behind them: an id, and a mark once the end was come by."""
    mark, after = _ROUND if place.startswith(_ROUND) else "", place.removeprefix(_ROUND)
    try:
        page = plane.ledger.tickets(states=_OPEN, after=after, limit=limit, asynchronous=asynchronous)
    except PlanError:  # another ledger
        page = plane.ledger.tickets(states=_OPEN, limit=limit, asynchronous=asynchronous)
    return page, mark + page[-1].id if len(page) == limit else _ROUND


def _orphans(plane: ControlPlane, page: Sequence[Ticket]) -> list[Ticket]:
    """Tickets with an order, of processes that died waiting for them; and those that a turn of ours recovered.

    Whether a process on another host lives cannot be seen. After a while its tickets are looked after as well: asking
    how a job is does no harm where somebody else asks too.
    """
    handed_in = [one for one in page if one.order and one.state is not State.PLANNED]
    return [one for one in handed_in if one.owner == plane.owner or _is_gone(plane, one, plane.patience.stranger)]


def _is_gone(plane: ControlPlane, ticket: Ticket, stranger: float) -> bool:
    """Whether a ticket's process is gone; one that cannot be seen is after so many seconds without a move."""
    lives = alive(ticket.owner)
    return (plane.clock.now() - ticket.updated_at).total_seconds() >= stranger if lives is None else not lives


def _abandoned(plane: ControlPlane, page: Sequence[Ticket]) -> list[Ticket]:
    """Tickets that are in no order now, and that nobody went on with for so long that whoever waited must be gone."""
    now = plane.clock.now()
    return [
        one
        for one in page
        if (one.state is State.PLANNED or not one.order)
        and _is_gone(plane, one, plane.patience.unknown)
        and (now - one.updated_at).total_seconds() >= profile_of(one.profile).batching.stale_seconds
    ]


def _dropped(plane: ControlPlane, tickets: Sequence[Ticket]) -> list[Ticket]:
    reason = "nobody went on with it, and nobody waits for it any more"
    return [
        give_up(plane, one, reason, State.EXPIRED) if one.state in _CAN_EXPIRE else end(plane, one, reason)
        for one in tickets
    ]


def _only(
    states: set[State],
    step: Callable[[ControlPlane, Sequence[Ticket]], tuple[Ticket, ...]],
    plane: ControlPlane,
    tickets: tuple[Ticket, ...],
) -> tuple[Ticket, ...]:
    chosen = [ticket for ticket in tickets if ticket.state in states]
    after = {ticket.question: ticket for ticket in step(plane, chosen)} if chosen else {}
    return tuple(after.get(ticket.question, ticket) for ticket in tickets)


def _undecided(ticket: Ticket) -> bool:
    """Its process died before it decided: after a failure, or while it handed a cached answer over."""
    return ticket.state in _UNDECIDED or (ticket.state is State.COMPLETED and not ticket.job)


def _expired(plane: ControlPlane, tickets: Sequence[Ticket]) -> list[Ticket]:
    return [give_up(plane, one, LATE, State.EXPIRED) for one in tickets]


def _cancelled(reason: str, plane: ControlPlane, tickets: Sequence[Ticket]) -> list[Ticket]:
    (ticket,) = tickets
    for _ in range(_RACES):
        try:
            if ticket.state in _CAN_EXPIRE:
                ticket = plane.ledger.move(ticket, State.CANCELLED, reason)
            if ticket.state in _UNDECIDED:
                ticket = plane.ledger.move(ticket, State.REJECTED, reason)
            break
        except StaleTicket:
            ticket = plane.ledger.ticket(ticket.id)
            if ticket.ended:
                (ticket,) = plane.latest([ticket])
    return [ticket]
