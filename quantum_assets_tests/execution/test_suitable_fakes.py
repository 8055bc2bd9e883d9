"""A choice between two of IBM's offline copies, by the real provider and the real trust boundary, to the end."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.jobs import BackendFact, Limits
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.execution.answering import answer
from quantum_assets.execution.asking import ask
from quantum_assets.execution.plane import ControlPlane, profile_of
from quantum_assets.providers.ibm import IbmProvider
from quantum_assets_tests.execution.clocks import ManualClock
from quantum_assets_tests.execution.fakes import trust
from quantum_assets_tests.execution.test_choosing import open_breaker
from quantum_assets_tests.providers.workloads import MANAGED, ZZ, overlaps_workload

ASKED = overlaps_workload(ZZ, 3, 2)
NOISY, QUIET = "fake_lagos", "fake_perth"
CHOOSING = ExecutionProfile.model_validate(
    MANAGED.model_dump() | {"backend": NOISY, "alternatives": (QUIET,), "routing": {"choose": "suitable"}, "shots": 64}
)


@dataclass(frozen=True)
class Tuned(IbmProvider):
    """The offline copies as if they queued, took few circuits an order, or could tell nothing.

    Attributes:
        queues: Jobs before one's own, by backend.
        most: Circuits in one order.
        away: What asking for the backends raises.
        durable: Whether jobs outlive the process, so that a breaker stands before each backend.
    """

    queues: tuple[tuple[str, int], ...] = ()
    most: int = 1_000
    away: Exception | None = None
    durable: bool = False

    def limits(self, profile: ExecutionProfile) -> Limits:
        return replace(super().limits(profile), max_circuits=self.most, durable=self.durable)

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        if self.away is not None:
            raise self.away
        queues = dict(self.queues)
        return tuple(replace(fact, queue=queues.get(fact.name, fact.queue)) for fact in super().backends(profile))


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., ControlPlane]:
    """Makes another process over the same home, whose provider is tuned as given."""

    def made(**tuned: object) -> ControlPlane:
        provider = Tuned(environment={}, **tuned)  # type: ignore[arg-type]
        return ControlPlane.in_home(tmp_path, {"ibm": lambda: provider}, trust, clock=ManualClock())

    return made


def asked() -> Request:
    return Request(ASKED, CHOOSING, study="toy", partition="p")


def test_the_one_errs_less_than_the_other_by_their_properties() -> None:
    noisy, quiet = IbmProvider(environment={}).backends(CHOOSING)
    assert (noisy.name, quiet.name) == (NOISY, QUIET)
    assert 0 < (quiet.error or 0) < (noisy.error or 0) < 0.1


def test_the_quieter_one_runs_it_and_another_process_has_its_answer(process: Callable[..., ControlPlane]) -> None:
    first = answer(process(), asked())
    assert (first.path, first.envelope.effective.backend, first.profile.backend) == ("quantum", QUIET, QUIET)
    (attempt,) = first.attempts
    assert attempt.modification.startswith(f"backend {NOISY} → {QUIET}: queue 0 against 0, two-qubit error 0.00")
    again = answer(process(queues=((QUIET, 90),)), asked())
    assert (again.cache_hit, again.envelope.effective.backend) == (True, QUIET)


def test_a_long_queue_outweighs_it(process: Callable[..., ControlPlane]) -> None:
    answered = answer(process(queues=((QUIET, 90),)), asked())
    assert (answered.envelope.effective.backend, answered.attempts[0].modification) == (NOISY, "")


def test_all_parts_of_a_split_request_run_on_one(process: Callable[..., ControlPlane]) -> None:
    answered = answer(process(most=4), asked())
    assert (answered.path, len(answered.tickets), answered.envelope.effective.backend) == ("quantum", 3, QUIET)
    assert answered.envelope.workload_fingerprint == ASKED.fingerprint


def test_an_open_breaker_is_passed_over_and_facts_that_cannot_be_had_are_told(
    process: Callable[..., ControlPlane],
) -> None:
    away = process(away=ConnectionError("no route"))
    answered = answer(away, asked())
    assert (answered.path, answered.profile) == ("quantum", CHOOSING)
    assert [alert.kind for alert in away.ledger.alerts()] == ["backends_unknown"]
    durable = process(durable=True)
    open_breaker(durable, "ibm", QUIET)
    other = Request(overlaps_workload(ZZ, 2, 2), CHOOSING)
    (ticket,) = ask(durable, other).tickets
    assert (profile_of(ticket.profile), ticket.modification) == (CHOOSING, "")
