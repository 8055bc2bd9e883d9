"""The verbs: answer now; submit, take turns, collect; and what an earlier asking left behind."""

from datetime import timedelta

import pytest

from quantum_assets.contracts.errors import LedgerError, ProviderError
from quantum_assets.contracts.jobs import Calibration, JobStatus
from quantum_assets.contracts.profile import ExecutionProfile, Routing
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.answering import answer, answer_all, collect, ended, recall, submit, turn
from quantum_assets.execution.plane import ControlPlane
from quantum_assets_tests.execution.fakes import (
    DEAD,
    LOCAL,
    SAFE,
    STAND_IN,
    VENDOR,
    DurableVendor,
    World,
    all_tickets,
    exact_question,
    member_failed,
    question,
    request,
    sound,
)

LATER = SAFE.model_copy(update={"asynchronous": True})


def test_submitting_hands_in_and_asks_nothing(world: World, plane: ControlPlane) -> None:
    tickets = submit(plane, [request(question(n), LATER) for n in range(3)])
    assert [ticket.state for (ticket,) in tickets] == [State.SUBMITTED] * 3
    assert (dict(world.vendor.calls), world.clock.sleeps) == ({"submit": 1}, [])
    assert collect(plane, request(question(1), LATER)) is None


def test_what_runs_here_is_answered_where_it_was_submitted(world: World, plane: ControlPlane) -> None:
    later = LOCAL.model_copy(update={"asynchronous": True})
    ((ticket,),) = submit(plane, [request(exact_question(), later)])
    assert ticket.state is State.ACCEPTED
    collected = collect(world.plane(), request(exact_question(), later))
    assert collected is not None
    assert collected.tickets == (ticket.id,)


def test_submitting_may_leave_the_handing_in_to_others(world: World, plane: ControlPlane) -> None:
    ((ticket,),) = submit(plane, [request()], hand_in=False)
    assert (ticket.state, world.vendor.calls) == (State.PLANNED, {})
    assert answer(world.plane(), request()).tickets == (ticket.id,)


def test_no_tickets_where_policy_keeps_it_classical(plane: ControlPlane) -> None:
    off = LATER.model_copy(update={"routing": Routing(fallback="stand-in", flag=False)})
    assert submit(plane, [request(profile=off)]) == ((),)
    answered = collect(plane, request(profile=off))
    assert answered is not None
    assert (answered.path, "switched off" in answered.reason) == ("classical", True)


def test_collecting_what_fell_back_brings_the_fallback_s_answer(world: World, plane: ControlPlane) -> None:
    world.vendor.results.append(lambda _: (member_failed("too deep"),))
    ((ticket,),) = submit(plane, [request(profile=LATER)])
    turn(plane, [ticket])
    answered = collect(world.plane(), request(profile=LATER))
    assert answered is not None
    assert (answered.path, "too deep" in answered.reason) == ("classical", True)


def test_collecting_what_was_never_submitted_says_so(plane: ControlPlane) -> None:
    with pytest.raises(ProviderError, match=r"question 0: was never submitted. Materialise the asset that submits it"):
        collect(plane, request(profile=LATER))


def test_submitted_again_while_under_way_it_is_the_same_ticket(world: World) -> None:
    first = submit(world.plane(DEAD), [request(profile=LATER)])
    second = submit(world.plane(), [request(profile=LATER)])
    assert first[0][0].id == second[0][0].id
    assert len(world.vendor.jobs) == 1


def test_a_collected_answer_that_is_gone_is_a_ledger_s_matter(world: World, plane: ControlPlane) -> None:
    fresh = LATER.model_copy(update={"cache": False})
    ((ticket,),) = submit(plane, [request(profile=fresh)])
    turn(plane, [ticket])
    plane.answers.drop(ticket.id)
    with pytest.raises(LedgerError, match="neither on disk nor in the cache"):
        collect(plane, request(profile=fresh))


