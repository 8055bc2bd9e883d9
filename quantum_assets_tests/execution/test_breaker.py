"""A breaker opens after counted failures in a row, refuses, lets one probe through, and is one for all processes."""

import pickle
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from quantum_assets.contracts.errors import PlanError, ProviderError
from quantum_assets.contracts.failure import FailurePolicy, Phase, Rule
from quantum_assets.contracts.jobs import JobStatus
from quantum_assets.execution.breaker import BreakerOpen, Breakers, BreakerState, key_of
from quantum_assets.execution.classify import classify
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.policy import read_policy
from quantum_assets_tests.execution.clocks import START, ManualClock
from quantum_assets_tests.execution.ledger.materials import LEDGER
from quantum_assets_tests.processes import PATIENCE, clean, results

POLICY = read_policy()


class Backend:
    """Fails as told, and counts who called."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error
        self.calls = 0

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return (*args, kwargs)


def unwell() -> Backend:
    return Backend(ConnectionResetError("reset by the backend"))


def breakers(clock: ManualClock | None = None, **fields: Any) -> Breakers:
    return Breakers(Ledger("sqlite://", clock=clock or ManualClock()), **fields)


def fail(family: Breakers, times: int, backend: Backend | None = None) -> Backend:
    backend = backend or unwell()
    for _ in range(times):
        with pytest.raises(type(backend.error)):  # type: ignore[arg-type]
            family.guard("ibm", "a").call(backend)
    return backend


def opened(clock: ManualClock, **fields: Any) -> Breakers:
    family = breakers(clock, **fields)
    fail(family, family.fail_max)
    assert family.state("ibm", "a").state == "open"
    return family


def test_a_call_passes_arguments_and_answer_and_writes_nothing() -> None:
    family = breakers()
    assert family.guard("ibm", "a").call(Backend(), 1, two=2) == (1, {"two": 2})
    assert family.states() == ()
    assert family.state("ibm", "a") == BreakerState("ibm", "a", "closed", 0, None, None)
    assert family.refusal("ibm", "a") is None


def test_it_opens_after_so_many_counted_failures_in_a_row_and_alerts_once() -> None:
    clock = ManualClock()
    family = breakers(clock, fail_max=3, reset_seconds=60)
    fail(family, 2)
    family.guard("ibm", "a").call(Backend())
    fail(family, 2)
    assert family.state("ibm", "a").failures == 2
    assert family.refusal("ibm", "a") is None
    fail(family, 1)

    healthy = Backend()
    with pytest.raises(BreakerOpen) as refused:
        family.guard("ibm", "a").call(healthy)
    assert healthy.calls == 0
    assert isinstance(refused.value, ProviderError)
    assert refused.value.retry
    assert (refused.value.since, refused.value.half_opens_at) == (START, START + timedelta(seconds=60))
    assert str(refused.value) == family.refusal("ibm", "a")
    assert "ibm a: its breaker is open since 2026-11-22 12:00:00 UTC" in str(refused.value)
    assert "Wait until 12:01:00 UTC" in str(refused.value)
    (alert,) = family.ledger.alerts()
    assert alert.kind == "breaker_open"
    assert "after 3 failures in a row, the last: ibm submit network_on_submit: reset by the backend" in alert.message


def test_other_backends_and_providers_have_their_own() -> None:
    family = opened(ManualClock())
    assert family.guard("ibm", "b").call(Backend()) == ({},)
    assert family.guard("braket", "a").call(Backend()) == ({},)
    assert [(s.provider, s.backend, s.state, s.refuses) for s in family.states()] == [("ibm", "a", "open", True)]


@pytest.mark.parametrize(
    "error",
    [PlanError("circuit", "too deep", "Shorten it"), ValueError("unknown"), KeyboardInterrupt(), SystemExit(1),
     ProviderError("ibm", "not supported", "Choose another")],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_says_nothing_of_the_backend_is_neither_failure_nor_success(error) -> None:
    family = breakers(fail_max=3)
    fail(family, 2)
    fail(family, 10, Backend(error))
    assert family.state("ibm", "a").failures == 2
    assert family.state("ibm", "a").state == "closed"
    fail(family, 1)
    assert family.state("ibm", "a").state == "open"


def test_a_429_never_opens_it() -> None:
    class TooMany(Exception):
        status_code = 429

    family = breakers(fail_max=1)
    fail(family, 20, Backend(TooMany()))
    assert family.state("ibm", "a").state == "closed"


def test_the_policy_of_the_caller_decides_what_counts() -> None:
    policy = FailurePolicy(rules=(Rule(name="all", action="retry", counts_for_breaker=True, mend="Wait"),))
    family = breakers(fail_max=1, policy=policy)
    fail(family, 1, Backend(ValueError("x")))
    assert family.state("ibm", "a").state == "open"


def test_after_the_reset_time_one_probe_closes_it() -> None:
    clock = ManualClock()
    family = opened(clock, reset_seconds=60)
    clock.advance(59.9)
    with pytest.raises(BreakerOpen):
        family.guard("ibm", "a").call(Backend())
    clock.advance(0.1)
    assert family.refusal("ibm", "a") is None
    assert family.guard("ibm", "a").call(Backend()) == ({},)
    assert family.state("ibm", "a") == BreakerState("ibm", "a", "closed", 0, None, None)
    fail(family, family.fail_max - 1)
    assert family.state("ibm", "a").state == "closed"


def test_a_probe_that_fails_opens_it_again_from_then_on() -> None:
    clock = ManualClock()
    family = opened(clock, reset_seconds=60)
    clock.advance(100)
    fail(family, 1)
    state = family.state("ibm", "a")
    assert (state.state, state.since) == ("open", START + timedelta(seconds=100))
    assert state.half_opens_at == START + timedelta(seconds=160)
    assert len(family.ledger.alerts()) == 1


def test_a_probe_that_says_nothing_makes_the_next_call_the_probe() -> None:
    clock = ManualClock()
    family = opened(clock)
    clock.advance(60)
    fail(family, 1, Backend(PlanError("a", "b", "c")))
    assert family.state("ibm", "a").state == "half-open"
    assert not family.state("ibm", "a").refuses
    fail(family, 1, Backend(KeyboardInterrupt()))
    family.guard("ibm", "a").call(Backend())
    assert family.state("ibm", "a").state == "closed"


def test_several_probes_in_a_row_may_be_asked_for() -> None:
    clock = ManualClock()
    family = opened(clock, success_threshold=3)
    clock.advance(60)
    for wanted in ("half-open", "half-open", "closed"):
        family.guard("ibm", "a").call(Backend())
        assert family.state("ibm", "a").state == wanted
    family = opened(clock, success_threshold=2)
    clock.advance(60)
    family.guard("ibm", "a").call(Backend())
    fail(family, 1)
    assert family.state("ibm", "a").state == "open"
    clock.advance(60)
    family.guard("ibm", "a").call(Backend())
    assert family.state("ibm", "a").state == "half-open"


def test_while_one_probes_all_others_are_refused() -> None:
    clock = ManualClock()
    family = opened(clock)
    clock.advance(60)
    refused = list[BreakerOpen]()

    def probe() -> str:
        for _ in range(3):
            with pytest.raises(BreakerOpen) as caught:
                family.guard("ibm", "a").call(Backend())
            refused.append(caught.value)
        return "well"

    assert family.guard("ibm", "a").call(probe) == "well"
    assert len(refused) == 3
    assert family.guard("ibm", "a").call(Backend()) == ({},)


def test_a_probe_whose_process_died_loses_its_claim() -> None:
    clock = ManualClock()
    family = opened(clock, reset_seconds=60)
    clock.advance(60)
    key, row = key_of("ibm", "a"), family.ledger.breaker(key_of("ibm", "a"))
    family.ledger.set_breaker(key, expected=row.version, state="half-open", opened_at=clock.now())  # and it dies here
    clock.advance(59)
    with pytest.raises(BreakerOpen):
        family.guard("ibm", "a").call(Backend())
    clock.advance(1)
    family.guard("ibm", "a").call(Backend())
    assert family.state("ibm", "a").state == "closed"


def test_a_slow_failure_from_before_leaves_the_probe_alone() -> None:
    clock = ManualClock()
    family = breakers(clock, fail_max=2)

    def slow() -> None:
        fail(family, 2)  # others open it meanwhile
        clock.advance(60)
        family.guard("ibm", "a").call(Backend())  # and probe it well
        raise ConnectionResetError("reset at last")

    with pytest.raises(ConnectionResetError):
        family.guard("ibm", "a").call(slow)
    assert family.state("ibm", "a").state == "closed"
    assert family.state("ibm", "a").failures == 1


def test_late_failures_neither_end_anothers_probe_nor_prolong_the_pause() -> None:
    clock = ManualClock()
    family = opened(clock, fail_max=2, reset_seconds=60)
    late = classify(ConnectionResetError("reset"), provider="ibm", phase="status", policy=POLICY)
    clock.advance(30)
    family.guard("ibm", "a").count(late)
    assert family.state("ibm", "a").since == START
    clock.advance(30)

    def probe() -> None:
        family.guard("ibm", "a").count(late)
        assert family.state("ibm", "a").state == "half-open"

    family.guard("ibm", "a").call(probe)
    assert family.state("ibm", "a") == BreakerState("ibm", "a", "closed", 2, None, None)  # the two jobs
    assert len(family.ledger.alerts()) == 1


def test_the_list_of_all_counts_a_moment_in_the_future_as_now() -> None:
    clock = ManualClock()
    family = opened(clock, reset_seconds=60)
    clock.step(-3600)
    (state,) = family.states()
    assert state.half_opens_at == clock.now() + timedelta(seconds=60)


@pytest.mark.parametrize("look", ["call", "refusal", "state"])
def test_a_clock_that_steps_back_does_not_keep_it_open_for_ever(look) -> None:
    clock = ManualClock()
    family = opened(clock, reset_seconds=60)
    clock.step(-86_400)
    if look == "call":
        with pytest.raises(BreakerOpen) as refused:
            family.guard("ibm", "a").call(Backend())
        assert refused.value.half_opens_at == clock.now() + timedelta(seconds=60)
    elif look == "refusal":
        assert family.refusal("ibm", "a") is not None
    else:
        assert family.state("ibm", "a").since == clock.now()
    clock.advance(60)
    family.guard("ibm", "a").call(Backend())
    assert family.state("ibm", "a").state == "closed"


def test_jobs_that_fail_without_an_exception_count_too() -> None:
    family = breakers(fail_max=2)
    lost = classify(JobStatus("failed", "FAILED", code="1004"), provider="ibm", phase="status", policy=POLICY)
    theirs = classify(JobStatus("failed", "FAILED", code="7001"), provider="ibm", phase="status", policy=POLICY)
    for failure in (lost, theirs, theirs):
        family.guard("ibm", "a", "status").count(failure)
    assert family.state("ibm", "a").failures == 1
    family.guard("ibm", "a", "status").count(lost)
    assert family.state("ibm", "a").state == "open"
    assert "1004" in family.ledger.alerts()[0].message


def test_a_backend_that_accepts_each_job_and_fails_it_is_unwell() -> None:
    clock = ManualClock()
    family = breakers(clock, fail_max=3, reset_seconds=60)
    lost = classify(JobStatus("failed", "FAILED", code="1004"), provider="ibm", phase="status", policy=POLICY)

    def accepted_and_failed() -> None:
        family.guard("ibm", "a").call(Backend())
        family.guard("ibm", "a", "status").count(lost)

    for _ in range(2):
        accepted_and_failed()
    assert family.state("ibm", "a").state == "closed"
    accepted_and_failed()
    assert "after 3 failures in a row, the last: ibm status" in family.ledger.alerts()[0].message
    with pytest.raises(BreakerOpen):
        family.guard("ibm", "a").call(Backend())

    clock.advance(60)
    accepted_and_failed()  # the probe
    assert family.state("ibm", "a").state == "open"

    clock.advance(60)
    family.guard("ibm", "a").call(Backend())
    family.guard("ibm", "a", "fetch").call(Backend())
    assert family.state("ibm", "a") == BreakerState("ibm", "a", "closed", 0, None, None)


@pytest.mark.parametrize(("phase", "left"), [("status", 2), ("result", 2), ("fetch", 0), ("submit", 0)])
def test_that_a_status_is_told_does_not_show_that_orders_are_taken(phase: Phase, left: int) -> None:
    family = breakers()
    fail(family, 2)
    family.guard("ibm", "a", phase).call(Backend())
    assert family.state("ibm", "a").failures == left


def test_the_vendors_exception_comes_out_as_it_is() -> None:
    error = ConnectionResetError("reset")
    error.__cause__ = ValueError("inside")
    family = breakers(fail_max=1)
    with pytest.raises(ConnectionResetError) as caught:
        family.guard("ibm", "a").call(Backend(error))
    assert caught.value is error
    assert isinstance(caught.value.__cause__, ValueError)


def test_nonsense_is_refused_and_the_refusal_survives_a_pool() -> None:
    for fields in ({"fail_max": 0}, {"success_threshold": 0}, {"reset_seconds": 0}, {"reset_seconds": float("inf")}):
        with pytest.raises(PlanError, match="Breakers"):
            breakers(**fields)
    refusal = BreakerOpen("ibm", "", START, START)
    again = pickle.loads(pickle.dumps(refusal))
    assert (str(again), again.half_opens_at, again.retry) == (str(refusal), START, True)
    assert str(again).startswith("ibm: its breaker")


def test_failures_of_many_threads_are_all_counted(tmp_path) -> None:
    url, clock = f"sqlite:///{tmp_path / 'ledger.db'}", ManualClock()
    Ledger(url, clock=clock).prepare()

    def work(_: int) -> None:
        fail(Breakers(Ledger(url, clock=clock), fail_max=1000), 5)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert Breakers(Ledger(url, clock=clock)).state("ibm", "a").failures == 20


def test_of_many_threads_one_probes(tmp_path) -> None:
    url, clock = f"sqlite:///{tmp_path / 'ledger.db'}", ManualClock()
    fail(Breakers(Ledger(url, clock=clock), fail_max=1), 1)
    clock.advance(60)
    start, tried = Barrier(4), Barrier(4)

    def work(_: int) -> str:
        return raced(Breakers(Ledger(url, clock=clock), fail_max=1), start.wait, tried.wait)

    with ThreadPoolExecutor(4) as pool:
        results = sorted(pool.map(work, range(4)))
    assert results == ["probed", "refused", "refused", "refused"]


def raced(family: Breakers, start: Callable[[], Any], tried: Callable[[], Any]) -> str:
    """Call when all are ready; a probe holds its claim until all others have tried."""
    start()
    try:
        family.guard("ibm", "a").call(tried)
    except BreakerOpen:
        tried()
        return "refused"
    return "probed"


def test_of_many_processes_one_probes(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    fail(Breakers(Ledger(url, clock=ManualClock()), fail_max=1), 1)
    start, tried = (clean(*LEDGER).Barrier(3, timeout=PATIENCE) for _ in range(2))
    found = sorted(results(probe_in_process, [(url, start, tried)] * 3, modules=LEDGER))
    assert found == ["probed", "refused", "refused"]
    assert Breakers(Ledger(url)).state("ibm", "a").state == "closed"


def probe_in_process(url: str, start: Barrier, tried: Barrier) -> str:
    clock = ManualClock(START + timedelta(hours=1))
    family = Breakers(Ledger(url, clock=clock), fail_max=1, reset_seconds=60)
    family.state("ibm", "a")  # the migration is looked at before the race
    return raced(family, start.wait, tried.wait)


ANOTHER_PROCESS = """
import sys
from quantum_assets.execution.breaker import BreakerOpen, Breakers
from quantum_assets.execution.ledger.ledger import Ledger

