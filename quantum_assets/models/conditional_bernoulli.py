"""Independent bits, given how many of them are one: fitted to marginals, and drawn.

Row x with k ones has the probability `Π_i w_i^x_i / e_k(w)`: w_i are the odds of bit i, e_k the elementary symmetric
polynomial of order k. Among all distributions over rows with k ones this one has the most entropy at its marginals, so
it knows every single bit and the number of ones, and nothing else. Sums over rows are dynamic programmes over bits
(Chen, Dempster and Liu 1994, "Weighted finite population sampling to maximize entropy", Biometrika 81:457-469); they
run on `p_i = w_i / (1 + w_i)`, whose sums are probabilities: e_k itself overflows from some hundred bits on.

Odds are log odds, shape `(n,)`; bits that never vary have log odds of minus or plus infinity. Odds that differ by one
factor are the same distribution.
"""

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits
from quantum_assets.contracts.workload import FloatArray

_NEAR = 1e-10
_ROUNDS = 5000


def fitted_log_odds(marginals: FloatArray, ones: int) -> FloatArray:
    """The log odds at which the bits, given their number of ones, have these marginals.

    Fixed-point iteration from the marginals' own odds: each log odds moves by half of what the log odds of its marginal
    is away. Half, because the moves of two bits add up: with two bits and one 1 it is exact after one round, and whole
    moves would swing for ever. The likelihood is concave and its Hessian a weighted graph Laplacian, minus the
    covariance of the bits, so that half moves contract near the solution.

    Args:
        marginals: Chance of a one of every bit, in [0, 1], shape `(n,)`; their sum is `ones`.
        ones: Number of ones of every row.

    Raises:
        PlanError: For marginals outside [0, 1] or of another sum, or that no odds come near.
    """
    wanted = np.asarray(marginals, dtype=float)
    if wanted.min(initial=0.0) < 0 or wanted.max(initial=1.0) > 1 or abs(wanted.sum() - ones) > 1e-6:
        raise PlanError(
            "marginals",
            f"add up to {wanted.sum():g} for {ones} ones, or leave [0, 1]",
            "Take the marginals of rows that all have this number of ones",
        )
    found = np.where(wanted >= 1.0, np.inf, -np.inf)
    varies = (wanted > 0.0) & (wanted < 1.0)
    found[varies] = _fitted(wanted[varies], ones - int((wanted >= 1.0).sum()))
    return found


def inclusion(log_odds: FloatArray, ones: int) -> FloatArray:
    """Chance that each bit is one, given the number of ones, shape `(n,)`.

    Raises:
        PlanError: If no row has that number of ones.
    """
    certain, varies, left = _parts(log_odds, ones)
    chances = certain.astype(float)
    chances[varies] = _inclusion(_logistic(log_odds[varies]), left)
    return chances


def draw_given_ones(log_odds: FloatArray, ones: int, shots: int, rng: np.random.Generator) -> Bits:
    """Rows with that number of ones, shape `(shots, n)`: bit after bit, each by its chance given those before it.

    Raises:
        PlanError: If no row has that number of ones.
    """
    certain, varies, left = _parts(log_odds, ones)
    chances = _logistic(log_odds[varies])
    after = _tails(chances, left)
    missing = np.full(shots, left)
    drawn = np.zeros((shots, len(chances)), dtype=np.uint8)
    for place, chance in enumerate(chances):
        with_one = np.where(missing > 0, chance * after[place + 1, missing - 1], 0.0)
        drawn[:, place] = rng.random(shots) * after[place, missing] < with_one
        missing = missing - drawn[:, place]
    rows = np.repeat(certain.astype(np.uint8)[None], shots, axis=0)
    rows[:, varies] = drawn
    return rows


def _fitted(wanted: FloatArray, ones: int) -> FloatArray:
    """Log odds of bits that all vary."""
    if not len(wanted):
        return wanted
    target = np.log(wanted) - np.log1p(-wanted)
    found = target.copy()
    for _ in range(_ROUNDS):
        now = _inclusion(_logistic(found), ones)
        if np.abs(now - wanted).max() < _NEAR:
            return found
        found = found + 0.5 * (target - np.log(now) + np.log1p(-now))
    raise PlanError(
        "marginals",
        f"are not reached by bits given {ones} ones after {_ROUNDS} rounds: {np.abs(now - wanted).max():.2g} are left",
        "Take the marginals of rows that all have this number of ones",
    )


def _parts(log_odds: FloatArray, ones: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Which bits are always one, which vary, and how many ones are left for those."""
    certain, varies = log_odds == np.inf, np.isfinite(log_odds)
    left = ones - int(certain.sum())
    if not 0 <= left <= int(varies.sum()):
        raise PlanError(
            "rows", f"with {ones} ones are none of these {len(log_odds)} bits", "Ask for as many as the odds allow"
        )
    return certain, varies, left


def _inclusion(chances: FloatArray, ones: int) -> FloatArray:
    if ones == 0:
        return np.zeros(len(chances))
    before = _tails(chances[::-1], ones)[::-1]
    after = _tails(chances, ones)
    paired = (before[:-1, :ones] * after[1:, ones - 1 :: -1]).sum(axis=1)
    return np.asarray(chances * paired / after[0, ones])


def _tails(chances: FloatArray, ones: int) -> FloatArray:
    """Chance of j ones among the bits from i on, for all j up to `ones`; shape `(n + 1, ones + 1)`."""
    found = np.zeros((len(chances) + 1, ones + 1))
    found[-1, 0] = 1.0
    for place in range(len(chances) - 1, -1, -1):
        found[place] = (1.0 - chances[place]) * found[place + 1]
        found[place, 1:] += chances[place] * found[place + 1, :-1]
    return found


def _logistic(log_odds: FloatArray) -> FloatArray:
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)))
