"""Samples of an exact distribution: seeded draws of basis states, their counts, and their bits, packed for storage."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, unpack
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.qaoa.diagonal import Diagonal


@dataclass(frozen=True, eq=False)
class Draws:
    """Samples in the order in which they were drawn.

    Attributes:
        n_variables: Bits of a state.
        states: Index of the state of every shot, shape `(shots,)`.
        energies: Energy of every shot, offset included.
    """

    n_variables: int
    states: IntArray
    energies: FloatArray

    @property
    def bits(self) -> Bits:
        """One row a shot, shape `(shots, n_variables)`, values 0 and 1."""
        return unpack(self.states, self.n_variables)

    @property
    def packed(self) -> Bits:
        """Eight variables a byte, variable 0 in the lowest bit of byte 0, shape `(shots, ceil(n_variables / 8))`."""
        width = -(-self.n_variables // 8)
        return np.ascontiguousarray(self.states.astype("<i8").view(np.uint8).reshape(len(self.states), 8)[:, :width])

    @cached_property
    def counts(self) -> tuple[IntArray, IntArray]:
        """The different states, increasing, and how often each was drawn."""
        states, counts = np.unique(self.states, return_counts=True)
        return states, counts.astype(np.int64)

    @property
    def best(self) -> int:
        """Which shot has the lowest energy; the first of them."""
        return int(np.argmin(self.energies))


def draw(diagonal: Diagonal, probabilities: FloatArray, shots: int, seed: int | tuple[int, ...]) -> Draws:
    """Draw basis states independently; the same arguments give the same draws.

    Args:
        diagonal: The basis states and their energies.
        probabilities: Of each basis state, shape `(n_states,)`; a sum that is off 1 by rounding does not matter.
        shots: At least 1.
        seed: Of the generator; a tuple where several streams belong together.

    Raises:
        PlanError: For no shots, or probabilities of another shape, negative or of another sum.
    """
    if shots < 1:
        raise PlanError("shots", f"are {shots}", "Draw at least one")
    if probabilities.shape != diagonal.energies.shape or not (probabilities >= 0).all():
        raise PlanError("probabilities", "are negative or not one a basis state", "Take them from the engine")
    heights = np.cumsum(probabilities)
    if abs(heights[-1] - 1.0) > 1e-6:
        raise PlanError("probabilities", f"add up to {heights[-1]:.8g}", "Take them from the engine")
    uniform = np.random.default_rng(seed).random(shots) * heights[-1]
    places = np.minimum(np.searchsorted(heights, uniform, side="right"), len(heights) - 1)
    states = places if diagonal.states is None else diagonal.states[places]
    return Draws(diagonal.n_variables, states.astype(np.int64), diagonal.energies[places] + diagonal.offset)


def unpacked(packed: Bits, n_variables: int) -> Bits:
    """Rows of bits from `Draws.packed`, shape `(shots, n_variables)`."""
    return np.unpackbits(packed, axis=1, count=n_variables, bitorder="little")
