"""The classical rivals, by name: each a grid of hyper-parameters over the same folds and with the same budget.

Every grid but the floor's has the axis `inputs`: `prepared`, the columns the quantum kernel gets, or `full`, all raw
features, because a reduction to a few qubits handicaps whoever has to live with it. A study's verdict is against the
best of them.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from quantum_assets.contracts.dataset import Dataset, PreparedSplit
from quantum_assets.contracts.evaluation import Family
from quantum_assets.contracts.workload import IntArray
from quantum_assets.models import estimators
from quantum_assets.models.estimators import Columns
from quantum_assets.models.grids import Configuration, draw, product
from quantum_assets.models.learners import Fitter, Learner

Inputs = Literal["prepared", "full"]
Fit = Callable[[Columns, Configuration], IntArray]

_INPUTS: tuple[Inputs, ...] = ("prepared", "full")
_PENALTIES = (0.1, 1.0, 10.0, 100.0)


@dataclass(frozen=True, eq=False)
class ColumnLearner:
    """A classical learner on columns.

    Attributes:
        name: Unique within a study.
        family: `classical` or `floor`.
        axes: Values of each hyper-parameter, from simple to complex.
        fit: Fits one configuration and answers for the test rows.
        first: The hyper-parameters whose values a small budget spreads over before all others.
        seed: Of whatever is random in the learner.
    """

    name: str
    family: Family
    axes: Mapping[str, Sequence[Any]]
    fit: Fit
    first: tuple[str, ...]
    seed: int

    def grid(self) -> tuple[Configuration, ...]:
        """The product of the axes."""
        return product(self.axes)

    def configurations(self, budget: int, seed: int) -> tuple[Configuration, ...]:
        """Spread over the values of every hyper-parameter, those of `first` before all others."""
        return draw(self.grid(), budget, seed, self.first)

    def open(self, dataset: Dataset, split: PreparedSplit, *, final: bool) -> Fitter:  # noqa: ARG002
        """Scales each kind of input once a split, on train rows; `final` makes no difference to a classical model."""
        columns = cache(lambda inputs: prepare_columns(dataset, split, inputs, self.seed))
        return lambda configuration: self.fit(columns(configuration.get("inputs", "prepared")), configuration)

    def circuits(
        self,
        outer: PreparedSplit,  # noqa: ARG002
        inner: Sequence[PreparedSplit],  # noqa: ARG002
        tried: Sequence[Configuration],  # noqa: ARG002
    ) -> int:
        """None: nothing here asks a device."""
        return 0


def prepare_columns(dataset: Dataset, split: PreparedSplit, inputs: Inputs, seed: int) -> Columns:
    """Columns of one split, scaled by what its train rows say.

    `full` columns are standardised each. `prepared` columns keep their relative scale, which is the preparation's
    choice: they are centred, and divided by one number for all.
    """
    raw = split.values if inputs == "prepared" else dataset.features[split.rows]
    fitted = raw[split.train]
    spread = fitted.std(axis=0)
    scale = np.sqrt(np.mean(spread**2)) if inputs == "prepared" else spread
    scaled = (raw - fitted.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    labels = dataset.labels[split.rows[split.train]]
    return Columns(scaled[split.train], labels, scaled[~split.train], len(dataset.class_names), seed)


def majority(seed: int) -> Learner:
    """The floor: the most frequent class of the train rows, whatever the row."""
    return ColumnLearner("majority", "floor", {"strategy": ("most_frequent",)}, _majority, (), seed)


def logistic(seed: int) -> Learner:
    """Logistic regression with L2 penalty, multinomial for more than two classes."""
    axes = {"C": tuple(float(c) for c in np.logspace(-3, 3, 13)), "inputs": _INPUTS}
    return ColumnLearner("logistic", "classical", axes, _logistic, ("inputs",), seed)


def svm_rbf(seed: int) -> Learner:
    """Support vector machine with a Gaussian kernel; `gamma` is relative to one over the total variance."""
    axes = {"gamma": (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0), "C": _PENALTIES, "inputs": _INPUTS}
    return ColumnLearner("svm_rbf", "classical", axes, _svm_rbf, ("gamma",), seed)


def svm_polynomial(seed: int) -> Learner:
    """Support vector machine with an inhomogeneous polynomial kernel; `gamma` as for the Gaussian."""
    axes = {"degree": (2, 3, 4), "gamma": (0.03, 0.1, 0.3, 1.0), "C": _PENALTIES, "inputs": _INPUTS}
    return ColumnLearner("svm_polynomial", "classical", axes, _svm_polynomial, ("degree", "inputs"), seed)


def forest(seed: int) -> Learner:
    """Random forest of 30 trees; `max_features` is a share of the columns, 0 their square root."""
    axes = {"max_depth": (3, None), "min_leaf": (5, 2, 1), "max_features": (0.0, 0.3, 0.6), "inputs": _INPUTS}
    return ColumnLearner("forest", "classical", axes, _forest, ("min_leaf", "inputs"), seed)


def boosting(seed: int) -> Learner:
    """Gradient boosting of shallow trees."""
    axes = {"max_depth": (1, 2, 3), "stages": (10, 20), "rate": (0.1, 0.2, 0.4, 0.8), "inputs": _INPUTS}
    return ColumnLearner("boosting", "classical", axes, _boosting, ("rate", "inputs"), seed)


def mlp(seed: int) -> Learner:
    """A network of one small hidden layer."""
    axes = {"hidden": (4, 8, 16), "steps": (15, 40), "decay": (10.0, 1.0, 0.1, 0.01), "inputs": _INPUTS}
    return ColumnLearner("mlp", "classical", axes, _mlp, ("decay", "inputs"), seed)


def knn(seed: int) -> Learner:
    """Nearest neighbours, each with one vote or with one over its distance."""
    axes = {"neighbours": (21, 15, 11, 7, 5, 3, 1), "weights": ("uniform", "distance"), "p": (2, 1), "inputs": _INPUTS}
    return ColumnLearner("knn", "classical", axes, _knn, ("neighbours",), seed)


BASELINES: dict[str, Callable[[int], Learner]] = {
    "majority": majority,
    "logistic": logistic,
    "svm_rbf": svm_rbf,
    "svm_polynomial": svm_polynomial,
    "forest": forest,
    "boosting": boosting,
    "mlp": mlp,
    "knn": knn,
}
"""Name to factory; a factory takes the seed of whatever is random in its learner."""


def _one_class(fit: Fit) -> Fit:
    """Answer for scikit-learn's classifiers where only one class was seen, which some of them refuse."""

    def guarded(data: Columns, configuration: Configuration) -> IntArray:
        if (data.labels == data.labels[0]).all():
            return _majority(data, configuration)
        return fit(data, configuration)

    return guarded


