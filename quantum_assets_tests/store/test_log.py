import json
import os
from datetime import timedelta
from pathlib import Path

import pytest

from quantum_assets.contracts.errors import CorruptObject, PlanError, StoreError
from quantum_assets.store import log
from quantum_assets.store.files import no_op
from quantum_assets.store.footer import FileFacts
from quantum_assets.store.layout import Place, place
from quantum_assets.store.log import Commit
from quantum_assets_tests.store.samples import ASSET, IDEAL, START


def draft(where: Place, version: str) -> Commit:
    facts = FileFacts(10, "a" * 64, "b" * 64)
    created = START.isoformat()
    return Commit(
        ASSET, IDEAL, version, 0, created, "gram/v1", 3, facts, {"n": [1, {"x": 0.5}]}, {}, True, where.object(version)
    )


@pytest.fixture
def where(tmp_path: Path) -> Place:
    found = place(tmp_path, ASSET, IDEAL)
    found.log.mkdir(parents=True)
    return found


def add(where: Place, version: str) -> Commit:
    return log.append(where, draft(where, version), no_op, os.link)


def test_commits_are_numbered_from_one_and_read_back(where: Place) -> None:
    added = [add(where, v * 64) for v in "aab"]
    assert [c.sequence for c in added] == [1, 2, 3]
    assert [c.changed for c in added] == [True, False, True]
    assert log.read_all(where) == tuple(added)
    assert log.highest(where) == 3
    assert (where.log / "0000000003.json").exists()


def test_a_lost_race_takes_the_next_number(where: Place) -> None:
    rivals: list[str] = []

    def rival(step: str) -> None:
        if step == "commit-synced" and len(rivals) < 3:
            rivals.append(step)
            add(where, "c" * 64)

    won = log.append(where, draft(where, "d" * 64), rival, os.link)
    assert won.sequence == 4
    assert [c.version[0] for c in log.read_all(where)] == ["c", "c", "c", "d"]
    assert won.changed
    assert where.temps() == ()


def test_no_flipped_bit_of_an_entry_goes_unnoticed(where: Place) -> None:
    good = add(where, "a" * 64)
    path = where.log / "0000000001.json"
    content = path.read_bytes()
    refused = 0
    for bit in range(0, len(content) * 8, 7):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        said = read_or_complain(where)
        assert said == good or "wine/quantum_kernel [profile=ideal] commit 1" in str(
            said
        )  # white space carries nothing
        refused += said != good
    assert refused > len(content) * 8 // 7 * 0.8


def read_or_complain(where: Place) -> Commit | StoreError:
    try:
        return log.read_commit(where, 1)
    except StoreError as error:
        return error


def test_a_damaged_entry_hides_no_other(where: Place) -> None:
    for version in "abc":
        add(where, version * 64)
    (where.log / "0000000002.json").write_text("{}")
    healthy, damaged = log.read_healthy(where)
    assert [c.sequence for c in healthy] == [1, 3]
    assert "commit 2" in str(damaged[0])
    with pytest.raises(CorruptObject, match="commit 2"):
        log.read_all(where)


def test_an_entry_under_another_number_is_corrupt(where: Place) -> None:
    add(where, "a" * 64)
    os.link(where.log / "0000000001.json", where.log / "0000000002.json")
    with pytest.raises(CorruptObject, match="commit 2"):
        log.read_commit(where, 2)


def test_a_commit_after_a_damaged_one_counts_as_a_change(where: Place) -> None:
    add(where, "a" * 64)
    (where.log / "0000000001.json").write_text("{")
    assert add(where, "a" * 64).changed


def test_another_format_is_refused(where: Place) -> None:
    add(where, "a" * 64)
    path = where.log / "0000000001.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 9}))
    with pytest.raises(StoreError, match="format 9"):
        log.read_commit(where, 1)


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, b"x", "x" * 1_000_001, {"deep": [float("inf")]}])
def test_provenance_must_be_plain_json(value: object) -> None:
    with pytest.raises(PlanError, match="wine: provenance"):
        log.check_provenance({"value": value}, "wine")


def test_provenance_reads_back_as_it_was_checked() -> None:
    assert log.check_provenance({"t": (1, 2), "n": None, "f": 0.1}, "wine") == {"t": [1, 2], "n": None, "f": 0.1}


def test_removed_versions_are_marked_until_stored_again(where: Place) -> None:
    commit = add(where, "a" * 64)
    commit.path.touch()
    log.mark_removed(where, commit.version, START)
    log.mark_removed(where, commit.version, START + timedelta(days=1))
    assert not log.read_commit(where, 1).removed  # the object is still there: the removal did not happen
    commit.path.unlink()
    assert log.read_commit(where, 1).removed
    log.unmark_removed(where, commit.version)
    assert not log.read_commit(where, 1).removed


def test_commit_shows_size_and_time(where: Place) -> None:
    commit = add(where, "a" * 64)
    assert (commit.bytes, commit.time) == (10, START)
