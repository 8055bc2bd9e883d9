"""Small studies for the tests of this room: data, folds and kernels made of a few lines each, no other room."""

import itertools
from dataclasses import dataclass, field

import numpy as np

from quantum_assets.contracts.dataset import Dataset, Features, PreparedSplit
from quantum_assets.contracts.evaluation import FoldScore
from quantum_assets.contracts.study import FeatureMapSpec, Protocol
from quantum_assets.models.learners import KernelLearner


def blobs(n=60, classes=2, columns=4, distance=2.0, seed=0):
    """Gaussian classes in equal numbers, `distance` apart along axes of their own."""
    random = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    features = random.normal(size=(n, columns)) + distance * np.eye(classes, columns)[labels]
    return dataset_of(features, labels, classes)


def dataset_of(features, labels, classes=2):
    return Dataset(
        "blobs",
        np.asarray(features, float),
        np.asarray(labels, np.int64),
        tuple(f"class-{c}" for c in range(classes)),
        tuple(f"x{c}" for c in range(np.shape(features)[1])),
        tuple(f"s{row:03d}" for row in range(len(labels))),
    )


def features_of(dataset, protocol, columns=2):
    """Stratified folds by rank within class, and the first columns of the data as prepared values."""
    splits = {}

    def add(name, train, test):
        rows = np.sort(np.concatenate([train, test])).astype(np.int64)
        splits[name] = PreparedSplit(name, rows, np.isin(rows, train), dataset.features[rows][:, :columns])

    def nest(name, train, test, seed):
        add(name, train, test)
        for number, held in enumerate(_folds(train, dataset.labels[train], protocol.inner_folds, seed)):
            add(f"{name}/i{number}", np.setdiff1d(train, held), held)

    everything = np.arange(dataset.n_samples)
    nest("full", everything, everything[:0], seed=1)
    for repeat in range(protocol.repeats):
        for fold, held in enumerate(_folds(everything, dataset.labels, protocol.outer_folds, seed=repeat + 7)):
            nest(f"r{repeat}f{fold}", np.setdiff1d(everything, held), held, seed=fold)
    return Features(splits, columns, dataset.fingerprint)


def _folds(rows, labels, count, seed):
    random = np.random.default_rng(seed)
    place = np.zeros(len(rows), int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        place[random.permutation(members)] = np.arange(len(members)) % count
    return [rows[place == fold] for fold in range(count)]


def gaussian(split, spec, bandwidth):
    """A kernel that needs no circuit: exp(-(bandwidth distance)²); the map's repetitions sharpen it."""
    squares = ((split.values[:, None] - split.values[None]) ** 2).sum(axis=2)
    return np.exp(-(bandwidth**2) * spec.reps * squares)


@dataclass(eq=False)
class Oracle:
    """A kernel that knows the labels: 1 within a class, `between` across, and counts how often it is asked."""

    labels: np.ndarray
    between: float = 0.0
    asked: list = field(default_factory=list)

    def __call__(self, split, spec, bandwidth):
        self.asked.append((split.split_id, spec.name, bandwidth))
        own = self.labels[split.rows]
        return np.where(own[:, None] == own[None], 1.0, self.between)


def noise(split, spec, bandwidth):
    """A kernel that knows nothing: every row is like itself only."""
    return np.eye(len(split.rows))


MAPS = (FeatureMapSpec(),)


def kernel_learner(source=gaussian, final=None, maps=MAPS, c_grid=(0.1, 1.0, 10.0), name="quantum"):
    return KernelLearner(name, "quantum", maps, c_grid, source, final or source)


SMALL = Protocol(outer_folds=3, repeats=2, inner_folds=2, budget=4)


def fold_scores(model, family, scores, *, cpu=1.0, tried=12, n_train=80, n_test=20, outer=5):
    """Constructed results of one model, one a fold."""
    return [
        FoldScore(model, family, number // outer, number % outer, score, score, "{}", tried, n_train, n_test, 0, cpu)
        for number, score in enumerate(scores)
    ]


def study_scores(quantum, rivals, *, ablation=None, **options):
    """Constructed results of a study: quantum, classical rivals by name, a majority floor at 0.5, maybe an ablation."""
    scores = fold_scores("quantum", "quantum", quantum, **options)
    scores += itertools.chain.from_iterable(
        fold_scores(name, "classical", values, **options) for name, values in rivals.items()
    )
    scores += fold_scores("majority", "floor", [0.5] * len(quantum), **{**options, "tried": 1})
    if ablation is not None:
        scores += fold_scores("no_entanglers", "ablation", ablation, **options)
    return scores
