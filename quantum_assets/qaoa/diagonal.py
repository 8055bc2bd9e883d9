"""The energy of every basis state: of all `2**n` by doubling, or of those with a fixed number of ones.

Doubling: with the polynomial split by its last variable, `E = A + z_k B`, the energies of twice as many states follow
from those of A and B, `(A + B, A - B)`. B is written where the second half will be, so that nothing but the result
takes memory, and the whole costs a few passes over it, whatever the order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import comb

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising, unpack
from quantum_assets.contracts.workload import FloatArray, IntArray

#: Largest number of variables whose states are all written down: 2**24 states take about 0.5 GB.
MOST_VARIABLES = 24
#: Largest number of basis states under a fixed number of ones.
MOST_STATES = 1 << 20
_MOST_LEVELS = 1 << 16
_ROWS = 1 << 14

Terms = Mapping[tuple[int, ...], float]
LevelArray = npt.NDArray[np.uint16]


@dataclass(frozen=True, eq=False)
class Diagonal:
    """Energies of the basis states of a run.

    Attributes:
        n_variables: Number of bits of a state.
        states: Index of each basis state, increasing; None: all `2**n_variables` in order.
        energies: Without the offset, shape `(n_states,)`.
        offset: Energy that no bit changes.
        levels: The different energies, increasing, where they are few (at most 65,536, and one for four states);
            None otherwise.
        level_of: Which level each state has; None without levels.
    """

    n_variables: int
    states: IntArray | None
    energies: FloatArray
    offset: float
    levels: FloatArray | None
    level_of: LevelArray | None

    @property
    def n_states(self) -> int:
        """Number of basis states."""
        return len(self.energies)

    @property
    def minimum(self) -> float:
        """Lowest energy, offset included."""
        return float(self.energies.min()) + self.offset

    @property
    def optima(self) -> IntArray:
        """Basis states of the lowest energy, up to 1e-9 of the largest |energy|, as indices of states."""
        lowest = self.energies.min()
        places = np.flatnonzero(self.energies <= lowest + 1e-9 * float(np.abs(self.energies).max()))
        return places if self.states is None else self.states[places]

    @cached_property
    def ascending(self) -> IntArray:
        """Places of the states by increasing energy."""
        return np.argsort(self.energies, kind="stable")


def diagonal(ising: Ising, cardinality: int | None = None) -> Diagonal:
    """Write down the energy of every basis state.

    Args:
        ising: The polynomial, of any order.
        cardinality: Number of ones of every state; None: all states.

    Raises:
        PlanError: For more states than an exact engine holds, or more ones than variables.
    """
    states = None if cardinality is None else states_with(ising.n_variables, cardinality)
    if states is None or ising.n_variables <= MOST_VARIABLES // 2:
        energies = all_energies(ising)
        energies = energies if states is None else energies[states]
    else:
        blocks = [states[start : start + _ROWS] for start in range(0, len(states), _ROWS)]
        energies = np.concatenate([ising.energies(unpack(block, ising.n_variables)) for block in blocks])
        energies -= ising.offset
    levels, level_of = _levels(energies)
    return Diagonal(ising.n_variables, states, energies, float(ising.offset), levels, level_of)


def all_energies(ising: Ising) -> FloatArray:
    """Energy of every basis state without the offset, shape `(2**n_variables,)`.

    Raises:
        PlanError: For more than `MOST_VARIABLES` variables.
    """
    if ising.n_variables > MOST_VARIABLES:
        raise PlanError(
            "Ising polynomial",
            f"has {ising.n_variables} variables; the exact engine writes down 2**{MOST_VARIABLES} states at most",
            "Use a smaller instance, a cardinality with an xy mixer, or a profile that samples circuits",
        )
    energies = np.empty(1 << ising.n_variables)
    _fill(energies, dict(zip(ising.terms, ising.coefficients.tolist(), strict=True)), ising.n_variables)
    return energies


def _fill(target: FloatArray, terms: Terms, n_variables: int) -> None:
    """Write the polynomial's value at all `2**n_variables` states into `target`."""
    by_last: dict[int, dict[tuple[int, ...], float]] = {}
    for term, weight in terms.items():
        if term:
            by_last.setdefault(term[-1], {})[term[:-1]] = weight
    target[0] = terms.get((), 0.0)
    for variable in range(n_variables):
        half = 1 << variable
        low, high = target[:half], target[half : 2 * half]
        slope = by_last.get(variable)
        if slope is None:
            high[:] = low
            continue
        _fill(high, slope, variable)
        low += high
        high *= -2.0
        high += low


def states_with(n_variables: int, ones: int) -> IntArray:
    """Indices of the states with so many ones, increasing, shape `(comb(n_variables, ones),)`.

    Raises:
        PlanError: For more than `MOST_STATES` states, more than 62 variables, or more ones than variables.
    """
    count = comb(n_variables, ones) if 0 <= ones <= n_variables <= 62 else 0
    if not 1 <= count <= MOST_STATES:
        raise PlanError(
            f"{ones} ones among {n_variables} variables",
            f"are {count or 'no'} basis states; the exact engine takes 1 to {MOST_STATES} of at most 62 variables",
            "Choose a smaller instance or another number of ones",
        )
    # Row k of Pascal's triangle in states: those with k ones, of as many variables as were added so far.
    rows = [np.zeros(1 if k == 0 else 0, dtype=np.int64) for k in range(ones + 1)]
    for variable in range(n_variables):
        for k in range(min(ones, variable + 1), 0, -1):
            rows[k] = np.concatenate([rows[k], rows[k - 1] | (1 << variable)])
    return rows[ones]


def _levels(energies: FloatArray) -> tuple[FloatArray | None, LevelArray | None]:
    """The different energies and which one each state has, where a table of them saves work."""
    # A sample tells cheaply that there are too many; sorting all of a large instance for nothing would cost more.
    sample = np.unique(energies[:: max(1, len(energies) // _ROWS)])
    if len(sample) > _ROWS // 2:
        return None, None
    levels = np.unique(energies)
    if len(levels) > min(_MOST_LEVELS, max(16, len(energies) // 4)):
        return None, None
    return levels, np.searchsorted(levels, energies).astype(np.uint16)
