"""The submit window: what is done about an order that may, or may not, have reached its provider.

It is looked up there by its key. Found: its job is named, and nothing was lost. Surely absent: it goes out again under
the same key, or its tickets fail, as the policy says. Neither: everybody waits. Nothing is ever handed in twice on a
guess, and money stays reserved until it is known that nobody will bill it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from quantum_assets.contracts.errors import LedgerError, ProviderError, StaleTicket
from quantum_assets.contracts.failure import Action, Failure
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.choosing import held_elsewhere
from quantum_assets.execution.deciding import fail, lost, recalled
from quantum_assets.execution.ledger.rows import Move, OrderRow
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.providers.base import remains_of

_SAME_AGAIN = frozenset({Action.RETRY, Action.REATTACH})
#: The provider, or something on this side, refused it at the door.
_REFUSED = frozenset({Action.FATAL, Action.BUDGET})
_DEATHS = 3


def recover(plane: ControlPlane, submitting: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Settle submit windows that nobody is in any more; the tickets as they stand afterwards."""
    groups = defaultdict[str, list[Ticket]](list)
    for ticket in submitting:
        groups[ticket.order or ticket.id].append(ticket)
    return plane.advance(submitting, groups.values(), _recovered)


def name(plane: ControlPlane, opened: Sequence[Ticket], job: str) -> Sequence[Ticket]:
    """The provider took it: record its job. Tickets that were ended meanwhile stay ended."""
    first = opened[0]
    if plane.in_process(first):
        plane.memory.jobs[job] = tuple(ticket.id for ticket in opened)
    if first.order:
        return _named(plane, opened, job)
    try:
        return plane.ledger.move_all(submitted(opened, job))
    except StaleTicket:
        return plane.ledger.move_all(submitted(still_ours(plane, opened), job))


def submitted(tickets: Iterable[Ticket], job: str) -> list[Move]:
    """The moves that name the job of tickets without an order."""
    return [Move(ticket, State.SUBMITTED, f"accepted as job {job}", {"job": job}) for ticket in tickets]


def still_ours(plane: ControlPlane, opened: Sequence[Ticket]) -> list[Ticket]:
    """Tickets as they are now, without those that somebody ended while this process was in their window."""
    now = [plane.ledger.ticket(ticket.id) for ticket in opened]
    return [ticket for ticket in now if ticket.state is State.SUBMITTING and ticket.owner == plane.owner]


def not_submitted(plane: ControlPlane, opened: Sequence[Ticket], failure: Failure) -> Sequence[Ticket]:
    """The call failed. Unless it was refused at the door, it may have been accepted all the same.

    A refused order stays open in the books until a look-up proves it absent; `settle_ended` sees to that.
    """
    if plane.in_process(opened[0]):
        if opened[0].order:
            plane.ledger.release(opened[0].order)
        return fail(plane, opened, failure)
    if failure.rule.action in _REFUSED:
        return fail(plane, opened, failure)
    return look_up(plane, opened, failure)


def withdraw(plane: ControlPlane, opened: Sequence[Ticket], reason: str) -> Sequence[Ticket]:
    """Nothing was called: as if the window had not been opened, and never, where a call before left nothing."""
    back: dict[str, str | int] = {"owner": ""}
    if plane.ledger.submissions(opened[0].order) == 1:
        plane.ledger.release(opened[0].order)
        back |= {"order": "", "position": 0}
    return plane.ledger.move_all([Move(ticket, State.PLANNED, reason, back) for ticket in opened])


def disown(plane: ControlPlane, tickets: Sequence[Ticket]) -> None:
    """Let anybody go on with tickets that this process leaves as they are."""
    for ticket in tickets:
        with suppress(LedgerError):  # moved meanwhile; or no ledger, and our own end will say it
            plane.ledger.touch(ticket, owner="")


