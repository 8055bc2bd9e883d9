"""Moves of one spin on a polynomial of any order, for many rows at once: steepest descent, annealing, tabu search.

Flipping spin i changes the energy by `-2 Σ_{t ∋ i} c_t Π_t(z)`. The products of all terms are kept for every row as ±1,
so nothing drifts, whatever the number of moves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Ising
from quantum_assets.contracts.workload import FloatArray, IntArray

_CHUNK = 1 << 22  # numbers of the largest array of products
_STILL = 1e-12  # a gain below this share of the largest coefficient is rounding


def descend(ising: Ising, bits: Bits) -> Bits:
    """Steepest descent: of every row, flip the spin that lowers the energy most, until no flip lowers it.

    Args:
        ising: What is minimised.
        bits: Shape `(m, n_variables)`; of equal gains the spin with the lowest number is flipped.

    Returns:
        Rows where no single flip helps, in the same order; deterministic.

    Raises:
        PlanError: For rows of another width.
    """
    rows = np.atleast_2d(bits).astype(np.uint8)
    if rows.shape[1] != ising.n_variables:
        raise PlanError("bits", f"have {rows.shape[1]} columns for {ising.n_variables} variables", "One a variable")
    if not ising.terms:
        return rows
    terms = _Terms.of(ising)
    step = max(1, _CHUNK // len(ising.terms))
    return np.concatenate([_descend(terms, rows[start : start + step]) for start in range(0, len(rows), step)])


def _descend(terms: "_Terms", bits: Bits) -> Bits:
    """As `descend`, for rows whose products fit in memory."""
    rows = bits.copy()
    products = terms.products(rows)
    still = _STILL * float(np.abs(terms.coefficients).max())
    active = np.arange(len(rows))
    while len(active):
        change = products[active] @ terms.changes
        spin = change.argmin(axis=1)
        falls = change[np.arange(len(active)), spin] < -still
        active, spin = active[falls], spin[falls]
        rows[active, spin] ^= 1
        products[active[:, None], terms.padded[spin]] *= -1.0
    return rows


def anneal(ising: Ising, bits: Bits, *, sweeps: int, seed: int, stop: Callable[[], bool] = lambda: False) -> Bits:
    """Metropolis annealing of every row, betas in geometric steps; the best state that a row passed at a sweep's end.

    The range of betas is that of dwave-samplers' annealer: at the hot end the largest possible rise is taken with
    probability 1/2, at the cold end the smallest with 1/100.

    Args:
        ising: What is minimised.
        bits: Starting rows, shape `(m, n_variables)`.
        sweeps: Sweeps over all spins, at least 1.
        seed: Of the generator; rows and seed determine the result unless `stop` cuts it.
        stop: Asked after every sweep.

    Returns:
        Shape `(m, n_variables)`.
    """
    rows = np.atleast_2d(bits).astype(np.uint8)
    if not ising.terms:
        return rows
    rng = np.random.default_rng(seed)
    terms = _Terms.of(ising)
    products = np.ascontiguousarray(terms.products(rows)[:, :-1].T)  # terms by rows: a spin's terms lie together
    current = rows.T.copy()
    best, lowest = current.copy(), terms.coefficients @ products
    for beta in _betas(terms, sweeps):
        for spin, members in enumerate(terms.incident):
            change = -2.0 * (terms.coefficients[members] @ products[members])
            taken = np.flatnonzero(rng.random(len(rows)) < np.exp(-beta * np.maximum(change, 0.0)))
            products[np.ix_(members, taken)] *= -1.0
            current[spin, taken] ^= 1
        energies = terms.coefficients @ products
        better = energies < lowest
        best[:, better], lowest[better] = current[:, better], energies[better]
        if stop():
            break
    return np.ascontiguousarray(best.T)


def search(
    ising: Ising, bits: Bits, *, flips: int, tenure: int, seed: int, stop: Callable[[], bool] = lambda: False
) -> Bits:
    """One-flip tabu search of every row (Glover 1989); the best state that a row passed.

    In every step each row flips its best spin that is not tabu, uphill if it must. A flipped spin is tabu for `tenure`
    steps and up to 10 more, drawn at random, unless flipping it gives the best state of its row so far.

    Args:
        ising: What is minimised.
        bits: Starting rows, shape `(m, n_variables)`.
        flips: Steps, at least 1.
        tenure: Below the number of variables.
        seed: Of the generator; rows and seed determine the result unless `stop` cuts it.
        stop: Asked every 64 steps.

    Returns:
        Shape `(m, n_variables)`.
    """
    rows = np.atleast_2d(bits).astype(np.uint8)
    if not ising.terms:
        return rows
    rng = np.random.default_rng(seed)
    terms = _Terms.of(ising)
    products = terms.products(rows)
    every = np.arange(len(rows))
    energies = products[:, :-1] @ terms.coefficients
    best, lowest = rows.copy(), energies.copy()
    free_from = np.zeros(rows.shape, dtype=np.int64)
    for step in range(flips):
        change = products @ terms.changes
        barred = (free_from > step) & (energies[:, None] + change >= lowest[:, None] - _STILL * np.abs(lowest[:, None]))
        spin = np.where(barred, np.inf, change).argmin(axis=1)
        energies += change[every, spin]
        rows[every, spin] ^= 1
        products[every[:, None], terms.padded[spin]] *= -1.0
        free_from[every, spin] = step + 1 + tenure + rng.integers(0, 11, len(rows))
        better = energies < lowest
        best[better], lowest[better] = rows[better], energies[better]
        if step % 64 == 63 and stop():
            break
    return best


def _betas(terms: "_Terms", sweeps: int) -> FloatArray:
    """Inverse temperatures, hot to cold, shape `(sweeps,)`."""
    sizes = np.abs(terms.coefficients)
    largest = 2.0 * max(float(sizes[members].sum()) for members in terms.incident)
    smallest = 2.0 * float(sizes[sizes > 0].min(initial=np.inf))
    if not np.isfinite(smallest):
        return np.ones(sweeps)
    return np.geomspace(np.log(2.0) / largest, np.log(100.0) / smallest, sweeps)


@dataclass(frozen=True, eq=False)
class _Terms:
    """The polynomial as arrays.

    Attributes:
        members: Spins of each term.
        coefficients: Shape `(n_terms,)`.
        incident: Terms of each spin.
        padded: The same as one array `(n_variables, largest degree)`, filled up with the number of a term of weight 0.
        changes: Sparse `(n_terms + 1, n_variables)`: products times this are the energy changes of every flip.
    """

    members: tuple[IntArray, ...]
    coefficients: FloatArray
    incident: tuple[IntArray, ...]
    padded: IntArray
    changes: Any

    @classmethod
    def of(cls, ising: Ising) -> "_Terms":
        from scipy.sparse import csr_array

        n_terms = len(ising.terms)
        found: list[list[int]] = [[] for _ in range(ising.n_variables)]
        for place, term in enumerate(ising.terms):
            for spin in term:
                found[spin].append(place)
        padded = np.full((ising.n_variables, max(map(len, found))), n_terms, dtype=np.int64)
        for spin, places in enumerate(found):
            padded[spin, : len(places)] = places
        spins = np.repeat(np.arange(ising.n_variables), [len(places) for places in found])
        members = np.concatenate([np.array(p, dtype=np.int64) for p in found])
        return cls(
            members=tuple(np.array(term, dtype=np.int64) for term in ising.terms),
            coefficients=np.asarray(ising.coefficients, dtype=float),
            incident=tuple(np.array(p, dtype=np.int64) for p in found),
            padded=padded,
            changes=csr_array((-2.0 * ising.coefficients[members], (members, spins)), (n_terms + 1, ising.n_variables)),
        )

    def products(self, bits: Bits) -> FloatArray:
        """Π_t(z) of every row, shape `(m, n_terms + 1)`; the last column belongs to no term."""
        spins = 1.0 - 2.0 * bits
        found = np.ones((len(bits), len(self.members) + 1))
        for place, members in enumerate(self.members):
            found[:, place] = spins[:, members].prod(axis=1)
        return found
