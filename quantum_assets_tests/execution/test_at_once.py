"""Free jobs of this process: judged first, then written at once; what is not plain goes step by step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import JobStatus, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.answering import answer, answer_all, submit
from quantum_assets.execution.plane import ControlPlane, Judge
from quantum_assets.execution.turning import cancel, turn
from quantum_assets.providers.in_process import Claims
from quantum_assets_tests.execution.fakes import (
    DEAD,
    LOCAL,
    Killed,
    LocalSimulator,
    World,
    all_tickets,
    exact_question,
    request,
    sound,
    states_of,
    trust,
)

#: Others may ask the same question and meet in its ticket.
SHARED = LOCAL.model_copy(update={"cache": True})
#: Held here, as their asker would: another process has nothing to read them from.
QUESTIONS = tuple(exact_question(number) for number in range(3))
PLAIN = [State.PLANNED, State.SUBMITTING, State.SUBMITTED, State.COMPLETED, State.ACCEPTED]


@dataclass(frozen=True)
class Odd(LocalSimulator):
    """Says of its jobs, and hands over, what a test wants; once for each entry."""

    said: list[JobStatus | Exception] = field(default_factory=list)
    fetches: list[Exception | Callable[[Claims], Claims]] = field(default_factory=list)

    def status(self, job: str) -> JobStatus:
        said = self.said.pop(0) if self.said else super().status(job)
        if isinstance(said, Exception):
            raise said
        return said

    def fetch(self, job: str, order: Order) -> Claims:
        change = self.fetches.pop(0) if self.fetches else None
        if isinstance(change, Exception):
            raise change
        claims = super().fetch(job, order)
        return claims if change is None else change(claims)


def asked(plane: ControlPlane, count: int) -> tuple[Ticket, ...]:
    """Questions that wait to be handed in, in one order."""
    planned = submit(plane, [request(QUESTIONS[n], SHARED, priority=9 - n) for n in range(count)], hand_in=False)
    return tuple(ticket for (ticket,) in planned)


def test_the_log_has_every_line_with_its_own_reason(plane: ControlPlane) -> None:
    answered = answer(plane, request(QUESTIONS[0], LOCAL, correlation_id="c-1"))
    (ticket,) = all_tickets(plane)
    lines = plane.ledger.transitions(ticket.id)
    assert [line.after for line in lines] == PLAIN
    assert [line.before for line in lines] == [None, *PLAIN[:-1]]
    assert [line.reason for line in lines] == [
        "asked for",
        f"runs in this process, order {ticket.job}",
        f"accepted as job {ticket.job}",
        "completed",
        "admitted by the trust boundary",
    ]
    assert {(line.correlation_id, line.actor) for line in lines} == {("c-1", plane.owner)}
    assert (ticket.version, ticket.owner, answered.envelope.job) == (5, plane.owner, ticket.job)
    assert [(tried.outcome, tried.provider) for tried in answered.attempts] == [("accepted", "local")]


def test_a_process_that_dies_before_it_is_written_leaves_the_window_and_it_is_run_again(world: World) -> None:
    def killed(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> tuple[str, ...]:
        raise Killed

    dead, alive = world.plane(DEAD, judge=killed), world.plane()
    planned = asked(dead, 1)
    with pytest.raises(Killed):
        turn(dead, planned)
    (left,) = all_tickets(alive)
    assert (left.state, left.owner, states_of(alive, left)) == (State.SUBMITTING, DEAD, PLAIN[:2])
    answered = answer(alive, request(QUESTIONS[0], SHARED))
    assert [tried.outcome for tried in answered.attempts] == ["retried", "accepted"]
    assert "its process: is gone" in answered.attempts[0].reason
    assert (len(world.local[0].runs), len(world.local[1].runs)) == (1, 1)
    sound(alive)


def test_interrupted_while_judging_nobody_waits_for_us(world: World) -> None:
    def killed(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> tuple[str, ...]:
        raise Killed

    plane = world.plane(judge=killed)
    with pytest.raises(Killed):
        answer(plane, request(QUESTIONS[0], SHARED))
    (left,) = all_tickets(plane)
    assert (left.state, left.owner, plane.memory.claims) == (State.SUBMITTING, "", {})
    assert answer(world.plane(), request(QUESTIONS[0], SHARED)).path == "quantum"


def _refusing(fingerprint: str, seen: list[str]) -> Judge:
    """Refuses the first claim about one workload."""

    def judge(envelope: ResultEnvelope, workload: Workload, profile: ExecutionProfile) -> tuple[str, ...]:
        seen.append(workload.fingerprint)
        if workload.fingerprint == fingerprint and seen.count(fingerprint) == 1:
            return ("it looks odd",)
        return trust(envelope, workload, profile)

    return judge


def test_a_refused_member_costs_the_others_nothing(world: World) -> None:
    names, seen = [question.fingerprint for question in QUESTIONS], list[str]()
    plane = world.plane(judge=_refusing(names[1], seen))
    before = asked(plane, 3)
    after = turn(plane, before)
    assert seen == names, "each is judged once"
    assert {ticket.job for ticket in (after[0], after[2])} == {plane.ledger.ticket(before[1].id).job}
    assert [states_of(plane, ticket) for ticket in (before[0], before[2])] == [PLAIN, PLAIN]
    refused = plane.ledger.transitions(before[1].id)
    assert [line.after for line in refused][:4] == PLAIN[:4]
    assert "answer_refused: it looks odd" in refused[-1].reason
    (again,) = [ticket for ticket in all_tickets(plane) if ticket.attempt == 2]
    assert (refused[-1].after, after[1], again.state) == (State.REJECTED, again, State.PLANNED)
    assert turn(plane, [again])[0].state is State.ACCEPTED
    sound(plane)


def test_an_error_in_a_member_s_place_is_that_member_s(world: World, plane: ControlPlane) -> None:
    plane.memory.providers["local"] = Odd(fails=[ProviderError("local", "too wide", "Use fewer qubits")])
    before = asked(plane, 2)
    after = turn(plane, before)
    assert [ticket.state for ticket in after] == [State.REJECTED, State.ACCEPTED]
    assert states_of(plane, after[0]) == [*PLAIN[:4], State.FAILED, State.REJECTED]
    assert "too wide" in after[0].reason
    sound(plane)


def test_claims_find_their_tickets_whatever_their_order(plane: ControlPlane) -> None:
    plane.memory.providers["local"] = Odd(fetches=[lambda claims: claims[::-1]])
    answers = answer_all(plane, [request(question, LOCAL) for question in QUESTIONS])
    assert [one.envelope.workload_fingerprint for one in answers] == [question.fingerprint for question in QUESTIONS]
    assert {len(one.attempts) for one in answers} == {1}


def test_what_cannot_be_fetched_completed_and_is_run_again(plane: ControlPlane) -> None:
    plane.memory.providers["local"] = Odd(fetches=[ProviderError("local", "lost it", "Run it again", retry=True)])
    answered = answer(plane, request(QUESTIONS[0], LOCAL))
    assert [tried.outcome for tried in answered.attempts] == ["rejected", "accepted"]
    first, second = all_tickets(plane)
    assert states_of(plane, first) == [*PLAIN[:4], State.REJECTED]
    assert states_of(plane, second) == PLAIN
    sound(plane)


@pytest.mark.parametrize("said", [JobStatus("running", "RUNNING"), OSError("no answer")])
def test_what_has_not_ended_is_polled_as_every_other(plane: ControlPlane, said: JobStatus | Exception) -> None:
    plane.memory.providers["local"] = Odd(said=[said])
    assert answer(plane, request(QUESTIONS[0], LOCAL)).path == "quantum"
    (ticket,) = all_tickets(plane)
    assert (states_of(plane, ticket), plane.memory.jobs) == (PLAIN, {})


def test_one_of_two_cancelled_while_they_ran_stays_so(world: World) -> None:
    plane, person = world.plane(), world.plane(DEAD)
    gone, kept = asked(plane, 2)
    plane.memory.providers["local"] = Odd(during=[partial(cancel, person, [gone], "ada")])
    after = turn(plane, [gone, kept])
    assert after[1].state is State.ACCEPTED
    assert states_of(plane, kept) == PLAIN
    ended = plane.ledger.ticket(gone.id)
    assert (ended.state, ended.reason, ended.job) == (State.REJECTED, "cancelled by ada", "")
    assert plane.memory.claims.keys() == {kept.id}
    sound(plane)


def test_a_priority_that_was_raised_while_it_ran_stays_raised(world: World) -> None:
    plane, other = world.plane(), world.plane(DEAD)
    (planned,) = asked(plane, 1)
    urgent = request(QUESTIONS[0], SHARED, priority=50)
    plane.memory.providers["local"] = Odd(during=[partial(submit, other, [urgent], hand_in=False)])
    (done,) = turn(plane, [planned])
    assert (done.state, done.priority) == (State.ACCEPTED, 50)
    assert plane.ledger.ticket(done.id) == done
