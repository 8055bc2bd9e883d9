"""The rivals as the same value: RBF, polynomial and linear Gram matrices, so that no baseline is a special case."""

from collections.abc import Callable, Sequence

import numpy as np
from threadpoolctl import threadpool_limits

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.workload import FloatArray


def rbf(values: FloatArray, ids: Sequence[str], *, gamma: float) -> KernelMatrix:
    """exp(-gamma |x - x'|²) of all rows; unit diagonal, entries in (0, 1].

    Args:
        values: Prepared values, shape `(n, d)`.
        ids: Sample ids, length n.
        gamma: Inverse squared width, positive.

    Raises:
        PlanError: If gamma is not positive or a value is not finite.
    """
    _check("rbf", values, gamma=gamma)
    return _matrix("rbf", np.exp(-gamma * squared_distances(values)), ids, gamma=gamma)


def polynomial(
    values: FloatArray, ids: Sequence[str], *, gamma: float, degree: int = 3, coef0: float = 1.0
) -> KernelMatrix:
    """(gamma x·x' + coef0)^degree of all rows; not normalised.

    Args:
        values: Prepared values, shape `(n, d)`.
        ids: Sample ids, length n.
        gamma: Scale of the inner product, positive.
        degree: Whole number, at least 1.
        coef0: Constant, not negative, without which the kernel would not be positive semi-definite.

    Raises:
        PlanError: If a parameter is out of range or a value is not finite.
    """
    _check("polynomial", values, gamma=gamma, degree=degree)
    if coef0 < 0 or degree != int(degree):
        raise PlanError("kernel polynomial", f"coef0 {coef0}, degree {degree}", "Use coef0 >= 0 and a whole degree")
    product = np.asarray((gamma * _inner(values) + coef0) ** int(degree))
    return _matrix("polynomial", product, ids, gamma=gamma, degree=float(degree), coef0=coef0)


def linear(values: FloatArray, ids: Sequence[str]) -> KernelMatrix:
    """x·x' of all rows; not normalised.

    Args:
        values: Prepared values, shape `(n, d)`.
        ids: Sample ids, length n.

    Raises:
        PlanError: If a value is not finite.
    """
    _check("linear", values)
    return _matrix("linear", _inner(values), ids)


KERNELS: dict[str, Callable[..., KernelMatrix]] = {"rbf": rbf, "polynomial": polynomial, "linear": linear}


def squared_distances(values: FloatArray) -> FloatArray:
    """|x_i - x_j|² of all rows, shape `(n, n)`, symmetric, exactly 0 on the diagonal.

    Columns are centred first, which keeps the digits of small distances far from the origin.
    """
    centred = values - values.mean(axis=0)
    squares = np.einsum("ij,ij->i", centred, centred)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2 * _inner(centred), 0.0)
    np.fill_diagonal(distances, 0.0)
    return np.asarray(distances)


def _inner(values: FloatArray) -> FloatArray:
    """All inner products of rows; on one thread, for the same bits on any machine of one kind."""
    with threadpool_limits(1):
        return np.asarray(values @ values.T)


def _check(kernel: str, values: FloatArray, **positive: float) -> None:
    if values.ndim != 2 or not len(values) or not np.isfinite(values).all():
        raise PlanError(
            f"kernel {kernel}",
            f"values of shape {values.shape} are not a table of finite numbers",
            "Clean or impute the data first",
        )
    wrong = {name: value for name, value in positive.items() if not (np.isfinite(value) and value > 0)}
    if wrong:
        raise PlanError(f"kernel {kernel}", f"parameters {wrong} are not positive", "Use positive, finite parameters")


def _matrix(kernel: str, values: FloatArray, ids: Sequence[str], **parameters: float) -> KernelMatrix:
    return KernelMatrix(values, tuple(ids), tuple(ids), kernel, parameters)
