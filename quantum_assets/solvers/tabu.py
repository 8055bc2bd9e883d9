"""Multistart tabu search: dwave-samplers' (after Palubeckis 2004) for quadratic polynomials, our own for higher orders.

Deterministic for a seed as long as the seconds do not cut: the budget is reads, restarts and moves.
"""

import time

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising, Solution
from quantum_assets.solvers.flips import search
from quantum_assets.solvers.quadratic import quadratic
from quantum_assets.solvers.trail import Clock, Trail, streams

NAME = "tabu"


def solve(
    ising: Ising,
    *,
    seconds: float,
    seed: int,
    reads: int = 16,
    restarts: int = 4,
    moves: int = 20_000,
    moves_per_variable: int = 1000,
    clock: Clock = time.perf_counter,
) -> Solution:
    """Search from random rows.

    Args:
        ising: Of any order. Above 2 nothing is reduced: auxiliaries would hide good neighbours.
        seconds: Cap.
        seed: In [0, 2³²).
        reads: Independent starts, at least 1.
        restarts: Restarts of the search within a read, at least 0; for higher orders the search goes on instead.
        moves: Variables that each search considers, at least 1; a flip considers every variable.
        moves_per_variable: Raises `moves` for large instances: the larger of it and this times the variables counts.
        clock: For tests.

    Raises:
        PlanError: For a budget below 1, or a bad seed or cap.
    """
    if reads < 1 or restarts < 0 or moves < 1 or moves_per_variable < 1:
        raise PlanError(NAME, f"is given {reads} reads, {restarts} restarts, {moves} moves", "Give at least 1, 0 and 1")
    trail = Trail(ising, seconds, clock)
    considered = max(moves, moves_per_variable * ising.n_variables)
    if ising.order <= 2:
        done = _dwave(ising, trail, seed=seed, reads=reads, restarts=restarts, moves=considered)
    else:
        done = _own(ising, trail, seed=seed, reads=reads, flips=-(-considered * (restarts + 1) // ising.n_variables))
    settings = {"reads": reads, "restarts": restarts, "moves": considered}
    return trail.solution(NAME, settings=settings, seed=seed, reads=done)


def _dwave(ising: Ising, trail: Trail, *, seed: int, reads: int, restarts: int, moves: int) -> int:
    """One read at a time; gives the reads made. The timeout changes nothing unless it bites."""
    from dwave.samplers import TabuSampler

    model = quadratic(ising)
    sampler = TabuSampler()
    for done, part in enumerate(streams(seed, reads), start=1):
        answer = sampler.sample(
            model.model,
            num_reads=1,
            seed=part,
            num_restarts=restarts,
            timeout=max(1, int(1000 * trail.left)),
            coefficient_z_first=1,
            coefficient_z_restart=1,
            lower_bound_z=moves,
        )
        trail.offer(model.bits(answer))
        if trail.spent():
            return done
    return reads


def _own(ising: Ising, trail: Trail, *, seed: int, reads: int, flips: int) -> int:
    """All reads side by side."""
    (part,) = streams(seed, 1)
    rng = np.random.default_rng(part)
    starts = rng.integers(0, 2, (reads, ising.n_variables), dtype=np.uint8)
    trail.offer(starts)
    tenure = min(20, ising.n_variables // 4)  # as dwave-samplers chooses it
    trail.offer(search(ising, starts, flips=flips, tenure=tenure, seed=part, stop=trail.spent))
    return reads
