"""A kernel classifier in MLflow as plain arrays and a source file: nothing that is loaded was pickled.

`ModelRecord.arrays` holds `model.npz` (and may hold more files, kept beside it). For P class pairs, C classes, S
support vectors and the N columns of the input schema, which are the samples that a row's kernel values are against:

================  ===============  =======================================================================
``classes``       text, (C,)       labels by class number
``pairs``         int, (P, 2)      class numbers: a positive decision votes for the first, else for the second
``rows``          int, (S,)        columns of the input that have a coefficient
``coefficients``  float64, (P, S)  signed dual coefficients
``intercepts``    float64, (P,)    one a pair
================  ===============  =======================================================================

decision = K[:, rows] · coefficientsᵀ + intercepts; the label is the class with most votes, the first of them on a tie,
which is the one-against-one rule of LIBSVM (Chang and Lin, 2011, section 7).
"""

import io
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from quantum_assets.contracts.errors import TrackingError
from quantum_assets.contracts.record import ModelRecord, RunRecord
from quantum_assets.tracking.packing import KEY_HASH_TAG, KEY_TAG, fit_label, fit_text
from quantum_assets.tracking.parcel import key_hash

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel
    from mlflow.entities.model_registry import ModelVersion

MODEL_FILE = "model.npz"
ENDED_TAG, ALIAS_TAG = "qa.ended_at", "qa.alias"
_ALIAS_ROUNDS = 5


def register(client: "MlflowClient", experiment: str, run_id: str, record: RunRecord) -> None:
    """Log the record's model under its run, register it as a version and point its alias to the newest version.

    Every step looks for what an earlier attempt left. The alias never goes back to a record that ended earlier.

    Raises:
        TrackingError: If the arrays are no kernel classifier for the input schema.
    """
    model = record.model
    assert model is not None, "register is called for records with a model"
    check_arrays(model)
    logged = _logged_model(client, experiment, run_id, record.key, model)
    outputs = client.get_run(run_id).outputs
    if logged.model_id not in {item.model_id for item in (outputs.model_outputs if outputs else [])}:
        from mlflow.entities import LoggedModelOutput

        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    _version(client, run_id, record, logged)
    _point_alias(client, fit_label(model.name), fit_label(model.alias))


def check_arrays(model: ModelRecord) -> None:
    """Refuse arrays that could not predict, before a model is made of them.

    Raises:
        TrackingError: Naming the array and its shape.
    """
    import numpy as np  # here, for the courier should hold its lock before it imports anything

    culprit = f"model {model.name!r}"
    if MODEL_FILE not in model.arrays or len(model.output_schema) != 1:
        problem = f"has files {sorted(model.arrays)} and outputs {list(model.output_schema)}"
        raise TrackingError(culprit, problem, f"Give {MODEL_FILE} and one output column")
    try:
        with np.load(io.BytesIO(model.arrays[MODEL_FILE]), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in ("classes", "pairs", "rows", "coefficients", "intercepts")}
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise TrackingError(
            culprit, f"{MODEL_FILE} cannot be read ({error})", "Save plain arrays with np.savez"
        ) from error
    pairs, support = arrays["coefficients"].shape if arrays["coefficients"].ndim == 2 else (-1, -1)
    wanted = {"pairs": (pairs, 2), "rows": (support,), "coefficients": (pairs, support), "intercepts": (pairs,)}
    shapes = {name: array.shape for name, array in arrays.items()}
    if any(shapes[name] != shape for name, shape in wanted.items()) or arrays["classes"].ndim != 1:
        raise TrackingError(culprit, f"arrays have shapes {shapes}", "Give one coefficient a pair and support vector")
    beyond = np.append(arrays["rows"], 0).max() >= len(model.input_schema)
    if beyond or np.append(arrays["pairs"], 0).max() >= len(arrays["classes"]):
        problem = f"rows or pairs point past {len(model.input_schema)} columns and {len(arrays['classes'])} classes"
        raise TrackingError(culprit, problem, "Name every column of the kernel rows in input_schema")


