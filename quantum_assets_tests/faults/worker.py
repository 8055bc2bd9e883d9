"""One real process with a control plane over a shared home and the sidecar over HTTP, which stops where it is told.

At its stop it says so and waits; a test then kills it with SIGKILL and starts another one. Nothing here waits for time:
the clock moves when the control plane sleeps, and a process that is to be found somewhere is met there.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from quantum_assets.contracts.answer import Answer
from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope
from quantum_assets.contracts.errors import QuantumAssetsError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.jobs import Charge, Order
from quantum_assets.contracts.money import Budget
from quantum_assets.contracts.profile import ExecutionProfile, Routing
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.answering import turn_ledger
from quantum_assets.execution.breaker import Breakers
from quantum_assets.execution.cache import Cache
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.rows import Move
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.session import Session
from quantum_assets.execution.shelf import Shelf
from quantum_assets.providers.remote import RemoteProvider
from quantum_assets.providers.statevector import StatevectorProvider
from quantum_assets_tests.execution.clocks import ManualClock
from quantum_assets_tests.faults.world import POLICY, judge
from quantum_assets_tests.processes import PATIENCE, clean
from quantum_assets_tests.providers.workloads import ZZ, states_workload

#: States and not counts, for they are cheap to simulate; kept in the cache all the same.
WAITING = ExecutionProfile(
    name="waiting",
    mode="managed",
    providers=("remote",),
    backend="rehearsal",
    cache=True,
    routing=Routing(fallback="exact"),
)
LATER = WAITING.model_copy(update={"name": "later", "asynchronous": True})
EXACT = ExecutionProfile(name="exact", mode="ideal", providers=("statevector",))
PROFILES = {profile.name: profile for profile in (WAITING, LATER, EXACT)}


@dataclass(frozen=True)
class Task:
    """What a process is to do.

    Attributes:
        home: The shared home.
        url: Of the sidecar.
        stop: Where it stops and waits to be killed; empty: nowhere.
        profile: Name of the profile that is asked for.
        rows: Sizes of the workloads.
        ahead: Seconds by which its clock is ahead of the first process's.
        deadline: Seconds from the first process's clock; None: never.
        budget: What may be spent, in currency units.
    """

    home: Path
    url: str
    stop: str = ""
    profile: str = "waiting"
    rows: Sequence[int] = (3,)
    ahead: float = 0.0
    deadline: float | None = None
    budget: float = 1000.0


@dataclass(frozen=True)
class Told:
    """What a process says of one answer before it ends; `error` in place of an answer."""

    path: str = ""
    reason: str = ""
    digest: str = ""
    cache_hit: bool = False
    tickets: tuple[str, ...] = ()
    error: str = ""


@dataclass(eq=False)
class Child:
    """A process at work."""

    process: ForkServerProcess
    line: Connection

    def reached(self) -> str:
        """Where it stopped; it is there now."""
        said = self._heard()
        assert isinstance(said, str), said
        return said

    def go_on(self) -> None:
        """Let it pass its stop."""
        self.line.send("go on")

    def kill(self) -> None:
        """SIGKILL, and come back when it is gone."""
        self.process.kill()
        self.process.join()
        self.line.close()

    def told(self) -> tuple[Told, ...]:
        """Its answers, when it has come to its end."""
        said = self._heard()
        self.process.join()
        self.line.close()
        assert isinstance(said, tuple), said
        return said

    def _heard(self) -> Any:
        if not self.line.poll(PATIENCE):
            self.kill()
            raise AssertionError(f"a process hung for {PATIENCE:g} s and was killed")
        return self.line.recv()


def started(task: Task) -> Child:
    """Start a process; processes share what they import, and nothing else."""
    context = clean(__name__, "qiskit", "qiskit.qpy", "httpx")
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(task, theirs), daemon=True)
    process.start()
    theirs.close()
    return Child(process, ours)


def work(task: Task, line: Connection) -> None:
    """What the process does from beginning to end."""
    try:
        line.send(_work(task, line))
    except EOFError:  # the test is gone
        return
    except QuantumAssetsError as error:
        line.send((Told(error=f"{type(error).__name__}: {error}"),))
    except Exception as error:
        line.send(f"{type(error).__name__}: {error}")
        raise


def _work(task: Task, line: Connection) -> tuple[Told, ...]:
    session = Session(plane_of(task, Stops(task.stop, line)), "toy", "p", "run-1", "run-1")
    profile = PROFILES[task.profile]
    if task.deadline is not None:
        profile = profile.model_copy(update={"deadline_seconds": task.deadline})
    workloads = [states_workload(ZZ, rows, 2) for rows in task.rows]
    if not profile.asynchronous:
        return tuple(map(_told, (session.obtain(workload, profile) for workload in workloads)))
    session.submit_each(workloads, profile)
    found: list[Answer | None] = [None]
    while any(answer is None for answer in found) or session.plane.ledger.orders(settled=False):
        turn_ledger(session.plane)
        found = [session.obtain(workload, profile) for workload in workloads]
        session.plane.clock.sleep(1.0)
    return tuple(_told(answer) for answer in found if answer is not None)


def plane_of(task: Task, stops: "Stops") -> ControlPlane:
    """The process's control plane; every part that a crash may interrupt passes its stops."""
    clock = Hurried()
    clock.step(task.ahead)
    remote = RemoteProvider(task.url, settle_seconds=0.5, poll_seconds=0.5)
    plane = ControlPlane.in_home(
        task.home,
        {"remote": lambda: StoppedProvider(remote, stops), "statevector": StatevectorProvider},
        judge,
        profiles=PROFILES,
        budgets={"default": Budget(project="default", simulator_per_month=task.budget)},
        policy=POLICY,
        clock=clock,
    )
    ledger = StoppedLedger(plane.ledger.url, clock=clock, actor=plane.owner, stops=stops)
    return replace(
        plane,
        ledger=ledger,
        breakers=Breakers(ledger, policy=POLICY),
        answers=StoppedShelf(plane.answers.root, stops),
        cache=StoppedCache(plane.cache.root, stops=stops),
    )


