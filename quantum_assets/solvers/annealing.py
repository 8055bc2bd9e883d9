"""Simulated annealing: dwave-samplers' annealer for quadratic polynomials, our own for higher orders.

Deterministic for a seed as long as the seconds do not cut: the budget is reads and sweeps, the seconds are a cap. A
chunk of reads has its own seed, so that a run with more reads begins with the rows of one with fewer.
"""

import time

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Ising, Solution
from quantum_assets.solvers.flips import anneal
from quantum_assets.solvers.quadratic import Quadratic, quadratic
from quantum_assets.solvers.trail import Clock, Trail, streams

NAME = "simulated_annealing"
_CHUNK = {"dwave-samplers": 16, "any order": 64}  # reads between two looks at the clock


def solve(
    ising: Ising,
    *,
    seconds: float,
    seed: int,
    reads: int = 128,
    sweeps: int = 1000,
    clock: Clock = time.perf_counter,
) -> Solution:
    """Anneal from random rows.

    Args:
        ising: Of any order.
        seconds: Cap; at least one read is finished (one sweep, for higher orders).
        seed: In [0, 2³²).
        reads: Independent starts, at least 1.
        sweeps: Sweeps over all spins of each read, at least 1.
        clock: For tests.

    Raises:
        PlanError: For a budget below 1, or a bad seed or cap.
    """
    if reads < 1 or sweeps < 1:
        raise PlanError(NAME, f"is given {reads} reads of {sweeps} sweeps", "Give at least one of each")
    trail = Trail(ising, seconds, clock)
    model = quadratic(ising) if ising.order <= 2 else None
    engine = "dwave-samplers" if model else "any order"
    done = 0
    for part in streams(seed, -(-reads // _CHUNK[engine])):
        wanted = min(_CHUNK[engine], reads - done)
        rows = _dwave(model, wanted, sweeps, part, trail) if model else _own(ising, wanted, sweeps, part, trail)
        trail.offer(rows)
        done += len(rows)
        if done >= reads or trail.spent():
            break
    settings: dict[str, str | float | int] = {"reads": reads, "sweeps": sweeps, "engine": engine}
    return trail.solution(NAME, settings=settings, seed=seed, reads=done)


def _dwave(model: Quadratic, reads: int, sweeps: int, seed: int, trail: Trail) -> Bits:
    """One chunk; the sampler asks between reads whether to stop."""
    from dwave.samplers import SimulatedAnnealingSampler

    answer = SimulatedAnnealingSampler().sample(
        model.model,
        num_reads=reads,
        num_sweeps=sweeps,
        seed=seed % 2**31,
        interrupt_function=lambda: trail.left <= 0,
    )
    if len(answer) < reads:
        trail.mark_cut()
    return model.bits(answer)


def _own(ising: Ising, reads: int, sweeps: int, seed: int, trail: Trail) -> Bits:
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, 2, (reads, ising.n_variables), dtype=np.uint8)
    trail.offer(starts)
    return anneal(ising, starts, sweeps=sweeps, seed=seed, stop=trail.spent)
