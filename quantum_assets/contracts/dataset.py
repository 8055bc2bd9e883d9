"""The tables a study starts from: the contract-checked `Dataset` and the per-split `Features`.

A `Split` says which rows are fitted on and which are judged; everything that learns from data (scaler, PCA, selection)
is fitted on `train` rows of each split alone, which is why features exist once a split.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.workload import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows, labels and ids of one study, after validation.

    Attributes:
        name: Whose data, for messages.
        features: Finite, shape `(n_samples, n_features)`.
        labels: Class index a row, shape `(n_samples,)`, 0-based.
        class_names: Name of each class index.
        feature_names: One a column.
        sample_ids: Unique, one a row.
        groups: Group index a row, or None.
        source: Where it came from, without credentials.
        data_class: How it may leave: public, internal, confidential or restricted.
    """

    name: str = field(metadata={"identity": False})
    features: FloatArray
    labels: IntArray
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    sample_ids: tuple[str, ...]
    groups: IntArray | None = None
    source: str = field(default="", metadata={"identity": False})
    data_class: str = field(default="public", metadata={"identity": False})

    def __post_init__(self) -> None:
        rows = self.features.shape[0]
        lengths = {"labels": len(self.labels), "sample_ids": len(self.sample_ids)}
        if self.groups is not None:
            lengths["groups"] = len(self.groups)
        wrong = {name: length for name, length in lengths.items() if length != rows}
        if self.features.ndim != 2 or wrong or len(self.feature_names) != self.features.shape[1]:
            raise PlanError(
                f"dataset {self.name}",
                f"features have shape {self.features.shape}, {len(self.feature_names)} column names, lengths {lengths}",
                "Give one label, one id and one row of features a sample",
            )
        if len(set(self.sample_ids)) != rows:
            raise PlanError(f"dataset {self.name}", "sample ids repeat", "Give every row its own id")

    @cached_property
    def fingerprint(self) -> str:
        """Content hash of the rows: values, labels, names and ids."""
        return fingerprint("dataset/v1", self)

    @property
    def n_samples(self) -> int:
        """Number of rows."""
        return int(self.features.shape[0])


@dataclass(frozen=True, eq=False)
class Split:
    """One way to part the rows; ids nest: ``r0f2`` is an outer fold, ``r0f2/i1`` inner to it, ``full`` all rows.

    Attributes:
        id: Unique within a study.
        train: Row numbers fitted on, ascending.
        test: Row numbers judged, ascending; empty for ``full``.
    """

    id: str
    train: IntArray
    test: IntArray

    @property
    def parent(self) -> str | None:
        """Id of the split that this one is inner to; None for outer splits and ``full``."""
        return self.id.rsplit("/", 1)[0] if "/" in self.id else None


@dataclass(frozen=True, eq=False)
class PreparedSplit:
    """A split with its prepared columns: `values[i]` belongs to dataset row `rows[i]`.

    Rows are the split's train and test rows, ascending; `train[i]` says which were fitted on.
    """

    split_id: str
    rows: IntArray
    train: BoolArray
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Features:
    """Prepared columns of every split of a study; values are unscaled by bandwidth (angles = bandwidth * value).

    Attributes:
        splits: By id, in protocol order: ``full``, its inner folds, then each outer fold followed by its inner folds.
        n_qubits: Columns of every split.
        dataset_fingerprint: Of the rows that they were made from.
    """

    splits: dict[str, PreparedSplit]
    n_qubits: int
    dataset_fingerprint: str

    def outer(self) -> Iterator[PreparedSplit]:
        """The outer folds, in order."""
        return (s for key, s in self.splits.items() if key != "full" and "/" not in key)

    def inner(self, split_id: str) -> Iterator[PreparedSplit]:
        """The inner folds of one split, in order."""
        return (s for key, s in self.splits.items() if key.startswith(f"{split_id}/"))

    def family(self, split_id: str) -> "Features":
        """One split that is not inner to another, and its inner folds, alone."""
        kept = {key: split for key, split in self.splits.items() if key.split("/", 1)[0] == split_id}
        return Features(kept, self.n_qubits, self.dataset_fingerprint)

    def restricted(self, rows: IntArray) -> "Features":
        """The same splits with only the given dataset rows; what was fitted stays as it was fitted."""
        kept = {}
        for key, split in self.splits.items():
            mask = np.isin(split.rows, rows)
            kept[key] = PreparedSplit(key, split.rows[mask], split.train[mask], split.values[mask])
        return Features(kept, self.n_qubits, self.dataset_fingerprint)

    @cached_property
    def fingerprint(self) -> str:
        """Content hash of every prepared value."""
        return fingerprint("features/v1", self)
