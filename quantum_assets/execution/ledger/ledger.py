"""The door to the ledger: one value that any process can make, and every thing that may be done through it.

Each method is one transaction: all of it happens, or nothing. Every method may raise `LedgerError` where the database
does not answer or refuses; what is said below comes on top. Reasons and messages lose their secrets on the way in,
whoever wrote them: what a vendor said is not to be believed in that respect either.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.redact import redact
from quantum_assets.contracts.ticket import State, Ticket, Transition
from quantum_assets.execution.ledger import breakers, check, moves, notes, tally, tickets
from quantum_assets.execution.ledger.accounts import Accounts
from quantum_assets.execution.ledger.rows import (
    Alert,
    Approval,
    BreakerRow,
    Move,
    OrderRow,
    PartitionStatus,
    RequestRow,
    Spending,
)
from quantum_assets.execution.ledger.tally import Tally

__all__ = [
    "Alert",
    "Approval",
    "BreakerRow",
    "Ledger",
    "Move",
    "OrderRow",
    "PartitionStatus",
    "RequestRow",
    "Spending",
    "Tally",
]


@dataclass(frozen=True, repr=False)
class Ledger(Accounts):
    """One ledger, as a value: making it checks the URL and connects to nothing (`Door`).

    Raises:
        PlanError: If the URL names no ledger.
    """

    # Asking

    def ask(
        self,
        request: Request,
        *,
        path: str = "quantum",
        profile: ExecutionProfile | None = None,
        workload_fingerprint: str | None = None,
        question: str | None = None,
        modification: str = "",
    ) -> tuple[Ticket, bool]:
        """Adopt the open ticket of a question, or plan a new generation of it; and write down who asked.

        An adopted ticket takes the higher priority and the later deadline of those who wait for it.

        Args:
            request: What is asked, and whose it is.
            path: Which path the ticket is a try of.
            profile: In place of the request's, for the classical path or another backend.
            workload_fingerprint: In place of the request's workload, for a part of it.
            question: In place of `question_of` these; None: computed.
            modification: In what respect the profile is not the one that was asked for; empty: in none.

        Returns:
            The ticket, and whether it was planned by this call.
        """
        asked = tickets.asked_of(request, path, profile, workload_fingerprint, question, modification)
        return self._write(lambda connection, stamp: tickets.ask(connection, request, asked, stamp))

    def open_ticket(self, question: str) -> Ticket | None:
        """The ticket of a question that has no outcome yet."""
        return self._read(lambda connection: tickets.open_ticket(connection, question))

    def last_ticket(self, question: str) -> Ticket | None:
        """The latest attempt of the latest generation of a question."""
        return self._read(lambda connection: tickets.last_ticket(connection, question))

    def ticket(self, ticket_id: str) -> Ticket:
        """The ticket of an id, as it is now."""
        return self._read(lambda connection: tickets.ticket(connection, ticket_id))

    def tickets(
        self,
        *,
        states: Collection[State] | None = None,
        question: str | None = None,
        generation: int | None = None,
        order: str | None = None,
        study: str | None = None,
        partition: str | None = None,
        run_id: str | None = None,
        asynchronous: bool | None = None,
        after: str = "",
        limit: int | None = None,
    ) -> tuple[Ticket, ...]:
        """Tickets that meet every condition given, oldest first.

        Args:
            states: In one of these.
            question: Of this question.
            generation: Of this asking of it.
            order: Submitted in this order.
            study: Asked for by this study.
            partition: Asked for by this partition (by the same request as `study` and `run_id`).
            run_id: Asked for by this run.
            asynchronous: Asked for by somebody who does (False: does not) leave the collecting to the sensor.
            after: Only those planned after the ticket of this id.
            limit: At most so many; None: all.
        """
        return self._read(
            lambda connection: tickets.find(
                connection,
                states=states,
                question=question,
                generation=generation,
                order=order,
                study=study,
                partition=partition,
                run_id=run_id,
                asynchronous=asynchronous,
                after=after,
                limit=limit,
            )
        )

    def transitions(self, ticket_id: str) -> tuple[Transition, ...]:
        """Every move of a ticket, in order."""
        return self._read(lambda connection: tickets.history(connection, ticket_id))

    def requests(self, question: str) -> tuple[RequestRow, ...]:
        """Everybody who asked a question, in order."""
        return self._read(lambda connection: tickets.requests_of(connection, question))

    def partitions(self, study: str | None = None) -> tuple[PartitionStatus, ...]:
        """How far each partition is whose questions were asked asynchronously."""
        now = self.clock.now()
        return self._read(lambda connection: tickets.partitions(connection, study, now))

    def tally(self) -> tuple[Tally, ...]:
        """How many tickets stand where, by study, partition, provider and state."""
        return self._read(tally.tally)

    # Moving

    def move(self, ticket: Ticket, after: State, reason: str, **changes: Any) -> Ticket:
        """Make one legal move, and change further fields with it (`moves.CHANGEABLE`).

        Raises:
            StaleTicket: If another process moved it since it was read.
            LedgerError: If the move is not legal.
        """
        made = Move(ticket, after, redact(reason), changes)
        return self._write(lambda connection, stamp: moves.move(connection, made, stamp))

    def move_all(self, made: Sequence[Move]) -> tuple[Ticket, ...]:
        """Make several moves, all or none; raises as `move` does.

        Args:
            made: Of one ticket several, where each but the first begins as the one before leaves it (`Move.left`).

        Returns:
            The tickets that moved, as they stand at the end, in the order in which they are first given.
        """
        told = "\n".join(one.reason for one in made)
        # Looking once is cheaper, and a secret that stands in one of them stands in all of it
        clean = made if redact(told) == told else [replace(one, reason=redact(one.reason)) for one in made]
        return self._write(lambda connection, stamp: moves.move_all(connection, clean, stamp))

    def touch(self, ticket: Ticket, **changes: Any) -> Ticket:
        """Change fields without a move; no line is written to the log.

        Raises:
            StaleTicket: If another process moved or touched it since it was read.
        """
        clean = changes | {"reason": redact(changes["reason"])} if "reason" in changes else changes
        return self._write(lambda connection, _: moves.touch(connection, ticket, clean))

    def again(
        self,
        ticket: Ticket,
        outcome: State,
        reason: str,
        *,
        profile: ExecutionProfile,
        modification: str,
        provider: str = "",
        backend: str = "",
        not_before: datetime | None = None,
    ) -> Ticket:
        """End a try as `retried` or `rejected` and plan the next one; returns the next.

        Args:
            ticket: The try that ends.
            outcome: How.
            reason: Why, one sentence.
            profile: What the next try runs under.
            modification: What was changed in it; empty: nothing.
            provider: Chosen for the next try; empty: not yet.
            backend: As `provider`.
            not_before: Moment (UTC) before which it is not to be submitted; None: at once.

        Raises:
            StaleTicket: If another process moved it since it was read.
        """
        return self._write(
            lambda connection, stamp: moves.again(
                connection,
                ticket,
                outcome,
                redact(reason),
                profile=profile,
                modification=modification,
                provider=provider,
                backend=backend,
                not_before=not_before,
                stamp=stamp,
            )
        )

    # Alerts

    def alert(self, kind: str, subject: str, message: str, correlation_id: str = "") -> Alert:
        """Write something that a person should know."""
        return self._write(
            lambda connection, stamp: notes.alert(connection, kind, subject, redact(message), correlation_id, stamp)
        )

    def alerts(self, after_sequence: int = 0, limit: int | None = None) -> tuple[Alert, ...]:
        """Alerts after a sequence number, in order."""
        return self._read(lambda connection: notes.alert_list(connection, after_sequence, limit))

    # Breakers

    def breaker(self, key: str) -> BreakerRow:
        """The breaker of ``provider/backend``; closed, version 0, where nothing was ever written."""
        return self._read(lambda connection: breakers.breaker(connection, key))

    def set_breaker(self, key: str, *, expected: int | None = None, **changes: Any) -> BreakerRow | None:
        """Change a breaker's state, failures, failed_jobs, successes or opened_at.

        Args:
            key: ``provider/backend``.
            expected: Version that the caller decided upon (0: never written); None: write whatever it is now.
            changes: The fields.

        Returns:
            The breaker as written; None where it was not, for its version is another than `expected` by now.
        """
        return self._write(lambda connection, stamp: breakers.set_breaker(connection, key, changes, expected, stamp))

    def count_failure(self, key: str) -> int:
        """Count one failed call more; returns how many there are."""
        return self._write(lambda connection, stamp: breakers.count(connection, key, "failures", stamp))

    def count_failed_job(self, key: str) -> int:
        """Count one failed job more; returns how many there are."""
        return self._write(lambda connection, stamp: breakers.count(connection, key, "failed_jobs", stamp))

    def count_success(self, key: str) -> int:
        """Count one success more; returns how many there are."""
        return self._write(lambda connection, stamp: breakers.count(connection, key, "successes", stamp))

    def breakers(self) -> tuple[BreakerRow, ...]:
        """All breakers that were ever written, by key."""
        return self._read(breakers.every_breaker)

    # Health

    def check(self) -> tuple[str, ...]:
        """Every invariant that does not hold, in sentences; empty when all is well."""
        return self._read(check.check)
