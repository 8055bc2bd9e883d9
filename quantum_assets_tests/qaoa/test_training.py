"""Training never ends worse than it began, keeps its budget, and survives being cut anywhere."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.qaoa import AngleTable, AnsatzSpec, Objective, TrainingBudget
from quantum_assets.qaoa.engine import prepare
from quantum_assets.qaoa.training import (
    BestSample,
    Evaluation,
    Halted,
    Reading,
    TrainingState,
    begin,
    confirmed,
    counted_value,
    exact_objective,
    sample_value,
    sampled_objective,
    train,
)
from quantum_assets_tests.qaoa.polynomials import labs

ENGINE = prepare(labs(7), AnsatzSpec(layers=2))
START = AngleTable.of(np.array([0.02, 0.05, -0.2, -0.1]), "A poor start of a test.")
MEAN = exact_objective(ENGINE, Objective())
OPTIMISERS = ("cobyla", "nelder_mead", "powell", "bfgs")


class Killed(Exception):
    """What a process looks like from inside when it dies."""


class Mortal:
    """An objective that answers so often and then dies; counts its answers."""

    def __init__(self, inner: object, lives: int) -> None:
        self.inner, self.lives, self.asked = inner, lives, 0

    def __call__(self, number: int, angles: np.ndarray) -> Reading:
        if self.asked == self.lives:
            raise Killed
        self.asked += 1
        return self.inner(number, angles)  # type: ignore[operator]


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_training_beats_its_start_within_its_budget(optimiser: str) -> None:
    budget = TrainingBudget(optimiser=optimiser, evaluations=80)
    counted = Mortal(MEAN, 10**6)
    state = train(begin(START, budget, "labs"), counted, "labs")
    assert counted.asked == len(state.history) <= 80
    assert state.history[0].angles == tuple(START.vector.tolist())
    assert state.gain > 0.5
    assert ENGINE.mean(state.angles.vector) == state.history[state.best].value
    bests = [line.best for line in state.history]
    assert bests == np.minimum.accumulate([line.value for line in state.history]).tolist()
    assert state.ending
    assert optimiser in state.angles.source
    assert START.source in state.angles.source


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("lives", [0, 1, 7, 40])
def test_a_killed_run_continues_to_the_result_of_an_unbroken_one(optimiser: str, lives: int, tmp_path: Path) -> None:
    budget = TrainingBudget(optimiser=optimiser, evaluations=60, shots=64, seed=5)
    objective = sampled_objective(ENGINE, Objective(kind="cvar", alpha=0.5), 64, budget.seed)
    unbroken = train(begin(START, budget, "labs"), objective, "labs")
    store = tmp_path / "state.json"

    def save(state: TrainingState) -> None:
        store.write_text(state.model_dump_json(), encoding="utf-8")

    save(begin(START, budget, "labs"))
    with pytest.raises(Killed):
        train(begin(START, budget, "labs"), Mortal(objective, min(lives, len(unbroken.history) - 1)), "labs", save, 3)
    left = TrainingState.model_validate_json(store.read_text(encoding="utf-8"))
    assert not left.ending
    survivor = Mortal(objective, 10**6)
    continued = train(left, survivor, "labs", save, 3)
    assert continued == unbroken
    assert survivor.asked == len(unbroken.history) - len(left.history)
    assert TrainingState.model_validate_json(store.read_text(encoding="utf-8")) == unbroken


def test_a_finished_run_is_not_run_again() -> None:
    budget = TrainingBudget(evaluations=20)
    state = train(begin(START, budget, "labs"), MEAN, "labs")
    assert train(state, Mortal(MEAN, 0), "labs") is state


def test_nothing_better_keeps_the_start_itself() -> None:
    worse = train(begin(START, TrainingBudget(evaluations=15), "a"), lambda number, _: Reading(float(number > 0)), "a")
    assert worse.angles is worse.start
    assert worse.gain == 0


def test_patience_ends_a_run_that_stands_still() -> None:
    budget = TrainingBudget(optimiser="nelder_mead", evaluations=500, patience=10, tolerance=0.01)
    state = train(begin(START, budget, "flat"), lambda *_: Reading(1.0), "flat")
    assert len(state.history) == 11
    assert "No improvement in 10 evaluations" in state.ending
    creeping = train(begin(START, budget, "slow"), lambda number, _: Reading(1.0 - 1e-5 * number), "slow")
    assert len(creeping.history) == 11


def test_a_budget_of_one_is_the_start_alone() -> None:
    for optimiser in OPTIMISERS:
        budget = TrainingBudget(optimiser=optimiser, evaluations=1)
        state = train(begin(START, budget, "labs"), MEAN, "labs")
        assert [line.angles for line in state.history] == [tuple(START.vector.tolist())]
        assert "budget of 1 " in state.ending


def test_the_best_sample_of_all_evaluations_is_kept() -> None:
    budget = TrainingBudget(evaluations=30, shots=16)
    seen: list[float] = []
    inner = sampled_objective(ENGINE, Objective(), 16, 0)

    def watched(number: int, angles: np.ndarray) -> Reading:
        reading = inner(number, angles)
        assert reading.sample is not None
        seen.append(reading.sample.energy)
        return reading

    state = train(begin(START, budget, "labs"), watched, "labs")
    assert state.sample is not None
    assert state.sample.energy == min(seen)
    assert labs(7).energies(np.array(state.sample.bits, dtype=np.uint8))[0] == state.sample.energy


def test_exact_training_of_fixed_starts_reaches_a_stationary_point() -> None:
    budget = TrainingBudget(optimiser="bfgs", evaluations=2000)
    state = train(begin(START, budget, "labs"), MEAN, "labs")
    best = state.angles.vector
    for place in range(4):
        nudge = 1e-4 * np.eye(4)[place]
        slope = (ENGINE.mean(best + nudge) - ENGINE.mean(best - nudge)) / 2e-4
        assert abs(slope) < 2e-3


def test_a_flattering_sample_does_not_replace_a_better_start() -> None:
    good = train(begin(START, TrainingBudget(optimiser="bfgs", evaluations=400), "labs"), MEAN, "labs").angles
    lucky = train(
        begin(good, TrainingBudget(evaluations=40), "noise"),
        lambda number, _: Reading(float(np.random.default_rng(number).normal())),
        "noise",
    )
    assert lucky.best > 0
    assert confirmed(lucky, MEAN) is lucky.start
    honest = train(begin(START, TrainingBudget(evaluations=40), "labs"), MEAN, "labs")
    assert confirmed(honest, MEAN) == honest.angles


def test_a_state_of_another_question_is_refused() -> None:
    budget = TrainingBudget(evaluations=10)
    state = begin(START, budget, "labs")
    with pytest.raises(PlanError, match="another start, budget or objective"):
        train(state, MEAN, "portfolio")
    other = state.model_copy(update={"budget": TrainingBudget(evaluations=11)})
    with pytest.raises(PlanError, match="another start, budget or objective"):
        train(other, MEAN, "labs")


def test_a_record_of_other_angles_is_found_out() -> None:
    budget = TrainingBudget(evaluations=10)
    state = train(begin(START, budget, "labs"), MEAN, "labs")
    lines = list(state.history[:5])
    lines[3] = lines[3].model_copy(update={"angles": (9.0, 9.0, 9.0, 9.0)})
    forged = state.model_copy(update={"history": tuple(lines), "ending": ""})
    with pytest.raises(PlanError, match="evaluation 3"):
        train(forged, MEAN, "labs")


def test_an_objective_that_gives_no_number_is_refused() -> None:
    with pytest.raises(PlanError, match="evaluation 0: gave nan"):
        train(begin(START, TrainingBudget(), "nan"), lambda *_: Reading(float("nan")), "nan")


def test_sampled_values_agree_with_the_exact_ones_within_their_error() -> None:
    for objective in (Objective(), Objective(kind="cvar", alpha=0.3)):
        reading = sampled_objective(ENGINE, objective, 200_000, 1)(0, START.vector)
        assert reading.value == pytest.approx(ENGINE.value(START.vector, objective), abs=0.3)
    assert sample_value(np.array([3.0, 1.0, 2.0, 4.0]), Objective(kind="cvar", alpha=0.5)) == pytest.approx(1.5)


def test_a_best_sample_is_a_plain_value() -> None:
    sample = BestSample(bits=(0, 1, 1), energy=-2.5)
    assert BestSample.model_validate_json(sample.model_dump_json()) == sample


class Priced:
    """An objective of a price, which can be out of order for a while."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.asked, self.fails_at = 0, fails_at

    def __call__(self, number: int, angles: np.ndarray) -> Reading:
        if number == self.fails_at:
            raise Halted("It is out of order.")
        self.asked += 1
        return Reading(ENGINE.mean(angles), shots=100, cost=0.5)


