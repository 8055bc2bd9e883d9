"""What must always hold, looked at from outside the guards that keep it; each sentence names what is wrong."""

from collections.abc import Iterator

from sqlalchemy import Connection, and_, exists, func, select

from quantum_assets.contracts.ticket import LEGAL, OUTCOMES, State
from quantum_assets.execution.ledger.money import shown
from quantum_assets.execution.ledger.schema import charges, orders, reservations, tickets, transitions

_SHOWN = 20


def check(connection: Connection) -> tuple[str, ...]:
    """Every invariant that does not hold, at most a score of sentences each; empty when all is well."""
    finders = (_states, _log, _one_open, _orders, _order_jobs, _charges)
    return tuple(sentence for finder in finders for sentence in _first(finder(connection)))


def _first(sentences: Iterator[str]) -> list[str]:
    return [sentence for _, sentence in zip(range(_SHOWN), sentences, strict=False)]


def _states(connection: Connection) -> Iterator[str]:
    """A ticket's state is what its last transition says."""
    last = select(transitions.c.ticket, func.max(transitions.c.sequence).label("sequence")).group_by(
        transitions.c.ticket
    )
    ends = last.subquery()
    joined = tickets.outerjoin(ends, ends.c.ticket == tickets.c.id).outerjoin(
        transitions, transitions.c.sequence == ends.c.sequence
    )
    query = select(tickets.c.id, tickets.c.state, transitions.c.after).select_from(joined)
    for ticket, state, after in connection.execute(query.where(tickets.c.state.is_distinct_from(transitions.c.after))):
        yield f"ticket {ticket} is {state}, and its last transition says {after}"


def _log(connection: Connection) -> Iterator[str]:
    """Each line starts where the one before it ended, and makes a legal move."""
    previous = func.lag(transitions.c.after).over(partition_by=transitions.c.ticket, order_by=transitions.c.sequence)
    lines = select(transitions.c.ticket, transitions.c.before, transitions.c.after, previous.label("previous"))
    lines = lines.order_by(transitions.c.sequence)
    for ticket, before, after, came_from in connection.execute(lines):
        if before != came_from:
            yield f"ticket {ticket}: a transition leaves {before} while it was in {came_from}"
        elif before is not None and State(after) not in LEGAL[State(before)]:
            yield f"ticket {ticket}: the transition {before} to {after} is not legal"


def _one_open(connection: Connection) -> Iterator[str]:
    """At most one open ticket a question."""
    query = (
        select(tickets.c.question, func.count())
        .where(tickets.c.state.not_in(sorted(OUTCOMES)))
        .group_by(tickets.c.question)
        .having(func.count() > 1)
        .order_by(tickets.c.question)
    )
    for question, count in connection.execute(query):
        yield f"question {question} has {count} open tickets"


def _orders(connection: Connection) -> Iterator[str]:
    """An order whose tickets all have their outcome is settled or released."""
    members = and_(reservations.c.order_key == orders.c.key, reservations.c.ticket == tickets.c.id)
    alive = exists().where(members, tickets.c.state.not_in(sorted(OUTCOMES)))
    for key in connection.scalars(select(orders.c.key).where(orders.c.state == "open", ~alive).order_by(orders.c.key)):
        yield f"order {key} is neither settled nor released, and all its tickets have ended"


def _order_jobs(connection: Connection) -> Iterator[str]:
    """One job is one order, and a ticket's job is its order's."""
    named = orders.c.job != ""
    twice = select(orders.c.provider, orders.c.job, func.count()).where(named)
    for provider, job, count in connection.execute(
        twice.group_by(orders.c.provider, orders.c.job).having(func.count() > 1)
    ):
        yield f"job {job} of {provider} is the job of {count} orders"
    other = select(tickets.c.id, tickets.c.job, orders.c.job).where(
        tickets.c.order_key == orders.c.key, tickets.c.job != orders.c.job, tickets.c.job != ""
    )
    for ticket, its, job in connection.execute(other):
        yield f"ticket {ticket} says job {its}, and its order says {job or 'none'}"


def _charges(connection: Connection) -> Iterator[str]:
    """The charges of an order sum to what it was settled with; every other order has none."""
    booked = (
        select(charges.c.order_key, func.sum(charges.c.micros).label("micros")).group_by(charges.c.order_key).subquery()
    )
    query = select(orders.c.key, orders.c.micros, booked.c.micros, orders.c.currency)
    joined = orders.outerjoin(booked, booked.c.order_key == orders.c.key)
    for key, micros, sums, currency in connection.execute(query.select_from(joined).order_by(orders.c.key)):
        if micros is not None and (sums is None or int(sums) != micros):
            booked_as = shown(int(sums or 0), currency)
            yield f"order {key} was settled with {shown(micros, currency)} and is booked with {booked_as}"
        elif micros is None and sums is not None:
            yield f"order {key} is not settled and is booked with {shown(int(sums), currency)}"
