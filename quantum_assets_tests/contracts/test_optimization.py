"""An optimisation study as data: foreign and missing fields are named, months are counted, a policy ends safely."""

from typing import Any

import pytest
from pydantic import ValidationError

from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.optimization import DecisionPolicy, LoopSpec, Periods, ProblemSpec, QuantumSpec
from quantum_assets.contracts.profile import Guardrails

WHOLE: list[dict[str, Any]] = [
    {"kind": "portfolio", "choose": 2, "tickers": ("AAPL", "GE"), "risk_aversion": 0, "look_back": 60},
    {"kind": "max_cut", "graph": "karate"},
    {"kind": "independent_set", "graph": "karate"},
    {"kind": "delivery_routes"},
    {"kind": "delivery_routes", "cities": 6, "capacity": 20, "candidates": 8},
    {"kind": "shift_schedule"},
    {"kind": "qubo_file", "path": "q.csv", "form": "ising", "sense": "maximise"},
    {"kind": "qubo_file", "path": "q.csv", "n_variables": 5, "duplicates": "sum"},
    {"kind": "labs", "length": 8},
]


@pytest.mark.parametrize("fields", WHOLE, ids=lambda fields: " ".join(fields.values() and map(str, fields.values())))
def test_each_kind_takes_its_own_fields(fields: dict[str, Any]) -> None:
    assert ProblemSpec(**fields).model_dump(exclude_none=True) == fields


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "max_cut", "graph": "karate", "choose": 3}, ["choose is no field of a max_cut", "it takes graph"]),
        ({"kind": "labs", "length": 8, "graph": "karate", "path": "q.csv"}, ["graph, path is no field of a labs"]),
        ({"kind": "shift_schedule", "length": 8}, ["length is no field of a shift_schedule", "it takes none"]),
        ({"kind": "portfolio"}, ["a portfolio needs choose"]),
        ({"kind": "qubo_file"}, ["a qubo_file needs path"]),
        ({"kind": "max_cut"}, ["a max_cut needs graph"]),
        ({"kind": "labs"}, ["a labs needs length"]),
        ({"kind": "tsp"}, ["kind", "shift_schedule"]),
        ({"kind": "portfolio", "choose": 0}, ["choose", "greater than or equal to 1"]),
        ({"kind": "delivery_routes", "candidates": 40}, ["candidates", "less than or equal to 24"]),
        ({"kind": "portfolio", "choose": 2, "risk_aversion": float("nan")}, ["risk_aversion"]),
        ({"kind": "max_cut", "graf": "karate"}, ["graf"]),
        ({"kind": "portfolio", "choose": 1, "tickers": ()}, ["tickers names 0 assets", "at least 2"]),
        ({"kind": "portfolio", "choose": 1, "tickers": ("GE",)}, ["tickers names 1 assets", "leave it out for all"]),
        ({"kind": "portfolio", "choose": 2, "tickers": ("GE", "KO", "GE")}, ["tickers names 'GE' twice", "keep one"]),
        (
            {"kind": "portfolio", "choose": 3, "tickers": ("GE", "KO")},
            ["choose is 3, and tickers names 2 assets", "from 1 to 2"],
        ),
        ({"kind": "portfolio", "choose": 2, "mean": "Guess"}, ["mean", "Guess", "ShrunkMu"]),
        ({"kind": "portfolio", "choose": 2, "covariance": "Guess"}, ["covariance", "Guess", "LedoitWolf"]),
        ({"kind": "qubo_file", "path": "q.csv", "n_variables": 0}, ["n_variables", "greater than or equal to 1"]),
        ({"kind": "qubo_file", "path": "q.csv", "duplicates": "last"}, ["duplicates", "refuse", "sum"]),
        ({"kind": "labs", "length": 8, "n_variables": 9}, ["n_variables is no field of a labs"]),
    ],
)
def test_foreign_missing_and_senseless_fields_are_named(fields: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        ProblemSpec(**fields)
    for word in words:
        assert word in str(caught.value)


def test_a_loop_left_empty_is_the_exact_angles_alone() -> None:
    loop = QuantumSpec().loop
    assert (loop.profile, loop.evaluations, loop.finalists, loop.max_shots, loop.max_cost) == (None, 0, 1, None, None)
    assert LoopSpec(finalists=2).finalists == 2  # exact angles against the start, without noisy evaluations


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"evaluations": 5}, ["5 evaluations have no profile", "name one"]),
        ({"profile": "noisy", "finalists": 2}, ["profile noisy is to make 0 evaluations", "give 2 or more"]),
        ({"profile": "noisy", "evaluations": 1, "finalists": 2}, ["give 2 or more"]),
        ({"profile": "noisy", "evaluations": 9}, ["finalists is 1", "would change nothing"]),
        ({"profile": "noisy", "evaluations": 201, "finalists": 2}, ["evaluations", "less than or equal to 200"]),
        ({"finalists": 9}, ["finalists", "less than or equal to 8"]),
        ({"finalists": 0}, ["finalists", "greater than or equal to 1"]),
        ({"max_shots": 0}, ["max_shots", "greater than or equal to 1"]),
        ({"max_cost": -1}, ["max_cost", "greater than or equal to 0"]),
        ({"optimiser": "bfgs"}, ["optimiser", "cobyla"]),
        ({"patience": 1}, ["patience"]),
    ],
)
def test_a_loop_that_could_not_do_anything_is_refused(fields: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        LoopSpec(**fields)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"start": "transfer"}, ["start transfer needs transfer_variables"]),
        ({"transfer_variables": 8}, ["other starts take none"]),
        ({"start": "transfer", "transfer_variables": 8, "most_variables": 8}, ["from fewer variables to more"]),
        ({"start": "transfer", "transfer_variables": 8, "mixer": "xy_ring"}, ["start transfer goes with mixer x only"]),
        ({"warm_start": 0.1, "mixer": "xy_complete"}, ["warm_start goes with mixer x only", "xy_complete"]),
        ({"warm_start": 0.0}, ["warm_start", "greater than 0"]),
        ({"warm_start": 0.6}, ["warm_start", "less than or equal to 0.5"]),
    ],
)
def test_starts_that_do_not_fit_are_refused(fields: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        QuantumSpec(**fields)
    for word in words:
        assert word in str(caught.value)


def test_months_are_counted_over_the_turn_of_a_year() -> None:
    assert Periods(first="2020-11", last="2021-02").keys == ("2020-11", "2020-12", "2021-01", "2021-02")
    assert Periods(first="2020-12", last="2020-12").keys == ("2020-12",)
    assert len(Periods(first="2020-01", last="2021-12").keys) == 24


@pytest.mark.parametrize(
    ("first", "last", "word"),
    [("2020-13", "2021-01", "first"), ("2020-1", "2021-01", "first"), ("2021-02", "2021-01", "is before first")],
)
def test_months_that_are_none_or_out_of_order_are_refused(first: str, last: str, word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        Periods(first=first, last=last)


def test_a_policy_must_name_classical() -> None:
    with pytest.raises(ValidationError, match="order must name classical, so that every period gets a decision"):
        DecisionPolicy(order=("ensemble", "quantum"))
    with pytest.raises(ValidationError, match="order"):
        DecisionPolicy(order=())
    assert DecisionPolicy(order=("quantum", "classical")).order == ("quantum", "classical")
    assert DecisionPolicy().order == ("ensemble", "classical")


@pytest.mark.parametrize(
    "fields", [{"min_feasible": 1.5}, {"max_gap": -0.1}, {"min_samples": 0}, {"deadline_seconds": 0}]
)
def test_thresholds_out_of_range_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(fields))):
        DecisionPolicy(**fields)


