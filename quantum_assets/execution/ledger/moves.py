"""Moving tickets: compare and set on (id, version); the database's own guards write the log and refuse the rest."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, insert, update
from sqlalchemy.sql.dml import ReturningUpdate

from quantum_assets.contracts.errors import LedgerError, PlanError, StaleTicket
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import LEGAL, State, Ticket
from quantum_assets.execution.ledger.prepared import changed, one_ticket
from quantum_assets.execution.ledger.rows import Move, Stamp, ticket_of
from quantum_assets.execution.ledger.schema import tickets
from quantum_assets.execution.ledger.tickets import planned_values
from quantum_assets.execution.ledger.tickets import ticket as read_ticket

#: What a move or a touch may change beside the state.
CHANGEABLE = frozenset(
    [
        "answer",
        "backend",
        "deadline",
        "job",
        "modification",
        "not_before",
        "order",
        "owner",
        "position",
        "priority",
        "profile",
        "provider",
        "queue_position",
    ]
)
_PLANNING = insert(tickets).returning(tickets)


def move(connection: Connection, made: Move, stamp: Stamp) -> Ticket:
    """Make one move.

    Raises:
        LedgerError: If it is not legal, or changes what may not change.
        StaleTicket: If another process moved the ticket since it was read.
    """
    return _set(connection, made.ticket, _moving(made, stamp))


def move_all(connection: Connection, moves: Sequence[Move], stamp: Stamp) -> tuple[Ticket, ...]:
    """Make several moves, all or none.

    A ticket may move several times: each time but the first it is given as the move before leaves it (`Move.left`).

    Returns:
        The tickets that moved, as they stand at the end, in the order in which they are first given.
    """
    if len({(made.ticket.id, made.ticket.version) for made in moves}) < len(moves):
        raise PlanError("Ledger.move_all", "names one ticket twice", "Give one move a ticket, or each as `Move.left`")
    last = {made.ticket.id: made for made in moves}
    done: dict[str, Ticket] = {}
    for made in sorted(moves, key=lambda made: made.ticket.id):  # two processes cannot wait for each other
        if made is last[made.ticket.id]:
            done[made.ticket.id] = move(connection, made, stamp)
        else:
            _pass(connection, made.ticket, _moving(made, stamp))
    return tuple(done[ticket_id] for ticket_id in last)


def touch(connection: Connection, ticket: Ticket, changes: Mapping[str, Any]) -> Ticket:
    """Change fields without a move; the version goes up, so that two processes cannot both claim a ticket."""
    return _set(connection, ticket, columns(changes, CHANGEABLE | {"reason"}))


def again(
    connection: Connection,
    ticket: Ticket,
    outcome: State,
    reason: str,
    *,
    profile: ExecutionProfile,
    modification: str,
    provider: str,
    backend: str,
    not_before: datetime | None,
    stamp: Stamp,
) -> Ticket:
    """End a try and plan the next of the same generation; returns the next."""
    if outcome not in {State.RETRIED, State.REJECTED}:
        raise PlanError(
            "Ledger.again", f"cannot end a try as {outcome}", "Use retried, or rejected for a refused answer"
        )
    ended = move(connection, Move(ticket, outcome, reason), stamp)
    values = {
        **planned_values(profile, profile.fingerprint, stamp),
        "question": ended.question,
        "generation": ended.generation,
        "attempt": ended.attempt + 1,
        "workload_fingerprint": ended.workload_fingerprint,
        "replicate": ended.replicate,
        "provider": provider,
        "backend": backend,
        "correlation_id": ended.correlation_id,
        "project": ended.project,
        "priority": ended.priority,
        "deadline": ended.deadline,
        "not_before": not_before,
        "modification": modification,
        "reason": f"try {ended.attempt + 1}, after: {reason}",
        "path": ended.path,
        "asked_shots": ended.asked_shots,
    }
    return ticket_of(connection.execute(_PLANNING, values).one())


def require_legal(ticket: Ticket, after: State) -> None:
    """Refuse a move that is not in the table, before the database does."""
    if after not in LEGAL[ticket.state]:
        legal = ", ".join(sorted(LEGAL[ticket.state])) or "none, it has its outcome"
        raise LedgerError(
            f"ticket {ticket.id}", f"cannot move from {ticket.state} to {after}", f"Make a legal move: {legal}"
        )


def columns(changes: Mapping[str, Any], allowed: frozenset[str] = CHANGEABLE) -> dict[str, Any]:
    """The columns that changes of a ticket's fields are written to."""
    unknown = sorted(set(changes) - allowed)
    if unknown:
        raise PlanError(
            "a change of a ticket", f"names {', '.join(unknown)}", f"Change any of {', '.join(sorted(allowed))}"
        )
    values = dict(changes)
    if "order" in values:
        values["order_key"] = values.pop("order") or None
    if "profile" in values:
        profile: ExecutionProfile = values["profile"]
        values |= {"profile": profile.model_dump_json(), "profile_fingerprint": profile.fingerprint}
    return values


def _moving(made: Move, stamp: Stamp) -> dict[str, Any]:
    """The columns that a legal move writes."""
    require_legal(made.ticket, made.after)
    return {
        **columns(made.changes),
        "state": made.after,
        "reason": made.reason,
        "actor": stamp.actor,
        "updated_at": stamp.at,
    }


def _set(connection: Connection, ticket: Ticket, values: Mapping[str, Any]) -> Ticket:
    moved = one_ticket(connection, _reading(tuple(values)), _bound(ticket, values))
    if moved is None:
        raise stale(connection, ticket)
    return moved


def _pass(connection: Connection, ticket: Ticket, values: Mapping[str, Any]) -> None:
    """`_set`, of a ticket that goes on at once: nobody looks at it here."""
    if changed(connection, _setting(tuple(values)), _bound(ticket, values)) == 0:
        raise stale(connection, ticket)


def _bound(ticket: Ticket, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"its_id": ticket.id, "its_version": ticket.version, "version": ticket.version + 1, **values}


@lru_cache(maxsize=64)  # building the statement takes longer than running it
def _setting(names: tuple[str, ...]) -> Update:
    return (
        update(tickets)
        .where(tickets.c.id == bindparam("its_id"), tickets.c.version == bindparam("its_version"))
        .values({name: bindparam(name) for name in ("version", *names)})
    )


@lru_cache(maxsize=64)
def _reading(names: tuple[str, ...]) -> ReturningUpdate[Any]:
    return _setting(names).returning(tickets)


def stale(connection: Connection, ticket: Ticket) -> LedgerError:
    """Why a ticket could not be moved: somebody else did, or it is of another ledger."""
    now = read_ticket(connection, ticket.id)
    return StaleTicket(
        f"ticket {ticket.id}",
        f"was moved to {now.state} (version {now.version}) since it was read as {ticket.state} "
        f"(version {ticket.version})",
        "Read it again and decide anew",
    )
