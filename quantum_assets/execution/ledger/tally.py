"""How many tickets stand where, counted by the database: what a dashboard shows, whatever the ledger's size."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, case, func, select

from quantum_assets.contracts.ticket import OUTCOMES, State
from quantum_assets.execution.ledger.schema import requests, tickets


@dataclass(frozen=True)
class Tally:
    """Tickets of one study, partition, provider and state.

    A ticket that several partitions wait for counts once: for the one that asked first.

    Attributes:
        study: Who asked first.
        partition: For which partition.
        provider: Name of the provider; empty while nobody chose one.
        state: Where they stand.
        tickets: How many.
        retries: Those among them that are a second or later try.
        cache_hits: Those among them that were accepted without being submitted: the answer was known.
        oldest: Moment (UTC) at which the oldest of them was planned, where they are open; None where they have ended.
    """

    study: str
    partition: str
    provider: str
    state: State
    tickets: int
    retries: int
    cache_hits: int
    oldest: datetime | None


def tally(connection: Connection) -> tuple[Tally, ...]:
    """All tickets, counted; ordered by study, partition, provider and state."""
    same = (requests.c.question, requests.c.generation)
    first = select(*same, func.min(requests.c.sequence).label("sequence")).group_by(*same).subquery()
    asked = and_(first.c.question == tickets.c.question, first.c.generation == tickets.c.generation)
    joined = tickets.join(first, asked).join(requests, requests.c.sequence == first.c.sequence)
    keys = (requests.c.study, requests.c.partition, tickets.c.provider, tickets.c.state)
    known = and_(tickets.c.state == State.ACCEPTED, tickets.c.order_key.is_(None))
    query = select(
        *keys,
        func.count(),
        func.count(case((tickets.c.attempt > 1, 1))),
        func.count(case((known, 1))),
        func.min(case((tickets.c.state.not_in(sorted(OUTCOMES)), tickets.c.created_at))),
    )
    rows = connection.execute(query.select_from(joined).group_by(*keys).order_by(*keys))
    return tuple(Tally(row[0], row[1], row[2], State(row[3]), row[4], row[5], row[6], row[7]) for row in rows)
