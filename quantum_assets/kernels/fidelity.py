"""The product behind every exact kernel: |⟨ψ_i|ψ_j⟩|² of many states, in real arithmetic and in tiles.

With states split as ψ = R + iI, the real part of the overlap is P₁ + P₂ and the imaginary part P₁ − P₂ − P₃, where
P₁ = R Rᵀ, P₂ = I Iᵀ and P₃ = (R + I)(R − I)ᵀ (Gauss's three products for one complex one). Only tiles on and above the
diagonal are computed, which makes 3 N² D multiplications and additions of a matrix of N states of D amplitudes,
against 8 N² D of the complex product. On the diagonal itself the tile is (R Rᵀ + I Iᵀ)² + (M − Mᵀ)² with M = I Rᵀ, so
that the matrix is symmetric to the last bit.

BLAS sums in another order with another number of threads, and a digest sees the last bit: products run on one thread.
"""

import numpy as np
from threadpoolctl import threadpool_limits

from quantum_assets.contracts.envelope import ComplexArray
from quantum_assets.contracts.workload import FloatArray

TILE = 200
ROUNDING = 1e-12


def fidelities(states: ComplexArray) -> FloatArray:
    """Compute all fidelities within one list of states.

    The diagonal is computed like every other entry, |⟨ψ_i|ψ_i⟩|², and not overwritten by 1: a state that is not
    normalised shows. Entries above 1 by no more than `ROUNDING` are set to 1.

    Args:
        states: Normalised, shape `(n, dimension)`.

    Returns:
        Shape `(n, n)`, symmetric to the last bit.
    """
    real, imaginary = _split(states)
    n = len(states)
    values = np.empty((n, n))
    with threadpool_limits(1):
        for start in range(0, n, TILE):
            rows = slice(start, min(start + TILE, n))
            values[rows, rows] = _own_tile(real[rows], imaginary[rows])
            for other in range(rows.stop, n, TILE):
                columns = slice(other, min(other + TILE, n))
                tile = _tile(real[rows], imaginary[rows], real[columns], imaginary[columns])
                values[rows, columns] = tile
                values[columns, rows] = tile.T
    return _rounded(values)


def fidelities_between(left: ComplexArray, right: ComplexArray) -> FloatArray:
    """Compute the fidelity of every state of one list with every state of another.

    Args:
        left: Normalised, shape `(n, dimension)`.
        right: Normalised, shape `(m, dimension)`.

    Returns:
        Shape `(n, m)`.
    """
    real, imaginary = _split(left)
    other_real, other_imaginary = _split(right)
    values = np.empty((len(left), len(right)))
    with threadpool_limits(1):
        for start in range(0, len(left), TILE):
            rows = slice(start, start + TILE)
            for other in range(0, len(right), TILE):
                columns = slice(other, other + TILE)
                values[rows, columns] = _tile(
                    real[rows], imaginary[rows], other_real[columns], other_imaginary[columns]
                )
    return _rounded(values)


def _split(states: ComplexArray) -> tuple[FloatArray, FloatArray]:
    """Real and imaginary parts as contiguous copies, which BLAS can take."""
    return np.ascontiguousarray(states.real), np.ascontiguousarray(states.imag)


def _own_tile(real: FloatArray, imaginary: FloatArray) -> FloatArray:
    overlap_real = real @ real.T  # numpy hands A @ A.T to syrk: half the work, and symmetric
    overlap_real += imaginary @ imaginary.T
    mixed = imaginary @ real.T
    overlap_imaginary = mixed - mixed.T
    return _squared(overlap_real, overlap_imaginary)


def _tile(real: FloatArray, imaginary: FloatArray, other_real: FloatArray, other_imaginary: FloatArray) -> FloatArray:
    first = real @ other_real.T
    second = imaginary @ other_imaginary.T
    third = (real + imaginary) @ (other_real - other_imaginary).T
    overlap_real = first + second
    first -= second
    first -= third
    return _squared(overlap_real, first)


def _squared(real: FloatArray, imaginary: FloatArray) -> FloatArray:
    """|z|² in place of the real parts."""
    real *= real
    imaginary *= imaginary
    real += imaginary
    return real


def _rounded(values: FloatArray) -> FloatArray:
    """Set rounding noise above 1 to 1, in place; anything larger stays for the checks to see."""
    values[(values > 1.0) & (values <= 1.0 + ROUNDING)] = 1.0
    return values
