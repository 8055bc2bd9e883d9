"""Asking in somebody's name: a study, a partition and a run around the control plane's verbs."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from quantum_assets.contracts.answer import Answer, Request
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import Ticket
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution import answering
from quantum_assets.execution.plane import ControlPlane

Slot = Callable[[ExecutionProfile, datetime | None], AbstractContextManager[None]]


def _no_slot(profile: ExecutionProfile, until: datetime | None) -> AbstractContextManager[None]:  # noqa: ARG001
    """Outside of Dagster nobody limits how many wait for a backend."""
    return nullcontext()


@dataclass(frozen=True)
class Bill:
    """What some tickets cost, with all tries behind them.

    Attributes:
        estimated: Millionths of the currency's unit that they were expected to cost when they were handed in.
        charged: Millionths that are billed for them by now.
        unsettled: Tries that were handed in and whose charge is not known yet.
        currency: Of both amounts: that of the project's budget.
    """

    estimated: int = 0
    charged: int = 0
    unsettled: int = 0
    currency: str = "USD"


@dataclass(frozen=True)
class Session:
    """One step's way into the execution room.

    Attributes:
        plane: The control plane.
        study: Who asks.
        partition: For which partition.
        run_id: In which run; cancelling it cancels what only it waits for.
        correlation_id: Follows every request of the session.
        until: Moment (UTC) after which an answer is of no use to this step, whatever the profile says; None: as the
            profile says.
        whose: What sets that moment, in words: a reason is told with them.
        slot: Held while this session waits for a profile's backend; also told until when waiting for it makes sense.
    """

    plane: ControlPlane
    study: str
    partition: str = ""
    run_id: str = ""
    correlation_id: str = ""
    until: datetime | None = None
    whose: str = "its deadline"
    slot: Slot = _no_slot

    def within(self, partition: str) -> "Session":
        """The same session for another partition."""
        return replace(self, partition=partition)

    def answer(self, workload: Workload, profile: ExecutionProfile) -> Answer:
        """Answer now, waiting as long as it takes or until the deadline; see `answering.answer`.

        Raises:
            ProviderError: If no time is left to ask; and as there.
        """
        with self.slot(profile, self.until):
            self._require_time(workload)
            return answering.answer(self.plane, self._request(workload, profile))

    def answer_all(self, workloads: Sequence[Workload], profile: ExecutionProfile) -> tuple[Answer, ...]:
        """Answer several at once, in common orders where they fit."""
        with self.slot(profile, self.until):
            self._require_time(*workloads)
            return answering.answer_all(self.plane, [self._request(workload, profile) for workload in workloads])

    def submit_each(self, workloads: Sequence[Workload], profile: ExecutionProfile) -> tuple[tuple[Ticket, ...], ...]:
        """Plan and hand in, and come back at once; the tickets of each workload, none where policy keeps it classical.

        Under a synchronous profile they are planned only: whoever answers them also hands them in.

        Raises:
            ProviderError: If no time is left to ask; and as `answering.submit`.
        """
        self._require_time(*workloads)
        requests = [self._request(workload, profile) for workload in workloads]
        return answering.submit(self.plane, requests, hand_in=profile.asynchronous)

    def latest(self, tickets: Sequence[Sequence[Ticket]]) -> tuple[tuple[Ticket, ...], ...]:
        """The same, as they stand now."""
        return tuple(self.plane.latest(of_it) for of_it in tickets)

    def bill(self, tickets: Iterable[Ticket]) -> Bill:
        """What tickets, and the tries before them, were expected to cost and what is charged so far."""
        ledger, tries = self.plane.ledger, dict[str, None]()
        for ticket in tickets:
            asking = ledger.tickets(question=ticket.question, generation=ticket.generation)
            tries |= dict.fromkeys(one.id for one in asking if one.order)
        found = [(ledger.estimate_of(one), ledger.charge_of(one)) for one in tries]
        known = [amount for pair in found for amount in pair if amount is not None]
        return Bill(
            estimated=sum(guess.micros for guess, _ in found if guess is not None),
            charged=sum(charge.micros for _, charge in found if charge is not None),
            unsettled=sum(guess is not None and charge is None for guess, charge in found),
            currency=next((amount.currency for amount in known if amount.micros), Bill.currency),
        )

    def obtain(self, workload: Workload, profile: ExecutionProfile) -> Answer | None:
        """The answer to what this session, or one before it, asked.

        Asked before and ended: that answer. Still under way: None under an asynchronous profile; others wait for it.
        Never asked: asked now, but for asynchronous profiles, whose submitting asset must have done so. An answer that
        is there is given however late it is.

        Raises:
            ProviderError: If no time is left to ask or to wait; and as `answering.collect`.
        """
        request = self._request(workload, profile)
        if profile.asynchronous:
            if not answering.ended(self.plane, request):
                self._require_time(workload)
            return answering.collect(self.plane, request)
        return answering.recall(self.plane, request) or self.answer(workload, profile)

    def _require_time(self, *workloads: Workload) -> None:
        if self.until is not None and self.plane.clock.now() >= self.until:
            raise ProviderError(
                ", ".join(dict.fromkeys(one.label or one.circuit.name for one in workloads)),
                f"is not asked for: no time is left of {self.whose}",
                "Give it more time, or make it sooner",
            )

    def _deadline(self, profile: ExecutionProfile) -> datetime | None:
        """The sooner of the session's and the profile's; None: as the profile says."""
        if self.until is None or profile.deadline_seconds is None:
            return self.until
        return min(self.until, self.plane.clock.now() + timedelta(seconds=profile.deadline_seconds))

    def _request(self, workload: Workload, profile: ExecutionProfile) -> Request:
        return Request(
            workload=workload,
            profile=profile,
            study=self.study,
            partition=self.partition,
            run_id=self.run_id,
            correlation_id=self.correlation_id,
            deadline=self._deadline(profile),
        )
