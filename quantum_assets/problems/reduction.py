"""A problem too wide for a machine as a narrower one: the easy variables are decided classically, exactly, afterwards.

The classical half of the pattern *pre-process, solve, post-process*. `elimination` takes spins out of the problem's own
polynomial; what is left stands wherever a problem does. A row of it means one row of the original: every eliminated
variable where the energy is lowest, given the row. Objective, violations and the user's table are the original's, of
that row, and the energies are equal. So an optimum of the one is an optimum of the other.

Two things to know when results are compared. The completion is itself a classical optimisation, and serves every row
alike, uniform bits too. And the polynomial is the penalised one: a row whose completion breaks a constraint is not
feasible, even where another completion would be.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.optimization import MOST_VARIABLES
from quantum_assets.contracts.problem import Bits, Encoding, Problem, unpack
from quantum_assets.problems.elimination import Elimination, eliminate
from quantum_assets.problems.narrowed import Narrowed
from quantum_assets.problems.rows import matrix_of

_SEARCHED, _BLOCK = 16, 1 << 12  # variables searched for a feasible row where greedy leads to none, rows at once
_NAMES = 8  # eliminated variables that a sentence names

ROOM = "there is room for"
"""How messages go on after the number of variables that may be left, where nobody says what sets it."""


@dataclass(frozen=True, eq=False)
class ReducedProblem(Narrowed):
    """A problem over the variables of another that are left when the rest is eliminated; made by `reduce`.

    Attributes:
        original: The problem that it stands for.
        most: Variables that were asked for at most.
        elimination: Of the original's polynomial.
    """

    original: Problem
    most: int
    elimination: Elimination

    def __post_init__(self) -> None:
        wide, kept = self.elimination.n_variables, len(self.elimination.kept)
        if wide != len(self.original.variables):
            raise PlanError(
                f"reduced {self.original.kind} {self.original.name}",
                f"has an elimination from {wide} variables for {len(self.original.variables)}",
                "Eliminate from this problem's own polynomial: use `reduce`",
            )
        if kept > self.most:
            raise PlanError(
                f"reduced {self.original.kind} {self.original.name}",
                f"keeps {kept} variables, and {self.most} were asked for",
                "Use `reduce`",
            )

    @property
    def name(self) -> str:
        """The original's, with the widths: ``karate reduced to 14 of 34``."""
        return f"{self.original.name} reduced to {len(self.elimination.kept)} of {self.elimination.n_variables}"

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Those of the original that are kept, in its order."""
        names = self.original.variables
        return tuple(names[v] for v in self.elimination.kept)

    @cached_property
    def eliminated(self) -> tuple[str, ...]:
        """The other variables, in the order in which they went."""
        names = self.original.variables
        return tuple(names[step.spin] for step in self.elimination.steps)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the original and of the width asked for."""
        return fingerprint("reduced/v1", self.original.fingerprint, self.most)

    def encode(self) -> Encoding:
        """The polynomial that is left; its energies are those of the completed rows under the original's encoding.

        `energy_per_unit`, `energy_offset` and penalty are the original's. A number of ones that every feasible row of
        the original has is none here.
        """
        whole = self.original.encode()
        names = ", ".join(self.eliminated[:_NAMES])
        more = len(self.eliminated) - _NAMES
        said = (
            f"{len(self.eliminated)} of {self.elimination.n_variables} variables are eliminated exactly, "
            f"each at its minimum: {names}{f' and {more} more' if more > 0 else ''}"
        )
        return replace(whole, ising=self.elimination.ising, rule=f"{whole.rule}; {said}", cardinality=None)

    def expand(self, bits: Bits) -> Bits:
        """Rows of the original: every eliminated variable at its minimum, bit 0 among equals."""
        return self.elimination.expand(matrix_of(self, bits))

    def restrict(self, bits: Bits) -> Bits:
        """The kept columns of rows of the original, shape `(n_rows, n_variables)`; undoes `expand`."""
        return self.elimination.restrict(matrix_of(self.original, bits))

    def repair(self, bits: Bits) -> Bits:
        """Complete, repair as the original does, keep the kept columns; the greedy row where that is not feasible.

        A repaired row is completed anew, at its minimum, and that may break a constraint again. Such a row becomes the
        greedy one: a second repair was found to give the same row. Rows that the original's repair leaves alone stay
        as they are. Nothing is drawn.
        """
        rows = self._mended(matrix_of(self, bits))
        rows[self.violations(rows) > 0] = self._fallback
        return rows

    def greedy(self) -> Bits:
        """The original's greedy row, mended as in `repair`; its completion may be better than that row was.

        Where that leads to nothing feasible: the first feasible row, counted as basis states are, of those whose
        variables from the 17th on are 0.
        """
        return self._fallback.copy()

    def _mended(self, rows: Bits) -> Bits:
        """The original's repair; the result may hold rows whose new completion is not feasible."""
        return self.restrict(self.original.repair(self.expand(rows)))

    @cached_property
    def _fallback(self) -> Bits:
        mended = self._mended(self.restrict(self.original.greedy()))
        if self.violations(mended)[0] == 0:
            return np.asarray(mended[0])
        n = len(self.variables)
        searched = min(n, _SEARCHED)
        for start in range(0, 1 << searched, _BLOCK):
            found = unpack(np.arange(start, min(start + _BLOCK, 1 << searched)), searched)
            rows = np.pad(found, ((0, 0), (0, n - searched)))
            feasible = np.flatnonzero(self.violations(rows) == 0)
            if len(feasible):
                return np.asarray(rows[feasible[0]])
        raise PlanError(
            f"{self.original.kind} {self.original.name}",
            f"has no feasible row that a reduction to {n} variables can show, neither from its greedy row nor among "
            f"{1 << searched:,} others",
            "Solve it unreduced, with a profile wide enough",
        )


