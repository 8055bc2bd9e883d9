"""The same schedules and the same checker on a control plane whose look-up is switched off: duplicates must be found.

A checker that never fails proves nothing. The vendor here makes a job of every submission, as one without idempotency
keys does; the control plane's own look-up is then all that stands between a lost answer and a second charge.
"""

from collections.abc import Iterator

import pytest
from hypothesis.stateful import rule

from quantum_assets.contracts.jobs import Order
from quantum_assets_tests.chaos.faults import Fault
from quantum_assets_tests.faults.blind import Blind
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
