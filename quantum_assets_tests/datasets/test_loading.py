"""The door: what is refused when a study is defined, and that nothing heavy is imported for it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.loading import check_source, load
from quantum_assets_tests.datasets.tables_of_files import GOOD_CSV, write

LIGHT = """
import sys
from pathlib import Path
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.loading import check_source
check_source(DataSource(dataset="breast_cancer"), "s", Path())
check_source(DataSource(dataset="ad_hoc", options={"gap": 0.5}), "s", Path())
try:
    check_source(DataSource(path="missing.csv", label="y"), "s", Path())
except PlanError:
    heavy = {"sklearn", "qiskit", "qiskit_machine_learning", "scipy", "pandas", "mlflow"} & set(sys.modules)
    sys.exit(f"imported {heavy}" if heavy else 0)
sys.exit("the missing file was not refused")
"""


def refused(folder: Path, **fields: Any) -> PlanError:
    with pytest.raises(PlanError) as caught:
        check_source(DataSource(**fields), "wine", folder)
    return caught.value


def test_definition_time_checks_import_nothing_heavy() -> None:
    run = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_unknown_dataset_lists_the_known(tmp_path: Path) -> None:
    error = refused(tmp_path, dataset="breast-cancer")
    assert error.culprit == "wine: source.dataset 'breast-cancer'"
    assert error.mend == (
        "Write 'breast_cancer', or another of 'ad_hoc', 'breast_cancer', 'digits', 'iris', 'wine'; "
        "or give path for a file of your own"
    )


@pytest.mark.parametrize(
    ("fields", "culprit", "problem"),
    [
        ({"dataset": "wine", "label": "y"}, "source.label", "belongs to a file; wine brings its own"),
        ({"dataset": "wine", "group": "y"}, "source.group", "belongs to a file; wine brings its own"),
        ({"dataset": "wine", "options": {"gap": 1}}, "source.options.gap", "this source takes no options"),
        ({"dataset": "ad_hoc", "options": {"gap": 1}}, "source.options.gap", "is 1 (least distance of the"),
        ({"dataset": "wine", "features": ()}, "source.features", "is an empty list"),
        ({"path": "t.csv", "label": "y", "options": {"gap": 1}}, "source.options.gap", "this source takes no options"),
        ({"path": "t.csv", "label": "y", "group": "y"}, "source.group 'y'", "is source.label too"),
        ({"path": "t.csv", "label": "y", "features": ("a", "y")}, "source.features 'y'", "is source.label too"),
        ({"path": "t.csv", "label": "y", "features": ("a", "a")}, "source.features 'a'", "is listed twice"),
        ({"path": "u.csv", "label": "y"}, "u.csv", "there is no file "),
    ],
)
def test_fields_that_do_not_go_together(fields: dict[str, Any], culprit: str, problem: str, tmp_path: Path) -> None:
    write(tmp_path, GOOD_CSV)
    error = refused(tmp_path, **fields)
    assert error.culprit == f"wine: {culprit}"
    assert error.problem.startswith(problem)


def test_load_makes_the_same_checks(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"source\.dataset 'wien'"):
        load(DataSource(dataset="wien"), "wine", tmp_path)


def test_bundled_features_can_be_listed(tmp_path: Path) -> None:
    dataset = load(DataSource(dataset="wine", features=("hue", "ash"), positive="class_1"), "w", tmp_path)
    assert dataset.feature_names == ("hue", "ash")
    assert dataset.class_names == ("not class_1", "class_1")
    assert dataset.labels.sum() == 71
    with pytest.raises(
        PlanError, match=r"w: source\.features: 'alcool': dataset wine has no such feature\. Write 'alco"
    ):
        load(DataSource(dataset="wine", features=("alcool",)), "w", tmp_path)


def test_generator_errors_name_the_study(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"^w: dataset ad_hoc\.options\.gap: next to no point"):
        load(DataSource(dataset="ad_hoc", options={"gap": 0.99, "samples": 10, "qubits": 4}), "w", tmp_path)


@pytest.mark.parametrize("fields", [{"dataset": "iris"}, {"path": "t.csv", "label": "y"}])
def test_more_rows_than_the_limit_need_a_subsample(fields: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, "a,y\n" + "".join(f"{i % 7},{'xz'[i % 2]}\n" for i in range(100)))
    with pytest.raises(PlanError, match=r"has 100 rows, and a kernel here takes at most 40; .* would take 80\.0 kB"):
        load(DataSource(**fields), "s", tmp_path, max_rows=40)
    assert load(DataSource(**fields, max_samples=40), "s", tmp_path, max_rows=40).n_samples == 40
    with pytest.raises(PlanError, match=r"Set source\.max_samples to 40 or fewer"):
        load(DataSource(**fields, max_samples=50), "s", tmp_path, max_rows=40)


def test_describe_words_the_estimate(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="at most 40; that is much"):
        load(DataSource(dataset="iris"), "s", tmp_path, max_rows=40, describe=lambda rows: "that is much")
