"""One home, one paid vendor with a bad day, and processes that come and go: a schedule's world.

Everything of ours is real: ledger (a SQLite file), shelves, cache, policy, breakers, trust. The vendor is the witness,
whose jobs go on as the clock does, and the clock moves when it is told to.
"""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path

from quantum_assets.contracts.answer import Answer, Request
from quantum_assets.contracts.envelope import RejectedResult, ResultEnvelope
from quantum_assets.contracts.errors import QuantumAssetsError
from quantum_assets.contracts.jobs import Limits, Order
from quantum_assets.contracts.money import Budget, Price, PriceBook
from quantum_assets.contracts.profile import Batching, ExecutionProfile, Routing
from quantum_assets.contracts.ticket import OUTCOMES, State
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.answering import answer_all, cancel, collect, submit, turn, turn_ledger
from quantum_assets.execution.breaker import Breakers
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.plane import ControlPlane, Factory, Patience
from quantum_assets.execution.policy import read_policy
from quantum_assets.providers.base import Provider
from quantum_assets.providers.in_process import InProcessProvider
from quantum_assets.service.prices import Prices
from quantum_assets.trust.admit import admit
from quantum_assets_tests.chaos.errors import Killed
from quantum_assets_tests.chaos.faults import Call, Fault
from quantum_assets_tests.chaos.provider import ChaosProvider
from quantum_assets_tests.chaos.witness import Witness
from quantum_assets_tests.execution.clocks import ManualClock
from quantum_assets_tests.faults.bodies import Bodies, bodies
from quantum_assets_tests.faults.mortal import Life, MortalLedger, MortalProvider
from quantum_assets_tests.trust.honest import CIRCUITS, envelope_for, overlaps_workload

_OPEN = frozenset(State) - OUTCOMES
POLICY = read_policy()
#: What the vendor charges is a little less than our book says: an estimate must not pass for the bill.
BILLED = Prices(per_task=300_000, per_shot=9)
PRICES = PriceBook(
    version=date(2026, 11, 22),
    prices=(Price(provider="paid", kind="simulator", task="order", per_task=0.30, per_shot=0.00001),),
)
SPARE = CIRCUITS.model_copy(update={"name": "spare", "providers": ("local",), "estimator": "binomial"})
KEPT = CIRCUITS.model_copy(update={"name": "kept", "providers": ("local",)})


def _paid(name: str, asynchronous: bool, **changes: object) -> ExecutionProfile:
    asked: dict[str, object] = {
        "name": name,
        "mode": "managed",
        "providers": ("paid",),
        "backend": "here",
        "alternatives": ("there",),
        "shots": 800,
        "asynchronous": asynchronous,
        "batching": Batching(max_workloads=3),
    }
    return CIRCUITS.model_copy(update=asked | changes)


#: What is asked for; the names say who waits for the answer and what stands in.
ASKED = (
    _paid("later", True, routing=Routing(fallback="spare")),
    _paid("now", False, routing=Routing(fallback="kept")),
    _paid("never-else", True),
    _paid("alone", False, batching=Batching(max_workloads=1)),
    _paid("both", False, routing=Routing(prefer="ensemble", fallback="kept")),
    _paid("company", True, routing=Routing(fallback="spare"), batching=Batching(max_workloads=3, max_wait_seconds=60)),
)
PROFILES: Mapping[str, ExecutionProfile] = {profile.name: profile for profile in (*ASKED, SPARE, KEPT)}


@cache
def workload(rows: int) -> Workload:
    """One of a few different questions; the same object every time, as the asker holds it."""
    return overlaps_workload(rows)


def judge(envelope: ResultEnvelope, asked: Workload, profile: ExecutionProfile) -> tuple[str, ...]:
    """The trust boundary."""
    verdict = admit(envelope, asked, profile)
    return verdict.reasons if isinstance(verdict, RejectedResult) else ()


@dataclass
class WorldClock(ManualClock):
    """Time that passes for the vendor's jobs too.

    Attributes:
        passes: Called whenever some time has passed.
    """

    passes: Callable[[], None] = field(default=lambda: None)

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self.passes()


@dataclass(frozen=True)
class Spare(InProcessProvider):
    """The classical path: honest, at once, in the process that asks."""

    name: str = "local"

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        return None

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        return {"spare": "1"}

    def run(self, workload: Workload, profile: ExecutionProfile, replicate: int = 0) -> ResultEnvelope:
        claim = envelope_for(workload, profile)
        return replace(claim, effective=claim.effective.model_copy(update={"versions": self.versions(profile)}))


