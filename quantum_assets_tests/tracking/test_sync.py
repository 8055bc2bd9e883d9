from pathlib import Path

from quantum_assets.contracts.errors import TrackingError
from quantum_assets.tracking.database import Unreachable
from quantum_assets.tracking.outbox import Delivered, Outbox
from quantum_assets.tracking.sync import SyncReport, drain, pending_count, receipt, sync
from quantum_assets_tests.tracking.fakes import FakeMlflow, FakeTime, make_record

DOWN = Unreachable("MLflow", "is down", "Wait")


def filled(root: Path, count: int) -> Outbox:
    outbox = Outbox(root)
    for number in range(count):
        outbox.put(make_record(number))
    return outbox


def test_everything_is_delivered_once_in_order(tmp_path: Path) -> None:
    outbox, mlflow = filled(tmp_path, 3), FakeMlflow()
    seen: list[tuple[int, int]] = []
    report = drain(outbox, mlflow.deliver, outbox.pending(), lambda done, found: seen.append((done, found)))
    assert report == SyncReport(delivered=3)
    assert mlflow.keys == [make_record(number).key for number in range(3)]
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert drain(outbox, mlflow.deliver, outbox.pending()) == SyncReport()
    assert len(mlflow.keys) == 3


def test_a_refused_record_waits_and_does_not_hold_up_the_others(tmp_path: Path) -> None:
    outbox, mlflow = filled(tmp_path, 3), FakeMlflow()
    mlflow.failures[make_record(1).key] = [TrackingError("model", "is odd", "Mend it")]
    report = drain(outbox, mlflow.deliver, outbox.pending())
    assert (report.delivered, report.pending, report.unreachable) == (2, 1, None)
    assert [(failure.key, failure.reason) for failure in report.failed] == [
        (make_record(1).key, "model: is odd. Mend it.")
    ]
    assert drain(outbox, mlflow.deliver, outbox.pending()).delivered == 1


def test_a_drain_stops_after_two_silences_in_a_row(tmp_path: Path) -> None:
    outbox, mlflow = filled(tmp_path, 5), FakeMlflow(failures={"*": [DOWN, DOWN]})
    report = drain(outbox, mlflow.deliver, outbox.pending())
    assert (report.delivered, report.pending, len(report.failed)) == (0, 5, 2)
    assert report.unreachable == "MLflow: is down. Wait."
    assert drain(outbox, mlflow.deliver, outbox.pending()) == SyncReport(delivered=5)


def test_one_silence_does_not_stop_a_drain(tmp_path: Path) -> None:
    outbox, mlflow = filled(tmp_path, 3), FakeMlflow(failures={make_record(0).key: [DOWN]})
    report = drain(outbox, mlflow.deliver, outbox.pending())
    assert (report.delivered, report.pending, report.unreachable) == (2, 1, None)


def test_records_that_always_fail_come_last(tmp_path: Path) -> None:
    outbox, mlflow = filled(tmp_path, 2), FakeMlflow()
    for number in range(2):
        mlflow.failures[make_record(number).key] = [DOWN] * 9
    assert drain(outbox, mlflow.deliver, outbox.pending()).unreachable
    outbox.put(make_record(2))
    assert drain(outbox, mlflow.deliver, outbox.pending()).delivered == 1


def test_an_error_nobody_foresaw_is_a_failure_of_its_record_alone(tmp_path: Path) -> None:
    outbox, mlflow = filled(tmp_path, 2), FakeMlflow(failures={make_record(0).key: [ZeroDivisionError("odd")]})
    report = drain(outbox, mlflow.deliver, outbox.pending())
    assert (report.delivered, report.failed[0].reason) == (1, "ZeroDivisionError('odd')")
    assert outbox.problem(make_record(0).key) == "ZeroDivisionError('odd')"


def test_a_damaged_record_is_reported_and_kept_aside(tmp_path: Path) -> None:
    outbox, mlflow = filled(tmp_path, 2), FakeMlflow()
    name = outbox.pending()[0].name
    (tmp_path / "pending" / f"{name}.zip").write_bytes(b"PK")
    report = drain(outbox, mlflow.deliver, outbox.pending())
    assert (report.delivered, report.pending) == (1, 0)
    assert report.failed[0].key == name
    assert f"quarantine/{name}.zip" in report.failed[0].reason
    assert (tmp_path / "quarantine" / f"{name}.zip").read_bytes() == b"PK"


def test_a_record_that_another_process_holds_is_busy(tmp_path: Path) -> None:
    outbox, mlflow = filled(tmp_path, 2), FakeMlflow()
    first, second = outbox.pending()
    with outbox.claim(first):
        report = drain(outbox, mlflow.deliver, [first, second])
    assert (report.delivered, report.pending, report.busy) == (1, 1, (first,))


def test_sync_waits_for_what_others_hold_and_reports_the_rest(tmp_path: Path) -> None:
    outbox, time = filled(tmp_path / "outbox", 1), FakeTime()
    (entry,) = outbox.pending()
    held = outbox.claim(entry)
    held.__enter__()

    def other_process_delivers() -> None:
        outbox.settle(entry, Delivered(make_record(0).key, "r", "e"))
        held.__exit__(None, None, None)

    time.at(103.0, other_process_delivers)
    report = sync(tmp_path, "sqlite:///never-opened.db", patience=30.0, clock=time.clock)
    assert report == SyncReport()
    assert 103.0 <= time.now < 104.0
    assert receipt(tmp_path, make_record(0).key) == Delivered(make_record(0).key, "r", "e")


def test_sync_gives_up_waiting_when_its_patience_ends(tmp_path: Path) -> None:
    outbox, time = filled(tmp_path / "outbox", 1), FakeTime()
    (entry,) = outbox.pending()
    with outbox.claim(entry):
        report = sync(tmp_path, "sqlite:///never-opened.db", patience=3.0, clock=time.clock)
    assert (report.delivered, report.pending, report.busy) == (0, 1, (entry,))
    assert 103.0 <= time.now < 104.0


def test_an_empty_outbox_costs_nothing(tmp_path: Path) -> None:
    assert sync(tmp_path, "sqlite:///never-opened.db") == SyncReport()
    assert pending_count(tmp_path) == 0
    assert receipt(tmp_path, "none") is None


def test_an_outbox_that_cannot_be_locked_is_a_failure_and_no_error(tmp_path: Path) -> None:
    outbox, mlflow = filled(tmp_path, 1), FakeMlflow()
    (tmp_path / "claims").write_text("a file where the folder should be")
    report = drain(outbox, mlflow.deliver, outbox.pending())
    assert (report.delivered, report.pending) == (0, 1)
    assert report.failed[0].reason.startswith("the outbox cannot be used:")
