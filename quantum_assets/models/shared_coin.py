"""Independent bits that one shared coin flips all together: fitted to rows by maximum likelihood.

The model is `p(x) = P(x) / 2 + P(not x) / 2`, P the product of `marginals`. A polynomial whose terms are all even takes
a row and its flip for the same, so a sampler may give both alike; then every plain marginal is 1/2 and knows nothing.
What the sampler knows of single bits is in `marginals`, of one side.

Which side a row is on is not measured. To decide it by the first bit, or by the majority of places that agree with a
good row, is a biased choice: the first bit's own errors are spread over all others, and turning rows towards a
reference makes even fair coins agree with it, a control better than its sampler. So sides are weighed, not chosen, by
EM (Dempster, Laird and Rubin 1977, JRSS B 39:1-38), which no energy enters: the most likely member of the very model
that the test takes for the null.
"""

import numpy as np

from quantum_assets.contracts.problem import Bits
from quantum_assets.contracts.workload import FloatArray, IntArray

_TRIAL, _ROUNDS = 30, 1000
_NEAR = 1e-8
_REFERENCES = 8
_MOST = 1.0 - 1e-12  # a mean spin of a bit that never varies, so that its log odds stay finite


def marginals_up_to_a_flip(bits: Bits, counts: IntArray) -> FloatArray:
    """Chance of a one of every bit on one side of the coin, shape `(n,)`; which side is arbitrary.

    EM finds a local maximum, so it begins at several places, which the rows alone decide: each of the most frequent
    rows, and the signs of the leading eigenvector of the spins' correlations. After some rounds the most likely of them
    goes on alone.

    Args:
        bits: Distinct rows, shape `(m, n)`, m at least 1.
        counts: How often each came, at least 1, shape `(m,)`.
    """
    spins = 1.0 - 2.0 * bits.astype(np.float64)
    weights = np.asarray(counts / counts.sum(), dtype=np.float64)
    tried = [_climbed(spins, weights, 0.5 * start, _TRIAL) for start in _starts(spins, weights)]
    _, means = _climbed(spins, weights, max(tried, key=lambda end: end[0])[1], _ROUNDS)
    return np.asarray(np.clip((1.0 - means) / 2.0, 0.0, 1.0))


def _starts(spins: FloatArray, weights: FloatArray) -> list[FloatArray]:
    """Rows of signs: of the most frequent rows, the first of equals, and of the leading eigenvector."""
    frequent = np.argsort(-weights, kind="stable")[:_REFERENCES]
    _, vectors = np.linalg.eigh((spins * weights[:, None]).T @ spins)
    return [*spins[frequent], np.where(vectors[:, -1] < 0, -1.0, 1.0)]


def _climbed(spins: FloatArray, weights: FloatArray, means: FloatArray, rounds: int) -> tuple[float, FloatArray]:
    """Log likelihood a shot, and the mean spins of one side, where EM comes to from `means`."""
    before, told = -np.inf, 0.0
    for _ in range(rounds):
        held = np.clip(means, -_MOST, _MOST)
        fields = spins @ np.arctanh(held)  # half the log odds of the two sides
        told = float(weights @ np.logaddexp(fields, -fields) + 0.5 * np.log1p(-(held**2)).sum())
        if told - before < _NEAR:
            break
        before = told
        means = (weights * np.tanh(fields)) @ spins
    return told, means
