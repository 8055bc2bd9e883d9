"""From planned to submitted: choose where, pack into orders, open the submit window, hand in.

The window is written to the ledger (tickets `submitting`, money reserved) before the provider is called; what follows a
call that did not end well is in `window`. Jobs that live in this process and cost nothing have a window without an
order: there is nobody to look them up at, and nothing to pay. They have ended when they are handed in (`at_once`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from quantum_assets.contracts.errors import BudgetError, PlanError, ProviderError
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.money import Estimate
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.at_once import finish
from quantum_assets.execution.breaker import BreakerOpen
from quantum_assets.execution.choosing import Destination, Nowhere, destination, guarded
from quantum_assets.execution.cost import estimate_each
from quantum_assets.execution.deciding import fail, give_up
from quantum_assets.execution.guardrails import check_limits
from quantum_assets.execution.ledger.rows import Move
from quantum_assets.execution.pack import Packing, Waiting, by_urgency, order_key, pack
from quantum_assets.execution.plane import ControlPlane, WorkloadLost, profile_of
from quantum_assets.execution.suitable import heard
from quantum_assets.execution.window import disown, name, not_submitted, withdraw
from quantum_assets.governance.budgets import budget_of
from quantum_assets.governance.policy import limit_micros, needs_approval, require_approvals, require_budget

#: By how many of the longest pauses this clock may be behind the one that a rest was told by.
_BEHIND = 2


def dispatch(plane: ControlPlane, planned: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Submit what can go now, most urgent first; where a try failed and another was planned, the answer holds that."""
    ready = [ticket for ticket in planned if not _rests(plane, ticket)]
    again = defaultdict[str, list[Ticket]](list)
    places = defaultdict[tuple[Destination | Nowhere, str, str], list[Ticket]](list)
    for ticket in ready:
        if ticket.order:
            again[ticket.order].append(ticket)
        else:  # an order is paid from one purse, and runs under one profile
            places[_place(plane, ticket), ticket.project, ticket.profile].append(ticket)
    now = plane.advance(planned, again.values(), _submit_again)
    orders, by_id = list[tuple[Waiting, ...]](), {ticket.id: ticket for ticket in ready}
    for (place, _, _), members in places.items():
        if isinstance(place, Nowhere):
            now = plane.advance(now, [members], partial(_refuse, place))
            continue
        packing = _packed(plane, place, members)
        orders.extend(packing.orders)
        for late, reason in packing.stale:
            now = plane.advance(now, [[by_id[late.ticket_id]]], partial(_drop, reason))
    for order in by_urgency(orders, heard(plane)):
        place, members = Destination(order[0].provider, order[0].backend), [by_id[one.ticket_id] for one in order]
        now = plane.advance(now, [members], partial(_submit_new, place))
    return now


def _rests(plane: ControlPlane, ticket: Ticket) -> bool:
    """Whether it pauses after a failure; a clock further behind than `_BEHIND` stepped back, and is not waited for."""
    if ticket.not_before is None:
        return False
    left = (ticket.not_before - plane.clock.now()).total_seconds()
    return 0 < left <= (1 + _BEHIND) * plane.patience.longest_pause


def _place(plane: ControlPlane, ticket: Ticket) -> Destination | Nowhere:
    try:
        return destination(plane, ticket)
    except WorkloadLost as gone:
        return Nowhere(str(gone))


def _refuse(where: Nowhere, plane: ControlPlane, tickets: Sequence[Ticket]) -> Sequence[Ticket]:
    """Nobody takes them now: an open breaker means what the policy says, anything else is the end."""
    if where.breaker is None:
        return [give_up(plane, ticket, where.reason, State.FAILED) for ticket in tickets]
    failure = plane.classified(where.breaker, where.breaker.provider, "submit")
    return fail(plane, tickets, replace(failure, message=where.reason))


def _submit_again(plane: ControlPlane, seen: Sequence[Ticket]) -> Sequence[Ticket]:
    """The same order under the same key; where a member is gone, or the place is another now, the rest gets a new one.

    The key was proved absent before its tickets were planned again, so nothing of it can come back.
    """
    key = seen[0].order
    members, row = plane.members(seen[0], seen), plane.ledger.order(key)
    place = _place(plane, members[0])
    same = isinstance(place, Destination) and row is not None and place == Destination(row.provider, row.backend)
    if isinstance(place, Destination) and same and all(one.state is State.PLANNED for one in members):
        return _submit(plane, place, members, key)
    return [plane.ledger.touch(ticket, order="", position=0) for ticket in seen]


def _packed(plane: ControlPlane, place: Destination, tickets: Sequence[Ticket]) -> Packing:
    profile = profile_of(tickets[0].profile)
    limits = plane.provider(place.provider).limits(profile)
    return pack([_waiting(plane, ticket, place) for ticket in tickets], limits, profile.batching, plane.clock.now())


def _drop(reason: str, plane: ControlPlane, tickets: Sequence[Ticket]) -> list[Ticket]:
    return [give_up(plane, ticket, reason, State.EXPIRED) for ticket in tickets]


