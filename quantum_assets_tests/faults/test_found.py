"""What random schedules found once, each as a short schedule of its own."""

from collections.abc import Iterator

import pytest

from quantum_assets.contracts.ticket import State
from quantum_assets_tests.chaos.faults import Fault
from quantum_assets_tests.faults.verdict import come_to_rest, verdict
from quantum_assets_tests.faults.world import ASKED, Settings, World, stage

LATER, NOW = ASKED[:2]


@pytest.fixture(scope="module")
def where(tmp_path_factory):
    with stage(tmp_path_factory.mktemp("found")) as made:
        yield made


@pytest.fixture
def world(where) -> Iterator[World]:
    made = World(where, Settings(promise=False, polls=3))
    yield made
    made.close()


@pytest.mark.parametrize("word", ["say_completed", "say_failed"])
def test_a_false_word_that_a_job_ended_is_not_paid_with_an_estimate(world, word):
    """The vendor bills less than our price book says, and only once the job really ended."""
    world.mishaps.waiting.append(Fault("status", word))
    world.ask(0, LATER, [2, 3], None)
    come_to_rest(world)
    assert verdict(world) == ()
    assert world.ledger.orders()[0].micros == world.vendor.books()[0].micros


def test_a_single_word_that_a_job_is_lost_is_not_paid_with_an_estimate(world):
    world.ask(0, LATER, [2], None)
    world.cancel(0, world.asked)
    world.clock.step(90_000.0)
    world.mishaps.waiting.append(Fault("status", "say_lost"))
    come_to_rest(world)
    assert verdict(world) == ()


def test_tickets_that_another_process_handed_in_meanwhile_are_no_error(world):
    """While the calibration is asked for, the first question's ticket goes out by another process."""
    world.meanwhile += [lambda: world.meddle(1)]
    world.ask(0, LATER, [2, 3], None)
    assert world.asked[0].error is None
    first = world.ledger.tickets()[0]
    sent = next(move for move in world.ledger.transitions(first.id) if move.after is State.SUBMITTING)
    assert sent.actor == world.process(1).plane.owner
    come_to_rest(world)
    assert verdict(world) == ()


def test_a_dead_process_s_order_that_a_sensor_recovered_is_followed_by_it(world):
    world.mishaps.waiting.append(Fault("submit", "die_after"))
    world.ask(0, NOW, [2], None)
    while not at_vendor(world):
        world.tick(1)
        world.clock.advance(10.0)
    assert [ticket.owner for ticket in world.ledger.tickets()] == [world.process(1).plane.owner]
    for _ in range(10):
        world.tick(1)
        world.clock.advance(10.0)
    assert [ticket.state for ticket in world.ledger.tickets()] == [State.ACCEPTED]


def at_vendor(world):
    return all(ticket.job for ticket in world.ledger.tickets())


def test_what_nobody_waits_for_any_more_is_ended(world):
    """An asker that dies between planning and handing in leaves a ticket which nobody else may ever ask for."""
    life = world.process(0).life
    life.writes_left, life.written = 0, True
    world.ask(0, NOW, [2], None)
    assert [ticket.state for ticket in world.ledger.tickets()] == [State.PLANNED]
    world.tick(1)
    assert [ticket.state for ticket in world.ledger.tickets()] == [State.PLANNED]
    world.clock.advance(3600.0)
    world.tick(1)
    assert [ticket.state for ticket in world.ledger.tickets()] == [State.FELL_BACK]
    assert world.vendor.books() == ()


@pytest.mark.parametrize("looker", [0, 1])
def test_a_clock_that_jumps_forward_proves_no_absence(where, looker):
    """The window was opened by a clock that was behind; the vendor's look-up lags, and it would make a second job."""
    world = World(where, Settings(promise=False, lag=90.0))
    try:
        world.clock.step(-600.0)
        world.mishaps.waiting.append(Fault("submit", "lose"))
        world.ask(0, LATER, [2], None)
        world.clock.step(600.0)
        world.tick(looker)
        come_to_rest(world)
        assert (verdict(world), len(world.vendor.books())) == ((), 1)
    finally:
        world.close()
