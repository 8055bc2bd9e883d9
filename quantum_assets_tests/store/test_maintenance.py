import os
from datetime import timedelta
from pathlib import Path

import pytest

from quantum_assets.contracts.errors import PlanError, VersionNotFound
from quantum_assets.contracts.tables import GRAM
from quantum_assets.store.log import Commit
from quantum_assets.store.maintenance import Finding, collect_garbage, doctor, verify
from quantum_assets.store.store import Store
from quantum_assets_tests.store.samples import ASSET, IDEAL, START, Clock, gram

DAY = timedelta(days=1)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store", clock=Clock(step=DAY))


def commit(store: Store, seed: int, profile: str = "ideal") -> Commit:
    return store.commit(ASSET, {"profile": profile}, gram(6, seed), GRAM, {})


def age(path: Path, days: int) -> None:
    """Date a file relative to the first commit."""
    moment = (START + days * DAY).timestamp()
    os.utime(path, (moment, moment))


def kinds(findings: tuple[Finding, ...]) -> list[str]:
    return [finding.kind for finding in findings]


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[300] ^= 4
    path.chmod(0o644)
    path.write_bytes(content)


def test_a_sound_store_has_no_findings(store: Store) -> None:
    assert doctor(store) == ()
    for seed in (0, 1, 0):
        commit(store, seed)
        commit(store, seed, "x" * 500)
    assert doctor(store) == ()
    assert verify(store) == ()


def test_corrupt_and_missing_objects_are_named(store: Store) -> None:
    first, second, _third = (commit(store, seed) for seed in (0, 1, 2))
    damage(first.path)
    second.path.unlink()
    found = {finding.kind: finding for finding in verify(store)}
    assert set(found) == {"corrupt object", "missing object"}
    assert found["corrupt object"].culprit == f"wine/quantum_kernel [profile=ideal] version {first.version[:12]}"
    assert second.version[:12] in str(found["missing object"])
    assert set(kinds(doctor(store))) == set(found)


def test_damaged_logs_are_named(store: Store) -> None:
    made = commit(store, 0)
    commit(store, 1)
    (store.place(made).log / "0000000001.json").write_text("{}")
    assert kinds(verify(store)) == ["damaged log"]
    assert "profile=ideal] commit 1" in str(verify(store)[0])


def test_leftovers_of_killed_writers_are_found_once_they_are_old(store: Store) -> None:
    made = commit(store, 0)
    temp = made.path.parent / ".temp-1.tmp"
    orphan = made.path.parent / f"{'ab' * 32}.parquet"
    for path in (temp, orphan):
        path.write_bytes(b"half")
        age(path, 0)
    assert sorted(kinds(doctor(store))) == ["orphan object", "stale temporary file"]
    assert doctor(store, stale=1000 * DAY) == ()


def test_a_partition_without_any_commit_shows_its_orphans(store: Store) -> None:
    made = commit(store, 0)
    (store.place(made).log / "0000000001.json").unlink()
    age(made.path, 0)
    assert sorted(kinds(doctor(store))) == ["orphan object", "wrong current"]
    assert store.assets() == ()


def test_a_wrong_current_is_found_and_mended(store: Store) -> None:
    first, second = commit(store, 0), commit(store, 1)
    current = store.place(second).current
    current.unlink()
    assert kinds(doctor(store)) == ["wrong current"]
    os.link(first.path, current)
    assert f"is not version {second.version[:12]}" in str(doctor(store)[0])
    store.refresh_current(ASSET, IDEAL)
    assert doctor(store) == ()
    current.unlink()
    current.write_bytes(second.path.read_bytes())
    assert doctor(store) == ()


def test_files_of_others_are_told(store: Store) -> None:
    commit(store, 0)
    stray = store.root / "current" / "wine" / "notes.txt"
    stray.write_text("mine")
    (store.root / "_store" / "Wine" / "_log").mkdir(parents=True)
    assert kinds(doctor(store)) == ["foreign file"]
    assert str(stray) in str(doctor(store)[0])


def test_retention_is_dry_until_asked_and_spares_the_newest(store: Store) -> None:
    made = [commit(store, seed) for seed in (0, 1, 2, 3)]
    other = commit(store, 0, "noisy")
    planned = collect_garbage(store, keep_versions=2, older_than=timedelta(0))
    assert [removal.version for removal in planned] == [made[1].version, made[0].version]
    assert all(c.path.exists() for c in made)
    done = collect_garbage(store, keep_versions=2, older_than=timedelta(0), dry_run=False)
    assert done == planned
    assert [c.path.exists() for c in made] == [False, False, True, True]
    assert other.path.exists()
    assert collect_garbage(store, keep_versions=2, older_than=timedelta(0), dry_run=False) == ()
    assert doctor(store) == ()


def test_history_stays_readable_and_says_what_is_gone(store: Store) -> None:
    made = [commit(store, seed) for seed in (0, 1)]
    collect_garbage(store, keep_versions=1, older_than=timedelta(0), dry_run=False)
    assert [c.removed for c in store.history(ASSET, IDEAL)] == [True, False]
    with pytest.raises(VersionNotFound, match=f"removed by retention. Choose one of {made[1].version[:12]}"):
        store.read(ASSET, IDEAL, made[0].version)
    commit(store, 0)
    assert [c.removed for c in store.history(ASSET, IDEAL)] == [False, False, False]
    assert store.read(ASSET, IDEAL, made[0].version).num_rows == 6


def test_a_version_lives_by_its_latest_commit(store: Store) -> None:
    made = [commit(store, seed) for seed in (0, 1, 0, 2)]
    removed = collect_garbage(store, keep_versions=2, older_than=timedelta(0))
    assert [removal.version for removal in removed] == [made[1].version]


def test_young_versions_stay(store: Store) -> None:
    made = [commit(store, seed) for seed in (0, 1, 2)]  # days 0, 1 and 2; the collector looks on day 3
    removed = collect_garbage(store, keep_versions=1, older_than=2.5 * DAY)
    assert [removal.version for removal in removed] == [made[0].version]


def test_orphans_and_temporary_files_go_once_they_are_old(store: Store) -> None:
    made = commit(store, 0)
    old, young = (made.path.parent / f".temp-{n}.tmp" for n in (1, 2))
    orphan = made.path.parent / f"{'ab' * 32}.parquet"
    for path, days in ((old, 0), (orphan, 0), (young, 30)):
        path.write_bytes(b"half")
        age(path, days)
    done = collect_garbage(store, keep_versions=1, older_than=DAY / 2, dry_run=False)
    assert sorted(removal.kind for removal in done) == ["orphan", "temporary"]
    assert [path.exists() for path in (old, orphan, young)] == [False, False, True]


def test_nothing_goes_where_the_log_is_damaged(store: Store) -> None:
    made = [commit(store, seed) for seed in (0, 1, 2)]
    (store.place(made[0]).log / "0000000002.json").write_text("{}")
    assert collect_garbage(store, keep_versions=1, older_than=timedelta(0), dry_run=False) == ()
    assert all(c.path.exists() for c in made)


@pytest.mark.parametrize(("keep", "older"), [(0, DAY), (-1, DAY), (1, -DAY)])
def test_senseless_retention_is_refused(store: Store, keep: int, older: timedelta) -> None:
    with pytest.raises(PlanError, match="retention"):
        collect_garbage(store, keep_versions=keep, older_than=older)
