"""What no study can run on, each with its culprit and mend."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import Preparation, Protocol
from quantum_assets.datasets.raw import RawTable, from_arrays
from quantum_assets.datasets.splits import splits
from quantum_assets.datasets.validation import check_folds, check_label_kind, check_qubits, check_raw, check_rows
from quantum_assets_tests.datasets.tables_of_files import some_examples


def raw(features: list[list[float]], labels: str, ids: tuple[str, ...] | None = None) -> RawTable:
    names = [f"f{i}" for i in range(len(features[0]))]
    table = from_arrays("dataset demo", features, names, list(labels))
    return RawTable(table.origin, table.features, table.feature_names, table.labels, ids or table.sample_ids)


def refused(table: RawTable) -> str:
    with pytest.raises(PlanError) as caught:
        check_raw(table, "s: demo")
    return str(caught.value)


def dataset(labels: list[int], groups: list[int] | None = None) -> Dataset:
    classes = tuple(f"class{i}" for i in range(max(labels) + 1))
    ids = tuple(str(i) for i in range(len(labels)))
    features = np.arange(float(len(labels)))[:, None]
    grouped = None if groups is None else np.array(groups)
    return Dataset("wine", features, np.array(labels), classes, ("f",), ids, grouped)


def test_sound_rows_pass() -> None:
    check_raw(raw([[1, 2], [3, 4]], "xz"), "s: demo")


def test_constant_columns_are_named() -> None:
    assert refused(raw([[1, 7, 0], [1, 8, 0]], "xz")) == (
        "s: demo: 2 constant columns 'f0', 'f2': the same value on every row (1 in 'f0') parts nothing. "
        "Drop constant columns by naming the others in source.features."
    )


def test_one_class_only() -> None:
    assert refused(raw([[1], [2]], "xx")) == (
        "s: demo: labels: every row is of class 'x'. Give rows of two classes or more, or another label column."
    )


def test_repeated_ids() -> None:
    assert refused(raw([[1], [2], [3], [4]], "xzxz", ("a", "b", "a", "a"))) == (
        "s: demo: sample id 'a': is on rows 0, 2, 3 (counted from 0); 1 id in all repeats. Name a sample_id column "
        "that is unique, or none to use row numbers (rows of one subject: source.group)."
    )


def test_missing_and_infinite_values_count_columns_and_rows() -> None:
    rows = [[np.nan, 1, np.inf], [2, np.nan, 3], [np.nan, np.nan, 4]]
    assert refused(raw(rows, "xzx")) == (
        "s: demo: column 'f0': 2 values missing (empty or NaN) (rows 0, 2 (counted from 0)); also in 'f1' (2). "
        "Fill them in or remove those rows."
    )
    assert refused(raw([[1, 1], [2, np.inf]], "xz")).startswith("s: demo: column 'f1': 1 value infinite (row 1 ")


def test_no_rows() -> None:
    empty = RawTable("t.csv", np.empty((0, 1)), ("f",), (), ())
    assert refused(empty) == "s: demo: has a header and no rows. Add rows."


def test_continuous_labels_are_a_regression() -> None:
    with pytest.raises(PlanError) as caught:
        check_label_kind([str(i / 10) for i in range(30)], "s: t.csv: label column 'price'")
    assert str(caught.value) == (
        "s: t.csv: label column 'price': is continuous: 30 distinct numbers such as 0.0 and 2.9; a kernel study parts "
        "classes. Name a column of classes, or cut this one into classes first."
    )
    check_label_kind([str(i / 10) for i in range(20)], "s")
    check_label_kind([str(i) for i in range(30)], "s")
    check_label_kind([f"c{i}" for i in range(30)], "s")


def test_too_many_rows_say_what_they_would_cost() -> None:
    check_rows("s", 100, 100)
    check_rows("s", 10**6, None)
    with pytest.raises(PlanError, match=r"s: has 1,000 rows, and .* at most 100; .* alone would take 8\.0 MB\. Set"):
        check_rows("s", 1000, 100)
    with pytest.raises(PlanError, match="at most 100; that is 3 days of circuits"):
        check_rows("s", 1000, 100, lambda rows: f"that is {rows // 333} days of circuits")


@pytest.mark.parametrize(
    ("labels", "groups", "message"),
    [
        ([0] * 20 + [1] * 3, None, "wine: class 'class1': has 3 rows, too few for outer_folds 5. Lower the folds"),
        (
            [0] * 20 + [1] * 4,
            None,
            "wine: class 'class1': has 4 rows, too few for outer_folds 5. Lower the folds, add rows of this class",
        ),
        (
            [0] * 20 + [1] * 8,
            [*range(20), 0, 0, 1, 1, 2, 2, 3, 3],
            "wine: class 'class1': has 4 groups, too few for outer_folds 5. Lower the folds, add groups of this",
        ),
    ],
)
def test_classes_smaller_than_the_folds(labels: list[int], groups: list[int] | None, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        check_folds(dataset(labels, groups), Protocol())
    assert str(caught.value).startswith(message)


def test_inner_folds_must_find_rows_in_what_outer_training_leaves() -> None:
    with pytest.raises(PlanError, match="has 5 rows, too few for inner_folds 5 of the 4 that outer training leaves"):
        check_folds(dataset([0] * 20 + [1] * 5), Protocol(inner_folds=5))


@some_examples
@given(st.integers(2, 12), st.integers(2, 12), st.integers(2, 6), st.integers(2, 6))
def test_folds_that_pass_can_be_cut_and_the_bound_is_tight(first: int, second: int, outer: int, inner: int) -> None:
    data, protocol = dataset([0] * first + [1] * second), Protocol(outer_folds=outer, inner_folds=inner, repeats=1)
    smallest = min(first, second)
    possible = smallest >= outer and smallest - -(-smallest // outer) >= inner
    if possible:
        for split in splits(data, protocol):
            assert np.bincount(data.labels[split.train], minlength=2).min() > 0
            assert split.id == "full" or np.bincount(data.labels[split.test], minlength=2).min() > 0
    else:
        with pytest.raises(PlanError):
            check_folds(data, protocol)


@pytest.mark.parametrize(
    ("features", "preparation", "message"),
    [
        (
            30,
            Preparation(reduction="none", qubits=None),
            (
                "wine: preparation.reduction none: 30 features would take 30 qubits, and 16 is the most. "
                "Set reduction: pca (or select) with qubits: 8, or list fewer features."
            ),
        ),
        (
            4,
            Preparation(reduction="pca", qubits=6),
            "wine: preparation.qubits: pca cannot make 6 columns from 4 features. Set qubits to 4 or fewer.",
        ),
        (
            1,
            Preparation(reduction="select", qubits=2),
            "wine: preparation.qubits: select cannot make 2 columns from 1 feature. Set qubits to 1 or fewer.",
        ),
    ],
)
def test_qubits_that_the_features_cannot_give(features: int, preparation: Preparation, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        check_qubits(features, preparation, "wine")
    assert str(caught.value) == message


def test_qubits_that_fit_pass() -> None:
    check_qubits(16, Preparation(reduction="none", qubits=None))
    check_qubits(6, Preparation(reduction="pca", qubits=6))
