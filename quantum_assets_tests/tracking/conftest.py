"""MLflow is imported once and its schema made once for the tests of this room; each test gets a copy of its own."""

import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from quantum_assets.contracts.record import RunRecord
from quantum_assets.tracking.database import connect, local_uri
from quantum_assets.tracking.outbox import Outbox
from quantum_assets.tracking.packing import KEY_HASH_TAG, KEY_TAG, pack
from quantum_assets.tracking.parcel import key_hash
from quantum_assets.tracking.sync import SyncReport, sync


@dataclass(frozen=True)
class Place:
    """A home with an MLflow store in it."""

    home: Path
    uri: str

    @property
    def outbox(self) -> Outbox:
        return Outbox(self.home / "outbox")

    @cached_property
    def client(self) -> Any:
        """Made at first use, which must come after children are forked: an open database does not survive a fork."""
        return connect(self.home, self.uri)

    def sync(self) -> SyncReport:
        return sync(self.home, self.uri)

    def runs(self, key: str | None = None) -> list[Any]:
        ids = [experiment.experiment_id for experiment in self.client.search_experiments()]
        wanted = f"tags.`{KEY_HASH_TAG}` = '{key_hash(key)}'" if key else ""
        return list(self.client.search_runs(ids, filter_string=wanted, max_results=5000))

    def assert_whole(self, record: RunRecord) -> str:
        """Exactly one active run has the record's key, and it has all of it; its run id."""
        (run,) = self.runs(record.key)
        packed = pack(record)
        assert run.info.status == record.status
        assert (run.info.start_time, run.info.end_time) == (record.started_at, record.ended_at)
        assert run.data.params == packed.params
        assert run.data.metrics == packed.metrics
        assert packed.tags.items() <= run.data.tags.items()
        assert run.data.tags[KEY_TAG] == record.key
        for name in packed.metrics:
            assert len(self.client.get_metric_history(run.info.run_id, name)) == 1
        folder = Path(run.info.artifact_uri.removeprefix("file://"))
        kept = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert kept == packed.artifacts
        assert [item.dataset.name for item in run.inputs.dataset_inputs] == [item.name for item in record.inputs]
        return str(run.info.run_id)


@pytest.fixture(scope="session")
def mlflow() -> Any:
    """MLflow itself; what it warns of while it is imported is its own affair."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        for name in ("MLFLOW_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
            patch.setenv(name, "true")
        import mlflow
        import mlflow.pyfunc
        import mlflow.store.model_registry.sqlalchemy_store
        import mlflow.store.tracking.sqlalchemy_store  # all that children which are forked later need

        return mlflow


@pytest.fixture(scope="session")
def schema(mlflow: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with MLflow's tables and nothing in them."""
    home = tmp_path_factory.mktemp("template")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        connect(home, local_uri(home))
    return home / "mlflow" / "mlflow.db"


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory in which nothing may be written, and no run that stays active."""
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def place(schema: Path, tmp_path: Path, nowhere: Path, mlflow: Any) -> Iterator[Place]:
    home = tmp_path / "home"
    (home / "mlflow").mkdir(parents=True)
    shutil.copy(schema, home / "mlflow" / "mlflow.db")
    yield Place(home, local_uri(home))
    assert mlflow.active_run() is None
