"""From a checked `RawTable` to a `Dataset`: row order, one class against the rest, sub-sample, shuffled labels.

In this order, and all of it decided by the rows and `DataSource.seed` alone. Each use of the seed has a stream of its
own, so that shuffling does not depend on whether rows were left out before.
"""

from collections.abc import Sequence

import numpy as np

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.contracts.workload import IntArray
from quantum_assets.datasets.raw import RawTable
from quantum_assets.datasets.wording import choices, plural, shown

_SUBSAMPLE, _SHUFFLE = 1, 2


def make_dataset(raw: RawTable, source: DataSource, name: str) -> Dataset:
    """Build the rows of a study.

    Rows are ordered by sample id where the source names an id column (shorter ids first, then as text), so that an
    export in another order is the same dataset; otherwise they keep the source's order. Classes are ordered by
    number where all are numbers, else as text; with `positive` they are ``not X`` (0) and ``X`` (1).

    Args:
        raw: Checked rows.
        source: Says what to do with them.
        name: Study.

    Raises:
        PlanError: For an unknown positive class, or a sub-sample too small to hold every class.
    """
    class_names = order_classes(raw.labels)
    index = {label: i for i, label in enumerate(class_names)}
    labels = np.array([index[label] for label in raw.labels], dtype=np.int64)
    if source.positive is not None:
        class_names, labels = _one_against_rest(class_names, labels, source.positive, name)
    groups = None if raw.groups is None else np.unique(np.array(raw.groups), return_inverse=True)[1].astype(np.int64)
    rows = np.arange(len(labels))
    if source.sample_id is not None:
        rows = np.array(sorted(range(len(labels)), key=lambda i: (len(raw.sample_ids[i]), raw.sample_ids[i])))
    if source.max_samples is not None and source.max_samples < len(rows):
        chosen = subsample(
            labels[rows], None if groups is None else groups[rows], source.max_samples, source.seed, class_names, name
        )
        rows = rows[chosen]
    labels = labels[rows]
    if source.shuffle_labels:
        labels = np.random.default_rng((source.seed, _SHUFFLE)).permutation(labels)
    return Dataset(
        name=name,
        features=np.ascontiguousarray(raw.features[rows], dtype=np.float64),
        labels=labels,
        class_names=class_names,
        feature_names=raw.feature_names,
        sample_ids=tuple(raw.sample_ids[row] for row in rows),
        groups=None if groups is None else np.unique(groups[rows], return_inverse=True)[1].astype(np.int64),
        source=raw.origin,
        data_class=source.data_class,
    )


def order_classes(labels: Sequence[str]) -> tuple[str, ...]:
    """Distinct class names: by value where all are numbers, else as text."""
    names = sorted(set(labels))
    try:
        return tuple(sorted(names, key=float))
    except ValueError:
        return tuple(names)


def _one_against_rest(
    class_names: tuple[str, ...], labels: IntArray, positive: str, name: str
) -> tuple[tuple[str, ...], IntArray]:
    if positive not in class_names:
        raise PlanError(
            f"{name}: source.positive {shown(positive)}",
            "is not a class of this data",
            f"Write {choices(positive, class_names)}",
        )
    return (f"not {positive}", positive), (labels == class_names.index(positive)).astype(np.int64)


def subsample(
    labels: IntArray, groups: IntArray | None, size: int, seed: int, class_names: Sequence[str], name: str
) -> IntArray:
    """Choose rows in the proportions of their classes.

    Args:
        labels: Class index a row.
        groups: Group index a row; groups are taken whole, so that the sample may fall short of `size`.
        size: Rows wanted.
        seed: Of the choice.
        class_names: Name of each class index.
        name: Whose rows, for the message.

    Returns:
        Row numbers, ascending.

    Raises:
        PlanError: If a class would be left without a row.
    """
    counts = np.bincount(labels, minlength=len(class_names))
    targets = _shares(counts, size)
    rng = np.random.default_rng((seed, _SUBSAMPLE))
    picked = [
        _rows_of_class(labels == index, int(target), rng)
        if groups is None
        else _groups_of_class(labels, groups, index, int(target), rng)
        for index, target in enumerate(targets)
    ]
    chosen = np.sort(np.concatenate(picked))
    kept = np.bincount(labels[chosen], minlength=len(class_names))
    if (kept == 0).any():
        lost = class_names[int(np.flatnonzero(kept == 0)[0])]
        whole = "" if groups is None else " in whole groups"
        raise PlanError(
            f"{name}: source.max_samples",
            f"{plural(size, 'row')}{whole} leave none of class {shown(lost)}",
            "Raise max_samples, or leave it out",
        )
    return chosen


def _shares(counts: IntArray, size: int) -> IntArray:
    """Parts of `size` in proportion to `counts`: largest remainders, ties to the earlier class."""
    total = int(counts.sum())
    shares: IntArray = np.asarray(size * counts // total, dtype=np.int64)
    short = size - int(shares.sum())
    shares[np.argsort(-(size * counts % total), kind="stable")[:short]] += 1
    return shares


def _rows_of_class(members: np.ndarray, target: int, rng: np.random.Generator) -> IntArray:
    rows: IntArray = np.asarray(rng.permutation(np.flatnonzero(members)), dtype=np.int64)
    return rows[:target]


def _groups_of_class(labels: IntArray, groups: IntArray, index: int, target: int, rng: np.random.Generator) -> IntArray:
    """Rows of randomly ordered groups whose commonest class is `index`, as long as they fit into `target`."""
    table = np.zeros((int(groups.max()) + 1, int(labels.max()) + 1), dtype=np.int64)
    np.add.at(table, (groups, labels), 1)
    mine = rng.permutation(np.flatnonzero((table.argmax(axis=1) == index) & (table.sum(axis=1) > 0)))
    taken, total = [], 0
    for group, rows in zip(mine, table[mine].sum(axis=1), strict=True):
        if total + rows <= target:
            taken.append(group)
            total += int(rows)
    return np.flatnonzero(np.isin(groups, taken))
