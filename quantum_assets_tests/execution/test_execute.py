"""One workload finds the first provider that can, and every way not to is one clear error."""

import dataclasses

import pytest

from quantum_assets.contracts.errors import PlanError, ProviderError
from quantum_assets.contracts.profile import Guardrails
from quantum_assets.execution.execute import Factory, choose, execute
from quantum_assets.trust.admit import require
from quantum_assets_tests.execution.fakes import FakeProvider, raising
from quantum_assets_tests.trust.honest import EXACT, envelope_for, states_workload

WORKLOAD = states_workload()
PROFILE = EXACT.model_copy(update={"providers": ("first", "second")})


def absent() -> FakeProvider:
    raise ModuleNotFoundError("No module named 'vendor_sdk'")


def test_the_first_supporting_provider_runs_and_nobody_else() -> None:
    first, second = FakeProvider("first"), FakeProvider("second")
    envelope = execute(WORKLOAD, PROFILE, {"second": lambda: second, "first": lambda: first})
    assert envelope.workload_fingerprint == WORKLOAD.fingerprint
    assert (len(first.runs), len(second.runs)) == (1, 0)
    assert first.runs[0] is WORKLOAD


def test_a_refusal_and_a_missing_package_pass_the_request_on() -> None:
    second = FakeProvider("second")
    for factory in (lambda: FakeProvider("first", refusal="too wide"), absent):
        assert choose(WORKLOAD, PROFILE, {"first": factory, "second": lambda: second}) is second


def test_all_refusals_are_listed_in_one_error() -> None:
    profile = EXACT.model_copy(update={"providers": ("first", "missing", "unknown")})
    providers: dict[str, Factory] = {
        "first": lambda: FakeProvider("first", refusal="it is noisy only"),
        "missing": absent,
    }
    with pytest.raises(ProviderError, match="profile ideal: no provider runs a question") as caught:
        execute(WORKLOAD, profile, providers)
    message = str(caught.value)
    assert "first: it is noisy only" in message
    assert "missing: needs a package that is not installed (No module named 'vendor_sdk')" in message
    assert "unknown: not known here (known: first, missing)" in message
    assert not caught.value.retry


def test_guardrails_come_before_any_provider_is_made() -> None:
    made: list[str] = []

    def factory() -> FakeProvider:
        made.append("first")
        return FakeProvider("first")

    tight = PROFILE.model_copy(update={"guardrails": Guardrails(max_qubits=1)})
    with pytest.raises(PlanError, match="2 qubits, the profile allows 1"):
        execute(WORKLOAD, tight, {"first": factory})
    assert made == []
    execute(WORKLOAD, PROFILE, {"first": factory})
    assert made == ["first"]


@pytest.mark.parametrize(
    ("error", "retry"),
    [(ValueError("bad shape"), False), (ConnectionError("reset"), True), (KeyError("counts"), False)],
)
def test_an_unexpected_exception_is_the_providers_with_its_cause(error: Exception, retry: bool) -> None:
    provider = FakeProvider("first", answer=raising(error))
    with pytest.raises(ProviderError, match=f"first: failed on a question with {type(error).__name__}") as caught:
        execute(WORKLOAD, PROFILE, {"first": lambda: provider})
    assert caught.value.__cause__ is error
    assert caught.value.retry is retry
    assert len(provider.runs) == 1


def test_our_own_errors_and_interrupts_pass_unchanged() -> None:
    for error in (ProviderError("first", "queue is full", "Wait", retry=True), KeyboardInterrupt()):
        provider = FakeProvider("first", answer=raising(error))
        with pytest.raises(type(error)) as caught:
            execute(WORKLOAD, PROFILE, {"first": lambda p=provider: p})
        assert caught.value is error


def test_what_is_no_envelope_is_refused() -> None:
    provider = FakeProvider("first", answer=lambda workload, profile: {"counts": {}})
    with pytest.raises(ProviderError, match="returned dict, not an envelope"):
        execute(WORKLOAD, PROFILE, {"first": lambda: provider})


def test_the_correlation_id_is_the_callers_or_a_fresh_one() -> None:
    providers: dict[str, Factory] = {"first": lambda: FakeProvider("first")}
    assert execute(WORKLOAD, PROFILE, providers, correlation_id="run-7/kernel").correlation_id == "run-7/kernel"
    fresh = {execute(WORKLOAD, PROFILE, providers).correlation_id for _ in range(3)}
    assert len(fresh) == 3
    assert "" not in fresh


def test_the_envelope_comes_back_as_claimed_and_still_has_to_be_admitted() -> None:
    forged = dataclasses.replace(envelope_for(WORKLOAD, PROFILE), crosscheck_difference=0.5)
    provider = FakeProvider("first", answer=lambda workload, profile: forged)
    envelope = execute(WORKLOAD, PROFILE, {"first": lambda: provider})
    assert envelope.data is forged.data
    with pytest.raises(Exception, match=r"cross-check difference is 0\.5"):
        require(envelope, WORKLOAD, PROFILE)
