"""States of an ansatz, layer by layer: one function for each kind of start and mixer.

Mixer `x` runs in real arithmetic. With every amplitude divided by `i**ones`, exp(-iβX) becomes a real rotation, the
phases of the energies stay what they are, and no probability changes; real and imaginary part are two planes that turn
alike. Warm starts need complex matrices. Mixers of pairs act on the states with the right number of ones only.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.qaoa import AnsatzSpec, Edge
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.qaoa.diagonal import Diagonal
from quantum_assets.qaoa.product import BLOCK, Planes, apply_product, rotation, scratch

ComplexArray = npt.NDArray[np.complex128]
PlaceArray = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Swaps:
    """What one pair of an xy mixer moves: states with a one on its first variable only, and their partners.

    Attributes:
        first: Places of the states with bits (1, 0) on the pair.
        second: Places of the same states with (0, 1), in the same order.
    """

    first: PlaceArray
    second: PlaceArray


@dataclass(frozen=True, eq=False)
class Workspace:
    """Memory of one evaluation with mixer `x`; used again, since fresh memory costs a small state more than the work.

    Attributes:
        planes: Real and imaginary part of the state, shape `(2, n_states)`.
        buffers: For `apply_product`.
        room: Four rows as long as a block.
    """

    planes: FloatArray
    buffers: tuple[Planes, Planes]
    room: FloatArray


def workspace(n_variables: int) -> Workspace:
    """Memory for a state of so many variables; about 16 bytes a state and 1 MB beside."""
    planes = np.empty((2, 1 << n_variables))
    return Workspace(planes, scratch(planes), np.empty((4, min(planes.shape[1], BLOCK))))


def real_planes(diagonal: Diagonal, gammas: FloatArray, betas: FloatArray, memory: Workspace) -> FloatArray:
    """Run mixer `x` from the uniform start.

    Returns:
        Real and imaginary part of the state divided by `i**ones`, shape `(2, n_states)`; they lie in `memory`.
    """
    planes = memory.planes
    _fill_uniform(planes)
    for gamma, beta in zip(gammas, betas, strict=True):
        turn = _Turn(diagonal, float(gamma), memory)
        apply_product(planes, [rotation(float(beta))] * diagonal.n_variables, memory.buffers, turn)
    return planes


def mean_of_planes(diagonal: Diagonal, memory: Workspace) -> float:
    """Mean energy of the state in `memory` without the offset, block by block."""
    total = 0.0
    for start in range(0, diagonal.n_states, BLOCK):
        real, imaginary = memory.planes[:, start : start + BLOCK]
        squared, other = memory.room[:2]
        np.multiply(real, real, out=squared)
        np.multiply(imaginary, imaginary, out=other)
        squared += other
        total += float(squared @ diagonal.energies[start : start + BLOCK])
    return total


class _Turn:
    """The phases of one layer on blocks of real planes: (re + i im)(cos γE - i sin γE)."""

    def __init__(self, diagonal: Diagonal, gamma: float, memory: Workspace) -> None:
        self._diagonal, self._gamma, self._memory = diagonal, gamma, memory
        phases = None if diagonal.levels is None else gamma * diagonal.levels
        self._tables = None if phases is None else (np.cos(phases), np.sin(phases))

    def __call__(self, start: int, stop: int) -> None:
        real, imaginary = self._memory.planes[:, start:stop]
        cosine, sine, one, other = self._memory.room
        if self._tables is None or self._diagonal.level_of is None:
            np.multiply(self._diagonal.energies[start:stop], self._gamma, out=one)
            np.cos(one, out=cosine)
            np.sin(one, out=sine)
        else:
            chosen = self._diagonal.level_of[start:stop]
            np.take(self._tables[0], chosen, out=cosine, mode="clip")  # clip: checked indices go through a buffer
            np.take(self._tables[1], chosen, out=sine, mode="clip")
        np.multiply(sine, imaginary, out=one)
        np.multiply(sine, real, out=other)
        real *= cosine
        real += one
        imaginary *= cosine
        imaginary -= other


def _fill_uniform(planes: FloatArray) -> None:
    """The uniform superposition divided by `i**ones`: each further variable halves and turns what is there."""
    planes[:, 0] = planes.shape[1] ** -0.5, 0.0
    size = 1
    while size < planes.shape[1]:
        planes[0, size : 2 * size] = planes[1, :size]
        np.negative(planes[0, :size], out=planes[1, size : 2 * size])
        size *= 2


def of_real_planes(planes: FloatArray) -> ComplexArray:
    """The amplitudes themselves, multiplied by `i**ones` again."""
    state: ComplexArray = planes[0] + 1j * planes[1]
    size = 1
    while size < len(state):
        state.reshape(-1, 2, size)[:, 1] *= 1j
        size *= 2
    return state


def tilted_state(diagonal: Diagonal, spec: AnsatzSpec, gammas: FloatArray, betas: FloatArray) -> ComplexArray:
    """State of a warm start with its own mixer, all basis states."""
    tilts = spec.tilts(diagonal.n_variables)
    state = np.ones(1, dtype=np.complex128)
    for tilt in tilts:
        state = np.concatenate([np.cos(tilt / 2) * state, np.sin(tilt / 2) * state])
    planes = state[None]
    buffers = scratch(planes)
    for gamma, beta in zip(gammas, betas, strict=True):
        state *= _phases(diagonal, float(gamma))
        apply_product(planes, _tilted_factors(tilts, float(beta)), buffers)
    return state


def _tilted_factors(tilts: FloatArray, beta: float) -> list[ComplexArray]:
    """exp(-iβ(sin θ X + cos θ Z)) of every qubit."""
    cosine, sine = np.cos(beta), np.sin(beta)
    along, across = -1j * sine * np.cos(tilts), -1j * sine * np.sin(tilts)
    return list(np.stack([cosine + along, across, across, cosine - along], axis=1).reshape(-1, 2, 2))


def swaps(diagonal: Diagonal, edges: Sequence[Edge]) -> tuple[Swaps, ...]:
    """Which states each pair mixes, found once for a run; only for states with a fixed number of ones."""
    states: IntArray = np.arange(diagonal.n_states) if diagonal.states is None else diagonal.states
    found: list[Swaps] = []
    for one, other in edges:
        first = np.flatnonzero(((states >> one) & ~(states >> other) & 1).astype(bool))
        second = np.searchsorted(states, states[first] ^ ((1 << one) | (1 << other)))
        found.append(Swaps(first.astype(np.int32), second.astype(np.int32)))
    return tuple(found)


def paired_state(diagonal: Diagonal, moves: Sequence[Swaps], gammas: FloatArray, betas: FloatArray) -> ComplexArray:
    """State of an xy mixer from the Dicke state, over the basis states of the diagonal."""
    state = np.full(diagonal.n_states, diagonal.n_states**-0.5, dtype=np.complex128)
    for gamma, beta in zip(gammas, betas, strict=True):
        state *= _phases(diagonal, float(gamma))
        cosine, sine = np.cos(float(beta)), -1j * np.sin(float(beta))
        for move in moves:
            first, second = state[move.first], state[move.second]
            state[move.first] = cosine * first + sine * second
            state[move.second] = cosine * second + sine * first
    return state


def _phases(diagonal: Diagonal, gamma: float) -> ComplexArray:
    """exp(-iγE) of every basis state."""
    if diagonal.levels is None or diagonal.level_of is None:
        return np.asarray(np.exp(-1j * gamma * diagonal.energies))
    return np.asarray(np.exp(-1j * gamma * diagonal.levels)[diagonal.level_of])


def as_probabilities(amplitudes: Planes) -> FloatArray:
    """Squared moduli, of real planes `(2, n)` or of complex amplitudes `(n,)`."""
    real, imaginary = amplitudes if amplitudes.ndim == 2 else (amplitudes.real, amplitudes.imag)
    found = real * real
    found += imaginary * imaginary
    return np.asarray(found)
