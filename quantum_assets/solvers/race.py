"""All rivals on one instance, each under the same number of seconds; those that decline say why.

The best of them is what a quantum sampler has to be compared with: a weak rival flatters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Ising, Solution
from quantum_assets.solvers import annealing, bounding, enumeration, greedy, tabu, tree
from quantum_assets.solvers.declined import Declined

FEWEST = 3
"""Rivals that must run: fewer are no comparison."""


Solver = Callable[..., Solution]
"""`solve(ising, *, seconds, seed, **settings)`: a rival."""

RIVALS: Mapping[str, Solver] = {
    greedy.NAME: greedy.solve,
    annealing.NAME: annealing.solve,
    tabu.NAME: tabu.solve,
    tree.NAME: tree.solve,
    enumeration.NAME: enumeration.solve,
    bounding.NAME: bounding.solve,
}
"""Every rival by name, cheap ones first."""


@dataclass(frozen=True)
class Race:
    """Who ran and who did not.

    Attributes:
        solutions: Best energy first; of equals a proven one first, then by name.
        declined: Reason of every rival that did not run.
        bound: The highest lower bound that no row refutes, never above the best energy; None if there is none.
    """

    solutions: tuple[Solution, ...]
    declined: Mapping[str, str]
    bound: float | None

    @property
    def best(self) -> Solution:
        """The winner."""
        return self.solutions[0]

    @property
    def proven(self) -> bool:
        """Whether any bound meets the best energy, whoever found which."""
        return self.bound is not None and self.best.energy <= self.bound + self.best.tolerance


def race(
    ising: Ising,
    *,
    seconds: float,
    seed: int,
    starts: Bits | None = None,
    rivals: Mapping[str, Solver] = RIVALS,
    settings: Mapping[str, Mapping[str, Any]] | None = None,
) -> Race:
    """Run the rivals one after the other, each with the whole budget to itself.

    Args:
        ising: The instance.
        seconds: Cap of each rival.
        seed: For each rival.
        starts: Rows for the greedy rival, for example the problem's own greedy one.
        rivals: Who takes part, by name.
        settings: Budgets of single rivals by name, for example ``{"tabu": {"reads": 4}}``.

    Returns:
        Solutions and reasons. A bound above another rival's energy is taken away, for that row refutes it.

    Raises:
        PlanError: For settings of a rival that is not there, or if fewer than `FEWEST` rivals ran.
    """
    settings = dict(settings or {})
    unknown = sorted(set(settings) - set(rivals))
    if unknown:
        raise PlanError(f"settings of {unknown}", f"name no rival of {sorted(rivals)}", "Correct the name")
    found: list[Solution] = []
    declined: dict[str, str] = {}
    for name, solve in rivals.items():
        own = dict(settings.get(name, {}))
        if name == greedy.NAME and starts is not None:
            own.setdefault("starts", starts)
        try:
            found.append(solve(ising, seconds=seconds, seed=seed, **own))
        except Declined as no:
            declined[name] = str(no)
    if len(found) < FEWEST:
        reasons = " ".join(declined.values()) or "No other was asked."
        raise PlanError("race", f"has {len(found)} rivals that run, fewer than {FEWEST}. {reasons}", "Add rivals")
    lowest = min(solution.energy for solution in found)
    kept = [_unrefuted(solution, lowest) for solution in found]
    bounds = [solution.bound for solution in kept if solution.bound is not None]
    ranked = sorted(kept, key=lambda s: (s.energy, not s.proven, s.solver))
    return Race(tuple(ranked), declined, min(lowest, max(bounds)) if bounds else None)


def _unrefuted(solution: Solution, lowest: float) -> Solution:
    """Without its bound if a rival's row lies below it: such a bound is false, and it is told as `refuted_bound`."""
    if solution.bound is None or solution.bound <= lowest + solution.tolerance:
        return solution
    return replace(solution, bound=None, settings={**solution.settings, "refuted_bound": solution.bound})
