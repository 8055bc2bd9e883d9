"""Statistically exact shot sampling: what an ideal device would have counted, without running a circuit.

Each shot of a compute-uncompute circuit reads 0…0 with probability K_ij, independently, so the count of S shots is
Binomial(S, K_ij) and nothing else. One draw is made per unordered pair of samples, from a counter-based generator
whose counter is the pair: tiles, reruns, row subsets and permutations of a matrix therefore agree draw by draw, and
different maps, bandwidths and folds draw independently.

Diagonal policy: a sample's fidelity with itself is 1 without noise, so its count is S of S, always.

This holds for the fidelity test only: not for swap tests, projected kernels, mitigated estimates or noisy devices.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.kernels.draws import KeyArray, count

LABEL = "statistically exact sampling of an ideal device: no circuits were run"
_BAND = 64


def sample_keys(stream: str, ids: Sequence[str], bindings: FloatArray) -> KeyArray:
    """Give every sample its identity in the random stream: 64 bits of a hash of the circuit, its id and its angles.

    Args:
        stream: What the draws belong to; the circuit's fingerprint.
        ids: Sample ids, length n.
        bindings: Angles, shape `(n, n_parameters)`.

    Returns:
        Shape `(n,)`.
    """
    digests = (fingerprint("sample/v1", stream, sample, row) for sample, row in zip(ids, bindings, strict=True))
    return np.array([int(digest[:16], 16) for digest in digests], dtype=np.uint64)


def binomial(
    matrix: KernelMatrix, row_keys: KeyArray, column_keys: KeyArray | None = None, *, shots: int, seed: int
) -> KernelMatrix:
    """Draw the matrix that an ideal device would have measured with so many shots an entry.

    Args:
        matrix: Exact fidelities in [0, 1].
        row_keys: From `sample_keys`, one a row.
        column_keys: One a column; None for a Gram matrix, which is then drawn once a pair and mirrored.
        shots: Shots an entry, S.
        seed: The profile's seed.

    Returns:
        Counts over shots, with standard errors sqrt(p(1-p)/S); `circuits_run` stays what the exact matrix took, and
        `circuits_needed` is the number of distinct pairs of different samples.

    Raises:
        PlanError: If the matrix is no exact matrix of probabilities.
    """
    if matrix.shots is not None or matrix.values.min(initial=0) < 0 or matrix.values.max(initial=0) > 1 + 1e-8:
        raise PlanError(f"kernel matrix {matrix.kernel}", "is not exact or not in [0, 1]", "Sample exact fidelities")
    if column_keys is None:
        values = _square(matrix.values, row_keys, shots, seed)
        circuits = len(row_keys) * (len(row_keys) - 1) // 2
    else:
        values = _rectangle(matrix.values, row_keys, column_keys, shots, seed)
        circuits = _distinct_pairs(row_keys, column_keys)
    return dataclasses.replace(
        matrix,
        values=values,
        stderr=standard_error(values, shots),
        shots=shots,
        circuits_needed=circuits,
    )


def standard_error(probabilities: FloatArray, shots: int) -> FloatArray:
    """Plug-in standard error of a proportion, sqrt(p(1-p)/S); 0 where all or none of the shots counted."""
    return np.sqrt(np.clip(probabilities * (1 - probabilities), 0, None) / shots)


def _square(values: FloatArray, keys: KeyArray, shots: int, seed: int) -> FloatArray:
    """Draw above the diagonal in bands of rows, and mirror."""
    drawn = np.ones_like(values)
    number = np.arange(len(keys))
    for start in range(0, len(keys), _BAND):
        rows, columns = np.nonzero(number[start : start + _BAND, None] < number[None, :])
        rows += start
        draws = count(values[rows, columns], keys[rows], keys[columns], shots=shots, seed=seed) / shots
        drawn[rows, columns] = draws
        drawn[columns, rows] = draws
    return drawn


def _rectangle(values: FloatArray, row_keys: KeyArray, column_keys: KeyArray, shots: int, seed: int) -> FloatArray:
    """Draw every entry; the same pair met twice gets the same draw, and a sample with itself gets 1."""
    drawn = np.ones_like(values)
    for start in range(0, len(row_keys), _BAND):
        rows, columns = np.nonzero(row_keys[start : start + _BAND, None] != column_keys[None, :])
        rows += start
        draws = count(values[rows, columns], row_keys[rows], column_keys[columns], shots=shots, seed=seed)
        drawn[rows, columns] = draws / shots
    return drawn


def _distinct_pairs(row_keys: KeyArray, column_keys: KeyArray) -> int:
    """Unordered pairs of different samples that a rectangle touches."""
    shared = len(np.intersect1d(row_keys, column_keys))
    return len(row_keys) * len(column_keys) - shared - shared * (shared - 1) // 2
