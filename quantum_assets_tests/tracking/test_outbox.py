import errno
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from quantum_assets.contracts.errors import TrackingError
from quantum_assets.tracking.outbox import Delivered, Entry, Outbox
from quantum_assets.tracking.parcel import CorruptParcel
from quantum_assets.tracking.sync import drain
from quantum_assets_tests.processes import results
from quantum_assets_tests.tracking.fakes import Ledger, make_record
from quantum_assets_tests.tracking.processes import OUTBOX, Gate, in_child

PUT_STEPS = ["written aside", "synced", "renamed", "folder synced"]
SETTLE_STEPS = [*PUT_STEPS, "record removed"]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def dying_outbox(folder: Path, step: str) -> Outbox:
    return Outbox(folder, on_step=die_at(step))


def die_at(step: str) -> Callable[[str], None]:
    def watch(seen: str) -> None:
        if seen == step:
            os.kill(os.getpid(), signal.SIGKILL)

    return watch


def test_a_record_waits_and_comes_back(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    assert outbox.pending() == ()
    assert outbox.count() == 0
    assert outbox.put(make_record(1))
    (entry,) = outbox.pending()
    with outbox.claim(entry) as claim:
        assert claim == "mine"
        assert outbox.read(entry).metrics["rank"] == 1.5


def test_the_constructor_writes_nothing(tmp_path: Path) -> None:
    Outbox(tmp_path / "outbox").pending()
    assert list(tmp_path.iterdir()) == []


def test_order_is_kept_when_the_clock_stands_still_or_goes_back(tmp_path: Path) -> None:
    times = iter([50, 50, 40, 60])
    outbox = Outbox(tmp_path, now_ns=lambda: next(times))
    for number in range(4):
        outbox.put(make_record(number))
    assert [outbox.read(entry).key[-1] for entry in outbox.pending()] == ["0", "1", "2", "3"]


def test_a_key_is_kept_once_while_it_waits_and_after_it_was_delivered(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    assert outbox.put(make_record(1))
    assert not outbox.put(make_record(1, params={}))
    (entry,) = outbox.pending()
    outbox.settle(entry, Delivered(make_record(1).key, "r", "e"))
    assert not outbox.put(make_record(1))
    assert outbox.count() == 0
    assert outbox.receipt(make_record(1).key) == Delivered(make_record(1).key, "r", "e")
    assert outbox.receipt("another") is None


def test_settling_leaves_the_receipt_alone(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(make_record())
    (entry,) = outbox.pending()
    outbox.note_failure(entry, "down")
    with outbox.claim(entry):
        outbox.settle(entry, Delivered(make_record().key, "r", "e"))
    assert files(tmp_path) == [f"receipts/{entry.hash}.json"]


def test_files_are_private(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    outbox.put(make_record())
    modes = {path.stat().st_mode & 0o077 for path in (tmp_path / "outbox").rglob("*")}
    assert modes == {0}


def put_and_die(folder: Path, step: str) -> None:
    dying_outbox(folder, step).put(make_record())


def settle_and_die(folder: Path, step: str) -> None:
    dying = dying_outbox(folder / "outbox", step)
    drain(dying, Ledger(folder / "ledger").deliver, dying.pending())


@pytest.mark.parametrize("step", PUT_STEPS)
def test_a_process_killed_while_it_puts_leaves_a_whole_record_or_none(tmp_path: Path, step: str) -> None:
    assert in_child(put_and_die, tmp_path, step) == -signal.SIGKILL
    outbox = Outbox(tmp_path)
    kept = [outbox.read(entry).key for entry in outbox.pending()]
    assert kept == ([make_record().key] if step in ("renamed", "folder synced") else [])
    outbox.put(make_record())
    assert outbox.count() == 1


@pytest.mark.parametrize("step", SETTLE_STEPS)
def test_a_process_killed_while_it_settles_delivers_nothing_twice(tmp_path: Path, step: str) -> None:
    outbox, ledger = Outbox(tmp_path / "outbox"), Ledger(tmp_path / "ledger")
    outbox.put(make_record())
    assert in_child(settle_and_die, tmp_path, step) == -signal.SIGKILL
    drain(outbox, ledger.deliver, outbox.pending())
    assert outbox.count() == 0
    assert outbox.receipt(make_record().key) is not None
    # Before its receipt is in place a delivery is repeated, which deliveries are made for; after it, never.
    assert len(ledger.lines()) == (2 if step in ("written aside", "synced") else 1)


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    def full(step: str) -> None:
        if step == "synced":
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        Outbox(tmp_path, on_step=full).put(make_record())
    assert files(tmp_path) == []


def test_a_record_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        Outbox(tmp_path).put(make_record(artifacts={"a": 5}))
    assert files(tmp_path) == []


def claim(folder: Path, entry: Entry) -> str:
    with Outbox(folder).claim(entry) as claimed:
        return claimed


def die_with_the_claim(folder: Path, entry: Entry) -> None:
    with Outbox(folder).claim(entry) as claimed:
        assert claimed == "mine"
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_claim_excludes_others_and_ends_with_its_process(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(make_record())
    (entry,) = outbox.pending()
    with outbox.claim(entry) as first:
        assert first == "mine"
        assert results(claim, [(tmp_path, entry)], modules=OUTBOX) == ["busy"]
    assert in_child(die_with_the_claim, tmp_path, entry) == -signal.SIGKILL
    with outbox.claim(entry) as again:
        assert again == "mine"


def test_a_settled_entry_is_gone_for_who_claims_it_late(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(make_record())
    (entry,) = outbox.pending()
    with outbox.claim(entry):
        outbox.settle(entry, Delivered(make_record().key, "r", "e"))
    with outbox.claim(entry) as late:
        assert late == "gone"


def drain_in_an_order(folder: Path, entries: tuple[Entry, ...], seed: int, all_hold_one: Gate) -> None:
    ledger = Ledger(folder / "ledger", all_hold_one.pass_once)
    drain(Outbox(folder / "outbox"), ledger.deliver, random.Random(seed).sample(entries, len(entries)))


def test_processes_divide_the_records_between_them(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox")
    for number in range(60):
        outbox.put(make_record(number))
    all_hold_one = Gate(4)
    each = [(tmp_path, outbox.pending(), seed, all_hold_one) for seed in range(4)]
    results(drain_in_an_order, each, modules=OUTBOX)
    lines = Ledger(tmp_path / "ledger").lines()
    assert sorted(key for _, key in lines) == [make_record(number).key for number in range(60)]
    assert len({pid for pid, _ in lines}) == 4
    assert outbox.count() == 0


def put_ten(folder: Path) -> None:
    for number in range(10):
        Outbox(folder).put(make_record(number))


def test_processes_that_put_one_key_at_once_have_it_delivered_once(tmp_path: Path) -> None:
    outbox, ledger = Outbox(tmp_path / "outbox"), Ledger(tmp_path / "ledger")
    results(put_ten, [(tmp_path / "outbox",)] * 4, modules=OUTBOX)
    drain(outbox, ledger.deliver, outbox.pending())
    assert sorted(key for _, key in ledger.lines()) == [make_record(number).key for number in range(10)]
    assert outbox.count() == 0


def test_two_files_of_one_key_go_together(tmp_path: Path) -> None:
    outbox, ledger = Outbox(tmp_path / "outbox"), Ledger(tmp_path / "ledger")
    outbox.put(make_record())
    (entry,) = outbox.pending()
    first = tmp_path / "outbox" / "pending" / f"{entry.name}.zip"
    first.with_name(f"{9:020d}-{entry.hash}.zip").write_bytes(first.read_bytes())
    assert outbox.count() == 2
    drain(outbox, ledger.deliver, outbox.pending())
    assert (outbox.count(), len(ledger.lines())) == (0, 1)


def test_quarantine_keeps_the_bytes_and_the_reason(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(make_record())
    (entry,) = outbox.pending()
    path = tmp_path / "pending" / f"{entry.name}.zip"
    path.write_bytes(path.read_bytes()[:-9])
    torn = path.read_bytes()
    with pytest.raises(CorruptParcel) as caught:
        outbox.read(entry)
    kept = outbox.quarantine(entry, str(caught.value))
    assert kept.read_bytes() == torn
    assert "is no readable record" in kept.with_suffix(".reason.json").read_text()
    assert outbox.count() == 0


def test_a_record_under_the_name_of_another_is_corrupt(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(make_record(1))
    (entry,) = outbox.pending()
    path = tmp_path / "pending" / f"{entry.name}.zip"
    path.rename(path.with_name(f"{entry.name[:20]}-{'0' * 32}.zip"))
    with pytest.raises(CorruptParcel, match="holds another key"):
        outbox.read(outbox.pending()[0])


def test_a_damaged_receipt_is_as_good_as_none(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(make_record())
    (entry,) = outbox.pending()
    outbox.settle(entry, Delivered(make_record().key, "r", "e"))
    (tmp_path / "receipts" / f"{entry.hash}.json").write_bytes(b'{"key')
    assert outbox.receipt(make_record().key) is None
    assert outbox.put(make_record())


def test_records_that_failed_least_come_first_and_say_why(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    for number in range(3):
        outbox.put(make_record(number))
    first, second, _ = outbox.pending()
    outbox.note_failure(first, "odd")
    outbox.note_failure(outbox.pending()[-1], "odd again")
    outbox.note_failure(second, "slow")
    entries = outbox.pending()
    assert [outbox.read(entry).key[-1] for entry in entries] == ["2", "1", "0"]
    assert [(entry.attempts, entry.problem) for entry in entries] == [(0, ""), (1, "slow"), (2, "odd again")]
    assert outbox.problem(make_record(0).key) == "odd again"


def test_sweep_removes_only_what_is_old(tmp_path: Path) -> None:
    now = int(2e18)
    outbox = Outbox(tmp_path, now_ns=lambda: now)
    aside = tmp_path / "aside"
    aside.mkdir(parents=True)
    for name, age in (("old", 90_000), ("young", 80_000)):
        (aside / name).write_bytes(b"half")
        os.utime(aside / name, (now / 1e9 - age,) * 2)
    assert outbox.sweep() == 1
    assert files(aside) == ["young"]


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path)
    outbox.put(make_record())
    (tmp_path / "pending" / "notes.zip").write_bytes(b"mine")
    (tmp_path / "pending" / ".DS_Store").write_bytes(b"")
    assert outbox.count() == 1
    assert isinstance(outbox.pending()[0], Entry)


def test_the_errors_of_this_room_are_tracking_errors() -> None:
    assert issubclass(CorruptParcel, TrackingError)
