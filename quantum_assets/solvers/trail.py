"""What a solver leaves behind: its best row so far, when each better one came, and whether the clock cut it short."""

import math
import time
from collections.abc import Callable, Mapping

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Incumbent, Ising, Solution

Clock = Callable[[], float]

SEEDS = 1 << 32


class Trail:
    """Collects the rows that a solver finds; every energy is recomputed from the polynomial, never believed.

    Args:
        ising: What is minimised.
        seconds: The cap in wall seconds from now.
        clock: Seconds from any origin; for tests.

    Raises:
        PlanError: For a cap that is not a positive finite number.
    """

    def __init__(self, ising: Ising, seconds: float, clock: Clock = time.perf_counter) -> None:
        if not (math.isfinite(seconds) and seconds > 0):
            raise PlanError("solver's cap", f"is {seconds} seconds", "Give a positive number of seconds")
        self._ising = ising
        self._seconds = float(seconds)
        self._clock = clock
        self._began = clock()
        self._bits: Bits | None = None
        self._incumbents: list[Incumbent] = []
        self._cut = False

    @property
    def elapsed(self) -> float:
        """Wall seconds since the solver began."""
        return self._clock() - self._began

    @property
    def left(self) -> float:
        """Wall seconds until the cap, at least 0."""
        return max(0.0, self._seconds - self.elapsed)

    @property
    def best(self) -> float:
        """Energy of the best row so far; infinity before the first."""
        return self._incumbents[-1].energy if self._incumbents else math.inf

    def spent(self) -> bool:
        """Whether the cap is reached; never before the first row, because every solver answers with one.

        A True is remembered: the run was cut, and another machine may get further.
        """
        if self._bits is not None and self.elapsed >= self._seconds:
            self._cut = True
        return self._cut

    def mark_cut(self) -> None:
        """A foreign solver says that it ran out of time."""
        self._cut = True

    def offer(self, bits: Bits) -> None:
        """Keep the best of these rows if it is better than all before; of equals the first.

        Args:
            bits: Shape `(m, n_variables)` with m at least 1, or one row.
        """
        rows = np.atleast_2d(bits).astype(np.uint8)
        energies = self._ising.energies(rows)
        place = int(np.argmin(energies))
        if energies[place] < self.best:
            self._bits = rows[place].copy()
            self._incumbents.append(Incumbent(self.elapsed, float(energies[place])))

    def solution(
        self,
        solver: str,
        *,
        settings: Mapping[str, str | float | int],
        budget: str = "reads",
        bound: float | None = None,
        seed: int | None = None,
        reads: int = 1,
    ) -> Solution:
        """Everything as a value.

        Args:
            solver: Its name.
            settings: What it ran with; the cap, and what ended the run, are added as `seconds` and `stopped_by`.
            budget: What ended the run if the clock did not: `reads`, `nodes`, `proof`, …; then it is reproducible.
            bound: Proven lower bound; cut down to the energy, which it cannot exceed but by rounding.
            seed: Of its generator.
            reads: Restarts that it made.

        Raises:
            PlanError: If the solver offered nothing.
        """
        if self._bits is None:
            raise PlanError(f"solver {solver}", "found no row at all", "Give it more seconds")
        return Solution(
            solver=solver,
            bits=self._bits,
            energy=self.best,
            seconds=self.elapsed,
            incumbents=tuple(self._incumbents),
            bound=None if bound is None else min(bound, self.best),
            seed=seed,
            settings={**settings, "seconds": self._seconds, "stopped_by": "seconds" if self._cut else budget},
            reads=reads,
            tolerance=self._ising.tolerance,
        )


def streams(seed: int, n_streams: int) -> list[int]:
    """Seeds of independent parts of one run, below 2³²: a part draws the same whatever was cut after it.

    Raises:
        PlanError: For a seed outside [0, 2³²) or fewer than one part.
    """
    if not 0 <= seed < SEEDS or n_streams < 1:
        raise PlanError("solver's seed", f"is {seed} for {n_streams} reads", "Give 0 <= seed < 2**32, at least 1 read")
    return [int(word) for word in np.random.SeedSequence(seed).generate_state(n_streams)]
