"""The final: who takes part, who wins, and that nobody wins by flattery, by a tie or by an exact stand-in."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantum_assets.components.quantum_final import Final, final, finalists, halved, judged
from quantum_assets.components.quantum_loop import Refined, refine
from quantum_assets.components.quantum_sampler import SAME_STATE, Sampled, Trained, at_angles, handed_in, workload_of
from quantum_assets.contracts.errors import UnderWay
from quantum_assets.contracts.problem import Ising
from quantum_assets.contracts.profile import ExecutionProfile, Routing
from quantum_assets.contracts.qaoa import AngleTable, Objective
from quantum_assets.contracts.workload import IntArray
from quantum_assets.execution.answering import turn_ledger
from quantum_assets.execution.session import Session
from quantum_assets.qaoa.training import Evaluation, TrainingState, begin, counted_value
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
    ising = kernel().encode().ising
    for half, value in zip(ended.halves, ended.values, strict=True):
        assert half is not None
        assert half.judging.counts.sum() == half.publishing.counts.sum() == 128
        assert value == pytest.approx(ising.energies(half.judging.bits) @ half.judging.counts / 128)
    assert ended.halves[1] is ended.winner is not None
    assert ended.published is ended.winner.publishing
    assert ended.value == pytest.approx(ising.energies(ended.published.bits) @ ended.published.counts / 128)
    assert ended.values[1] == min(value for value in ended.values if value is not None)
    assert vendor.calls["submit"] == 3
    assert _final(_asked(ready, 0.4, 0.0, -0.5), world).values == ended.values
    assert vendor.calls["submit"] == 3  # known by now


SEED, MEAN = (11, 7), Objective()
RING = Ising(4, ((0, 1), (1, 2), (2, 3), (0, 3)), np.array([1.0, 0.5, -0.75, 0.25]))
ROWS = ((np.arange(16)[:, None] >> np.arange(4)) & 1).astype(np.uint8)


def _shots(counts: IntArray, path: str = "quantum") -> Sampled:
    kept = counts > 0
    return Sampled(path, "", "a test", ROWS[kept], counts[kept], np.arange(16)[kept] / 120)


def test_a_tie_keeps_the_finalist_named_first() -> None:
    alike = _shots(np.array([0, 64, *[0] * 14]))
    ended = judged([alike] * 3, RING, MEAN, SEED)
    assert len(set(ended.values)) == 1
    assert ended.chosen == 0
    worse = _shots(np.array([64, *[0] * 15]))
    assert judged([worse, alike, alike], RING, MEAN, SEED).chosen == 1


@pytest.mark.parametrize("shots", [2, 3, 64, 1001])
def test_shots_are_parted_once_and_for_all_and_none_is_lost(shots: int) -> None:
    whole = _shots(np.random.default_rng(shots).multinomial(shots, np.full(16, 1 / 16)))
    halves = halved(whole, SEED, 0)
    counts: dict[int, int] = {}
    for half, expected in ((halves.judging, shots // 2), (halves.publishing, shots - shots // 2)):
        assert half.counts.sum() == expected
        assert (half.counts > 0).all()
        assert half.probabilities is not None
        for row, count, probability in zip(half.bits, half.counts, half.probabilities, strict=True):
            state = int(row @ (1 << np.arange(4)))
            counts[state] = counts.get(state, 0) + count
            assert probability == state / 120  # what is known of a row stays with it
    assert counts == {
        int(row @ (1 << np.arange(4))): count for row, count in zip(whole.bits, whole.counts, strict=True)
    }
    assert np.array_equal(halved(whole, SEED, 0).judging.counts, halves.judging.counts)


def test_finalists_are_parted_by_streams_of_their_own() -> None:
    whole = _shots(np.full(16, 40))
    seeds = [(SEED, 0), (SEED, 1), ((12, 7), 0), ((11, 8), 0)]
    parted = {halved(whole, seed, number).judging.counts.tobytes() for seed, number in seeds}
    assert len(parted) == len(seeds)


def test_every_shot_is_as_likely_to_judge() -> None:
    """Means of a row's share over many seeds: hypergeometric, so a quarter of (40 - 40/16) is its variance."""
    whole = _shots(np.full(16, 40))
    judging = np.array([halved(whole, (seed, 0), 0).judging.counts for seed in range(300)])
    error = np.sqrt(40 / 4 * (1 - 1 / 16) * 640 / 639 / 300)
    assert np.abs(judging.mean(axis=0) - 20).max() < 4.5 * error
    assert judging.std(axis=0) == pytest.approx(error * np.sqrt(300), rel=0.2)


