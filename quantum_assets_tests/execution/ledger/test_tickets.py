from datetime import timedelta

import pytest

from quantum_assets.contracts.errors import LedgerError, PlanError
from quantum_assets.contracts.ticket import State, question_of
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.execution.ledger.materials import (
    NOON,
    OTHER_PROFILE,
    PATIENT,
    PROFILE,
    TestClock,
    ask_for,
    opened,
    walk,
)


def test_asking_plans_a_ticket_with_everything_that_was_asked(ledger: Ledger) -> None:
    request = ask_for(
        study="wine",
        partition="p",
        project="lab",
        run_id="r",
        priority=3,
        correlation_id="c",
        deadline=NOON,
        replicate=2,
    )
    ticket, planned = ledger.ask(request)
    assert planned
    assert ticket == ledger.ticket(ticket.id) == ledger.open_ticket(request.question)
    assert (ticket.question, ticket.generation, ticket.attempt, ticket.state) == (request.question, 0, 1, State.PLANNED)
    assert (ticket.project, ticket.priority, ticket.correlation_id, ticket.replicate) == ("lab", 3, "c", 2)
    assert ticket.deadline == ticket.created_at == ticket.updated_at == NOON
    assert type(PROFILE).model_validate_json(ticket.profile) == PROFILE
    assert (ticket.profile_fingerprint, ticket.workload_fingerprint) == (
        PROFILE.fingerprint,
        request.workload.fingerprint,
    )
    assert (ticket.order, ticket.job, ticket.owner, ticket.queue_position, ticket.not_before) == (
        "",
        "",
        "",
        None,
        None,
    )
    [line] = ledger.transitions(ticket.id)
    assert (line.before, line.after, line.at, line.actor) == (None, State.PLANNED, NOON, "tester")


def test_the_same_question_meets_in_one_open_ticket_and_every_asker_is_known(ledger: Ledger) -> None:
    first, planned = ledger.ask(ask_for(study="a", partition="1", run_id="x"))
    second, again = ledger.ask(ask_for(study="b", partition="2", run_id="y"))
    assert (planned, again) == (True, False)
    assert first == second
    assert [(row.study, row.partition, row.run_id, row.generation) for row in ledger.requests(first.question)] == [
        ("a", "1", "x", 0),
        ("b", "2", "y", 0),
    ]


def test_an_adopted_ticket_serves_the_most_urgent_and_the_most_patient(ledger: Ledger) -> None:
    first, _ = ledger.ask(ask_for(priority=1, deadline=NOON))
    later, _ = ledger.ask(ask_for(priority=5, deadline=NOON + timedelta(hours=1)))
    assert (later.priority, later.deadline, later.version) == (5, NOON + timedelta(hours=1), first.version)
    same, _ = ledger.ask(ask_for(priority=2, deadline=NOON))
    assert (same.priority, same.deadline) == (5, NOON + timedelta(hours=1))
    patient, _ = ledger.ask(ask_for(deadline=None))
    assert patient.deadline is None
    assert ledger.move(first, State.CANCELLED, "moved by who saw it first").deadline is None


def test_a_question_is_asked_anew_after_its_ticket_has_ended(ledger: Ledger) -> None:
    first, _ = ledger.ask(ask_for())
    walk(ledger, first, State.COMPLETED, State.ACCEPTED)
    assert ledger.open_ticket(first.question) is None
    second, planned = ledger.ask(ask_for())
    assert (planned, second.generation, second.attempt) == (True, 1, 1)
    assert ledger.last_ticket(first.question) == second
    assert [row.generation for row in ledger.requests(first.question)] == [0, 1]


def test_a_part_another_profile_and_a_named_question_are_their_own(ledger: Ledger) -> None:
    request = ask_for()
    classical, _ = ledger.ask(request, path="classical", profile=OTHER_PROFILE)
    part, _ = ledger.ask(request, workload_fingerprint="w" * 64)
    named, _ = ledger.ask(request, question="q" * 64)
    whole, _ = ledger.ask(request)
    assert len({classical.id, part.id, named.id, whole.id}) == 4
    assert (classical.path, whole.path) == ("classical", "quantum")
    assert classical.question == question_of(request.workload.fingerprint, OTHER_PROFILE.fingerprint, 0)
    assert part.question == question_of("w" * 64, PROFILE.fingerprint, 0)
    assert (named.question, part.workload_fingerprint) == ("q" * 64, "w" * 64)


def test_an_unknown_ticket_is_named(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="ticket nowhere: is not in the ledger"):
        ledger.ticket("nowhere")
    assert ledger.last_ticket("nowhere") is None
    assert ledger.transitions("nowhere") == ()


