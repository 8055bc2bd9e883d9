"""Columns to qubits: scaling, then PCA or selection, then scaling again, each fitted on training rows only.

Plain numpy, and so fast that every split is prepared on its own. The order is the one of the field's careful
protocols: scale the columns, reduce them, and bring the principal components to the same scale, so that a bandwidth
means the same for every qubit.

==========  ==================================================================================================
scaling     what it does to a column (and again to each principal component), from the training rows
==========  ==================================================================================================
standard    mean 0 and standard deviation 1 (divisor n)
minmax      [0, π]; rows that were not fitted on may fall outside
none        nothing
==========  ==================================================================================================
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from quantum_assets.contracts.dataset import Dataset, Features, PreparedSplit, Split
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import Preparation, Scaling
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.datasets.validation import check_qubits

MINMAX_TOP = np.pi
_SIGN_TIE = 1e-6


@dataclass(frozen=True, eq=False)
class FittedPreparation:
    """A fitted preparation as plain arrays: scale, centre, project, scale.

    ``(((x - offset) * gain - centre) @ components - out_offset) * out_gain``. A column (or component) that was
    constant on the training rows has gain 0: it is 0 on every row, whatever comes later.

    Attributes:
        offset: Shape `(n_features,)`.
        gain: Shape `(n_features,)`.
        centre: Shape `(n_features,)`; zeros without PCA.
        components: Shape `(n_features, n_qubits)`; columns of the identity without PCA.
        out_offset: Shape `(n_qubits,)`.
        out_gain: Shape `(n_qubits,)`.
    """

    offset: FloatArray
    gain: FloatArray
    centre: FloatArray
    components: FloatArray
    out_offset: FloatArray
    out_gain: FloatArray

    def transform(self, values: FloatArray) -> FloatArray:
        """Prepare rows, fitted on or new.

        Args:
            values: Raw features, shape `(n_rows, n_features)`.

        Returns:
            Shape `(n_rows, n_qubits)`; angles are bandwidth times these.

        Raises:
            PlanError: For another number of columns, or values that are not finite.
        """
        if values.ndim != 2 or values.shape[1] != len(self.offset):
            raise PlanError(
                "rows to prepare", f"have shape {values.shape}", f"Give {len(self.offset)} columns in the fitted order"
            )
        if not np.isfinite(values).all():
            raise PlanError("rows to prepare", "hold NaN or infinite values", "Clean or impute them first")
        inner = ((values - self.offset) * self.gain - self.centre) @ self.components
        return np.ascontiguousarray((inner - self.out_offset) * self.out_gain)


def prepare(dataset: Dataset, splits: Sequence[Split], preparation: Preparation) -> Features:
    """Prepare every split on its own: fit on its training rows, apply to its training and test rows.

    One BLAS thread is used, so that the bits do not depend on the number of cores.

    Args:
        dataset: Finite rows.
        splits: As `splits.splits` cut them.
        preparation: The recipe.

    Raises:
        PlanError: For more qubits than there are columns or training rows, or values too large to scale.
    """
    check_qubits(dataset.features.shape[1], preparation, dataset.name)
    with threadpool_limits(1):
        prepared = {split.id: _prepare_split(dataset, split, preparation) for split in splits}
    n_qubits = preparation.qubits or dataset.features.shape[1]
    return Features(prepared, n_qubits, dataset.fingerprint)


def fit_full(dataset: Dataset, preparation: Preparation) -> FittedPreparation:
    """The preparation of the ``full`` split, fitted on all rows: what a deployed model applies to new ones.

    Raises:
        PlanError: As `prepare` does.
    """
    check_qubits(dataset.features.shape[1], preparation, dataset.name)
    with threadpool_limits(1):
        return fit(dataset.features, dataset.labels, preparation, f"{dataset.name}: split full")


def fit(
    values: FloatArray, labels: IntArray, preparation: Preparation, whose: str = "preparation"
) -> FittedPreparation:
    """Fit on training rows.

    PCA is the full singular value decomposition of the scaled, centred columns; the sign of a component is such that
    its largest loading (the first of those equally large) is positive; a component without variance is 0. Selection
    takes the columns of largest one-way ANOVA F, ties to the earlier column, and keeps them in column order.

    Args:
        values: Training rows, shape `(n_train, n_features)`.
        labels: Class index of each, for selection only.
        preparation: The recipe.
        whose: Begins the culprit.

    Raises:
        PlanError: For fewer training rows than principal components, or values too large to scale.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        offset, gain = _scale(values, preparation.scaling)
        scaled = (values - offset) * gain
    if not (np.isfinite(offset).all() and np.isfinite(gain).all() and np.isfinite(scaled).all()):
        raise PlanError(whose, "a column is too large or too small to be scaled in doubles", "Change its unit")
    centre, components = _reduce(scaled, labels, preparation, whose)
    projected = (scaled - centre) @ components
    again: Scaling = preparation.scaling if preparation.reduction == "pca" else "none"
    return FittedPreparation(offset, gain, centre, components, *_scale(projected, again))


