"""The training loop: a SciPy optimiser on any objective, under a budget, never worse than its start, and resumable.

Optimisers have no state that could be stored half-way. They are deterministic, though: a continued run starts the
optimiser again from the same angles and answers its first questions from the record instead of computing them, until
the record ends. The result is the one of an unbroken run, and a record that belongs to another question is found out
by its first angles that differ.

A run is over when the optimiser converged or the budget of evaluations is used up. It is halted, and may go on another
day, where the objective cannot be asked now or a limit that is no part of the question is reached.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field
from threadpoolctl import threadpool_limits

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.profile import Frozen
from quantum_assets.contracts.qaoa import AngleTable, Objective, TrainingBudget
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.qaoa.engine import Engine, tail_mean
from quantum_assets.qaoa.sampling import draw


class BestSample(Frozen):
    """The lowest sample seen in a whole run: its bits, one a variable, and its energy, offset included."""

    bits: tuple[int, ...]
    energy: float


@dataclass(frozen=True)
class Reading:
    """An answer of an objective.

    Attributes:
        value: To be minimised.
        sample: The best one, where samples were taken.
        shots: How many were taken; 0 where the value is exact.
        cost: What it cost, in the currency of whoever was asked.
    """

    value: float
    sample: BestSample | None = None
    shots: int = 0
    cost: float = 0.0


#: An objective: number of the evaluation (0, 1, …) and house angles in one row, to a reading. Samplers derive their
#: seed from the number, so that a continued run draws what an unbroken one would have drawn.
Evaluate = Callable[[int, FloatArray], Reading]


class Evaluation(Frozen):
    """One line of the history."""

    value: float
    angles: tuple[float, ...]
    best: float = Field(description="Lowest value so far, this one included.")
    shots: int = Field(0, ge=0, description="Samples behind the value; 0: exact.")
    cost: float = Field(0.0, description="What the value cost, in the currency of whoever was asked.")


#: Looks at the history before a new evaluation; a sentence halts the run and is its ending.
Guard = Callable[[Sequence[Evaluation]], str]


class TrainingState(Frozen):
    """Everything about a run so far; JSON and back loses nothing.

    A run with an `ending` is over, or was halted. `question` is the hash of start, budget and the caller's label of the
    objective.
    """

    question: str
    start: AngleTable
    budget: TrainingBudget
    history: tuple[Evaluation, ...] = ()
    sample: BestSample | None = None
    ending: str = ""

    @property
    def best(self) -> int:
        """Number of the evaluation with the lowest value; the earliest of them, so that a tie keeps the start."""
        return int(np.argmin([line.value for line in self.history]))

    @property
    def gain(self) -> float:
        """By how much the best value is below the start's; never negative."""
        return self.history[0].value - self.history[self.best].value

    @property
    def angles(self) -> AngleTable:
        """The best angles; the start itself where nothing was better."""
        if not self.history or self.best == 0:
            return self.start
        optimiser = self.budget.optimiser
        source = f"Trained with {optimiser}, evaluation {self.best} of {len(self.history)}, from: {self.start.source}"
        return AngleTable.of(np.array(self.history[self.best].angles), source, self.start.house().flip_scale)


class Halted(Exception):
    """An objective raises it where it cannot be asked any more now; says why."""


class _Over(Exception):
    """Ends the optimiser from inside its objective; says why."""


def begin(start: AngleTable, budget: TrainingBudget, label: str) -> TrainingState:
    """A run that has not evaluated anything yet.

    Args:
        start: Where the optimiser begins.
        budget: How long.
        label: What is minimised, for example fingerprints of the polynomial, ansatz and objective; a state that is
            continued under another label is refused.
    """
    question = fingerprint("training/v1", start.house(), budget, label)
    return TrainingState(question=question, start=start, budget=budget)


def train(
    state: TrainingState,
    evaluate: Evaluate,
    label: str,
    checkpoint: Callable[[TrainingState], None] | None = None,
    every: int = 25,
    guard: Guard | None = None,
) -> TrainingState:
    """Run to the end from wherever the state stands; a finished state is returned as it is.

    A run that is halted keeps what it has: the state that is returned says why, and the one that is checkpointed has no
    ending, so that it goes on when it is begun again.

    Args:
        state: From `begin`, or one that a checkpoint stored.
        evaluate: The objective; called once for each evaluation that the state does not hold already.
        label: As given to `begin`.
        checkpoint: Called with the state after every `every` new evaluations, and at the end.
        every: Number of evaluations between checkpoints.
        guard: Limits that are no part of the question, for example a purse; asked before each new evaluation.

    Returns:
        The run as it ended. Its best value is at most the start's; a run that was halted at once has no history.

    Raises:
        PlanError: For a state of another question, or an objective that is not a number at the start.
    """
    if fingerprint("training/v1", state.start.house(), state.budget, label) != state.question:
        raise PlanError(
            "training state", "belongs to another start, budget or objective", "Begin a new run, or restore its own"
        )
    if state.ending:
        return state
    run, kept = _Run(state, evaluate, checkpoint, every, guard), ""
    with threadpool_limits(1):  # small products are slower on more threads, and the same bits come out everywhere
        try:
            ending = kept = _minimise(run, state.start.vector, state.budget)
        except _Over as over:
            ending = kept = str(over)
        except Halted as halted:
            ending = str(halted)
    if checkpoint is not None:
        checkpoint(run.state().model_copy(update={"ending": kept}))
    return run.state().model_copy(update={"ending": ending})


