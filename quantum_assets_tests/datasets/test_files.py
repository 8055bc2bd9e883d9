"""Paths, URLs, sizes: what cannot be read is refused with the place that was looked at and without credentials."""

import io
from pathlib import Path

import fsspec
import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets import csv_file
from quantum_assets.datasets.files import check_present, count_rows, locate, opened, read
from quantum_assets.datasets.loading import load
from quantum_assets_tests.datasets.tables_of_files import GOOD_CSV, refusal, write, write_parquet


def source(path: str, **fields: object) -> DataSource:
    return DataSource(**{"path": path, "label": "y", **fields})  # type: ignore[arg-type]


def error_of(path: str, folder: Path, max_rows: int | None = None, **fields: object) -> PlanError:
    with pytest.raises(PlanError) as caught:
        read(source(path, **fields), "wine", folder, max_rows)
    return caught.value


def test_relative_absolute_and_url_name_the_same_rows(tmp_path: Path) -> None:
    path = write(tmp_path, GOOD_CSV)
    fsspec.filesystem("memory").pipe("/quantum_assets_tests/t.csv", GOOD_CSV.encode())
    places = ["t.csv", "./t.csv", str(path), path.as_uri(), "memory://quantum_assets_tests/t.csv"]
    loaded = [load(source(place), "wine", tmp_path) for place in places]
    assert len({dataset.fingerprint for dataset in loaded}) == 1
    assert [dataset.source for dataset in loaded] == places
    assert loaded[0].features.tolist() == [[1, 2], [3, 4.5], [5, 1], [2, 7]]


def test_parquet_by_url_is_the_same_as_csv(tmp_path: Path) -> None:
    table = {"a": [1, 3, 5, 2], "b": [2, 4.5, 1, 7], "y": ["x", "z", "x", "z"]}
    write_parquet(tmp_path, table)
    write(tmp_path, GOOD_CSV)
    from_csv, from_parquet = (load(source(path), "wine", tmp_path) for path in ("t.csv", "t.parquet"))
    assert from_csv.fingerprint == from_parquet.fingerprint


def test_missing_file_names_place_and_neighbour(tmp_path: Path) -> None:
    write(tmp_path, GOOD_CSV, "patients.csv")
    error = error_of("patient.csv", tmp_path)
    assert error.culprit == "wine: patient.csv"
    assert error.problem == f"there is no file {tmp_path / 'patient.csv'}"
    assert error.mend == "Did you mean 'patients.csv'? Correct source.path (relative to the study's folder)"
    assert "Did you mean" not in error_of("elsewhere/patient.csv", tmp_path).mend


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("t.xlsx", "ends in '.xlsx', which is neither CSV nor Parquet"),
        ("t", "has no extension"),
        ("t.csv.gz", "ends in '.gz', which is neither CSV nor Parquet"),
        ("a\0.csv", "is blank or holds control characters"),
        ("a\n.csv", "is blank or holds control characters"),
        ("  ", "is blank or holds control characters"),
    ],
)
def test_paths_that_are_no_table(path: str, problem: str, tmp_path: Path) -> None:
    error = error_of(path, tmp_path)
    assert error.culprit.startswith("wine: source.path")
    assert error.problem == problem


def test_folder_empty_file_and_endless_name(tmp_path: Path) -> None:
    (tmp_path / "d.csv").mkdir()
    write(tmp_path, b"", "empty.parquet")
    assert error_of("d.csv", tmp_path).problem == "is a folder"
    assert error_of("empty.parquet", tmp_path).problem == "the file is empty (0 bytes)"
    endless = error_of("x" * 5000 + ".csv", tmp_path)
    assert "cannot be looked at (File name too long)" in str(endless)
    assert len(str(endless)) < 300


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://user:p@ss@localhost:1/t.csv?sig=hidden", "https://localhost:1/t.csv"),
        ("simplecache::https://user:hidden@localhost:1/t.csv", "simplecache::https://localhost:1/t.csv"),
        ("foo://user:hidden@bucket/t.csv", "foo://bucket/t.csv"),
    ],
)
def test_credentials_never_reach_a_message(url: str, public: str, tmp_path: Path) -> None:
    error = error_of(url, tmp_path)
    assert error.culprit == f"wine: {public}"
    assert error.__cause__ is None
    for secret in ("hidden", "user", "p@ss", "sig"):
        assert secret not in str(error)


