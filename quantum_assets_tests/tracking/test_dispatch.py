import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from quantum_assets.tracking.dispatch import (
    LOG_LIMIT,
    Order,
    announce,
    direct,
    is_alive,
    is_wanted,
    launch,
    read_state,
)
from quantum_assets.tracking.sync import SyncReport
from quantum_assets_tests.tracking.conftest import Place
from quantum_assets_tests.tracking.fakes import make_model, make_record

STEP = """
import sys
from pathlib import Path
from quantum_assets.tracking.tracker import Tracker
from quantum_assets_tests.tracking.fakes import make_record

home, uri = Path(sys.argv[1]), sys.argv[2]
assert Tracker(home, uri, linger=3.0).warm() is None
in_time = Tracker(home, uri, "http://127.0.0.1:5000", budget=300.0, linger=3.0).record(make_record(0))
assert in_time.delivered, in_time
assert in_time.url == f"http://127.0.0.1:5000/#/experiments/{in_time.experiment_id}/runs/{in_time.run_id}"
too_late = Tracker(home, uri, budget=0.0, linger=3.0).record(make_record(1))
assert too_late.delivered or "the courier goes on with it" in too_late.problem, too_late
assert "mlflow" not in sys.modules
"""


def wait_until(happened: Callable[[], bool], seconds: float = 300.0) -> None:
    """Poll for something that is certain to come; the limit only keeps a broken test from hanging."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def order_for(place: Place, linger: float) -> Order:
    return Order(str(place.home), place.uri, linger)


def courier_pid(order: Order) -> int:
    return int(json.loads((order.root / "courier.json").read_bytes())["pid"])


@pytest.mark.slow
def test_a_courier_serves_a_step_outlives_it_and_ends_by_itself(place: Place) -> None:
    order = order_for(place, 3.0)
    command = [sys.executable, "-c", STEP, str(place.home), place.uri]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    step = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (step.returncode, step.stdout, step.stderr) == (0, "", "")
    wait_until(lambda: not is_alive(order))
    assert place.outbox.count() == 0
    for number in range(2):
        place.assert_whole(make_record(number))
    log = (order.root / "courier.log").read_text()
    assert "MLflow is open after" in log
    assert "ending; peak memory" in log
    assert read_state(order) == ("ready", "")
    assert place.sync() == SyncReport()


@pytest.mark.slow
def test_a_courier_killed_at_work_is_alone_and_leaves_every_record_once(place: Place) -> None:
    records = [make_record(number, model=make_model() if number % 4 == 0 else None) for number in range(60)]
    order = order_for(place, 60.0)
    launch(order, 300.0)
    pid = courier_pid(order)
    launch(order, 300.0)  # a second one finds the lock held and leaves
    assert (is_alive(order), courier_pid(order)) == (True, pid)
    if Path(f"/proc/{pid}").exists():
        assert place.uri.encode() not in Path(f"/proc/{pid}/cmdline").read_bytes()
    wait_until(lambda: read_state(order)[0] == "ready")
    for record in records:
        place.outbox.put(record)
    wait_until(lambda: place.outbox.count() <= 56)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(order))
    assert place.outbox.count() > 0
    report = place.sync()
    assert (report.pending, report.failed) == (0, ())
    for record in records:
        place.assert_whole(record)
    assert len(place.client.search_model_versions("name = 'wine-kernel_model'")) == 15


def test_a_courier_that_cannot_start_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order(str(tmp_path), "sqlite:///x.db")
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(FileNotFoundError):
        launch(order, 10.0)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(OSError, match=r"ended with code 1 .*courier\.log says why"):
        launch(order, 10.0)
    assert not is_alive(order)


def test_the_log_starts_anew_when_it_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order(str(tmp_path), "sqlite:///x.db")
    order.root.mkdir()
    monkeypatch.setattr(sys, "executable", "/bin/true")
    (order.root / "courier.log").write_bytes(b"x" * LOG_LIMIT)
    launch(order, 10.0)
    assert (order.root / "courier.log").stat().st_size == LOG_LIMIT
    (order.root / "courier.log").write_bytes(b"x" * (LOG_LIMIT + 1))
    launch(order, 10.0)
    assert (order.root / "courier.log").stat().st_size == 0


def test_a_lock_that_is_held_means_alive(tmp_path: Path) -> None:
    order = Order(str(tmp_path), "sqlite:///x.db")
    assert not is_alive(order)
    order.root.mkdir()
    lock = FileLock(order.lock)
    with lock:
        assert is_alive(order)
    assert not is_alive(order)


def test_a_destination_is_written_once_and_decides_who_is_wanted(tmp_path: Path) -> None:
    here, there = Order(str(tmp_path), "sqlite:///x.db"), Order(str(tmp_path), "http://lab:secret@host")
    assert is_wanted(here)
    assert direct(here)
    assert not direct(here)
    assert direct(there)
    assert (is_wanted(here), is_wanted(there)) == (False, True)
    assert "secret" not in (there.root / "destination").read_text()


def test_a_state_is_read_as_it_was_announced_and_junk_is_none(tmp_path: Path) -> None:
    order = Order(str(tmp_path), "sqlite:///x.db")
    announce(order, "starting", "")  # without a folder to write to it is logged, not raised
    assert read_state(order) == (None, "")
    order.root.mkdir()
    announce(order, "down", "refused")
    assert read_state(order) == ("down", "refused")
    (order.root / "courier.json").write_text("{")
    assert read_state(order) == (None, "")
