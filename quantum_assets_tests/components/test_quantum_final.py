"""The final: who takes part, who wins, and that nobody wins by flattery, by a tie or by an exact stand-in."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantum_assets.components.quantum_final import Final, final, finalists
from quantum_assets.components.quantum_loop import Refined, refine
from quantum_assets.components.quantum_sampler import SAME_STATE, Trained, at_angles, handed_in, workload_of
from quantum_assets.contracts.errors import UnderWay
from quantum_assets.contracts.profile import ExecutionProfile, Routing
from quantum_assets.contracts.qaoa import AngleTable
from quantum_assets.execution.answering import turn_ledger
from quantum_assets.execution.session import Session
from quantum_assets.qaoa.training import Evaluation, TrainingState, begin
from quantum_assets_tests.components.sampling_vendors import (
    ASKED,
    REFINES,
    SPEC,
    Sampler,
    kernel,
    loop_of,
    ready_for,
    session_of,
    world_of,
)
from quantum_assets_tests.execution.fakes import World

SLOW = ASKED.model_copy(update={"name": "slow", "asynchronous": True})


@pytest.fixture(scope="module")
def ready() -> Trained:
    return ready_for(SPEC)


def _refined(ready: Trained, *values: float) -> Refined:
    """A noisy stage with these values; evaluation k is at the exact angles plus k hundredths."""
    lines = tuple(
        Evaluation(value=value, angles=tuple((ready.angles.vector + 0.01 * k).tolist()), best=min(values[: k + 1]))
        for k, value in enumerate(values)
    )
    fresh: TrainingState = begin(ready.angles, SPEC.training, "toy")
    return Refined(fresh.model_copy(update={"history": lines}), "made up")


def _asked(ready: Trained, *shifts: float) -> list[Trained]:
    return [at_angles(ready, AngleTable.of(ready.angles.vector + shift, "A test."), SPEC) for shift in shifts]


def test_exact_noisy_start_and_then_the_other_noisy_ones_by_value(tmp_path: Path, ready: Trained) -> None:
    world, _ = world_of(tmp_path, ready)
    refined = _refined(ready, -3.0, -5.0, -4.0, -4.5)
    found = finalists(loop_of(ready, world, loop={"finalists": 8}), refined)
    assert [one.stage for one in found] == ["exact", "noisy", "start", "noisy", "noisy"]
    shifts = [float((one.ready.angles.vector - ready.angles.vector)[0]) for one in found]
    assert np.allclose([shifts[0], shifts[1], *shifts[3:]], [0.0, 0.01, 0.03, 0.02])
    assert found[2].ready.angles == ready.training.start
    assert all(one.ready.difference <= SAME_STATE for one in found)
    for one in found:
        assert one.ready.value == pytest.approx(ready.engine.mean(one.ready.angles.vector))
    two = finalists(loop_of(ready, world, loop={"finalists": 2}), refined)
    assert [one.stage for one in two] == ["exact", "noisy"]


def test_angles_that_are_alike_take_part_once(tmp_path: Path, ready: Trained) -> None:
    world, _ = world_of(tmp_path, ready)
    unmoved = ready_for(SPEC.model_copy(update={"training": SPEC.training.model_copy(update={"evaluations": 1})}))
    found = finalists(loop_of(unmoved, world), _refined(unmoved, -3.0, -2.0))
    assert [one.stage for one in found] == ["exact", "noisy"]  # the start is the exact table, and so is evaluation 0
    assert np.allclose(found[1].ready.angles.vector - unmoved.angles.vector, 0.01)


def test_an_ideal_profile_samples_the_exact_angles_only(tmp_path: Path, ready: Trained) -> None:
    world, _ = world_of(tmp_path, ready)
    (only,) = finalists(loop_of(ready, world, profile=REFINES), _refined(ready, -3.0, -5.0))
    assert only.ready is ready


def _final(asked: list[Trained], world: World, profile: ExecutionProfile = ASKED) -> Final:
    return final(asked, kernel(), SPEC, profile, session_of(world), "toy")


def test_the_lowest_sampled_objective_wins_whatever_the_noisy_stage_said(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    ended = _final(_asked(ready, 0.4, 0.0, -0.5), world)
    assert ended.chosen == 1
    assert ended.published is ended.got[1]
    energies = kernel().encode().ising.energies(ended.published.bits)
    assert ended.values[1] == pytest.approx(energies @ ended.published.counts / 256)
    assert None not in ended.values
    assert ended.values[1] == min(value for value in ended.values if value is not None)
    assert vendor.calls["submit"] == 3
    assert _final(_asked(ready, 0.4, 0.0, -0.5), world).values == ended.values
    assert vendor.calls["submit"] == 3  # known by now


def test_a_tie_keeps_the_exact_angles(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    vendor.noise = 1.0  # uniform bits by one seed, whatever the angles
    ended = _final(_asked(ready, 0.0, 0.3, 0.6), world)
    assert len(set(ended.values)) == 1
    assert ended.chosen == 0


class PartlyExact:
    """A session whose quantum path fails at some angles, where the fallback gives samples without noise."""

    def __init__(self, inner: Session, fallen: Mapping[str, str]) -> None:
        self.inner, self.fallen = inner, fallen

    def obtain(self, workload: Any, profile: ExecutionProfile) -> Any:
        answer = self.inner.obtain(workload, profile)
        path = self.fallen.get(workload.fingerprint)
        return answer if path is None else replace(answer, path=path, reason="made up")


def test_a_stand_in_never_beats_the_profile_that_was_asked(tmp_path: Path, ready: Trained) -> None:
    world, _ = world_of(tmp_path, ready)
    asked = _asked(ready, 0.3, 0.0)
    best = workload_of(asked[1], ASKED, "toy").fingerprint
    fallen: Any = PartlyExact(session_of(world), {best: "classical"})
    ended = final(asked, kernel(), SPEC, ASKED, fallen, "toy")
    assert (ended.chosen, ended.values[1]) == (0, None)
    assert ended.got[1].path == "classical"
    every: Any = PartlyExact(
        session_of(world), {workload_of(one, ASKED, "toy").fingerprint: "classical" for one in asked}
    )
    ended = final(asked, kernel(), SPEC, ASKED, every, "toy")
    assert (ended.chosen, ended.values) == (0, (None, None))
    assert ended.published.reason == "made up"


def test_where_nobody_answers_the_reason_stands(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    vendor.refusal = "it is a Monday"
    ended = _final(_asked(ready, 0.0, 0.3), world)
    assert (ended.chosen, ended.values) == (0, (None, None))
    assert ended.published.path == "none"
    assert "it is a Monday" in ended.published.reason


def test_all_finalists_are_handed_in_together_and_collected(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    asked = _asked(ready, 0.4, 0.0, -0.5)
    session = session_of(world)
    tickets = handed_in(asked, SLOW, session, "toy")
    assert [len(of_it) for of_it in tickets] == [1, 1, 1]
    assert len({one.id for of_it in tickets for one in of_it}) == 3
    assert vendor.calls["submit"] == 1  # one order for all of them
    with pytest.raises(UnderWay):
        final(asked, kernel(), SPEC, SLOW, session, "toy")
    for _ in range(3):
        turn_ledger(session.plane)
        world.clock.sleep(60)
    ended = final(asked, kernel(), SPEC, SLOW, session, "toy")
    assert ended.chosen == 1
    assert vendor.calls["submit"] == 1


def test_a_fallback_of_the_room_is_told_apart(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    simulator = ASKED.model_copy(update={"name": "simulated", "providers": ("other",)})
    world.profiles = {**world.profiles, "simulated": simulator}
    world.other = Sampler(world.clock, name="other", engine=ready.engine)
    vendor.refusal = "it is a Monday"
    safe = ASKED.model_copy(update={"routing": Routing(fallback="simulated")})
    ended = _final(_asked(ready, 0.3, 0.0), world, safe)
    assert (ended.chosen, ended.values) == (0, (None, None))
    assert ended.published.path == "classical"


def test_refined_angles_go_on_to_the_final(tmp_path: Path, ready: Trained) -> None:
    world, vendor = world_of(tmp_path, ready)
    loop = loop_of(ready, world)
    refined = refine(loop)
    asked = finalists(loop, refined)
    ended = _final([one.ready for one in asked], world)
    assert vendor.calls["submit"] == 12 + len(asked)
    assert ended.values[ended.chosen] == min(value for value in ended.values if value is not None)
    assert refined.state is not None
    best = refined.state.history[refined.state.best]
    if refined.state.best:
        assert asked[1].ready.angles.vector.tolist() == list(best.angles)
