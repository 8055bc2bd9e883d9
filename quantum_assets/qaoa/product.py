"""A product of one-qubit matrices on a state, in place, two cache-sized passes over it and no matrix above 16×16.

Qubits are taken in groups of three or four, and a group's Kronecker product goes through BLAS. The low qubits run block
by block in cache: each product also turns its group from the front of the index to the back, so that after one round
every qubit is where it was. The high qubits follow in column blocks.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.workload import FloatArray

Matrix = npt.NDArray[Any]
#: Several real or complex vectors of one length, `(n_planes, 2**n)`, all acted on alike.
Planes = npt.NDArray[Any]

_LOW = 14  # qubits of a block: 128 KB of doubles a plane, so that two planes and their scratch stay in L2
BLOCK = 1 << _LOW  # states of a block
_GROUP = 4
_NARROWEST = 64  # columns of a block in the second pass, so that a row is some cache lines long


def scratch(planes: Planes) -> tuple[Planes, Planes]:
    """Two buffers for `apply_product`, to be used again for every layer of one run."""
    block = min(planes.shape[1], BLOCK)
    columns = planes.shape[1] // block
    size = max(block, columns * min(_NARROWEST, block))
    return tuple(np.empty((len(planes), size), planes.dtype) for _ in range(2))  # type: ignore[return-value]


def apply_product(
    planes: Planes,
    factors: Sequence[Matrix],
    buffers: tuple[Planes, Planes],
    before: Callable[[int, int], None] | None = None,
) -> None:
    """Multiply every plane by `factors[n-1] ⊗ … ⊗ factors[0]`.

    Args:
        planes: Changed in place; C-contiguous.
        factors: One matrix (2, 2) a qubit, qubit 0 first; of the planes' type.
        buffers: From `scratch`.
        before: Called with first and last (exclusive) state of each block before it is worked on, while it is about to
            enter the cache: the phases of a layer ride along.
    """
    low = min(len(factors), _LOW)
    matrices = _group_matrices(factors[:low])
    length = 1 << low
    for start in range(0, planes.shape[1], length):
        if before is not None:
            before(start, start + length)
        _cycle(planes[:, start : start + length], matrices, buffers)
    if len(factors) > low:
        _columns(planes, low, _group_matrices(factors[low:]), buffers)


def _cycle(block: Planes, matrices: Sequence[Matrix], buffers: tuple[Planes, Planes]) -> None:
    """One block `(n_planes, length)`, strided between planes only; matrices from the highest group to the lowest."""
    n_planes, length = block.shape
    source = block
    for place, matrix in enumerate(matrices):
        size = len(matrix)
        last = place == len(matrices) - 1 and place > 0
        target = block if last else buffers[place % 2][:, :length]
        np.matmul(
            source.reshape(n_planes, size, -1).transpose(0, 2, 1), matrix.T, out=target.reshape(n_planes, -1, size)
        )
        source = target
    if source is not block:  # one group alone cannot write over what it reads
        block[:] = source


def _columns(planes: Planes, low: int, matrices: Sequence[Matrix], buffers: tuple[Planes, Planes]) -> None:
    """The qubits from `low` on, for a block of columns (states that agree in the lower qubits) at a time."""
    n_planes, rows = len(planes), planes.shape[1] >> low
    width = min(1 << low, max(_NARROWEST, BLOCK // rows))
    table = planes.reshape(n_planes, rows, 1 << low)
    for start in range(0, 1 << low, width):
        block = table[:, :, start : start + width]
        source, left = block, rows
        for place, matrix in enumerate(reversed(matrices)):  # the lowest group first: its columns are the block's own
            left //= len(matrix)
            shape = (n_planes, left, len(matrix), -1)
            target = buffers[place % 2][:, : rows * width]
            np.matmul(matrix, source.reshape(shape), out=target.reshape(shape))
            source = target
        block[:] = source.reshape(block.shape)


def _group_matrices(factors: Sequence[Matrix]) -> list[Matrix]:
    """Kronecker products of neighbouring factors in groups of at most `_GROUP`, the highest qubits' first."""
    count = -(-len(factors) // _GROUP)
    bounds = [len(factors) * place // count for place in range(count + 1)]
    known: dict[tuple[int, ...], Matrix] = {}
    found: list[Matrix] = []
    for first, last in zip(bounds[-2::-1], bounds[:0:-1], strict=True):
        key = tuple(id(factor) for factor in factors[first:last])
        if key not in known:  # equal qubits share one product
            known[key] = _kron(factors[first:last])
        found.append(known[key])
    return found


def _kron(factors: Sequence[Matrix]) -> Matrix:
    """Kronecker product, the last factor outermost; np.kron takes longer than all the rest of a small state."""
    product = factors[0]
    for factor in factors[1:]:
        size = 2 * len(product)
        product = (factor[:, None, :, None] * product[None, :, None, :]).reshape(size, size)
    return np.ascontiguousarray(product)


def rotation(beta: float) -> FloatArray:
    """exp(-iβX) where every amplitude was divided by `i**ones`: the real matrix [[c, s], [-s, c]]."""
    cosine, sine = np.cos(beta), np.sin(beta)
    return np.array([[cosine, sine], [-sine, cosine]])
