"""The batched state engine for circuits of the form (diagonal times Hadamard)^reps.

Per chunk of rows: the phases of all basis states are one real matrix product with the 0/1 parity matrix of the terms,
`E = exp(iΦ)` is taken once, and every layer after the first is one Walsh-Hadamard transform and one multiplication by
E. The transform is two small dense products, since `H^⊗n = H^⊗a ⊗ H^⊗b`; no 2ⁿ × 2ⁿ matrix is ever made.
"""

from functools import reduce
from operator import xor

import numpy as np

from quantum_assets.contracts.envelope import ComplexArray
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import DiagonalForm, FloatArray

_CHUNK_BYTES = 4_000_000  # fits caches; larger chunks cost twice the CPU on a busy machine


def states(form: DiagonalForm, n_qubits: int) -> ComplexArray:
    """State vectors of every row of a diagonal form.

    Args:
        form: Terms, phases in radians and repetitions.
        n_qubits: Width; every term acts within it.

    Returns:
        Amplitudes, shape `(n_bindings, 2**n_qubits)`, unit rows, little-endian. Peak memory is the result, the parity
        matrix (`8 * n_terms * 2**n_qubits` bytes) and a few chunks of 4 MB.

    Raises:
        PlanError: For a term on a qubit outside the width.
    """
    dimension = 1 << n_qubits
    parity = parities(form.terms, n_qubits)
    left, right = hadamard(n_qubits - n_qubits // 2), hadamard(n_qubits // 2)
    # Complex rows are read as pairs of reals, so the right factor acts on pairs: H ⊗ I₂ keeps the product real.
    right_pairs = np.asarray(np.kron(right, np.eye(2)), dtype=np.float64)
    amplitudes = np.empty((form.phases.shape[0], dimension), dtype=np.complex128)
    step = rows_per_chunk(n_qubits)
    for start in range(0, amplitudes.shape[0], step):
        rows = slice(start, start + step)
        amplitudes[rows] = _layers(form.phases[rows] @ parity, form.reps, left, right_pairs)
    return amplitudes


def rows_per_chunk(n_qubits: int) -> int:
    """Rows whose complex amplitudes fill one chunk; at least one."""
    return max(1, _CHUNK_BYTES // (16 << n_qubits))


def peak_bytes(n_bindings: int, n_terms: int, n_qubits: int) -> int:
    """Estimated peak memory of `states`: the result, the parity matrix and five chunks in flight."""
    chunk = min(n_bindings, rows_per_chunk(n_qubits)) * (16 << n_qubits)
    return n_bindings * (16 << n_qubits) + n_terms * (8 << n_qubits) + 5 * chunk


def parities(terms: tuple[tuple[int, ...], ...], n_qubits: int) -> FloatArray:
    """Whether the bits of each basis state on each term have odd sum: 0.0 or 1.0, shape `(n_terms, 2**n_qubits)`."""
    outside = [term for term in terms if not all(0 <= qubit < n_qubits for qubit in term)]
    if outside:
        raise PlanError("DiagonalForm.terms", f"{outside[0]} is outside {n_qubits} qubits", "Use qubits of the circuit")
    basis = np.arange(1 << n_qubits, dtype=np.int64)
    parity = np.empty((len(terms), len(basis)), dtype=np.float64)
    for row, term in zip(parity, terms, strict=True):
        mask = reduce(xor, (1 << qubit for qubit in term), 0)
        row[:] = np.bitwise_count(basis & mask) & 1
    return parity


def hadamard(n_qubits: int) -> FloatArray:
    """`H^⊗n` as a dense real matrix, normalised; for the small factors only."""
    index = np.arange(2**n_qubits)
    signs = 1.0 - 2.0 * (np.bitwise_count(index[:, None] & index) & 1)
    return np.asarray(signs / 2 ** (n_qubits / 2), dtype=np.float64)


def _layers(phases: FloatArray, reps: int, left: FloatArray, right_pairs: FloatArray) -> ComplexArray:
    rows, dimension = phases.shape
    diagonal = np.empty((rows, dimension), dtype=np.complex128)
    np.cos(phases, out=diagonal.real)
    np.sin(phases, out=diagonal.imag)
    state: ComplexArray = diagonal * dimension**-0.5  # the first Hadamards make the uniform superposition
    for _ in range(reps - 1):
        pairs = state.view(np.float64).reshape(rows, len(left), len(right_pairs))
        pairs = np.matmul(left, pairs).reshape(-1, len(right_pairs)) @ right_pairs
        state = np.multiply(pairs.view(np.complex128).reshape(rows, dimension), diagonal)
    return state
