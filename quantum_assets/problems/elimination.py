"""Spins taken out of a quadratic polynomial one after the other, exactly: what is left, and the way back.

A spin v meets the others in `z_v · s_v`, where `s_v = h_v + Σ_u J_uv z_u`. The minimum over `z_v = ±1` is `-|s_v|`, a
function of its neighbours. Count a field `h_v ≠ 0` as a neighbour too, a spin that is always +1. Then `-|s_v|` is again
quadratic in two cases:

- *followed*: one neighbour a weighs at least as much as all others together, `|w_a| >= Σ_{b≠a} |w_b|`. Then
  `z_v = -sign(w_a) z_a` is a minimum whatever the others do, so `-|s_v| = -|w_a| - sign(w_a) Σ_b w_b z_a z_b`. This
  holds for every spin of one or two neighbours; where a is the field, v is simply fixed (persistency).
- *star-triangle*: three neighbours. An even function of three spins is a constant and three pairs, here
  `-|s_v| = k + Σ_{a<b} w_ab z_a z_b`, with the four values of `-|±w_a ± w_b ± w_c|` added up by sign, over four
  (the zero-temperature form of Onsager's star-triangle relation, Physical Review 65, 1944).

A spin of no neighbours adds nothing and goes first. A step keeps the lowest energy of every row of the spins that are
left, not just that of the best row, so the optimum stays what it was.

Weights below `1e-12` of what they were added up from are taken for 0, and sums within that of each other for equal:
energies are exact for small dyadic weights, and to rounding for others.
"""

import heapq
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Ising
from quantum_assets.problems.polynomial import from_spins

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Step:
    """How an eliminated spin is found again: it points against `field + Σ_i weights_i z_{neighbours_i}`; 0 gives bit 0.

    Attributes:
        spin: The variable that was eliminated.
        neighbours: Variables that it depends on; all of them were still there when it went.
        weights: One a neighbour.
        field: What acts on it whatever the neighbours do.
    """

    spin: int
    neighbours: tuple[int, ...]
    weights: tuple[float, ...]
    field: float


@dataclass(frozen=True, eq=False)
class Elimination:
    """A polynomial with the minimum taken over some of its spins.

    Attributes:
        n_variables: Of the polynomial that it began with.
        kept: Variables that are left, increasing; variable i of `ising` is `kept[i]`.
        ising: Energy of each row of them, every other spin at its minimum.
        steps: The eliminated spins in the order in which they went.
    """

    n_variables: int
    kept: tuple[int, ...]
    ising: Ising
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        gone = [step.spin for step in self.steps]
        if sorted([*self.kept, *gone]) != list(range(self.n_variables)) or list(self.kept) != sorted(self.kept):
            raise PlanError(
                "elimination",
                f"keeps {self.kept} and eliminates {gone} of {self.n_variables} variables",
                "Keep or eliminate every variable once, and name what is kept in order",
            )
        if self.ising.n_variables != len(self.kept):
            raise PlanError(
                "elimination",
                f"keeps {len(self.kept)} variables and leaves a polynomial of {self.ising.n_variables}",
                "Give the polynomial of the variables that are kept",
            )
        known = set(self.kept)
        for step in reversed(self.steps):
            if not known.issuperset(step.neighbours) or len(step.neighbours) != len(step.weights):
                raise PlanError(
                    f"elimination of variable {step.spin}",
                    f"depends on {step.neighbours}, not all of which outlive it, with {len(step.weights)} weights",
                    "Name variables that are kept or go later, and one weight each",
                )
            known.add(step.spin)

    def restrict(self, bits: Bits) -> Bits:
        """The kept columns of full rows, shape `(n_rows, n_kept)`.

        Raises:
            PlanError: For rows of another width.
        """
        return np.ascontiguousarray(_rows(bits, self.n_variables)[:, self.kept])

    def expand(self, bits: Bits) -> Bits:
        """Full rows from rows of the kept variables, every eliminated spin at its minimum.

        Where both values of a spin have the same energy (to rounding) its bit is 0. A row's result does not depend on
        the rows beside it.

        Args:
            bits: Shape `(n_rows, n_kept)`, or one row.

        Returns:
            Shape `(n_rows, n_variables)`.

        Raises:
            PlanError: For rows of another width.
        """
        kept = _rows(bits, len(self.kept))
        spins = np.empty((self.n_variables, len(kept)), dtype=np.int8)
        spins[list(self.kept)] = np.where(kept.T, -1, 1)
        for step in reversed(self.steps):
            pull = np.full(len(kept), step.field)
            for neighbour, weight in zip(step.neighbours, step.weights, strict=True):
                pull += weight * spins[neighbour]  # one after the other: a matrix product may round rows differently
            tie = _ROUNDING * (abs(step.field) + sum(map(abs, step.weights)))
            spins[step.spin] = np.where(pull > tie, -1, 1)
        return np.ascontiguousarray((spins < 0).T.astype(np.uint8))


