"""Rows of bits, checked and worked through in pieces: what every problem does before it judges them."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits
from quantum_assets.contracts.workload import FloatArray, IntArray

_CHUNK = 1 << 22  # numbers of the largest temporary array


class Named(Protocol):
    """What a message about bits needs to know of a problem."""

    @property
    def kind(self) -> str: ...  # noqa: D102 - as in `Problem`

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def variables(self) -> tuple[str, ...]: ...  # noqa: D102


def matrix_of(problem: Named, bits: Bits) -> Bits:
    """One row or many as a matrix `(n_rows, n_variables)` of 0 and 1.

    Raises:
        PlanError: For another width, or values that are not bits.
    """
    rows = np.atleast_2d(np.asarray(bits))
    if rows.ndim != 2 or rows.shape[1] != len(problem.variables):
        raise PlanError(
            f"{problem.kind} {problem.name}: bits",
            f"have the shape {np.shape(bits)} for {len(problem.variables)} variables",
            "Give one column a variable",
        )
    if rows.dtype != np.uint8 or (rows > 1).any():
        wrong = rows[(rows != 0) & (rows != 1)]
        if wrong.size:
            raise PlanError(f"{problem.kind} {problem.name}: bits", f"hold the value {wrong[0]}", "Give 0 and 1 only")
        rows = rows.astype(np.uint8)
    return rows


def pieces(n_rows: int, width: int) -> Iterator[slice]:
    """Slices of rows for which an array of `width` numbers a row stays small."""
    step = max(1, _CHUNK // max(1, width))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


def pair_sums(rows: Bits, pairs: IntArray, weights: FloatArray, combine: Callable[..., Any]) -> FloatArray:
    """For every row, the weights of the pairs `(i, j)` for which `combine(x_i, x_j)` is true, added up.

    Args:
        rows: Shape `(n_rows, n_variables)`.
        pairs: Shape `(n_pairs, 2)`.
        weights: Shape `(n_pairs,)`.
        combine: A numpy function of two arrays, for example `np.logical_xor`.
    """
    total = np.empty(len(rows))
    for piece in pieces(len(rows), len(pairs)):
        held = combine(rows[piece][:, pairs[:, 0]], rows[piece][:, pairs[:, 1]])
        total[piece] = held.astype(np.float64) @ weights
    return total
