"""The thin adapter: what is stored, what is read back, and what the materialisation event says about it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pytest

from quantum_assets.contracts.columns import Column, TableContract
from quantum_assets.orchestration.io_manager import VERSION_KEY
from quantum_assets.orchestration.stored import Stored, materialized, provenance_of, version_of
from quantum_assets.store.home import Home
from quantum_assets.store.store import Store
from quantum_assets.tracking.sync import pending_count
from quantum_assets_tests.orchestration.storage import storage_without_courier

CONTRACT = TableContract(
    "test/v1",
    (Column("n", "int64", "A number."), Column("seconds", "float64", "A measurement.")),
    volatile=("seconds",),
)
PROFILES = dg.StaticPartitionsDefinition(["ideal", "noisy"])


def _stored(n: int, seconds: float = 0.0) -> Stored:
    return Stored(
        pa.table({"n": [n], "seconds": [seconds]}),
        CONTRACT,
        {"inputs": {"s/up": "abc"}, "made": n},
        metrics={"score": 0.5},
    )


def _assets(value: dict[str, Any], seen: dict[str, Any]) -> list[dg.AssetsDefinition]:
    @dg.asset(key=["s", "up"], partitions_def=PROFILES)
    def up() -> dg.MaterializeResult:  # type: ignore[type-arg]
        return materialized(_stored(value["n"], value.get("seconds", 0.0)))

    @dg.asset(key=["s", "down"], partitions_def=PROFILES, ins={"up": dg.AssetIn(["s", "up"])})
    def down(up: pa.Table) -> dg.MaterializeResult:  # type: ignore[type-arg]
        seen["table"] = up
        return materialized(_stored(int(up.column("n")[0].as_py()) + 1))

    @dg.asset(key=["s", "frame"], partitions_def=PROFILES, ins={"up": dg.AssetIn(["s", "up"])})
    def frame(up: pd.DataFrame) -> dg.MaterializeResult:  # type: ignore[type-arg]
        seen["frame"] = up
        return materialized(_stored(0))

    return [up, down, frame]


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


def _run(
    assets: list[dg.AssetsDefinition], home: Path, instance: dg.DagsterInstance, *keys: str, partition: str = "ideal"
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        assets,
        resources={"io_manager": storage_without_courier(home)},
        instance=instance,
        partition_key=partition,
        selection=[dg.AssetKey(["s", key]) for key in keys] if keys else None,
    )


def _event(result: dg.ExecuteInProcessResult, key: str) -> dg.AssetMaterialization:
    (event,) = result.asset_materializations_for_node(f"s__{key}")
    return event


def test_the_event_names_what_the_store_holds(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    result = _run(_assets({"n": 1}, {}), tmp_path, instance)
    event = _event(result, "up")
    store = Store(Home(tmp_path).store)
    commit = store.find(("s", "up"), {"profile": "ideal"})
    assert event.metadata[VERSION_KEY].value == commit.version
    assert (event.tags or {})["dagster/data_version"] == commit.version
    assert event.metadata["dagster/partition_row_count"].value == 1
    assert event.metadata["score"].value == 0.5
    schema = event.metadata["dagster/column_schema"].value
    assert [column.description for column in schema.columns] == ["A number.", "A measurement."]
    assert commit.provenance["dagster_run_id"] == result.run_id


def test_inputs_arrive_with_their_version_and_provenance(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    seen: dict[str, Any] = {}
    result = _run(_assets({"n": 7}, seen), tmp_path, instance)
    assert version_of(seen["table"]) == _event(result, "up").metadata[VERSION_KEY].value
    assert provenance_of(seen["table"])["made"] == 7
    assert isinstance(seen["frame"], pd.DataFrame)
    assert seen["frame"]["n"].tolist() == [7]


def test_unchanged_content_is_the_same_data_version_and_one_more_commit(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    value: dict[str, Any] = {"n": 1, "seconds": 1.0}
    first = _event(_run(_assets(value, {}), tmp_path, instance, "up"), "up")
    value["seconds"] = 2.0  # a measurement, not part of the answer
    second = _event(_run(_assets(value, {}), tmp_path, instance, "up"), "up")
    assert first.metadata[VERSION_KEY].value == second.metadata[VERSION_KEY].value
    assert second.metadata["quantum_assets/changed"].value is False
    history = Store(Home(tmp_path).store).history(("s", "up"), {"profile": "ideal"})
    assert [commit.changed for commit in history] == [True, False]


def test_the_recorded_version_is_read_not_the_newest(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    """A writer outside this instance must not change a run's inputs under its feet."""
    seen: dict[str, Any] = {}
    assets = _assets({"n": 1}, seen)
    _run(assets, tmp_path, instance, "up")
    Store(Home(tmp_path).store).commit(
        ("s", "up"), {"profile": "ideal"}, pa.table({"n": [99], "seconds": [0.0]}), CONTRACT, {}
    )
    _run(assets, tmp_path, instance, "down")
    assert seen["table"].column("n").to_pylist() == [1]


def test_an_instance_without_events_reads_the_newest(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    seen: dict[str, Any] = {}
    assets = _assets({"n": 5}, seen)
    _run(assets, tmp_path, instance, "up")
    with dg.DagsterInstance.ephemeral() as fresh:
        _run(assets, tmp_path, fresh, "down")
    assert seen["table"].column("n").to_pylist() == [5]


def test_partitions_are_kept_apart(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    value = {"n": 1}
    _run(_assets(value, {}), tmp_path, instance, "up", partition="ideal")
    value["n"] = 2
    _run(_assets(value, {}), tmp_path, instance, "up", partition="noisy")
    store = Store(Home(tmp_path).store)
    assert store.read(("s", "up"), {"profile": "ideal"}).column("n").to_pylist() == [1]
    assert store.read(("s", "up"), {"profile": "noisy"}).column("n").to_pylist() == [2]


def test_the_asset_succeeds_without_mlflow_and_the_record_waits(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    result = _run(_assets({"n": 1}, {}), tmp_path, instance, "up")
    assert result.success
    assert "outbox" in str(_event(result, "up").metadata["mlflow/pending"].value) or pending_count(tmp_path) == 1
    assert pending_count(tmp_path) == 1


def test_anything_but_stored_is_refused_with_the_way_to_do_it(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    @dg.asset(key=["s", "bare"])
    def bare() -> int:
        return 3

    with pytest.raises(dg.DagsterInvariantViolationError, match=r"return materialized\(Stored"):
        dg.materialize([bare], resources={"io_manager": storage_without_courier(tmp_path)}, instance=instance)
