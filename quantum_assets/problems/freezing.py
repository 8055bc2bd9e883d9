"""A problem too wide for a machine, searched in a neighbourhood: the variables that are left out keep greedy's values.

A heuristic narrowing, and every name and rule made here says so: the optimum may lie outside. Fixing spins so that a
circuit fits a machine is FrozenQubits (Ayanzadeh et al., ASPLOS 2023: those with the most couplings, one circuit a
value); searching around one row with most of it fixed is large neighbourhood search (Shaw, CP 1998). Here the values
are those of the problem's own greedy row, so that one circuit is run.

Which variables stay free: each variable has a *move*, the change of the greedy row that a flip of it leads to. Without
a rule on the number of ones, it is flipped and held, and the rest descends by single flips under the polynomial; with
such a rule, it is exchanged for the best variable of the other value. Whole moves are taken in the order of the energy
that they lead to, as long as they fit; what room is left goes to the variables of the cheapest moves. A variable that
must change together with others is of no use alone: in a set partitioning, hardly any single flip is allowed.

The moves are a classical local search of their own. What it came by is for whoever compares: `best_move`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.problem import Bits, Encoding, Ising, Problem, alike_within
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.problems.descent import descend
from quantum_assets.problems.narrowed import Narrowed
from quantum_assets.problems.polynomial import from_spins
from quantum_assets.problems.rows import matrix_of

_NAMES = 8  # frozen variables that a sentence names


@dataclass(frozen=True)
class Move:
    """A change of the greedy row.

    Attributes:
        flips: Variables that change, increasing.
        energy: Of the row that it leads to, penalties included.
    """

    flips: tuple[int, ...]
    energy: float


@dataclass(frozen=True, eq=False)
class FrozenProblem(Narrowed):
    """A problem over some of the variables of another, the rest at the values of its greedy row; made by `freeze`.

    Energies, objectives and violations are the original's, of the row with the frozen values in place. The penalty is
    the original's too: where its rule rests on a plan better than the greedy row, the lowest energy among the rows
    left may be that of one that breaks a rule, which the repair then mends.

    Attributes:
        original: The problem that it stands for.
        kept: Variables that stay free, increasing.
    """

    original: Problem
    kept: tuple[int, ...]

    def __post_init__(self) -> None:
        whose, n = f"frozen {self.original.kind} {self.original.name}", len(self.original.variables)
        if not self.kept or list(self.kept) != sorted(set(self.kept)) or self.kept[0] < 0 or self.kept[-1] >= n:
            raise PlanError(whose, f"keeps {self.kept} of {n} variables", "Name variables from 0, each once, in order")
        whole, ones = self.original.encode().cardinality, int(self.greedy().sum())
        if whole is not None and 0 < whole < n and not 0 < ones < len(self.kept):
            raise PlanError(
                whose,
                f"keeps {len(self.kept)} variables, of which {ones} are 1 in every row that has {whole} ones",
                "Keep ones and zeros of the greedy row: use `freeze`, with at least 2 variables",
            )

    @property
    def name(self) -> str:
        """The original's, with the widths: ``germany frozen to 7 of 16``."""
        return f"{self.original.name} frozen to {len(self.kept)} of {len(self.original.variables)}"

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Those of the original that are kept, in its order."""
        return tuple(self.original.variables[v] for v in self.kept)

    @cached_property
    def frozen(self) -> Mapping[str, int]:
        """The other variables with their values, in the original's order."""
        kept = set(self.kept)
        return {name: int(self._anchor[v]) for v, name in enumerate(self.original.variables) if v not in kept}

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the original, the variables kept and the values of the others."""
        return fingerprint("frozen/v1", self.original.fingerprint, list(self.kept), self._anchor.tolist())

    def encode(self) -> Encoding:
        """The original's polynomial with the frozen spins in place; its energies are those of the expanded rows.

        `energy_per_unit`, `energy_offset` and penalty are the original's. A number of ones that every feasible row of
        the original has is less by the ones that are frozen.
        """
        whole = self.original.encode()
        ones = whole.cardinality
        return replace(
            whole,
            ising=substituted(whole.ising, self.kept, self._anchor),
            rule=f"{whole.rule}; {self._told}",
            cardinality=None if ones is None else ones - sum(self.frozen.values()),
        )

    def expand(self, bits: Bits) -> Bits:
        """Rows of the original, the frozen values in place."""
        rows = matrix_of(self, bits)
        full = np.repeat(self._anchor[None], len(rows), axis=0)
        full[:, list(self.kept)] = rows
        return full

    def restrict(self, bits: Bits) -> Bits:
        """The kept columns of rows of the original, shape `(n_rows, n_variables)`; undoes `expand`."""
        return np.ascontiguousarray(matrix_of(self.original, bits)[:, list(self.kept)])

    def repair(self, bits: Bits) -> Bits:
        """Expand, repair as the original does, keep the kept columns; the greedy row where that is not feasible.

        The original's repair may change frozen variables. That is undone, and may break a constraint again: such a row
        becomes the greedy one. Nothing is drawn.
        """
        rows = self.restrict(self.original.repair(self.expand(bits)))
        rows[self.violations(rows) > 0] = self.greedy()
        return rows

    def greedy(self) -> Bits:
        """The original's greedy row: it is always inside, and feasible."""
        return np.asarray(self._anchor[list(self.kept)])

    @cached_property
    def _anchor(self) -> Bits:
        return np.asarray(self.original.greedy(), dtype=np.uint8)

    @property
    def _told(self) -> str:
        said = [f"{name} = {value}" for name, value in self.frozen.items()]
        more = f" and {len(said) - _NAMES} more" if len(said) > _NAMES else ""
        size = f"{len(said)} of {len(self.original.variables)} variables"
        return f"{size} are frozen at the greedy row, a heuristic: {', '.join(said[:_NAMES])}{more}"


