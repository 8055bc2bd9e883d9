"""The thin adapter between Dagster and the store: commit on output, read the recorded version on input.

Order on output: the table is committed, then the record is handed to tracking, then Dagster writes its event. A crash
between any two leaves at most an unreferenced version, never a reference to something that is not there.

On input the version named by the upstream's latest materialisation event is read, not whatever is newest on disk, so
that a concurrent writer cannot change a run's inputs under its feet.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import dagster as dg
import pandas as pd
import pyarrow as pa
from pydantic import Field, PrivateAttr

from quantum_assets.contracts.record import DatasetInput, RunRecord
from quantum_assets.orchestration.partitions import dimensions_of
from quantum_assets.orchestration.stored import Stored, with_origin
from quantum_assets.store.home import Home
from quantum_assets.store.store import Commit, Store
from quantum_assets.tracking.database import local_uri
from quantum_assets.tracking.tracker import Receipt, Tracker

VERSION_KEY = "quantum_assets/version"
STORAGE_KEY = "quantum_assets_store"
"""Resource key of the storage. Not Dagster's default key: a project that forgets it must fail to load, not pickle."""


class StoreIOManager(dg.ConfigurableIOManager):
    """Keeps every asset as immutable, digest-named Parquet and records it in MLflow without ever waiting long for it.

    Attributes:
        home: Folder that holds store, MLflow database and outbox.
        tracking_uri: MLflow tracking URI; empty: the SQLite database of `home`. With a password: give an `EnvVar`.
        mlflow_url: Where the MLflow UI answers, for links.
        dagster_url: Where the Dagster UI answers, for links.
    """

    home: str
    tracking_uri: str = Field("", repr=False)
    mlflow_url: str = "http://127.0.0.1:5000"
    dagster_url: str = "http://127.0.0.1:3000"
    _tracker: Tracker | None = PrivateAttr(default=None)

    @property
    def store(self) -> Store:
        """The store of this home."""
        return Store(Home(Path(self.home)).store)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Start the tracking courier early, so that it is ready when the first asset is."""
        self._tracker = self.new_tracker()
        if context.dagster_run is not None:
            self._tracker.warm()

    def handle_output(self, context: dg.OutputContext, obj: Stored) -> None:
        """Commit the table, record the run, and say both in the materialisation's metadata."""
        if not isinstance(obj, Stored):
            raise dg.DagsterInvariantViolationError(
                f"{context.asset_key.to_user_string()} returned {type(obj).__name__}; return materialized(Stored(...))"
            )
        partition = _partition(context.asset_partition_keys if context.has_asset_partitions else ())
        provenance = dict(obj.provenance) | {"dagster_run_id": context.run_id}
        commit = self.store.commit(tuple(context.asset_key.path), partition, obj.table, obj.contract, provenance)
        receipt = self._record(context, obj, commit)
        context.add_output_metadata(_output_metadata(obj, commit, receipt))

    def load_input(self, context: dg.InputContext) -> Any:
        """Read the recorded version of one upstream partition, or a mapping of them when several are asked for."""
        keys = tuple(context.asset_partition_keys) if context.has_asset_partitions else ()
        wants_frame = context.dagster_type.typing_type is pd.DataFrame
        read = {key: self._read(context, key) for key in keys or (None,)}
        values = {key: table.to_pandas() if wants_frame else table for key, table in read.items()}
        return next(iter(values.values())) if len(values) == 1 else values

    def newest(self, asset: tuple[str, ...], partition: str) -> pa.Table | None:
        """The newest stored version of one partition, whoever made it; None when there is none."""
        where = _partition((partition,) if partition else ())
        if not self.store.history(asset, where):
            return None
        commit = self.store.find(asset, where)
        return with_origin(self.store.read(asset, where, version=commit.version), commit.version, commit.provenance)

    def turn(self, asset: tuple[str, ...], partition: str) -> AbstractContextManager[None]:
        """One maker at a time of a partition that is made from the `newest` versions of others; see `Store.turn`."""
        return self.store.turn(asset, _partition((partition,) if partition else ()))

    def new_tracker(self) -> Tracker:
        """Tracking for this home; it connects to nothing until it is used."""
        home = Path(self.home)
        uri = self.tracking_uri
        known = uri.get_value() if isinstance(uri, dg.EnvVar) else uri  # outside of a run nobody has looked it up
        return Tracker(home, known or local_uri(home), self.mlflow_url)

    def _read(self, context: dg.InputContext, key: str | None) -> pa.Table:
        version = _recorded_version(context.step_context.instance, context.asset_key, key)
        asset, partition = tuple(context.asset_key.path), _partition((key,) if key else ())
        commit = self.store.find(asset, partition, version=version)
        table = self.store.read(asset, partition, version=commit.version)
        return with_origin(table, commit.version, commit.provenance)

    def _record(self, context: dg.OutputContext, stored: Stored, commit: Commit) -> Receipt:
        return (self._tracker or self.new_tracker()).record(_run_record(context, stored, commit, self.dagster_url))


