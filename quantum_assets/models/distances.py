"""How far counted shots are from the exact distribution they should follow, beside what chance alone would do.

A finite number of shots is never on top of its distribution, so that no distance here stands alone: each comes with the
value that shots of the exact distribution itself would have, or with a standard error.
"""

from dataclasses import dataclass

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import FloatArray, IntArray

_LEVEL = 0.05


@dataclass(frozen=True)
class Distance:
    """Total variation of shots from an exact distribution.

    Attributes:
        value: `sum(|share - probability|) / 2` over all states, in [0, 1].
        expected: What as many shots of the exact distribution have on average.
        margin: In 95 of 100 cases or more such shots lie within `expected ± margin` (McDiarmid's inequality).
    """

    value: float
    expected: float
    margin: float

    @property
    def beyond_chance(self) -> bool:
        """Whether shots of the exact distribution would hardly be that far off."""
        return self.value > self.expected + self.margin


@dataclass(frozen=True)
class Estimate:
    """A number with the standard error that its shots give it."""

    value: float
    error: float


def total_variation(probabilities: FloatArray, states: IntArray, counts: IntArray) -> Distance:
    """Total variation distance of the shots' distribution from the exact one, and what chance alone would do.

    The expectation under the exact distribution is the sum of the binomial mean deviations of all states (de Moivre
    1730): `E|X - Np| = 2 v C(N, v) p**v (1 - p)**(N - v + 1)` with `v = floor(Np) + 1`. One shot moves the distance by
    1/N at most, so that it lies within `sqrt(log(2 / 0.05) / 2N)` of its expectation (McDiarmid 1989).

    Args:
        probabilities: Exact, of every state, shape `(n_states,)`, sum 1.
        states: Different states that came, shape `(m,)`.
        counts: Shots of each, shape `(m,)`.

    Raises:
        PlanError: For no shots, or states that the distribution does not have.
    """
    shots = _checked(probabilities, states, counts)
    share = counts / shots
    came = probabilities[states]
    value = 0.5 * float(np.abs(share - came).sum() + max(0.0, 1.0 - float(came.sum())))
    expected = 0.5 * float(_mean_deviation(np.clip(probabilities, 0.0, 1.0), shots).sum()) / shots
    return Distance(min(1.0, value), expected, float(np.sqrt(np.log(2 / _LEVEL) / (2 * shots))))


def cross_entropy_fidelity(probabilities: FloatArray, states: IntArray, counts: IntArray) -> Estimate | None:
    """Linear cross-entropy fidelity: 1 for shots of the exact distribution, 0 for fair coins, whatever the width.

    `(mean p(x) - 1/D) / (sum p**2 - 1/D)` with D the number of states (Arute et al., Nature 574, 505, 2019, divided by
    what the exact distribution itself reaches). Where every shot is exact with probability f and a fair coin otherwise
    (depolarising noise), its expectation is f. Noise that prefers likely states can bring it above 1.

    Args:
        probabilities: As for `total_variation`.
        states: As for `total_variation`.
        counts: As for `total_variation`.

    Returns:
        The fidelity with its standard error; None where the exact distribution is uniform, which tells nothing.

    Raises:
        PlanError: As `total_variation`.
    """
    shots = _checked(probabilities, states, counts)
    floor = 1.0 / len(probabilities)
    reach = float(probabilities @ probabilities) - floor
    if reach <= 1e-9 * floor:
        return None
    mean = weighted_mean(probabilities[states], counts, shots)
    return Estimate((mean.value - floor) / reach, mean.error / reach)


def weighted_mean(values: FloatArray, counts: IntArray, shots: int) -> Estimate:
    """Mean over counted shots and its standard error, `sd / sqrt(shots)`."""
    mean = float(values @ counts / shots)
    spread = float(np.sqrt(((values - mean) ** 2) @ counts / shots))
    return Estimate(mean, spread / float(np.sqrt(shots)))


def _checked(probabilities: FloatArray, states: IntArray, counts: IntArray) -> int:
    shots = int(counts.sum())
    if shots < 1 or states.shape != counts.shape:
        raise PlanError("shots", f"are {shots} in {len(states)} states", "Give at least one, and a count a state")
    if states.min() < 0 or states.max() >= len(probabilities) or abs(float(probabilities.sum()) - 1) > 1e-6:
        raise PlanError(
            "shots", f"are of other states than the {len(probabilities)} of the distribution", "Give one distribution"
        )
    return shots


def _mean_deviation(probabilities: FloatArray, shots: int) -> FloatArray:
    """Mean of `|X - shots * p|` for X binomial, elementwise."""
    from scipy.special import gammaln, xlog1py, xlogy

    v = np.minimum(np.floor(shots * probabilities) + 1.0, shots)
    ways = gammaln(shots + 1.0) - gammaln(v + 1.0) - gammaln(shots - v + 1.0)
    found = 2.0 * v * np.exp(ways + xlogy(v, probabilities) + xlog1py(shots - v + 1.0, -probabilities))
    return np.asarray(np.where(probabilities >= 1.0, 0.0, found), dtype=float)
