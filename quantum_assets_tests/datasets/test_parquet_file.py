"""Parquet: types, pandas' hidden index, repeated names, damage."""

import datetime as dt
import random
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.loading import load
from quantum_assets_tests.datasets.tables_of_files import write, write_parquet

LABELS = ["x", "z", "x", "z"]


def parquet(folder: Path, **fields: Any) -> Dataset:
    return load(DataSource(**{"path": "t.parquet", "label": "y", **fields}), "wine", folder)


def parquet_error(folder: Path, **fields: Any) -> PlanError:
    with pytest.raises(PlanError) as caught:
        parquet(folder, **fields)
    return caught.value


def test_every_numeric_type_is_a_feature_and_dates_and_texts_are_not(tmp_path: Path) -> None:
    decimals = pa.array(["1.5", "2.5", "3.5", "4.5"]).cast(pa.decimal128(5, 2))
    columns = {
        "int": pa.array([1, 2, 4, 8], pa.int16()),
        "float": pa.array([1.5, 2, 3, 5], pa.float32()),
        "decimal": decimals,
        "flag": [True, False, False, True],
        "text": ["p", "q", "r", "s"],
        "day": [dt.date(2024, 1, day) for day in (1, 2, 3, 4)],
        "y": pa.array(LABELS).dictionary_encode(),
    }
    write_parquet(tmp_path, columns)
    dataset = parquet(tmp_path)
    assert dataset.feature_names == ("int", "float", "decimal", "flag")
    assert dataset.features[:, 2:].tolist() == [[1.5, 1], [2.5, 0], [3.5, 0], [4.5, 1]]
    assert dataset.class_names == ("x", "z")


def test_index_that_pandas_hides_is_not_a_feature(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 4, 9], "y": LABELS}, index=[5, 3, 9, 1])
    frame.to_parquet(tmp_path / "t.parquet")
    assert parquet(tmp_path).feature_names == ("a",)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (pa.array([1.0, 2.0, 1.0, 2.0]), ("1", "2")),
        (pa.array([10, 9, 10, 9]), ("9", "10")),
        (pa.array([True, False, True, False]), ("False", "True")),
        (pa.array(["b ", " a", "b", "a"], pa.large_string()), ("a", "b")),
    ],
)
def test_labels_of_any_type_become_names(labels: pa.Array, names: tuple[str, ...], tmp_path: Path) -> None:
    write_parquet(tmp_path, {"a": [1, 2, 3, 5], "y": labels})
    assert parquet(tmp_path).class_names == names


@pytest.mark.parametrize(
    ("column", "fields", "culprit", "problem"),
    [
        ([1, None, 3, 4], {}, "column 'a'", "1 value missing (empty or NaN) (row 1 (counted from 0))"),
        ([1, np.nan, 3, np.nan], {}, "column 'a'", "2 values missing (empty or NaN) (rows 1, 3 (counted from 0))"),
        ([1, -np.inf, 3, 4.0], {}, "column 'a'", "1 value infinite (row 1 (counted from 0))"),
        ([[1], [2], [3], [4]], {"features": ("a",)}, "column 'a'", "has type list<element: int64>, which is not a"),
        ([[1], [2], [3], [4]], {"group": "a"}, "group column 'a'", "has type list<element: int64>"),
        ([b"1", b"2", b"3", b"4"], {"sample_id": "a"}, "id column 'a'", "has type binary"),
        (["1", "two", "3", "4"], {}, "column 'a'", "row 1 (counted from 0) holds 'two', which is not a number"),
    ],
)
def test_columns_that_are_refused(
    column: list[Any], fields: dict[str, Any], culprit: str, problem: str, tmp_path: Path
) -> None:
    write_parquet(tmp_path, {"a": column, "b": [4, 3, 3, 5], "y": LABELS})
    error = parquet_error(tmp_path, **fields)
    assert error.culprit == f"wine: t.parquet: {culprit}"
    assert error.problem.startswith(problem)


def test_repeated_names_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1, 2]), pa.array([3, 4]), pa.array(["x", "z"])], names=["a", "a", "y"])
    pq.write_table(table, tmp_path / "t.parquet")
    assert parquet_error(tmp_path).problem == "is named 2 times in the header (columns 1, 2)"


def test_text_named_parquet(tmp_path: Path) -> None:
    write(tmp_path, "a,y\n1,x\n", "t.parquet")
    error = parquet_error(tmp_path)
    assert error.problem.startswith("is not a Parquet file (")
    assert error.mend == "Write it as Parquet, or name it .csv"


def test_no_rows(tmp_path: Path) -> None:
    write_parquet(tmp_path, {"a": pa.array([], pa.float64()), "y": pa.array([], pa.string())})
    assert parquet_error(tmp_path).problem == "has a header and no rows"


def test_random_damage_gives_one_clear_error_or_a_table(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, {"a": [1.0, 2, 3, 4] * 20, "b": [5, 1, 2, 2] * 20, "y": ["x", "z", "x", "z"] * 20})
    good, chance, refused = path.read_bytes(), random.Random(5), 0
    for _ in range(150):
        damaged = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.randrange(len(damaged))] if chance.random() < 0.1 else damaged)
        try:
            parquet(tmp_path)
        except PlanError:
            refused += 1
    assert refused > 50
