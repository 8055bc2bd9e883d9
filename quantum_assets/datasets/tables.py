"""`Dataset` and `Features` as Arrow tables (contracts ``dataset/v1`` and ``features/v1``), and back, bit for bit."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quantum_assets.contracts.dataset import Dataset, Features, PreparedSplit
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import FloatArray

DATASET_KEY = b"quantum_assets.dataset_fingerprint"


def dataset_table(dataset: Dataset) -> pa.Table:
    """One row a sample: ``sample_id``, ``label``, ``label_index``, ``group`` (-1 without groups), ``x_<feature>``."""
    groups = np.full(dataset.n_samples, -1, dtype=np.int64) if dataset.groups is None else dataset.groups
    columns: dict[str, Any] = {
        "sample_id": pa.array(dataset.sample_ids, pa.string()),
        "label": pa.array([dataset.class_names[index] for index in dataset.labels], pa.string()),
        "label_index": pa.array(dataset.labels, pa.int64()),
        "group": pa.array(groups, pa.int64()),
    }
    for number, name in enumerate(dataset.feature_names):
        columns[f"x_{name}"] = pa.array(np.ascontiguousarray(dataset.features[:, number]), pa.float64())
    return pa.table(columns)


def dataset_from_table(table: pa.Table, name: str = "", source: str = "", data_class: str = "public") -> Dataset:
    """The rows of `dataset_table`; name, source and data class are not part of the table.

    Raises:
        PlanError: For a table that lacks a class index between 0 and the largest.
    """
    labels = _numbers(table["label_index"], np.int64)
    named = dict(zip(labels.tolist(), table["label"].to_pylist(), strict=True))
    if sorted(named) != list(range(len(named))):
        raise PlanError(f"dataset table {name}", f"has class indices {sorted(named)}", "Use 0, 1, 2 … without a gap")
    groups = _numbers(table["group"], np.int64)
    return Dataset(
        name=name,
        features=_matrix(table, "x_"),
        labels=labels,
        class_names=tuple(named[index] for index in sorted(named)),
        feature_names=tuple(c.removeprefix("x_") for c in table.column_names if c.startswith("x_")),
        sample_ids=tuple(table["sample_id"].to_pylist()),
        groups=None if (groups < 0).all() else groups,
        source=source,
        data_class=data_class,
    )


def features_table(features: Features, dataset: Dataset) -> pa.Table:
    """One row a split and sample: ``split``, ``sample_id``, ``row``, ``train``, ``q_0`` …, in split order.

    The dataset's fingerprint travels in the schema metadata.

    Raises:
        PlanError: When the features were not made from this dataset.
    """
    if features.dataset_fingerprint != dataset.fingerprint:
        raise PlanError(
            f"features of {dataset.name}", "were made from other rows than these", "Prepare this dataset again"
        )
    parts = list(features.splits.values())
    rows = np.concatenate([part.rows for part in parts])
    columns: dict[str, Any] = {
        "split": pa.array(
            np.repeat([part.split_id for part in parts], [len(part.rows) for part in parts]), pa.string()
        ),
        "sample_id": pc.take(pa.array(dataset.sample_ids, pa.string()), pa.array(rows)),
        "row": pa.array(rows, pa.int64()),
        "train": pa.array(np.concatenate([part.train for part in parts]), pa.bool_()),
    }
    values = np.concatenate([part.values for part in parts])
    for qubit in range(features.n_qubits):
        columns[f"q_{qubit}"] = pa.array(np.ascontiguousarray(values[:, qubit]), pa.float64())
    return pa.table(columns).replace_schema_metadata({DATASET_KEY: dataset.fingerprint.encode()})


def features_from_table(table: pa.Table, dataset_fingerprint: str | None = None) -> Features:
    """The features of `features_table`, bit for bit.

    Args:
        table: With the rows of each split together, in order.
        dataset_fingerprint: Of the rows they were made from; null: as the schema metadata says.

    Raises:
        PlanError: When neither the metadata nor the argument names the dataset, or a split is not in one piece.
    """
    stored = (table.schema.metadata or {}).get(DATASET_KEY, b"").decode()
    if not (dataset_fingerprint or stored):
        raise PlanError("features table", "does not say which dataset it belongs to", "Give dataset_fingerprint")
    names = table["split"].to_numpy()
    starts = np.flatnonzero(np.r_[True, names[1:] != names[:-1]]) if len(names) else np.empty(0, dtype=np.int64)
    if len(set(names[starts])) != len(starts):
        raise PlanError("features table", "rows of one split are not together", "Keep the order they were stored in")
    rows, train, values = _numbers(table["row"], np.int64), _numbers(table["train"], np.bool_), _matrix(table, "q_")
    pieces = zip(starts, [*starts[1:], len(names)], strict=True)
    splits = {str(names[a]): PreparedSplit(str(names[a]), rows[a:b], train[a:b], values[a:b]) for a, b in pieces}
    return Features(splits, values.shape[1], dataset_fingerprint or stored)


def _numbers(column: Any, dtype: type[Any]) -> Any:
    return np.array(column.to_numpy(), dtype=dtype)


def _matrix(table: pa.Table, prefix: str) -> FloatArray:
    columns = [_numbers(table[name], np.float64) for name in table.column_names if name.startswith(prefix)]
    return np.ascontiguousarray(np.column_stack(columns))