def _waiting(plane: ControlPlane, ticket: Ticket, place: Destination) -> Waiting:
    return Waiting(
        ticket_id=ticket.id,
        question=ticket.question,
        circuits=plane.workload(ticket).n_circuits,
        priority=ticket.priority,
        deadline=ticket.deadline,
        planned_at=ticket.created_at,
        profile_fingerprint=ticket.profile_fingerprint,
        provider=place.provider,
        backend=place.backend,
        replicate=ticket.replicate,
    )


def _submit_new(place: Destination, plane: ControlPlane, tickets: Sequence[Ticket]) -> Sequence[Ticket]:
    key = order_key([(t.question, t.generation, t.attempt) for t in tickets], place.provider, place.backend)
    return _submit(plane, place, tickets, key)


def _submit(plane: ControlPlane, place: Destination, tickets: Sequence[Ticket], key: str) -> Sequence[Ticket]:
    """Open the window and hand in; what may not go together may go apart, the first first."""
    order = plane.order(tickets, key)
    try:
        opened = _open(plane, place, tickets, order)
    except (BudgetError, PlanError) as refused:
        if len(tickets) > 1:
            return [one for few in _apart(tickets) for one in _submit_new(place, plane, few)]
        return fail(plane, tickets, plane.classified(refused, place.provider, "submit"))
    with plane.memory.window(ticket.id for ticket in opened):
        return _handed_in(plane, place, opened, order)


def _apart(tickets: Sequence[Ticket]) -> list[list[Ticket]]:
    """By what was asked for at once, for an approval that one asking lacks keeps no other from its company; else alone.

    Each further order has its own fee.
    """
    askings = defaultdict[int, list[Ticket]](list)
    for ticket in tickets:
        askings[ticket.asked_shots].append(ticket)
    return list(askings.values()) if len(askings) > 1 else [[ticket] for ticket in tickets]


def _handed_in(plane: ControlPlane, place: Destination, opened: Sequence[Ticket], order: Order) -> Sequence[Ticket]:
    """Call the provider; every way in which that can go wrong leaves tickets that say so."""
    provider = plane.provider(place.provider)
    try:
        job = guarded(plane, opened[0], "submit", provider.submit, order)
    except BreakerOpen as door:
        return withdraw(plane, opened, str(door))
    except Exception as error:  # noqa: BLE001 - the failure policy decides what it means
        return not_submitted(plane, opened, plane.classified(error, place.provider, "submit"))
    except BaseException:  # interrupted: whether it was accepted is for the next look-up, by anybody
        disown(plane, opened)
        raise
    if not isinstance(job, str) or not job:
        nameless = ProviderError(place.provider, f"names the job {job!r}", "Look it up by the order's key", retry=True)
        return not_submitted(plane, opened, plane.classified(nameless, place.provider, "submit"))
    return name(plane, opened, job) if opened[0].order else finish(plane, opened, order, job)


def _open(plane: ControlPlane, place: Destination, tickets: Sequence[Ticket], order: Order) -> tuple[Ticket, ...]:
    """Check limits, price and approvals, and write the window; nothing is written when any of them forbids it."""
    limits = plane.provider(place.provider).limits(order.profile)
    for workload in order.workloads:
        check_limits(workload, order.profile, limits)
    estimates = estimate_each(order.workloads, order.profile, place.provider, limits, plane.prices)
    priced = limits.hardware or any(estimate.micros for estimate in estimates)
    if not priced and not limits.durable:
        here = {"provider": place.provider, "backend": place.backend, "owner": plane.owner, "job": ""}
        why = f"runs in this process, order {order.key}"
        return plane.ledger.move_all(
            [Move(t, State.SUBMITTING, why, {**here, "position": n}) for n, t in enumerate(tickets)]
        )
    return plane.ledger.open_window(
        tickets,
        order_key=order.key,
        provider=place.provider,
        backend=place.backend,
        owner=plane.owner,
        estimates=estimates,
        limit_micros=_allowed(plane, tickets, estimates) if priced else None,
        durable=limits.durable,
    )


def _allowed(plane: ControlPlane, tickets: Sequence[Ticket], estimates: Sequence[Estimate]) -> int:
    """What the project may spend this month, in millionths; the ledger holds it against what is spent.

    Shots need an approval by all that was asked for at once: into how many orders that is cut is the provider's limit.

    Raises:
        BudgetError: If this alone is too much, or lacks an approval.
        PlanError: If the project has no budget.
    """
    project = tickets[0].project
    figures = {name: sum(getattr(one, name) for one in estimates) for name in ("micros", "shots", "circuits")}
    whole, budget = estimates[0].model_copy(update=figures), budget_of(plane.budgets, project)
    month, today = f"{plane.clock.now():%Y-%m}", plane.ledger.requests_today(project)
    require_budget(whole, budget, 0, month)
    most = max(max(one.asked_shots, own.shots) for one, own in zip(tickets, estimates, strict=True))
    asked = whole.model_copy(update={"shots": most})
    held = [kind for kind in needs_approval(asked, budget, today) if plane.ledger.approved(project, kind) is not None]
    require_approvals(asked, budget, today, held, month)
    return limit_micros(budget, whole.kind)