@pytest.mark.parametrize("seconds", [30 * 86_400 + 1, 1e12, 1e300])
def test_a_deadline_no_calendar_holds_is_refused(seconds: float) -> None:
    with pytest.raises(ValidationError, match=r"deadline_seconds is .*30 days, 2592000 s, are the most; give fewer"):
        DecisionPolicy(deadline_seconds=seconds)
    assert DecisionPolicy(deadline_seconds=30 * 86_400).answer_seconds == 30 * 86_400 - 120


def test_the_quantum_step_has_a_budget_of_its_own() -> None:
    assert QuantumSpec().training.evaluations == 80
    assert QuantumSpec().most_variables <= Guardrails().max_qubits  # by default no reduced instance is too wide
    with pytest.raises(ValidationError, match="layers"):
        QuantumSpec(layers=17)


@pytest.mark.parametrize(
    ("deadline", "answer", "training"),
    [
        (None, None, None),
        (4.0, 3.0, 2.25),
        (480.0, 360.0, 270.0),
        (900.0, 780.0, 660.0),
        (86_400.0, 86_280.0, 86_160.0),
    ],
)
def test_the_wait_leaves_time_to_decide_and_training_time_to_ask(
    deadline: float | None, answer: float | None, training: float | None
) -> None:
    policy = DecisionPolicy(deadline_seconds=deadline)
    assert (policy.answer_seconds, policy.training_seconds) == (answer, training)


def test_a_deadline_is_no_part_of_the_question() -> None:
    """Who waits longer asks the same: what is stored and kept stays valid."""
    assert fingerprint(DecisionPolicy(deadline_seconds=900)) == fingerprint(DecisionPolicy())
    assert fingerprint(DecisionPolicy(max_gap=0.1)) != fingerprint(DecisionPolicy())
    for wrong in (0, -1, float("nan")):
        with pytest.raises(ValidationError):
            DecisionPolicy(deadline_seconds=wrong)
