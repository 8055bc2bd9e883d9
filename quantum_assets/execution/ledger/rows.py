"""The values that go into the ledger and come out of it, and how a row becomes one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import itemgetter
from typing import Any, Literal

from sqlalchemy import Row

from quantum_assets.contracts.money import ApprovalKind, Kind
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import State, Ticket, Transition
from quantum_assets.execution.ledger.schema import tickets

OrderState = Literal["open", "settled", "released"]


@dataclass(frozen=True)
class Stamp:
    """Who writes, and when: goes into every line that is written."""

    at: datetime
    actor: str


@dataclass(frozen=True)
class Move:
    """One move to be made.

    Attributes:
        ticket: As it was last seen.
        after: State to enter.
        reason: Why, one sentence.
        changes: Further fields of the ticket, by name; see `moves.CHANGEABLE`.
    """

    ticket: Ticket
    after: State
    reason: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def left(self) -> Ticket:
        """The ticket as this move will leave it, but for the moment: a further move of one `move_all` begins there."""
        changes = dict(self.changes)
        if "profile" in changes:
            profile: ExecutionProfile = changes["profile"]
            changes |= {"profile": profile.model_dump_json(), "profile_fingerprint": profile.fingerprint}
        version = self.ticket.version + 1
        return replace(self.ticket, **changes, state=self.after, version=version, reason=self.reason)


@dataclass(frozen=True)
class RequestRow:
    """One asking: who waits for the answer of a question.

    Attributes:
        sequence: Order of writing.
        question: What was asked.
        generation: Which asking of it the request met.
        study: Whose question; with `partition`, the asset partition that waits.
        partition: See `study`.
        project: Whose budget pays.
        run_id: The run that asked; empty for none.
        correlation_id: Of the request (the ticket has that of the first who asked).
        asynchronous: Whether nobody waits inside a run, and the sensor collects.
        deadline: Moment (UTC) after which this asker has no use for the answer; None: never.
        at: Moment (UTC) of asking.
    """

    sequence: int
    question: str
    generation: int
    study: str
    partition: str
    project: str
    run_id: str
    correlation_id: str
    asynchronous: bool
    deadline: datetime | None
    at: datetime


@dataclass(frozen=True)
class PartitionStatus:
    """How far the questions of one asset partition are.

    Attributes:
        study: See `RequestRow`.
        partition: See `RequestRow`.
        asked: Different questions that were asked for it asynchronously.
        open: Those with a ticket that has no outcome yet, while the deadline they were asked with has not passed.
        ended: The others.
        last_request: Sequence of its latest request: tells one asking of the partition from the next.
        last_run: The run that made the latest request; empty for none.
    """

    study: str
    partition: str
    asked: int
    open: int
    ended: int
    last_request: int
    last_run: str = ""


@dataclass(frozen=True)
class OrderRow:
    """A submission: tickets that went to a provider together.

    Attributes:
        key: Idempotency key.
        provider: To whom.
        backend: Which of its devices; empty where it has only one.
        job: The provider's id; empty before it is known.
        state: open; settled: the charge is known; released: it was never accepted, and costs nothing.
        opened_at: Moment (UTC) of writing it, before the provider was called.
        closed_at: Moment (UTC) of settling or releasing it.
        micros: What it cost, in millionths of `currency`; None before it is settled.
        currency: Of estimate and charge.
        workloads: How many it holds.
        submissions: How many times its window was opened.
    """

    key: str
    provider: str
    backend: str
    job: str
    state: OrderState
    opened_at: datetime
    closed_at: datetime | None
    micros: int | None
    currency: str
    workloads: int
    submissions: int

    @property
    def settled(self) -> bool:
        """Whether its charge is known and booked."""
        return self.state == "settled"


@dataclass(frozen=True)
class Spending:
    """What a project spends in a month on one kind of provider.

    Attributes:
        project: Whose.
        month: UTC, for example ``2026-11``: the one in which the orders were opened.
        kind: simulator or hardware.
        currency: Of both amounts.
        reserved: Millionths held for orders whose charge is not known yet.
        settled: Millionths charged.
        tickets: Tickets behind both.
        shots: Shots behind both, as estimated.
    """

    project: str
    month: str
    kind: Kind
    currency: str
    reserved: int
    settled: int
    tickets: int
    shots: int


@dataclass(frozen=True)
class Approval:
    """A person's word that a project may do something.

    Attributes:
        sequence: Order of writing; the last word counts.
        project: Which project.
        kind: What it may do.
        approver: Who said so.
        reason: Why.
        until: Moment (UTC) at which it ends; None: never.
        at: Moment (UTC) of writing.
    """

    sequence: int
    project: str
    kind: ApprovalKind
    approver: str
    reason: str
    until: datetime | None
    at: datetime


@dataclass(frozen=True)
class BreakerRow:
    """The circuit breaker of one backend, as all processes see it.

    Attributes:
        key: ``provider/backend``.
        state: In pybreaker's words: closed, open or half-open.
        failures: Calls in a row that failed.
        successes: Successes in a row while half-open.
        opened_at: Moment (UTC) of the last opening; None: never.
        version: Raised by every write; 0: never written.
        failed_jobs: Jobs in a row that were accepted and failed.
    """

    key: str
    state: str
    failures: int
    successes: int
    opened_at: datetime | None
    version: int
    failed_jobs: int = 0

    @property
    def counted(self) -> int:
        """All failures in a row, of calls and of jobs."""
        return self.failures + self.failed_jobs


@dataclass(frozen=True)
class Alert:
    """Something that a person should know.

    Attributes:
        sequence: Order of writing.
        kind: Stable word, for example ``unknown_failure``.
        subject: What it is about: a ticket, an order, a provider.
        message: One sentence.
        correlation_id: Of the request behind it; empty for none.
        actor: Who wrote it.
        at: Moment (UTC) of writing.
    """

    sequence: int
    kind: str
    subject: str
    message: str
    correlation_id: str
    actor: str
    at: datetime


_FIELDS = tuple("order_key" if name == "order" else name for name in Ticket.__dataclass_fields__)
_pick = itemgetter(*(tickets.c.keys().index(name) for name in _FIELDS))
_STATE, _ORDER = _FIELDS.index("state"), _FIELDS.index("order_key")


def ticket_of(row: Row[Any] | Sequence[Any]) -> Ticket:
    """Read one whole row of `tickets`."""
    values = list(_pick(row))
    values[_STATE] = State(values[_STATE])
    values[_ORDER] = values[_ORDER] or ""
    return Ticket(*values)


def transition_of(row: Row[Any]) -> Transition:
    """Read one whole row of `transitions`."""
    values = list(row)
    values[2:4] = [None if state is None else State(state) for state in values[2:4]]
    return Transition(*values)
