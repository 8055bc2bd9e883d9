import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from filelock import FileLock

from quantum_assets.tracking.dispatch import Order, announce, is_wanted, read_destination
from quantum_assets.tracking.outbox import Delivered, Outbox
from quantum_assets.tracking.tracker import Receipt, Tracker
from quantum_assets_tests.tracking.fakes import FakeTime, make_record


@dataclass
class Start:
    """Notes that a courier was asked for; takes the lock as a courier would, or fails."""

    orders: list[Order] = field(default_factory=list)
    problem: Exception | None = None
    lock: FileLock | None = None

    def __call__(self, order: Order, patience: float) -> None:
        assert patience <= 1.0
        self.orders.append(order)
        if self.problem:
            raise self.problem
        self.lock = FileLock(order.lock)
        self.lock.acquire()


@dataclass
class Desk:
    """A tracker with a clock and a courier that are not real."""

    home: Path
    time: FakeTime = field(default_factory=FakeTime)
    start: Start = field(default_factory=Start)

    @property
    def tracker(self) -> Tracker:
        return Tracker(self.home, "sqlite:///x.db", "http://ui", clock=self.time.clock, start=self.start)

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.home.resolve() / "outbox")

    def deliver(self) -> None:
        (entry,) = self.outbox.pending()
        self.outbox.settle(entry, Delivered(make_record().key, "run", "7"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


def test_a_record_delivered_within_the_budget_is_linked(desk: Desk) -> None:
    desk.time.at(101.0, desk.deliver)
    receipt = desk.tracker.record(make_record())
    assert receipt == Receipt(True, "run", "7", "http://ui/#/experiments/7/runs/run", None)
    assert 101.0 <= desk.time.now < 101.1


def test_a_record_that_is_not_delivered_costs_the_budget_and_no_more(desk: Desk) -> None:
    receipt = desk.tracker.record(make_record())
    assert receipt.delivered is False
    assert receipt.problem == "not delivered within 2 s; the courier goes on with it"
    assert desk.time.now == pytest.approx(102.0)
    assert desk.outbox.count() == 1


def test_the_time_of_writing_and_starting_counts(desk: Desk) -> None:
    def slow_start(order: Order, patience: float) -> None:
        desk.time.now += 1.5
        desk.start(order, patience)

    tracker = Tracker(desk.home, "sqlite:///x.db", clock=desk.time.clock, start=slow_start)
    tracker.record(make_record())
    assert desk.time.now == pytest.approx(102.0)


def test_nobody_waits_for_an_mlflow_that_is_known_to_be_down(desk: Desk) -> None:
    desk.tracker.warm()
    announce(desk.start.orders[0], "down", "connection refused")
    receipt = desk.tracker.record(make_record())
    assert receipt.problem == "the record waits in the outbox: connection refused"
    assert desk.time.now == 100.0
    assert desk.outbox.count() == 1


def test_nobody_waits_for_a_record_that_was_refused(desk: Desk) -> None:
    desk.time.at(100.5, lambda: desk.outbox.note_failure(desk.outbox.pending()[0], "model: is odd"))
    receipt = desk.tracker.record(make_record())
    assert receipt.problem == "the record waits in the outbox: model: is odd"
    assert desk.time.now < 100.6


def test_the_second_record_of_a_key_gets_the_first_receipt(desk: Desk) -> None:
    desk.time.at(100.1, desk.deliver)
    first = desk.tracker.record(make_record())
    again = desk.tracker.record(make_record(params={"other": 1}))
    assert first == again
    assert desk.outbox.count() == 0


def test_one_courier_is_started_for_many_records(desk: Desk) -> None:
    assert desk.tracker.warm() is None
    for number in range(3):
        desk.tracker.record(make_record(number))
    assert [order.home for order in desk.start.orders] == [str(desk.home.resolve())]


def test_a_courier_that_cannot_start_is_a_problem_and_no_error(desk: Desk) -> None:
    desk.start.problem = OSError("cannot fork")
    receipt = desk.tracker.record(make_record())
    assert receipt.problem == "no courier could be started (cannot fork); `quantum-assets sync` delivers the record"
    assert desk.time.now == 100.0
    assert desk.outbox.count() == 1
    assert desk.tracker.warm() == receipt.problem


def test_an_outbox_that_cannot_be_written_is_a_problem_and_no_error(desk: Desk) -> None:
    desk.home.write_text("a file where the home should be")
    receipt = desk.tracker.record(make_record())
    assert receipt.delivered is False
    assert receipt.problem
    assert receipt.problem.startswith("the record could not be kept for MLflow: NotADirectoryError")
    assert desk.start.orders == []


def test_a_record_that_cannot_be_written_is_a_problem_and_no_error(desk: Desk) -> None:
    receipt = desk.tracker.record(make_record(artifacts={"a": 1}))
    assert receipt.problem
    assert "artifact 'a' is int; give bytes" in receipt.problem


def test_another_destination_sends_for_another_courier_while_the_old_one_lives(desk: Desk) -> None:
    desk.tracker.warm()
    sent: list[Order] = []
    elsewhere = "http://127.0.0.1:5000"
    other = Tracker(desk.home, elsewhere, clock=desk.time.clock, start=lambda order, patience: sent.append(order))
    other.warm()
    other.warm()
    assert [order.tracking_uri for order in sent] == [elsewhere]
    assert read_destination(sent[0]) == sent[0].destination
    assert not is_wanted(desk.start.orders[0])


def test_constructing_touches_nothing(desk: Desk) -> None:
    assert desk.tracker.home == desk.home
    assert not desk.home.exists()


def test_the_step_does_not_import_mlflow() -> None:
    code = (
        "import sys, quantum_assets.tracking.tracker, quantum_assets.tracking.sync; sys.exit('mlflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
