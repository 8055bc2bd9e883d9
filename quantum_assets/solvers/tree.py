"""Exact by dynamic programming on a tree decomposition, where the interaction graph is thin enough.

Time and memory grow as 2^width; the width is that of the min-fill order, found before anything is solved.
"""

import time
from collections.abc import Hashable

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising, Solution
from quantum_assets.solvers.declined import Declined
from quantum_assets.solvers.quadratic import Quadratic, quadratic
from quantum_assets.solvers.trail import Clock, Trail

NAME = "tree_decomposition"
WIDEST = 20
"""Tables of 2^20 numbers: tens of megabytes and seconds."""


def solve(
    ising: Ising,
    *,
    seconds: float,
    seed: int | None = None,  # noqa: ARG001 - every rival is called alike; nothing is drawn here
    max_width: int = WIDEST,
    clock: Clock = time.perf_counter,
) -> Solution:
    """The optimum, proven.

    Args:
        ising: Of any order; above 2 it is reduced exactly first.
        seconds: Checked and recorded; the solver cannot be interrupted, its limit is the width.
        seed: Ignored.
        max_width: Largest width that is tried, in [1, 25].
        clock: For tests.

    Raises:
        Declined: If the graph is wider than `max_width`, or the order cannot be reduced.
        PlanError: For a bad cap or limit.
    """
    from dwave.samplers import TreeDecompositionSolver

    if not 1 <= max_width <= 25:
        raise PlanError(NAME, f"is given the largest width {max_width}", "Give 1 to 25")
    trail = Trail(ising, seconds, clock)
    model = quadratic(ising)
    width, order = _elimination(model, max_width)
    answer = TreeDecompositionSolver().sample(model.model, elimination_order=order)
    trail.offer(model.bits(answer))
    settings = {"width": width, "max_width": max_width, "auxiliaries": model.n_auxiliaries}
    return trail.solution(NAME, settings=settings, budget="proof", bound=trail.best)


def _elimination(model: Quadratic, max_width: int) -> tuple[int, list[Hashable]]:
    """Min-fill width and order; a dense core refuses at once, before the quartic search for an order."""
    from dwave.samplers.tree.utilities import min_fill_heuristic

    core = _degeneracy(model)
    if core > max_width:
        raise _too_wide(f"at least {core}", max_width)
    width, order = min_fill_heuristic(model.model)
    if width > max_width:
        raise _too_wide(str(width), max_width)
    return int(width), list(order)


def _degeneracy(model: Quadratic) -> int:
    """Largest smallest degree while vertices of smallest degree are taken away: no treewidth is below it."""
    neighbours = {v: set(model.model.adj[v]) for v in model.model.variables}
    largest = 0
    while neighbours:
        vertex = min(neighbours, key=lambda v: len(neighbours[v]))
        largest = max(largest, len(neighbours[vertex]))
        for other in neighbours.pop(vertex):
            neighbours[other].discard(vertex)
    return largest


def _too_wide(width: str, max_width: int) -> Declined:
    return Declined(
        "interaction graph",
        f"has a tree decomposition of width {width} only, and the limit is {max_width}",
        "Raise max_width (up to 25, at 2^width numbers) or rely on the other solvers",
    )
