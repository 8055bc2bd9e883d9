"""Randomised schedules of faults over real control planes and an independent witness; what must hold afterwards."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import State
from quantum_assets_tests.chaos.errors import ERRORS
from quantum_assets_tests.chaos.faults import KINDS, Call, Fault
from quantum_assets_tests.faults.verdict import come_to_rest, verdict
from quantum_assets_tests.faults.world import ASKED, Settings, Stage, World, stage

#: A look-up that misses what it promised to see breaks the vendor's word: `Settings.lag` is the lag that it admits.
_BROKEN_PROMISES = frozenset({"well", "miss"})
ORDINARY, MANY = 40, 500


def _faults(*kinds: str) -> st.SearchStrategy[Fault]:
    wanted = kinds or tuple(kind for kind in KINDS if kind not in _BROKEN_PROMISES)
    pairs = [(call, kind) for kind in wanted for call in sorted(KINDS[kind])]
    return st.builds(
        lambda pair, error, seconds: Fault(pair[0], pair[1], error, seconds),
        st.sampled_from(pairs),
        st.sampled_from(sorted(ERRORS)),
        st.sampled_from([0.0, 3.0, 45.0, 120.0]),
    )


WORLDS = st.builds(
    Settings,
    promise=st.booleans(),
    lag=st.sampled_from([0.0, 0.0, 20.0, 90.0]),
    polls=st.integers(0, 3),
    failing=st.dictionaries(st.integers(0, 5), st.sampled_from(["5203", "9999", "1305", "7001"]), max_size=2),
    budget=st.sampled_from([1000.0, 1000.0, 1000.0, 1000.0, 1000.0, 2.0]),
)
PROCESS = st.integers(0, 2)
PROFILE = st.sampled_from(ASKED)
ROWS = st.lists(st.integers(2, 5), min_size=1, max_size=4, unique=True)


@dataclass
class Tally:
    """What happened in all schedules together."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    verdicts: list[tuple[str, ...]] = field(default_factory=list)

    def add(self, world: World) -> None:
        tickets = world.ledger.tickets()
        states = Counter(ticket.state for ticket in tickets)
        paths = Counter(asking.answer.path for asking in world.asked if asking.answer is not None)
        self.counts.update(
            schedules=1,
            requests=len(world.asked),
            tickets=len(tickets),
            jobs=len(world.vendor.books()),
            retries=states[State.RETRIED],
            fallbacks=states[State.FELL_BACK],
            errors=sum(asking.error is not None for asking in world.asked),
            expired=sum("deadline" in ticket.reason and ticket.state is not State.ACCEPTED for ticket in tickets),
            breakers_opened=sum(alert.kind == "breaker_open" for alert in world.ledger.alerts()),
            over_budget=sum("budget_used_up" in ticket.reason for ticket in tickets),
            micros=sum(job.micros for job in world.vendor.books()),
        )
        self.counts.update({f"{path} answers": count for path, count in paths.items()})
        self.counts.update(world.counts)
        self.faults.update(fault.kind for fault in world.chaos.happened)
        self.faults.update({f"vendor's own {name}": times for name, times in self._kinds(world).items()})

    def lines(self) -> list[str]:
        """For the summary of the run."""
        return [
            ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items())),
            f"faults {self.faults.total()}: " + ", ".join(f"{k} {n}" for k, n in sorted(self.faults.items())),
        ]

    @staticmethod
    def _kinds(world: World) -> Counter[str]:
        raised = [fault.error for fault in world.chaos.happened if fault.kind in ("raise", "lose")]
        return Counter(name.split("_")[0] for name in raised)


