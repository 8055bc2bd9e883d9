"""Laws that every bundled dataset keeps; a new line in DATASETS is tested by being there."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.study import DataSource, Preparation, Protocol
from quantum_assets.datasets import DATASETS
from quantum_assets.datasets.loading import load
from quantum_assets.datasets.preparation import prepare
from quantum_assets.datasets.splits import splits

HERE = Path()
PRINT_FINGERPRINTS = """
import json
from pathlib import Path
from quantum_assets_tests.datasets.test_datasets import fingerprints
print(json.dumps(fingerprints()))
"""


def bundled(name: str) -> Dataset:
    return load(DataSource(dataset=name), name, HERE)


def fingerprints() -> dict[str, list[str]]:
    """Dataset and features of every entry, and folds cut by group."""
    found = {}
    for name in DATASETS:
        dataset = bundled(name)
        folds = splits(dataset, Protocol(repeats=1, inner_folds=2))
        features = prepare(dataset, folds, Preparation(qubits=2))
        found[name] = [dataset.fingerprint, features.fingerprint]
    grouped = replace(bundled("wine"), groups=np.arange(178) // 2)
    found["wine in groups"] = [fingerprint(splits(grouped, Protocol(repeats=1, outer_folds=3, inner_folds=2)))]
    return found


@pytest.mark.parametrize("name", DATASETS)
def test_laws_of_every_dataset(name: str) -> None:
    dataset = bundled(name)
    assert np.isfinite(dataset.features).all()
    assert len(set(dataset.sample_ids)) == dataset.n_samples == len(dataset.features)
    assert sorted(set(dataset.labels.tolist())) == list(range(len(dataset.class_names)))
    assert (np.ptp(dataset.features, axis=0) > 0).all()
    assert np.bincount(dataset.labels).min() >= 10
    assert dataset.fingerprint == bundled(name).fingerprint
    assert dataset.source == f"dataset {name}"
    assert DATASETS[name].description.endswith(".")


def test_fingerprints_are_equal_in_a_process_with_other_hash_seed_and_threads() -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, "-c", PRINT_FINGERPRINTS], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == fingerprints()


@pytest.mark.parametrize(
    ("name", "features", "members"),
    [
        ("breast_cancer", 30, {"benign": 357, "malignant": 212}),
        ("wine", 13, {"class_0": 59, "class_1": 71, "class_2": 48}),
        ("iris", 4, {"versicolor": 50, "virginica": 50}),
        ("digits", 54, {"3": 183, "5": 182}),
        ("ad_hoc", 2, {"A": 50, "B": 50}),
    ],
)
def test_shape_and_classes(name: str, features: int, members: dict[str, int]) -> None:
    dataset = bundled(name)
    assert dataset.features.shape == (sum(members.values()), features)
    assert Counter(dataset.class_names[i] for i in dataset.labels) == members


def test_bundled_rows_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits, load_iris

    iris = bundled("iris")
    rows = [int(i) for i in iris.sample_ids]
    assert rows == list(range(50, 150))
    np.testing.assert_array_equal(iris.features, load_iris().data[rows])
    digits, whole = bundled("digits"), load_digits()
    rows = [int(i) for i in digits.sample_ids]
    columns = [whole.feature_names.index(name) for name in digits.feature_names]
    np.testing.assert_array_equal(digits.features, whole.data[rows][:, columns])
    assert [digits.class_names[i] for i in digits.labels] == [str(t) for t in whole.target[rows]]
    left_out = np.setdiff1d(np.arange(64), columns)
    assert (np.ptp(whole.data[rows][:, left_out], axis=0) == 0).all()
