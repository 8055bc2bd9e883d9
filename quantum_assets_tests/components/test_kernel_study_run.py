"""A small study through a real Dagster instance: it ends in a verdict, keeps its digests, and survives bad data."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pytest

import quantum_assets
from quantum_assets.contracts.tables import CONTRACTS
from quantum_assets.store.home import Home
from quantum_assets.store.store import Store
from quantum_assets_tests.components.conftest import Loader, Materialised

UNPARTITIONED = {"dataset", "features", "classical_kernels"}


def _run(defs: dg.Definitions, instance: dg.DagsterInstance, profile: str) -> dg.ExecuteInProcessResult:
    return defs.resolve_job_def("small_job").execute_in_process(
        instance=instance, partition_key=profile, raise_on_error=False
    )


def _versions(home: Path, profile: str) -> dict[str, str]:
    store = Store(Home(home).store)
    return {
        asset[-1]: store.find(asset, partition).version
        for asset, partition in store.assets()
        if partition in ({}, {"profile": profile})
    }


def _failure(result: dg.ExecuteInProcessResult) -> tuple[str, str]:
    for event in result.all_events:
        if event.event_type_value == "STEP_FAILURE":
            data: Any = event.event_specific_data
            described = data.user_failure_data
            return str(event.step_key), described.description if described else data.error.message
    raise AssertionError("no step failed")


@pytest.mark.parametrize("profile", ["ideal", "sampled", "noisy"])
def test_a_study_ends_in_a_verdict_under_every_profile(materialised: Materialised, profile: str) -> None:
    result, home = materialised.under(profile), materialised.home
    assert result.success, _failure(result)
    evaluations = result.get_asset_check_evaluations()
    assert evaluations
    assert all(evaluation.passed for evaluation in evaluations)
    store = Store(Home(home).store)
    found = [(asset, partition) for asset, partition in store.assets() if partition in ({}, {"profile": profile})]
    assert len(found) > len(UNPARTITIONED)
    for asset, partition in found:
        commit = store.find(asset, partition)
        assert commit.contract in CONTRACTS
        assert commit.provenance["environment"]["qiskit"]
    kernel = quantum_assets.load("small/quantum_kernel", home=home, profile=profile)
    rows = 24 if profile == "noisy" else 40
    assert kernel.shape == (rows, rows)
    assert kernel.index.equals(kernel.columns)
    verdict = quantum_assets.load("small/verdict", home=home, profile=profile)
    assert set(verdict["rival"]) == {"no_entanglers", "majority", "logistic"}


def test_unchanged_inputs_change_no_digest(materialised: Materialised) -> None:
    assert materialised.under("ideal").success
    first = _versions(materialised.home, "ideal")
    assert materialised.again("ideal").success
    assert _versions(materialised.home, "ideal") == first
    history = quantum_assets.history("small/quantum_kernel", home=materialised.home, profile="ideal")
    assert history["changed"].tolist() == [True, False]


def test_the_sampled_kernel_is_binomial_and_labelled(materialised: Materialised) -> None:
    result, home = materialised.under("sampled"), materialised.home
    counts = quantum_assets.load("small/quantum_kernel", home=home, profile="sampled").to_numpy() * 256
    assert np.allclose(counts, counts.round())
    (event,) = result.asset_materializations_for_node("small__quantum_kernel")
    assert "no circuits were run" in str(event.metadata["sampling"].value)
    assert event.metadata["circuits_run"].value == 0
    stderr = quantum_assets.load_gram("small/quantum_kernel", home=home, profile="sampled").to_numpy(column="stderr")
    assert 0 < stderr.max() <= 0.5 / 16


def test_the_noisy_kernel_was_run_as_circuits_and_is_not_mended(materialised: Materialised) -> None:
    (event,) = materialised.under("noisy").asset_materializations_for_node("small__quantum_kernel")
    assert event.metadata["circuits_run"].value >= 576
    kernel = quantum_assets.load("small/quantum_kernel", home=materialised.home, profile="noisy").to_numpy()
    assert np.abs(kernel - kernel.T).max() > 0
    assert np.diagonal(kernel).min() < 1


BAD_FILES: list[tuple[str, str, list[str]]] = [
    ("empty file", "", ["rows.csv", "empty"]),
    ("no rows", "id,a,b,c,y\n", ["rows.csv", "row"]),
    ("missing label", "id,a,b,c\ns1,1,2,3\n", ["y"]),
    ("duplicate columns", "id,a,a,c,y\ns1,1,2,3,no\n", ["a", "2 times"]),
    ("text in a feature", "TEXT", ["a", "old"]),
    ("NaN", "NAN", ["a"]),
    ("infinity", "INF", ["a"]),
    ("one class", "ONE", ["class"]),
    ("a class smaller than the folds", "FEW", ["class"]),
    ("a constant feature", "CONSTANT", ["c", "constant"]),
    ("repeated ids", "IDS", ["id"]),
]


def _rows_file(defs: dg.Definitions) -> Path:
    node = defs.resolve_asset_graph().get(dg.AssetKey(["small", "dataset"]))
    return Path(str(node.metadata["folder"])) / "rows.csv"


def _spoil(path: Path, kind: str) -> None:
    frame = pd.read_csv(path)
    columns: dict[str, Callable[[], Any]] = {
        "TEXT": lambda: frame.assign(a=["old", *frame["a"].astype(str)[1:]]),
        "NAN": lambda: frame.assign(a=[np.nan, *frame["a"][1:]]),
        "INF": lambda: frame.assign(a=[np.inf, *frame["a"][1:]]),
        "ONE": lambda: frame.assign(y="no"),
        "FEW": lambda: frame.assign(y=["yes", *["no"] * 39]),
        "CONSTANT": lambda: frame.assign(c=1.0),
        "IDS": lambda: frame.assign(id=["s1", "s1", *frame["id"][2:]]),
    }
    if kind in columns:
        columns[kind]().to_csv(path, index=False)
    else:
        path.write_text(kind)


@pytest.mark.parametrize(("name", "kind", "words"), BAD_FILES, ids=[name for name, _, _ in BAD_FILES])
def test_bad_data_is_refused_in_the_first_step_with_nothing_stored(
    load_study: Loader, quick_instance: dg.DagsterInstance, home: Path, name: str, kind: str, words: list[str]
) -> None:
    defs = load_study(source={"path": "rows.csv", "label": "y", "sample_id": "id", "features": ["a", "b", "c"]})
    source = _rows_file(defs)
    _spoil(source, kind)
    step, message = _failure(_run(defs, quick_instance, "ideal"))
    assert step == "small__dataset"
    for word in words:
        assert word in message, message
    assert not Store(Home(home).store).assets()


def test_a_million_rows_are_refused_unread_with_the_memory_they_would_take(
    load_study: Loader, quick_instance: dg.DagsterInstance, home: Path
) -> None:
    defs = load_study(source={"path": "rows.csv", "label": "y"})
    source = _rows_file(defs)
    source.write_text("a,b,c,y\n" + "1,2,3,yes\n4,5,6,no\n" * 500_000)
    step, message = _failure(_run(defs, quick_instance, "ideal"))
    assert step == "small__dataset"
    assert "GB" in message
    assert "max_samples" in message
