"""A shelf gives back whole frames or nothing, whatever processes and disks do to it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError, StoreError
from quantum_assets.contracts.frame import seal, verify
from quantum_assets.contracts.wire import pack_workload, unpack_workload
from quantum_assets.execution.shelf import Entry, Shelf
from quantum_assets_tests.processes import results
from quantum_assets_tests.trust.honest import states_workload

KEY, OTHER = "ab" * 32, "cd" * 16
FRAME = seal("workload", b"head", {"a": np.arange(50.0)})


def where(shelf: Shelf, key: str) -> Path:
    (path,) = shelf.root.glob(f"*/{key}.frame")
    return path


def temps(shelf: Shelf) -> list[Path]:
    return list(shelf.root.glob("*/.temp-*"))


@pytest.mark.parametrize("durable", [True, False])
def test_what_was_put_is_got(tmp_path: Path, durable: bool) -> None:
    shelf = Shelf(tmp_path / "deep" / "down")
    assert shelf.get(KEY) is None
    assert not shelf.has(KEY)
    assert shelf.entries() == ()
    shelf.put(KEY, FRAME, durable=durable)
    assert shelf.get(KEY) == FRAME
    assert shelf.has(KEY)
    assert temps(shelf) == []
    longer = seal("workload", b"longer head", {})
    shelf.put(KEY, longer, durable=durable)
    assert shelf.get(KEY) == longer
    assert shelf.drop(KEY)
    assert not shelf.drop(KEY)
    assert shelf.get(KEY) is None


def test_a_value_is_unpacked_on_the_way(tmp_path: Path) -> None:
    asked, shelf = states_workload(), Shelf(tmp_path)
    shelf.put(asked.fingerprint, pack_workload(asked))
    found = shelf.read(asked.fingerprint, unpack_workload)
    assert found.value is not None
    assert found.value.fingerprint == asked.fingerprint
    assert found.warning == ""


@pytest.mark.parametrize(
    "key", ["", "ab", "../../../etc/passwd", "AB" * 8, "g" * 32, "a" * 200, "abcdef12\n", "ab/cdef12"]
)
def test_only_hexadecimal_keys_are_taken(tmp_path: Path, key: str) -> None:
    with pytest.raises(PlanError, match="Give a fingerprint"):
        Shelf(tmp_path).put(key, FRAME)
    with pytest.raises(PlanError, match="Give a fingerprint"):
        Shelf(tmp_path).get(key)
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_bit_is_found_and_the_file_is_set_aside(tmp_path: Path, report_figures: Any) -> None:
    shelf, found = Shelf(tmp_path), 0
    for place in range(0, 8 * len(FRAME), 11):
        altered = bytearray(FRAME)
        altered[place // 8] ^= 1 << place % 8
        shelf.put(KEY, bytes(altered), durable=False)
        assert shelf.get(KEY) is None
        assert not shelf.has(KEY)
        found += 1
    assert len(shelf.quarantined()) == found
    report_figures(f"{found} of {found} flipped bits found, every file set aside")


def test_a_corrupt_entry_is_told_of_and_does_not_return(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(KEY, FRAME)
    where(shelf, KEY).write_bytes(FRAME[:-3])
    found = shelf.read(KEY, bytes.upper)  # whoever does not check gets what is there
    assert found.value == FRAME[:-3].upper()
    told = shelf.read(KEY, unpack_workload)
    assert told.value is None
    assert "was corrupt and is set aside" in told.warning
    assert told.warning in caplog.text
    assert shelf.read(KEY, unpack_workload).warning == ""
    assert [path.read_bytes() for path in shelf.quarantined()] == [FRAME[:-3]]
    assert shelf.entries() == ()


def test_a_sound_entry_that_took_the_place_of_a_corrupt_one_stays(tmp_path: Path) -> None:
    """The writer comes between the reader's look and its setting aside."""
    shelf = Shelf(tmp_path)
    shelf.put(KEY, b"damaged")

    def replaced_meanwhile(content: bytes) -> bytes:
        shelf.put(KEY, FRAME)
        raise PlanError("packed workload", "is damaged", "Send it again")

    assert shelf.read(KEY, replaced_meanwhile).value is None
    assert shelf.get(KEY) == FRAME
    assert shelf.quarantined() == ()


