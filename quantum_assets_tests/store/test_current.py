"""Readers that know nothing of us read `current/` as it is, Hive columns included, and never an old version."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow.dataset as ds
import pytest

from quantum_assets.contracts.tables import GRAM
from quantum_assets.store.store import Store
from quantum_assets_tests.store.samples import ASSET, SCORES, gram, matrix, scores

KEYS = ("ideal", "A", "x/y z", "ü%41")


@pytest.fixture
def current(tmp_path: Path) -> Path:
    store = Store(tmp_path)
    for seed in (7, 0):  # the second round replaces the first
        for number, key in enumerate(KEYS):
            store.commit(ASSET, {"profile": key}, gram(10, seed + number), GRAM, {})
    return tmp_path / "current" / "wine" / "quantum_kernel"


def test_pandas(current: Path) -> None:
    frame = pd.read_parquet(current)
    assert len(frame) == 40
    assert set(frame.profile) == set(KEYS)
    one = frame[frame.profile == "x/y z"]
    np.testing.assert_array_equal(np.stack(one.k), matrix(10, 2).values)


def test_pyarrow(current: Path) -> None:
    table = ds.dataset(current, partitioning="hive").to_table(filter=ds.field("profile") == "ideal")
    assert table.num_rows == 10
    leaves = table.column("k").combine_chunks().flatten().to_numpy()
    np.testing.assert_array_equal(leaves.reshape(10, 10), matrix(10, 0).values)


def test_duckdb(current: Path) -> None:
    files = f"read_parquet('{current}/**/*.parquet', hive_partitioning = true)"
    frame = duckdb.sql(f"select * from {files} where profile = 'A' order by row").df()
    np.testing.assert_array_equal(np.stack(frame.k), matrix(10, 1).values)
    counts = duckdb.sql(f"select profile, count(*) from '{current}/**/*.parquet' group by 1").fetchall()
    assert dict(counts) == dict.fromkeys(KEYS, 10)


def test_polars(current: Path) -> None:
    frame = pl.scan_parquet(current).filter(pl.col("profile") == "ideal").collect()
    np.testing.assert_array_equal(frame["k"].to_numpy(), matrix(10, 0).values)
    assert set(pl.read_parquet(current / "**" / "*.parquet", hive_partitioning=True)["profile"]) == set(KEYS)


def test_one_file_of_an_unpartitioned_asset(tmp_path: Path) -> None:
    Store(tmp_path).commit(("wine", "evaluation"), {}, scores(), SCORES, {})
    path = tmp_path / "current" / "wine" / "evaluation" / "data.parquet"
    expected = [0.9, None, 0.0]
    assert pd.read_parquet(path).model.tolist() == ["quantum", "rbf", "größer"]
    assert pl.read_parquet(path)["score"].to_list() == expected
    assert [row[0] for row in duckdb.sql(f"select score from '{path}'").fetchall()] == expected
    assert ds.dataset(path).to_table()["score"].to_pylist() == expected
