"""Steepest descent: from rows that are handed in, for example the problem's own greedy one, then from random ones.

The weakest rival that is worth having, and the floor under every other. Deterministic for a seed unless cut.
"""

import time

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Ising, Solution
from quantum_assets.solvers.flips import descend
from quantum_assets.solvers.trail import Clock, Trail, streams

NAME = "greedy"
_CHUNK = 64


def solve(
    ising: Ising,
    *,
    seconds: float,
    seed: int,
    reads: int = 256,
    starts: Bits | None = None,
    clock: Clock = time.perf_counter,
) -> Solution:
    """Descend from every start.

    Args:
        ising: Of any order.
        seconds: Cap; looked at between chunks of rows.
        seed: In [0, 2³²).
        reads: Random starts besides those handed in, at least 0; 0 needs `starts`.
        starts: Rows to begin with, shape `(m, n_variables)`; offered as they are too.
        clock: For tests.

    Raises:
        PlanError: For no start at all, or a bad seed or cap.
    """
    given = 0 if starts is None else len(np.atleast_2d(starts))
    if reads < 0 or reads + given < 1:
        raise PlanError(NAME, f"has {reads} random and {given} given rows to start from", "Give at least one")
    trail = Trail(ising, seconds, clock)
    if starts is not None and given:
        trail.offer(starts)
        trail.offer(descend(ising, starts))
    done = 0
    for part in streams(seed, -(-reads // _CHUNK)) if reads else ():
        if trail.spent():
            break
        rng = np.random.default_rng(part)
        rows = rng.integers(0, 2, (min(_CHUNK, reads - done), ising.n_variables), dtype=np.uint8)
        trail.offer(descend(ising, rows))
        done += len(rows)
    return trail.solution(NAME, settings={"reads": reads, "given": given}, seed=seed, reads=done + given)