@dataclass(eq=False)
class Vendor(Witness):
    """The witness, whose look-up lags behind what it accepted, and whose jobs move as time passes.

    Attributes:
        clock: The world's.
        lag: Seconds after an acceptance during which a look-up does not see it.
    """

    clock: ManualClock = field(default_factory=ManualClock)
    lag: float = 0.0
    _accepted_at: dict[str, float] = field(default_factory=dict, repr=False)

    def submit(self, order: Order) -> str:
        job = super().submit(order)
        self._accepted_at.setdefault(order.key, self.clock.monotonic())
        return job

    def find(self, order: Order) -> str | None:
        accepted = self._accepted_at.get(order.key)
        if accepted is None or self.clock.monotonic() - accepted < self.lag:
            return None
        return super().find(order)

    def time_passes(self) -> None:
        """Every job goes one step on."""
        for line in self.books():
            if not line.ended:
                self.status(line.job)


@dataclass
class Mishaps:
    """Faults that wait for their call, in the order in which they came."""

    waiting: list[Fault] = field(default_factory=list)

    def next(self, call: Call) -> Fault | None:
        """The first that waits for this call."""
        for index, fault in enumerate(self.waiting):
            if fault.call == call:
                return self.waiting.pop(index)
        return None


@dataclass(frozen=True)
class Settings:
    """What a schedule's world is like.

    Attributes:
        promise: Whether the vendor promises that one key makes one job.
        lag: Seconds by which its look-up lags; it says so.
        polls: How long its jobs queue.
        failing: Numbers of accepted jobs that fail, with the code.
        budget: What may be spent in the month, in currency units.
    """

    promise: bool = True
    lag: float = 0.0
    polls: int = 1
    failing: Mapping[int, str] = field(default_factory=dict)
    budget: float = 10_000.0


@dataclass(eq=False)
class Process:
    """One simulated process and its control plane."""

    life: Life
    plane: ControlPlane


@dataclass(eq=False)
class Asking:
    """One request and what came of it: an answer, or one clear error."""

    request: Request
    answer: Answer | None = None
    error: QuantumAssetsError | None = None
    handed_in: bool = False
    times: int = 0

    @property
    def answered(self) -> bool:
        return self.answer is not None or self.error is not None


@dataclass
class Stage:
    """Where worlds are put up.

    Attributes:
        bodies: Gives each process a real one to be.
        folder: Of the homes.
        worlds: How many there were.
    """

    bodies: Bodies
    folder: Path
    worlds: int = 0

    def home(self) -> Path:
        """A fresh home whose ledger is made already: making one takes longer than a whole schedule."""
        ready = self.folder / "ready"
        if not ready.exists():
            ready.mkdir()
            Ledger.in_home(ready).prepare()
        self.worlds += 1
        home = self.folder / f"home-{self.worlds}"
        home.mkdir()
        with closing(sqlite3.connect(ready / "ledger.db")) as made, closing(sqlite3.connect(home / "ledger.db")) as new:
            made.backup(new)
            new.execute("PRAGMA journal_mode = WAL")
        return home


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """A stage in a folder of its own."""
    with bodies() as mother:
        yield Stage(mother, folder)