def submit():
    print("submitted")
    if sys.argv[2] == "unwell":
        raise ConnectionResetError("reset")

try:
    Breakers(Ledger(sys.argv[1]), fail_max=2, reset_seconds=3600).guard("ibm", "a").call(submit)
except (BreakerOpen, ConnectionResetError) as error:
    print(type(error).__name__, error)
"""


def in_another_process(folder: Path, url: str, mood: str) -> list[str]:
    script = folder / "another.py"
    script.write_text(ANOTHER_PROCESS)
    done = subprocess.run(
        [sys.executable, str(script), url, mood], capture_output=True, text=True, timeout=120, check=True
    )
    return done.stdout.splitlines()


def test_a_breaker_opened_in_one_process_is_honoured_in_another(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    fail(Breakers(Ledger(url), fail_max=2, reset_seconds=3600), 1)
    assert in_another_process(tmp_path, url, "unwell") == ["submitted", "ConnectionResetError reset"]

    here = Backend()
    with pytest.raises(BreakerOpen):  # two failures in a row: one here, one there
        Breakers(Ledger(url), fail_max=2, reset_seconds=3600).guard("ibm", "a").call(here)
    assert here.calls == 0
    (line,) = in_another_process(tmp_path, url, "well")
    assert line.startswith("BreakerOpen ibm a: its breaker is open since")


def test_what_it_costs_a_call(report_figures, tmp_path) -> None:
    family = Breakers(Ledger(f"sqlite:///{tmp_path / 'ledger.db'}"))
    guard, backend = family.guard("ibm", "a"), Backend()
    guard.call(backend)
    started = time.process_time()
    for _ in range(100):
        guard.call(backend)
    millis = (time.process_time() - started) / 100 * 1e3
    report_figures(f"breaker: {millis:.2f} ms of processor a guarded call on SQLite")
    assert backend.calls == 101
    assert millis < 50
