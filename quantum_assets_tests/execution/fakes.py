"""A vendor that outlives its callers and keeps books of its own, a simulator in the caller's process, and their world.

A `World` is one home with one clock: every plane that it makes plays another process over the same ledger.
"""

import socket
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.envelope import RejectedResult, ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.failure import FailurePolicy
from quantum_assets.contracts.jobs import BackendFact, Calibration, Charge, JobStatus, Limits, Order
from quantum_assets.contracts.money import Budget, Price, PriceBook
from quantum_assets.contracts.profile import ExecutionProfile, Routing
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.plane import ControlPlane, Judge, Patience
from quantum_assets.execution.policy import read_policy
from quantum_assets.execution.turning import turn
from quantum_assets.providers.base import Provider
from quantum_assets.providers.in_process import InProcessProvider
from quantum_assets.trust.admit import admit
from quantum_assets_tests.execution.clocks import ManualClock
from quantum_assets_tests.trust.honest import CIRCUITS, EXACT, circuit, envelope_for

#: A process that is gone: no machine has that pid.
DEAD = f"{socket.gethostname()}/999999999/gone"
#: A process on a machine that nobody can look at.
STRANGER = "another-machine/1/then"
MICROS = 250_000

#: Asks the vendor; nothing stands in.
VENDOR = CIRCUITS.model_copy(update={"name": "vendor-100", "providers": ("vendor",)})
LOCAL = EXACT.model_copy(update={"name": "local", "providers": ("local",)})
#: Asks the vendor, and the local simulator where the vendor cannot.
SAFE = VENDOR.model_copy(update={"routing": Routing(fallback="stand-in")})
STAND_IN = CIRCUITS.model_copy(update={"name": "stand-in", "providers": ("local",)})
PROFILES = {one.name: one for one in (VENDOR, LOCAL, STAND_IN)}
PRICES = PriceBook(
    version=date(2026, 11, 1),
    prices=(
        Price(provider="vendor", kind="simulator", task="order", per_task=0.5),
        Price(provider="other", kind="simulator", task="order", per_task=0.5),
    ),
)
BUDGETS = {"default": Budget(simulator_per_month=100.0)}


class Killed(BaseException):
    """What a process does not survive."""


class Throttled(Exception):
    """429, with the wish to be left alone for a while."""

    status_code = 429

    def __init__(self, retry_after: float) -> None:
        super().__init__("slow down")
        self.retry_after = retry_after


class Unavailable(Exception):
    """503."""

    status_code = 503


class TooLarge(Exception):
    """413: nothing was accepted; less may be."""

    status_code = 413


class Denied(Exception):
    """401: nothing was accepted, and nothing will be."""

    status_code = 401


def question(number: int = 0, rows: int = 3) -> Workload:
    """Overlaps of a few rows; another number is another question."""
    angles = np.linspace(0.1, 1.0, rows * 2).reshape(rows, 2) + number
    pairs = np.argwhere(np.ones((rows, rows), dtype=bool))
    return Workload(circuit(2), angles, "overlaps", pairs=pairs, label=f"question {number}")


def exact_question(number: int = 0) -> Workload:
    """States of two rows; another number is another question."""
    return Workload(circuit(2), np.full((2, 2), 0.1 + number), "states", label=f"question {number}")


def claim_of(name: str, workload: Workload, profile: ExecutionProfile) -> ResultEnvelope:
    """An honest claim by a provider of that name."""
    honest = envelope_for(workload, profile)
    ran = honest.effective.model_copy(update={"provider": name, "backend": profile.backend, "versions": {"sdk": "1"}})
    return replace(honest, effective=ran)


