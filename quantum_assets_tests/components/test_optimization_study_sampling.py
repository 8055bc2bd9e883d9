"""The training loop of a study, from exact angles to published samples: recorded, resumed, bounded, and told."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from quantum_assets.components import optimization_study_sampling as sampling
from quantum_assets.components import optimization_study_steps as steps
from quantum_assets.components.optimization_study_clock import in_time, training_in_time
from quantum_assets.components.optimization_study_decision import decision
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.optimization_study_rows import refined_in, seen_in
from quantum_assets.contracts.errors import PlanError, UnderWay
from quantum_assets.contracts.optimization import ClassicalSpec, DecisionPolicy, LoopSpec, ProblemSpec, QuantumSpec
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.tables import ATTRIBUTION, SAMPLES, SAMPLING_JOBS
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.answering import turn_ledger
from quantum_assets.execution.session import Session
from quantum_assets.models.tables import table_of_rows
from quantum_assets.orchestration.checkpoints import Checkpoints
from quantum_assets.orchestration.checks import follows_contract
from quantum_assets.orchestration.stored import Stored, provenance_of, with_origin
from quantum_assets.qaoa.training import Guard, TrainingState
from quantum_assets_tests.components.sampling_vendors import (
    ASKED,
    LOOP,
    REFINES,
    SPEC,
    Sampler,
    ready_for,
    session_of,
    world_of,
)
from quantum_assets_tests.execution.clocks import START, ManualClock
from quantum_assets_tests.execution.fakes import MICROS, World
from quantum_assets_tests.regression.shipped import loaded

TRANSFER = SPEC.model_copy(update={"start": "transfer", "transfer_variables": 5, "narrowing": "freeze"})
SLOW = ASKED.model_copy(update={"name": "slow", "asynchronous": True})
IDEAL = ExecutionProfile(name="ideal", mode="ideal", estimator="binomial", providers=("local",), shots=50)


def _plan(
    refines: ExecutionProfile | None = REFINES, quantum: QuantumSpec = SPEC, **loop: Any
) -> OptimizationStudyPlan:
    rules = LoopSpec(**{**LOOP.model_dump(), **loop})
    return OptimizationStudyPlan(
        "toy",
        Path(),
        ProblemSpec(kind="max_cut", graph="petersen"),
        None,
        quantum.model_copy(update={"most_variables": 7, "loop": rules}),
        ClassicalSpec(seconds=0.2),
        DecisionPolicy(),
        profiles={one.name: one for one in (ASKED, SLOW, IDEAL)},
        loop_profile=refines,
    )


PLAN = _plan()


class Killed(BaseException):
    """What a run does not survive."""


class Mortal(Checkpoints):
    """Checkpoints of a process that dies once so many noisy evaluations are written down."""

    lives = 5

    def keep(self, name: str, state: TrainingState) -> None:
        super().keep(name, state)
        if len(state.history) == self.lives and state.history[0].shots:
            raise Killed


@pytest.fixture(scope="module")
def problem() -> pa.Table:
    return loaded(steps.problem(PLAN, ""))


@pytest.fixture(scope="module")
def solutions(problem: pa.Table) -> pa.Table:
    return loaded(steps.classical_solutions(PLAN, "", problem))


@pytest.fixture
def place(tmp_path: Path) -> tuple[World, Sampler, Checkpoints]:
    world, vendor = world_of(tmp_path, ready_for(SPEC))
    return world, vendor, Checkpoints(tmp_path / "training")


Place = tuple[World, Sampler, Checkpoints]


def _jobs(place: Place, problem: pa.Table, plan: OptimizationStudyPlan = PLAN, profile: str = "asked") -> Stored:
    world, _, checkpoints = place
    return sampling.quantum_jobs(plan, "", profile, problem, session_of(world), checkpoints)


def _samples(
    place: Place,
    tables: tuple[pa.Table, pa.Table],
    jobs: Stored,
    plan: OptimizationStudyPlan = PLAN,
    profile: str = "asked",
) -> Stored:
    world, _, checkpoints = place
    problem, solutions = tables
    return sampling.quantum_samples(plan, "", profile, problem, solutions, loaded(jobs), session_of(world), checkpoints)


def _rows(stored: Stored, **where: str) -> list[dict[str, Any]]:
    return [row for row in stored.table.to_pylist() if all(row[name] == value for name, value in where.items())]


def test_both_stages_and_every_finalist_are_recorded(place: Place, problem: pa.Table, solutions: pa.Table) -> None:
    jobs = _jobs(place, problem)
    assert follows_contract(SAMPLING_JOBS)(jobs.table).passed
    rows = jobs.table.to_pylist()
    assert [row["finalist"] for row in rows] == list(range(len(rows)))
    assert rows[0]["stage"] == "exact"
    assert len({row["workload"] for row in rows}) == len(rows)
    assert {row["refinement_ending"] for row in rows} == {"The budget of 12 evaluations is used up."}
    assert len(refined_in(jobs.table).history) == jobs.metrics["noisy_evaluations"] == 12
    assert jobs.metrics["noisy_shots"] == 12 * 64
    assert jobs.metrics["noisy_cost"] == pytest.approx(12 * MICROS / 1e6)
    assert set(jobs.artifacts) >= {"training.json", "refinement.json"}
    made = _samples(place, (problem, solutions), jobs)
    assert follows_contract(SAMPLES)(made.table).passed
    published = _rows(made, part="sample")
    assert sum(row["count"] for row in published) == made.metrics["samples"] == 128  # the other half judged
    assert (made.provenance["shots_published"], made.provenance["shots_judging"]) == (128, 128)
    value = sum(row["count"] * row["energy"] for row in published) / 128
    assert made.provenance["published_value"] == made.metrics["published_value"] == pytest.approx(value)
    assert made.provenance["published_value"] != made.provenance["finalists"][made.provenance["finalist"]]
    assert "128 of its 256 shots, which did not judge" in made.notes["shots"]
    assert "| 256 | 128 | quantum | 128 shots |" in made.notes["final"]
    assert len(_rows(made, part="history", stage="exact")) == 40
    noisy = _rows(made, part="history", stage="noisy")
    assert [row["count"] for row in noisy] == [64] * 12
    assert json.loads(noisy[0]["angles"]) == pytest.approx(
        [*json.loads(rows[0]["gammas"]), *json.loads(rows[0]["betas"])]
    )
    won = made.provenance["finalist"]
    assert made.provenance["angles"] == [*json.loads(rows[won]["gammas"]), *json.loads(rows[won]["betas"])]
    assert made.provenance["angles_of"] == rows[won]["stage"]
    assert made.provenance["finalists"][won] == min(made.provenance["finalists"])
    assert made.metrics["loop_shots"] == 12 * 64 + len(rows) * 256
    assert made.metrics["loop_cost"] == pytest.approx((12 + len(rows)) * MICROS / 1e6)
    assert "| exact |" in made.notes["final"]


def test_an_ideal_run_has_no_loop(tmp_path: Path, problem: pa.Table) -> None:
    world, vendor = world_of(tmp_path, ready_for(SPEC))
    jobs = _jobs((world, vendor, Checkpoints(tmp_path / "training")), problem, profile="ideal")
    (row,) = jobs.table.to_pylist()
    assert (row["stage"], row["refinement"]) == ("exact", "")
    assert "is ideal" in row["refinement_ending"]
    assert vendor.calls["submit"] == 0


def test_a_single_finalist_publishes_every_shot(place: Place, problem: pa.Table, solutions: pa.Table) -> None:
    plan = _plan(None, profile=None, evaluations=0, finalists=1)
    made = _samples(place, (problem, solutions), _jobs(place, problem, plan), plan)
    assert sum(row["count"] for row in _rows(made, part="sample")) == 256
    assert (made.provenance["shots_published"], made.provenance["shots_judging"]) == (256, 0)
    assert made.provenance["finalists"] == [made.provenance["published_value"]]
    assert "all 256 are published" in made.notes["shots"]
    assert _rows(made, part="seen") == []


def test_a_run_killed_in_the_noisy_stage_goes_on_and_asks_nothing_twice(
    place: Place, problem: pa.Table, tmp_path: Path
) -> None:
    world, vendor, checkpoints = place
    with pytest.raises(Killed):
        _jobs((world, vendor, Mortal(checkpoints.folder)), problem)
    assert vendor.calls["submit"] == Mortal.lives
    jobs = _jobs(place, problem)
    assert vendor.calls["submit"] == 12
    other, calm = world_of(tmp_path / "unbroken", ready_for(SPEC))
    unbroken = _jobs((other, calm, Checkpoints(tmp_path / "unbroken" / "training")), problem)
    assert jobs.table.equals(unbroken.table)
    assert _jobs(place, problem).table.equals(jobs.table)
    assert vendor.calls["submit"] == 12


def test_samples_are_of_the_angles_that_were_stored_even_if_the_checkpoint_is_gone(
    place: Place, problem: pa.Table, solutions: pa.Table
) -> None:
    _, vendor, checkpoints = place
    jobs = _jobs(place, problem)
    for file in checkpoints.folder.iterdir():
        file.unlink()
    made = _samples(place, (problem, solutions), jobs)
    assert vendor.calls["submit"] == 12 + len(jobs.table)
    assert len(_rows(made, part="history", stage="noisy")) == 12


def test_all_finalists_are_handed_in_and_collected_where_answers_take_long(
    place: Place, problem: pa.Table, solutions: pa.Table
) -> None:
    world, vendor, _ = place
    jobs = _jobs(place, problem, profile="slow")
    rows = jobs.table.to_pylist()
    assert vendor.calls["submit"] == 13  # twelve evaluations, and one order of all finalists
    assert {row["provider"] for row in rows} == {"vendor"}
    assert len({row["tickets"] for row in rows}) == len(rows) > 1
    assert {row["state"] for row in rows} <= {state.value for state in State}
    with pytest.raises(UnderWay):
        _samples(place, (problem, solutions), jobs, profile="slow")
    for _ in range(3):
        turn_ledger(session_of(world).plane)
        world.clock.sleep(60)
    made = _samples(place, (problem, solutions), jobs, profile="slow")
    assert made.provenance["path"] == "quantum"
    assert None not in made.provenance["finalists"]
    assert vendor.calls["submit"] == 13


def test_a_failing_stage_leaves_the_partition_its_samples(place: Place, problem: pa.Table, solutions: pa.Table) -> None:
    _, vendor, _ = place
    away = REFINES.model_copy(update={"providers": ("nowhere",)})
    plan = _plan(away)
    jobs = _jobs(place, problem, plan)
    assert "nowhere" in jobs.table.to_pylist()[0]["refinement_ending"]
    made = _samples(place, (problem, solutions), jobs, plan)
    assert made.provenance["path"] == "quantum"
    assert _rows(made, part="history", stage="noisy") == []
    assert vendor.calls["submit"] == len(jobs.table)


def test_nobody_answers_and_the_loop_is_still_told(place: Place, problem: pa.Table, solutions: pa.Table) -> None:
    _, vendor, _ = place
    jobs = _jobs(place, problem)
    vendor.refusal = "it is a Monday"
    made = _samples(place, (problem, solutions), jobs)
    assert made.provenance["path"] == "none"
    assert _rows(made, part="sample") == []
    assert len(_rows(made, part="history", stage="noisy")) == 12
    assert [row["stage"] for row in _rows(made, part="seen")] == ["noisy"]
    assert "12 noisy evaluations" in made.notes["final"]


def test_the_budget_of_a_partition_is_kept(place: Place, problem: pa.Table, solutions: pa.Table) -> None:
    plan = _plan(max_shots=1100)
    jobs = _jobs(place, problem, plan)
    made = _samples(place, (problem, solutions), jobs, plan)
    assert 1 <= len(refined_in(jobs.table).history) < 12
    assert made.metrics["loop_shots"] <= 1100


def test_what_was_seen_is_decoded_of_the_losers_and_of_the_judging_shots(
    place: Place, problem: pa.Table, solutions: pa.Table
) -> None:
    jobs = _jobs(place, problem)
    made = _samples(place, (problem, solutions), jobs)
    seen = _rows(made, part="seen")
    assert [row["stage"] for row in seen] == ["noisy"] + ["final"] * len(jobs.table)
    kernel = steps.kernel_of(PLAN, steps.instance(PLAN, ""))
    bits, where = seen_in(made.table)
    assert where[0] == "in a noisy evaluation"
    assert set(where[1:-1]) == {"at angles that lost the final"}
    assert where[-1] == "in the shots that judged the final"  # of the winner, which are measured and not published
    np.testing.assert_allclose(kernel.objective(bits), [row["objective"] for row in seen])
    assert {row["violations"] for row in seen} == {0.0}


def test_the_decision_takes_a_better_row_that_was_only_seen(
    place: Place, problem: pa.Table, solutions: pa.Table
) -> None:
    kernel = steps.kernel_of(PLAN, steps.instance(PLAN, ""))
    energies = kernel.encode().ising.energies(_all_rows())
    best, worst = _all_rows()[energies.argmin()], _all_rows()[energies.argmax()]
    lines = [("sample", "final", worst), ("seen", "noisy", best)]
    rows = [
        {
            "part": part,
            "stage": stage,
            "index": 0,
            "bits": steps.write_bits(bits),
            "angles": "",
            "count": 9 if part == "sample" else 0,
            "energy": 0.0,
            "objective": 0.0,
            "violations": 0.0,
        }
        for part, stage, bits in lines
    ]
    made = {"path": "quantum", "maker": "qaoa p=2 on vendor", "profile": "asked"}

    def quantum_row(samples: list[dict[str, Any]]) -> dict[str, Any]:
        table = with_origin(table_of_rows(samples, SAMPLES), "v", made)
        decided = decision(PLAN, "", table, solutions, table_of_rows([], ATTRIBUTION), problem)
        (found,) = _rows(decided, path="quantum")
        return found

    without, having = quantum_row(rows[:1]), quantum_row(rows)
    assert having["objective"] > without["objective"]
    assert having["maker"] == "qaoa p=2 on vendor, seen in a noisy evaluation"
    assert quantum_row([{**rows[0], "bits": rows[1]["bits"]}, rows[1]])["maker"] == "qaoa p=2 on vendor"  # a tie


def _all_rows() -> np.ndarray:
    return ((np.arange(128)[:, None] >> np.arange(7)) & 1).astype(np.uint8)


def test_starts_of_the_study_reach_training(place: Place, problem: pa.Table) -> None:
    warm = _plan(quantum=SPEC.model_copy(update={"warm_start": 0.2}))
    jobs = _jobs(place, problem, warm, profile="ideal")
    cold = _jobs(place, problem, profile="ideal")
    assert jobs.metrics["random_value"] == pytest.approx(cold.metrics["random_value"])
    assert jobs.table["fingerprint"][0] != cold.table["fingerprint"][0]
    assert jobs.metrics["circuit_difference"] < 1e-8


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"refines": SLOW.model_copy(update={"name": "refines"})}, ["quantum.loop.profile", "is asynchronous"]),
        ({"refines": IDEAL.model_copy(update={"name": "refines"})}, ["estimator binomial", "measures no circuits"]),
        ({"refines": None}, ["is refines, and none of that name is resolved"]),
        ({"max_shots": 255}, ["quantum.loop.max_shots", "is 255", "takes 256 shots under profile asked"]),
    ],
)
def test_a_loop_that_cannot_run_is_refused_before_anything_does(changes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(PlanError) as caught:
        _plan(**changes)
    for word in words:
        assert word in str(caught.value)


def test_the_shots_of_an_ideal_profile_are_no_part_of_the_budget() -> None:
    only = replace(PLAN, profiles={"ideal": IDEAL})
    assert replace(only, quantum=_plan(max_shots=300).quantum).profiles == {"ideal": IDEAL}


HURRIED = DecisionPolicy(deadline_seconds=400.0)  # 300 s for the answer, of which 225 s for training


@dataclass
class Ticking(ManualClock):
    """Every look at it takes ten seconds, while `runs`."""

    runs: bool = True

    def now(self) -> datetime:
        if self.runs:
            self.advance(10.0)
        return super().now()


def _hurried(place: Place, clock: ManualClock) -> tuple[Session, Guard]:
    """A session of the decision's deadline, and what halts training for it."""
    world = place[0]
    session = in_time(Session(world.plane(clock=clock), "toy", "p", "run-1", "run-1"), HURRIED, START)
    return session, training_in_time(session, HURRIED, START)