def test_source_of_a_url_is_without_credentials(tmp_path: Path) -> None:
    fsspec.filesystem("memory").pipe("/secret@quantum_assets_tests/t.csv", GOOD_CSV.encode())
    dataset = load(source("memory://secret@quantum_assets_tests/t.csv"), "wine", tmp_path)
    assert dataset.source == "memory://quantum_assets_tests/t.csv"


def test_unknown_protocol_and_missing_object(tmp_path: Path) -> None:
    assert error_of("foo://b/t.csv", tmp_path).problem == "fsspec knows no protocol 'foo'"
    missing = error_of("memory://nowhere/t.csv", tmp_path)
    assert "cannot be read (FileNotFoundError" in missing.problem
    assert missing.mend == "Correct source.path, and see that it can be reached from here"


def test_check_present_opens_no_url(tmp_path: Path) -> None:
    check_present(locate("https://localhost:1/t.csv", "wine", tmp_path))


def test_whatever_a_store_raises_becomes_one_error(tmp_path: Path) -> None:
    file = locate(str(write(tmp_path, GOOD_CSV)), "wine", tmp_path)
    for raised, mend in (
        (PermissionError("no"), "Give this user the right to read it"),
        (ImportError("s3fs"), "Install the package that the protocol needs"),
        (RuntimeError("odd"), "See that the address is right and can be reached from here"),
    ):
        with pytest.raises(PlanError) as caught, opened(file):
            raise raised
        assert caught.value.problem == f"cannot be read ({type(raised).__name__}: {raised})"
        assert caught.value.mend == mend


def test_million_rows_of_csv_are_counted_and_not_kept(tmp_path: Path) -> None:
    write(tmp_path, b"a,y\n" + b"1,x\n" * 1_000_000)
    error = error_of("t.csv", tmp_path, max_rows=4096)
    assert error.problem == (
        "has 1,000,000 rows, and a kernel here takes at most 4,096; their Gram matrix alone would take 8.0 TB"
    )
    assert error.mend == "Set source.max_samples to 4096 or fewer for a stratified sub-sample"
    kept, rows = csv_file.fetch(io.BytesIO((tmp_path / "t.csv").read_bytes()), limit=4096)
    assert (kept, rows) == (b"", 1_000_000)


def test_parquet_is_refused_from_its_footer(tmp_path: Path) -> None:
    path = write_parquet(tmp_path, {"a": np.arange(50_000.0), "y": ["x", "z"] * 25_000})
    damaged = bytearray(path.read_bytes())
    damaged[4 : len(damaged) // 2] = bytes(len(damaged) // 2 - 4)
    path.write_bytes(damaged)
    assert error_of("t.parquet", tmp_path, max_rows=100).problem.startswith("has 50,000 rows, and a kernel here")
    assert "damaged Parquet" in error_of("t.parquet", tmp_path).problem


def test_count_rows_parses_nothing(tmp_path: Path) -> None:
    write(tmp_path, 'a,y\n1,"x\ny"\n2,z\n3,z')
    write_parquet(tmp_path, {"a": [1, 2], "y": ["x", "z"]})
    assert count_rows(source("t.csv"), "wine", tmp_path) == 3
    assert count_rows(source("t.parquet"), "wine", tmp_path) == 2


def test_refusal_names_the_study_and_the_file(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a,b\n1,2\n").culprit == "wine: t.csv: column 'y'"
