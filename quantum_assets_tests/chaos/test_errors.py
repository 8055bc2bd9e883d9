import pytest

from quantum_assets.contracts.failure import Action
from quantum_assets.execution.classify import classify
from quantum_assets.execution.policy import read_policy
from quantum_assets_tests.chaos.errors import ERRORS, GROUPS, RETRY_AFTER, Killed


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_can_be_made_anew(name):
    first, second = ERRORS[name](), ERRORS[name]()
    assert isinstance(first, Exception)
    assert first is not second
    assert str(first)


def test_names_are_unique_over_all_groups():
    assert len(ERRORS) == sum(len(group) for group in GROUPS.values())


@pytest.mark.parametrize(("name", "status"), [("ibm_503_storm", -1), ("ibm_429", 429)])
def test_the_runtime_client_hides_the_status_behind_from_none(name, status):
    with pytest.raises(Exception, match="Failed to run program") as caught:
        raise ERRORS[name]()
    error = caught.value
    assert type(error).__name__ == "IBMRuntimeError"
    assert error.__suppress_context__
    assert error.__cause__ is None
    assert not hasattr(error, "status_code")
    assert error.__context__.status_code == status


def test_the_classes_are_the_vendors_own():
    from botocore.exceptions import ClientError
    from httpx import HTTPStatusError, ReadTimeout
    from qiskit_ibm_runtime.exceptions import IBMNotAuthorizedError, RuntimeJobTimeoutError

    assert isinstance(ERRORS["braket_throttling"](), ClientError)
    assert ERRORS["braket_throttling"]().response["Error"]["Code"] == "ThrottlingException"
    assert isinstance(ERRORS["http_read_timeout"](), ReadTimeout)
    assert isinstance(ERRORS["ibm_wait_timeout"](), RuntimeJobTimeoutError)
    assert isinstance(ERRORS["ibm_not_authorized"](), IBMNotAuthorizedError)
    limited = ERRORS["http_429"]()
    assert isinstance(limited, HTTPStatusError)
    assert limited.response.headers["retry-after"] == str(RETRY_AFTER)


ACTIONS = {
    "transient": Action.RETRY,
    "rate_limited": Action.RETRY,
    "reattach": Action.REATTACH,
    "modify": Action.MODIFY,
    "budget": Action.BUDGET,
    "fatal": Action.FATAL,
    "unknown": Action.FALL_BACK,
}


@pytest.mark.parametrize("phase", ["submit", "status", "fetch"])
@pytest.mark.parametrize("group", GROUPS)
def test_the_shipped_policy_agrees_with_the_groups(group, phase):
    policy = read_policy()
    said = {name: classify(make(), provider="paid", phase=phase, policy=policy) for name, make in GROUPS[group].items()}
    assert {name: failure.rule.action for name, failure in said.items()} == dict.fromkeys(said, ACTIONS[group])


def test_a_death_is_no_exception_that_anybody_may_catch():
    assert not issubclass(Killed, Exception)
