import errno
import os
import shutil
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filelock import FileLock

from quantum_assets.contracts.errors import CorruptObject, PlanError, StoreError, VersionNotFound
from quantum_assets.contracts.tables import EVALUATION, GRAM
from quantum_assets.store import log
from quantum_assets.store.digest import table_digest
from quantum_assets.store.files import STEPS
from quantum_assets.store.maintenance import collect_garbage, doctor
from quantum_assets.store.store import Store
from quantum_assets_tests.store.samples import ASSET, IDEAL, SCORES, START, Clock, gram, scores
from quantum_assets_tests.store.test_files import NoLinks


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", clock=Clock())


def commit(store: Store, seed: int = 0, **provenance: object):
    return store.commit(ASSET, IDEAL, gram(8, seed), GRAM, provenance)


def same(table: pa.Table, seed: int) -> bool:
    return table.replace_schema_metadata().equals(gram(8, seed))


def test_making_a_store_touches_no_disk(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    assert store.assets() == ()
    assert store.history(ASSET, IDEAL) == ()
    assert not store.root.exists()


def test_a_commit_says_what_was_stored(store: Store) -> None:
    made = commit(store, seed=0, code_version="1")
    assert made.version == table_digest(gram(8, 0), GRAM)
    assert (made.asset, made.partition, made.sequence, made.rows, made.changed) == (ASSET, IDEAL, 1, 8, True)
    assert made.created_at == "2026-03-01T12:00:00.000000+00:00"
    assert made.contract == "gram/v1"
    assert made.bytes == made.path.stat().st_size
    assert made.provenance["code_version"] == "1"
    assert store.history(ASSET, IDEAL) == (made,)


def test_every_commit_is_an_event_and_a_version_is_stored_once(store: Store) -> None:
    made = [commit(store, seed) for seed in (0, 0, 1, 0)]
    assert [c.sequence for c in made] == [1, 2, 3, 4]
    assert [c.changed for c in made] == [True, False, True, True]
    assert len(store.place(made[0]).stored_versions()) == 2
    assert same(store.read(ASSET, IDEAL), 0)


def test_an_unchanged_commit_rewrites_no_bytes(store: Store) -> None:
    before = commit(store).path.stat()
    after = commit(store).path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_volatile_columns_make_no_version(store: Store) -> None:
    first = store.commit(("e",), {}, scores(cpu=1.0), SCORES, {})
    second = store.commit(("e",), {}, scores(cpu=2.0), SCORES, {})
    assert first.version == second.version
    assert store.read(("e",), {}).column("cpu_seconds").to_pylist() == [1.0] * 3


def test_versions_are_read_by_digest_prefix_and_time(store: Store) -> None:
    first, second, third = (commit(store, seed) for seed in (0, 1, 0))
    assert same(store.read(ASSET, IDEAL, second.version), 1)
    assert same(store.read(ASSET, IDEAL, second.version[:6]), 1)
    assert same(store.read(ASSET, IDEAL, second.version[:9].upper()), 1)
    assert store.find(ASSET, IDEAL, first.version) == third
    assert store.find(ASSET, IDEAL, as_of=second.time) == second
    assert store.find(ASSET, IDEAL, as_of=second.time + timedelta(seconds=59)) == second
    assert store.find(ASSET, IDEAL) == third
    with pytest.raises(VersionNotFound, match="its first commit is of 2026-03-01T12:00"):
        store.read(ASSET, IDEAL, as_of=START - timedelta(seconds=1))


def test_order_is_the_sequence_even_when_the_clock_steps_back(tmp_path: Path) -> None:
    store = Store(tmp_path, clock=Clock(step=timedelta(hours=-1)))
    made = [commit(store, seed) for seed in (0, 1, 2)]
    assert store.find(ASSET, IDEAL) == made[2]
    assert same(store.read(ASSET, IDEAL), 2)
    assert [c.sequence for c in store.history(ASSET, IDEAL)] == [1, 2, 3]
    assert store.find(ASSET, IDEAL, as_of=START) == made[2]
    assert store.find(ASSET, IDEAL, as_of=made[2].time) == made[2]
    assert same(pq.read_table(store.place(made[2]).current), 2)


def test_requests_that_cannot_be_meant(store: Store) -> None:
    made = commit(store)
    for version, as_of, said in (
        ("abc", None, "shorter than 6"),
        (made.version, START, "by version and by time"),
        (None, START.replace(tzinfo=None), "no time zone"),
    ):
        with pytest.raises(PlanError, match=said):
            store.read(ASSET, IDEAL, version, as_of)


def test_what_is_missing_is_answered_with_what_is_there(store: Store) -> None:
    with pytest.raises(VersionNotFound, match="this store is empty"):
        store.read(ASSET, IDEAL)
    made = commit(store)
    store.commit(ASSET, {"profile": "noisy"}, gram(8, 3), GRAM, {})
    with pytest.raises(VersionNotFound, match="profile=ideal; profile=noisy"):
        store.read(ASSET, {"profile": "sampled"})
    with pytest.raises(VersionNotFound, match="profile=ideal"):
        store.read(ASSET, {})
    with pytest.raises(VersionNotFound, match=r"wine/quantum_kernel\.$"):
        store.read(("wine", "quantum_kernels"), IDEAL)
    with pytest.raises(VersionNotFound, match=made.version[:12]):
        store.read(ASSET, IDEAL, "0123456789")


def test_an_ambiguous_prefix_lists_the_versions(store: Store) -> None:
    made = commit(store)
    twin = made.version[:10] + "0" * 54
    log.append(store.place(made), replace(made, version=twin), lambda step: None, os.link)
    with pytest.raises(VersionNotFound, match=f"any of .*{made.version}"):
        store.read(ASSET, IDEAL, made.version[:8])


def test_bad_input_is_refused_before_anything_is_written(store: Store) -> None:
    refused = [
        (("wine", "../evil"), IDEAL, gram(4), GRAM, {}),
        (ASSET, {"profile": "../../evil"}, gram(4), GRAM, {}),
        (ASSET, {"profile": "a\x00"}, gram(4), GRAM, {}),
        (ASSET, {"profile": "x" * 2000}, gram(4), GRAM, {}),
        (ASSET, IDEAL, gram(4), EVALUATION, {}),
        (ASSET, IDEAL, gram(4), GRAM, {"when": START}),
    ]
    for arguments in refused:
        with pytest.raises(PlanError):
            store.commit(*arguments)
    assert not store.root.exists()


def test_awkward_but_honest_keys_are_stored_and_listed(store: Store) -> None:
    keys = ["", "A", "a", "x/y", "x" * 1000, "ü ñ", ".hidden", "%41"]
    for number, key in enumerate(keys):
        store.commit(ASSET, {"profile": key}, gram(3, number), GRAM, {})
    for number, key in enumerate(keys):
        assert store.read(ASSET, {"profile": key}).replace_schema_metadata().equals(gram(3, number))
    assert sorted(partition["profile"] for _, partition in store.assets()) == sorted(keys)


def test_current_is_the_newest_object_itself(store: Store) -> None:
    for seed in (0, 1, 0):
        made = commit(store, seed)
        current = store.place(made).current
        assert current.samefile(made.path)
        assert same(pq.read_table(current), seed)
    assert [path.name for path in (store.root / "current").rglob("*") if path.is_file()] == ["data.parquet"]


def test_objects_are_read_only(store: Store) -> None:
    made = commit(store)
    assert made.path.stat().st_mode & 0o222 == 0


def test_file_systems_without_hard_links_are_served_by_copies(tmp_path: Path) -> None:
    store = Store(tmp_path, link=NoLinks(errno.EPERM))
    for seed in (0, 1, 1, 0):
        made = commit(store, seed)
        current = store.place(made).current
        assert not current.samefile(made.path)
        assert current.read_bytes() == made.path.read_bytes()
    assert [c.sequence for c in store.history(ASSET, IDEAL)] == [1, 2, 3, 4]
    assert store.place(made).temps() == ()


def test_a_store_can_be_moved(store: Store, tmp_path: Path) -> None:
    commit(store)
    moved = Store(tmp_path / "elsewhere")
    shutil.move(store.root, moved.root)
    assert same(moved.read(ASSET, IDEAL), 0)
    assert commit(moved, 1).sequence == 2


def damage(path: Path, at: int = 200) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_corrupt_object_is_named_and_healed_by_the_next_write(store: Store) -> None:
    old, new = commit(store, 0), commit(store, 1)
    damage(new.path)
    with pytest.raises(CorruptObject) as caught:
        store.read(ASSET, IDEAL)
    assert f"wine/quantum_kernel [profile=ideal] version {new.version[:12]}" in str(caught.value)
    assert same(store.read(ASSET, IDEAL, old.version), 0)
    healed = commit(store, 1)
    assert not healed.changed
    assert same(store.read(ASSET, IDEAL), 1)
    assert same(store.read(ASSET, IDEAL, as_of=new.time), 1)
    assert same(pq.read_table(store.place(healed).current), 1)


def test_a_lost_object_is_healed_by_the_next_write(store: Store) -> None:
    made = commit(store)
    made.path.unlink()
    with pytest.raises(CorruptObject, match="is missing from the store"):
        store.read(ASSET, IDEAL)
    commit(store)
    assert same(store.read(ASSET, IDEAL), 0)


def test_a_swapped_object_is_noticed(store: Store) -> None:
    first, second = commit(store, 0), commit(store, 1)
    second.path.unlink()
    shutil.copy(first.path, second.path)
    with pytest.raises(CorruptObject, match=second.version[:12]):
        store.read(ASSET, IDEAL)


def test_verification_can_be_left_out_but_not_the_page_checksums(store: Store) -> None:
    made = commit(store)
    assert same(store.read(ASSET, IDEAL, verify=False), 0)
    page = pq.read_metadata(made.path).row_group(0).column(2).data_page_offset
    damage(made.path, page + 60)
    with pytest.raises(CorruptObject):
        store.read(ASSET, IDEAL, verify=False)


def test_an_orphan_of_a_crash_is_not_trusted(store: Store) -> None:
    made = commit(store)
    shutil.rmtree(made.path.parent / "_log")
    damage(made.path, made.bytes - 300)
    again = commit(store)
    assert again.sequence == 1
    assert same(store.read(ASSET, IDEAL), 0)


def test_columns_are_read_alone(store: Store) -> None:
    commit(store)
    assert store.read(ASSET, IDEAL, columns=["sample_id"]).column_names == ["sample_id"]


def test_the_footer_carries_the_provenance(store: Store) -> None:
    made = commit(store, code_version="7")
    text = pq.read_metadata(store.place(made).current).metadata[b"quantum_assets"].decode()
    for said in (
        '"format": 1',
        made.version,
        '"code_version": "7"',
        '"profile": "ideal"',
        made.created_at,
        '"rows": 8',
    ):
        assert said in text


def test_steps_are_told_in_order(tmp_path: Path) -> None:
    told: list[str] = []
    commit(Store(tmp_path, steps=told.append))
    assert tuple(told) == STEPS
    told.clear()
    commit(Store(tmp_path, steps=told.append))
    assert told == ["commit-temp-written", "commit-synced", "commit-written"]


def test_a_partition_held_by_another_is_reported(store: Store) -> None:
    where = store.place(commit(store))
    with FileLock(where.lock), pytest.raises(StoreError, match=r"another process has been committing to it for 0.05 s"):
        commit(replace(store, lock_seconds=0.05), 1)
    assert commit(store, 1).sequence == 2


def test_threads_of_one_process_take_turns(store: Store) -> None:
    threads = [threading.Thread(target=commit, args=(store, seed)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [c.sequence for c in store.history(ASSET, IDEAL)] == [1, 2, 3, 4, 5, 6]
    newest = store.find(ASSET, IDEAL)
    assert store.place(newest).current.samefile(newest.path)


def test_current_is_mended_on_request(store: Store) -> None:
    first, second = commit(store, 0), commit(store, 1)
    current = store.place(second).current
    current.unlink()
    os.link(first.path, current)
    store.refresh_current(ASSET, IDEAL)
    assert current.samefile(second.path)
    current.unlink()
    store.refresh_current(ASSET, IDEAL)
    assert current.samefile(second.path)
    with pytest.raises(VersionNotFound):
        store.refresh_current(ASSET, {"profile": "none"})


def test_a_damaged_log_entry_leaves_other_versions_readable(store: Store) -> None:
    first, second, _ = (commit(store, seed) for seed in (0, 1, 2))
    entry = store.place(first).log / "0000000002.json"
    entry.write_text("{}")
    assert same(store.read(ASSET, IDEAL), 2)
    assert same(store.read(ASSET, IDEAL, first.version), 0)
    with pytest.raises(VersionNotFound):
        store.read(ASSET, IDEAL, second.version)
    with pytest.raises(CorruptObject, match="commit 2"):
        store.read(ASSET, IDEAL, as_of=first.time)
    with pytest.raises(CorruptObject, match="commit 2"):
        store.history(ASSET, IDEAL)


class Overtaken(Store):
    """A reader that is overtaken: after its first look at the log, another writer heals the object."""

    def find(self, *request, **more):
        found = super().find(*request, **more)
        commit(Store(self.root), 0)
        return found


def test_a_reader_overtaken_by_a_healing_writer_looks_again(store: Store) -> None:
    made = commit(store)
    damage(made.path)
    assert same(Overtaken(store.root).read(ASSET, IDEAL), 0)
    assert store.find(ASSET, IDEAL).file != made.file


MODES = ("wine", "modes")


def test_a_turn_is_one_makers_at_a_time_and_another_partitions_is_its_own(store: Store) -> None:
    hurried = replace(store, turn_seconds=0)
    with (
        store.turn(MODES, {}),
        hurried.turn(MODES, IDEAL),
        hurried.turn(ASSET, {}),
        pytest.raises(StoreError, match=r"modes.*another process has been making it for 0 s"),
        hurried.turn(MODES, {}),
    ):
        pytest.fail("two makers of one partition at the same time")
    with hurried.turn(MODES, {}):
        pass


def test_a_turn_that_fails_is_over_and_leaves_a_sound_store(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.turn(MODES, {}):
        raise ZeroDivisionError
    assert store.assets() == ()
    assert doctor(store) == ()
    with replace(store, turn_seconds=0, lock_seconds=0.05).turn(ASSET, IDEAL):
        commit(store)  # takes the lock of commits, which is another one
    assert doctor(store) == ()
    assert collect_garbage(store, 1, timedelta(0), dry_run=False) == ()
    assert same(store.read(ASSET, IDEAL), 0)
