"""Where the angles of a run begin: fixed tables, a linear ramp, random draws, or those of a solved instance.

Fixed angles come first: one evaluation with them beats training from random starts for most instances. They were found
for Max-Cut on regular graphs; `transfer` carries them to any polynomial by the size of its energies. All tables are in
the house convention.
"""

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.contracts.qaoa import MOST_LAYERS, AngleTable
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.qaoa.fixed_angles import FIXED_ANGLES

_FIXED_SOURCE = (
    "Fixed angles for Max-Cut on {degree}-regular graphs (Wurtz and Lykov, arXiv:2107.00677), {maker}; "
    "cut fraction {fraction:.10f} on graphs without short cycles by the tree recursion of arXiv:2110.14206."
)
_DEEPEST_OF_OURS = 6


def flip_scale(ising: Ising) -> float:
    """Size of the energies as one spin feels them: root mean square over spins of half the change when it flips.

    Over uniform bits that is `sqrt(Σ_t |t| c_t² / n)`; on a d-regular graph with weight w a pair it is `w sqrt(d)`.
    Phases γE act alike on two polynomials where γ times this scale is alike: angles of unweighted regular graphs go as
    1/sqrt(d) (arXiv:2110.14206), those of weighted ones as one over the weights' root mean square (Sureshbabu et al.,
    Quantum 8, 1231, 2024).

    Raises:
        PlanError: For a polynomial without terms, or with zero coefficients only.
    """
    sizes = np.array([len(term) for term in ising.terms], dtype=np.float64)
    total = float(np.sum(sizes * ising.coefficients**2))
    if total <= 0:
        raise PlanError("Ising polynomial", "has no energy scale: all coefficients are 0", "Give it an objective")
    return float(np.sqrt(total / ising.n_variables))


def fixed_angles(degree: int, layers: int) -> AngleTable:
    """Fixed angles for Max-Cut on regular graphs, energy = minus the number of edges cut.

    Args:
        degree: 3 to 11.
        layers: As far as the table goes for that degree: 8 for degree 3, 5 for others.

    Raises:
        PlanError: Outside the table.
    """
    if (degree, layers) not in FIXED_ANGLES:
        known = sorted(p for d, p in FIXED_ANGLES if d == degree)
        raise PlanError(
            f"fixed angles for degree {degree} and {layers} layers",
            f"are not in the table ({f'layers {known[0]} to {known[-1]}' if known else 'degrees 3 to 11'} are)",
            "Take fewer layers, stretch a table with interpolate, or start from a linear ramp",
        )
    gammas, betas, fraction = FIXED_ANGLES[degree, layers]
    maker = "computed again" if layers <= _DEEPEST_OF_OURS else "digits converted from arXiv:2503.12789"
    return AngleTable(
        gammas=gammas,
        betas=betas,
        source=_FIXED_SOURCE.format(degree=degree, maker=maker, fraction=fraction),
        flip_scale=0.5 * float(np.sqrt(degree)),
    )


def fixed_angles_for(ising: Ising, layers: int) -> AngleTable:
    """Fixed angles carried to any polynomial: nearest degree of the table, scaled by the size of the energies.

    The degree is the mean number of other spins in a spin's terms, term by term, rounded into 3 to 11. More layers than
    the table has are interpolated.

    Raises:
        PlanError: For a polynomial without energies, or more than 16 layers.
    """
    neighbours = sum(len(term) * (len(term) - 1) for term in ising.terms) / ising.n_variables
    degree = min(11, max(3, round(neighbours)))
    deepest = max(p for d, p in FIXED_ANGLES if d == degree)
    table = fixed_angles(degree, min(layers, deepest))
    return transfer(interpolate(table, layers), flip_scale(ising))


def linear_ramp(layers: int, scale: float, gamma: float = 0.6, beta: float = 0.6) -> AngleTable:
    """Angles of a discretised annealing run: γ grows from near 0 while β falls to near 0, at the middle of each layer.

    Args:
        layers: 1 to 16.
        scale: `flip_scale` of the polynomial.
        gamma: Largest γ times the scale, radians (Sack and Serbyn, Quantum 5, 491, 2021, write it as a time step).
        beta: Largest |β|, radians.

    Raises:
        PlanError: For a number of layers out of range, or a scale that is not positive.
    """
    _check(layers, scale)
    places = (np.arange(layers) + 0.5) / layers
    vector = np.concatenate([gamma / scale * places, -beta * (1.0 - places)])
    return AngleTable.of(vector, f"Linear ramp to gamma {gamma:g} over the flip scale, beta {beta:g}.", scale)


def random_angles(layers: int, scale: float, seed: int) -> AngleTable:
    """Angles drawn evenly: γ times the scale in [-π, π), β in [-π/2, π/2), where the X mixer repeats itself.

    Raises:
        PlanError: As `linear_ramp`.
    """
    _check(layers, scale)
    vector = np.random.default_rng(seed).uniform(-np.pi, np.pi, 2 * layers)
    vector[:layers] /= scale
    vector[layers:] /= 2
    return AngleTable.of(vector, f"Random draw with seed {seed}.", scale)


def transfer(angles: AngleTable, scale: float) -> AngleTable:
    """Carry angles from the polynomial they were found for to one of another energy scale; β stays.

    Args:
        angles: With their own `flip_scale`.
        scale: `flip_scale` of the new polynomial.

    Raises:
        PlanError: For angles that do not say for which scale they were found.
    """
    _check(angles.layers, scale)
    table = angles.house()
    if table.flip_scale is None:
        raise PlanError("angle table", "does not say its flip_scale", "State the flip_scale of the solved instance")
    ratio = table.flip_scale / scale
    return table.model_copy(
        update={
            "gammas": tuple(gamma * ratio for gamma in table.gammas),
            "flip_scale": scale,
            "source": f"{table.source} Gammas times {ratio:.6g}, the ratio of energy scales.",
        }
    )


def interpolate(angles: AngleTable, layers: int) -> AngleTable:
    """Stretch angles to more layers, one at a time (INTERP of Zhou et al., Phys. Rev. X 10, 021067, 2020, eq. B1).

    Raises:
        PlanError: For fewer layers than the table has, or more than 16.
    """
    table = angles.house()
    if not table.layers <= layers <= MOST_LAYERS:
        raise PlanError(
            f"{layers} layers",
            f"cannot be interpolated from {table.layers}",
            f"Ask for {table.layers} to {MOST_LAYERS}",
        )
    if layers == table.layers:
        return table
    gammas, betas = np.array(table.gammas), np.array(table.betas)
    for _ in range(layers - table.layers):
        gammas, betas = _one_more(gammas), _one_more(betas)
    source = f"{table.source} Interpolated from {table.layers} to {layers} layers."
    return AngleTable.of(np.concatenate([gammas, betas]), source, table.flip_scale)


def _one_more(values: FloatArray) -> FloatArray:
    """New angle i of p + 1 is (i/p) old[i - 1] + (1 - i/p) old[i], with nothing beyond either end."""
    share = np.arange(len(values) + 1) / len(values)
    return np.asarray(share * np.concatenate([[0.0], values]) + (1.0 - share) * np.concatenate([values, [0.0]]))


def _check(layers: int, scale: float) -> None:
    if not 1 <= layers <= MOST_LAYERS:
        raise PlanError(f"{layers} layers", "are out of range", f"Take 1 to {MOST_LAYERS}")
    if not (np.isfinite(scale) and scale > 0):
        raise PlanError(f"energy scale {scale:g}", "is not a positive number", "Give flip_scale of the polynomial")
