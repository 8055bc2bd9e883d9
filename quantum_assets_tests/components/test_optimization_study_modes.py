"""Decisions side by side: exact shots are within chance of their state, noisy ones not, and nothing stale is shown."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

import quantum_assets
from quantum_assets.components.optimization_study import OptimizationStudy
from quantum_assets.components.optimization_study_assets import study_assets
from quantum_assets.components.optimization_study_modes import ModeTables, modes
from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.study_look import StudyLook
from quantum_assets.components.yaml_values import ClassicalYaml, ProblemYaml, QuantumYaml
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import ClassicalSpec, DecisionPolicy, Periods, ProblemSpec, QuantumSpec
from quantum_assets.orchestration.execution import EXECUTION_KEY
from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets.orchestration.mode_figures import energies_beside_exact, optima_side_by_side
from quantum_assets.orchestration.partitions import profile_partitions
from quantum_assets.orchestration.stored import Stored, with_origin
from quantum_assets.store.home import Home
from quantum_assets.store.store import Store
from quantum_assets_tests.components.small_optimization import PETERSEN, STOCKS, Decided, Load, failure_of, loading
from quantum_assets_tests.orchestration.turns import Shelf, made_together

STEPS = ("quantum_jobs", "quantum_samples", "attribution", "decision")


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    with loading(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decided]:
    """One instance decided under an exact profile, a noisy one and one whose provider does not exist."""
    with loading(tmp_path_factory.mktemp("modes")) as load:
        study = load(PETERSEN)
        for profile in PETERSEN["profiles"]:
            result = study.run(profile)
            assert result.success, failure_of(result)
        yield study


@pytest.fixture(scope="module")
def rows(decided: Decided) -> dict[str, dict[str, Any]]:
    """Rows of the stored table by profile."""
    table = quantum_assets.load("small/modes", home=decided.home)
    return {str(row["profile"]): {str(name): value for name, value in row.items()} for row in table.to_dict("records")}


def _plan(study: Decided, **changes: Any) -> OptimizationStudyPlan:
    fields = {
        **PETERSEN,
        "problem": ProblemYaml(**PETERSEN["problem"]),
        "quantum": QuantumYaml(**PETERSEN["quantum"]),
        "classical": ClassicalYaml(**PETERSEN["classical"]),
    }
    plan = OptimizationStudy(**fields).plan(study.folder, study.folder.parent / "profiles.yaml")
    return replace(plan, **changes)


def _table(study: Decided, asset: str, **partition: str) -> pa.Table:
    store = Store(Home(study.home).store)
    found = store.find((study.name, asset), partition)
    return with_origin(store.read((study.name, asset), partition), found.version, found.provenance)


def _tables(study: Decided, profile: str) -> ModeTables:
    return ModeTables(*(_table(study, name, profile=profile) for name in STEPS))


def _compared(study: Decided, plan: OptimizationStudyPlan, *profiles: str) -> Stored:
    return modes(plan, "", {name: _tables(study, name) for name in profiles}, _table(study, "problem"))


def test_every_run_lays_all_profiles_so_far_side_by_side(rows: dict[str, dict[str, Any]]) -> None:
    assert list(rows) == ["ideal", "noisy", "broken"]
    assert {row["path"] for row in rows.values()} == {"quantum", "none"}
    assert {name: row["variables"] for name, row in rows.items()} == {"ideal": 8, "noisy": 7, "broken": 8}
    assert all(row["reduced"] for row in rows.values())
    assert {row["violations"] for row in rows.values()} == {0}
    assert {row["objective"] for row in rows.values()} == {12}
    assert {row["decided_by"] for row in rows.values()} == {"ensemble"}


def test_exact_shots_are_within_chance_of_their_state(decided: Decided, rows: dict[str, dict[str, Any]]) -> None:
    row = rows["ideal"]
    assert (row["mode"], row["shots"], row["depth"]) == ("ideal", 200, 0)
    assert abs(row["energy_difference"]) < 4 * row["energy_error"]
    assert abs(row["total_variation"] - row["total_variation_expected"]) < row["total_variation_margin"]
    assert abs(row["fidelity"] - 1) < 4 * row["fidelity_error"]
    # the same distance by hand, from the exact probabilities that the provider's own state gave
    samples = quantum_assets.load("small/quantum_samples", home=decided.home, profile="ideal")
    seen = samples[samples["part"] == "sample"]
    by_hand = (np.abs(seen["count"] / 200 - seen["probability"]).sum() + 1 - seen["probability"].sum()) / 2
    assert row["total_variation"] == pytest.approx(by_hand, abs=1e-9)


def test_noise_is_told_from_chance_and_priced_in_gates(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["noisy"]
    assert (row["mode"], row["estimator"], row["provider"], row["shots"]) == ("noisy", "circuits", "aer", 512)
    assert row["depth"] > row["two_qubit_gates"] > 0
    assert row["energy_difference"] > 4 * row["energy_error"]  # noise lifts the energy
    assert row["total_variation"] > row["total_variation_expected"] + row["total_variation_margin"]
    assert row["fidelity"] < 1 - 4 * row["fidelity_error"]
    assert row["optimum_low"] <= row["optimum"] <= row["optimum_high"]
    assert row["finding"] in ("above", "not told apart from", "below")


def test_where_nobody_answered_the_reason_stands_and_no_number(rows: dict[str, dict[str, Any]]) -> None:
    row = rows["broken"]
    assert (row["path"], row["shots"], row["finding"]) == ("none", 0, "no samples")
    assert "nowhere" in row["reason"]
    assert np.isfinite(row["exact_energy"])
    missing = ("mean_energy", "energy_difference", "total_variation", "fidelity", "optimum", "gap")
    assert all(np.isnan(row[name]) for name in missing)


def test_the_page_shows_table_and_pictures(decided: Decided) -> None:
    side = _compared(decided, _plan(decided), "ideal", "noisy", "broken")
    assert side.figures["modes"].startswith(b"\x89PNG")
    assert side.figures["ladders"].startswith(b"\x89PNG")
    told = side.notes["side by side"].splitlines()
    assert told[0] == "|  | ideal | noisy | broken |"
    assert {line.count("|") for line in told if line.startswith("|")} == {5}
    assert "| **mode** | ideal, exact | noisy, circuits | nobody answered |" in told
    assert "| **spins** | 8 of 10 | 7 of 10 | 8 of 10 |" in told
    assert set(side.provenance["modes"]) == {"ideal", "noisy", "broken"}
    assert side.metrics["noisy/fidelity"] < side.metrics["ideal/fidelity"]
    assert "broken/fidelity" not in side.metrics


def test_a_profile_that_was_edited_since_is_left_out_with_the_reason(decided: Decided) -> None:
    plan = _plan(decided)
    edited = plan.profiles["noisy"].model_copy(update={"shots": 7})
    side = _compared(decided, replace(plan, profiles={**plan.profiles, "noisy": edited}), "ideal", "noisy")
    assert side.table.column("profile").to_pylist() == ["ideal"]
    assert "edited since" in side.notes["left out: noisy"]


def test_what_samples_do_not_depend_on_may_be_edited(decided: Decided) -> None:
    """More months, another policy, more time for the rivals: what was sampled still answers."""
    plan = _plan(decided)
    edited = replace(plan, policy=DecisionPolicy(max_gap=0.5), classical=ClassicalSpec(seconds=31))
    assert edited.fingerprint != plan.fingerprint
    assert _compared(decided, edited, "ideal", "noisy").table.column("profile").to_pylist() == ["ideal", "noisy"]


def test_one_more_month_leaves_the_others_question_of_samples_as_it_is() -> None:
    def over(last: str, **problem: Any) -> OptimizationStudyPlan:
        spec, months = ProblemSpec(**STOCKS["problem"] | problem), Periods(first="2020-01", last=last)
        return OptimizationStudyPlan(
            "stocks", Path(), spec, months, QuantumSpec(), ClassicalSpec(), DecisionPolicy(), {}
        )

    short, long = over("2020-03"), over("2020-04")
    assert short.fingerprint != long.fingerprint
    assert short.question_of_samples == long.question_of_samples
    assert short.question_of_samples != over("2020-03", choose=3).question_of_samples
    assert short.question_of_samples != replace(short, quantum=QuantumSpec(layers=1)).question_of_samples


def test_samples_of_another_question_problem_or_angles_are_refused(decided: Decided) -> None:
    plan, problem, ideal = _plan(decided), _table(decided, "problem"), _tables(decided, "ideal")
    other = with_origin(problem, "another", {})
    others = {
        "another question": (replace(plan, quantum=plan.quantum.model_copy(update={"seed": 3})), ideal, problem),
        "another version of problem": (plan, ideal, other),
        "other angles": (plan, replace(ideal, jobs=with_origin(ideal.jobs, "another", {})), problem),
    }
    for words, (asked, tables, instance) in others.items():
        with pytest.raises(PlanError, match=words):
            modes(asked, "", {"ideal": tables}, instance)
    with pytest.raises(PlanError, match="there are none yet"):
        modes(plan, "", {}, problem)


def test_a_ladder_and_a_decision_of_earlier_samples_are_not_shown(decided: Decided) -> None:
    ideal, noisy = _tables(decided, "ideal"), _tables(decided, "noisy")
    mixed = replace(ideal, attribution=noisy.attribution, decision=None)
    (row,) = modes(_plan(decided), "", {"ideal": mixed}, _table(decided, "problem")).table.to_pylist()
    assert (row["optimum"], row["finding"], row["objective"], row["decided_by"]) == (None, "", None, "")


def test_two_runs_that_end_together_leave_a_version_with_both(decided: Decided, tmp_path: Path) -> None:
    plan, problem, shelf = _plan(decided), _table(decided, "problem"), Shelf(tmp_path)
    over = profile_partitions(plan.name, tuple(plan.profiles))
    made = {one.key.path[-1]: one for one in study_assets(plan, StudyLook("", None, {}, "1"), None, over)}["modes"]

    def step() -> Iterator[Any]:
        resources = {STORAGE_KEY: shelf, EXECUTION_KEY: None}
        return iter(made(dg.build_asset_context(resources=resources), problem))  # type: ignore[arg-type]

    shelf.put("ideal", {name: _table(decided, name, profile="ideal") for name in STEPS})
    more = {name: _table(decided, name, profile="noisy") for name in STEPS}
    made_of = made_together(shelf, step, lambda: shelf.put("noisy", more))
    assert [one.value.table.column("profile").to_pylist() for one in made_of] == [["ideal"], ["ideal", "noisy"]]


@pytest.mark.slow
def test_a_months_profiles_are_compared_with_the_mixers_own_states(load: Load) -> None:
    study = load(STOCKS, "stocks")
    assert study.run("2020-01", "problem_job").success
    for profile in STOCKS["profiles"]:
        assert study.run(f"2020-01|{profile}").success
    result = study.run("2020-01", "modes_job")
    assert result.success, failure_of(result)
    table = quantum_assets.load("stocks/modes", home=study.home, period="2020-01")
    assert table["profile"].tolist() == ["ideal", "sampled"]
    # two of five stocks: the xy mixer reaches ten of 32 states, and its exact twin knows no others
    assert (np.abs(table["fidelity"] - 1) < 4 * table["fidelity_error"]).all()
    assert not table["reduced"].any()
    step, message = failure_of(study.run("2020-02", "modes_job"))
    assert step == "stocks__modes"
    assert "problem" in message or "none yet" in message


def test_pictures_of_nothing_are_refused() -> None:
    for draw in (energies_beside_exact, optima_side_by_side):
        with pytest.raises(PlanError, match="figure toy"):
            draw({}, "toy")
