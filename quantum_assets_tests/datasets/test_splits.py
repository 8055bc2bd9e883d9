"""Folds: nested, stratified, seeded, and no group on both sides."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.study import Protocol
from quantum_assets.datasets.splits import splits
from quantum_assets_tests.datasets.tables_of_files import some_examples


def dataset(labels: np.ndarray, groups: np.ndarray | None = None) -> Dataset:
    ids = tuple(str(i) for i in range(len(labels)))
    names = tuple(f"c{i}" for i in range(int(labels.max()) + 1))
    return Dataset("s", np.arange(float(len(labels)))[:, None], labels, names, ("f",), ids, groups)


def test_order_of_the_ids_is_the_documented_one() -> None:
    found = splits(dataset(np.arange(40) % 2), Protocol(outer_folds=2, repeats=2, inner_folds=2))
    assert [split.id for split in found] == [
        "full", "full/i0", "full/i1",
        "r0f0", "r0f0/i0", "r0f0/i1", "r0f1", "r0f1/i0", "r0f1/i1",
        "r1f0", "r1f0/i0", "r1f0/i1", "r1f1", "r1f1/i0", "r1f1/i1",
    ]  # fmt: skip
    assert len(splits(dataset(np.arange(100) % 2), Protocol())) == 1 + 4 + 15 * 5


@some_examples
@given(st.lists(st.integers(0, 2), min_size=10, max_size=40), st.booleans(), st.integers(0, 2**32 - 1))
def test_folds_part_their_parent_and_nothing_leaks(labels: list[int], grouped: bool, seed: int) -> None:
    values = np.array(labels + [0, 1, 2] * 12)
    groups = np.arange(len(values)) if grouped else None
    data = dataset(values, groups)
    protocol = Protocol(outer_folds=2, repeats=2, inner_folds=2, seed=seed)
    found = {split.id: split for split in splits(data, protocol)}
    assert len(found["full"].test) == 0
    everything = np.arange(len(values))
    np.testing.assert_array_equal(found["full"].train, everything)
    for split in found.values():
        rows = everything if split.parent is None else found[split.parent].train
        np.testing.assert_array_equal(np.sort(np.concatenate([split.train, split.test])), rows)
        assert (np.diff(split.train) > 0).all()
        assert (np.diff(split.test) > 0).all()
    for parent in ("full", "r0f0", "r0f1"):
        tests = [found[f"{parent}/i{i}"].test for i in range(2)]
        np.testing.assert_array_equal(np.sort(np.concatenate(tests)), found[parent].train)
    for repeat in range(2):
        tests = [found[f"r{repeat}f{fold}"].test for fold in range(2)]
        np.testing.assert_array_equal(np.sort(np.concatenate(tests)), everything)


def test_classes_are_spread_evenly() -> None:
    labels = np.array([0] * 70 + [1] * 30)
    for split in splits(dataset(labels), Protocol(repeats=2)):
        share = labels[split.train].mean()
        assert abs(share - 0.3) < 0.02
        if "/" not in split.id and split.id != "full":
            assert np.bincount(labels[split.test]).tolist() == [14, 6]


def test_rows_of_one_group_are_never_on_both_sides() -> None:
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, size=300)
    labels = rng.integers(0, 2, size=300)
    for split in splits(dataset(labels, groups), Protocol()):
        assert not set(groups[split.train]) & set(groups[split.test])


def test_the_check_for_leaks_sees_one() -> None:
    """The same check on folds cut without groups fails: it can fail."""
    rng = np.random.default_rng(0)
    groups, labels = rng.integers(0, 40, size=300), rng.integers(0, 2, size=300)
    outer = [split for split in splits(dataset(labels), Protocol()) if len(split.test)]
    assert all(set(groups[split.train]) & set(groups[split.test]) for split in outer)


def test_seed_decides_and_repeats_differ() -> None:
    data = dataset(np.arange(100) % 2)

    def tests(seed: int) -> dict[str, bytes]:
        return {split.id: split.test.tobytes() for split in splits(data, Protocol(seed=seed))}

    assert tests(1) == tests(1)
    assert tests(1) != tests(2)
    assert len(set(tests(1).values())) == len(tests(1))


def test_more_repeats_leave_the_first_as_they_were() -> None:
    data = dataset(np.arange(100) % 2)
    few, many = (fingerprint(splits(data, Protocol(repeats=r))[:30]) for r in (2, 5))
    assert few == many


def test_groups_that_cannot_be_spread_are_refused() -> None:
    labels = np.array([0] * 100 + [1] * 20)
    groups = np.concatenate([np.arange(100), np.arange(20) % 4])
    with pytest.raises(PlanError, match="s: class 'c1': has 4 groups, too few for outer_folds 5"):
        splits(dataset(labels, groups), Protocol())


def test_a_side_without_a_class_is_named() -> None:
    rng = np.random.default_rng(1)
    found = None
    for seed in range(200):  # stratification by group is approximate: some seed loses a class
        groups = np.repeat(np.arange(12), rng.integers(1, 30, size=12))
        labels = (groups % 3 == 0).astype(np.int64)
        try:
            splits(dataset(labels, groups), Protocol(outer_folds=2, inner_folds=2, repeats=5, seed=seed))
        except PlanError as error:
            found = error
            break
    assert found is not None
    assert found.culprit.startswith("s: split ")
    assert "hold no row of class 'c" in found.problem
    assert "groups stay together" in found.problem
