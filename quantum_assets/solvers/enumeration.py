"""Every row, none left out: exact and proven for at most 24 variables, any order.

A row's index is cut into its high and low bits. A term is a product of a part in the low and a part in the high
variables, so the energies of one block are `C @ B`: B holds the low parts that occur, as ±1 for every low index, and C
their coefficients for every high index. That is one matrix product instead of a pass over all terms for every row.
"""

import time
from collections.abc import Iterator

import numpy as np

from quantum_assets.contracts.problem import Ising, Solution, unpack
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.solvers.declined import Declined
from quantum_assets.solvers.trail import Clock, Trail

NAME = "enumeration"
MOST = 24
_LOW = 12
_HIGH = 6  # bits of the rows of one block: 2^18 energies, 2 MB


def solve(
    ising: Ising,
    *,
    seconds: float,
    seed: int | None = None,  # noqa: ARG001 - every rival is called alike; nothing is drawn here
    max_variables: int = MOST,
    clock: Clock = time.perf_counter,
) -> Solution:
    """The optimum, proven unless the seconds cut; of equal rows the one with the lowest index.

    Args:
        ising: Of any order.
        seconds: Cap; looked at between blocks of 2^18 rows. A cut run has no bound.
        seed: Ignored.
        max_variables: Limit, at most 24.
        clock: For tests.

    Raises:
        Declined: For more variables.
        PlanError: For a bad cap.
    """
    limit = min(max_variables, MOST)
    if ising.n_variables > limit:
        raise Declined(
            f"instance of {ising.n_variables} variables", f"has more than {limit}", "Use another exact solver"
        )
    trail = Trail(ising, seconds, clock)
    seen = 0
    for first, energies in _blocks(ising):
        seen += energies.size
        if energies.min() < trail.best:
            trail.offer(unpack([first + int(np.argmin(energies))], ising.n_variables))
        if seen < 2**ising.n_variables and trail.spent():
            break
    whole = seen == 2**ising.n_variables
    bound = trail.best if whole else None
    return trail.solution(NAME, settings={"rows": seen}, budget="proof", bound=bound, reads=seen)


def _blocks(ising: Ising) -> Iterator[tuple[int, FloatArray]]:
    """Index of the first row, and energies of all rows from there on in order of their indices."""
    low = min(_LOW, ising.n_variables)
    parts: dict[tuple[int, ...], list[tuple[tuple[int, ...], float]]] = {(): [((), float(ising.offset))]}
    for term, weight in zip(ising.terms, ising.coefficients.tolist(), strict=True):
        below = tuple(i for i in term if i < low)
        parts.setdefault(below, []).append((tuple(i - low for i in term if i >= low), weight))
    below_signs = _signs(np.arange(2**low), low)
    table = np.array([below_signs[:, list(part)].prod(axis=1) for part in parts])
    high = ising.n_variables - low
    step = 2 ** min(_HIGH, high)
    for start in range(0, 2**high, step):
        signs = _signs(np.arange(start, start + step), max(high, 1))
        weights = np.stack(
            [sum(w * signs[:, list(above)].prod(axis=1) for above, w in found) for found in parts.values()], axis=1
        )
        yield start << low, (weights @ table).ravel()


def _signs(index: "np.ndarray[tuple[int], np.dtype[np.int64]]", width: int) -> FloatArray:
    return 1.0 - 2.0 * unpack(index, width).astype(float)
