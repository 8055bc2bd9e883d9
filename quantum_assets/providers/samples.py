"""Outcomes of measured circuits as packed bits, and the statistic by which sampled ones are held against exact ones.

Samples are judged by the parities of every qubit and of every pair of qubits: the share of shots in which the bits of
the set add up to an odd number. One- and two-qubit parities fix all means and covariances, so a bit order, a noise, a
readout error or a seed that is not what it should be moves some of them; their exact values follow from the outcome
probabilities by one Walsh-Hadamard transform. Each count is binomial, whatever the circuit, and its deviation is told
as the normal deviate with the same tail probability, so that six standard errors mean the same for rare outcomes as for
even ones: a false alarm in a billion parities.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.envelope import ComplexArray, PackedBits
from quantum_assets.contracts.workload import FloatArray

_ROUNDING = 1e-12
_SMALLEST = 5e-324  # of the positive numbers: 38 standard errors are as far as a tail can tell


def little_endian(array: npt.NDArray[np.uint8]) -> PackedBits:
    """Qiskit's packed outcomes, whose first byte holds the last qubits, in the order of the contract.

    Args:
        array: Of a `BitArray`, shape `(n_circuits, shots, n_bytes)`.
    """
    return np.ascontiguousarray(array[..., ::-1])


def packed_bits(rows: Any) -> PackedBits:
    """Pack outcomes that have one row a shot and one column a qubit, qubit 0 first."""
    return np.packbits(np.asarray(rows, dtype=bool), axis=-1, bitorder="little")


def unpacked_bits(packed: PackedBits, n_qubits: int) -> npt.NDArray[np.uint8]:
    """One column a qubit again, qubit 0 first: shape `(..., n_qubits)` of 0 and 1."""
    return np.unpackbits(packed, axis=-1, count=n_qubits, bitorder="little")


def zero_shares(packed: PackedBits) -> FloatArray:
    """Share of all-zero outcomes of each circuit: an outcome is all zeros when no byte is set."""
    return np.asarray(1.0 - packed.any(axis=-1).mean(axis=-1), dtype=np.float64)


def outcome_probabilities(amplitudes: ComplexArray, places: Sequence[int]) -> FloatArray:
    """Probabilities of the outcomes of some qubits of states.

    Args:
        amplitudes: Shape `(n, 2**m)`, little-endian.
        places: Qubits that are measured, the one of bit 0 first; the others are not looked at.

    Returns:
        Shape `(n, 2**len(places))`, little-endian in the order of `places`.
    """
    total = amplitudes.shape[1].bit_length() - 1
    tensor = (np.abs(amplitudes) ** 2).reshape(-1, *[2] * total)
    # axis 1 is the most significant qubit
    kept = [total - place for place in reversed(places)]
    rest = [axis for axis in range(1, total + 1) if axis not in kept]
    moved = tensor.transpose(0, *kept, *rest).reshape(len(amplitudes), 1 << len(places), -1)
    return np.asarray(moved.sum(axis=-1), dtype=np.float64)


def with_readout(probabilities: FloatArray, confusions: Sequence[FloatArray]) -> FloatArray:
    """Probabilities of what is read, from those of what is true.

    Args:
        probabilities: Shape `(n, 2**n_qubits)`, little-endian.
        confusions: `P(read | true)` of each qubit, qubit 0 first: rows are what is true, columns what is read.
    """
    read = probabilities
    for qubit, matrix in enumerate(confusions):
        split = read.reshape(len(probabilities), -1, 2, 1 << qubit)
        read = np.einsum("nhtl,tr->nhrl", split, matrix).reshape(probabilities.shape)
    return np.asarray(read, dtype=np.float64)


def exact_parities(probabilities: FloatArray) -> FloatArray:
    """Probability that the bits of a set add up to an odd number, for every qubit and then every pair i < j.

    Args:
        probabilities: Of one circuit's outcomes, shape `(2**n_qubits,)`, little-endian.
    """
    width = len(probabilities).bit_length() - 1
    walsh = probabilities.astype(np.float64)
    for qubit in range(width):
        halves = walsh.reshape(-1, 2, 1 << qubit)
        walsh = np.stack([halves[:, 0] + halves[:, 1], halves[:, 0] - halves[:, 1]], axis=1).reshape(-1)
    first, second = np.triu_indices(width, 1)
    sets = [*(1 << np.arange(width)), *((1 << first) + (1 << second))]
    return np.asarray((1.0 - walsh[np.array(sets, dtype=np.int64)]) / 2, dtype=np.float64)


def counted_parities(packed: PackedBits, n_qubits: int) -> npt.NDArray[np.int64]:
    """In how many shots of one circuit the bits of each set add up to an odd number; the sets of `exact_parities`.

    Args:
        packed: Shape `(shots, n_bytes)`.
        n_qubits: Width.
    """
    bits = unpacked_bits(packed, n_qubits).astype(np.float64)
    ones, both = bits.sum(axis=0), bits.T @ bits
    first, second = np.triu_indices(n_qubits, 1)
    odd = ones[first] + ones[second] - 2 * both[first, second]
    return np.asarray(np.rint(np.concatenate([ones, odd])), dtype=np.int64)


def samples_zscore(packed: PackedBits, probabilities: FloatArray) -> float:
    """Largest deviation of any parity of any circuit from its exact value, in standard errors.

    Args:
        packed: Shape `(n, shots, n_bytes)`.
        probabilities: Exact ones of the same circuits, shape `(n, 2**n_qubits)`.

    Returns:
        At least 0; at most about 38, where the tail of a double ends.
    """
    from scipy.stats import binom, norm

    width, shots = probabilities.shape[1].bit_length() - 1, packed.shape[1]
    counts = np.stack([counted_parities(row, width) for row in packed])
    exact = np.stack([exact_parities(row) for row in probabilities])
    exact = np.clip(exact, _ROUNDING, 1 - _ROUNDING)
    tail = np.minimum(binom.sf(counts - 1, shots, exact), binom.cdf(counts, shots, exact))
    return float(max(0.0, norm.isf(max(float(tail.min()), _SMALLEST))))