def test_a_corrupt_entry_that_is_gone_meanwhile_is_no_trouble(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(KEY, b"damaged")

    def dropped_meanwhile(content: bytes) -> bytes:
        shelf.drop(KEY)
        raise PlanError("packed workload", "is damaged", "Send it again")

    assert "set aside" in shelf.read(KEY, dropped_meanwhile).warning
    assert shelf.quarantined() == ()


def test_entries_are_listed_by_last_use(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(KEY, FRAME)
    shelf.put(OTHER, FRAME + b"")
    os.utime(where(shelf, KEY), ns=(5, 5))
    os.utime(where(shelf, OTHER), ns=(7, 7))
    assert shelf.entries() == (Entry(KEY, len(FRAME), 5), Entry(OTHER, len(FRAME), 7))
    shelf.get(KEY)
    assert [entry.key for entry in shelf.entries()] == [OTHER, KEY]
    assert shelf.entries()[1].used_ns > 7


def test_a_full_disk_or_a_forbidden_folder_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"EEXIST|ENOTDIR"):
        Shelf(tmp_path / "file" / "shelf").put(KEY, FRAME)
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / f"{KEY}.frame").mkdir()
    with pytest.raises(StoreError, match="EISDIR"):
        Shelf(tmp_path).get(KEY)
    with pytest.raises(StoreError, match="EISDIR"):
        Shelf(tmp_path).put(KEY, FRAME)
    assert temps(Shelf(tmp_path)) == []


WRITER = """
import sys
from pathlib import Path
from quantum_assets.execution.shelf import Shelf
content = Path(sys.argv[2]).read_bytes()
print("ready", flush=True)
while True:
    Shelf(Path(sys.argv[1])).put("ab" * 32, content, durable=False)
"""


def test_a_killed_writer_leaves_a_whole_entry_and_its_leftovers_are_found(tmp_path: Path, report_figures: Any) -> None:
    shelf, big = Shelf(tmp_path / "shelf"), tmp_path / "big"
    big.write_bytes(seal("envelope", b"", {"a": np.arange(300_000.0)}))
    shelf.put(KEY, big.read_bytes())
    left, kills = 0, 6
    for _ in range(kills):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, shelf.root, big], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        while not temps(shelf):
            assert writer.poll() is None
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert shelf.get(KEY) == big.read_bytes()
        leftovers = temps(shelf)
        for temp in leftovers:
            os.utime(temp, ns=(5, 5))
        assert shelf.tidy(before_ns=5) == 0
        assert shelf.tidy(before_ns=6) == len(leftovers)
        assert temps(shelf) == []
        left += len(leftovers)
    assert len(shelf.entries()) == 1
    report_figures(f"{kills} writers killed while writing: entry whole every time, {left} leftovers tidied")


def _rewrite(root: Path, rounds: int, number: int) -> None:
    shelf = Shelf(root)
    for n in range(rounds):
        shelf.put(f"{n % 5:08x}", seal("workload", f"{number}/{n}".encode(), {"a": np.full(2000, n)}), durable=False)
        content = shelf.get(f"{(n + number) % 5:08x}")  # whole, or dropped by a neighbour
        assert content is None or verify(content) == "workload"
        if n % 7 == number:
            shelf.drop(f"{n % 5:08x}")


def test_many_processes_never_see_half_an_entry(tmp_path: Path) -> None:
    results(_rewrite, [(tmp_path, 60, number) for number in range(4)])
    assert Shelf(tmp_path).quarantined() == ()
    assert temps(Shelf(tmp_path)) == []
