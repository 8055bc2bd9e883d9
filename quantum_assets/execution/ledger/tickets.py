"""Asking, and looking: which ticket answers a question, and who waits for it."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Table, and_, bindparam, case, distinct, exists, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.errors import LedgerError, PlanError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import OUTCOMES, State, Ticket, Transition, question_of
from quantum_assets.execution.ledger.prepared import changed, one_ticket
from quantum_assets.execution.ledger.rows import PartitionStatus, RequestRow, Stamp, ticket_of, transition_of
from quantum_assets.execution.ledger.schema import requests, tickets, transitions

_OPEN = tickets.c.state.not_in(sorted(OUTCOMES))
_RACES = 10
_TICKET = select(tickets).where(tickets.c.id == bindparam("ticket"))
_OPEN_TICKET = select(tickets).where(tickets.c.question == bindparam("question"), _OPEN)
_REMEMBERING = insert(requests).inline()
_LAST_TICKET = (
    select(tickets)
    .where(tickets.c.question == bindparam("question"))
    .order_by(tickets.c.generation.desc(), tickets.c.attempt.desc())
    .limit(1)
)


@dataclass(frozen=True)
class Asked:
    """A question to be planned: the request, or a part of it, or its classical path."""

    question: str
    workload_fingerprint: str
    profile: ExecutionProfile
    profile_fingerprint: str
    path: str
    modification: str = ""


def asked_of(
    request: Request,
    path: str,
    profile: ExecutionProfile | None,
    workload_fingerprint: str | None,
    question: str | None,
    modification: str = "",
) -> Asked:
    """What a call of `Ledger.ask` asks, with everything that was left out taken from the request."""
    ran = profile or request.profile
    named = ran.fingerprint
    workload = workload_fingerprint or request.workload.fingerprint
    return Asked(question or question_of(workload, named, request.replicate), workload, ran, named, path, modification)


def ask(connection: Connection, request: Request, asked: Asked, stamp: Stamp) -> tuple[Ticket, bool]:
    """Adopt the open ticket of the question, or plan a new generation, and write down who asked."""
    for _ in range(_RACES):
        last = last_ticket(connection, asked.question)  # an open one is always the last
        known = None if last is None or last.ended else last
        ticket = (
            _plan(connection, request, asked, last, stamp) if known is None else _widened(connection, known, request)
        )
        if ticket is not None and not ticket.ended:
            _remember(connection, request, ticket, stamp)
            return ticket, known is None
    raise LedgerError(
        f"question {asked.question[:12]}", f"was planned and ended by others {_RACES} times over", "Ask again"
    )


def insert_unless_there(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that writes nothing where a unique key is taken."""
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def planned_values(profile: ExecutionProfile, profile_fingerprint: str, stamp: Stamp) -> dict[str, Any]:
    """What every new ticket starts with."""
    return {
        "id": uuid4().hex,
        "state": State.PLANNED,
        "version": 1,
        "profile": profile.model_dump_json(),
        "profile_fingerprint": profile_fingerprint,
        "provider": "",
        "backend": "",
        "order_key": None,
        "position": 0,
        "job": "",
        "owner": "",
        "actor": stamp.actor,
        "not_before": None,
        "modification": "",
        "queue_position": None,
        "answer": "",
        "created_at": stamp.at,
        "updated_at": stamp.at,
    }


def _plan(connection: Connection, request: Request, asked: Asked, last: Ticket | None, stamp: Stamp) -> Ticket | None:
    """Write a ticket of the next generation; None when somebody else did at the same moment."""
    values = {
        **planned_values(asked.profile, asked.profile_fingerprint, stamp),
        "question": asked.question,
        "generation": 0 if last is None else last.generation + 1,
        "attempt": 1,
        "workload_fingerprint": asked.workload_fingerprint,
        "replicate": request.replicate,
        "correlation_id": request.correlation_id,
        "project": request.project,
        "priority": request.priority,
        "deadline": request.deadline,
        "reason": "asked for",
        "path": asked.path,
        "modification": asked.modification,
        "asked_shots": request.asked_shots,
    }
    return one_ticket(connection, _planning(connection.dialect.name), values)


@lru_cache(maxsize=4)  # a new statement each time would be hashed anew to find what was compiled before
def _planning(dialect: str) -> ReturningInsert[Any]:
    return insert_unless_there(dialect, tickets).returning(tickets)


def _remember(connection: Connection, request: Request, ticket: Ticket, stamp: Stamp) -> None:
    values = {
        "question": ticket.question,
        "generation": ticket.generation,
        "study": request.study,
        "partition": request.partition,
        "project": request.project,
        "run_id": request.run_id,
        "correlation_id": request.correlation_id,
        "asynchronous": request.profile.asynchronous,
        "deadline": request.deadline,
        "at": stamp.at,
    }
    changed(connection, _REMEMBERING, values)


def _widened(connection: Connection, ticket: Ticket, request: Request) -> Ticket:
    """Serve the most urgent and the most patient of those who wait; its version stays, for it did not move."""
    priority = max(ticket.priority, request.priority)
    deadline = None if None in (ticket.deadline, request.deadline) else max(_moments(ticket, request))
    if (priority, deadline) == (ticket.priority, ticket.deadline):
        return ticket
    row = connection.execute(
        update(tickets).where(tickets.c.id == ticket.id).values(priority=priority, deadline=deadline).returning(tickets)
    ).one()
    return ticket_of(row)


