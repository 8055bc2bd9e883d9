"""Classical rivals on an Ising polynomial: what a quantum sampler has to beat, and what proves how far it got.

Every rival is `solve(ising, *, seconds, seed, ...) -> Solution`. The budget is counted in reads, sweeps, moves or
nodes, so that a result can be had again; the seconds are a cap, and `settings["stopped_by"]` says when it bit.
Imports contracts only. The dict registry is `race.RIVALS`, the entry point `race.race`.
"""

from quantum_assets.solvers.declined import Declined
from quantum_assets.solvers.race import RIVALS, Race, Solver, race

__all__ = ["RIVALS", "Declined", "Race", "Solver", "race"]
