"""Tickets, cancelling, polling and the cache through the command; providers that wait are fakes, ledgers are real."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from quantum_assets.cli.execution_commands import STATES, by_name, by_owner, cancel_now, follow, look, told
from quantum_assets.cli.ledger import shipped_budgets
from quantum_assets.contracts.answer import Request
from quantum_assets.contracts.errors import StaleTicket
from quantum_assets.contracts.jobs import Charge, JobStatus, Limits
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.contracts.wire import pack_envelope
from quantum_assets.execution.answering import submit
from quantum_assets.execution.cache import Cache
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.orchestration.execution import control_plane
from quantum_assets_tests.cli.homes import call, ledger_in, paid, planned, retried
from quantum_assets_tests.execution.clocks import ManualClock
from quantum_assets_tests.service.samples import SLOW, Machine
from quantum_assets_tests.trust.honest import BINOMIAL, envelope_for, overlaps_workload

SHORT = 12


@dataclass(frozen=True)
class Queue(Machine):
    """A durable provider whose jobs wait until they were looked at so many times; remembers what was cancelled."""

    looks_needed: int = 0
    looks: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def limits(self, profile: ExecutionProfile) -> Limits:
        return Limits(max_workloads=64, durable=True, same_key_same_job=True)

    def status(self, job: str) -> JobStatus:
        if job in self.cancelled:
            return JobStatus("cancelled", "CANCELLED", charge=Charge(0))
        self.looks.append(job)
        if len(self.looks) <= self.looks_needed:
            return JobStatus("queued", "QUEUED", queue_position=4)
        return JobStatus("completed", "COMPLETED", charge=Charge(300_000))

    def cancel(self, job: str) -> None:
        self.cancelled.append(job)


@pytest.fixture(autouse=True)
def ada(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.delenv("QUANTUM_ASSETS_LEDGER_URL", raising=False)


@pytest.fixture
def plane_of(tmp_path: Path) -> Callable[[Queue], ControlPlane]:
    """A control plane on a queue, with the shipped budgets and a clock that moves by sleeping."""
    budgets = shipped_budgets()

    def made(queue: Queue) -> ControlPlane:
        return ControlPlane.in_home(
            tmp_path, {"remote": lambda: queue}, lambda *_: (), budgets=budgets, clock=ManualClock()
        )

    return made


def asked(plane: ControlPlane, rows: int = 2, study: str = "wine") -> Ticket:
    """One workload, handed in."""
    request = Request(overlaps_workload(rows), SLOW, study=study, partition="managed")
    return submit(plane, [request])[0][0]


def test_the_states_are_those_of_the_contract() -> None:
    assert tuple(state.value for state in State) == STATES


def test_tickets_are_listed_oldest_first_and_narrowed(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    done, waiting, other = paid(ledger), planned(ledger, 7), planned(ledger, 8, "iris")

    def ids(*arguments: str) -> list[str]:
        answer = call(tmp_path, "tickets", *arguments)
        assert answer.exit_code == 0, answer.output
        return [line.split()[0] for line in answer.output.splitlines()[1:]]

    assert ids() == [ticket.id[:SHORT] for ticket in (done, waiting, other)]
    assert ids("--open") == [waiting.id[:SHORT], other.id[:SHORT]]
    assert ids("--study", "iris") == [other.id[:SHORT]]
    assert ids("--partition", "managed", "--state", "accepted", "--state", "rejected") == [done.id[:SHORT]]
    assert call(tmp_path, "tickets", "--open", "--state", "accepted").output == "No tickets.\n"
    newest = call(tmp_path, "tickets", "--limit", "1").output.splitlines()
    assert newest[0] == "(2 older tickets; --limit 3 shows all)"
    assert newest[2].startswith(other.id[:SHORT])


def test_one_ticket_is_told_whole(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    _, again = retried(ledger)
    answer = call(tmp_path, "tickets", again.id[:SHORT])
    assert answer.exit_code == 0, answer.output
    assert again.id in answer.output
    assert "512 shots instead of 1024" in answer.output
    whole = json.loads(call(tmp_path, "tickets", again.id, "--json").output)
    assert set(whole) == {"ticket", "tries", "transitions", "order", "together", "charge", "requests"}
    assert [one["state"] for one in whole["tries"]] == ["retried", "planned"]
    listed = json.loads(call(tmp_path, "tickets", "--json").output)
    assert [one["id"] for one in listed] == [one["id"] for one in whole["tries"]]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["tickets"], "holds no ledger"),
        (["cancel", "--study", "wine", "--reason", "x"], "holds no ledger"),
        (["poll"], "holds no ledger"),
    ],
)
def test_without_a_ledger_there_is_nothing_to_see(tmp_path: Path, arguments: list[str], said: str) -> None:
    answer = call(tmp_path, *arguments)
    assert answer.exit_code == 2
    assert said in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--reason", "x"], "names nothing to cancel"),
        (["--study", "wine", "--reason", " "], "--reason: is empty"),
        (["abc", "--study", "wine", "--reason", "x"], "names tickets and an owner"),
        (["zz", "--reason", "x"], "ticket zz: begins no id"),
    ],
)
def test_a_cancelling_that_makes_no_sense_ends_nothing(tmp_path: Path, arguments: list[str], said: str) -> None:
    ledger = ledger_in(tmp_path)
    ticket = planned(ledger, 1)
    answer = call(tmp_path, "cancel", *arguments)
    assert answer.exit_code == 2
    assert said in answer.stderr
    assert ledger.ticket(ticket.id) == ticket


def test_an_owner_s_tickets_are_cancelled_and_shared_ones_go_on(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    mine, shared = planned(ledger, 1), planned(ledger, 2)
    planned(ledger, 2, "iris")
    answer = call(tmp_path, "cancel", "--study", "wine", "--partition", "managed", "--reason", "wrong table")
    assert answer.output.splitlines() == [
        f"cancelled  {mine.id[:SHORT]}  wine/managed: it was planned",
        f"goes on    {shared.id[:SHORT]}  iris/managed waits for it too",
        "1 tickets cancelled.",
    ]
    assert ledger.ticket(mine.id).state is State.REJECTED
    assert ledger.ticket(mine.id).reason == "cancelled by ada: wrong table"
    assert ledger.ticket(shared.id).state is State.PLANNED


def test_a_named_ticket_is_cancelled_whoever_waits(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    shared, done = planned(ledger, 2), paid(ledger)
    planned(ledger, 2, "iris")
    answer = call(tmp_path, "cancel", shared.id[:SHORT], done.id, shared.id, "--reason", "typo")
    assert answer.output.splitlines() == [
        f"cancelled  {shared.id[:SHORT]}  wine/managed, iris/managed: it was planned",
        f"had ended  {done.id[:SHORT]}  accepted: to accepted",
        "1 tickets cancelled.",
    ]


def test_only_a_run_s_own_tickets_are_its_to_cancel(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    mine = planned(ledger, 1, run_id="run-1")
    shared = planned(ledger, 2, run_id="run-1")
    planned(ledger, 2, run_id="run-2")
    plan = by_owner(ledger, None, None, "run-1")
    assert (plan.chosen, plan.left) == ((mine,), ((shared, "wine/managed"),))


def test_whoever_asked_an_earlier_time_does_not_wait_now(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    old = planned(ledger, 1, "iris")
    ledger.move(ledger.move(old, State.CANCELLED, "gone"), State.REJECTED, "gone")
    now = planned(ledger, 1)
    assert by_owner(ledger, "wine", None, None).chosen == (now,)


def test_nothing_open_is_nothing_cancelled(tmp_path: Path) -> None:
    paid(ledger_in(tmp_path))
    answer = call(tmp_path, "cancel", "--study", "wine", "--reason", "typo")
    assert (answer.exit_code, answer.output) == (0, "Nothing was cancelled.\n")


def test_a_job_goes_on_while_another_ticket_needs_it(plane_of: Callable[[Queue], ControlPlane]) -> None:
    queue = Queue(looks_needed=99)
    plane = plane_of(queue)
    requests = [
        Request(overlaps_workload(rows), SLOW, study=study, partition="managed")
        for rows, study in ((2, "wine"), (3, "iris"))
    ]
    (first,), (second,) = submit(plane, requests)
    assert first.order == second.order
    plan = by_owner(plane.ledger, "wine", None, None)
    lines = told(plane.ledger, plan, cancel_now(plane, plan.chosen, "ada: typo"))
    assert lines[1] == f"job {first.job} of remote goes on: 1 other tickets wait for it"
    assert queue.cancelled == []
    plan = by_owner(plane.ledger, "iris", None, None)
    lines = told(plane.ledger, plan, cancel_now(plane, plan.chosen, "ada: typo"))
    assert lines[0].endswith("iris/managed: it was submitted at remote/rehearsal")
    assert lines[1] == f"job {first.job} of remote was asked to stop; `quantum-assets poll` learns what it cost"
    assert queue.cancelled == [first.job]
    assert look(plane) == "0 tickets looked at, 1 orders settled late; nothing open"
    assert plane.ledger.check() == ()


class Contested(Ledger):
    """Another process moves a ticket just before its first cancelling."""

    def move(self, ticket: Ticket, after: State, reason: str, **changes: object) -> Ticket:
        if after is State.CANCELLED and ticket.state is State.SUBMITTED:
            super().move(ticket, State.COMPLETED, "the other process was faster")
            raise StaleTicket(f"ticket {ticket.id}", "was moved", "Read it again")
        return super().move(ticket, after, reason, **changes)


def test_a_ticket_that_ends_meanwhile_is_told_to_be_too_late(plane_of: Callable[[Queue], ControlPlane]) -> None:
    plane = plane_of(Queue(looks_needed=99))
    ticket = asked(plane)
    contested = replace(plane, ledger=Contested(plane.ledger.url, plane.clock))
    plan = by_name(contested.ledger, [ticket.id])
    lines = told(contested.ledger, plan, cancel_now(contested, plan.chosen, "ada: typo"))
    assert lines == [f"too late   {ticket.id[:SHORT]}  wine/managed: it is completed", "Nothing was cancelled."]


def test_polling_follows_a_job_through_its_queue(
    plane_of: Callable[[Queue], ControlPlane], capsys: pytest.CaptureFixture[str]
) -> None:
    plane = plane_of(Queue(looks_needed=3))
    ticket = asked(plane)
    assert follow(plane, every=2.0, at_most=None)
    assert capsys.readouterr().out.splitlines() == [
        "1 tickets looked at, 0 orders settled late; 1 open (1 queued); jobs before the first of them: 4",
        "1 tickets looked at, 0 orders settled late; nothing open",
        "Every submitted ticket has its outcome.",
    ]
    assert plane.ledger.ticket(ticket.id).state is State.ACCEPTED
    assert isinstance(plane.clock, ManualClock)
    assert plane.clock.sleeps == [2.0] * 3


def test_polling_gives_up_waiting_and_loses_nothing(
    plane_of: Callable[[Queue], ControlPlane], capsys: pytest.CaptureFixture[str]
) -> None:
    plane = plane_of(Queue(looks_needed=5))
    ticket = asked(plane)
    assert not follow(plane, every=2.0, at_most=5.0)
    assert "Still open after 5 s; nothing is lost" in capsys.readouterr().err
    assert plane.ledger.ticket(ticket.id).state is State.QUEUED
    assert follow(plane, every=2.0, at_most=5.0)
    assert plane.ledger.ticket(ticket.id).state is State.ACCEPTED


def test_the_command_polls_a_ledger_with_nothing_to_do(tmp_path: Path) -> None:
    ledger_in(tmp_path)
    once = call(tmp_path, "poll")
    assert (once.exit_code, once.output) == (0, "0 tickets looked at, 0 orders settled late; nothing open\n")
    assert call(tmp_path, "poll", "--until-done").output.endswith("Every submitted ticket has its outcome.\n")


def test_the_cache_is_told_and_emptied(tmp_path: Path) -> None:
    kept = control_plane(tmp_path).cache
    assert kept == Cache(tmp_path / "execution" / "cache")
    assert kept.put("a" * 64, envelope_for(overlaps_workload(), BINOMIAL), BINOMIAL)
    stats = json.loads(call(tmp_path, "cache", "--json").output)
    assert (stats["entries"], stats["bytes"] > 0) == (1, True)
    assert call(tmp_path, "cache").output.startswith("1 answers, ")
    assert call(tmp_path, "cache", "--clear").output == "Removed 1 answers.\n"
    assert call(tmp_path, "cache").output == "0 answers, 0 B of 2.0 GB\n"


def test_tidying_keeps_what_is_young(tmp_path: Path) -> None:
    plane = control_plane(tmp_path)
    plane.ledger.prepare()
    plane.answers.put("b" * 32, pack_envelope(envelope_for(overlaps_workload(), BINOMIAL)))
    assert call(tmp_path, "cache", "--tidy").output == "Removed 0 workloads, 0 answers and 0 leftovers.\n"
    assert plane.answers.has("b" * 32)


def test_a_damaged_answer_is_counted_apart(tmp_path: Path) -> None:
    kept = Cache(tmp_path / "execution" / "cache")
    kept.put("a" * 64, envelope_for(overlaps_workload(), BINOMIAL), BINOMIAL)
    (file,) = kept.root.rglob("*.frame")
    file.write_bytes(file.read_bytes()[:-1])
    assert kept.get("a" * 64) is None
    assert "1 entries failed their checksum and were set aside" in call(tmp_path, "cache").output
