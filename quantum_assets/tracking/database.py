"""The way to MLflow: a quiet import, a store initialised under a lock, experiments whose artifacts have a fixed place.

MLflow initialises a fresh SQLite store without a lock (of eight processes seven die), puts artifacts under the working
directory of whoever creates an experiment, waits for minutes on a server that is down, and phones home. Each of these
is settled here, before anything else speaks to it.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from quantum_assets.contracts.errors import QuantumAssetsError, TrackingError
from quantum_assets.tracking.parcel import key_hash

if TYPE_CHECKING:
    from mlflow import MlflowClient

INIT_PATIENCE = 120.0
_REFUSALS = {
    "INVALID_PARAMETER_VALUE", "BAD_REQUEST", "RESOURCE_ALREADY_EXISTS", "RESOURCE_DOES_NOT_EXIST", "NOT_FOUND",
    "INVALID_STATE",
}  # fmt: skip


class Unreachable(TrackingError):
    """MLflow did not answer, or not now; the same record may go through later."""


def local_uri(home: Path) -> str:
    """The tracking store of a home that names no server: SQLite under `<home>/mlflow`."""
    return f"sqlite:///{home.resolve() / 'mlflow' / 'mlflow.db'}"


def connect(home: Path, tracking_uri: str) -> "MlflowClient":
    """Open MLflow, creating its store if it is a database that is not there; safe in many processes at once.

    Args:
        home: The home, for the lock of an SQLite store and its artifacts.
        tracking_uri: ``sqlite:///…``, another database or ``http(s)://…``.

    Raises:
        Unreachable: If it does not answer.
        TrackingError: If it refuses, for example a store written by another release of MLflow.
    """
    _set_environment()
    with speaking_to(tracking_uri), _initialisation_lock(home, tracking_uri):
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        client.search_experiments(max_results=1)
        if is_database(tracking_uri):
            client.search_registered_models(max_results=1)  # the registry makes its own tables
        return client


def experiment_id(client: "MlflowClient", home: Path, tracking_uri: str, name: str) -> str:
    """Get or create an experiment; of processes that create it together one wins and all get its id.

    A database gets an explicit artifact place, `<home>/mlflow/artifacts/<name>`; a server keeps its own.

    Raises:
        TrackingError: If the experiment was deleted in MLflow, which hides it but keeps its name.
    """
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=_artifact_place(home, tracking_uri, name)))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        found = client.get_experiment_by_name(name)
    if found is None or found.lifecycle_stage != "active":
        raise TrackingError(
            f"MLflow experiment {name!r}",
            "was deleted there",
            "Restore it with `mlflow experiments restore`, or remove it for good with `mlflow gc`",
        )
    return str(found.experiment_id)


@contextlib.contextmanager
def speaking_to(tracking_uri: str) -> Iterator[None]:
    """Turn whatever MLflow and its libraries raise into `Unreachable` or `TrackingError`, without credentials."""
    try:
        yield
    except QuantumAssetsError:
        raise
    except Exception as error:  # MLflow lets its database, HTTP and cloud libraries raise through
        culprit, problem = f"MLflow at {redact(tracking_uri)}", redact(" ".join(str(error).split()))[:500]
        if getattr(error, "error_code", None) in _REFUSALS:
            raise TrackingError(culprit, problem, "Mend the record's cause and materialise again") from error
        raise Unreachable(culprit, problem, "Run `quantum-assets sync` when it answers") from error


def redact(text: str) -> str:
    """The text without user and password of any URL in it."""
    return re.sub(r"://[^/@\s]+@", "://***@", text)


def is_database(tracking_uri: str) -> bool:
    """Whether this process is to MLflow what its server would be: it opens the database itself."""
    return re.match(r"(sqlite|postgresql|mysql|mssql)\b", tracking_uri) is not None


def _set_environment() -> None:
    """Silence and bound MLflow; it reads these as it is imported and as it calls."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = os.environ["DO_NOT_TRACK"] = "true"
    # No retry inside MLflow: it repeats a POST whose answer was late, and a repeated create_run is a second run. The
    # outbox repeats whole deliveries instead, and looks the key up first.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")


@contextlib.contextmanager
def _initialisation_lock(home: Path, tracking_uri: str) -> Iterator[None]:
    if not is_database(tracking_uri):
        yield
        return
    sqlite = re.fullmatch(r"sqlite(?:\+\w+)?:///(?P<file>[^?]+)(?:\?.*)?", tracking_uri)
    beside = Path(sqlite["file"]) if sqlite else home / "mlflow" / "server"
    beside.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(beside.with_name(f"{beside.name}.initialise.lock"), timeout=INIT_PATIENCE):
        yield


def _artifact_place(home: Path, tracking_uri: str, name: str) -> str | None:
    if not is_database(tracking_uri):
        return None
    slug = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:60]
    folder = home.resolve() / "mlflow" / "artifacts" / f"{slug}-{key_hash(name)[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder.as_uri()
