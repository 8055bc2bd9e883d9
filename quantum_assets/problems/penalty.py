"""How much a broken constraint must cost, by a stated rule, and the proof of it on instances small enough to enumerate.

An encoding minimises `f(x) + w g(x)`: f is the objective as an energy, g is 0 exactly on feasible rows. Two rules give
a weight w for which every minimum is feasible, whenever the instance has a feasible row at all:

- *range*: where g is at least `step` on every infeasible row, any `w > (max f - min f) / step` will do: breaking a
  constraint costs more than the objective can ever repay.
- *flip*: where from every infeasible row some single flip lowers g by at least `step`, any
  `w > (largest change of f by one flip) / step` will do: that flip always pays, so no infeasible row is a minimum.

Both bounds come from the coefficients, `2 Σ_t |c_t|` over the terms that can change: safe, and rarely tight. A smaller
weight makes a landscape that samplers find easier, so take *flip* where its condition holds.
"""

from dataclasses import dataclass

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Encoding, Ising, Problem, unpack
from quantum_assets.problems.polynomial import MAX_ENUMERATED, all_energies

#: How far a weight lies above its bound, as a factor.
MARGIN = 1.5
_ROWS = 1 << 15  # rows of bits judged at once by `check`


@dataclass(frozen=True)
class Penalty:
    """A weight and how it was chosen.

    Attributes:
        weight: In energy units, for each unit of the penalty polynomial.
        rule: One sentence, numbers included.
    """

    weight: float
    rule: str


@dataclass(frozen=True, eq=False)
class PenaltyCheck:
    """What enumeration says of an encoding.

    Attributes:
        feasible_rows: How many of the 2^n rows are feasible.
        lowest_energy: Minimum of the encoded energy over all rows.
        lowest_is_feasible: Whether every row that reaches it (to rounding) is feasible.
        best_energy: Minimum over feasible rows only; infinite when there are none.
        best_bits: A feasible row with the best objective, shape `(n_variables,)`.
        best_objective: Its objective, in original units.
        deviation: Largest `|energy - (energy_per_unit · objective + energy_offset)|` over feasible rows.
        tolerance: What counts as rounding here: `1e-9 ·` the largest |energy|.
    """

    feasible_rows: int
    lowest_energy: float
    lowest_is_feasible: bool
    best_energy: float
    best_bits: Bits
    best_objective: float
    deviation: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """The penalised optimum is feasible, is the constrained optimum, and energies say what objectives say."""
        same = abs(self.lowest_energy - self.best_energy) <= self.tolerance
        return self.lowest_is_feasible and same and self.deviation <= self.tolerance


def range_bound(objective: Ising) -> float:
    """An upper bound of `max f - min f`: `2 Σ_t |c_t|` over all terms of spins."""
    return float(2.0 * np.abs(objective.coefficients).sum())


def flip_bound(objective: Ising) -> float:
    """An upper bound of the change of f by any one flip: the largest over variables i of `2 Σ_{t∋i} |c_t|`."""
    loads = np.zeros(objective.n_variables)
    for term, weight in zip(objective.terms, objective.coefficients, strict=True):
        loads[list(term)] += abs(weight)
    return float(2.0 * loads.max())


def by_range(objective: Ising, step: float = 1.0, margin: float = MARGIN) -> Penalty:
    """The weight of the *range* rule.

    Args:
        objective: f as energies, without any penalty.
        step: The least value of g on an infeasible row, positive.
        margin: Factor above the bound, more than 1.

    Raises:
        PlanError: For a step or margin out of range.
    """
    return _penalty("range", "the objective's range", range_bound(objective), step, margin)


def by_flip(objective: Ising, step: float = 1.0, margin: float = MARGIN) -> Penalty:
    """The weight of the *flip* rule; use it only where g has that property.

    Args:
        objective: f as energies, without any penalty.
        step: By how much some flip lowers g from every infeasible row, at least; positive.
        margin: Factor above the bound, more than 1.

    Raises:
        PlanError: For a step or margin out of range.
    """
    return _penalty("flip", "the objective's largest change by one flip", flip_bound(objective), step, margin)


def check(problem: Problem, encoding: Encoding | None = None) -> PenaltyCheck:
    """Enumerate a small instance: is its penalised optimum feasible, and the constrained optimum?

    Args:
        problem: At most 24 variables; about a second for 20.
        encoding: What to judge; by default the problem's own.

    Raises:
        PlanError: For more than 24 variables, or an instance without any feasible row.
    """
    n = len(problem.variables)
    if n > MAX_ENUMERATED:
        raise PlanError(
            f"{problem.kind} {problem.name}",
            f"has {n} variables, too many to enumerate",
            f"Check an instance of at most {MAX_ENUMERATED}",
        )
    encoding = encoding or problem.encode()
    energies = all_energies(encoding.ising)
    tolerance = 1e-9 * float(np.abs(energies).max())
    lowest = float(energies.min())
    feasible, best, best_row, deviation, lowest_is_feasible = 0, np.inf, unpack([0], n)[0], 0.0, True
    for start in range(0, len(energies), _ROWS):
        chunk = energies[start : start + _ROWS]
        rows = unpack(np.arange(start, start + len(chunk)), n)
        allowed = problem.violations(rows) == 0
        lowest_is_feasible &= bool(allowed[chunk <= lowest + tolerance].all())
        if not allowed.any():
            continue
        expected = encoding.energy_per_unit * problem.objective(rows[allowed]) + encoding.energy_offset
        feasible += int(allowed.sum())
        deviation = max(deviation, float(np.abs(chunk[allowed] - expected).max()))
        if expected.min() < best:
            best, best_row = float(expected.min()), rows[allowed][int(np.argmin(expected))]
    if not feasible:
        raise PlanError(f"{problem.kind} {problem.name}", "has no feasible row at all", "Loosen its constraints")
    objective = float(problem.objective(best_row[None, :])[0])
    return PenaltyCheck(feasible, lowest, lowest_is_feasible, best, best_row, objective, deviation, tolerance)


def _penalty(rule: str, what: str, bound: float, step: float, margin: float) -> Penalty:
    if not step > 0 or not margin > 1:
        raise PlanError(f"penalty by {rule}", f"has step {step} and margin {margin}", "Use step > 0 and margin > 1")
    weight = margin * bound / step if bound > 0 else 1.0
    return Penalty(weight, f"{rule} rule: {weight:.6g} > {what} (at most {bound:.6g}) / {step:g}")
