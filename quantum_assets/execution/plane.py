"""The parts of the control plane in one frozen value, and the few look-ups that every step shares.

Nothing here is clever: the ledger remembers, the providers run, the judge believes or not, the policy says what a
failure means. The steps that use them are in `asking`, `dispatch`, `polling`, `receiving` and `deciding`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import LedgerError, ProviderError, StaleTicket
from quantum_assets.contracts.failure import Failure, FailurePolicy, Phase
from quantum_assets.contracts.jobs import JobStatus, Limits, Order
from quantum_assets.contracts.money import Budget, PriceBook
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import Ticket
from quantum_assets.contracts.wire import pack_workload, unpack_workload
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.breaker import Breakers
from quantum_assets.execution.cache import Cache
from quantum_assets.execution.classify import classify
from quantum_assets.execution.clock import Clock, SystemClock
from quantum_assets.execution.cost import read_prices
from quantum_assets.execution.discreet import Discreet
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.memory import Memory
from quantum_assets.execution.owner import Owner
from quantum_assets.execution.pause import Pauses
from quantum_assets.execution.policy import read_policy
from quantum_assets.execution.shelf import Shelf
from quantum_assets.providers.base import Provider

Factory = Callable[[], Provider]
#: Says why a claim is not to be believed; no reasons: it is. The trust boundary, handed in from above.
Judge = Callable[[ResultEnvelope, Workload, ExecutionProfile], tuple[str, ...]]
#: Takes tickets that belong together one step further.
Step = Callable[["ControlPlane", Sequence[Ticket]], Iterable[Ticket]]


class WorkloadLost(LedgerError):
    """A ticket's workload is neither in memory nor in the spool: nobody can go on with it."""


@dataclass(frozen=True)
class Patience:
    """How long the control plane waits for what may still come; seconds.

    Attributes:
        unknown: A job, or a submission, that the provider can tell nothing about is given up after this.
        fetch: A completed job whose result does not come is given up after this.
        stranger: Work begun on another host, whose process cannot be looked at, is taken over after this.
        longest_pause: Upper bound of any pause between tries; a clock that stepped back can cost twice as much again.
        nap: Shortest wait between two looks at a ticket that somebody else works on.
    """

    unknown: float = 3600.0
    fetch: float = 600.0
    stranger: float = 600.0
    longest_pause: float = 600.0
    nap: float = 0.05