@pytest.mark.parametrize("quantum", [SPEC, TRANSFER], ids=["plain", "transfer"])
def test_a_deadline_halts_training_and_the_samples_are_of_its_best_angles(
    place: Place, problem: pa.Table, solutions: pa.Table, quantum: QuantumSpec
) -> None:
    """Ten seconds an evaluation: the start and 22 of forty; on fewer variables not all, and then the start."""
    _, vendor, checkpoints = place
    plan, clock = _plan(None, quantum, profile=None, evaluations=0, finalists=1), Ticking()
    session, guard = _hurried(place, clock)
    jobs = sampling.quantum_jobs(plan, "", "asked", problem, session, checkpoints, guard)
    clock.runs = False
    (row,) = jobs.table.to_pylist()
    assert row["evaluations"] == (23 if quantum is SPEC else 1)
    assert row["value"] <= row["start_value"]
    assert jobs.provenance["ending"] == guard(())
    assert "the decision's deadline of 400 s leaves 225 s for training" in jobs.notes["training"]
    assert jobs.provenance.get("start_halted", "") == ("" if quantum is SPEC else guard(()))
    assert follows_contract(SAMPLING_JOBS)(jobs.table).passed

    def samples() -> Stored:
        return sampling.quantum_samples(plan, "", "asked", problem, solutions, loaded(jobs), session, checkpoints)

    made = samples()
    assert (made.provenance["path"], vendor.calls["submit"]) == ("quantum", 1)  # 75 s are left to ask
    assert made.provenance["angles"] == [*json.loads(row["gammas"]), *json.loads(row["betas"])]
    assert len(_rows(made, part="history")) == row["evaluations"]
    assert made.notes["training"] == guard(())
    later = sampling.quantum_jobs(plan, "", "asked", problem, session, checkpoints)  # a run with time goes on
    whole = sampling.quantum_jobs(plan, "", "asked", problem, session, Checkpoints(checkpoints.folder / "other"))
    assert later.table.equals(whole.table)
    assert later.provenance["ending"] == "The budget of 40 evaluations is used up."
    kept = {path.name: path.read_bytes() for path in checkpoints.folder.glob("*.json")}
    assert samples().table.equals(made.table)  # as it was trained then, whatever is known by now
    for path in checkpoints.folder.glob("*.json"):
        assert path.read_bytes() == kept[path.name]
        path.unlink()
    assert samples().table.equals(made.table)


