"""The checks of a study must fail on what they are for."""

import pyarrow as pa
import pytest

from quantum_assets.components import kernel_study_checks as checks
from quantum_assets.contracts.study import Protocol
from quantum_assets.orchestration.checks import CheckOutcome
from quantum_assets.orchestration.stored import with_origin


class Plan:
    """As much of a plan as the verdict check looks at."""

    name = "toy"
    protocol = Protocol()


def _verdict(**columns: list[object]) -> pa.Table:
    rows: dict[str, list[object]] = {
        "rival": ["svm_rbf", "majority"],
        "family": ["classical", "floor"],
        "difference": [0.2, 0.4],
        "low": [0.1, 0.3],
        "p_holm": [0.01, 0.001],
        "verdict": ["benefit", "benefit"],
    }
    return pa.table(rows | columns)


def test_benefit_needs_every_rival_beaten() -> None:
    check = checks.word_follows_from_tests(Plan())  # type: ignore[arg-type]
    assert check(_verdict()).passed
    assert not check(_verdict(p_holm=[0.2, 0.001])).passed
    assert not check(_verdict(low=[-0.1, 0.3])).passed
    assert not check(_verdict(difference=[0.001, 0.4])).passed
    assert not check(_verdict(verdict=["benefit", "no evidence of benefit"])).passed
    humble = ["no evidence of benefit", "no evidence of benefit"]
    assert check(_verdict(p_holm=[0.9, 0.9], verdict=humble)).passed


def test_models_must_share_folds_and_budget() -> None:
    rows = {"model": ["a", "a", "b", "b"], "family": ["quantum"] * 2 + ["classical"] * 2, "repeat": [0, 0, 0, 0]}
    good = pa.table(rows | {"fold": [0, 1, 0, 1], "tried": [5, 5, 5, 5]})
    assert checks.every_model_saw_the_same_folds(good).passed
    assert checks.every_tuned_model_had_the_same_budget(good).passed
    assert not checks.every_model_saw_the_same_folds(pa.table(rows | {"fold": [0, 1, 0, 2], "tried": [5] * 4})).passed
    assert not checks.every_tuned_model_had_the_same_budget(
        pa.table(rows | {"fold": [0, 1, 0, 1], "tried": [5, 5, 6, 5]})
    ).passed


def test_a_split_without_judged_rows_or_with_a_row_twice_fails() -> None:
    good = {
        "split": ["full", "full", "r0f0", "r0f0"],
        "sample_id": ["a", "b", "a", "b"],
        "train": [True, True, True, False],
    }
    assert checks.judged_rows_are_not_fitted(pa.table(good)).passed
    assert not checks.judged_rows_are_not_fitted(pa.table(good | {"train": [True] * 4})).passed
    assert not checks.judged_rows_are_not_fitted(pa.table(good | {"sample_id": ["a", "b", "a", "a"]})).passed


def test_one_class_fails() -> None:
    assert checks.has_two_classes(pa.table({"label": ["a", "b"]})).passed
    assert not checks.has_two_classes(pa.table({"label": ["a", "a"]})).passed


@pytest.mark.parametrize(
    ("provenance", "passed"),
    [
        ({"profile_differences": [], "crosscheck_difference": 1e-15}, True),
        ({"profile_differences": [], "crosscheck_zscore": 2.0}, True),
        ({"profile_differences": ["shots: asked for 10, ran with 9"], "crosscheck_difference": 0.0}, False),
        ({"profile_differences": [], "crosscheck_difference": 1e-3}, False),
        ({"profile_differences": [], "crosscheck_zscore": 9.0}, False),
        ({"profile_differences": []}, False),
        ({}, False),
    ],
)
def test_what_ran_must_be_what_was_asked_and_recomputed(provenance: dict[str, object], passed: bool) -> None:
    table = with_origin(pa.table({"k": [1.0]}), "v", provenance)
    assert checks.ran_as_requested(table).passed is passed


def test_circuit_estimates_are_reported_and_not_failed() -> None:
    failing = checks.unless_circuits(lambda table: CheckOutcome(False, "skew", {}))
    circuits = with_origin(pa.table({"k": [1.0]}), "v", {"estimator": "circuits"})
    exact = with_origin(pa.table({"k": [1.0]}), "v", {"estimator": "exact"})
    assert failing(circuits).passed
    assert "not mended" in failing(circuits).description
    assert not failing(exact).passed
