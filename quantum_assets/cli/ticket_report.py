"""What `quantum-assets tickets` says: a list of tickets, or everything that the ledger knows of one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quantum_assets.cli.listing import Listing, moment, stamp
from quantum_assets.contracts.errors import PlanError

if TYPE_CHECKING:
    from quantum_assets.contracts.jobs import Charge
    from quantum_assets.contracts.ticket import Ticket, Transition
    from quantum_assets.execution.ledger.ledger import Ledger, OrderRow, RequestRow

SHORT = 12
"""Characters of an id that are shown in a list, and are enough to name one."""


@dataclass(frozen=True)
class Dossier:
    """One ticket whole.

    Attributes:
        ticket: The ticket.
        tries: Every try of the same asking, in order; it is one of them.
        transitions: Its moves.
        order: The order that it was submitted in; None before.
        together: Tickets in that order.
        charge: Its share of what the order cost; None before that is settled.
        requests: Who asked.
    """

    ticket: "Ticket"
    tries: "tuple[Ticket, ...]"
    transitions: "tuple[Transition, ...]"
    order: "OrderRow | None"
    together: int
    charge: "Charge | None"
    requests: "tuple[RequestRow, ...]"


def find_ticket(ledger: "Ledger", name: str) -> "Ticket":
    """The ticket of an id, or of the beginning of one.

    Raises:
        PlanError: If no ticket begins so, or several do.
        LedgerError: If the ledger does not answer.
    """
    if len(name) == 32:
        return ledger.ticket(name)
    found = [ticket for ticket in ledger.tickets() if ticket.id.startswith(name)] if name else []
    if len(found) != 1:
        problem = f"begins {len(found)} ids" if found else "begins no id in the ledger"
        raise PlanError(f"ticket {name}", problem, "Copy the id from `quantum-assets tickets`")
    return found[0]


def dossier(ledger: "Ledger", ticket: "Ticket") -> Dossier:
    """Everything about a ticket."""
    return Dossier(
        ticket=ticket,
        tries=ledger.tickets(question=ticket.question, generation=ticket.generation),
        transitions=ledger.transitions(ticket.id),
        order=ledger.order(ticket.order) if ticket.order else None,
        together=len(ledger.tickets(order=ticket.order)) if ticket.order else 0,
        charge=ledger.charge_of(ticket.id),
        requests=askers(ledger, ticket),
    )


def askers(ledger: "Ledger", ticket: "Ticket") -> "tuple[RequestRow, ...]":
    """Who asked for this very generation of the ticket's question."""
    return tuple(row for row in ledger.requests(ticket.question) if row.generation == ticket.generation)


def partition_of(row: "RequestRow") -> str:
    """The asset partition that asked, in words."""
    return "/".join(part for part in (row.study, row.partition) if part) or "nobody named"


def waiting_for(rows: "Sequence[RequestRow]") -> str:
    """The partitions that asked, each once."""
    return ", ".join(dict.fromkeys(partition_of(row) for row in rows))


def place(ticket: "Ticket") -> str:
    """Provider and backend, as far as they are chosen."""
    return "/".join(part for part in (ticket.provider, ticket.backend) if part)


def ticket_list(ledger: "Ledger", tickets: "Sequence[Ticket]") -> Listing:
    """One line a ticket."""
    rows = tuple(
        (
            ticket.id[:SHORT],
            waiting_for(askers(ledger, ticket)),
            str(ticket.attempt),
            ticket.state.value,
            place(ticket),
            "" if ticket.queue_position is None else str(ticket.queue_position),
            stamp(ticket.updated_at),
            ticket.reason,
        )
        for ticket in tickets
    )
    columns = ("ticket", "for", "try", "state", "at", "queue", "since (UTC)", "reason")
    return Listing(columns, rows, frozenset({"try", "queue"}))


def facts(one: Dossier) -> Listing:
    """The fields of a ticket, a line each."""
    ticket, profile = one.ticket, json.loads(one.ticket.profile)
    rows = {
        "ticket": ticket.id,
        "state": f"{ticket.state.value}: {ticket.reason}",
        "question": f"{ticket.question[:SHORT]}, asking {ticket.generation + 1}, replicate {ticket.replicate}",
        "workload": ticket.workload_fingerprint,
        "profile": f"{profile['name']} ({ticket.profile_fingerprint[:SHORT]})",
        "changed": ticket.modification,
        "path": ticket.path,
        "at": place(ticket),
        "job": ticket.job,
        "queue": "" if ticket.queue_position is None else f"{ticket.queue_position} before it",
        "worked on": ticket.owner,
        "project": f"{ticket.project}, priority {ticket.priority}",
        "deadline": moment(ticket.deadline),
        "not before": moment(ticket.not_before),
        "planned": moment(ticket.created_at),
        "last move": moment(ticket.updated_at),
        "correlation": ticket.correlation_id,
        "answer": ticket.answer,
        "order": _order(one),
        "charge": _charge(one),
    }
    return Listing(("field", "value"), tuple((name, value) for name, value in rows.items() if value))


def tries(one: Dossier) -> Listing:
    """Every try of the asking, a line each."""
    columns = ("try", "ticket", "state", "at", "changed", "reason")
    rows = tuple((str(t.attempt), t.id[:SHORT], t.state.value, place(t), t.modification, t.reason) for t in one.tries)
    return Listing(columns, rows, frozenset({"try"}))


def moves(one: Dossier) -> Listing:
    """The moves, a line each."""
    rows = tuple(
        (stamp(t.at), "" if t.before is None else t.before.value, t.after.value, t.actor, t.reason)
        for t in one.transitions
    )
    return Listing(("moved (UTC)", "from", "to", "by", "reason"), rows)


def asked_by(one: Dossier) -> Listing:
    """The requests, a line each."""
    rows = tuple(
        (
            stamp(row.at),
            partition_of(row),
            row.project,
            row.run_id,
            "later" if row.asynchronous else "in the run",
            stamp(row.deadline, "never"),
        )
        for row in one.requests
    )
    return Listing(("asked (UTC)", "for", "project", "run", "answered", "of no use after"), rows)


def _order(one: Dossier) -> str:
    if one.order is None:
        return ""
    times = "once" if one.order.submissions == 1 else f"{one.order.submissions} times"
    return f"{one.order.key}: {one.order.state}, {one.together} tickets, opened {times}"


def _charge(one: Dossier) -> str:
    from quantum_assets.governance.policy import money

    if one.charge is not None:
        return money(one.charge.micros, one.charge.currency)
    return "not known yet" if one.order is not None and one.order.state == "open" else ""