def freeze(problem: Problem, most: int) -> Problem:
    """The problem over at most `most` of its variables, the others at greedy's values; itself where it already fits.

    Takes the moves of `moves_of` whole, in the order of their energy (equal ones: lower variable first), as long as
    they fit; fills up with the variables of the cheapest moves. With a fixed number of ones, ones and zeros of the
    greedy row are kept in equal numbers, as far as there are so many. The same problem and width give the same result.

    Args:
        problem: Of any order.
        most: Variables that may be left, at least 1; at least 2 where the number of ones is fixed.

    Returns:
        The problem given, or a `FrozenProblem` of exactly `most` variables.

    Raises:
        PlanError: If `most` is too small.
    """
    if most < 1:
        raise PlanError(
            f"{problem.kind} {problem.name}: freezing", f"is asked to leave {most} variables", "Leave at least 1"
        )
    n = len(problem.variables)
    if n <= most:
        return problem
    moves = moves_of(problem)
    energies = np.array([move.energy for move in moves])
    ranked = np.argsort(_told_apart(energies, problem.encode().ising.tolerance), kind="stable").tolist()
    wishes = [set(moves[v].flips) for v in ranked] + [{v} for v in ranked]
    return FrozenProblem(problem, tuple(sorted(_fitting(wishes, most, _quotas(problem, most)))))


def moves_of(problem: Problem) -> tuple[Move, ...]:
    """One move for each variable, as the module says: a held flip and descent, or the best exchange."""
    encoding, row = problem.encode(), np.asarray(problem.greedy(), dtype=np.uint8)
    if encoding.cardinality is not None and 0 < row.sum() < len(row):
        return tuple(_exchange(encoding.ising, row, v) for v in range(len(row)))
    return tuple(_held(encoding.ising, row, v) for v in range(len(row)))


def best_move(problem: Problem) -> Bits:
    """The best feasible row that choosing the variables came by, the greedy row included; shape `(n_variables,)`."""
    greedy = np.asarray(problem.greedy(), dtype=np.uint8)
    rows = np.array([greedy, *(_flipped(greedy, move.flips) for move in moves_of(problem))])
    rows = rows[problem.violations(rows) == 0]
    sign = 1.0 if problem.sense == "minimise" else -1.0
    values = problem.objective(rows)
    near = alike_within(problem.encode().objective_scale, float(np.abs(values).max()), share=1e-12)
    return np.asarray(rows[int(np.argmin(_told_apart(sign * values, near)))])


def substituted(ising: Ising, kept: Sequence[int], row: Bits) -> Ising:
    """The polynomial of the kept spins, every other spin at its value in `row`; energies are those of the whole rows.

    Args:
        ising: Of any order.
        kept: Variables that stay, increasing.
        row: Values of the others, shape `(n_variables,)`; those of the kept ones do not matter.
    """
    place = {int(v): number for number, v in enumerate(kept)}
    terms = [
        (
            tuple(place[v] for v in term if v in place),
            float(weight) * (-1.0) ** sum(int(row[v]) for v in term if v not in place),
        )
        for term, weight in zip(ising.terms, ising.coefficients.tolist(), strict=True)
    ]
    return from_spins(len(place), terms, float(ising.offset))


def _held(ising: Ising, row: Bits, variable: int) -> Move:
    """Flip a variable, hold it, and descend with the others."""
    if len(row) == 1:
        return Move((0,), float(ising.energies(_flipped(row, (0,)))[0]))
    others = [v for v in range(len(row)) if v != variable]
    ended = _flipped(row, (variable,))
    ended[others] = descend(substituted(ising, others, ended), row[others])
    return Move(tuple(np.flatnonzero(ended != row).tolist()), float(ising.energies(ended)[0]))


def _exchange(ising: Ising, row: Bits, variable: int) -> Move:
    """Flip a variable together with the best one of the other value, the lower number among equals."""
    partners = np.flatnonzero(row != row[variable])
    rows = np.array([_flipped(row, (variable, int(other))) for other in partners])
    energies = ising.energies(rows)
    best = int(np.argmin(_told_apart(energies, ising.tolerance)))
    first, second = sorted((variable, int(partners[best])))
    return Move((first, second), float(energies[best]))


def _told_apart(values: FloatArray, tolerance: float) -> FloatArray:
    """The values as whole steps of a tolerance, so that rounding does not choose among equals; as they are where 0."""
    return np.asarray(np.round(values / tolerance)) if tolerance else values


def _flipped(row: Bits, variables: Sequence[int]) -> Bits:
    found = np.array(row, dtype=np.uint8)
    found[list(variables)] ^= 1
    return found


def _quotas(problem: Problem, most: int) -> list[tuple[set[int], int]]:
    """Groups of variables of which only so many are kept: greedy's ones and zeros, where their number is fixed."""
    row = problem.greedy()
    ones, zeros = set(np.flatnonzero(row == 1).tolist()), set(np.flatnonzero(row == 0).tolist())
    if problem.encode().cardinality is None or not (ones and zeros):
        return []
    half = -(-most // 2)
    return [(ones, max(half, most - len(zeros))), (zeros, max(half, most - len(ones)))]


def _fitting(wishes: Iterable[set[int]], most: int, quotas: Sequence[tuple[set[int], int]]) -> set[int]:
    """Every wish that fits as a whole beside those before it."""
    found: set[int] = set()
    for wish in wishes:
        together = found | wish
        if len(together) <= most and all(len(together & group) <= room for group, room in quotas):
            found = together
    return found
