"""The submit window: tickets, their order and its reservations are written together before the provider is called."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, or_, select, update
from sqlalchemy.sql.dml import ReturningInsert

from quantum_assets.contracts.errors import LedgerError, PlanError
from quantum_assets.contracts.money import Estimate
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.ledger.money import reserve
from quantum_assets.execution.ledger.moves import move_all, stale
from quantum_assets.execution.ledger.rows import Move, OrderRow, Stamp, ticket_of
from quantum_assets.execution.ledger.schema import orders, reservations, tickets
from quantum_assets.execution.ledger.tickets import insert_unless_there
from quantum_assets.execution.ledger.tickets import ticket as read_ticket

# Statements of the hot path are built once: building one takes longer than running it
_ORDER = select(orders).where(orders.c.key == bindparam("order"))
_LOCKED = _ORDER.with_for_update()
_NAMING = update(orders).where(orders.c.key == bindparam("order")).values(job=bindparam("job"))
_WAITS = or_(tickets.c.state == State.SUBMITTING, and_(tickets.c.state == State.UNKNOWN, tickets.c.job == ""))
_SUBMITTED = (
    update(tickets)
    .where(tickets.c.order_key == bindparam("order"), _WAITS)
    .values({name: bindparam(name) for name in ("state", "job", "reason", "actor", "updated_at")})
    .values(version=tickets.c.version + 1)
    .returning(tickets)
)


def open_window(
    connection: Connection,
    asked: Sequence[Ticket],
    *,
    order_key: str,
    provider: str,
    backend: str,
    owner: str,
    estimates: Sequence[Estimate],
    limit_micros: int | Mapping[str, int] | None,
    stamp: Stamp,
) -> tuple[Ticket, ...]:
    """Move planned tickets to submitting, as members of one order, with money reserved.

    An order that was withdrawn before it had a job may be opened again under its key, for the same tickets.
    """
    if not asked or len(estimates) != len(asked):
        raise PlanError(
            f"order {order_key}",
            f"has {len(asked)} tickets and {len(estimates)} estimates",
            "Give one estimate a ticket",
        )
    currencies = {estimate.currency for estimate in estimates}
    if len(currencies) > 1:
        raise PlanError(
            f"order {order_key}", f"is estimated in {', '.join(sorted(currencies))}", "Keep one currency an order"
        )
    if _open(connection, order_key, provider, backend, currencies.pop(), asked, stamp):
        reserve(connection, order_key, asked, estimates, limit_micros, stamp)
    window = {"order": order_key, "provider": provider, "backend": backend, "owner": owner, "job": ""}
    moves = [
        Move(ticket, State.SUBMITTING, f"opens the submit window of order {order_key}", {**window, "position": place})
        for place, ticket in enumerate(asked)
    ]
    return move_all(connection, moves, stamp)


def _open(
    connection: Connection,
    key: str,
    provider: str,
    backend: str,
    currency: str,
    asked: Sequence[Ticket],
    stamp: Stamp,
) -> bool:
    """Write the order, for the first time or again; says whether its money is still to be reserved."""
    fresh = {
        "provider": provider,
        "backend": backend,
        "job": "",
        "state": "open",
        "opened_at": stamp.at,
        "closed_at": None,
        "micros": None,
        "currency": currency,
        "workloads": len(asked),
        "submissions": 1,
    }
    # Written before it is looked for: nobody can lock a row that is not there, and two processes would both write it
    if connection.execute(_opening(connection.dialect.name), {"key": key, **fresh}).one_or_none() is not None:
        return True
    known = _locked(connection, key)
    assert known is not None, "whoever wrote it first has committed, and orders are never deleted"
    held = set(connection.scalars(select(reservations.c.ticket).where(reservations.c.order_key == key)))
    same = known.provider == provider and held == {ticket.id for ticket in asked}
    if known.state == "settled" or known.job or not same:
        for ticket in asked:  # another process was faster with the same tickets: not our key is wrong, our view is
            if read_ticket(connection, ticket.id).version != ticket.version:
                raise stale(connection, ticket)
        raise LedgerError(
            f"order {key}",
            f"was opened before, for {known.workloads} workloads on {known.provider}, and is "
            + (f"job {known.job}" if known.job else known.state),
            "Look it up at the provider, or make another key: one key is one order for ever",
        )
    if known.state == "released":
        connection.execute(delete(reservations).where(reservations.c.order_key == key))
    fresh["submissions"] = known.submissions + 1
    connection.execute(update(orders).where(orders.c.key == key).values(fresh))
    return bool(known.state == "released")


@lru_cache(maxsize=4)  # as for tickets: a new statement each time would be hashed anew
def _opening(dialect: str) -> ReturningInsert[Any]:
    return insert_unless_there(dialect, orders).returning(orders.c.key)


def name_job(connection: Connection, key: str, job: str, stamp: Stamp) -> tuple[Ticket, ...]:
    """Record the provider's id of an order; its tickets that wait for it become submitted, and are returned.

    Those are the tickets in ``submitting``, and the ones in ``unknown`` that had no job yet.
    """
    known = _locked(connection, key)
    if known is None or not job:
        what = "is not in the ledger" if known is None else "is given an empty job id"
        raise LedgerError(f"order {key}", what, "Open its window first, and name the job as the provider does")
    if known.job not in {"", job}:
        raise LedgerError(
            f"order {key}", f"is job {known.job} and cannot also be {job}", "Find out which of the two to cancel"
        )
    connection.execute(_NAMING, {"order": key, "job": job})
    values = {"state": State.SUBMITTED, "job": job, "reason": f"accepted as job {job}"}
    who = {"order": key, "actor": stamp.actor, "updated_at": stamp.at}
    moved = connection.execute(_SUBMITTED, {**values, **who})
    return tuple(sorted((ticket_of(row) for row in moved), key=lambda ticket: ticket.position))


def order(connection: Connection, key: str) -> OrderRow | None:
    """The order of a key."""
    row = connection.execute(_ORDER, {"order": key}).one_or_none()
    return None if row is None else OrderRow(*row)


def opened_for(connection: Connection, key: str) -> tuple[Ticket, ...]:
    """The tickets that an order was last opened for, in their places; also those that are in another one by now."""
    query = select(tickets, reservations.c.position.label("place"), orders.c.provider, orders.c.backend)
    query = query.join(reservations, reservations.c.ticket == tickets.c.id)
    query = query.join(orders, orders.c.key == reservations.c.order_key).where(orders.c.key == key)
    rows = connection.execute(query.order_by(reservations.c.position)).all()
    then = [{"order": key, "position": place, "provider": at, "backend": on} for *_, place, at, on in rows]
    return tuple(replace(ticket_of(row[:-3]), **values) for row, values in zip(rows, then, strict=True))


def find(connection: Connection, settled: bool | None, after: str, limit: int | None) -> tuple[OrderRow, ...]:
    """Orders by moment of opening and key: open ones (`settled` False), settled ones (True), or all."""
    query = select(orders).order_by(orders.c.opened_at, orders.c.key)
    if settled is not None:
        query = query.where(orders.c.state == ("settled" if settled else "open"))
    if after:
        last = order(connection, after)
        if last is None:
            raise PlanError("Ledger.orders: after", f"{after} is no order", "Give the key of the last one you had")
        later = and_(orders.c.opened_at == last.opened_at, orders.c.key > last.key)
        query = query.where(or_(orders.c.opened_at > last.opened_at, later))
    if limit is not None:
        query = query.limit(limit)
    return tuple(OrderRow(*row) for row in connection.execute(query))


def _locked(connection: Connection, key: str) -> Row[Any] | None:
    """The order's row, held until the transaction ends (PostgreSQL; SQLite has one writer anyway)."""
    return connection.execute(_LOCKED, {"order": key}).one_or_none()
