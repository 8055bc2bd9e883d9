"""Pauses grow, are jittered, bounded and the same everywhere; calls that only read are repeated as the policy says."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st
from stamina.instrumentation import LoggingOnRetryHook

from quantum_assets.contracts.errors import PlanError, ProviderError
from quantum_assets.contracts.failure import Action, Failure, FailurePolicy, Rule
from quantum_assets.execution.classify import classify
from quantum_assets.execution.pause import Pauses, Retries
from quantum_assets.execution.policy import read_policy
from quantum_assets_tests.execution.clocks import ManualClock

POLICY = read_policy()


@pytest.fixture(autouse=True)
def _quiet_stamina() -> Any:
    """Stamina's own log line goes where a test can read it."""
    stamina.instrumentation.set_on_retry_hooks([LoggingOnRetryHook])
    yield
    stamina.instrumentation.set_on_retry_hooks(None)


def rule(backoff: float = 2.0, at_most: int = 3, **fields: Any) -> Rule:
    return Rule(name="busy", action=Action.RETRY, mend="Wait", backoff_seconds=backoff, at_most=at_most, **fields)


class Failing:
    """Raises what it is told, one a call, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


class Slow(Exception):
    """A 429 with its Retry-After."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("Too Many Requests")
        self.status_code = 429
        self.retry_after = retry_after


def retries(clock: ManualClock, **fields: Any) -> Retries:
    return Retries(policy=fields.pop("policy", POLICY), clock=clock, **fields)


# --------------------------------------------------------------------------------------------------------- pauses


def test_the_bound_doubles_until_the_longest() -> None:
    pauses = Pauses(longest=10)
    assert [pauses.bound(rule(), tries) for tries in (1, 2, 3, 4, 5, 2000)] == [2, 4, 8, 10, 10, 10]


@given(
    backoff=st.floats(0, 1e6),
    tries=st.integers(1, 10_000),
    key=st.text(max_size=40),
    retry_after=st.none() | st.floats(-10, 1e9),
    longest=st.floats(0.001, 1e6),
)
def test_a_pause_is_bounded_repeatable_and_never_undercuts(backoff, tries, key, retry_after, longest) -> None:
    pauses = Pauses(longest)
    pause = pauses.before(rule(backoff), tries, key=key, retry_after=retry_after)
    assert 0 <= pause <= longest
    assert pause >= min(retry_after or 0, longest)
    assert pause <= max(retry_after or 0, 0) + pauses.bound(rule(backoff), tries)
    assert pause == Pauses(longest).before(rule(backoff), tries, key=key, retry_after=retry_after)


def test_jitter_is_full_and_spreads_a_herd() -> None:
    pauses = Pauses()
    drawn = [pauses.before(rule(8), 1, key=f"ticket-{number}") for number in range(2000)]
    assert len(set(drawn)) == len(drawn)
    # mean of 2,000 uniform draws in [0, 8]: 4 with a standard error of 0.052
    assert abs(sum(drawn) / len(drawn) - 4) < 0.3
    assert min(drawn) < 0.1
    assert max(drawn) > 7.9
    after = [pauses.before(rule(8), 1, key=f"ticket-{number}", retry_after=30) for number in range(100)]
    assert min(after) >= 30
    assert len(set(after)) == len(after)


def test_another_try_or_seed_draws_another_pause() -> None:
    assert Pauses().before(rule(), 1, key="a") != Pauses(seed=1).before(rule(), 1, key="a")
    assert Pauses().before(rule(), 1, key="a") * 2 != Pauses().before(rule(), 2, key="a")


def test_nonsense_is_refused() -> None:
    for longest in (0.0, -1.0, float("inf"), float("nan")):
        with pytest.raises(PlanError, match=r"Pauses\.longest"):
            Pauses(longest)
    with pytest.raises(PlanError, match="tries: is 0"):
        Pauses().before(rule(), 0)


# -------------------------------------------------------------------------------------------------------- retries


def test_passing_trouble_is_repeated_and_the_pauses_pass_on_the_clock() -> None:
    clock, noted = ManualClock(), list[tuple[Failure, float]]()
    asked = Failing(ConnectionResetError("reset"), TimeoutError("slow"))
    answer = retries(clock).call(
        asked, provider="ibm", phase="status", key="t1", noted=lambda failure, seconds: noted.append((failure, seconds))
    )
    assert (answer, asked.calls) == ("answer", 3)
    network = classify(ConnectionResetError(), provider="ibm", phase="status", policy=POLICY).rule
    assert clock.sleeps == [Pauses().before(network, tries, key="t1") for tries in (1, 2)]
    assert [(failure.rule.name, seconds) for failure, seconds in noted] == [("network", s) for s in clock.sleeps]