def save(model: ModelRecord, folder: Path, run_id: str | None = None, model_id: str | None = None) -> None:
    """Write an MLflow model folder: a copy of `predictor.py`, the arrays, an explicit signature and requirements.

    Requirements are given, not inferred: inference loads the model in another process and takes some 20 s.
    """
    import mlflow
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    signature = ModelSignature(
        inputs=Schema([ColSpec("double", name) for name in model.input_schema]),
        outputs=Schema([ColSpec("string", name) for name in model.output_schema]),
    )
    with tempfile.TemporaryDirectory(prefix="quantum-assets-") as aside, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # advice on type hints and input examples
        arrays = Path(aside, "arrays")
        arrays.mkdir()
        for name, data in model.arrays.items():
            (arrays / Path(name).name).write_bytes(data)
        mlflow.pyfunc.save_model(
            str(folder),
            python_model=str(Path(__file__).with_name("predictor.py")),
            artifacts={"arrays": str(arrays)},
            signature=signature,
            pip_requirements=_requirements(),
            mlflow_model=Model(run_id=run_id, model_id=model_id),
        )


def _requirements() -> list[str]:
    from importlib.metadata import version

    return [f"{name}=={version(name)}" for name in ("mlflow", "numpy", "pandas")]


def _logged_model(client: "MlflowClient", experiment: str, run_id: str, key: str, model: ModelRecord) -> "LoggedModel":
    from mlflow.entities import LoggedModelStatus

    wanted = f"tags.`{KEY_HASH_TAG}` = '{key_hash(key)}'"
    found = sorted(
        client.search_logged_models([experiment], filter_string=wanted), key=lambda logged: str(logged.model_id)
    )
    tags = {KEY_TAG: fit_text(key, 5000), KEY_HASH_TAG: key_hash(key)}
    logged = found[0] if found else client.create_logged_model(
        experiment, name=fit_label(model.name), source_run_id=run_id, tags=tags, model_type="kernel classifier"
    )  # fmt: skip
    for surplus in found[1:]:
        client.delete_logged_model(surplus.model_id)
    if logged.status != LoggedModelStatus.READY:
        with tempfile.TemporaryDirectory(prefix="quantum-assets-") as aside:
            folder = Path(aside, "model")
            save(model, folder, run_id, logged.model_id)
            client.log_model_artifacts(logged.model_id, str(folder))
        client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)
    return logged


def _version(client: "MlflowClient", run_id: str, record: RunRecord, logged: "LoggedModel") -> None:
    from mlflow.exceptions import MlflowException

    assert record.model is not None, "register is called for records with a model"
    name, digest = fit_label(record.model.name), key_hash(record.key)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    if any(version.tags.get(KEY_HASH_TAG) == digest for version in _versions(client, name)):
        return
    tags = {
        KEY_TAG: fit_text(record.key, 5000),
        KEY_HASH_TAG: digest,
        ENDED_TAG: str(record.ended_at),
        ALIAS_TAG: fit_label(record.model.alias),
    }
    # The artifact place and not models:/<id>: MLflow would look that id up in the process's default store.
    client.create_model_version(
        name, source=logged.artifact_location, run_id=run_id, tags=tags, model_id=logged.model_id, await_creation_for=0
    )


def _point_alias(client: "MlflowClient", name: str, alias: str) -> None:
    """Point the alias to the version whose record ended last, until that is what MLflow says: other deliverers too."""
    for _ in range(_ALIAS_ROUNDS):
        versions = [version for version in _versions(client, name) if version.tags.get(ALIAS_TAG) == alias]
        newest = max(versions, key=lambda version: (int(version.tags[ENDED_TAG]), int(version.version)))
        pointed = client.get_registered_model(name).aliases.get(alias)
        if str(pointed) == str(newest.version):  # a database answers with a number, a server with text
            return
        client.set_registered_model_alias(name, alias, str(newest.version))


def _versions(client: "MlflowClient", name: str) -> "list[ModelVersion]":
    found, token = [], None
    while True:
        page = client.search_model_versions(f"name = '{name}'", page_token=token)
        found += list(page)
        token = page.token
        if not token:
            return found