class Schedule(RuleBasedStateMachine):
    """One schedule: what is asked, what goes wrong and who dies, in any order; then rest, and the verdict."""

    seen_as = staticmethod(lambda chaos: chaos)

    def __init__(self, where: Stage, tally: Tally, like: Settings | None = None) -> None:
        super().__init__()
        self.where, self.tally, self.like = where, tally, like
        self.world: World | None = None
        self.stepped = 0.0

    @initialize(world=WORLDS, faults=st.lists(_faults(), min_size=2, max_size=8), first=PROFILE, rows=ROWS)
    def begin(self, world: Settings, faults: list[Fault], first: ExecutionProfile, rows: list[int]) -> None:
        self.world = World(self.where, self.like or world, self.seen_as)
        self._go_wrong(faults)
        self.world.ask(0, first, rows, None)

    @rule(number=PROCESS, profile=PROFILE, rows=ROWS, seconds=st.sampled_from([None, None, None, 40.0, 400.0]))
    def ask(self, number: int, profile: ExecutionProfile, rows: list[int], seconds: float | None) -> None:
        self.world.ask(number, profile, rows, seconds)

    @rule(faults=st.lists(_faults(), min_size=1, max_size=5))
    def go_wrong(self, faults: list[Fault]) -> None:
        self._go_wrong(faults)

    @rule(times=st.integers(4, 7), error=st.sampled_from(["http_503", "ibm_503_storm", "braket_unreachable"]))
    def storm(self, times: int, error: str) -> None:
        """Enough to open the breaker."""
        self._go_wrong([Fault("submit", "raise", error)] * times)

    @rule(call=st.sampled_from(["find", "fetch"]), times=st.integers(5, 25))
    def outage(self, call: Call, times: int) -> None:
        """No look-up, or no result, for so long that what waits for it is given up."""
        self._go_wrong([Fault(call, "raise", "http_503")] * times)

    @rule(number=PROCESS, writes=st.integers(0, 12), written=st.booleans())
    def doom(self, number: int, writes: int, written: bool) -> None:
        """A process will die at one of its next writes."""
        life = self.world.process(number).life
        life.writes_left, life.written = writes, written

    @rule(number=PROCESS, seconds=st.sampled_from([1.0, 30.0, 90.0]))
    def time_passes(self, number: int, seconds: float) -> None:
        self.world.clock.advance(seconds)
        self.world.tick(number)

    @rule(number=PROCESS)
    def tick(self, number: int) -> None:
        self.world.tick(number)

    @rule(number=PROCESS)
    def restart(self, number: int) -> None:
        self.world.restart(number)

    @rule(number=PROCESS, data=st.data())
    def materialise_again(self, number: int, data: st.DataObject) -> None:
        """Another run for the same partition."""
        if self.world.asked:
            self.world.again(number, [data.draw(st.sampled_from(self.world.asked), label="asking")])

    @rule(number=PROCESS, what=st.sampled_from(["tick", "meddle", "restart", "wait"]), calls=st.integers(0, 5))
    def meanwhile(self, number: int, what: str, calls: int) -> None:
        """While a later call is on its way, somebody else acts."""
        act: dict[str, Callable[[], object]] = {
            "tick": lambda: self.world.tick(number + 3),
            "meddle": lambda: (self.world.meddle(number + 3), self.world.restart(number + 3)),
            "restart": lambda: self.world.restart(number + 3),
            "wait": lambda: self.world.clock.advance(100.0),
        }
        self.world.meanwhile += [lambda: None] * calls + [act[what]]

    @rule(seconds=st.sampled_from([10.0, 700.0, 4000.0]))
    def wait(self, seconds: float) -> None:
        self.world.clock.advance(seconds)

    @rule(seconds=st.sampled_from([5.0, 600.0, 90_000.0]))
    def step_back(self, seconds: float) -> None:
        self.world.clock.step(-seconds)
        self.stepped += seconds
        self.world.counts["clock steps back"] += 1

    @rule()
    def step_right(self) -> None:
        """The clock is put right and jumps forward, by less than what the plane believes of a clock alone."""
        self.world.clock.step(min(self.stepped, 800.0))
        self.stepped = 0.0

    @rule(number=PROCESS, data=st.data())
    def cancel(self, number: int, data: st.DataObject) -> None:
        if self.world.asked:
            self.world.cancel(number, [data.draw(st.sampled_from(self.world.asked), label="asking")])
            self.world.counts["cancels"] += 1

    def teardown(self) -> None:
        world = self.world
        if world is None:
            return
        try:
            come_to_rest(world)
            self.conclude(world)
            self.tally.add(world)
        finally:
            world.close()

    def conclude(self, world: World) -> None:
        """What is asked of a world at rest."""
        assert verdict(world) == ()

    def _go_wrong(self, faults: list[Fault]) -> None:
        """A request is only delivered twice where the vendor promises that it makes no difference."""
        promised = self.world.settings.promise
        self.world.mishaps.waiting += [fault for fault in faults if promised or fault.kind != "twice"]


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("schedules")) as made:
        yield made


def run_schedules(make: Callable[[Tally], Schedule], examples: int, tally: Tally, **more: bool) -> Tally:
    """Run so many schedules; the same ones every time where they are derandomised."""
    run_state_machine_as_test(
        lambda: make(tally),
        settings=settings(
            max_examples=examples,
            stateful_step_count=12,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )
    return tally


def test_some_schedules(where, report_figures):
    tally = run_schedules(lambda kept: Schedule(where, kept), ORDINARY, Tally(), derandomize=True)
    for line in tally.lines():
        report_figures(line)
    assert tally.counts["schedules"] >= ORDINARY


@pytest.mark.slow
def test_many_schedules(where, report_figures):
    tally = run_schedules(lambda kept: Schedule(where, kept), MANY, Tally())
    for line in tally.lines():
        report_figures(line)
    assert tally.counts["schedules"] >= MANY
