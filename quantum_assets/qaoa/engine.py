"""The exact engine: state, probabilities, mean and CVaR of an ansatz at given angles; no matrix as wide as the state.

Angles are house angles in one row, all gammas and then all betas (`AngleTable.vector`). It runs best on one BLAS thread
(`threadpoolctl`), as training sets it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.contracts.qaoa import AnsatzSpec, Objective, mixer_edges
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.qaoa.diagonal import Diagonal, diagonal
from quantum_assets.qaoa.evolution import (
    ComplexArray,
    Swaps,
    Workspace,
    as_probabilities,
    mean_of_planes,
    of_real_planes,
    paired_state,
    real_planes,
    swaps,
    tilted_state,
    workspace,
)


@dataclass(frozen=True, eq=False)
class Engine:
    """One ansatz on one polynomial, ready to be evaluated; made by `prepare`. Threads may share it.

    Attributes:
        spec: The ansatz.
        diagonal: Energies of its basis states.
        moves: What each pair of an xy mixer moves; empty for mixer `x`.
    """

    spec: AnsatzSpec
    diagonal: Diagonal
    moves: tuple[Swaps, ...] = ()
    _free: list[Workspace] = field(default_factory=list, init=False, repr=False)

    def probabilities(self, angles: FloatArray) -> FloatArray:
        """Probability of every basis state of `diagonal`, shape `(n_states,)`, sum 1 up to rounding.

        Raises:
            PlanError: For angles of another number of layers, or not finite.
        """
        gammas, betas = self._split(angles)
        if not self._real:
            return as_probabilities(self._amplitudes(gammas, betas))
        with self._memory() as memory:
            return as_probabilities(real_planes(self.diagonal, gammas, betas, memory))

    def state(self, angles: FloatArray) -> ComplexArray:
        """Amplitude of every one of the `2**n_variables` states, in the circuit's own phase, global phase included.

        Raises:
            PlanError: As `probabilities`.
        """
        gammas, betas = self._split(angles)
        if self._real:
            with self._memory() as memory:
                return of_real_planes(real_planes(self.diagonal, gammas, betas, memory))
        amplitudes = self._amplitudes(gammas, betas)
        if self.diagonal.states is None:
            return amplitudes
        state = np.zeros(1 << self.diagonal.n_variables, dtype=np.complex128)
        state[self.diagonal.states] = amplitudes
        return state

    def mean(self, angles: FloatArray) -> float:
        """Mean energy, offset included.

        Raises:
            PlanError: As `probabilities`.
        """
        if not self._real:
            return float(self.probabilities(angles) @ self.diagonal.energies) + self.diagonal.offset
        with self._memory() as memory:
            real_planes(self.diagonal, *self._split(angles), memory)
            return mean_of_planes(self.diagonal, memory) + self.diagonal.offset

    def cvar(self, angles: FloatArray, alpha: float) -> float:
        """Mean of the lowest `alpha` part of the energy's distribution, offset included; alpha in (0, 1].

        Raises:
            PlanError: As `probabilities`.
        """
        probabilities, found = self.probabilities(angles), self.diagonal
        if found.levels is not None and found.level_of is not None:
            weights = np.bincount(found.level_of, weights=probabilities, minlength=len(found.levels))
            return tail_mean(found.levels, weights.astype(np.float64, copy=False), alpha) + found.offset
        order = found.ascending
        return tail_mean(found.energies[order], probabilities[order], alpha) + found.offset

    def value(self, angles: FloatArray, objective: Objective) -> float:
        """Mean or CVaR, as the objective says.

        Raises:
            PlanError: As `probabilities`.
        """
        return self.mean(angles) if objective.kind == "mean" else self.cvar(angles, objective.alpha)

    def optimum_probability(self, angles: FloatArray) -> float:
        """Chance that one sample has the lowest energy of all basis states.

        Raises:
            PlanError: As `probabilities`.
        """
        states = self.diagonal.optima
        places = states if self.diagonal.states is None else np.searchsorted(self.diagonal.states, states)
        return float(self.probabilities(angles)[places].sum())

    @property
    def _real(self) -> bool:
        """Whether the mixer runs in real arithmetic."""
        return self.spec.initial == "uniform"

    @contextmanager
    def _memory(self) -> Iterator[Workspace]:
        """A workspace that nobody else uses meanwhile; taking one off a list and putting it back is atomic."""
        try:
            memory = self._free.pop()
        except IndexError:
            memory = workspace(self.diagonal.n_variables)
        try:
            yield memory
        finally:
            self._free.append(memory)

    def _amplitudes(self, gammas: FloatArray, betas: FloatArray) -> ComplexArray:
        if self.spec.constrained:
            return paired_state(self.diagonal, self.moves, gammas, betas)
        return tilted_state(self.diagonal, self.spec, gammas, betas)

    def _split(self, angles: FloatArray) -> tuple[FloatArray, FloatArray]:
        angles = np.asarray(angles, dtype=np.float64)
        if angles.shape != (2 * self.spec.layers,) or not np.isfinite(angles).all():
            raise PlanError(
                "angles",
                f"of shape {angles.shape} are not {2 * self.spec.layers} finite numbers for {self.spec.layers} layers",
                "Give all gammas and then all betas, in radians",
            )
        return angles[: self.spec.layers], angles[self.spec.layers :]


def prepare(ising: Ising, spec: AnsatzSpec) -> Engine:
    """Write down the energies, and what the mixer moves.

    Raises:
        PlanError: For an ansatz that does not fit the width, or more states than an exact engine holds.
    """
    spec.check_width(ising.n_variables)
    found = diagonal(ising, spec.cardinality)
    return Engine(spec, found, swaps(found, mixer_edges(spec.mixer, ising.n_variables)))


def tail_mean(energies: FloatArray, weights: FloatArray, alpha: float) -> float:
    """Mean of the lowest `alpha` part of a distribution over increasing energies; a level on its edge in part."""
    share = alpha * float(weights.sum())
    before = np.concatenate([[0.0], np.cumsum(weights)[:-1]])
    counted = np.clip(share - before, 0.0, weights)
    return float(counted @ energies / share)