class _Run:
    """Answers the optimiser: from the record while it lasts, then from the objective; keeps history and budget."""

    def __init__(
        self,
        state: TrainingState,
        evaluate: Evaluate,
        checkpoint: Callable[[TrainingState], None] | None,
        every: int,
        guard: Guard | None,
    ) -> None:
        self._first, self._evaluate, self._checkpoint, self._every = state, evaluate, checkpoint, every
        self._guard = guard
        self._history = list(state.history)
        self._sample = state.sample
        self._asked = 0
        self._improved = 0  # evaluation that last improved the best value by more than the tolerance
        self._standing = np.inf

    def __call__(self, angles: FloatArray) -> float:
        self._stop_if_over()
        if self._asked == len(self._history):
            self._ask(np.array(angles, dtype=np.float64))
        line = self._history[self._asked]
        if line.angles != tuple(angles.tolist()):
            raise PlanError(
                f"training state: evaluation {self._asked}",
                "was made at other angles than the optimiser asks for now; another SciPy stored it",
                "Begin a new run from the best angles of the stored one",
            )
        if line.value < self._standing - self._first.budget.tolerance * max(1.0, abs(line.value)):
            self._standing, self._improved = line.value, self._asked
        self._asked += 1
        return line.value

    def state(self) -> TrainingState:
        return self._first.model_copy(update={"history": tuple(self._history), "sample": self._sample})

    def _ask(self, angles: FloatArray) -> None:
        against = self._guard(self._history) if self._guard is not None else ""
        if against:
            raise Halted(against)
        reading = self._evaluate(self._asked, angles)
        if not np.isfinite(reading.value):
            raise PlanError(
                f"evaluation {self._asked}", f"gave {reading.value}", "Look at the objective; energies are finite"
            )
        best = min([reading.value, *(line.best for line in self._history[-1:])])
        line = Evaluation(
            value=reading.value, angles=tuple(angles.tolist()), best=best, shots=reading.shots, cost=reading.cost
        )
        self._history.append(line)
        if reading.sample is not None and (self._sample is None or reading.sample.energy < self._sample.energy):
            self._sample = reading.sample
        if self._checkpoint is not None and len(self._history) % self._every == 0:
            self._checkpoint(self.state())

    def _stop_if_over(self) -> None:
        budget = self._first.budget
        if self._asked >= budget.evaluations:
            raise _Over(f"The budget of {budget.evaluations} evaluations is used up.")
        if budget.patience is not None and self._asked - self._improved > budget.patience:
            raise _Over(f"No improvement in {budget.patience} evaluations.")


def _minimise(run: _Run, start: FloatArray, budget: TrainingBudget) -> str:
    from scipy.optimize import minimize

    method, options = _settings(start, budget)
    found = minimize(run, start, method=method, options=options)
    return f"The optimiser converged: {found.message}"


def _settings(start: FloatArray, budget: TrainingBudget) -> tuple[str, dict[str, Any]]:
    """SciPy's name and options; limits of its own are set beyond the budget, which `_Run` keeps."""
    most = budget.evaluations + 1
    if budget.optimiser == "cobyla":
        return "COBYLA", {"rhobeg": budget.step, "tol": 1e-8, "maxiter": max(most, len(start) + 2)}
    if budget.optimiser == "nelder_mead":
        corners = np.vstack([start, start + budget.step * np.eye(len(start))])
        return "Nelder-Mead", {"initial_simplex": corners, "xatol": 1e-8, "fatol": 1e-10, "maxfev": most}
    if budget.optimiser == "powell":
        return "Powell", {"xtol": 1e-8, "ftol": 1e-12, "maxfev": most}
    return "BFGS", {"gtol": 1e-8, "maxiter": most}


def exact_objective(engine: Engine, objective: Objective) -> Evaluate:
    """Mean or CVaR of the exact distribution."""
    return lambda _, angles: Reading(engine.value(angles, objective))


def sampled_objective(engine: Engine, objective: Objective, shots: int, seed: int) -> Evaluate:
    """Mean or CVaR of `shots` samples of the exact distribution; evaluation k draws from the stream (seed, k)."""

    def evaluate(number: int, angles: FloatArray) -> Reading:
        draws = draw(engine.diagonal, engine.probabilities(angles), shots, (seed, number))
        best = draws.best
        sample = BestSample(bits=tuple(draws.bits[best].tolist()), energy=float(draws.energies[best]))
        return Reading(sample_value(draws.energies, objective), sample)

    return evaluate


def sample_value(energies: FloatArray, objective: Objective) -> float:
    """Mean, or mean of the lowest `alpha` part, of sampled energies."""
    return counted_value(energies, np.ones(len(energies), dtype=np.int64), objective)


def counted_value(energies: FloatArray, counts: IntArray, objective: Objective) -> float:
    """The same where equal samples stand together: energy of each distinct one and how often it came."""
    if objective.kind == "mean":
        return float(energies @ counts / counts.sum())
    order = np.argsort(energies, kind="stable")
    return tail_mean(energies[order], counts[order] / counts.sum(), objective.alpha)


def confirmed(state: TrainingState, judge: Evaluate) -> AngleTable:
    """The best angles if another objective finds them better than the start too, and the start otherwise.

    Under sampling the lowest of many noisy values flatters itself; the exact engine, or fresh samples, decide.
    """
    best = state.angles
    if state.best == 0:
        return best
    first, last = len(state.history), len(state.history) + 1  # numbers, and so seeds, that training did not use
    better = judge(last, best.vector).value < judge(first, state.start.vector).value
    return best if better else state.start
