"""A support vector machine on a precomputed kernel, as plain arrays: fitted by libsvm, answering in numpy.

The same object judges folds, becomes the stored `KernelModel` and answers for new rows, so that what was evaluated is
what is kept.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.kernels.psd import repair

_PSD_TOLERANCE = 1e-12
"""Share of the trace that a negative eigenvalue may have before the matrix is repaired; rounding stays far below it."""


@dataclass(frozen=True, eq=False)
class TrainingKernel:
    """A training block that libsvm may be given.

    Attributes:
        matrix: Symmetric, positive semidefinite, shape `(n_train, n_train)`.
        projector: What the repair multiplied rows by, shape `(n_train, n_train)`; None where nothing was repaired.
    """

    matrix: FloatArray
    projector: FloatArray | None


@dataclass(frozen=True, eq=False)
class Machine:
    """One-vs-one support vector classifier over columns of kernel rows.

    Attributes:
        classes: Class indices seen in training, ascending, shape `(n_classes,)`.
        pairs: Positions in `classes`, first < second, shape `(n_pairs, 2)`; none for a single class.
        rows: Training rows with a coefficient, ascending, shape `(n_support,)`.
        coefficients: Signed dual coefficients, shape `(n_pairs, n_support)`.
        intercepts: Shape `(n_pairs,)`.
        n_train: Training rows, the width of the kernel rows it takes.
    """

    classes: IntArray
    pairs: IntArray
    rows: IntArray
    coefficients: FloatArray
    intercepts: FloatArray
    n_train: int


def training_kernel(block: FloatArray) -> TrainingKernel:
    """Make a training block fit for the optimiser, once for every C: symmetric, and without negative eigenvalues.

    Sampled and noisy kernels have some, and libsvm's problem is not convex on them. Cholesky's decomposition tells in a
    tenth of the time of the repair whether there is anything to repair.

    Args:
        block: Kernel values between train rows, shape `(n_train, n_train)`; averaged with its transpose.
    """
    symmetric = (block + block.T) / 2
    try:
        np.linalg.cholesky(symmetric + _PSD_TOLERANCE * np.trace(symmetric) * np.eye(len(symmetric)))
    except np.linalg.LinAlgError:
        ids = tuple(str(row) for row in range(len(symmetric)))
        repaired = repair(KernelMatrix(symmetric, ids, ids, kernel="train"))
        return TrainingKernel(repaired.matrix.values, repaired.projector)
    return TrainingKernel(symmetric, None)


def fit(kernel: TrainingKernel, labels: IntArray, c: float) -> Machine:
    """Fit a soft-margin machine; its coefficients include the repair, so that it takes kernel rows as they come.

    Args:
        kernel: The training block, from `training_kernel`.
        labels: Class index a row.
        c: Penalty C, positive.

    Returns:
        The machine; one that always answers the same class where only one was seen.
    """
    from sklearn.svm import SVC

    classes = np.unique(labels)
    if len(classes) == 1:
        empty = np.zeros((0, 0))
        return Machine(classes, np.zeros((0, 2), np.int64), np.zeros(0, np.int64), empty, np.zeros(0), len(labels))
    svc = SVC(C=c, kernel="precomputed").fit(kernel.matrix, labels)
    fitted = _machine_of(svc, classes, len(labels))
    if kernel.projector is None:
        return fitted
    # k(x) P a = k(x) (P a): a repaired machine leans on every training row, and needs no projector afterwards.
    dense = fitted.coefficients @ kernel.projector[fitted.rows]
    return replace(fitted, rows=np.arange(len(labels)), coefficients=dense)


def _machine_of(svc: Any, classes: IntArray, n_train: int) -> Machine:
    """Spread scikit-learn's packed coefficients, `dual_coef_[other class, vector]`, to one row a class pair."""
    k = len(classes)
    pairs = np.array([(i, j) for i in range(k) for j in range(i + 1, k)], dtype=np.int64)
    owner = np.repeat(np.arange(k), svc.n_support_)
    spread = np.zeros((len(pairs), len(owner)))
    for row, (i, j) in zip(spread, pairs, strict=True):
        row[owner == i] = svc.dual_coef_[j - 1, owner == i]
        row[owner == j] = svc.dual_coef_[i, owner == j]
    # scikit-learn turns the sign round for two classes alone; here positive always speaks for the first of the pair.
    sign = -1.0 if k == 2 else 1.0
    order = np.argsort(svc.support_, kind="stable")
    rows = np.asarray(svc.support_, np.int64)[order]
    return Machine(classes, pairs, rows, sign * spread[:, order], sign * svc.intercept_, n_train)


def decision(machine: Machine, kernel_rows: FloatArray) -> FloatArray:
    """Signed distance a row and class pair; positive speaks for the first class of the pair.

    Args:
        machine: The fitted machine.
        kernel_rows: Kernel values of new rows against all training rows in their order, shape `(n_new, n_train)`.

    Returns:
        Shape `(n_new, n_pairs)`.

    Raises:
        PlanError: For kernel rows of another width.
    """
    if kernel_rows.ndim != 2 or kernel_rows.shape[1] != machine.n_train:
        raise PlanError(
            "kernel_rows",
            f"have shape {kernel_rows.shape} for a model of {machine.n_train} training rows",
            "Give one row a new sample and one column a training row, in training order",
        )
    if not len(machine.pairs):
        return np.zeros((len(kernel_rows), 0))
    scores: FloatArray = kernel_rows[:, machine.rows] @ machine.coefficients.T + machine.intercepts
    return scores


def predict(machine: Machine, kernel_rows: FloatArray) -> IntArray:
    """Class index a row: one vote a pair, most votes win, the lower class in a draw, as libsvm decides it."""
    wins = decision(machine, kernel_rows) > 0
    votes = np.zeros((len(kernel_rows), len(machine.classes)), dtype=np.int64)
    for pair, (i, j) in enumerate(machine.pairs):
        votes[:, i] += wins[:, pair]
        votes[:, j] += ~wins[:, pair]
    answer: IntArray = machine.classes[votes.argmax(axis=1)]
    return answer
