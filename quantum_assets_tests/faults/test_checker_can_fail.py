"""The same schedules and the same checker on a control plane whose look-up is switched off: duplicates must be found.

A checker that never fails proves nothing. The vendor here makes a job of every submission, as one without idempotency
keys does; the control plane's own look-up is then all that stands between a lost answer and a second charge. The other
guard that is taken away here is that a failure after which no further try may follow is written with its outcome.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis.stateful import rule

from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.ledger.rows import Move
from quantum_assets_tests.chaos.faults import Call, Fault
from quantum_assets_tests.faults.blind import Blind
from quantum_assets_tests.faults.mortal import MortalLedger
from quantum_assets_tests.faults.test_schedules import Schedule, Tally, run_schedules
from quantum_assets_tests.faults.verdict import come_to_rest, verdict
from quantum_assets_tests.faults.world import ASKED, Settings, Stage, World, stage

UNPROMISED = Settings(promise=False)
LATER, NOW = ASKED[:2]


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("blind")) as made:
        yield made


@pytest.mark.parametrize("profile", [LATER, NOW], ids=["later", "now"])
@pytest.mark.parametrize("kind", ["lose", "die_after"])
@pytest.mark.parametrize("blind", [False, True], ids=["looking", "blind"])
def test_an_accepted_order_whose_answer_is_lost(where, profile, kind, blind):
    world = World(where, UNPROMISED, Blind if blind else lambda chaos: chaos)
    try:
        world.mishaps.waiting.append(Fault("submit", kind))
        world.ask(0, profile, [2, 3], None)
        come_to_rest(world)
        said = verdict(world)
        jobs = len(world.vendor.books())
    finally:
        world.close()
    if not blind:
        assert (said, jobs) == ((), 1)
        return
    assert jobs == 2
    for what in ("was accepted 2 times", "was accepted 2 times for 1 tries", "the witness billed"):
        assert any(what in sentence for sentence in said), said


class Unlooking(Schedule):
    """A schedule behind a blind provider, with one more lost answer; its verdict is kept, and not asked to be empty."""

    seen_as = Blind

    @rule()
    def lose(self) -> None:
        """An order is accepted, and nobody is told."""
        self._go_wrong([Fault("submit", "lose")])

    def conclude(self, world: World) -> None:
        self.tally.verdicts.append(verdict(world))


def test_random_schedules_without_the_look_up_make_duplicates_that_are_found(where, report_figures):
    tally = run_schedules(lambda kept: Unlooking(where, kept, UNPROMISED), 12, Tally(), derandomize=True)
    guilty = [said for said in tally.verdicts if said]
    twice = sum(any("times for" in sentence for sentence in said) for said in guilty)
    report_figures(
        f"look-up off: {len(tally.verdicts)} schedules, {len(guilty)} found at fault, {twice} of them with a question "
        f"accepted more often than it was tried"
    )
    assert twice >= 1
    assert len(guilty) < len(tally.verdicts)


def test_an_order_that_was_sent_to_nobody_is_found(where):
    """The other direction: our ledger says that it was submitted, and the vendor has never heard of it."""

    class Swallowing(Blind):
        def submit(self, order: Order) -> str:
            return f"made-up-{order.key[:8]}"

    world = World(where, UNPROMISED, Swallowing)
    try:
        world.ask(0, LATER, [2], None)
        come_to_rest(world)
        said = verdict(world)
    finally:
        world.close()
    assert any("and was never accepted" in sentence for sentence in said), said


@dataclass(frozen=True, repr=False)
class Piecemeal(MortalLedger):
    """Writes the moves of a ticket one by one; the process dies when it has written a failure and nothing after it."""

    def move_all(self, made: Sequence[Move]) -> tuple[Ticket, ...]:
        seen = Counter[str]()
        steps: list[list[Move]] = []
        for one in made:
            if seen[one.ticket.id] == len(steps):
                steps.append([])
            steps[seen[one.ticket.id]].append(one)
            seen[one.ticket.id] += 1
        for step in steps[:-1]:
            super().move_all(step)
            if step[0].after is State.FAILED:
                self.life.end("after a failure, before its outcome")
        return super().move_all(steps[-1])


def given_up(where: Stage, kept_by: type[MortalLedger], call: Call, doom: tuple[int, bool] | None = None) -> World:
    """An accepted order that was lost sight of for so long, or whose answer does not come for so long, that it ends.

    Args:
        where: Of the world.
        kept_by: Its ledger.
        call: Which call fails all the time: the look-up of an order whose submission was not answered, or the fetch.
        doom: After how many writes the process dies that gives it up, and whether the last of them is written.
    """
    world = World(where, UNPROMISED, kept_by=kept_by)
    away = [Fault(call, "raise", "http_503")] * 100
    world.mishaps.waiting += [Fault("submit", "lose"), *away] if call == "find" else away
    world.ask(0, LATER, [2], None)
    for _ in range(4):
        world.clock.advance(10.0)
        world.tick(0)
    world.clock.advance(1000.0)
    if doom is not None:
        world.process(0).life.writes_left, world.process(0).life.written = doom
    world.tick(0)
    world.mishaps.waiting.clear()
    come_to_rest(world)
    return world


@pytest.mark.parametrize("call", ["find", "fetch"])
def test_what_was_given_up_for_good_is_not_tried_again_wherever_its_process_dies(where, call):
    """Where it dies before it gave up, the next process finds the vendor well again, and the answer there."""
    ends = Counter[State]()
    for doom in [None, *((writes, written) for writes in range(5) for written in (False, True))]:
        world = given_up(where, MortalLedger, call, doom)
        try:
            (ticket,) = (one for one in world.ledger.tickets() if one.path == "quantum")
            assert (verdict(world), len(world.vendor.books())) == ((), 1), doom
            ends[ticket.state] += 1
        finally:
            world.close()
    assert set(ends) == {State.FELL_BACK, State.ACCEPTED}


@pytest.mark.parametrize("call", ["find", "fetch"])
def test_a_further_try_of_what_was_given_up_for_good_is_found(where, call):
    """As it was when the failure and its outcome were two transactions, and whoever came between decided anew."""
    world = given_up(where, Piecemeal, call)
    try:
        said, jobs = verdict(world), len(world.vendor.books())
    finally:
        world.close()
    assert (jobs, len(said)) == (2, 1)
    assert "had not ended" in said[0] or "has its answer" in said[0]
