"""What follows a failure: the same again, the same changed, the fallback, or the end; as the policy's rule says.

A failure is written down before its consequence, in words that name its rule: whoever finds a ticket between the two,
because its process died or is slower, reads the rule from them and goes on. What the words do not tell must not be
needed: that no further try may follow is known to the process alone, so there the failure and the outcome are one
transaction. The end of a try and the plan of the next are one as well.
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.failure import Action, Failure
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.ledger.rows import Move
from quantum_assets.execution.modify import modify
from quantum_assets.execution.plane import ControlPlane, profile_of

#: Why a ticket ended, or a request went without it. The moment stays out, for this may end up in stored content.
LATE = "its deadline has passed"
_ONCE = frozenset({Action.FALL_BACK, Action.BUDGET, Action.FATAL})
#: `Failure.sentence`, read back: provider, phase, rule, code, message, seconds to wait.
_SENTENCE = re.compile(
    r"(\S*) (submit|status|fetch|result) ([a-z][a-z0-9_]*)(?: \((.*?)\))?: (.*?)"
    r"(?: \[asks to be left alone for (\d+(?:\.\d+)?(?:e[+-]\d+)?) s\])?",
    re.DOTALL,
)


def fail(
    plane: ControlPlane,
    tickets: Sequence[Ticket],
    failure: Failure,
    *,
    again: bool = True,
    state: State = State.FAILED,
) -> tuple[Ticket, ...]:
    """Write down that tickets failed, and decide for each what follows.

    Args:
        plane: The control plane.
        tickets: Not ended, and not completed.
        failure: What they failed of.
        again: Whether a further try may be planned. Where not, nobody ever sees them failed and without their outcome.
        state: Failed, or cancelled where the provider says so.
    """
    failed = [Move(ticket, state, failure.sentence) for ticket in tickets]
    if again:
        return tuple(decide(plane, ticket, failure) for ticket in plane.ledger.move_all(failed))
    for ticket in tickets:
        _tell(plane, ticket, failure)
    fatal = failure.rule.action is Action.FATAL
    return plane.ledger.move_all([*failed, *(_last(made.left, failure.sentence, fatal=fatal) for made in failed)])


def decide(plane: ControlPlane, ticket: Ticket, failure: Failure, *, again: bool = True) -> Ticket:
    """End a ticket that failed, and plan its successor where the rule allows one.

    Args:
        plane: The control plane.
        ticket: In state failed, cancelled, expired or unknown; or completed, when its answer was refused.
        failure: What it failed of.
        again: Whether a further try may be planned.

    Returns:
        The successor, or the ticket with its outcome.
    """
    rule = failure.rule
    _tell(plane, ticket, failure)
    if again and rule.action not in _ONCE and ticket.attempt <= rule.at_most:
        successor = _again(plane, ticket, failure)
        if successor is not None:
            return successor
    return end(plane, ticket, failure.sentence, fatal=rule.action is Action.FATAL)


def end(plane: ControlPlane, ticket: Ticket, reason: str, *, fatal: bool = False) -> Ticket:
    """Give a ticket its last outcome: to the fallback where the profile names one, else rejected.

    Fatal failures are never hidden behind a fallback: a wrong circuit or a missing credential is somebody's to mend. A
    completed ticket passes through failed unseen: who found it there might run a job again that has its result.
    """
    on_the_way = [Move(ticket, State.FAILED, reason)] if ticket.state is State.COMPLETED else []
    left = on_the_way[0].left if on_the_way else ticket
    (ended,) = plane.ledger.move_all([*on_the_way, _last(left, reason, fatal=fatal)])
    return ended


def leaves_it_to_a_fallback(plane: ControlPlane, ticket: Ticket) -> bool:
    """Whether a fallback may answer for a ticket that ended without an answer.

    Also for one that was rejected only because the profile it was planned under names no fallback: somebody else, who
    adopted it, may have one.
    """
    if ticket.state is State.FELL_BACK:
        return True
    if ticket.state is not State.REJECTED or profile_of(ticket.profile).routing.fallback is not None:
        return False
    failure = recalled(plane, ticket)
    if failure is not None:
        return failure.rule.action is not Action.FATAL
    return all(line.after is not State.CANCELLED for line in plane.ledger.transitions(ticket.id))  # by a person


def give_up(plane: ControlPlane, ticket: Ticket, reason: str, state: State) -> Ticket:
    """End a ticket without a failure: policy is against it, or it is too late. `state` says which on the way."""
    return end(plane, plane.ledger.move(ticket, state, reason), reason)


def lost(plane: ControlPlane, tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Plan again what ran in a process that is gone: nobody charged for it, and running it again gives the same.

    A workload that takes its process along every time (it needs more memory than there is) meets the rule's limit.
    """
    gone = ProviderError("its process", "is gone, and what it ran went with it", "Run it again", retry=True)
    failure = plane.classified(gone, tickets[0].provider, "status")
    for ticket in tickets:
        plane.memory.jobs.pop(ticket.job, None)
    for key in {ticket.order for ticket in tickets if ticket.order}:
        plane.ledger.release(key)
    return fail(plane, tickets, failure)


