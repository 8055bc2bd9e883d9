"""Several processes commit to one partition at once, while a reader who knows only the path looks on."""

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from quantum_assets.contracts.tables import GRAM
from quantum_assets.store.digest import table_digest
from quantum_assets.store.maintenance import doctor
from quantum_assets.store.store import Store
from quantum_assets_tests.store.samples import ASSET, IDEAL, gram
from quantum_assets_tests.store.subjects import forked

SIZE = 30


def writer(root: Path, number: int, calls: int) -> None:
    """Commit again and again, some contents of one's own and some that every writer has; write down every answer."""
    events = []
    for call in range(calls):
        seed = call % 3 if call % 2 else 1000 * number + call
        made = Store(root).commit(ASSET, IDEAL, gram(SIZE, seed), GRAM, {"writer": number, "call": call})
        events.append([made.sequence, made.version, number, call])
    (root / f"events-{number}.json").write_text(json.dumps(events))


def is_over(child: int) -> bool:
    return os.waitpid(child, os.WNOHANG)[0] == child


@pytest.mark.parametrize(("writers", "calls"), [(2, 20), (8, 8)])
def test_commits_equal_events(tmp_path: Path, writers: int, calls: int, report_figures: Any) -> None:
    store = Store(tmp_path)
    first = store.commit(ASSET, IDEAL, gram(SIZE, 99), GRAM, {})
    current = store.place(first).current
    running = {forked(lambda number=number: writer(tmp_path, number, calls)) for number in range(writers)}
    looks = 0
    while running:
        with pq.ParquetFile(current) as file:
            assert table_digest(file.read(), GRAM) == json.loads(file.metadata.metadata[b"quantum_assets"])["version"]
        assert store.read(ASSET, IDEAL).num_rows == SIZE
        looks += 1
        running = {child for child in running if not is_over(child)}
    events = [event for path in tmp_path.glob("events-*.json") for event in json.loads(path.read_text())]
    history = store.history(ASSET, IDEAL)
    report_figures(
        f"{writers} processes x {calls}: {len(events)} calls, {len(history) - 1} commits, {looks} clean reads"
    )
    assert len(events) == writers * calls
    told = [[c.sequence, c.version, c.provenance["writer"], c.provenance["call"]] for c in history[1:]]
    assert sorted(events) == told
    assert [c.sequence for c in history] == list(range(1, writers * calls + 2))
    assert [c.changed for c in history[1:]] == [a.version != b.version for a, b in itertools.pairwise(history)]
    for version in {c.version for c in history}:
        assert table_digest(store.read(ASSET, IDEAL, version), GRAM) == version
    assert current.samefile(history[-1].path)
    assert doctor(store) == ()
    assert store.place(first).temps() == ()


def test_many_partitions_at_once(tmp_path: Path) -> None:
    def fill(number: int) -> None:
        for call in range(5):
            Store(tmp_path).commit(ASSET, {"profile": f"p{(number + call) % 4}"}, gram(SIZE, call), GRAM, {})

    children = [forked(lambda number=number: fill(number)) for number in range(4)]
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    store = Store(tmp_path)
    assert sum(len(store.history(*found)) for found in store.assets()) == 20
    assert doctor(store) == ()