@pytest.mark.parametrize(
    "error",
    [ValueError("unknown"), PlanError("a", "b", "c"), ProviderError("ibm", "cannot", "Choose another")],
    ids=lambda error: type(error).__name__,
)
def test_what_is_not_to_be_repeated_comes_out_at_once(error) -> None:
    clock, asked = ManualClock(), Failing(error, error)
    with pytest.raises(type(error)) as caught:
        retries(clock).call(asked, provider="ibm", phase="fetch")
    assert caught.value is error
    assert (asked.calls, clock.sleeps) == (1, [])


def test_each_rule_bounds_its_own_repetitions_and_the_last_error_comes_out() -> None:
    policy = FailurePolicy(
        rules=(rule(at_most=2, text="busy"), rule(at_most=1, text="slow").model_copy(update={"name": "slow"}),
               Rule(name="rest", action=Action.FALL_BACK, mend="Read"))
    )  # fmt: skip
    errors = [RuntimeError("busy 1"), RuntimeError("slow 1"), RuntimeError("busy 2"), RuntimeError("busy 3")]
    asked = Failing(*errors, RuntimeError("not reached"))
    with pytest.raises(RuntimeError, match="busy 3"):
        retries(ManualClock(), policy=policy).call(asked, provider="ibm", phase="fetch")
    assert asked.calls == 4


def test_retry_after_is_kept_and_a_long_one_is_left_to_the_next_turn() -> None:
    clock = ManualClock()
    policy = FailurePolicy(rules=(rule(backoff=1, status=(429,)), Rule(name="rest", action=Action.FATAL, mend="Read")))
    assert retries(clock, policy=policy).call(Failing(Slow(7)), provider="ibm", phase="status") == "answer"
    assert 7 <= clock.sleeps[0] <= 8

    asked = Failing(Slow(7), Slow(100))
    with pytest.raises(Slow):
        retries(clock, policy=policy).call(asked, provider="ibm", phase="status")
    assert asked.calls == 2
    assert len(clock.sleeps) == 2


def test_patience_is_for_the_whole_call() -> None:
    clock = ManualClock()
    policy = FailurePolicy(rules=(rule(backoff=0, at_most=100),))
    with pytest.raises(Slow):
        retries(clock, policy=policy, patience=25).call(Failing(*[Slow(10)] * 9), provider="ibm", phase="status")
    assert clock.sleeps == [10, 10]


def test_a_submission_is_never_repeated_in_the_call() -> None:
    asked = Failing()
    with pytest.raises(PlanError, match="Look its order key up"):
        retries(ManualClock()).call(asked, provider="ibm", phase="submit")
    assert asked.calls == 0


def test_the_hidden_context_that_tells_the_status_is_not_lost() -> None:
    class Coded(Exception):
        status_code = 409

    def ask() -> None:
        try:
            raise Coded("conflict")  # noqa: TRY301
        except Coded:
            raise RuntimeError("could not") from None

    def inside_another_handler() -> None:
        try:
            raise KeyError("before")  # noqa: TRY301
        except KeyError:
            retries(ManualClock()).call(ask, provider="ibm", phase="status")

    for call in (ask, inside_another_handler):
        with pytest.raises(RuntimeError) as caught:
            call()
        assert isinstance(caught.value.__context__, Coded)
        assert classify(caught.value, provider="ibm", phase="status", policy=POLICY).rule.name == "conflict"


def test_staminas_log_line_holds_no_secret(monkeypatch, caplog) -> None:
    monkeypatch.setenv("VENDOR_TOKEN", "tok-5f2e9a77c1d04b")
    asked = Failing(ConnectionResetError("reset while sending tok-5f2e9a77c1d04b"))
    with caplog.at_level(logging.WARNING, "stamina"):
        retries(ManualClock()).call(asked, provider="ibm", phase="status")
    (record,) = caplog.records
    assert record.message == "stamina.retry_scheduled"
    assert "network: reset while sending" in str(record.__dict__)
    assert "tok-5f" not in str(record.__dict__)


def test_it_obeys_staminas_switches() -> None:
    clock, error = ManualClock(), ConnectionResetError("reset")
    with stamina.set_testing(True, attempts=2), pytest.raises(ConnectionResetError):
        retries(clock).call(Failing(*[error] * 5), provider="ibm", phase="status")
    stamina.set_active(False)
    try:
        asked = Failing(error)
        with pytest.raises(ConnectionResetError):
            retries(clock).call(asked, provider="ibm", phase="status")
        assert asked.calls == 1
    finally:
        stamina.set_active(True)


def test_interrupts_pass_through() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    call: Callable[[], None] = interrupted
    with pytest.raises(KeyboardInterrupt):
        retries(ManualClock()).call(call, provider="ibm", phase="fetch")