def _pure_noise(seed: int, finalists: int = 6, shots: int = 64) -> list[Sampled]:
    """Finalists whose shots are of one and the same distribution: whoever wins is no better than the others."""
    draws = np.random.default_rng((2026, seed)).multinomial(shots, WEIGHTS, size=finalists)
    return [_shots(counts.astype(np.int64)) for counts in draws]


WEIGHTS = np.arange(1, 17) / 136


def _off(values: Sequence[float | None], exact: float) -> float:
    """By how many standard errors the mean of values is off what it should be."""
    found = np.array(values, dtype=np.float64) - exact
    return float(found.mean() / (found.std(ddof=1) / np.sqrt(len(found))))


def _value_of(got: Sampled, objective: Objective = MEAN) -> float:
    return counted_value(RING.energies(got.bits), got.counts, objective)


def test_who_wins_by_luck_is_published_without_it() -> None:
    exact = float(WEIGHTS @ RING.energies(ROWS))
    ended = [judged(_pure_noise(seed), RING, MEAN, SEED) for seed in range(400)]
    assert {one.chosen for one in ended} == set(range(6))
    assert abs(_off([one.value for one in ended], exact)) < 3.5
    # what the same shots come to where they choose and are published too: half of them, and all of them
    assert _off([one.values[one.chosen] for one in ended], exact) < -20
    assert _off([min(_value_of(got) for got in one.got) for one in ended], exact) < -20


def test_a_tail_mean_that_wins_by_luck_is_published_without_it() -> None:
    """The tail mean of few shots is off by itself: it is compared with that of shots among which nobody chose."""
    tail = Objective(kind="cvar", alpha=0.25)
    plain = float(np.mean([_value_of(_pure_noise(seed, 1, 32)[0], tail) for seed in range(10_000, 13_000)]))
    ended = [judged(_pure_noise(seed), RING, tail, SEED) for seed in range(400)]
    assert abs(_off([one.value for one in ended], plain)) < 3.5
    assert _off([one.values[one.chosen] for one in ended], plain) < -20


def test_where_nothing_is_compared_every_shot_is_published() -> None:
    one, other = _pure_noise(0)[:2]
    alone = judged([one], RING, MEAN, SEED)
    assert (alone.chosen, alone.halves, alone.winner) == (0, (), None)
    assert alone.published is one
    assert alone.values == (alone.value,)
    assert alone.value == pytest.approx(_value_of(one))
    fallen = replace(other, path="classical")
    second = judged([fallen, one], RING, MEAN, SEED)
    assert (second.chosen, second.halves, second.values) == (1, (), (None, alone.value))
    assert second.published is one
    single = _shots(np.array([1, *[0] * 15]))
    few = judged([single, one], RING, MEAN, SEED)  # one shot cannot both judge and be published
    assert (few.chosen, few.halves) == (0, ())
    assert few.published is single


def test_a_finalist_that_did_not_answer_is_not_parted() -> None:
    one, other, third = _pure_noise(1)[:3]
    ended = judged([one, replace(other, path="classical"), third], RING, MEAN, SEED)
    assert (ended.values[1], ended.halves[1]) == (None, None)
    assert ended.winner is not None
    assert ended.published.counts.sum() == 32


class PartlyExact:
    """A session whose quantum path fails at some angles, where the fallback gives samples without noise."""

    def __init__(self, inner: Session, fallen: Mapping[str, Any]) -> None:
        self.inner, self.fallen = inner, fallen

    def obtain(self, workload: Any, profile: ExecutionProfile) -> Any:
        answer = self.inner.obtain(workload, profile)
        path = self.fallen.get(workload.fingerprint)
        return answer if path is None or answer is None else replace(answer, path=path, reason="made up")


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
    at_once = _final(asked, world, SLOW.model_copy(update={"asynchronous": False}))
    assert at_once.values == ended.values
    assert np.array_equal(at_once.published.bits, ended.published.bits)
    assert np.array_equal(at_once.published.counts, ended.published.counts)


def test_a_profile_of_one_shot_has_one_finalist(tmp_path: Path, ready: Trained) -> None:
    world, _ = world_of(tmp_path, ready)
    single = ASKED.model_copy(update={"shots": 1})
    assert len(finalists(loop_of(ready, world, profile=single), _refined(ready, -3.0, -5.0))) == 1


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
