"""Tables: the contracts hold, and nothing is lost on the way to a Parquet file and back."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource, Preparation, Protocol
from quantum_assets.contracts.tables import DATASET, FEATURES
from quantum_assets.datasets.loading import load
from quantum_assets.datasets.preparation import prepare
from quantum_assets.datasets.splits import splits
from quantum_assets.datasets.tables import dataset_from_table, dataset_table, features_from_table, features_table
from quantum_assets_tests.datasets.tables_of_files import some_examples

WINE = load(DataSource(dataset="wine"), "wine", Path())
FEATURES_OF_WINE = prepare(WINE, splits(WINE, Protocol(repeats=1)), Preparation(qubits=3))


def stored(table: pa.Table, folder: Path) -> pa.Table:
    pq.write_table(table, folder / "t.parquet")
    return pq.read_table(folder / "t.parquet")


def test_tables_keep_their_contracts() -> None:
    DATASET.to_pandera().validate(dataset_table(WINE).to_pandas())
    table = features_table(FEATURES_OF_WINE, WINE)
    FEATURES.to_pandera().validate(table.to_pandas())
    assert table.column_names == ["split", "sample_id", "row", "train", "q_0", "q_1", "q_2"]
    assert dataset_table(WINE).column_names[:5] == ["sample_id", "label", "label_index", "group", "x_alcohol"]
    assert dataset_table(WINE)["group"].to_pylist() == [-1] * WINE.n_samples


def test_dataset_round_trip_is_exact(tmp_path: Path) -> None:
    back = dataset_from_table(stored(dataset_table(WINE), tmp_path), "wine", "dataset wine", "internal")
    assert back.fingerprint == WINE.fingerprint
    assert (back.name, back.source, back.data_class) == ("wine", "dataset wine", "internal")


@some_examples
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 3)),
        min_size=1,
        max_size=20,
    ),
    st.booleans(),
)
def test_any_dataset_comes_back(rows: list[tuple[int, float, int]], grouped: bool) -> None:
    labels = np.unique([row[0] for row in rows], return_inverse=True)[1].astype(np.int64)
    values = np.array([[row[1], -row[1]] for row in rows])
    groups = np.array([row[2] for row in rows]) if grouped else None
    names = tuple(f"class {i}" for i in range(labels.max() + 1))
    dataset = Dataset("s", values, labels, names, ("a b", "x_c"), tuple(f"é{i}" for i in range(len(rows))), groups)
    back = dataset_from_table(dataset_table(dataset))
    assert back.fingerprint == dataset.fingerprint
    assert (back.groups is None) == (not grouped)


def test_features_round_trip_is_exact(tmp_path: Path) -> None:
    table = features_table(FEATURES_OF_WINE, WINE)
    for back in (features_from_table(table), features_from_table(stored(table, tmp_path))):
        assert back.fingerprint == FEATURES_OF_WINE.fingerprint
        assert list(back.splits) == list(FEATURES_OF_WINE.splits)
        for key, part in FEATURES_OF_WINE.splits.items():
            assert back.splits[key].values.tobytes() == part.values.tobytes()
            assert back.splits[key].train.tolist() == part.train.tolist()


def test_features_without_metadata_need_the_fingerprint() -> None:
    bare = features_table(FEATURES_OF_WINE, WINE).replace_schema_metadata(None)
    with pytest.raises(PlanError, match="features table: does not say which dataset it belongs to"):
        features_from_table(bare)
    assert features_from_table(bare, WINE.fingerprint).fingerprint == FEATURES_OF_WINE.fingerprint


def test_rows_out_of_order_are_refused() -> None:
    table = features_table(FEATURES_OF_WINE, WINE)
    mixed = table.take(np.random.default_rng(0).permutation(table.num_rows))
    with pytest.raises(PlanError, match="features table: rows of one split are not together"):
        features_from_table(mixed)


def test_features_of_another_dataset_are_refused() -> None:
    other = load(DataSource(dataset="iris"), "iris", Path())
    with pytest.raises(PlanError, match="features of iris: were made from other rows than these"):
        features_table(FEATURES_OF_WINE, other)


def test_gap_in_the_class_indices_is_refused() -> None:
    table = dataset_table(WINE).filter(pa.array(WINE.labels != 1))
    with pytest.raises(PlanError, match=r"dataset table wine: has class indices \[0, 2\]\. Use 0, 1, 2"):
        dataset_from_table(table, "wine")