def trust(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> tuple[str, ...]:
    """The real trust boundary, as a judge."""
    verdict = admit(envelope, workload, profile)
    return verdict.reasons if isinstance(verdict, RejectedResult) else ()


@dataclass
class EventfulClock(ManualClock):
    """Something may happen while somebody sleeps: once, before the time passes."""

    meanwhile: Callable[[], None] | None = None

    def sleep(self, seconds: float) -> None:
        event, self.meanwhile = self.meanwhile, None
        if event is not None:
            event()
        super().sleep(seconds)


@dataclass
class Job:
    """One line in the vendor's own books."""

    id: str
    order: Order
    at: float
    cancelled: bool = False


@dataclass
class DurableVendor:
    """Accepts orders and keeps them, whoever dies; every misbehaviour is scripted, once a call.

    Attributes:
        clock: For how long a look-up may miss a job.
        name: The name that profiles use.
        limits_: What it says of itself.
        charge: Millionths that it bills for a job; None: it does not say.
        calibrated: Digest of its calibration; empty: it has none; away: it cannot say.
        refusal: Why it supports nothing.
        before: For each submission in turn, what is raised before it is accepted.
        after: For each accepted submission in turn, what is raised, or answered instead of its id.
        statuses: For each question about a job in turn, what it says or raises; then: completed.
        busy_for: Seconds for which a job then waits in its queue.
        results: For each fetch in turn, what becomes of the claims, or is raised; then: nothing.
        finds: For each look-up in turn, what it raises.
        cancels: For each cancelling in turn, what it raises.
        during: What happens once an order is accepted, before its submitter hears of it.
        looking: What happens while the next look-up is made.
        blind: Whether look-ups find nothing, ever.
        look_seconds: How long a look at a job takes.
        facts: What it says of its backends, or raises.
        narrow: Width of backends that it refuses wider circuits for, by name.
        calls: How often each method was called.
        jobs: Its books.
    """

    clock: ManualClock
    name: str = "vendor"
    limits_: Limits = field(default_factory=lambda: Limits(max_workloads=10, durable=True, poll_seconds=5.0))
    charge: int | None = MICROS
    calibrated: str = "monday"
    refusal: str | None = None
    before: list[BaseException | None] = field(default_factory=list)
    after: list[Any] = field(default_factory=list)
    statuses: list[JobStatus | Exception] = field(default_factory=list)
    busy_for: float = 0.0
    results: list[Callable[[tuple[Any, ...]], Any] | Exception] = field(default_factory=list)
    finds: list[Exception] = field(default_factory=list)
    cancels: list[Exception] = field(default_factory=list)
    during: Callable[[Order], object] | None = None
    looking: Callable[[], object] | None = None
    blind: bool = False
    look_seconds: float = 0.0
    facts: tuple[BackendFact, ...] | Exception = ()
    narrow: dict[str, int] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    jobs: list[Job] = field(default_factory=list)

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        if workload.circuit.n_qubits > self.narrow.get(profile.backend or "", workload.circuit.n_qubits):
            return f"{profile.backend} is too narrow"
        return self.refusal

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        return {"sdk": "1"}

    def limits(self, profile: ExecutionProfile) -> Limits:
        return self.limits_

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        if self.calibrated == "away":
            raise Unavailable("503")
        return Calibration(self.name, "1", self.calibrated) if self.calibrated else None

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        self.calls["backends"] += 1
        if isinstance(self.facts, Exception):
            raise self.facts
        return self.facts

    def submit(self, order: Order) -> Any:
        self.calls["submit"] += 1
        refused = self.before.pop(0) if self.before else None
        if refused is not None:
            raise refused
        job = Job(f"{self.name}-{len(self.jobs) + 1}", order, self.clock.passed)
        self.jobs.append(job)
        if self.during is not None:
            self.during(order)
        lost = self.after.pop(0) if self.after else job.id
        if isinstance(lost, BaseException):
            raise lost
        return lost

    def find(self, order: Order) -> str | None:
        self.calls["find"] += 1
        event, self.looking = self.looking, None
        if event is not None:
            event()
        if self.finds:
            raise self.finds.pop(0)
        if self.blind:
            return None
        settled = [j for j in self.jobs if self.clock.passed - j.at >= self.limits_.settle_seconds]
        return next((job.id for job in settled if job.order.key == order.key), None)

    def status(self, job: str) -> JobStatus:
        self.calls["status"] += 1
        self.clock.advance(self.look_seconds)
        if self.statuses:
            said = self.statuses.pop(0)
            if isinstance(said, Exception):
                raise said
            return said
        if self.clock.passed - self._job(job).at < self.busy_for and not self._job(job).cancelled:
            return JobStatus("queued", "QUEUED", 3)
        charge = None if self.charge is None else Charge(self.charge)
        if self._job(job).cancelled:
            return JobStatus("cancelled", "CANCELLED", charge=charge)
        return JobStatus("completed", "DONE", charge=charge)

    def fetch(self, job: str, order: Order) -> Any:
        self.calls["fetch"] += 1
        ran = self._job(job).order
        claims = tuple(
            replace(claim_of(self.name, workload, ran.profile), calibration_digest=self.calibrated or None)
            for workload in ran.workloads
        )
        change = self.results.pop(0) if self.results else None
        if isinstance(change, Exception):
            raise change
        return claims if change is None else change(claims)

    def cancel(self, job: str) -> None:
        self.calls["cancel"] += 1
        if self.cancels:
            raise self.cancels.pop(0)
        self._job(job).cancelled = True

    def _job(self, name: str) -> Job:
        return next(job for job in self.jobs if job.id == name)


@dataclass(frozen=True)
class LocalSimulator(InProcessProvider):
    """Answers at once in the caller's process; counts what it ran."""

    name: str = "local"
    refusal: list[str] = field(default_factory=list)
    fails: list[BaseException] = field(default_factory=list)
    during: list[Callable[[], None]] = field(default_factory=list)
    runs: list[Workload] = field(default_factory=list)

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        return self.refusal[0] if self.refusal else None

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        return {"sdk": "1"}

    def run(self, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:
        self.runs.append(workload)
        if self.during:
            self.during.pop(0)()
        if self.fails:
            raise self.fails.pop(0)
        return claim_of(self.name, workload, profile)


@dataclass
class World:
    """One home, its clock, a vendor, and the processes that meet there.

    Attributes:
        home: The folder.
        clock: Everybody's.
        vendor: Shared by all processes, as a real one is.
        local: The simulators that were made, one a process.
        profiles: For fallbacks.
    """

    home: Path
    clock: EventfulClock = field(default_factory=EventfulClock)
    vendor: DurableVendor = field(init=False)
    other: DurableVendor = field(init=False)
    local: list[LocalSimulator] = field(default_factory=list)
    profiles: Mapping[str, ExecutionProfile] = field(default_factory=lambda: PROFILES)

    def __post_init__(self) -> None:
        self.vendor = DurableVendor(self.clock)
        self.other = DurableVendor(self.clock, "other")

    def plane(
        self,
        owner: str = "",
        *,
        judge: Judge = trust,
        budgets: Mapping[str, Budget] | None = None,
        policy: FailurePolicy | None = None,
        patience: Patience | None = None,
        clock: ManualClock | None = None,
    ) -> ControlPlane:
        """Another process; `owner` empty: this one, as the ledger sees it, with a memory of its own."""
        providers: dict[str, Callable[[], Provider]] = {
            "vendor": lambda: self.vendor,
            "other": lambda: self.other,
            "local": self._simulator,
        }
        return ControlPlane.in_home(
            self.home,
            providers,
            judge,
            profiles=self.profiles,
            budgets=BUDGETS if budgets is None else budgets,
            policy=policy or POLICY,
            prices=PRICES,
            clock=clock or self.clock,
            patience=patience or Patience(),
            owner=owner,
        )

    def _simulator(self) -> LocalSimulator:
        self.local.append(LocalSimulator())
        return self.local[-1]


POLICY = read_policy()


@dataclass(frozen=True, repr=False)
class Watched(Ledger):
    """A ledger into which others look after every write of its process.

    Attributes:
        look: What they do.
    """

    look: Callable[[], object] = field(default=lambda: None, compare=False)

    def _write(self, work: Callable[..., Any], *, durable: bool = False) -> Any:
        written = super()._write(work, durable=durable)
        self.look()
        return written


def watched(plane: ControlPlane, look: Callable[[], object]) -> ControlPlane:
    """The same process, with a memory of its own, and others who look at what it writes."""
    ledger = plane.ledger
    return replace(plane, ledger=Watched(ledger.url, clock=ledger.clock, actor=ledger.actor, look=look))


class OnTheWay:
    """Another process, which goes on with a ticket as soon as it finds it failed and without an outcome.

    Attributes:
        plane: Its own.
        ticket: Which.
        seen: States that it found the ticket in.
    """

    def __init__(self, plane: ControlPlane, ticket: Ticket) -> None:
        self.plane, self.ticket = plane, ticket
        self.seen: list[State] = []

    def __call__(self) -> None:
        found = self.plane.latest([self.ticket])
        self.seen.append(found[0].state)
        if found[0].state in (State.FAILED, State.CANCELLED):
            turn(self.plane, found)


def request(workload: Workload | None = None, profile: ExecutionProfile = VENDOR, **more: Any) -> Request:
    """A request of study `toy`."""
    return Request(workload=workload or question(), profile=profile, **{"study": "toy", "partition": "p", **more})


def states_of(plane: ControlPlane, ticket: Ticket) -> list[State]:
    """Every state that a ticket was in, in order."""
    return [line.after for line in plane.ledger.transitions(ticket.id)]


def all_tickets(plane: ControlPlane) -> tuple[Ticket, ...]:
    """Every ticket of the ledger, oldest first."""
    return plane.ledger.tickets()


def sound(plane: ControlPlane) -> None:
    """The books agree with themselves, and every order that ended is paid for or was never accepted."""
    assert plane.ledger.check() == ()


def member_failed(reason: str = "too deep", retry: bool = False) -> ProviderError:
    """What stands in place of one member's claim."""
    return ProviderError("provider vendor", reason, "Change it", retry)