def _prepare_split(dataset: Dataset, split: Split, preparation: Preparation) -> PreparedSplit:
    rows = np.union1d(split.train, split.test)
    whose = f"{dataset.name}: split {split.id}"
    fitted = fit(dataset.features[split.train], dataset.labels[split.train], preparation, whose)
    return PreparedSplit(split.id, rows, np.isin(rows, split.train), fitted.transform(dataset.features[rows]))


def _scale(values: FloatArray, scaling: Scaling) -> tuple[FloatArray, FloatArray]:
    """Offset and gain of each column; gain 0 where it is constant."""
    if scaling == "none":
        return np.zeros(values.shape[1]), np.ones(values.shape[1])
    low, high = values.min(axis=0), values.max(axis=0)
    moving = high > low
    if scaling == "minmax":
        return low, np.where(moving, MINMAX_TOP / np.where(moving, high - low, 1.0), 0.0)
    spread = values.std(axis=0)
    return values.mean(axis=0), np.where(moving, 1.0 / np.where(moving, spread, 1.0), 0.0)


def _reduce(
    scaled: FloatArray, labels: IntArray, preparation: Preparation, whose: str
) -> tuple[FloatArray, FloatArray]:
    """Centre and components of the chosen reduction."""
    n_features = scaled.shape[1]
    if preparation.reduction == "pca":
        return _principal(scaled, int(preparation.qubits or 0), whose)
    kept = np.arange(n_features)
    if preparation.reduction == "select":
        kept = _best_columns(scaled, labels, int(preparation.qubits or 0))
    return np.zeros(n_features), np.eye(n_features)[:, kept]


def _principal(scaled: FloatArray, qubits: int, whose: str) -> tuple[FloatArray, FloatArray]:
    if qubits > min(scaled.shape):
        raise PlanError(
            whose, f"pca cannot make {qubits} columns from {scaled.shape[0]} training rows", "Lower qubits or add rows"
        )
    centre = scaled.mean(axis=0)
    _, strength, loadings = np.linalg.svd(scaled - centre, full_matrices=False)
    components = loadings[:qubits].T.copy()
    size = np.abs(components)
    # Loadings of two correlated columns are equal up to rounding: the first decides the sign, and not the noise.
    leading = np.argmax(size >= (1 - _SIGN_TIE) * size.max(axis=0), axis=0)
    components *= np.where(components[leading, np.arange(qubits)] < 0, -1.0, 1.0)
    noise = strength[0] * max(scaled.shape) * np.finfo(np.float64).eps
    components[:, strength[:qubits] <= noise] = 0.0
    return centre, components


def _best_columns(values: FloatArray, labels: IntArray, count: int) -> IntArray:
    """Columns of largest one-way ANOVA F, in column order (Fisher 1925); single precision makes ties of rounding."""
    classes = np.unique(labels)
    overall = values.mean(axis=0)
    between, within = np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for index in classes:
        members = values[labels == index]
        mean = members.mean(axis=0)
        between += len(members) * (mean - overall) ** 2
        within += ((members - mean) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = (between / (len(classes) - 1)) / (within / (len(values) - len(classes)))
        ranked = np.nan_to_num(ratio, nan=-1.0, posinf=np.inf).astype(np.float32)
    return np.sort(np.argsort(-ranked, kind="stable")[:count])
