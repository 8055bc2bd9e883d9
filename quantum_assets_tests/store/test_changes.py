from pathlib import Path

from quantum_assets.contracts.tables import GRAM
from quantum_assets.store.changes import FIRST, NOTHING, what_changed
from quantum_assets.store.store import Commit, Store
from quantum_assets_tests.store.samples import ASSET, IDEAL, Clock, gram


def commits(root: Path, *provenances: dict) -> list[Commit]:
    store = Store(root, clock=Clock())
    return [store.commit(ASSET, IDEAL, gram(4), GRAM, provenance) for provenance in provenances]


def test_changes_name_what_differs(tmp_path: Path) -> None:
    first, second, third = commits(
        tmp_path,
        {"code_version": "1", "inputs": {"features": "a" * 64}, "seed": 7, "run": {"id": "x"}, "dagster_run_id": "1"},
        {"code_version": "2", "inputs": {"features": "b" * 64}, "seed": 7, "run": {"id": "y"}, "dagster_run_id": "2"},
        {"code_version": "2", "inputs": {"features": "b" * 64}, "maps": ["zz", "z"], "dagster_run_id": "3"},
    )
    assert what_changed(None, first) == FIRST
    assert what_changed(first, second) == "code_version: 1 → 2; inputs.features: aaaaaaaaaaaa… → bbbbbbbbbbbb…"
    assert what_changed(second, third) == "maps: none → zz, z; seed: 7 → none"
    assert what_changed(third, third) == NOTHING


def test_package_versions_are_causes(tmp_path: Path) -> None:
    from dataclasses import replace

    (commit,) = commits(tmp_path, {})
    newer = replace(commit, packages={**commit.packages, "numpy": "9.9"})
    assert what_changed(commit, newer) == f"packages.numpy: {commit.packages['numpy']} → 9.9"
