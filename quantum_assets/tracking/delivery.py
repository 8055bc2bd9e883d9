"""One record into MLflow, once: every step can be repeated after a crash and changes nothing the second time.

The run is looked up by the hash of the record's key before it is created, values carry the record's own times so that
repeats collapse, and the run is ended last: a run that has ended is complete. Only `MlflowClient` with an explicit run
id is used, never MLflow's global active run.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from quantum_assets.contracts.record import DatasetInput, RunRecord
from quantum_assets.tracking.database import connect, experiment_id, speaking_to
from quantum_assets.tracking.model import register
from quantum_assets.tracking.outbox import Delivered
from quantum_assets.tracking.packing import KEY_HASH_TAG, KEY_TAG, Packed, batches, fit_text, pack
from quantum_assets.tracking.parcel import key_hash

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput as MlflowInput
    from mlflow.entities import Run

DIGEST_LIMIT = 36


class Door:
    """The open way to one MLflow: connects at first use and again after a failure.

    Args:
        home: The home whose records are delivered.
        tracking_uri: Where to.
    """

    def __init__(self, home: Path, tracking_uri: str) -> None:
        self.home = home
        self.tracking_uri = tracking_uri
        self._client: MlflowClient | None = None

    def open(self) -> "MlflowClient":
        """The client; raises `Unreachable` where MLflow does not answer."""
        if self._client is None:
            self._client = connect(self.home, self.tracking_uri)
        return self._client

    def deliver(self, record: RunRecord) -> Delivered:
        """See `deliver`."""
        return deliver(self.open(), self.home, self.tracking_uri, record)


def deliver(client: "MlflowClient", home: Path, tracking_uri: str, record: RunRecord) -> Delivered:
    """Bring a record into MLflow, or complete what an earlier attempt began.

    Args:
        client: From `connect`.
        home: Where artifacts of a local store go.
        tracking_uri: What the client speaks to.
        record: The record.

    Returns:
        The receipt, after which exactly one active run carries the record's key.

    Raises:
        Unreachable: If MLflow did not answer; try again later.
        TrackingError: If it refused the record.
    """
    with speaking_to(tracking_uri):
        experiment = experiment_id(client, home, tracking_uri, record.experiment)
        packed = pack(record)
        run = _find_run(client, experiment, record.key) or _create_run(client, experiment, record)
        if run.info.status == "RUNNING":
            _log_values(client, run.info.run_id, packed, record)
            _log_inputs(client, run.info.run_id, record.inputs)
            _log_artifacts(client, run.info.run_id, packed)
            if record.model is not None:
                register(client, experiment, run.info.run_id, record)
            client.set_terminated(run.info.run_id, status=record.status, end_time=record.ended_at)
            # Once more, for what a create with a lost answer left meanwhile; the one that stays is the receipt's.
            run = _find_run(client, experiment, record.key) or run
        return Delivered(record.key, str(run.info.run_id), experiment)


def _find_run(client: "MlflowClient", experiment: str, key: str) -> "Run | None":
    """The run of a key. A create whose answer was lost can leave two: all finders keep the ended or the first one."""
    wanted = f"tags.`{KEY_HASH_TAG}` = '{key_hash(key)}'"
    found = client.search_runs([experiment], filter_string=wanted)
    runs = sorted(found, key=lambda run: (run.info.status == "RUNNING", str(run.info.run_id)))
    for surplus in runs[1:]:
        client.delete_run(surplus.info.run_id)
    return runs[0] if runs else None


def _create_run(client: "MlflowClient", experiment: str, record: RunRecord) -> "Run":
    """Create the run with its key in one transaction, so that no attempt can leave a run nobody finds."""
    tags = {
        KEY_TAG: fit_text(record.key, 5000),
        KEY_HASH_TAG: key_hash(record.key),
        "mlflow.source.name": "quantum_assets",
        "mlflow.source.type": "JOB",
    }
    name = fit_text(record.run_name, 250)
    return client.create_run(experiment, start_time=record.started_at, tags=tags, run_name=name)


def _log_values(client: "MlflowClient", run_id: str, packed: Packed, record: RunRecord) -> None:
    from mlflow.entities import Metric, Param, RunTag

    for batch in batches(packed):
        client.log_batch(
            run_id,
            params=[Param(name, value) for name, value in batch.params.items()],
            tags=[RunTag(name, value) for name, value in batch.tags.items()],
            metrics=[Metric(name, value, timestamp=record.ended_at, step=0) for name, value in batch.metrics.items()],
        )


def _log_inputs(client: "MlflowClient", run_id: str, inputs: tuple[DatasetInput, ...]) -> None:
    if inputs:
        client.log_inputs(run_id, datasets=[_input_entity(item) for item in inputs])


def _input_entity(item: DatasetInput) -> "MlflowInput":
    """Name a version by our own digest: MLflow's digest of a frame reads a part of it only."""
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.entities import Dataset, InputTag
    from mlflow.entities import DatasetInput as MlflowInput

    source = CodeDatasetSource({"uri": fit_text(item.source, 10_000)})
    dataset = MetaDataset(source, name=fit_text(item.name, 400), digest=item.digest[:DIGEST_LIMIT])
    tags = [InputTag("mlflow.data.context", fit_text(item.context, 400)), InputTag("qa.digest", item.digest[:400])]
    return MlflowInput(Dataset.from_dictionary(dataset.to_dict()), tags)


def _log_artifacts(client: "MlflowClient", run_id: str, packed: Packed) -> None:
    if not packed.artifacts:
        return
    with tempfile.TemporaryDirectory(prefix="quantum-assets-") as folder:
        for name, data in packed.artifacts.items():
            target = Path(folder, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        client.log_artifacts(run_id, folder)