@dataclass(eq=False)
class World:
    """A home and everybody who uses it.

    Attributes:
        stage: Where it is put up.
        settings: What it is like.
        seen_as: What every process takes for the vendor; the checker's own test switches the look-up off here.
        kept_by: The ledger of every process; the checker's own test takes one here that does not keep its word.
    """

    stage: Stage
    settings: Settings = field(default_factory=Settings)
    seen_as: Callable[[ChaosProvider], Provider] = lambda chaos: chaos
    kept_by: type[MortalLedger] = MortalLedger

    def __post_init__(self) -> None:
        self.home = self.stage.home()
        self.clock = WorldClock()
        limits = Limits(max_workloads=3, durable=True, settle_seconds=self.settings.lag, poll_seconds=10, bills=True)
        self.vendor = Vendor(
            prices=BILLED,
            same_key_same_job=self.settings.promise,
            polls=self.settings.polls,
            failures=self.settings.failing,
            limits_=limits,
            clock=self.clock,
            lag=self.settings.lag,
        )
        self.clock.passes = self.vendor.time_passes
        self.mishaps = Mishaps()
        self.chaos = ChaosProvider(self.vendor, self.mishaps, self.clock.sleep)
        self.ledger = replace(Ledger.in_home(self.home), clock=self.clock)
        self.processes: list[Process] = []
        self.asked: list[Asking] = []
        self.meanwhile: list[Callable[[], object]] = []
        self.counts: Counter[str] = Counter()
        self._nested = False

    def close(self) -> None:
        """Kill everybody and take the home away."""
        for process in self.processes:
            process.life.body.kill()
        shutil.rmtree(self.home, ignore_errors=True)

    # Processes

    def process(self, number: int) -> Process:
        """The living process of a number, started anew where the last of that number has died."""
        while len(self.processes) <= number:
            self.processes.append(self._started())
        if self.processes[number].life.dead:
            self.processes[number] = self._started()
        return self.processes[number]

    def restart(self, number: int) -> None:
        """End a process in good order, and start another."""
        process = self.process(number)
        process.life.dead = True
        process.life.body.kill()
        self.counts["restarts"] += 1

    def does(self, number: int, act: Callable[[ControlPlane], object]) -> bool:
        """Let a process do something; whether it lived."""
        process = self.process(number)
        try:
            act(process.plane)
        except Killed:
            self.counts["crashes"] += 1
            return False
        return True

    def _started(self) -> Process:
        life = Life(self.stage.bodies.born(), meanwhile=self._others_act)
        factories: dict[str, Factory] = {
            "paid": partial(MortalProvider, self.seen_as(self.chaos), life),
            "local": partial(MortalProvider, Spare(), life),
        }
        budget = Budget(project="default", simulator_per_month=self.settings.budget)
        plane = ControlPlane.in_home(
            self.home,
            factories,
            judge,
            profiles=PROFILES,
            budgets={"default": budget},
            policy=POLICY,
            prices=PRICES,
            clock=self.clock,
            patience=Patience(unknown=900.0, fetch=120.0, nap=2.0),
            owner=life.body.owner,
        )
        ledger = self.kept_by(plane.ledger.url, clock=self.clock, actor=plane.owner, life=life)
        return Process(life, replace(plane, ledger=ledger, breakers=Breakers(ledger, policy=POLICY)))

    def _others_act(self) -> None:
        """What others do while a call is on its way; they are not interrupted themselves."""
        if self._nested or not self.meanwhile:
            return
        self._nested = True
        try:
            self.meanwhile.pop(0)()
        finally:
            self._nested = False

    # What they do

    def ask(self, number: int, profile: ExecutionProfile, rows: Sequence[int], seconds: float | None) -> list[Asking]:
        """New requests, submitted where their profile is asynchronous and answered where it is not."""
        deadline = None if seconds is None else self.clock.now() + timedelta(seconds=seconds)
        new = [
            Asking(Request(workload(n), profile, study="toy", partition=f"{profile.name}-{n}", deadline=deadline))
            for n in rows
        ]
        self.asked.extend(new)
        self.again(number, new)
        return new

    def again(self, number: int, asked: Sequence[Asking]) -> None:
        """What a run does for its partition, the first time and every time that it is launched again."""
        later = [asking for asking in asked if asking.request.profile.asynchronous]
        now = [asking for asking in asked if not asking.request.profile.asynchronous]
        for asking in asked:
            asking.times += 1
        if later:
            self.does(number, lambda plane: self._handed_in(plane, later))
        if now:
            self.does(number, lambda plane: self._answered(plane, now))

    def submit_only(self, number: int, asked: Sequence[Asking]) -> None:
        """Hand requests in and do not wait: a second run for the same partition that gets so far."""
        self.does(number, lambda plane: submit(plane, [asking.request for asking in asked]))

    def tick(self, number: int) -> None:
        """One turn of the sensor over the whole ledger."""

        def over_all(plane: ControlPlane) -> None:
            cursor = turn_ledger(plane).cursor
            while cursor:
                cursor = turn_ledger(plane, cursor=cursor).cursor

        self.does(number, over_all)

    def meddle(self, number: int) -> None:
        """A turn over every open ticket, whoever waits for it: as a second run for the same partitions takes."""
        self.does(number, lambda plane: turn(plane, plane.ledger.tickets(states=_OPEN)))

    def cancel(self, number: int, asked: Sequence[Asking]) -> None:
        """A person cancels what is open of some requests."""
        questions = {asking.request.question for asking in asked}

        def open_of_them(plane: ControlPlane) -> None:
            mine = [ticket for question in questions for ticket in plane.ledger.tickets(question=question)]
            cancel(plane, [ticket for ticket in mine if not ticket.ended], "somebody")

        self.does(number, open_of_them)

    def collect(self, number: int, asking: Asking) -> None:
        """Collect one asynchronous request, if it has its outcome."""

        def collected(plane: ControlPlane) -> None:
            try:
                asking.answer = collect(plane, asking.request)
            except QuantumAssetsError as error:
                asking.error = error

        self.does(number, collected)

    def _handed_in(self, plane: ControlPlane, asked: Sequence[Asking]) -> None:
        try:
            submit(plane, [asking.request for asking in asked])
        except QuantumAssetsError as error:
            for asking in asked:
                asking.error = error
        for asking in asked:
            asking.handed_in = True

    def _answered(self, plane: ControlPlane, asked: Sequence[Asking]) -> None:
        try:
            answers = answer_all(plane, [asking.request for asking in asked])
        except QuantumAssetsError as error:
            if len(asked) > 1:  # which of them has none is found out by asking for each
                for asking in asked:
                    self._answered(plane, [asking])
                return
            asked[0].error = error
            return
        for asking, answer in zip(asked, answers, strict=True):
            asking.answer = answer
