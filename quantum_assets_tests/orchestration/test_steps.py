"""The border to Dagster: our errors become failures that say what to mend, and no secret crosses it."""

import dagster as dg
import pyarrow as pa
import pytest

from quantum_assets.contracts.columns import Column, TableContract
from quantum_assets.contracts.errors import PlanError, ProviderError, UnderWay
from quantum_assets.orchestration.steps import step
from quantum_assets.orchestration.stored import Stored

CONTRACT = TableContract("toy/v1", (Column("n", "int64", "A number."),))


def _fails(error: BaseException) -> Stored:
    raise error


def test_a_result_knows_when_its_step_began_and_its_version_is_its_content() -> None:
    stored = Stored(pa.table({"n": [1]}), CONTRACT, {}, notes={"said": "a word"})
    first, second = step(lambda: stored), step(lambda: stored)
    assert first.value.started_at > 1_600_000_000_000
    assert first.data_version == second.data_version
    assert first.metadata is not None
    assert "said" in first.metadata


@pytest.mark.parametrize(
    ("error", "retries"), [(PlanError("a", "b", "c"), False), (ProviderError("a", "b", "c"), True)]
)
def test_our_errors_tell_culprit_problem_and_mend(error: Exception, retries: bool) -> None:
    with pytest.raises(dg.Failure) as caught:
        step(lambda: _fails(error))
    told = {name: value.value for name, value in caught.value.metadata.items()}
    assert told == {"culprit": "a", "problem": "b", "mend": "c", "kind": type(error).__name__}
    assert caught.value.allow_retries is retries
    assert caught.value.__cause__ is error


def test_only_a_provider_that_says_so_is_asked_again() -> None:
    with pytest.raises(dg.RetryRequested):
        step(lambda: _fails(ProviderError("a", "b", "c", True)))


def test_patience_and_errors_of_others_pass_through() -> None:
    for error in (UnderWay("a", "b", "c", True), ZeroDivisionError("by zero"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught:
            step(lambda error=error: _fails(error))  # type: ignore[misc]
        assert caught.value is error


def test_an_error_with_a_secret_in_it_stays_behind() -> None:
    secret = "postgresql://me:hunter2@db/ledger"
    with pytest.raises(dg.Failure) as caught:
        step(lambda: _fails(ValueError(f"cannot open {secret}")))
    assert "hunter2" not in str(caught.value.description)
    assert caught.value.__cause__ is None
