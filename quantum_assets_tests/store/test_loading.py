import subprocess
import sys
import tomllib
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import quantum_assets
from quantum_assets.contracts.errors import PlanError, VersionNotFound
from quantum_assets.contracts.tables import GRAM, KERNELS
from quantum_assets.store.home import VARIABLE, Home
from quantum_assets.store.loading import history, load, load_gram, load_table
from quantum_assets.store.store import Store
from quantum_assets_tests.store.samples import ASSET, IDEAL, SCORES, START, Clock, gram, matrix, scores
from quantum_assets_tests.store.test_gram import stack

NAME = "wine/quantum_kernel"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    store = Store(Home(tmp_path).store, clock=Clock())
    store.commit(ASSET, IDEAL, gram(12, 0), GRAM, {"code_version": "1"})
    store.commit(ASSET, IDEAL, gram(12, 1), GRAM, {"code_version": "2", "run": "b"})
    store.commit(ASSET, {"profile": "noisy"}, gram(12, 2), GRAM, {})
    store.commit(("wine", "evaluation"), {}, scores(), SCORES, {})
    store.commit(("wine", "classical_kernels"), {}, stack(1, 2, 3), KERNELS, {})
    return tmp_path


def test_a_gram_matrix_is_a_labelled_square_frame(home: Path) -> None:
    frame = load(NAME, home=home, profile="ideal")
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.index) == list(frame.columns) == list(matrix(12).row_ids)
    np.testing.assert_array_equal(frame.to_numpy(), matrix(12, 1).values)
    assert frame.loc["s0003", "s0004"] == matrix(12, 1).values[3, 4]


def test_versions_and_times(home: Path) -> None:
    first = history(NAME, home=home, profile="ideal").version[0]
    old = matrix(12, 0).values
    for request in (
        {"version": first},
        {"version": first[:8]},
        {"as_of": START},
        {"as_of": "2026-03-01T12:00:30"},
        {"as_of": "2026-03-01T14:00:30+02:00"},
        {"as_of": START + timedelta(seconds=59)},
    ):
        np.testing.assert_array_equal(load(NAME, home=home, profile="ideal", **request).to_numpy(), old)
    with pytest.raises(PlanError, match="no ISO 8601 time"):
        load(NAME, home=home, profile="ideal", as_of="yesterday")


def test_other_tables_are_frames_as_they_are(home: Path) -> None:
    frame = load("wine/evaluation", home=home)
    assert list(frame.columns) == SCORES_COLUMNS
    assert frame.model.tolist() == ["quantum", "rbf", "größer"]
    assert load_table("wine/evaluation", home=home).replace_schema_metadata().equals(scores())


SCORES_COLUMNS = [column.name for column in SCORES.columns]


def test_a_stack_of_kernels_is_square_when_one_is_named(home: Path) -> None:
    square = load("wine/classical_kernels", home=home, kernel="rbf")
    np.testing.assert_array_equal(square.to_numpy(), matrix(20, 1).values)
    whole = load("wine/classical_kernels", home=home)
    assert whole.shape == (60, 4)
    np.testing.assert_array_equal(np.stack(whole.k[:20]), matrix(20, 1).values)


def test_slices_through_the_view(home: Path) -> None:
    view = load_gram(NAME, home=home, profile="noisy")
    np.testing.assert_array_equal(view.to_numpy(rows=[3], columns=slice(2, 5)), matrix(12, 2).values[[3], 2:5])
    rbf = load_gram("wine/classical_kernels", home=home, kernel="rbf")
    assert rbf.shape == (20, 20)


def test_history_says_what_changed(home: Path) -> None:
    frame = history(NAME, home=home, profile="ideal")
    assert frame.sequence.tolist() == [1, 2]
    assert frame.changed.tolist() == [True, True]
    assert frame.what_changed.tolist() == ["first version", "code_version: 1 → 2"]
    assert frame.rows.tolist() == [12, 12]
    assert frame.created_at[0] == START
    assert not frame.removed.any()


def test_missing_things_list_what_there_is(home: Path) -> None:
    for call in (load, load_table, load_gram, history):
        with pytest.raises(VersionNotFound, match="profile=ideal; profile=noisy"):
            call(NAME, home=home)
        with pytest.raises(VersionNotFound, match="profile=ideal; profile=noisy"):
            call(NAME, home=home, profile="hardware")
        with pytest.raises(VersionNotFound, match="wine/quantum_kernel"):
            call("wine/quantum_kernal", home=home, profile="ideal")
        with pytest.raises(VersionNotFound, match="store is empty"):
            call(NAME, home=home / "elsewhere", profile="ideal")


@pytest.mark.parametrize("name", ["", "/wine", "wine//k", "wine/", "../wine", "a/../../b", 7])
def test_names_that_are_none_are_refused(home: Path, name) -> None:
    with pytest.raises(PlanError):
        load(name, home=home)


def test_the_home_is_found_by_itself(home: Path, monkeypatch) -> None:
    monkeypatch.setenv(VARIABLE, str(home))
    assert load(NAME, profile="ideal").shape == (12, 12)


def test_partition_values_may_be_numbers(tmp_path: Path) -> None:
    Store(Home(tmp_path).store).commit(("a",), {"day": "3"}, scores(), SCORES, {})
    assert len(load("a", home=tmp_path, day=3)) == 3


def test_the_package_exports_the_door_lazily(home: Path) -> None:
    assert quantum_assets.load is load
    assert set(dir(quantum_assets)) == set(quantum_assets.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = quantum_assets.nothing
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert quantum_assets.__version__ == project["version"]


LIGHT = """
import sys, quantum_assets
heavy = {"pandas", "pyarrow", "numpy"} & set(sys.modules)
quantum_assets.load(sys.argv[1], home=sys.argv[2], profile="ideal")
print(sorted(heavy), sorted({"dagster", "mlflow", "qiskit", "sklearn", "pandera", "matplotlib"} & set(sys.modules)))
"""


def test_importing_is_light_and_loading_knows_no_dagster(home: Path) -> None:
    ran = subprocess.run([sys.executable, "-c", LIGHT, NAME, str(home)], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[] []"


def test_empty_tables_load(tmp_path: Path) -> None:
    Store(Home(tmp_path).store).commit(("a",), {}, scores().slice(0, 0), SCORES, {})
    assert load("a", home=tmp_path).empty
    assert isinstance(load_table("a", home=tmp_path), pa.Table)
