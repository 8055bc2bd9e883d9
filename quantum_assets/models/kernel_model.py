"""The classifier that is kept: refitted on all rows with the tuned configuration, as plain arrays.

No pickle, no scikit-learn: a `KernelModel` is numbers, answers in numpy, and is stored as a table (contract
``kernel_model/v1``) and as an npz file with a JSON beside it.
"""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.models import machine
from quantum_assets.models.grids import Configuration
from quantum_assets.models.machine import Machine

_ARRAYS, _FACTS = "model.npz", "model.json"


@dataclass(frozen=True, eq=False)
class KernelModel:
    """A fitted kernel classifier.

    Attributes:
        machine: Support rows (of the matrix), coefficients and intercepts.
        sample_ids: Sample id of each support row.
        class_names: Name of each class index.
        configuration: Map, bandwidth and C it was fitted with.
    """

    machine: Machine
    sample_ids: tuple[str, ...]
    class_names: tuple[str, ...]
    configuration: Configuration


def refit(gram: FloatArray, dataset: Dataset, configuration: Configuration) -> KernelModel:
    """Fit the tuned configuration on every row of a data set.

    Args:
        gram: Kernel values between all rows, in their order, shape `(n_samples, n_samples)`; repaired here if need be.
        dataset: Rows and labels, at least two classes; for a profile that takes a part of the rows, that part.
        configuration: Of the tuned kernel; only its C is used, the rest is kept as a record.

    Returns:
        The model.

    Raises:
        PlanError: For a matrix of other rows, or a single class.
    """
    if gram.shape != (dataset.n_samples, dataset.n_samples):
        raise PlanError(
            f"kernel model of {dataset.name}",
            f"the Gram matrix has shape {gram.shape} for {dataset.n_samples} rows",
            "Give the matrix of split full, and the data set of its rows",
        )
    if len(np.unique(dataset.labels)) < 2:
        raise PlanError(f"dataset {dataset.name}", "has rows of one class only", "Give rows of two classes or more")
    fitted = machine.fit(machine.training_kernel(gram), dataset.labels, configuration["C"])
    ids = tuple(dataset.sample_ids[row] for row in fitted.rows)
    return KernelModel(fitted, ids, dataset.class_names, dict(configuration))


def decision(model: KernelModel, kernel_rows: FloatArray) -> FloatArray:
    """Signed distance a row and class pair, shape `(n_new, n_pairs)`; positive speaks for the first of the pair.

    Args:
        model: The fitted model.
        kernel_rows: Kernel values of new rows against every row it was fitted on, shape `(n_new, n_train)`.

    Raises:
        PlanError: For kernel rows of another width.
    """
    return machine.decision(model.machine, kernel_rows)


def predict(model: KernelModel, kernel_rows: FloatArray) -> IntArray:
    """Class index a new row, into `class_names`; arguments and errors as `decision`."""
    return machine.predict(model.machine, kernel_rows)


def model_table(model: KernelModel) -> pa.Table:
    """The model as a table of contract ``kernel_model/v1``: one row a class pair and support vector that it uses."""
    fitted = model.machine
    rows = [
        {
            "sample_id": model.sample_ids[column],
            "row": int(fitted.rows[column]),
            "class_pair": "{}:{}".format(*fitted.classes[list(pair)]),
            "dual_coef": float(coefficients[column]),
            "intercept": float(intercept),
        }
        for pair, coefficients, intercept in zip(fitted.pairs, fitted.coefficients, fitted.intercepts, strict=True)
        for column in np.flatnonzero(coefficients)
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def model_from_table(
    table: pa.Table, class_names: tuple[str, ...], configuration: Configuration, n_train: int
) -> KernelModel:
    """The model back from its table; what the table does not hold is given beside it.

    Args:
        table: Of contract ``kernel_model/v1``.
        class_names: Of the data set it was fitted on.
        configuration: It was fitted with.
        n_train: Rows it was fitted on.

    Raises:
        PlanError: For an empty table, or one that names a class or row there is none of.
    """
    columns = {name: table.column(name).to_pylist() for name in _SCHEMA.names}
    labels = sorted({_classes(pair) for pair in columns["class_pair"]})
    classes = np.unique(np.array(labels, dtype=np.int64))
    rows = np.unique(np.array(columns["row"], dtype=np.int64))
    if not len(rows) or rows[-1] >= n_train or classes[-1] >= len(class_names):
        raise PlanError(
            "kernel model table",
            f"of {table.num_rows} rows does not fit {n_train} training rows and classes {', '.join(class_names)}",
            "Load it with the class names and row count of its own data set",
        )
    coefficients, intercepts = np.zeros((len(labels), len(rows))), np.zeros(len(labels))
    at = {label: pair for pair, label in enumerate(labels)}
    for pair, row, value, intercept in zip(
        columns["class_pair"], columns["row"], columns["dual_coef"], columns["intercept"], strict=True
    ):
        coefficients[at[_classes(pair)], np.searchsorted(rows, row)] = value
        intercepts[at[_classes(pair)]] = intercept
    ids = dict(zip(columns["row"], columns["sample_id"], strict=True))
    fitted = Machine(classes, np.searchsorted(classes, np.array(labels)), rows, coefficients, intercepts, n_train)
    return KernelModel(fitted, tuple(ids[int(row)] for row in rows), class_names, dict(configuration))


def model_arrays(model: KernelModel) -> dict[str, bytes]:
    """The model as files for a registry: arrays as npz, names and configuration as JSON; equal models, equal bytes."""
    fitted = model.machine
    arrays = io.BytesIO()
    np.savez(
        arrays,
        allow_pickle=False,
        classes=np.array([model.class_names[index] for index in fitted.classes]),
        class_indices=fitted.classes,
        pairs=fitted.pairs,
        rows=fitted.rows,
        coefficients=fitted.coefficients,
        intercepts=fitted.intercepts,
        n_train=np.int64(fitted.n_train),
    )
    facts = {
        "format": "kernel_model/v1",
        "sample_ids": model.sample_ids,
        "class_names": model.class_names,
        "configuration": dict(model.configuration),
    }
    text = json.dumps(facts, indent=2, sort_keys=True, allow_nan=False)
    return {_ARRAYS: arrays.getvalue(), _FACTS: text.encode()}


def model_from_arrays(files: Mapping[str, bytes]) -> KernelModel:
    """The model back from `model_arrays`; nothing in the files is executed.

    Raises:
        PlanError: For a missing file or another format.
    """
    missing = [name for name in (_ARRAYS, _FACTS) if name not in files]
    facts: dict[str, Any] = {} if missing else json.loads(files[_FACTS])
    if facts.get("format") != "kernel_model/v1":
        raise PlanError(
            "kernel model files", f"missing {missing}, format {facts.get('format')}", "Give both files of one model"
        )
    with np.load(io.BytesIO(files[_ARRAYS]), allow_pickle=False) as held:
        fitted = Machine(
            classes=held["class_indices"],
            pairs=held["pairs"],
            rows=held["rows"],
            coefficients=held["coefficients"],
            intercepts=held["intercepts"],
            n_train=int(held["n_train"]),
        )
    return KernelModel(fitted, tuple(facts["sample_ids"]), tuple(facts["class_names"]), facts["configuration"])


def _classes(pair: str) -> tuple[int, int]:
    first, second = pair.split(":")
    return int(first), int(second)


_SCHEMA = pa.schema(
    [
        ("sample_id", pa.string()),
        ("row", pa.int64()),
        ("class_pair", pa.string()),
        ("dual_coef", pa.float64()),
        ("intercept", pa.float64()),
    ]
)