def test_an_answer_that_another_process_took_along_is_asked_for_again(world: World, neighbour: str) -> None:
    """Run here by another process, too large for the cache: its ticket is accepted, and its claim is not ours."""
    there, here = world.plane(neighbour), world.plane()
    shared = LOCAL.model_copy(update={"cache": True})
    ((planned,),) = submit(there, [request(exact_question(), shared)], hand_in=False)

    def accepted_there() -> None:
        running = there.ledger.ticket(planned.id)
        done = there.ledger.move(there.ledger.move(running, State.SUBMITTED, "x", job="j"), State.COMPLETED, "x")
        there.ledger.move(done, State.ACCEPTED, "x")

    there.ledger.move(planned, State.SUBMITTING, "runs", provider="local", owner=neighbour)
    world.clock.meanwhile = accepted_there
    answered = answer(here, request(exact_question(), shared))
    assert (answered.path, answered.tickets == (planned.id,)) == ("quantum", False)
    assert [ticket.generation for ticket in all_tickets(here)] == [0, 1]


def test_what_was_answered_before_is_recalled_without_asking(world: World, plane: ControlPlane) -> None:
    assert recall(plane, request()) is None
    first = answer(plane, request())
    recalled = recall(world.plane(), request())
    assert recalled is not None
    assert recalled.tickets == first.tickets
    assert len(all_tickets(plane)) == 1
    plane.answers.drop(first.tickets[0])
    assert recall(plane, request()) is not None, "the cache has it"
    plane.cache._shelf.drop(all_tickets(plane)[0].answer)
    assert recall(plane, request()) is None
    assert recall(plane, request(exact_question(), LOCAL)) is None


def test_what_was_answered_under_another_calibration_is_recalled_by_its_own_run_only(world: World) -> None:
    first = answer(world.plane(), request(run_id="run-1"))
    world.vendor.calibrated = "tuesday"
    assert recall(world.plane(), request(run_id="run-2")) is None
    assert recall(world.plane(), request()) is None
    own = recall(world.plane(), request(run_id="run-1"))
    assert own is not None
    assert (own.tickets, own.envelope.calibration_digest) == (first.tickets, "monday")
    second = answer(world.plane(), request(run_id="run-2"))
    assert second.envelope.calibration_digest == "tuesday"
    for run in ("run-2", "run-3", ""):
        recalled = recall(world.plane(), request(run_id=run))
        assert recalled is not None
        assert recalled.tickets == second.tickets
    assert recall(world.plane(), request(run_id="run-1")) is not None, "it is current, whoever asked"
    world.vendor.calibrated = "away"
    assert recall(world.plane(), request(run_id="run-3")) is None, "nobody can say that it is"


def test_requests_that_are_asked_together_ask_for_the_calibration_once(world: World) -> None:
    class Counting(DurableVendor):
        """Counts how often it is asked for its calibration."""

        def calibration(self, profile: ExecutionProfile) -> Calibration | None:
            self.calls["calibration"] += 1
            return super().calibration(profile)

    world.vendor = Counting(world.clock)
    asked = [request(question(n)) for n in range(4)]
    answer_all(world.plane(), asked)
    assert world.vendor.calls["calibration"] == 1
    hits = answer_all(world.plane(), asked)
    assert all(one.cache_hit for one in hits)
    assert world.vendor.calls["calibration"] == 2, "the next asking asks anew"
    world.vendor.calibrated = "tuesday"
    submit(world.plane(), asked)
    assert world.vendor.calls["calibration"] == 3
    assert not any(one.cache_hit for one in answer_all(world.plane(), asked))


def test_a_deadline_a_project_and_a_priority_come_from_the_profile(world: World, plane: ControlPlane) -> None:
    profile = VENDOR.model_copy(update={"deadline_seconds": 90.0, "priority": 4})
    world.vendor.statuses.append(JobStatus("running", "RUNNING"))
    answer(plane, request(profile=profile))
    (ticket,) = all_tickets(plane)
    assert ticket.deadline is not None
    assert (ticket.deadline - ticket.created_at).total_seconds() == 90
    assert (ticket.priority, ticket.project, len(ticket.correlation_id)) == (4, "default", 32)


