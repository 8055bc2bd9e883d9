"""Small optimisation studies through a real Dagster instance: every partition is decided, whatever the backend does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import quantum_assets
from quantum_assets.contracts.tables import CONTRACTS
from quantum_assets.store.home import Home
from quantum_assets.store.store import Store
from quantum_assets_tests.components.small_optimization import ROUTES, STOCKS, Decided, Load, failure_of, loading

QUBO = "i,j,value\n0,0,-1\n1,1,-1\n2,2,-1.5\n0,1,2\n1,2,0.5\n"


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    with loading(tmp_path) as made:
        yield made


def _published(study: Decided, **partition: str) -> dict[str, Any]:
    table = quantum_assets.load(f"{study.name}/decision", home=study.home, **partition)
    (row,) = table[table["published"]].to_dict("records")
    return row  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decided]:
    """Routes decided under every profile: two healthy ones, a broken one without and one with a fallback."""
    with loading(tmp_path_factory.mktemp("routes")) as load:
        study = load(ROUTES)
        for profile in ROUTES["profiles"]:
            result = study.run(profile)
            assert result.success, failure_of(result)
            blocking = [e for e in result.get_asset_check_evaluations() if e.severity.value == "ERROR"]
            assert blocking
            assert all(evaluation.passed for evaluation in blocking), [e for e in blocking if not e.passed]
        yield study


def test_every_profile_has_a_feasible_decision(routes: Decided) -> None:
    rows = {profile: _published(routes, profile=profile) for profile in ROUTES["profiles"]}
    assert {row["violations"] for row in rows.values()} == {0}
    assert {row["by"] for row in rows.values()} == {"ensemble"}
    # eight candidates: the classical side proves the optimum, and a tie goes to it
    assert {row["path"] for row in rows.values()} == {"classical"}
    assert {row["gap_to_bound"] for row in rows.values()} == {0}
    assert "is as good as quantum" in rows["ideal"]["reasons"]


def test_a_failing_provider_leaves_a_decision_with_the_reason(routes: Decided) -> None:
    reasons = _published(routes, profile="broken")["reasons"]
    assert "ensemble without quantum: there is no answer" in reasons
    assert "nowhere" in reasons
    assert routes.provenance("quantum_samples", profile="broken")["path"] == "none"
    assert quantum_assets.load("small/attribution", home=routes.home, profile="broken").empty
    assert routes.provenance("attribution", profile="broken")["finding"] == "no samples"


def test_a_fallback_is_no_quantum_answer(routes: Decided) -> None:
    reasons = _published(routes, profile="saved")["reasons"]
    assert "the quantum path did not answer" in reasons
    assert "nowhere" in reasons
    assert routes.provenance("quantum_samples", profile="saved")["path"] == "classical"
    for asset in ("attribution", "decision"):
        assert str(routes.provenance(asset, profile="saved")["finding"]).startswith("of the fallback's samples: ")
    assert str(routes.provenance("decision", profile="ideal")["finding"]) in ("above", "not told apart from", "below")
    assert not quantum_assets.load("small/attribution", home=routes.home, profile="saved").empty


def test_everything_stored_follows_a_contract_and_knows_its_software(routes: Decided) -> None:
    store = Store(Home(routes.home).store)
    for asset, partition in store.assets():
        commit = store.find(asset, partition)
        assert commit.contract in CONTRACTS
        assert commit.provenance["environment"]["qiskit"]
    assert len(routes.versions) == 3 + 4 * len(ROUTES["profiles"])


def test_samples_are_recomputed_and_the_ladder_has_every_rung(routes: Decided) -> None:
    frame = quantum_assets.load("small/quantum_samples", home=routes.home, profile="ideal")
    samples, history = frame[frame["part"] == "sample"], frame[frame["part"] == "history"]
    assert samples["count"].sum() == 200  # an exact profile names no shots: those of the study
    assert samples["energy"].is_monotonic_increasing
    assert samples["probability"].between(0, 1).all()
    assert len(history) == 15
    assert {len(json.loads(angles)) for angles in history["angles"]} == {2}
    ladder = quantum_assets.load("small/attribution", home=routes.home, profile="ideal")
    found = {(row["rung"], row["stage"]) for row in ladder.to_dict("records")}
    assert {rung for rung, _ in found} == {"uniform", "product", "sampler", "greedy"}
    assert {("sampler", "raw"), ("sampler", "repaired"), ("product", "repaired")} <= found
    solutions = quantum_assets.load("small/classical_solutions", home=routes.home)
    assert (solutions["state"] == "ran").sum() >= 3
    assert solutions["proven"].any()
    problem = quantum_assets.load("small/problem", home=routes.home)
    assert (problem["part"] == "variable").sum() == 8


def test_materialising_again_changes_no_digest_and_trains_no_more(routes: Decided) -> None:
    first = routes.versions
    (state,) = (routes.home / "training").iterdir()  # one question, whatever the profile
    written = state.stat().st_mtime_ns
    assert routes.run("sampled").success
    assert routes.versions == first
    assert [path.name for path in (routes.home / "training").iterdir()] == [state.name]
    assert state.stat().st_mtime_ns == written


def test_a_deadline_that_is_over_leaves_a_classical_decision_with_the_reason(load: Load) -> None:
    """A run takes longer than a millisecond to begin: training stops at its start, and nothing is asked."""
    study = load({**ROUTES, "profiles": ["ideal"], "policy": {"deadline_seconds": 0.001}}, "hurried")
    result = study.run("ideal")
    assert result.success, failure_of(result)
    assert (
        "deadline of 0.001 s leaves 0.0005625 s for training"
        in study.provenance("quantum_jobs", profile="ideal")["ending"]
    )
    jobs = quantum_assets.load("hurried/quantum_jobs", home=study.home, profile="ideal")
    assert jobs["evaluations"].tolist() == [1]
    assert (jobs["value"] == jobs["start_value"]).all()
    row = _published(study, profile="ideal")
    assert (row["path"], row["violations"]) == ("classical", 0)
    assert "no time is left of the decision's deadline of 0.001 s" in row["reasons"]


@pytest.mark.slow
def test_a_month_is_prepared_decided_and_judged(load: Load) -> None:
    study = load(STOCKS, "stocks")
    for month in ("2020-01", "2020-02"):
        result = study.run(month, "problem_job")
        assert result.success, failure_of(result)
        for profile in ("ideal", "sampled"):
            result = study.run(f"{month}|{profile}")
            assert result.success, failure_of(result)
            assert all(e.passed for e in result.get_asset_check_evaluations() if e.severity.value == "ERROR")
    result = study.run("2020-02", "outcome_job")
    assert result.success, failure_of(result)
    folders = {path.name for path in Home(study.home).store.rglob("profile=*")}
    assert folders == {"profile=ideal", "profile=sampled"}
    assert {path.parent.name for path in Home(study.home).store.rglob("profile=*")} == {
        "period=2020-01",
        "period=2020-02",
    }
    row = _published(study, period="2020-02", profile="sampled")
    assert row["violations"] == 0
    assert row["bits"].count("1") == 2
    samples = quantum_assets.load("stocks/quantum_samples", home=study.home, period="2020-01", profile="ideal")
    bits = samples[samples["part"] == "sample"]["bits"]
    assert {word.count("1") for word in bits} == {2}  # the xy mixer keeps the number of ones, and so do the controls
    controls = study.provenance("attribution", period="2020-01", profile="ideal")["controls"]
    assert controls["product"] == "product of its marginals, given 2 ones"
    outcome = quantum_assets.load("stocks/outcome", home=study.home, period="2020-02")
    _check_outcome(outcome, row)
    before = study.provenance("outcome", period="2020-02")["before"]
    assert set(before) == {"ideal", "sampled"}
    first = study.versions
    for job, key in (("problem_job", "2020-02"), ("job", "2020-02|sampled"), ("outcome_job", "2020-02")):
        assert study.run(key, job).success
    assert study.versions == first


def _check_outcome(outcome: pd.DataFrame, published: dict[str, Any]) -> None:
    lines = {(row["profile"], row["path"]): row for row in outcome.to_dict("records")}
    assert set(lines) == {
        *((profile, path) for profile in ("ideal", "sampled") for path in ("published", "quantum", "classical")),
        ("", "equal_weight"),
    }
    tickers = STOCKS["problem"]["tickers"]
    held = [name for name, bit in zip(tickers, published["bits"], strict=True) if bit == "1"]
    assert lines["sampled", "published"]["held"].split() == held
    assert lines["", "equal_weight"]["held"].split() == tickers
    assert 0 <= lines["", "equal_weight"]["turnover"] < 0.2  # rebalancing of what is held already
    assert outcome["days"].unique().tolist() == [19]  # trading days of February 2020
    assert outcome["complete"].all()


def test_an_outcome_without_a_decision_is_refused(load: Load) -> None:
    step, message = failure_of(load(STOCKS, "stocks").run("2020-02", "outcome_job"))
    assert step == "stocks__outcome"
    assert "has no decision to judge" in message


def test_a_qubo_of_the_users_own_is_decided(load: Load) -> None:
    attributes = {**ROUTES, "problem": {"kind": "qubo_file", "path": "mine.csv"}, "profiles": ["ideal"]}
    study = load(attributes, "mine", {"mine.csv": QUBO})
    result = study.run("ideal")
    assert result.success, failure_of(result)
    row = _published(study, profile="ideal")
    assert row["bits"] == "101"
    assert row["objective"] == pytest.approx(-2.5)
    assert row["gap_to_bound"] == 0


def test_a_source_that_changed_since_the_problem_was_stored_is_refused(load: Load) -> None:
    attributes = {**ROUTES, "problem": {"kind": "qubo_file", "path": "mine.csv"}, "profiles": ["ideal"]}
    study = load(attributes, "mine", {"mine.csv": QUBO})
    assert study.run("ideal").success
    stored = study.versions
    (study.folder / "mine.csv").write_text(QUBO.replace("-1.5", "-1.25"))
    step, message = failure_of(study.run("ideal", "collect"))
    assert step == "mine__quantum_samples"
    for word in ("study mine: problem", "its source now gives", "Materialise problem again"):
        assert word in message
    assert study.versions == stored
    assert study.run("ideal").success
    assert _published(study, profile="ideal")["objective"] == pytest.approx(-2.25)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ({"kind": "qubo_file", "path": "mine.csv"}, ["mine.csv: line 2", "-1"]),
        ({"kind": "max_cut", "graph": "karat"}, ["karat", "karate"]),
        ({"kind": "delivery_routes", "cities": 99}, ["99"]),
    ],
)
def test_bad_input_stops_the_first_step_with_nothing_stored(
    load: Load, problem: dict[str, Any], words: list[str]
) -> None:
    study = load({**ROUTES, "problem": problem}, files={"mine.csv": "i,j,value\n-1,0,1\n"})
    step, message = failure_of(study.run("ideal"))
    assert step == "small__problem"
    for word in words:
        assert word in message
    assert not study.versions


def test_more_variables_than_the_exact_engine_takes_are_refused_before_any_circuit(load: Load) -> None:
    """Every pair of forty variables has a weight of its own, so that nothing can be eliminated."""
    weights = iter(np.random.default_rng(0).normal(size=40 * 40).tolist())
    dense = "".join(f"{i},{j},{next(weights)}\n" for i in range(40) for j in range(i + 1, 40))
    attributes = {**ROUTES, "problem": {"kind": "qubo_file", "path": "dense.csv"}, "profiles": ["ideal"]}
    study = load(attributes, files={"dense.csv": f"i,j,value\n{dense}"})
    step, message = failure_of(study.run("ideal"))
    assert step == "small__problem"
    for word in ("dense", "40 variables", "16", "quantum.narrowing: freeze"):
        assert word in message
    assert not (study.home / "training").exists()


def test_a_study_that_freezes_decides_all_of_the_instance_and_tells_the_subspace(load: Load) -> None:
    quantum = {**ROUTES["quantum"], "most_variables": 4, "narrowing": "freeze"}
    problem = {"kind": "independent_set", "graph": "petersen"}
    study = load({**ROUTES, "problem": problem, "quantum": quantum, "profiles": ["ideal"]})
    result = study.run("ideal")
    assert result.success, failure_of(result)
    row = _published(study, profile="ideal")
    assert (len(row["bits"]), row["violations"]) == (10, 0)
    samples = quantum_assets.load("small/quantum_samples", home=study.home, profile="ideal")
    assert {len(word) for word in samples[samples["part"] == "sample"]["bits"]} == {4}
    made = study.provenance("attribution", profile="ideal")
    assert made["quantum_step"] == "4 of 10 variables: 6 frozen at the greedy row, a heuristic"
    assert (made["subspace"]["rows"], made["subspace"]["name"]) == (16, "petersen frozen to 4 of 10")


def test_a_wide_instance_is_reduced_and_decided_in_full(load: Load) -> None:
    quantum = {**ROUTES["quantum"], "most_variables": 8}
    problem = {"kind": "max_cut", "graph": "petersen"}
    study = load({**ROUTES, "problem": problem, "quantum": quantum, "profiles": ["ideal"]})
    result = study.run("ideal")
    assert result.success, failure_of(result)
    row = _published(study, profile="ideal")
    assert (len(row["bits"]), row["objective"]) == (10, 12)
    samples = quantum_assets.load("small/quantum_samples", home=study.home, profile="ideal")
    assert {len(word) for word in samples[samples["part"] == "sample"]["bits"]} == {8}
