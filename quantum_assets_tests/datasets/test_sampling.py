"""Row order, one against the rest, sub-samples and shuffled labels: decided by rows and seed alone."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.raw import RawTable
from quantum_assets.datasets.sampling import make_dataset, order_classes
from quantum_assets_tests.datasets.tables_of_files import some_examples


def raw(labels: list[str], groups: list[str] | None = None, ids: list[str] | None = None) -> RawTable:
    numbers = ids or [str(i) for i in range(len(labels))]
    features = np.array([[float(i), float(len(n))] for i, n in enumerate(numbers)])
    return RawTable("demo", features, ("f", "g"), tuple(labels), tuple(numbers), groups and tuple(groups))


def made(table: RawTable, **fields: Any) -> Dataset:
    return make_dataset(table, DataSource(**{"path": "t.csv", "label": "y", **fields}), "s")


def test_classes_are_ordered_by_number_or_as_text() -> None:
    assert order_classes(["10", "9", "-1"]) == ("-1", "9", "10")
    assert order_classes(["b", "10", "a"]) == ("10", "a", "b")


def test_one_class_against_the_rest() -> None:
    dataset = made(raw(["a", "b", "c", "b"]), positive="b")
    assert dataset.class_names == ("not b", "b")
    assert dataset.labels.tolist() == [0, 1, 0, 1]
    with pytest.raises(
        PlanError, match=r"s: source\.positive 'B': is not a class of this data\. Write 'b', or another"
    ):
        made(raw(["a", "b"]), positive="B")


def test_rows_with_ids_are_ordered_by_id_and_others_as_they_came() -> None:
    ids = ["10", "9", "b", "a"]
    table = raw(["x", "z", "x", "z"], ids=ids)
    assert made(table).sample_ids == tuple(ids)
    ordered = made(table, sample_id="k")
    assert ordered.sample_ids == ("9", "a", "b", "10")
    assert ordered.features[:, 0].tolist() == [1, 3, 2, 0]
    assert [ordered.class_names[i] for i in ordered.labels] == ["z", "z", "x", "x"]


def test_another_row_order_is_the_same_dataset_when_rows_have_ids() -> None:
    rng = np.random.default_rng(0)
    labels, ids = ["x", "z", "w"] * 20, [f"p{i}" for i in range(60)]
    features, groups = rng.normal(size=(60, 2)), [f"g{i % 7}" for i in range(60)]

    def shuffled(order: np.ndarray) -> Dataset:
        pick = lambda values: tuple(values[i] for i in order)  # noqa: E731
        table = RawTable("demo", features[order], ("f", "g"), pick(labels), pick(ids), pick(groups))
        return made(table, sample_id="k", max_samples=30, shuffle_labels=True)

    assert shuffled(np.arange(60)).fingerprint == shuffled(rng.permutation(60)).fingerprint


@some_examples
@given(
    st.lists(st.sampled_from("abc"), min_size=20, max_size=80).filter(lambda v: min(Counter(v).values()) > 5),
    st.integers(10, 90),
    st.integers(0, 2**32 - 1),
)
def test_subsamples_are_stratified_exact_and_seeded(labels: list[str], size: int, seed: int) -> None:
    table = raw(labels)
    dataset = made(table, max_samples=size, seed=seed)
    kept = min(size, len(labels))
    assert dataset.n_samples == kept
    rows = [int(i) for i in dataset.sample_ids]
    assert rows == sorted(set(rows))
    assert [dataset.class_names[i] for i in dataset.labels] == [labels[row] for row in rows]
    for name, count in Counter(labels).items():
        found = sum(labels[row] == name for row in rows)
        assert abs(found - kept * count / len(labels)) < 1
    assert made(table, max_samples=size, seed=seed).fingerprint == dataset.fingerprint


def test_other_seed_other_subsample() -> None:
    table = raw(["a", "b"] * 50)
    assert made(table, max_samples=20).sample_ids != made(table, max_samples=20, seed=1).sample_ids


@some_examples
@given(st.integers(0, 1000), st.integers(10, 60))
def test_subsamples_take_whole_groups(seed: int, size: int) -> None:
    groups = [f"g{i // 4}" for i in range(80)]
    table = raw([("a", "b")[(i // 4) % 2] for i in range(80)], groups)
    dataset = made(table, max_samples=size, seed=seed, group="g")
    assert size - 8 < dataset.n_samples <= size
    taken = Counter(groups[int(i)] for i in dataset.sample_ids)
    assert set(taken.values()) == {4}
    assert dataset.groups is not None
    assert sorted(set(dataset.groups.tolist())) == list(range(len(taken)))


def test_subsample_that_loses_a_class_is_refused() -> None:
    with pytest.raises(PlanError, match=r"s: source\.max_samples: 10 rows leave none of class 'b'\. Raise max_samples"):
        made(raw(["a"] * 500 + ["b"]), max_samples=10)
    groups = ["g"] * 40 + [str(i) for i in range(40)]
    with pytest.raises(PlanError, match="20 rows in whole groups leave none of class 'a'"):
        made(raw(["a"] * 40 + ["b"] * 40, groups), max_samples=20)


def test_shuffled_labels_keep_their_numbers_and_lose_their_rows() -> None:
    table = raw(["a"] * 60 + ["b"] * 40)
    plain, shuffled = made(table), made(table, shuffle_labels=True)
    assert np.bincount(shuffled.labels).tolist() == [60, 40]
    np.testing.assert_array_equal(shuffled.features, plain.features)
    agreement = (shuffled.labels == plain.labels).mean()
    assert 0.35 < agreement < 0.7
    assert shuffled.fingerprint == made(table, shuffle_labels=True).fingerprint
    assert shuffled.fingerprint != made(table, shuffle_labels=True, seed=1).fingerprint


def test_groups_become_numbers_and_data_class_travels() -> None:
    dataset = made(raw(["a", "b", "a"], ["q", "p", "q"]), group="g", data_class="restricted")
    assert dataset.groups is not None
    assert dataset.groups.tolist() == [1, 0, 1]
    assert dataset.data_class == "restricted"
    assert dataset.name == "s"