def test_tickets_are_found_by_every_condition_and_paged(ledger: Ledger) -> None:
    asked = [ledger.ask(ask_for(n, study="s", partition=str(n % 2), run_id=f"r{n}"))[0] for n in range(5)]
    (asked[0],) = opened(ledger, "a" * 32, asked[:1])
    ended = walk(ledger, asked[4], State.COMPLETED, State.ACCEPTED)
    ids = [ticket.id for ticket in asked]
    assert [t.id for t in ledger.tickets()] == ids
    assert [t.id for t in ledger.tickets(states=[State.PLANNED])] == ids[1:4]
    assert ledger.tickets(states=[]) == ()
    assert ledger.tickets(order="a" * 32) == (asked[0],)
    assert [t.id for t in ledger.tickets(study="s", partition="1")] == [ids[1], ids[3]]
    assert [t.id for t in ledger.tickets(run_id="r2")] == [ids[2]]
    assert ledger.tickets(study="other") == ()
    assert [t.id for t in ledger.tickets(limit=2)] == ids[:2]
    assert [t.id for t in ledger.tickets(after=ids[1], limit=2)] == ids[2:4]
    assert ledger.tickets(question=ended.question, generation=0) == (ended,)
    assert ledger.tickets(question=ended.question, generation=1) == ()
    with pytest.raises(PlanError, match="is no ticket"):
        ledger.tickets(after="nobody")


def test_a_ticket_asked_for_in_both_ways_is_found_by_both(ledger: Ledger) -> None:
    waited, _ = ledger.ask(ask_for(1, PROFILE))
    assert ledger.tickets(asynchronous=True) == ()
    shared, planned = ledger.ask(ask_for(1, PATIENT))
    assert not planned, "whether somebody waits is no part of the question"
    assert ledger.tickets(asynchronous=True) == ledger.tickets(asynchronous=False) == (shared,)
    assert shared.id == waited.id


def test_partitions_count_questions_asked_asynchronously(ledger: Ledger) -> None:
    first, _ = ledger.ask(ask_for(1, PATIENT, study="s", partition="a"))
    ledger.ask(ask_for(2, PATIENT, study="s", partition="a"))
    ledger.ask(ask_for(2, PATIENT, study="s", partition="a"))
    ledger.ask(ask_for(2, PATIENT, study="t", partition="b"))
    ledger.ask(ask_for(9, PROFILE, study="s", partition="waits-inside"))
    walk(ledger, first, State.COMPLETED, State.ACCEPTED)
    counted = [(p.study, p.partition, p.asked, p.open, p.ended) for p in ledger.partitions()]
    assert counted == [("s", "a", 2, 1, 1), ("t", "b", 1, 1, 0)]
    [only] = ledger.partitions(study="t")
    assert only.last_request > ledger.partitions(study="s")[0].last_request
    ledger.ask(ask_for(1, PATIENT, study="s", partition="a"))
    assert [(p.asked, p.open) for p in ledger.partitions("s")] == [(2, 2)]


def test_a_partition_waits_no_longer_than_its_own_deadline(ledger: Ledger, clock: TestClock) -> None:
    """A ticket stays open for whoever has more time; a later asking of the same partition counts anew."""
    soon, later = NOON + timedelta(seconds=60), NOON + timedelta(seconds=90)
    for study, deadline in (("hurry", soon), ("patient", None), ("some", later)):
        ledger.ask(ask_for(1, PATIENT, study=study, partition="a", deadline=deadline))
    ledger.ask(ask_for(2, PATIENT, study="hurry", partition="a"))
    ledger.ask(ask_for(3, PATIENT, study="hurry", partition="b", deadline=soon))

    def waiting() -> dict[tuple[str, str], tuple[int, int, int]]:
        return {(p.study, p.partition): (p.asked, p.open, p.ended) for p in ledger.partitions()}

    one, none = (1, 1, 0), (1, 0, 1)
    open_ = {("hurry", "a"): (2, 2, 0), ("hurry", "b"): one, ("patient", "a"): one, ("some", "a"): one}
    assert waiting() == open_
    clock.moment = soon
    assert waiting() == open_ | {("hurry", "a"): (2, 1, 1), ("hurry", "b"): none}
    clock.moment = later
    ledger.ask(ask_for(3, PATIENT, study="hurry", partition="b", deadline=later + timedelta(seconds=1)))
    assert waiting() == open_ | {("hurry", "a"): (2, 1, 1), ("some", "a"): none}
    assert ledger.partitions("some")[0].ended == 1


def test_a_retry_between_tries_leaves_the_question_open(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for(1, PATIENT, study="s", partition="a"))
    ledger.again(walk(ledger, ticket, State.FAILED), State.RETRIED, "once more", profile=PATIENT, modification="")
    assert [(p.asked, p.open, p.ended) for p in ledger.partitions()] == [(1, 1, 0)]


def test_order_is_by_sequence_though_the_clock_steps_back(ledger: Ledger, clock: TestClock) -> None:
    ticket, _ = ledger.ask(ask_for(1))
    clock.moment -= timedelta(days=3)
    later, _ = ledger.ask(ask_for(2))
    walk(ledger, ticket, State.COMPLETED, State.ACCEPTED)
    assert [t.id for t in ledger.tickets()] == [ticket.id, later.id]
    lines = ledger.transitions(ticket.id)
    assert [line.after for line in lines] == [State.PLANNED, State.COMPLETED, State.ACCEPTED]
    assert lines[1].at < lines[0].at
    assert ledger.check() == ()