def test_a_job_goes_on_in_a_process_that_never_saw_it(world: World) -> None:
    first = world.plane(DEAD)
    ((ticket,),) = submit(first, [request(profile=LATER)])
    second = world.plane()
    (done,) = turn(second, [second.ledger.ticket(ticket.id)])
    assert done.state is State.ACCEPTED
    assert len(world.vendor.jobs) == 1
    sound(second)


def test_free_answers_here_cost_three_writes_and_no_sleep(world: World, plane: ControlPlane) -> None:
    written = _Counting(plane)
    answer(written.plane, request(exact_question(), STAND_IN.model_copy(update=EXACT)))
    assert (written.writes, written.reads, world.clock.sleeps) == (3, 0, [])


def test_a_batch_of_them_costs_two_writes_more_than_its_questions(world: World, plane: ControlPlane) -> None:
    written = _Counting(plane)
    answer_all(written.plane, [request(exact_question(n), STAND_IN.model_copy(update=EXACT)) for n in range(3)])
    assert (written.writes, written.reads, world.clock.sleeps) == (5, 0, [])


def test_a_hit_costs_two_writes(world: World, plane: ControlPlane) -> None:
    kept = STAND_IN.model_copy(update=EXACT | {"cache": True})
    answer(plane, request(exact_question(), kept))
    written = _Counting(plane)
    answered = answer(written.plane, request(exact_question(), kept))
    assert answered.cache_hit
    assert (written.writes, written.reads) == (2, 0)
    lines = plane.ledger.transitions(answered.tickets[0])
    assert [(line.after, line.reason) for line in lines] == [
        (State.PLANNED, "asked for"),
        (State.COMPLETED, "cache hit"),
        (State.ACCEPTED, "cache hit"),
    ]


EXACT = {"estimator": "exact", "shots": None, "name": "exact"}


class _Counting:
    """Counts transactions of a plane's ledger."""

    def __init__(self, plane: ControlPlane) -> None:
        from dataclasses import replace

        from quantum_assets.execution.ledger.ledger import Ledger

        counts = self
        self.reads = self.writes = 0

        class Counted(Ledger):
            def _read(self, work):  # type: ignore[no-untyped-def]
                counts.reads += 1
                return super()._read(work)

            def _write(self, work, *, durable=False):  # type: ignore[no-untyped-def]
                counts.writes += 1
                return super()._write(work, durable=durable)

        self.plane = replace(plane, ledger=Counted(plane.ledger.url, plane.ledger.clock, plane.ledger.actor))


# ------------------------------------------------------------------------- another asker has more time than I


PATIENT = SAFE.model_copy(update={"asynchronous": True})
HURRY = SAFE.model_copy(update={"deadline_seconds": 60.0})
HURRY_LATER = PATIENT.model_copy(update={"deadline_seconds": 60.0})


def busy(world: World, seconds: float = 86_400.0) -> None:
    """Whatever the vendor accepts waits in its queue for so long."""
    world.vendor.busy_for = seconds


def test_my_deadline_holds_though_somebody_with_more_time_asked_before(world: World, plane: ControlPlane) -> None:
    busy(world)
    ((ticket,),) = submit(plane, [request(profile=PATIENT, study="patient")])
    answered = answer(world.plane(), request(profile=HURRY, study="hurry"))
    assert (answered.path, answered.reason, world.clock.passed) == ("classical", "its deadline has passed", 60.0)
    assert [(a.path, a.outcome) for a in answered.attempts] == [("quantum", "queued"), ("classical", "accepted")]
    (now,) = plane.latest([ticket])
    assert (now.id, now.state, now.deadline, now.owner) == (ticket.id, State.QUEUED, None, "")
    assert world.vendor.calls["cancel"] == 0
    world.clock.advance(86_400)
    turn(plane, [now])
    patient = collect(plane, request(profile=PATIENT, study="patient"))
    assert patient is not None
    assert (patient.path, len(world.vendor.jobs)) == ("quantum", 1)
    sound(plane)


