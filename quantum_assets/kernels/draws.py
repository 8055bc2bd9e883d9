"""Binomial counts from a counter-based generator: a draw is a function of (seed, pair), whatever else is drawn.

The generator is Philox 4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"); its 128-bit
counter is the unordered pair of 64-bit sample keys. The counts are exact in distribution for every number of shots:
transformed rejection with squeeze (Hörmann 1993, "The generation of binomial random variates", algorithm BTRS) where
the mean is at least 10, sequential inversion below. Both work on whole arrays, at some 0.2 µs a draw.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.workload import FloatArray

KeyArray = npt.NDArray[np.uint64]
_MASK, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)
_SMALL_MEAN = 10.0


def count(p: FloatArray, first: KeyArray, second: KeyArray, *, shots: int, seed: int) -> FloatArray:
    """Draw one Binomial(shots, p) count a pair.

    Args:
        p: Probabilities in [0, 1]; rounding above 1 is taken as 1; shape `(n_pairs,)`.
        first: Key of one sample of each pair.
        second: Key of the other; the order of the two does not matter.
        shots: Number of trials, S.
        seed: Of the whole stream.

    Returns:
        Whole numbers in [0, S] as floats, shape `(n_pairs,)`.
    """
    p = np.minimum(p, 1.0)
    rarer = np.minimum(p, 1.0 - p)
    low, high = np.minimum(first, second), np.maximum(first, second)
    counts = np.empty(len(p))
    small = shots * rarer < _SMALL_MEAN
    counts[small] = _by_inversion(rarer[small], low[small], high[small], shots, seed)
    counts[~small] = _by_rejection(rarer[~small], low[~small], high[~small], shots, seed)
    return np.where(p > 0.5, shots - counts, counts)


def uniforms(low: KeyArray, high: KeyArray, seed: int, attempt: int) -> tuple[FloatArray, FloatArray]:
    """Two numbers in (0, 1) a pair, of 53 bits each; a further attempt gives fresh ones."""
    key = int(fingerprint("draw/v1", seed, attempt)[:16], 16)
    words = philox((low & _MASK, low >> _SHIFT, high & _MASK, high >> _SHIFT), (key & 0xFFFFFFFF, key >> 32))
    return _to_unit(words[0], words[1]), _to_unit(words[2], words[3])


def philox(counter: Sequence[KeyArray], key: tuple[int, int]) -> tuple[KeyArray, KeyArray, KeyArray, KeyArray]:
    """Philox 4x32 with ten rounds: four 32-bit words a counter, each held in a uint64.

    Args:
        counter: Four arrays of 32-bit words, of one shape.
        key: Two 32-bit words.
    """
    c0, c1, c2, c3 = counter
    for turn in range(10):
        k0 = np.uint64((key[0] + turn * 0x9E3779B9) & 0xFFFFFFFF)
        k1 = np.uint64((key[1] + turn * 0xBB67AE85) & 0xFFFFFFFF)
        left, right = c0 * np.uint64(0xD2511F53), c2 * np.uint64(0xCD9E8D57)
        c0, c1, c2, c3 = (right >> _SHIFT) ^ c1 ^ k0, right & _MASK, (left >> _SHIFT) ^ c3 ^ k1, left & _MASK
    return c0, c1, c2, c3


def _to_unit(upper: KeyArray, lower: KeyArray) -> FloatArray:
    bits = (upper << np.uint64(21)) | (lower >> np.uint64(11))
    return (bits.astype(np.float64) + 0.5) * 2.0**-53


def _by_inversion(p: FloatArray, low: KeyArray, high: KeyArray, shots: int, seed: int) -> FloatArray:
    """Walk the distribution function from 0 up to the uniform number; for p ≤ 1/2 and small means."""
    rest, _ = uniforms(low, high, seed, 0)
    counts = np.zeros(len(p))
    odds = p / (1 - p)
    mass = np.exp(shots * np.log1p(-p))
    walking = np.flatnonzero(rest > mass)
    rest, mass, odds = rest[walking], mass[walking], odds[walking]
    for k in range(1, shots + 1):
        if not walking.size:
            break
        counts[walking] = k
        rest = rest - mass
        mass = mass * odds * ((shots - k + 1) / k)
        further = rest > mass
        walking, rest, mass, odds = walking[further], rest[further], mass[further], odds[further]
    return counts


def _by_rejection(p: FloatArray, low: KeyArray, high: KeyArray, shots: int, seed: int) -> FloatArray:
    """Algorithm BTRS for p ≤ 1/2 and means of at least 10; each pair keeps its own sequence of attempts."""
    counts = np.empty(len(p))
    waiting = np.arange(len(p))
    attempt = 0
    while waiting.size:
        u, v = uniforms(low[waiting], high[waiting], seed, attempt)
        candidate, accepted = _btrs(u - 0.5, v, p[waiting], shots)
        counts[waiting[accepted]] = candidate[accepted]
        waiting = waiting[~accepted]
        attempt += 1
    return counts


def _btrs(u: FloatArray, v: FloatArray, p: FloatArray, shots: int) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """One attempt: candidates, and which of them are accepted; constants as in Hörmann's table."""
    spread = np.sqrt(shots * p * (1 - p))
    b = 1.15 + 2.53 * spread
    a = -0.0873 + 0.0248 * b + 0.01 * p
    edge = 0.5 - np.abs(u)
    k = np.floor((2 * a / edge + b) * u + shots * p + 0.5)
    accepted = (edge >= 0.07) & (v <= 0.92 - 4.2 / b)
    doubtful = np.flatnonzero(~accepted & (k >= 0) & (k <= shots))
    edge, a, b, p = edge[doubtful], a[doubtful], b[doubtful], p[doubtful]
    density = v[doubtful] * (2.83 + 5.1 / b) * spread[doubtful] / (a / edge**2 + b)
    accepted[doubtful] = np.log(density) <= _log_ratio(k[doubtful], np.floor((shots + 1) * p), p, shots)
    return k, accepted


def _log_ratio(k: FloatArray, mode: FloatArray, p: FloatArray, shots: int) -> FloatArray:
    """Logarithm of P(k) / P(mode) under Binomial(shots, p)."""
    from scipy.special import gammaln

    weights = gammaln(mode + 1) + gammaln(shots - mode + 1) - gammaln(k + 1) - gammaln(shots - k + 1)
    return np.asarray(weights + (k - mode) * np.log(p / (1 - p)))