def _moments(ticket: Ticket, request: Request) -> list[datetime]:
    return [moment for moment in (ticket.deadline, request.deadline) if moment is not None]


def open_ticket(connection: Connection, question: str) -> Ticket | None:
    """The ticket of the question that has no outcome yet."""
    row = connection.execute(_OPEN_TICKET, {"question": question}).one_or_none()
    return None if row is None else ticket_of(row)


def last_ticket(connection: Connection, question: str) -> Ticket | None:
    """The latest attempt of the latest generation."""
    return one_ticket(connection, _LAST_TICKET, {"question": question})


def ticket(connection: Connection, ticket_id: str) -> Ticket:
    """The ticket of an id."""
    found = one_ticket(connection, _TICKET, {"ticket": ticket_id})
    if found is None:
        raise LedgerError(f"ticket {ticket_id}", "is not in the ledger", "List the tickets for their ids")
    return found


def find(
    connection: Connection,
    *,
    states: Collection[State] | None,
    question: str | None,
    generation: int | None,
    order: str | None,
    study: str | None,
    partition: str | None,
    run_id: str | None,
    asynchronous: bool | None,
    after: str,
    limit: int | None,
) -> tuple[Ticket, ...]:
    """Tickets that meet every condition, oldest first."""
    query = select(tickets).order_by(tickets.c.sequence)
    columns = {"question": question, "generation": generation, "order_key": order}
    query = query.where(*(tickets.c[name] == value for name, value in columns.items() if value is not None))
    if states is not None:
        query = query.where(tickets.c.state.in_(sorted(states)))
    owners = {"study": study, "partition": partition, "run_id": run_id, "asynchronous": asynchronous}
    wanted = [requests.c[name] == value for name, value in owners.items() if value is not None]
    if wanted:
        query = query.where(exists().where(_serves(), *wanted))
    if after:
        query = query.where(tickets.c.sequence > _sequence_of(connection, after))
    if limit is not None:
        query = query.limit(limit)
    return tuple(ticket_of(row) for row in connection.execute(query))


def _serves() -> Any:
    """A request and a ticket belong together: same question, same asking of it."""
    return and_(requests.c.question == tickets.c.question, requests.c.generation == tickets.c.generation)


def _sequence_of(connection: Connection, ticket_id: str) -> int:
    found = connection.execute(select(tickets.c.sequence).where(tickets.c.id == ticket_id)).scalar_one_or_none()
    if found is None:
        raise PlanError("Ledger.tickets: after", f"{ticket_id} is no ticket", "Give the id of the last one you had")
    return int(found)


def history(connection: Connection, ticket_id: str) -> tuple[Transition, ...]:
    """Every move of a ticket, in order."""
    query = select(transitions).where(transitions.c.ticket == ticket_id).order_by(transitions.c.sequence)
    return tuple(transition_of(row) for row in connection.execute(query))


def requests_of(connection: Connection, question: str) -> tuple[RequestRow, ...]:
    """Everybody who asked a question, in order."""
    query = select(requests).where(requests.c.question == question).order_by(requests.c.sequence)
    return tuple(RequestRow(*row) for row in connection.execute(query))


def partitions(connection: Connection, study: str | None, now: datetime) -> tuple[PartitionStatus, ...]:
    """How far each asset partition is, at a moment (UTC), whose questions were asked asynchronously."""
    is_open = exists().where(tickets.c.question == requests.c.question, _OPEN)
    unique = distinct(requests.c.question)
    waiting = func.count(distinct(case((is_open, requests.c.question))))
    query = (
        select(
            requests.c.study,
            requests.c.partition,
            func.count(unique).label("asked"),
            waiting.label("open"),
            (func.count(unique) - waiting).label("ended"),
            func.max(requests.c.sequence).label("last"),
        )
        .where(requests.c.asynchronous)
        .group_by(requests.c.study, requests.c.partition)
        .order_by(requests.c.study, requests.c.partition)
    )
    if study is not None:
        query = query.where(requests.c.study == study)
    found = connection.execute(query).all()
    latest = select(requests.c.sequence, requests.c.run_id).where(requests.c.sequence.in_([row.last for row in found]))
    runs = {row.sequence: row.run_id for row in connection.execute(latest)}
    late = _too_late(connection, now)
    counted = [(row, late[row.study, row.partition]) for row in found]
    return tuple(
        PartitionStatus(row.study, row.partition, row.asked, row.open - n, row.ended + n, row.last, runs[row.last])
        for row, n in counted
    )


def _too_late(connection: Connection, now: datetime) -> Counter[tuple[str, str]]:
    """How many open questions a study's partition asked with deadlines that have all passed: it waits no longer."""
    passed = case((requests.c.deadline <= now, 1), else_=0)
    query = (
        select(requests.c.study, requests.c.partition)
        .join_from(requests, tickets, and_(_serves(), _OPEN))
        .where(requests.c.asynchronous)
        .group_by(requests.c.study, requests.c.partition, requests.c.question)
        .having(func.min(passed) == 1)
    )
    return Counter((study, partition) for study, partition in connection.execute(query))