def look_up(plane: ControlPlane, tickets: Sequence[Ticket], failure: Failure | None) -> Sequence[Ticket]:
    """Find out whether the provider has an order, and act on the answer.

    Args:
        plane: The control plane.
        tickets: All of the order that are in the window.
        failure: What the call failed of; None: its process died.
    """
    row = plane.ledger.order(tickets[0].order)
    if row is None:
        raise LedgerError(
            f"order {tickets[0].order[:12]}", "is not in the ledger", "Run `quantum-assets doctor`; it was altered"
        )
    provider = plane.provider(row.provider)
    window = f"window {row.key} {row.submissions}"
    waited = plane.waited(window, row.opened_at)
    try:
        job = provider.find(plane.order(plane.members(tickets[0], ())))
    except Exception as error:  # noqa: BLE001 - whatever it is: not knowing means waiting
        blind = plane.classified(error, row.provider, "status")
        if blind.rule.alert:
            plane.tell(blind.rule.name, f"order {row.key[:12]}", f"{blind.sentence}. {blind.rule.mend}")
        if waited >= plane.patience.unknown:
            return fail(plane, tickets, failure or blind, again=False)
        return _wait(plane, tickets, failure)
    if job is not None:
        return name(plane, tickets, job)
    if not plane.surely_waited(plane.limits(tickets[0]).settle_seconds, window, row.opened_at):
        return _wait(plane, tickets, failure)
    return _absent(plane, row, tickets, failure)


def _recovered(plane: ControlPlane, seen: Sequence[Ticket]) -> Sequence[Ticket]:
    members: Sequence[Ticket] = seen
    if seen[0].order:
        members = [one for one in plane.members(seen[0], seen) if one.state is State.SUBMITTING]
    if not members or held_elsewhere(plane, members[0]):
        return ()
    if plane.in_process(members[0]):
        return lost(plane, members)
    # Whoever touches the first member is in the window now; for the others it is stale
    mine = [plane.ledger.touch(members[0], owner=plane.owner), *members[1:]]
    with plane.memory.window(ticket.id for ticket in mine):
        return look_up(plane, mine, recalled(plane, mine[0]))


def _wait(plane: ControlPlane, tickets: Sequence[Ticket], failure: Failure | None) -> list[Ticket]:
    """Leave it to the next look-up, by anybody; the reason keeps what failed for whoever finds out."""
    why = {} if failure is None else {"reason": failure.sentence, "not_before": _asked_rest(plane, tickets[0], failure)}
    return [plane.ledger.touch(ticket, owner="", **why) for ticket in tickets]


def _asked_rest(plane: ControlPlane, first: Ticket, failure: Failure) -> datetime | None:
    """Until when the provider asked to be left alone, now or before a look-up that could not tell."""
    if failure.retry_after is None:
        return first.not_before
    return plane.clock.now() + timedelta(seconds=min(failure.retry_after, plane.patience.longest_pause))


def _absent(plane: ControlPlane, row: OrderRow, tickets: Sequence[Ticket], failure: Failure | None) -> Sequence[Ticket]:
    """The provider never accepted it, not as a whole: the same again after a pause, or what the policy says.

    While a part of it may be there its money stays held: the same again completes it, and of an order that is given up
    `settle_ended` ends and pays what there is.
    """
    try:
        part = remains_of(plane.provider(row.provider), plane.order(plane.members(tickets[0], ())))
    except Exception as error:  # noqa: BLE001 - whatever it is: not knowing means that there may be one
        part = plane.classified(error, row.provider, "status").sentence
    if part is None:
        plane.ledger.release(row.key)
    why, rest = f"its process is gone; {row.provider} has no such order", None
    if failure is None:
        again = row.submissions <= _DEATHS
        died = ProviderError(row.provider, f"was handed it {row.submissions} times by processes that died", "Ask again")
        failure = plane.classified(died, row.provider, "submit")
    else:
        again = failure.rule.action in _SAME_AGAIN and row.submissions <= failure.rule.at_most
        why = f"{failure.sentence}; {row.provider} has no such order"
        seconds = plane.pauses.before(failure.rule, row.submissions, key=row.key, retry_after=failure.retry_after)
        rest = plane.clock.now() + timedelta(seconds=seconds)
        rest = max(rest, tickets[0].not_before or rest)
    if not again:
        # Another question next to a part that may run would be a second job for one answer
        return fail(plane, tickets, failure, again=failure.rule.action is Action.MODIFY and part is None)
    return plane.ledger.move_all([Move(t, State.PLANNED, why, {"owner": "", "not_before": rest}) for t in tickets])


def _named(plane: ControlPlane, opened: Sequence[Ticket], job: str) -> Sequence[Ticket]:
    try:
        return plane.ledger.name_job(opened[0].order, job)
    except LedgerError as error:
        row = plane.ledger.order(opened[0].order)
        if row is None or row.job in ("", job):
            raise
        # Another process found an earlier job of this order while we, taken for dead, made a second one
        plane.tell("submitted_twice", f"job {job}", f"{error}; it is asked to end", opened[0].correlation_id)
        plane.provider(row.provider).cancel(job)
        return plane.latest(opened)