BUDGET = TrainingBudget(optimiser="cobyla", evaluations=12)


@pytest.mark.parametrize("fails_at", [0, 1, 7])
def test_a_halted_run_says_why_and_goes_on_another_day(fails_at: int) -> None:
    kept: list[TrainingState] = []
    broken = Priced(fails_at)
    halted = train(begin(START, BUDGET, "labs"), broken, "labs", kept.append, every=1)
    assert halted.ending == "It is out of order."
    assert len(halted.history) == broken.asked == fails_at
    assert kept[-1] == halted.model_copy(update={"ending": ""})
    again = Priced()
    done = train(kept[-1], again, "labs")
    assert again.asked == 12 - fails_at
    assert done == train(begin(START, BUDGET, "labs"), Priced(), "labs")
    assert sum(line.shots for line in done.history) == 1200
    assert sum(line.cost for line in done.history) == 6.0


def test_a_run_that_was_halted_at_once_keeps_its_start() -> None:
    halted = train(begin(START, BUDGET, "labs"), Priced(0), "labs")
    assert halted.history == ()
    assert halted.angles == START


def test_a_guard_sees_what_was_spent_and_halts_before_more_is() -> None:
    seen: list[int] = []

    def guard(history: Sequence[Evaluation]) -> str:
        seen.append(len(history))
        return "That is enough." if sum(line.cost for line in history) >= 2 else ""

    asked = Priced()
    halted = train(begin(START, BUDGET, "labs"), asked, "labs", guard=guard)
    assert halted.ending == "That is enough."
    assert len(halted.history) == asked.asked == 4
    assert seen == [0, 1, 2, 3, 4]
    replayed = train(halted.model_copy(update={"ending": ""}), asked, "labs", guard=guard)
    assert replayed == halted
    assert asked.asked == 4  # what is in the record costs nothing, and the guard is not asked for it
    assert seen[5:] == [4]


@pytest.mark.parametrize("alpha", [1.0, 0.3, 0.05])
def test_counted_samples_are_worth_what_they_are_one_by_one(alpha: float) -> None:
    objective = Objective(kind="cvar", alpha=alpha)
    rng = np.random.default_rng(3)
    energies, counts = rng.normal(size=9), rng.integers(1, 20, 9)
    one_by_one = sample_value(np.repeat(energies, counts), objective)
    assert counted_value(energies, counts, objective) == pytest.approx(one_by_one, abs=1e-12)
    assert counted_value(energies, counts, Objective()) == pytest.approx(np.repeat(energies, counts).mean(), abs=1e-12)