@dataclass(frozen=True)
class ControlPlane:
    """What a request passes through.

    Attributes:
        ledger: The one truth about tickets, orders, money and breakers.
        providers: Factories by name; one instance a process is made of each that is used.
        judge: The trust boundary.
        policy: What failures mean.
        prices: What submissions cost.
        budgets: What projects may spend.
        profiles: Every profile by name, for fallbacks.
        spool: Workloads of tickets that may have to go on in another process.
        answers: Accepted envelopes by ticket, where another process may collect them.
        cache: Answers for whoever asks the same again.
        breakers: One a provider and backend, shared by all processes.
        clock: The time.
        owner: This process, for the ledger.
        patience: How long to wait for what may still come.
        memory: What only this process knows.
    """

    ledger: Ledger
    providers: Mapping[str, Factory]
    judge: Judge
    policy: FailurePolicy
    prices: PriceBook
    budgets: Mapping[str, Budget]
    profiles: Mapping[str, ExecutionProfile]
    spool: Shelf
    answers: Shelf
    cache: Cache
    breakers: Breakers
    clock: Clock
    owner: str
    patience: Patience = Patience()
    memory: Memory = field(default_factory=Memory, init=False, repr=False, compare=False)

    @classmethod
    def in_home(
        cls,
        home: Path,
        providers: Mapping[str, Factory],
        judge: Judge,
        *,
        ledger_url: str = "",
        profiles: Mapping[str, ExecutionProfile] | None = None,
        budgets: Mapping[str, Budget] | None = None,
        policy: FailurePolicy | None = None,
        prices: PriceBook | None = None,
        clock: Clock | None = None,
        patience: Patience = Patience(),
        owner: str = "",
    ) -> "ControlPlane":
        """The control plane of a home folder: ledger, spool, answers and cache below it; nothing is opened yet.

        Args:
            home: The folder.
            providers: Factories by name.
            judge: The trust boundary.
            ledger_url: SQLAlchemy URL of the ledger; empty: SQLite in `home`.
            profiles: For fallbacks, by name.
            budgets: By project.
            policy: What failures mean; None: the shipped one.
            prices: What submissions cost; None: the shipped book.
            clock: The time; None: the machine's.
            patience: How long to wait for what may still come.
            owner: Who works; empty: this process (`execution.owner`).
        """
        clock, policy, owner = clock or SystemClock(), policy or read_policy(), owner or str(Owner.current())
        ledger = replace(Ledger.in_home(home, ledger_url), clock=clock, actor=owner)
        return cls(
            ledger=ledger,
            providers=providers,
            judge=judge,
            policy=policy,
            prices=prices or read_prices(),
            budgets=budgets or {},
            profiles=profiles or {},
            spool=Shelf(home / "execution" / "spool"),
            answers=Shelf(home / "execution" / "answers"),
            cache=Cache(home / "execution" / "cache"),
            breakers=Breakers(ledger, policy=policy),
            clock=clock,
            owner=owner,
            patience=patience,
        )

    # Providers

    def provider(self, name: str) -> Provider:
        """This process's instance of a provider, behind the door that lets no secret in (`discreet`).

        Raises:
            ImportError: When its SDK is not installed.
            ProviderError: For a name that is not registered.
        """
        if name not in self.providers:
            known = ", ".join(sorted(self.providers)) or "none"
            raise ProviderError(f"provider {name}", f"is not known here (known: {known})", "Mend the profile")
        if name not in self.memory.providers:
            self.memory.providers[name] = Discreet(self.providers[name]())
        return self.memory.providers[name]

    def limits(self, ticket: Ticket) -> Limits:
        """What its provider takes and promises, under its profile."""
        return self.provider(ticket.provider).limits(profile_of(ticket.profile))

    def in_process(self, ticket: Ticket) -> bool:
        """Whether its job lives and dies with the process that runs it: nothing to look up, nobody who is away."""
        return not self.limits(ticket).durable

    def classified(self, error: BaseException | JobStatus | Sequence[str], provider: str, phase: Phase) -> Failure:
        """What a failure means by this plane's policy and clock."""
        return classify(error, provider=provider, phase=phase, policy=self.policy, now=self.clock.now())

    @property
    def pauses(self) -> Pauses:
        """How long to wait between tries."""
        return Pauses(longest=self.patience.longest_pause)

    # Time

    def waited(self, what: str, since: datetime) -> float:
        """Seconds since a moment in the ledger, or since this process first asked about `what`, whichever is more.

        The second half keeps counting when the wall clock was set back.
        """
        by_wall = (self.clock.now() - since).total_seconds()
        return max(by_wall, self.memory.watched(what, self.clock.monotonic()))

    def surely_waited(self, seconds: float, what: str, since: datetime) -> bool:
        """Whether so many seconds have passed since a moment in the ledger, even if the wall clock was set forward.

        Either this process has watched for as long itself; or, for processes that end before, the wall clock says it by
        far (`Patience.unknown`).
        """
        if self.memory.watched(f"surely {what}", self.clock.monotonic()) >= seconds:
            return True
        return (self.clock.now() - since).total_seconds() >= max(seconds, self.patience.unknown)

    # Tickets

    def latest(self, tickets: Iterable[Ticket]) -> tuple[Ticket, ...]:
        """The newest ticket of each one's question, as the ledger has it now."""
        return tuple(self.ledger.last_ticket(ticket.question) or ticket for ticket in tickets)

    def advance(self, tickets: Sequence[Ticket], groups: Iterable[Sequence[Ticket]], step: Step) -> tuple[Ticket, ...]:
        """Take groups of tickets a step further, each by itself: where another process was faster, its word counts.

        Returns:
            One ticket a question, in the order given: the newest that is known of each.
        """
        after = {ticket.question: ticket for ticket in tickets}
        for members in groups:
            try:
                moved = tuple(step(self, members))
            except StaleTicket:
                moved = self.latest(members)
            after.update({ticket.question: ticket for ticket in moved if ticket.question in after})
        return tuple(after[ticket.question] for ticket in tickets)

    def members(self, ticket: Ticket, known: Sequence[Ticket]) -> tuple[Ticket, ...]:
        """All tickets of a ticket's job, by position; those of a job of this process need no ledger where known."""
        if ticket.order:
            found: Iterable[Ticket] = self.ledger.tickets(order=ticket.order)
        else:
            here = {one.id: one for one in known if one.job == ticket.job}
            ids = self.memory.jobs.get(ticket.job, tuple(here))
            found = (here.get(one) or self.ledger.ticket(one) for one in ids)
        return tuple(sorted(found, key=lambda one: one.position))

    def order(self, members: Sequence[Ticket], key: str = "") -> Order:
        """The order that tickets are submitted in, made again from them.

        Args:
            members: All of its tickets, by position.
            key: Its key; empty: as the tickets say.

        Raises:
            WorkloadLost: When one of its workloads is gone.
        """
        first = members[0]
        return Order(
            key=key or first.order or first.job,
            workloads=tuple(self.workload(ticket) for ticket in members),
            profile=profile_of(first.profile),
            replicate=first.replicate,
            correlation_id=first.correlation_id,
        )

    # Workloads

    def remember(self, workload: Workload, *, durable: bool) -> None:
        """Keep a workload at hand; `durable`: also on disk, so that another process can go on with it."""
        self.memory.remember(workload)
        if durable and not self.spool.has(workload.fingerprint):
            self.spool.put(workload.fingerprint, pack_workload(workload), durable=True)

    def workload(self, ticket: Ticket) -> Workload:
        """The workload of a ticket, from memory or from the spool.

        Raises:
            WorkloadLost: When neither has it: its process is gone and it was never spooled.
        """
        known = self.memory.workload(ticket.workload_fingerprint)
        if known is not None:
            return known
        found = self.spool.read(ticket.workload_fingerprint, unpack_workload).value
        if found is None:
            raise WorkloadLost(
                f"workload {ticket.workload_fingerprint[:12]}",
                "is not in the spool, and the process that planned it is gone",
                "Ask again",
            )
        return self.memory.hold(found)

    def tell(self, kind: str, subject: str, message: str, correlation_id: str = "") -> None:
        """Write an alert, unless this process wrote one of that kind about that subject before."""
        if (kind, subject) not in self.memory.told:
            self.memory.told.add((kind, subject))
            self.ledger.alert(kind, subject, message, correlation_id)


@lru_cache(maxsize=256)
def profile_of(text: str) -> ExecutionProfile:
    """A profile from the JSON that a ticket holds."""
    return ExecutionProfile.model_validate_json(text)
