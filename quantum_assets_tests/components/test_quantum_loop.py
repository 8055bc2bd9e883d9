"""Noisy evaluations: measured, paid, resumed without asking twice, and ended with a reason whatever goes wrong."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantum_assets.components.quantum_final import finalists
from quantum_assets.components.quantum_loop import refine
from quantum_assets.components.quantum_sampler import Trained
from quantum_assets.contracts.profile import Guardrails
from quantum_assets.qaoa.training import TrainingState
from quantum_assets_tests.components.sampling_vendors import (
    ASKED,
    REFINES,
    SPEC,
    kernel,
    loop_of,
    ready_for,
    world_of,
)
from quantum_assets_tests.execution.fakes import MICROS, Denied


class Killed(BaseException):
    """What a run does not survive."""


@pytest.fixture(scope="module")
def ready() -> Trained:
    return ready_for(SPEC)


def test_noisy_evaluations_begin_at_the_exact_angles_and_keep_or_improve_them(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    refined = refine(loop_of(ready, world))
    assert refined.ending == "The budget of 12 evaluations is used up."
    assert refined.state is not None
    assert len(refined.history) == vendor.calls["submit"] == 12
    assert refined.history[0].angles == tuple(ready.angles.vector.tolist())
    assert refined.state.gain >= 0
    assert {line.shots for line in refined.history} == {64}
    assert refined.shots == 12 * 64
    # the vendor bills a quarter a job, whatever was expected of it
    assert refined.cost == pytest.approx(12 * MICROS / 1e6)
    np.testing.assert_allclose(vendor.asked, [line.angles for line in refined.history], atol=1e-12)


def test_the_best_row_of_all_evaluations_is_kept_decoded(tmp_path: Path, ready: Trained) -> None:
    world, _ = world_of(tmp_path, ready)
    refined = refine(loop_of(ready, world))
    assert refined.state is not None
    best = refined.state.sample
    assert best is not None
    bits = np.array(best.bits, dtype=np.uint8)
    assert best.energy == pytest.approx(kernel().encode().ising.energies(bits)[0])
    assert np.array_equal(kernel().repair(bits)[0], bits)
    assert best.energy == pytest.approx(ready.engine.diagonal.minimum)  # 768 shots of 128 states


def test_evaluations_and_finalists_draw_different_shots(tmp_path: Path, ready: Trained) -> None:
    """Were the seeds alike, the same profile would answer the final from the cache, and flattery would win."""
    world, vendor = world_of(tmp_path, ready)
    loop = loop_of(ready, world, refines=ASKED)
    assert loop.noisy_profile is not None
    assert loop.noisy_profile.seed == ASKED.seed + 1
    refine(loop)
    seeds = {order.order.profile.seed for order in vendor.jobs}
    assert seeds == {ASKED.seed + 1}


@pytest.mark.parametrize("lives", [1, 5, 11])
def test_a_killed_run_goes_on_and_asks_nothing_twice(tmp_path: Path, ready: Trained, lives: int) -> None:
    world, _ = world_of(tmp_path / "unbroken", ready)
    unbroken = refine(loop_of(ready, world))
    world, vendor = world_of(tmp_path / "broken", ready)
    kept: list[TrainingState] = []

    def mortal(state: TrainingState) -> None:
        kept.append(state)
        if len(kept) == lives:
            raise Killed

    with pytest.raises(Killed):
        refine(loop_of(ready, world), checkpoint=mortal)
    assert vendor.calls["submit"] == lives
    again = refine(loop_of(ready, world, run="run-2"), resume=kept[-1], checkpoint=kept.append)
    assert again.state == unbroken.state
    assert vendor.calls["submit"] == 12
    done = refine(loop_of(ready, world, run="run-3"), resume=kept[-1])
    assert done.state == unbroken.state
    assert vendor.calls["submit"] == 12


def test_an_answer_that_came_before_the_kill_is_not_paid_again(tmp_path: Path, ready: Trained) -> None:
    """The process died between the answer and the record of it: the execution room still has it."""
    world, vendor = world_of(tmp_path, ready)
    kept: list[TrainingState] = []

    def dies_before_it_is_written(state: TrainingState) -> None:
        if len(kept) == 3:
            raise Killed
        kept.append(state)

    with pytest.raises(Killed):
        refine(loop_of(ready, world), checkpoint=dies_before_it_is_written)
    assert (len(kept[-1].history), vendor.calls["submit"]) == (3, 4)
    again = refine(loop_of(ready, world), resume=kept[-1])
    assert len(again.history) == vendor.calls["submit"] == 12
    assert again.cost == pytest.approx(12 * MICROS / 1e6)


def test_a_state_of_another_question_is_not_used(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    other = refine(loop_of(ready, world)).state
    more = REFINES.model_copy(update={"shots": 32})
    refined = refine(loop_of(ready, world, refines=more), resume=other)
    assert {line.shots for line in refined.history} == {32}
    assert vendor.calls["submit"] == 24


def test_without_improvement_it_stops_early(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    vendor.noise = 1.0  # nothing but uniform bits, drawn with one seed: every value is the same
    refined = refine(loop_of(ready, world, loop={"patience": 3}))
    assert refined.ending == "No improvement in 3 evaluations."
    assert len(refined.history) == 4
    assert [one.stage for one in finalists(loop_of(ready, world), refined)][:2] == ["exact", "start"]


def test_a_failure_ends_the_stage_and_another_day_goes_on(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    vendor.before = [None, None, None, *[Denied("401")] * 5]
    kept: list[TrainingState] = []
    refined = refine(loop_of(ready, world), checkpoint=kept.append)
    assert "did not answer" in refined.ending
    assert "401" in refined.ending
    assert len(refined.history) == 3
    assert kept[-1].ending == ""
    vendor.before = []
    submitted = vendor.calls["submit"]
    again = refine(loop_of(ready, world, run="run-2"), resume=kept[-1])
    assert again.ending == "The budget of 12 evaluations is used up."
    assert vendor.calls["submit"] == submitted + 9


def _refuses(vendor: Any) -> None:
    vendor.refusal = "it is a Monday"


def _lies(vendor: Any) -> None:
    vendor.results = [lambda claims: tuple(replace(claim, mocked=True) for claim in claims)] * 50


@pytest.mark.parametrize(("goes_wrong", "word"), [(_refuses, "it is a Monday"), (_lies, "made up")])
def test_a_stage_that_cannot_begin_keeps_the_exact_angles(
    tmp_path: Path, ready: Trained, goes_wrong: Any, word: str
) -> None:
    world, vendor = world_of(tmp_path, ready)
    goes_wrong(vendor)
    refined = refine(loop_of(ready, world, loop={"finalists": 2}))
    assert word in refined.ending
    assert refined.history == ()
    (first, second) = finalists(loop_of(ready, world, loop={"finalists": 2}), refined)
    assert (first.stage, first.ready.angles) == ("exact", ready.angles)
    assert second.stage == "start"


def test_more_than_the_profile_allows_is_a_reason_too(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    shallow = REFINES.model_copy(update={"guardrails": Guardrails(max_depth=2)})
    refined = refine(loop_of(ready, world, refines=shallow))
    assert "the profile allows 2" in refined.ending
    assert vendor.calls["submit"] == 0


@pytest.mark.parametrize("lives", [0, 4])
def test_a_stage_is_halted_when_its_time_is_over_and_another_day_goes_on(
    tmp_path: Path, ready: Trained, lives: int
) -> None:
    world, vendor = world_of(tmp_path, ready)
    kept: list[TrainingState] = []
    halted = refine(
        loop_of(ready, world),
        checkpoint=kept.append,
        guard=lambda history: "It is late." if len(history) >= lives else "",
    )
    assert halted.ending == "It is late."
    assert len(halted.history) == vendor.calls["submit"] == lives
    again = refine(loop_of(ready, world, run="run-2"), resume=kept[-1], guard=lambda _: "")
    assert again.ending == "The budget of 12 evaluations is used up."
    assert again.history[:lives] == halted.history
    assert vendor.calls["submit"] == 12
    poor = refine(loop_of(ready, world, loop={"max_shots": 300}), guard=lambda _: "")
    assert "shots is used up: 0 are spent" in poor.ending  # its own budget still holds


def test_a_fallback_is_no_noisy_evaluation(tmp_path: Path, ready: Trained) -> None:
    """Exact values among measured ones would win every comparison."""
    world, vendor = world_of(tmp_path, ready)
    simulator = REFINES.model_copy(update={"name": "simulated", "providers": ("other",)})
    world.profiles = {**world.profiles, "simulated": simulator}
    world.other = type(vendor)(world.clock, name="other", engine=ready.engine)
    vendor.refusal = "it is a Monday"
    safe = REFINES.model_copy(update={"routing": REFINES.routing.model_copy(update={"fallback": "simulated"})})
    refined = refine(loop_of(ready, world, refines=safe))
    assert "did not answer" in refined.ending
    assert "it is a Monday" in refined.ending
    assert refined.history == ()


def test_shots_of_the_finalists_are_set_aside_first(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    most = 3 * 256 + 5 * 64 + 10
    loop = loop_of(ready, world, loop={"max_shots": most})
    refined = refine(loop)
    assert len(refined.history) == vendor.calls["submit"] == 5
    assert f"The budget of {most} shots is used up: 320 are spent, 768 are set aside" in refined.ending
    assert refined.shots + sum(256 for _ in finalists(loop, refined)) <= most


def test_a_budget_that_leaves_no_evaluation_leaves_fewer_finalists(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    loop = loop_of(ready, world, loop={"max_shots": 300})
    refined = refine(loop)
    assert vendor.calls["submit"] == 0
    assert "shots is used up: 0 are spent" in refined.ending
    assert [one.stage for one in finalists(loop, refined)] == ["exact"]


def test_money_ends_the_stage_before_it_is_spent(tmp_path: Path, ready: Trained) -> None:
    """A job is expected to cost a half and is billed a quarter: expectation decides, and bills are what is counted."""
    world, vendor = world_of(tmp_path, ready)
    loop = loop_of(ready, world, loop={"max_cost": 3.0})
    refined = refine(loop)
    # three finalists set 1.5 aside; 0.25 an evaluation is spent while another half fits
    assert len(refined.history) == vendor.calls["submit"] == 5
    assert refined.cost == pytest.approx(1.25)
    assert "The budget of 3 USD is used up: 1.25 is spent, 1.5 is set aside for 3 finalists" in refined.ending
    assert len(finalists(loop, refined)) == 3


def test_no_money_is_no_evaluation_and_one_finalist(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    loop = loop_of(ready, world, loop={"max_cost": 0.0})
    refined = refine(loop)
    assert vendor.calls["submit"] == 0
    assert "The budget of 0 USD is used up" in refined.ending
    assert len(finalists(loop, refined)) == 1


def test_a_resumed_run_counts_what_was_paid_before(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    kept: list[TrainingState] = []

    def mortal(state: TrainingState) -> None:
        kept.append(state)
        if len(kept) == 3:
            raise Killed

    with pytest.raises(Killed):
        refine(loop_of(ready, world, loop={"max_cost": 3.0}), checkpoint=mortal)
    again = refine(loop_of(ready, world, run="run-2", loop={"max_cost": 3.0}), resume=kept[-1])
    assert len(again.history) == vendor.calls["submit"] == 5
    assert again.cost == pytest.approx(1.25)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"refines": None}, "asks for no noisy evaluations"),
        ({"profile": REFINES}, "is ideal"),
        (
            {"refines": REFINES.model_copy(update={"guardrails": Guardrails(max_qubits=6)})},
            "has 7 variables, and profile refines takes 6",
        ),
    ],
)
def test_where_there_is_no_noisy_stage_the_reason_is_told(
    tmp_path: Path, ready: Trained, changes: dict[str, Any], word: str
) -> None:
    world, vendor = world_of(tmp_path, ready)
    refined = refine(loop_of(ready, world, **changes))
    assert refined.state is None
    assert word in refined.ending
    assert vendor.calls["submit"] == 0
