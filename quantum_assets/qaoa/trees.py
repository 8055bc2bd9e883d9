"""Cut fraction of QAOA on regular graphs without short cycles, exactly, for any degree and without a state vector.

An edge sees only the tree within `layers` steps, and one recursion over the 2p + 1 spins of a single path sums that
tree up: Basso, Farhi, Marwaha, Villalonga and Zhou, arXiv:2110.14206, section 3, with finite degree. It costs
O(p² 4^p). Fixed angles are its maximiser (Wurtz and Lykov, arXiv:2107.00677), so that the table we ship can be made
again from nothing.
"""

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.qaoa.evolution import ComplexArray

MOST_LAYERS = 10
MOST_DEGREE = 1000  # rounding grows with the degree; four layers lose all digits near 10,000


def tree_cut_fraction(degree: int, angles: FloatArray) -> float:
    """Fraction of edges cut on average on a `degree`-regular graph without cycles up to length 2p + 1.

    Args:
        degree: 2 to `MOST_DEGREE`.
        angles: House angles for energy = minus the number of edges cut, all gammas and then all betas.

    Raises:
        PlanError: For a degree outside 2 to `MOST_DEGREE`, or more than `MOST_LAYERS` layers (memory grows as 4^p).
    """
    layers = len(angles) // 2
    if not 2 <= degree <= MOST_DEGREE or not 1 <= layers <= MOST_LAYERS:
        raise PlanError(
            f"{layers} layers on graphs of degree {degree}",
            "are outside what the tree recursion covers",
            f"Use 1 to {MOST_LAYERS} layers and a degree from 2 to {MOST_DEGREE}",
        )
    gammas, betas = np.asarray(angles[:layers]), -np.asarray(angles[layers:])
    spins, phases = _paths(layers), np.concatenate([gammas, [0.0], -gammas[::-1]]) / 2
    path = _path_weights(spins, betas)
    turned = phases @ spins
    # cos and sin depend on the product of two paths only: sums over one of them are convolutions over Z_2^(2p+1).
    even, odd = _walsh(np.cos(turned).astype(np.complex128)), _walsh(np.sin(turned).astype(np.complex128))
    branch: ComplexArray = np.ones(len(path), dtype=np.complex128)
    for _ in range(layers):
        branch = (_walsh(_walsh(path * branch) * even) / len(path)) ** (degree - 1)
    ends = spins[layers] * path * branch
    edge = 0.5j * np.sum(ends * _walsh(_walsh(ends) * odd) / len(path))
    return 0.5 + float(edge.real)


def best_tree_angles(degree: int, start: FloatArray) -> tuple[FloatArray, float]:
    """Angles of the highest cut fraction near a start, and that fraction.

    Args:
        degree: 2 to `MOST_DEGREE`.
        start: House angles, as in `tree_cut_fraction`.

    Raises:
        PlanError: As `tree_cut_fraction`.
    """
    from scipy.optimize import minimize

    found = minimize(lambda angles: -tree_cut_fraction(degree, angles), start, method="BFGS", options={"gtol": 1e-9})
    return np.asarray(found.x), -float(found.fun)


def _paths(layers: int) -> FloatArray:
    """Every choice of the 2p + 1 spins (a_1 … a_p, a_0, a_-p … a_-1) of one vertex, shape `(2p + 1, 2**(2p + 1))`."""
    count = 2 * layers + 1
    return np.asarray(1.0 - 2.0 * ((np.arange(1 << count) >> np.arange(count)[:, None]) & 1))


def _path_weights(spins: FloatArray, betas: FloatArray) -> ComplexArray:
    """f(a): half the product of the mixer's matrix elements along the path, forwards and back."""
    weights = np.full(spins.shape[1], 0.5, dtype=np.complex128)
    for step, beta in enumerate([*betas, *-betas[::-1]]):
        weights *= np.where(spins[step] == spins[step + 1], np.cos(beta), 1j * np.sin(beta))
    return weights


def _walsh(values: ComplexArray) -> ComplexArray:
    """Walsh-Hadamard transform, not normalised; a fresh array."""
    values = values.copy()
    size = 1
    while size < len(values):
        pairs = values.reshape(-1, 2, size)
        difference = pairs[:, 0] - pairs[:, 1]
        pairs[:, 0] += pairs[:, 1]
        pairs[:, 1] = difference
        size *= 2
    return values
