"""From the instance that is asked to the one a machine has room for, and back: exactly, or exactly and then frozen.

`reduction` is exact and refuses what it cannot bring down; `freezing` always fits and is a heuristic. They may stand on
top of each other, so whoever holds rows of the narrow problem gets rows of the instance from here alone.
"""

from quantum_assets.contracts.optimization import Narrowing
from quantum_assets.contracts.problem import Bits, Problem
from quantum_assets.problems.elimination import eliminate
from quantum_assets.problems.freezing import FrozenProblem, freeze
from quantum_assets.problems.narrowed import Narrowed
from quantum_assets.problems.reduction import ROOM, reduce


def narrow(problem: Problem, most: int, how: Narrowing = "exact", room: str = ROOM) -> Problem:
    """The problem over at most `most` of its variables; itself where it already fits.

    Args:
        problem: The instance.
        most: Variables that there is room for, at least 1.
        how: `exact`: by elimination alone. `freeze`: eliminated as far as that goes, and the rest frozen at the greedy
            row; an instance with a fixed number of ones, or with terms of three variables or more, is frozen at once,
            for elimination loses the one and does not take the other.
        room: What sets `most`, as `reduce` takes it.

    Raises:
        PlanError: As `reduce` does; with `freeze` only where no feasible row can be shown or `most` is too small.
    """
    if how == "exact" or len(problem.variables) <= most or most < 1:
        return reduce(problem, most, room)
    encoding = problem.encode()
    if encoding.cardinality is not None or encoding.ising.order > 2:
        return freeze(problem, most)
    return freeze(reduce(problem, len(eliminate(encoding.ising, most).kept)), most)


def widened(kernel: Problem, bits: Bits) -> Bits:
    """Rows of the instance that was asked, from rows of what `narrow` made of it; shape `(n_rows, n_variables)`."""
    while isinstance(kernel, Narrowed):
        bits = kernel.expand(bits)
        kernel = kernel.original
    return bits


def narrowed_how(kernel: Problem) -> str:
    """How the narrow problem came about, for people: ``12 of 30 variables: 12 eliminated exactly, 6 frozen ...``."""
    width, parts = len(kernel.variables), []
    while isinstance(kernel, Narrowed):
        gone = len(kernel.original.variables) - len(kernel.variables)
        how = "frozen at the greedy row, a heuristic" if isinstance(kernel, FrozenProblem) else "eliminated exactly"
        parts.append(f"{gone} {how}")
        kernel = kernel.original
    if not parts:
        return f"all {width} variables"
    return f"{width} of {len(kernel.variables)} variables: {', '.join(reversed(parts))}"