def _majority(data: Columns, configuration: Configuration) -> IntArray:  # noqa: ARG001
    return np.full(len(data.test), np.bincount(data.labels).argmax(), dtype=np.int64)


@_one_class
def _logistic(data: Columns, configuration: Configuration) -> IntArray:
    from sklearn.linear_model import LogisticRegression

    with _stopped_early():
        fitted = LogisticRegression(C=configuration["C"], max_iter=100).fit(data.train, data.labels)
    return _classes(fitted.predict(data.test))


@_one_class
def _svm_rbf(data: Columns, configuration: Configuration) -> IntArray:
    from sklearn.svm import SVC

    return _classes(
        SVC(kernel="rbf", C=configuration["C"], gamma=_gamma(data, configuration["gamma"]))
        .fit(data.train, data.labels)
        .predict(data.test)
    )


@_one_class
def _svm_polynomial(data: Columns, configuration: Configuration) -> IntArray:
    from sklearn.svm import SVC

    machine = SVC(
        kernel="poly",
        degree=configuration["degree"],
        coef0=1.0,
        C=configuration["C"],
        gamma=_gamma(data, configuration["gamma"]),
        max_iter=20_000,
    )
    with _stopped_early():
        return _classes(machine.fit(data.train, data.labels).predict(data.test))


def _forest(data: Columns, configuration: Configuration) -> IntArray:
    depth, leaf = configuration["max_depth"], configuration["min_leaf"]
    return estimators.forest(data, 30, configuration["max_features"], depth, leaf)


def _boosting(data: Columns, configuration: Configuration) -> IntArray:
    return estimators.boosting(data, configuration["stages"], configuration["rate"], configuration["max_depth"])


def _mlp(data: Columns, configuration: Configuration) -> IntArray:
    return estimators.network(data, configuration["hidden"], configuration["decay"], configuration["steps"])


def _knn(data: Columns, configuration: Configuration) -> IntArray:
    from sklearn.neighbors import KNeighborsClassifier

    neighbours = min(configuration["neighbours"], len(data.train))
    voters = KNeighborsClassifier(neighbours, weights=configuration["weights"], p=configuration["p"], algorithm="brute")
    return _classes(voters.fit(data.train, data.labels).predict(data.test))


def _gamma(data: Columns, relative: float) -> float:
    """`relative` over the total variance of the train columns: a grid means the same for 4 columns and for 64."""
    total = float(data.train.var(axis=0).sum())
    return relative / total if total > 0 else relative


def _classes(predicted: Any) -> IntArray:
    return np.asarray(predicted, dtype=np.int64)


@contextmanager
def _stopped_early() -> Iterator[None]:
    """Silence scikit-learn's ConvergenceWarning.

    Large C on separable rows has no finite optimum, and the classes stop changing long before the solver does; what the
    configuration is worth is measured by the inner folds, not by the solver's tolerance.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
