"""How jobs are doing: words that are not understood, statuses that lie, and bills that come late."""

import json
from dataclasses import replace

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import Charge, JobStatus, Limits
from quantum_assets.contracts.money import Price, PriceBook
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.answering import answer, answer_all, submit
from quantum_assets.execution.plane import ControlPlane, Patience
from quantum_assets.execution.polling import Settling, settle_ended
from quantum_assets.execution.turning import cancel, turn, turn_ledger
from quantum_assets_tests.execution.fakes import (
    LOCAL,
    MICROS,
    PRICES,
    SAFE,
    VENDOR,
    Denied,
    Unavailable,
    World,
    all_tickets,
    exact_question,
    question,
    request,
    sound,
    states_of,
)

LATER = SAFE.model_copy(update={"asynchronous": True})
RUNNING = JobStatus("running", "RUNNING")


def queued(place: int | None) -> JobStatus:
    return JobStatus("queued", "QUEUED", queue_position=place)


def test_a_job_is_followed_through_its_queue(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [queued(3), queued(1), RUNNING, queued(7), RUNNING]
    answered = answer(plane, request())
    (ticket,) = all_tickets(plane)
    assert answered.envelope.cost == MICROS / 1e6
    assert states_of(plane, ticket)[2:] == [
        State.SUBMITTED,
        State.QUEUED,
        State.RUNNING,
        State.QUEUED,
        State.RUNNING,
        State.COMPLETED,
        State.ACCEPTED,
    ]
    assert set(world.clock.sleeps) == {5.0}
    sound(plane)


def test_its_place_is_told_without_a_line_in_the_log(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [queued(3), queued(1)]
    ((ticket,),) = submit(plane, [request(profile=LATER)])
    (now,) = turn(plane, [ticket])
    assert now.queue_position == 3
    (now,) = turn(plane, [now])
    assert (now.queue_position, len(plane.ledger.transitions(now.id))) == (1, 4)


def test_many_members_are_one_question(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses.append(RUNNING)
    answer_all(plane, [request(question(n)) for n in range(4)])
    assert world.vendor.calls["status"] == 2


def test_trouble_in_asking_says_nothing_of_the_job(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [Unavailable("503"), TimeoutError("slow"), RUNNING]
    assert answer(plane, request()).path == "quantum"
    assert len(world.vendor.jobs) == 1


def test_a_word_that_is_not_understood_is_unknown_until_it_is(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [JobStatus("unknown", "POLISHING"), JobStatus("unknown", "POLISHING"), RUNNING]
    answer(plane, request())
    (ticket,) = all_tickets(plane)
    assert states_of(plane, ticket)[3:6] == [State.UNKNOWN, State.RUNNING, State.COMPLETED]
    assert "vendor says 'POLISHING'" in plane.ledger.transitions(ticket.id)[3].reason


@pytest.mark.parametrize("back", [0.0, 86_400.0])
def test_a_job_nobody_knows_is_given_up_after_a_while_and_never_run_again(world: World, back: float) -> None:
    plane = world.plane(patience=Patience(unknown=100))
    world.vendor.statuses += [JobStatus("unknown", "not found") for _ in range(1000)]
    ((ticket,),) = submit(plane, [request(profile=LATER)])
    (ticket,) = turn(plane, [ticket])
    world.clock.step(-back)
    (ticket,) = turn(plane, [ticket])
    world.clock.advance(99)
    assert turn(plane, [ticket])[0].state is State.UNKNOWN
    world.clock.advance(1)
    (ended,) = turn(plane, [ticket])
    assert (ended.state, len(world.vendor.jobs)) == (State.FELL_BACK, 1)
    assert "could not say how job vendor-1 is for 100 s: not found" in ended.reason
    assert [alert.kind for alert in plane.ledger.alerts()] == ["job_lost"]
    assert settle_ended(plane).settled == 0, "one such word may be a slip"
    world.clock.advance(100)
    assert settle_ended(plane).settled == 1, "what it may have cost at most is booked"
    assert plane.ledger.spending()[0].settled == 500_000
    sound(plane)


def test_a_status_that_is_denied_is_told_and_may_come_back(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [Denied("401"), Denied("401")]
    assert answer(plane, request()).path == "quantum"
    assert [alert.kind for alert in plane.ledger.alerts()] == ["http_not_authorized"]


def test_failed_with_a_result_there_is_believed_to_be_completed(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses.append(JobStatus("failed", "ERROR", charge=Charge(MICROS)))
    answered = answer(plane, request())
    (ticket,) = all_tickets(plane)
    assert (answered.path, len(world.vendor.jobs)) == ("quantum", 1)
    assert plane.ledger.transitions(ticket.id)[3].reason == "ERROR, yet its result is there"
    sound(plane)


def test_failed_is_not_believed_while_nobody_can_look(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [JobStatus("failed", "ERROR"), JobStatus("failed", "ERROR")]
    world.vendor.results.append(Unavailable("503"))
    answered = answer(plane, request())
    (ticket,) = all_tickets(plane)
    assert (answered.path, len(world.vendor.jobs)) == ("quantum", 1)
    assert State.UNKNOWN in states_of(plane, ticket)


def test_failed_without_a_result_is_what_the_policy_says(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses.append(JobStatus("failed", "ERROR", message="qubit 7 is warm", charge=Charge(MICROS)))
    world.vendor.results.append(ProviderError("vendor", "no result", "None"))
    answered = answer(plane, request(profile=SAFE))
    assert answered.path == "classical"
    assert "job_failed: qubit 7 is warm" in answered.reason
    assert plane.ledger.spending()[0].settled == MICROS, "it was billed all the same"
    sound(plane)


def test_cancelled_by_the_vendor_it_is_tried_once_more(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses.append(JobStatus("cancelled", "CANCELLED"))
    answered = answer(plane, request())
    assert [attempt.outcome for attempt in answered.attempts] == ["retried", "accepted"]
    assert sorted(row.micros or 0 for row in plane.ledger.orders()) == [0, MICROS], "what never ran costs nothing"
    assert [job.cancelled for job in world.vendor.jobs] == [True, False], "so that it does not run beside the next"
    sound(plane)


def test_a_job_that_is_over_and_cannot_be_cancelled_is_tried_once_more_all_the_same(
    world: World, plane: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "quantum_assets")
    world.vendor.statuses.append(JobStatus("cancelled", "CANCELLED"))
    world.vendor.cancels.append(Denied("it is over"))
    assert answer(plane, request()).path == "quantum"
    assert "it is over" in caplog.text
    sound(plane)


def test_a_job_that_went_with_its_process_is_run_again(world: World, plane: ControlPlane) -> None:
    later = LOCAL.model_copy(update={"cache": True})
    ((planned,),) = submit(plane, [request(exact_question(), later)], hand_in=False)
    running = plane.ledger.move(planned, State.SUBMITTING, "x", provider="local", owner=plane.owner)
    plane.ledger.move(running, State.SUBMITTED, "x", job="of-another-day")
    answered = answer(plane, request(exact_question(), later))
    assert [attempt.outcome for attempt in answered.attempts] == ["retried", "accepted"]


# ----------------------------------------------------------------------------------------------------- bills


def test_an_expired_job_is_cancelled_and_its_late_charge_is_booked_once(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [RUNNING for _ in range(100)]
    answered = answer(plane, request(profile=SAFE.model_copy(update={"deadline_seconds": 60})))
    assert answered.path == "classical"
    assert "its deadline" in answered.reason
    assert world.vendor.jobs[0].cancelled
    assert (plane.ledger.spending()[0].reserved, plane.ledger.spending()[0].settled) == (500_000, 0)
    world.vendor.statuses.clear()
    assert [turn_ledger(plane).settled for _ in range(3)] == [1, 0, 0]
    assert (plane.ledger.spending()[0].reserved, plane.ledger.spending()[0].settled) == (0, MICROS)
    sound(plane)


def test_a_bill_that_changes_its_mind_is_told_and_stops_nothing(world: World, plane: ControlPlane) -> None:
    ((ticket,),) = submit(plane, [request(profile=LATER)])
    plane.ledger.settle(ticket.order, Charge(1))
    (done,) = turn(plane, [ticket])
    assert done.state is State.ACCEPTED
    assert [alert.kind for alert in plane.ledger.alerts()] == ["not_settled"]


def test_without_a_bill_the_price_of_what_ran_is_booked(world: World, plane: ControlPlane) -> None:
    world.vendor.charge = None
    assert answer(plane, request()).envelope.cost == 0.5
    sound(plane)


ENDED = {"completed": JobStatus("completed", "DONE"), "cancelled": JobStatus("cancelled", "CANCELLED")}


def metered(world: World) -> ControlPlane:
    """A vendor that is paid by the second, two dollars each, and tells the seconds late; three are expected."""
    world.vendor.charge = None
    world.vendor.limits_ = Limits(max_workloads=10, durable=True, poll_seconds=5.0, meters=True)
    price = Price(provider="vendor", kind="simulator", task="order", per_second=2.0, seconds_per_task=3)
    book = PriceBook(version=PRICES.version, prices=(price,))
    return replace(world.plane(patience=Patience(unknown=100)), prices=book)


@pytest.mark.parametrize("word", sorted(ENDED))
@pytest.mark.parametrize(("seconds", "micros"), [(20.0, 40_000_000), (0.0, 0)])
def test_time_that_is_told_late_is_what_is_booked(world: World, word: str, seconds: float, micros: int) -> None:
    plane, ended = metered(world), ENDED[word]
    world.vendor.statuses += [ended, ended]
    ((ticket,),) = submit(plane, [request(profile=LATER)])
    turn(plane, [ticket])
    assert plane.ledger.ticket(ticket.id).ended
    assert (plane.ledger.spending()[0].reserved, plane.ledger.spending()[0].settled) == (6_000_000, 0)
    world.vendor.statuses[:] = [ended, replace(ended, seconds={"run": seconds})]
    assert settle_ended(plane).settled == 0
    assert settle_ended(plane).settled == 1
    assert plane.ledger.orders()[0].micros == micros


@pytest.mark.parametrize("word", sorted(ENDED))
def test_time_that_is_never_told_is_booked_as_estimated_and_somebody_hears_of_it(world: World, word: str) -> None:
    plane, ended = metered(world), ENDED[word]
    ((ticket,),) = submit(plane, [request(profile=LATER)])
    cancel(plane, [ticket], "ada")
    for _ in range(3):
        world.vendor.statuses[:] = [ended]
        world.clock.advance(60)
        settle_ended(plane)
    assert [alert.kind for alert in plane.ledger.alerts()] == ["settled_blind"]
    assert (plane.ledger.orders()[0].state, plane.ledger.orders()[0].micros) == ("settled", 6_000_000)
    sound(plane)


def test_orders_that_still_run_do_not_keep_the_ended_from_being_settled(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = Limits(max_workloads=1, durable=True)
    tickets = [t for (t,) in submit(plane, [request(question(n), LATER) for n in range(110)])]
    newest = plane.ledger.orders()[-1].key
    (last,) = plane.ledger.tickets(order=newest)
    assert cancel(plane, [last], "ada")[0].state is State.REJECTED
    assert len(plane.ledger.orders(settled=False)) == len(tickets) - 1
    assert newest not in {row.key for row in plane.ledger.orders(settled=False)}


def test_settling_that_fails_is_made_again(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [RUNNING for _ in range(100)]
    answer(plane, request(profile=SAFE.model_copy(update={"deadline_seconds": 60})))
    world.vendor.statuses[:] = [Unavailable("503"), Denied("401")]
    assert [turn_ledger(plane).settled for _ in range(3)] == [0, 0, 1]
    assert [alert.kind for alert in plane.ledger.alerts()] == ["not_settled"]
    sound(plane)


def test_a_job_without_a_fallback_names_the_last_reason(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses.append(JobStatus("failed", "ERROR", message="qubit 7 is warm"))
    world.vendor.results.append(ProviderError("vendor", "no result", "None"))
    with pytest.raises(ProviderError, match=r"not answered after 1 try: .*qubit 7 is warm.*routing.fallback"):
        answer(plane, request(profile=VENDOR))


def test_a_backend_that_takes_jobs_and_fails_them_opens_its_breaker(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = Limits(max_workloads=1, durable=True, poll_seconds=5.0)
    tickets = [ticket for number in range(5) for (ticket,) in submit(plane, [request(question(number), LATER)])]
    world.vendor.statuses += [JobStatus("failed", "ERROR", code="9999", message="internal error")] * 5
    world.vendor.results += [ProviderError("vendor", "has no result", "Ask again")] * 5
    turn(plane, tickets)
    assert plane.breakers.state("vendor", "").state == "open"


def test_so_does_one_that_is_asked_one_job_at_a_time(world: World, plane: ControlPlane) -> None:
    for number in range(5):
        assert plane.breakers.state("vendor", "").state == "closed"
        world.vendor.statuses.append(JobStatus("failed", "ERROR", code="9999", message="internal error"))
        world.vendor.results.append(ProviderError("vendor", "has no result", "Ask again"))
        assert answer(plane, request(question(number), SAFE)).path == "classical"
    assert plane.breakers.state("vendor", "").state == "open"
    sixth = answer(plane, request(question(6), SAFE))
    assert (sixth.path, len(world.vendor.jobs)) == ("classical", 5)
    assert "its breaker is open" in sixth.reason
    sound(plane)


def test_orders_of_which_nobody_can_tell_anything_hide_no_others(world: World, plane: ControlPlane) -> None:
    """Two that cannot be asked about any more come first; the third is cancelled and paid for all the same."""
    world.vendor.limits_ = Limits(max_workloads=1, durable=True, poll_seconds=5.0)
    tickets = []
    for number in range(3):
        world.clock.advance(1)
        tickets += [ticket for (ticket,) in submit(plane, [request(question(number), LATER)])]
    world.vendor.statuses += [Unavailable("503")] * 3
    tickets = list(cancel(plane, tickets, "somebody"))
    world.vendor.statuses += [Unavailable("503"), Unavailable("503"), RUNNING]
    first = settle_ended(plane, limit=2)
    assert first == Settling(0, tickets[1].order)
    assert settle_ended(plane, limit=2, cursor=first.cursor) == Settling(0, "")
    assert [job.cancelled for job in world.vendor.jobs] == [False, False, True]


def test_who_cancels_is_not_kept_from_the_provider_by_orders_before(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = Limits(max_workloads=1, durable=True, poll_seconds=5.0)
    before = [ticket for number in range(51) for (ticket,) in submit(plane, [request(question(number), LATER)])]
    world.vendor.statuses += [Unavailable("503")] * 51
    cancel(plane, before, "somebody")
    ((last,),) = submit(plane, [request(question(51), LATER)])
    world.vendor.statuses.append(RUNNING)
    cancel(plane, [last], "somebody")
    assert [job.cancelled for job in world.vendor.jobs[50:]] == [False, True]


@pytest.mark.parametrize(
    "said",
    [
        JobStatus("queued", json.loads('"\\ud800 in the queue"')),
        JobStatus("queued", "QUE\0UED"),
        JobStatus("queued", "QUEUED", queue_position=10**20),
        JobStatus("queued", "QUEUED", queue_position=-1),
        JobStatus("completed", "DONE", charge=Charge(10**20)),
        JobStatus("failed", "FAILED", message=json.loads('"bad \\udfff"')),
    ],
)
def test_no_word_of_a_provider_keeps_a_ticket_open(world: World, plane: ControlPlane, said: JobStatus) -> None:
    ((ticket,),) = submit(plane, [request(profile=LATER)])
    world.vendor.statuses.append(said)
    turn(plane, [ticket])
    world.clock.advance(3600)
    for _ in range(3):
        (ticket,) = turn(plane, [ticket])
    assert ticket.ended