def test_my_deadline_holds_though_somebody_with_more_time_asks_meanwhile(world: World, plane: ControlPlane) -> None:
    busy(world)

    def somebody_asks() -> None:
        submit(world.plane(), [request(profile=PATIENT, study="patient")])

    world.clock.meanwhile = somebody_asks
    answered = answer(plane, request(profile=HURRY, study="hurry"))
    assert (answered.path, answered.reason, world.clock.passed) == ("classical", "its deadline has passed", 60.0)
    (quantum, _) = all_tickets(plane)
    assert (quantum.state, quantum.deadline, quantum.owner) == (State.QUEUED, None, "")


def test_alone_my_deadline_ends_the_ticket(world: World, plane: ControlPlane) -> None:
    busy(world)
    assert answer(plane, request(profile=HURRY)).reason == "its deadline has passed"
    assert world.clock.passed == 60.0
    assert all_tickets(plane)[0].state is State.FELL_BACK
    assert world.vendor.calls["cancel"] == 1


def test_without_a_fallback_my_deadline_is_an_error(world: World, plane: ControlPlane) -> None:
    busy(world)
    patient = VENDOR.model_copy(update={"asynchronous": True})
    submit(plane, [request(profile=patient, study="patient")])
    with pytest.raises(ProviderError, match="was not answered: its deadline has passed"):
        answer(plane, request(profile=VENDOR.model_copy(update={"deadline_seconds": 60.0})))
    assert (world.clock.passed, len(all_tickets(plane))) == (60.0, 1)


def test_who_asks_several_waits_for_each_as_long_as_any_request_has_a_use_for_it(world: World) -> None:
    plane = world.plane()
    busy(world, 100.0)
    soon, later = (world.clock.now() + timedelta(seconds=seconds) for seconds in (60, 300))
    submit(plane, [request(question(n), PATIENT, study="patient") for n in range(2)])
    asked = [
        request(question(0), SAFE, deadline=soon),
        request(question(1), SAFE, deadline=soon),
        request(question(1), SAFE, deadline=later),
    ]
    answers = answer_all(plane, asked)
    assert [one.path for one in answers] == ["quantum"] * 3, "what comes while others are waited for is taken"
    assert world.clock.passed == pytest.approx(100, abs=5)


@pytest.mark.parametrize("hurried", [True, False])
def test_collecting_does_without_after_the_deadline_that_it_was_asked_with(world: World, hurried: bool) -> None:
    """Who collects asked for nothing: the ledger knows until when its partition waits."""
    busy(world)
    plane = world.plane()
    mine = request(profile=HURRY_LATER if hurried else PATIENT, study="hurry")
    submit(plane, [request(profile=PATIENT, study="patient")])
    ((ticket,),) = submit(plane, [mine])
    world.clock.advance(59)
    (now,) = turn(plane, [ticket])
    assert collect(plane, mine) is None
    world.clock.advance(1)
    (now,) = turn(plane, [now])
    waiting = {status.study: status.open for status in plane.ledger.partitions()}
    assert waiting == {"hurry": 0 if hurried else 1, "patient": 1}
    answered = collect(world.plane(), mine)
    assert (answered is None) is not hurried
    assert not ended(plane, mine)
    if answered is not None:
        assert (answered.path, answered.reason) == ("classical", "its deadline has passed")
    assert plane.latest([now])[0].state is State.QUEUED
    assert collect(plane, request(profile=PATIENT, study="patient")) is None


def test_asked_again_the_partition_waits_by_its_new_deadline(world: World, plane: ControlPlane) -> None:
    busy(world)
    mine = request(profile=HURRY_LATER, study="hurry")
    submit(plane, [request(profile=PATIENT, study="patient"), mine])
    world.clock.advance(60)
    submit(plane, [mine])
    assert collect(plane, mine) is None
    assert all(status.open == 1 for status in plane.ledger.partitions())
    world.clock.advance(60)
    answered = collect(plane, mine)
    assert answered is not None
    assert answered.reason == "its deadline has passed"