def _told(answer: Answer) -> Told:
    data = answer.envelope.data
    values = data.p_zero if isinstance(data, Overlaps) else data.amplitudes
    return Told(answer.path, answer.reason, fingerprint("told", values), answer.cache_hit, answer.tickets)


@dataclass
class Hurried(ManualClock):
    """A clock that moves when it is told to; the processor is left to others meanwhile."""

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        time.sleep(min(max(seconds, 0.0), 0.01))


@dataclass(eq=False)
class Stops:
    """Where the process is; at its stop it waits for whatever comes.

    Attributes:
        at: The name of the stop; empty: there is none.
        line: To the test.
    """

    at: str
    line: Connection | None = None

    def __call__(self, here: str) -> None:
        """Pass a place by its name; the stop holds once."""
        if here == self.at and self.line is not None:
            self.at = ""
            self.line.send(here)
            self.line.recv()

    def around(self, what: str, act: Callable[[], Any]) -> Any:
        """Pass the places before and after something."""
        self(f"before {what}")
        done = act()
        self(f"after {what}")
        return done


_NOWHERE = Stops("")


@dataclass(frozen=True, repr=False)
class StoppedLedger(Ledger):
    """The ledger, with a stop before and after every state that it writes."""

    stops: Stops = field(default=_NOWHERE, compare=False)

    def ask(self, *args: Any, **kwargs: Any) -> Any:
        return self.stops.around("planned", partial(super().ask, *args, **kwargs))

    def open_window(self, *args: Any, **kwargs: Any) -> Any:
        return self.stops.around("submitting", partial(super().open_window, *args, **kwargs))

    def name_job(self, order_key: str, job: str) -> Any:
        return self.stops.around("submitted", partial(super().name_job, order_key, job))

    def move(self, ticket: Ticket, after: State, reason: str, **changes: Any) -> Any:
        return self.stops.around(after, partial(super().move, ticket, after, reason, **changes))

    def move_all(self, made: Sequence[Move]) -> Any:
        return self.stops.around(made[0].after, partial(super().move_all, made))

    def again(self, ticket: Ticket, outcome: State, reason: str, **how: Any) -> Any:
        return self.stops.around(outcome, partial(super().again, ticket, outcome, reason, **how))

    def settle(self, order_key: str, charge: Charge) -> None:
        self.stops.around("settled", partial(super().settle, order_key, charge))


@dataclass(frozen=True)
class StoppedShelf(Shelf):
    """The shelf of answers, with a stop before and after storing."""

    stops: Stops = field(default=_NOWHERE, compare=False)

    def put(self, key: str, content: bytes, *, durable: bool = True) -> None:
        self.stops.around("stored", partial(super().put, key, content, durable=durable))


@dataclass(frozen=True)
class StoppedCache(Cache):
    """The cache, with a stop before and after keeping."""

    stops: Stops = field(default=_NOWHERE, compare=False)

    def put(self, key: str, envelope: ResultEnvelope, profile: ExecutionProfile) -> bool:
        return bool(self.stops.around("cached", partial(super().put, key, envelope, profile)))


@dataclass(frozen=True)
class StoppedProvider:
    """The sidecar's client, with a stop before and after every call."""

    inner: RemoteProvider
    stops: Stops

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def submit(self, order: Order) -> Any:
        return self.stops.around("call submit", partial(self.inner.submit, order))

    def find(self, order: Order) -> Any:
        return self.stops.around("call find", partial(self.inner.find, order))

    def status(self, job: str) -> Any:
        return self.stops.around("call status", partial(self.inner.status, job))

    def fetch(self, job: str, order: Order) -> Any:
        return self.stops.around("call fetch", partial(self.inner.fetch, job, order))