def resume(plane: ControlPlane, tickets: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Decide for tickets whose process died after the failure was written and before its consequence was."""
    return tuple(_resumed(plane, ticket) for ticket in tickets)


def recalled(plane: ControlPlane, ticket: Ticket) -> Failure | None:
    """The failure that a ticket's reason tells of; None where it tells of none."""
    told = _SENTENCE.fullmatch(ticket.reason)
    rule = next((rule for rule in plane.policy.rules if told is not None and rule.name == told[3]), None)
    if told is None or rule is None:
        return None
    pause = None if told[6] is None else float(told[6])
    return Failure(rule, told[1], told[2], told[4] or "", told[5], pause)  # type: ignore[arg-type]


def _last(ticket: Ticket, reason: str, *, fatal: bool) -> Move:
    """The move to the last outcome."""
    falls = profile_of(ticket.profile).routing.fallback is not None and not fatal and ticket.path == "quantum"
    return Move(ticket, State.FELL_BACK if falls else State.REJECTED, reason)


def _tell(plane: ControlPlane, ticket: Ticket, failure: Failure) -> None:
    """Write an alert where the rule asks for one, and of everything fatal."""
    rule = failure.rule
    if rule.alert or rule.action is Action.FATAL:
        plane.ledger.alert(rule.name, f"ticket {ticket.id}", f"{failure.sentence}. {rule.mend}", ticket.correlation_id)


def _resumed(plane: ControlPlane, ticket: Ticket) -> Ticket:
    if ticket.state is State.COMPLETED:  # a cache hit of a version that wrote it in two steps; the cache may have it
        return plane.ledger.move(ticket, State.ACCEPTED, ticket.reason)
    failure = recalled(plane, ticket)
    if failure is not None:
        return decide(plane, ticket, failure)
    return end(plane, ticket, ticket.reason, fatal=ticket.state is State.CANCELLED)  # by a person


def _again(plane: ControlPlane, ticket: Ticket, failure: Failure) -> Ticket | None:
    """The next try: as it is, or changed; None when the rule has no change left."""
    rule, profile, changed = failure.rule, profile_of(ticket.profile), ""
    if rule.action is Action.MODIFY:
        modified = modify(profile, rule, ticket.attempt - 1, ordered=_ordered(plane, ticket, failure))
        if modified is None:
            return None
        profile, changed = modified
    seconds = plane.pauses.before(rule, ticket.attempt, key=ticket.id, retry_after=failure.retry_after)
    return plane.ledger.again(
        ticket,
        State.REJECTED if ticket.state is State.COMPLETED else State.RETRIED,
        failure.sentence,
        profile=profile,
        modification=changed,
        not_before=plane.clock.now() + timedelta(seconds=seconds) if seconds else None,
    )


def _ordered(plane: ControlPlane, ticket: Ticket, failure: Failure) -> int | None:
    """Workloads in the order that failed, where a change of the rule asks."""
    if not ticket.order or all(change.knob != "split" for change in failure.rule.modify):
        return None
    row = plane.ledger.order(ticket.order)
    return None if row is None else row.workloads