def reduce(problem: Problem, most: int, room: str = ROOM) -> Problem:
    """The problem over at most `most` of its variables, the others eliminated exactly; itself where it already fits.

    Spins go one by one, by the rules and in the order of `elimination`, and no more of them than must. The same problem
    and width give the same result.

    Args:
        problem: Its encoding must be quadratic, unless it fits.
        most: Variables that may be left, at least 1: the width of the machine or of the simulator.
        room: What sets `most`, so that messages name it: ``that quantum.most_variables allows``.

    Returns:
        The problem given, or a `ReducedProblem` of exactly `most` variables.

    Raises:
        PlanError: If it cannot be brought down so far, `most` is below 1, or no feasible row can be shown.
    """
    whose, n = f"{problem.kind} {problem.name}", len(problem.variables)
    if most < 1:
        raise PlanError(f"{whose}: reduction", f"is asked to leave {most} variables", "Leave at least 1")
    if n <= most:
        return problem
    ising = problem.encode().ising
    if ising.order > 2:
        why = f"over the {most} {room}, and terms of {ising.order} variables, which are not eliminated"
        raise PlanError(whose, f"has {n} variables, {why}", _ways_to_fit(n))
    found = eliminate(ising, most)
    if (left := len(found.kept)) > most:
        what = f"has {n} variables, and exact elimination leaves {left}, over the {most} {room}"
        raise PlanError(whose, what, _ways_to_fit(left))
    reduced = ReducedProblem(problem, most, found)
    reduced.greedy()  # an instance without a feasible row is refused here, not when the samples are in
    return reduced


def _ways_to_fit(left: int) -> str:
    """What works for a study whose instance cannot be brought below `left` variables exactly."""
    ways = (
        "Let the rest be frozen at the greedy row, a heuristic (in a study: quantum.narrowing: freeze), or give an "
        "instance of fewer variables"
    )
    if left > MOST_VARIABLES:
        return f"{ways}; {MOST_VARIABLES} is the most that any study allows"
    return f"{ways}, or raise that limit to {left}, if the machine has so many qubits"
