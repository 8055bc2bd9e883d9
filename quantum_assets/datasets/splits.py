"""Which rows are fitted on and which are judged: repeated, nested, stratified cross-validation from one seed.

Ids nest: ``full`` is all rows; ``r0f2`` is the third outer fold of the first repeat; ``r0f2/i1`` an inner fold of it,
cut from its training rows only. Every model of a study sees the same folds.
"""

from collections.abc import Iterator

import numpy as np

from quantum_assets.contracts.dataset import Dataset, Split
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import Protocol
from quantum_assets.contracts.workload import IntArray
from quantum_assets.datasets.validation import check_folds
from quantum_assets.datasets.wording import shown

_FULL, _OUTER, _INNER = 0, 1, 2


def splits(dataset: Dataset, protocol: Protocol) -> tuple[Split, ...]:
    """Cut all folds of a study.

    Stratified by class; with groups, rows of one group are never on both sides of a split (scikit-learn's
    StratifiedKFold and StratifiedGroupKFold, with a seed derived from `protocol.seed` for every use).

    Args:
        dataset: The rows.
        protocol: Folds, repeats and seed.

    Returns:
        ``full``, ``full/i0`` …, ``r0f0``, ``r0f0/i0`` …, ``r0f1`` …: `1 + inner + repeats * outer * (1 + inner)`.

    Raises:
        PlanError: For classes or groups too small for the folds.
    """
    check_folds(dataset, protocol)
    everything = np.arange(dataset.n_samples, dtype=np.int64)
    found = [Split("full", everything, np.empty(0, dtype=np.int64))]
    found.extend(_inner(dataset, protocol, found[0], (_FULL,)))
    for repeat in range(protocol.repeats):
        outer = _cut(dataset, everything, protocol.outer_folds, _seed(protocol, (_OUTER, repeat)))
        for fold, (train, test) in enumerate(outer):
            split = Split(f"r{repeat}f{fold}", train, test)
            found.append(split)
            found.extend(_inner(dataset, protocol, split, (_INNER, repeat, fold)))
    for split in found:
        _check_classes(dataset, split)
    return tuple(found)


def _inner(dataset: Dataset, protocol: Protocol, split: Split, key: tuple[int, ...]) -> list[Split]:
    folds = _cut(dataset, split.train, protocol.inner_folds, _seed(protocol, key))
    return [Split(f"{split.id}/i{number}", train, test) for number, (train, test) in enumerate(folds)]


def _seed(protocol: Protocol, key: tuple[int, ...]) -> int:
    """A 32-bit seed of its own for every use of the protocol's seed."""
    return int(np.random.SeedSequence(protocol.seed, spawn_key=key).generate_state(1)[0])


def _cut(dataset: Dataset, rows: IntArray, folds: int, seed: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Train and test rows of each fold, ascending, as row numbers of the dataset."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    labels = dataset.labels[rows]
    groups = None if dataset.groups is None else dataset.groups[rows]
    kind = StratifiedKFold if groups is None else StratifiedGroupKFold
    folder = kind(folds, shuffle=True, random_state=seed)
    for train, test in folder.split(np.zeros((len(rows), 1)), labels, groups):
        yield np.sort(rows[train]), np.sort(rows[test])


def _check_classes(dataset: Dataset, split: Split) -> None:
    """With groups, stratification is only approximate: refuse a side that lost a class, which cannot be scored."""
    for side, rows in (("training", split.train), ("test", split.test)):
        if split.id == "full" and side == "test":
            continue
        present = np.bincount(dataset.labels[rows], minlength=len(dataset.class_names)) > 0
        if not present.all():
            lost = dataset.class_names[int(np.flatnonzero(~present)[0])]
            raise PlanError(
                f"{dataset.name}: split {split.id}",
                f"its {side} rows hold no row of class {shown(lost)}, because groups stay together",
                "Lower outer_folds or inner_folds, use finer groups, or choose another protocol.seed",
            )