def _partition(keys: Sequence[str]) -> dict[str, str]:
    if len(keys) > 1:
        raise dg.DagsterInvariantViolationError(
            "one run materialises one partition; leave backfill_policy out of the asset"
        )
    return dimensions_of(keys[0]) if keys else {}


def _recorded_version(instance: dg.DagsterInstance, key: dg.AssetKey, partition: str | None) -> str | None:
    """The version that the latest materialisation event names; None when this instance never saw one."""
    records_filter = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition] if partition else None)
    for record in instance.fetch_materializations(records_filter, limit=1).records:
        event = record.asset_materialization
        if event is not None and VERSION_KEY in event.metadata:
            return str(event.metadata[VERSION_KEY].value)
    return None


def _output_metadata(stored: Stored, commit: Commit, receipt: Receipt) -> dict[str, Any]:
    rows = "dagster/partition_row_count" if commit.partition else "dagster/row_count"
    metadata: dict[str, Any] = {
        "dagster/uri": dg.MetadataValue.path(str(commit.path)),
        rows: commit.rows,
        "dagster/column_schema": _column_schema(stored),
        VERSION_KEY: commit.version,
        "quantum_assets/commit": commit.sequence,
        "quantum_assets/changed": dg.MetadataValue.bool(commit.changed),
        "quantum_assets/bytes": commit.file.bytes,
    }
    if receipt.url:
        metadata["mlflow/run"] = dg.MetadataValue.url(receipt.url)
    if receipt.run_id:
        metadata["mlflow/run_id"] = receipt.run_id
    if not receipt.delivered:
        metadata["mlflow/pending"] = receipt.problem or "in the outbox; `quantum-assets sync` delivers it"
    return metadata


def _column_schema(stored: Stored) -> dg.TableSchema:
    described = {column.name: column for column in stored.contract.columns}
    opened = stored.contract.open_columns
    columns = []
    for field in stored.table.schema:
        contract = described.get(field.name) or (opened if opened and field.name.startswith(opened.name) else None)
        nullable = contract.nullable if contract else field.nullable
        columns.append(
            dg.TableColumn(
                field.name,
                type=str(field.type),
                description=contract.description if contract else None,
                constraints=dg.TableColumnConstraints(nullable=nullable, unique=bool(contract and contract.unique)),
            )
        )
    return dg.TableSchema(columns=columns[:256])


def _run_record(context: dg.OutputContext, stored: Stored, commit: Commit, dagster_url: str) -> RunRecord:
    now = int(time.time() * 1000)
    study, asset = context.asset_key.path[0], context.asset_key.path[-1]
    partition = "|".join(commit.partition.values())
    run_page = f"{dagster_url}/runs/{context.run_id}"
    asset_page = f"{dagster_url}/assets/{'/'.join(map(quote, context.asset_key.path))}{_on_partition(partition)}"
    tags = {
        "qa.asset": context.asset_key.to_user_string(),
        "qa.partition": partition,
        "qa.data_version": commit.version,
        "dagster.run_id": context.run_id,
        "dagster.url": run_page,
        "dagster.asset_url": asset_page,
        "mlflow.note.content": f"[Asset in Dagster]({asset_page}) · [run in Dagster]({run_page})",  # shown as Markdown
        **{name: word[:5000] for name, word in stored.tags.items() if word},
    }
    inputs = tuple(
        DatasetInput(name=name, digest=version, source=f"quantum_assets://{name}@{version}")
        for name, version in _inputs(stored.provenance).items()
    )
    output = DatasetInput(
        name=context.asset_key.to_user_string(), digest=commit.version, source=str(commit.path), context="output"
    )
    return RunRecord(
        key=f"{context.run_id}:{context.asset_key.to_user_string()}:{partition}",
        experiment=study,
        run_name=f"{asset}[{partition}]" if partition else asset,
        params=stored.params,
        metrics=stored.metrics,
        tags=tags,
        artifacts=dict(stored.artifacts) | {f"figures/{name}.png": png for name, png in stored.figures.items()},
        inputs=(*inputs, output),
        model=stored.model,
        started_at=stored.started_at or now,
        ended_at=now,
    )


def _on_partition(partition: str) -> str:
    """The part of an asset page's address that opens a partition."""
    return f"?view=partitions&partition={quote(partition, safe='')}" if partition else ""


def _inputs(provenance: Mapping[str, Any]) -> Mapping[str, str]:
    inputs = provenance.get("inputs", {})
    return inputs if isinstance(inputs, Mapping) else {}