def test_a_deadline_halts_both_stages_and_with_no_time_left_nothing_is_asked(
    place: Place, problem: pa.Table, solutions: pa.Table
) -> None:
    _, vendor, checkpoints = place
    clock = Ticking(runs=False)
    session, guard = _hurried(place, clock)
    clock.advance(300.0)
    jobs = sampling.quantum_jobs(PLAN, "", "asked", problem, session, checkpoints, guard)
    assert jobs.provenance["ending"] == jobs.provenance["refinement_ending"] == guard(())
    assert jobs.table["evaluations"].to_pylist() == [1]
    assert refined_in(jobs.table).history == ()
    made = sampling.quantum_samples(PLAN, "", "asked", problem, solutions, loaded(jobs), session, checkpoints)
    assert made.provenance["path"] == "none"
    assert "no time is left of the decision's deadline of 400 s" in made.provenance["path_reasons"][0]
    assert vendor.calls["submit"] == 0


def test_a_deadline_that_is_not_reached_changes_nothing(place: Place, problem: pa.Table, tmp_path: Path) -> None:
    session, guard = _hurried(place, ManualClock())
    jobs = sampling.quantum_jobs(PLAN, "", "ideal", problem, session, place[2], guard)
    assert jobs.table.equals(_jobs((place[0], place[1], Checkpoints(tmp_path / "other")), problem, PLAN, "ideal").table)


def test_provenance_names_the_loop_profile(place: Place, problem: pa.Table) -> None:
    made = provenance_of(loaded(_jobs(place, problem)))
    assert made["loop_profile"] == "refines"
    assert made["loop_profile_fingerprint"] == REFINES.fingerprint