def eliminate(ising: Ising, most: int) -> Elimination:
    """Take spins out until `most` are left, or none of the rest can go.

    The next spin is, of those that can go, the one with the fewest neighbours (its field counts as one), the lowest
    number among equals.

    Args:
        ising: Of order 2 at most.
        most: Variables that may be left, at least 1.

    Raises:
        PlanError: For a polynomial of higher order, or `most` below 1.
    """
    if ising.order > 2:
        raise PlanError(
            "elimination", f"is given terms of {ising.order} variables", "Eliminate from a quadratic polynomial"
        )
    if most < 1:
        raise PlanError("elimination", f"is to leave {most} variables", "Leave at least 1")
    return _Work(ising).down_to(most)


class _Work:
    """The polynomial as it shrinks: `around[v]` holds the weight of each neighbour of v, number n being the field."""

    def __init__(self, ising: Ising) -> None:
        self.n = ising.n_variables
        self.offset = [ising.offset]
        self.around: list[dict[int, float]] = [{} for _ in range(self.n + 1)]
        for term, weight in zip(ising.terms, ising.coefficients.tolist(), strict=True):
            if weight:
                first, second = (term[0], self.n) if len(term) == 1 else term
                self.around[first][second] = self.around[second][first] = weight
        self.waiting: list[tuple[int, int]] = []

    def down_to(self, most: int) -> Elimination:
        steps: dict[int, Step] = {}
        for spin in range(self.n):
            self._queue(spin)
        while self.n - len(steps) > most and self.waiting:
            count, spin = heapq.heappop(self.waiting)
            if spin in steps or count != len(self.around[spin]):
                continue  # an entry from before its neighbours changed
            if (fold := _fold(self.around[spin])) is not None:
                steps[spin] = self._take(spin, fold)
        return self._left(steps)

    def _queue(self, spin: int) -> None:
        if _fold(self.around[spin]) is not None:
            heapq.heappush(self.waiting, (len(self.around[spin]), spin))

    def _take(self, spin: int, fold: "_Fold") -> Step:
        around = self.around[spin]
        self.around[spin] = {}
        for neighbour in around:
            del self.around[neighbour][spin]
        self.offset.append(fold.constant)
        scale = sum(map(abs, around.values()))
        for (first, second), weight in fold.pairs.items():
            self._add(first, second, weight, scale)
        others = sorted(neighbour for neighbour in around if neighbour != self.n)
        for neighbour in others:
            self._queue(neighbour)
        return Step(spin, tuple(others), tuple(around[o] for o in others), around.get(self.n, 0.0))

    def _add(self, first: int, second: int, weight: float, scale: float) -> None:
        old = self.around[first].get(second, 0.0)
        if abs(old + weight) > _ROUNDING * max(abs(old), scale):
            self.around[first][second] = self.around[second][first] = old + weight
        else:
            self.around[first].pop(second, None)
            self.around[second].pop(first, None)

    def _left(self, steps: Mapping[int, Step]) -> Elimination:
        kept = tuple(v for v in range(self.n) if v not in steps)
        number = {v: place for place, v in enumerate(kept)}
        terms = [
            ((number[v],) if other == self.n else (number[v], number[other]), weight)
            for v in kept
            for other, weight in self.around[v].items()
            if v < other
        ]
        ising = from_spins(len(kept), terms, math.fsum(self.offset))
        return Elimination(self.n, kept, ising, tuple(steps.values()))


@dataclass(frozen=True)
class _Fold:
    """`-|Σ_i w_i z_i|` as a constant and pairs."""

    constant: float
    pairs: Mapping[tuple[int, int], float]


def _fold(around: Mapping[int, float]) -> _Fold | None:
    """The minimum over a spin with these neighbours, by the rules of the module; None where it is not quadratic."""
    if not around:
        return _Fold(0.0, {})
    spins = sorted(around)
    leader = max(spins, key=lambda spin: abs(around[spin]))
    weight = around[leader]
    rest = math.fsum(abs(around[spin]) for spin in spins if spin != leader)
    if abs(weight) >= rest * (1 - _ROUNDING):
        sign = math.copysign(1.0, weight)
        return _Fold(-abs(weight), {(leader, spin): -sign * around[spin] for spin in spins if spin != leader})
    return _star(spins, [around[spin] for spin in spins]) if len(spins) == 3 else None


def _star(spins: list[int], weights: list[float]) -> _Fold:
    """Star-triangle: `-|a z_a + b z_b + c z_c|` from its four values."""
    (first, second, third), (a, b, c) = spins, weights
    alike, but_c, but_b, but_a = -abs(a + b + c), -abs(a + b - c), -abs(a - b + c), -abs(b + c - a)
    return _Fold(
        (alike + but_a + but_b + but_c) / 4,
        {
            (first, second): (alike + but_c - but_a - but_b) / 4,
            (first, third): (alike + but_b - but_a - but_c) / 4,
            (second, third): (alike + but_a - but_b - but_c) / 4,
        },
    )


def _rows(bits: Bits, width: int) -> Bits:
    rows = np.atleast_2d(np.asarray(bits, dtype=np.uint8))
    if rows.ndim != 2 or rows.shape[1] != width:
        raise PlanError("elimination: bits", f"have the shape {np.shape(bits)}", f"Give {width} columns")
    return rows
