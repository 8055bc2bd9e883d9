"""What a frozen subspace has to offer: its best row by enumeration, beside the best known and beside what froze it.

A ladder over a frozen problem compares who finds the best known row. Where that row is outside the subspace nobody can,
uniform bits no less than the sampler, and where the classical moves that chose the subspace came by it, nobody needs
to. Both belong beside the ladder, so that its zeros and its ones are read for what they are.
"""

from dataclasses import dataclass

from quantum_assets.contracts.problem import alike_within
from quantum_assets.problems.freezing import FrozenProblem, best_move
from quantum_assets.problems.penalty import check


@dataclass(frozen=True)
class Subspace:
    """The rows that a frozen problem leaves, in the problem's own unit.

    Attributes:
        name: Of the frozen problem.
        unit: Of the objectives.
        rows: How many there are.
        feasible: How many of them are feasible.
        best: Objective of the best feasible one.
        best_move: Objective of the best feasible row that choosing the variables came by; it may lie outside.
        best_known: Objective of the best known row of the whole instance.
        reachable: Whether the best inside is as good as the best known.
    """

    name: str
    unit: str
    rows: int
    feasible: int
    best: float
    best_move: float
    best_known: float
    reachable: bool

    def sentence(self) -> str:
        """The same for people."""
        end = (
            "so the optimum can be reached"
            if self.reachable
            else "so the optimum is outside, and P(optimum) is 0 for every rung alike"
        )
        return (
            f"{self.name}, a heuristic narrowing: {self.feasible:,} of {self.rows:,} rows are feasible, "
            f"the best of them {self.best:.6g} {self.unit}. The classical moves that chose the variables came to "
            f"{self.best_move:.6g}; the best known of the whole instance is {self.best_known:.6g}, {end}."
        )


def survey(kernel: FrozenProblem, best_known: float) -> Subspace:
    """Enumerate a frozen problem.

    Args:
        kernel: At most 24 variables are left.
        best_known: Objective of the best known row of the whole instance.

    Raises:
        PlanError: For more variables.
    """
    found = check(kernel)
    sign = 1.0 if kernel.sense == "minimise" else -1.0
    near = alike_within(kernel.original.encode().objective_scale, best_known)
    return Subspace(
        name=kernel.name,
        unit=kernel.unit,
        rows=1 << len(kernel.variables),
        feasible=found.feasible_rows,
        best=found.best_objective,
        best_move=float(kernel.original.objective(best_move(kernel.original)[None])[0]),
        best_known=float(best_known),
        reachable=bool(sign * (found.best_objective - best_known) <= near),
    )
