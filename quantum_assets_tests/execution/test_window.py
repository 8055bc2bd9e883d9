"""The submit window: whatever happens to the call, nothing is handed in twice on a guess, and nothing is lost."""

from dataclasses import replace
from typing import Any

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import JobStatus, Limits, Order
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.answering import answer, answer_all, submit
from quantum_assets.execution.asking import ask
from quantum_assets.execution.choosing import Destination
from quantum_assets.execution.dispatch import _open
from quantum_assets.execution.pack import order_key
from quantum_assets.execution.plane import ControlPlane, Patience
from quantum_assets.execution.turning import cancel, turn, turn_ledger
from quantum_assets_tests.execution.clocks import ManualClock
from quantum_assets_tests.execution.fakes import (
    DEAD,
    LOCAL,
    MICROS,
    SAFE,
    STRANGER,
    Denied,
    DurableVendor,
    Job,
    Killed,
    OnTheWay,
    Throttled,
    TooLarge,
    Unavailable,
    World,
    all_tickets,
    exact_question,
    question,
    request,
    sound,
    states_of,
    watched,
)

LATER = SAFE.model_copy(update={"asynchronous": True})
BLIND = Limits(max_workloads=10, durable=True, poll_seconds=5.0, settle_seconds=30.0)


def only(plane: ControlPlane) -> Ticket:
    (ticket,) = all_tickets(plane)
    return ticket


# ------------------------------------------------------------------------------------- the process dies


def test_the_window_is_in_the_books_before_the_call(world: World, plane: ControlPlane) -> None:
    seen: list[tuple[State, str, int]] = []

    def look(order: Order) -> None:
        (ticket,) = world.plane().ledger.tickets(order=order.key)
        (spending,) = plane.ledger.spending()
        seen.append((ticket.state, ticket.owner, spending.reserved))

    world.vendor.during = look
    assert answer(plane, request()).envelope.cost == MICROS / 1e6
    assert seen == [(State.SUBMITTING, plane.owner, 500_000)]


@pytest.mark.parametrize("accepted", [False, True])
def test_interrupted_in_the_call_somebody_else_finds_out(world: World, accepted: bool) -> None:
    (world.vendor.after if accepted else world.vendor.before).append(Killed())
    first, second = world.plane(), world.plane()
    with pytest.raises(Killed):
        submit(first, [request(profile=LATER)])
    assert only(second).state is State.SUBMITTING
    assert answer(second, request(profile=LATER)).path == "quantum"
    assert len(world.vendor.jobs) == 1
    assert (world.vendor.calls["submit"], world.vendor.calls["find"]) == (1 if accepted else 2, 1)
    assert only(second).attempt == 1
    sound(second)


@pytest.mark.parametrize("accepted", [False, True])
def test_killed_in_the_call_its_order_is_looked_up_by_key(world: World, accepted: bool) -> None:
    killed, alive = world.plane(DEAD), world.plane()
    order, opened = window_left_by(killed)
    if accepted:
        world.vendor.submit(order)
        world.vendor.calls.clear()
    after = turn(alive, [opened])
    assert world.vendor.calls["submit"] == (0 if accepted else 1)
    assert after[0].state is State.COMPLETED or after[0].state is State.ACCEPTED
    assert [job.order.key for job in world.vendor.jobs] == [order.key], "the same key in either case"


def window_left_by(plane: ControlPlane) -> tuple[Order, Ticket]:
    """What is in the books when a process is killed between the window and the call's return."""
    (ticket,) = ask(plane, request(profile=LATER)).tickets
    order = plane.order([ticket], order_key([(ticket.question, 0, 1)], "vendor"))
    (opened,) = _open(plane, Destination("vendor", ""), [ticket], order)
    return order, opened


def test_who_is_in_the_window_is_left_alone(world: World, neighbour: str) -> None:
    _, opened = window_left_by(world.plane(neighbour))
    assert turn(world.plane(), [opened]) == (opened,)
    assert world.vendor.calls == {}


@pytest.mark.parametrize("back", [0.0, 86_400.0])
def test_a_stranger_s_window_is_taken_over_after_a_while(world: World, back: float) -> None:
    _, opened = window_left_by(world.plane(STRANGER))
    plane = world.plane()
    assert turn(plane, [opened]) == (opened,)
    world.clock.step(-back)
    world.clock.advance(plane.patience.stranger)
    assert turn(plane, [opened])[0].state is State.ACCEPTED
    assert len(world.vendor.jobs) == 1


def test_of_two_that_recover_one_does(world: World) -> None:
    order, opened = window_left_by(world.plane(DEAD))
    one, other = world.plane(), world.plane()
    seen: list[tuple[Ticket, ...]] = []
    world.vendor.looking = lambda: seen.append(turn(other, [opened]))
    after = turn(one, [opened])
    assert seen[0][0].state is State.SUBMITTING, "the other left it alone"
    assert after[0].state is State.ACCEPTED
    assert [job.order.key for job in world.vendor.jobs] == [order.key]


def test_a_submission_that_kills_every_process_is_given_up(world: World) -> None:
    for _ in range(4):
        world.vendor.before.append(Killed())
    for _ in range(4):
        with pytest.raises(Killed):
            submit(world.plane(), [request(profile=LATER)])
    plane = world.plane()
    answered = answer(plane, request(profile=LATER))
    assert answered.path == "classical"
    assert "handed it 4 times by processes that died" in answered.reason
    assert world.vendor.jobs == []
    sound(plane)


# -------------------------------------------------------------------------------------- the call fails


def test_a_lost_response_is_adopted(world: World, plane: ControlPlane) -> None:
    world.vendor.after.append(ConnectionResetError("gone while reading"))
    answered = answer(plane, request())
    assert (answered.path, len(answered.attempts)) == ("quantum", 1)
    assert (world.vendor.calls["submit"], len(world.vendor.jobs)) == (1, 1)
    sound(plane)


def test_503_is_looked_up_then_sent_again_under_the_same_key(world: World, plane: ControlPlane) -> None:
    world.vendor.before += [Unavailable("503"), Unavailable("503")]
    keys: list[str] = []
    world.vendor.during = lambda order: keys.append(order.key)
    answered = answer(plane, request())
    ticket = only(plane)
    assert answered.path == "quantum"
    assert (world.vendor.calls["submit"], world.vendor.calls["find"]) == (3, 2)
    assert keys == [ticket.order]
    assert plane.ledger.submissions(ticket.order) == 3
    assert states_of(plane, ticket)[:6] == [State.PLANNED, State.SUBMITTING] * 3
    sound(plane)


def test_a_storm_is_met_at_most_as_often_as_the_rule_says(world: World, plane: ControlPlane) -> None:
    world.vendor.before += [Unavailable("503") for _ in range(50)]
    answered = answer(plane, request(profile=SAFE))
    rule = next(rule for rule in plane.policy.rules if rule.name == "unavailable_on_submit")
    assert world.vendor.calls["submit"] == 1 + rule.at_most
    assert (answered.path, len(world.vendor.jobs)) == ("classical", 0)
    assert "unavailable_on_submit" in answered.reason
    bounds = [rule.backoff_seconds * 2.0**n for n in range(rule.at_most)]
    pauses = [seconds for seconds in world.clock.sleeps if seconds > plane.patience.nap]
    assert all(pause <= bound for pause, bound in zip(pauses, bounds, strict=False))
    sound(plane)


def test_a_storm_where_look_ups_lag_is_bounded_too(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = BLIND
    world.vendor.before += [Unavailable("503") for _ in range(50)]
    start = world.clock.passed
    with pytest.raises(ProviderError, match="unavailable_on_submit"):
        answer(plane, request())
    assert world.vendor.calls["submit"] == 5
    assert world.clock.passed - start >= 5 * 30, "each time the look-up was given its time"
    sound(plane)


def test_429_is_left_alone_as_long_as_it_asked(world: World, plane: ControlPlane) -> None:
    world.vendor.before.append(Throttled(40.0))
    assert answer(plane, request()).path == "quantum"
    assert 40 <= max(world.clock.sleeps) <= 70
    assert world.vendor.calls["submit"] == 2


def test_429_is_left_alone_also_where_look_ups_lag(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = BLIND
    world.vendor.before.append(Throttled(300.0))
    answer(plane, request())
    assert world.clock.passed >= 300


def test_a_job_that_shows_late_is_adopted_and_not_doubled(world: World, plane: ControlPlane) -> None:
    world.vendor.limits_ = BLIND
    world.vendor.after.append(Unavailable("lost"))
    assert answer(plane, request()).path == "quantum"
    assert (world.vendor.calls["submit"], len(world.vendor.jobs)) == (1, 1)
    assert world.vendor.calls["find"] > 1
    sound(plane)


@pytest.mark.parametrize("back", [3600.0, 86_400.0])
def test_a_clock_that_steps_back_makes_no_look_up_sure_too_early(
    world: World, plane: ControlPlane, back: float
) -> None:
    world.vendor.limits_ = BLIND
    world.vendor.after.append(Unavailable("lost"))
    world.vendor.during = lambda _: world.clock.step(-back)
    assert answer(plane, request()).path == "quantum"
    assert len(world.vendor.jobs) == 1
    assert world.clock.passed < 300, "and nobody is held for the day"


def test_look_ups_that_fail_are_made_again(world: World, plane: ControlPlane) -> None:
    world.vendor.after.append(Unavailable("lost"))
    world.vendor.finds += [Unavailable("503"), TimeoutError("slow")]
    assert answer(plane, request()).path == "quantum"
    assert (world.vendor.calls["find"], len(world.vendor.jobs)) == (3, 1)


def test_an_order_that_can_never_be_looked_up_is_given_up_and_its_money_stays_held(world: World) -> None:
    plane = world.plane(patience=Patience(unknown=100))
    world.vendor.after.append(Unavailable("lost"))
    world.vendor.finds += [Unavailable("503") for _ in range(200)]
    assert answer(plane, request(profile=SAFE)).path == "classical"
    assert 100 <= world.clock.passed < 200
    (spent,) = [one for one in plane.ledger.spending() if one.reserved]
    assert spent.reserved == 500_000
    world.vendor.finds.clear()
    world.vendor.statuses.append(JobStatus("running", "RUNNING"))
    assert turn_ledger(plane).settled == 0, "found, and asked to cancel"
    assert world.vendor.jobs[0].cancelled
    assert turn_ledger(plane).settled == 1
    (spent,) = plane.ledger.spending()
    assert (spent.reserved, spent.settled) == (0, MICROS)
    sound(plane)


def test_what_is_given_up_unseen_is_not_handed_in_again_by_whoever_comes_between(world: World) -> None:
    """Accepted, not told, and not to be looked up for an hour: whether to try again is no other process's to decide."""
    world.vendor.limits_ = BLIND
    world.vendor.after.append(Unavailable("503"))
    world.vendor.finds += [Unavailable("503") for _ in range(2)]
    ((ticket,),) = submit(world.plane(), [request(profile=LATER)])
    world.clock.advance(3700)
    other = OnTheWay(world.plane(), ticket)
    (now,) = turn(watched(world.plane(), other), other.plane.latest([ticket]))
    for _ in range(20):
        world.clock.advance(60)
        (now,) = turn(other.plane, other.plane.latest([now]))
    assert (now.state, now.attempt, len(world.vendor.jobs)) == (State.FELL_BACK, 1, 1)
    assert "503" in now.reason
    assert other.seen[-1] is State.FELL_BACK
    turn_ledger(other.plane)
    turn_ledger(other.plane)
    (spending,) = other.plane.ledger.spending()
    assert (spending.settled, spending.reserved) == (MICROS, 0)
    sound(other.plane)


def test_a_refusal_at_the_door_ends_at_once_and_tells_somebody(world: World, plane: ControlPlane) -> None:
    world.vendor.before.append(Denied("401"))
    world.vendor.finds += [Denied("401") for _ in range(2)]
    with pytest.raises(ProviderError, match="http_not_authorized"):
        answer(plane, request(profile=SAFE))
    ticket = only(plane)
    assert (ticket.state, world.vendor.calls["submit"]) == (State.REJECTED, 1)
    assert "http_not_authorized" in {alert.kind for alert in plane.ledger.alerts()}
    world.vendor.finds.clear()
    assert turn_ledger(plane).settled == 1, "what it held is free once it is proved absent"
    sound(plane)


class Halved(DurableVendor):
    """Makes two jobs of every order; a submission that fails has made the first of them."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__(clock)
        self.half: Job | None = None
        self.lost: list[Exception] = []

    def submit(self, order: Order) -> Any:
        self.half = self.half or Job("vendor-half", order, self.clock.passed)
        return super().submit(order)

    def remains(self, order: Order) -> str | None:
        if self.lost:
            raise self.lost.pop(0)
        return None if self.half is None or self.half.order.key != order.key else self.half.id

    def _job(self, name: str) -> Job:
        return self.half if self.half is not None and name == self.half.id else super()._job(name)


def halved(world: World) -> Halved:
    vendor = world.vendor = Halved(world.clock)
    return vendor


def test_what_a_submission_that_is_given_up_made_is_ended_and_paid_for(world: World, plane: ControlPlane) -> None:
    vendor = halved(world)
    vendor.before.append(RuntimeError("who knows"))
    assert answer(plane, request(profile=SAFE)).path == "classical"
    assert vendor.half is not None
    assert vendor.half.cancelled
    (spending,) = plane.ledger.spending()
    assert (spending.settled, spending.reserved) == (MICROS, 0)
    sound(plane)


def test_what_a_look_up_may_still_miss_is_ended_at_once_and_paid_for_when_it_is_sure(world: World) -> None:
    vendor, plane = halved(world), world.plane()
    vendor.limits_, vendor.busy_for = BLIND, 1000
    vendor.before.append(Denied("401"))
    with pytest.raises(ProviderError, match="http_not_authorized"):
        answer(plane, request(profile=SAFE))
    assert vendor.half is not None
    assert vendor.half.cancelled
    assert (plane.ledger.spending()[0].settled, plane.ledger.spending()[0].reserved) == (0, 500_000)
    world.clock.advance(30)
    assert turn_ledger(plane).settled == 1
    assert (plane.ledger.spending()[0].settled, plane.ledger.spending()[0].reserved) == (MICROS, 0)
    sound(plane)


def test_half_an_order_that_goes_out_again_is_left_alone_and_its_money_stays_held(world: World) -> None:
    vendor, plane = halved(world), world.plane()
    vendor.before.append(Unavailable("503"))
    ((ticket,),) = submit(plane, [request(profile=LATER)])
    assert (ticket.state, plane.ledger.spending()[0].reserved) == (State.PLANNED, 500_000)
    world.clock.advance(600)
    (ticket,) = turn(plane, [ticket])
    assert (ticket.state, ticket.job, plane.ledger.submissions(ticket.order)) == (State.ACCEPTED, "vendor-1", 2)
    assert vendor.half is not None
    assert not vendor.half.cancelled
    assert (plane.ledger.spending()[0].settled, plane.ledger.spending()[0].reserved) == (MICROS, 0)
    sound(plane)


def test_half_an_order_whose_tickets_go_elsewhere_is_ended_and_paid_for(world: World) -> None:
    vendor, plane = halved(world), world.plane()
    vendor.before.append(Unavailable("503"))
    submit(plane, [request(profile=LATER)])
    away = plane.classified(Unavailable("503"), "vendor", "submit")
    for _ in range(5):
        plane.breakers.guard("vendor", "", "submit").count(away)
    cursor = ""
    for _ in range(20):
        cursor = turn_ledger(plane, cursor=cursor).cursor
        world.clock.advance(10)
    assert vendor.half is not None
    assert vendor.half.cancelled
    assert plane.ledger.order(vendor.half.order.key).state == "settled"
    sound(plane)


def test_while_nobody_can_tell_whether_there_is_half_an_order_its_money_stays_held(world: World) -> None:
    vendor, plane = halved(world), world.plane()
    vendor.before.append(RuntimeError("who knows"))
    vendor.lost += [Unavailable("503") for _ in range(3)]
    assert answer(plane, request(profile=SAFE)).path == "classical"
    assert plane.ledger.spending()[0].reserved == 500_000
    assert turn_ledger(plane).settled == 1
    assert (plane.ledger.spending()[0].settled, plane.ledger.spending()[0].reserved) == (MICROS, 0)
    sound(plane)


def test_a_call_that_names_no_job_is_looked_up(world: World, plane: ControlPlane) -> None:
    world.vendor.after.append(None)
    assert answer(plane, request()).path == "quantum"
    assert len(world.vendor.jobs) == 1


def test_an_unknown_failure_after_acceptance_is_adopted_as_well(world: World, plane: ControlPlane) -> None:
    world.vendor.after.append(RuntimeError("who knows"))
    assert answer(plane, request(profile=SAFE)).path == "quantum"
    assert len(world.vendor.jobs) == 1


def test_an_unknown_failure_before_it_falls_back_and_alerts(world: World, plane: ControlPlane) -> None:
    world.vendor.before.append(RuntimeError("who knows"))
    answered = answer(plane, request(profile=SAFE))
    assert (answered.path, world.vendor.calls["submit"]) == ("classical", 1)
    assert [alert.kind for alert in plane.ledger.alerts()] == ["unknown"]


def test_what_the_rule_changes_goes_out_changed_after_a_proof(world: World, plane: ControlPlane) -> None:
    world.vendor.before.append(TooLarge("payload too large"))
    answers = answer_all(plane, [request(question(n)) for n in (1, 2)])
    assert [a.path for a in answers] == ["quantum", "quantum"]
    assert {a.attempts[1].modification for a in answers} == {"workloads an order 2 → 1"}
    assert [len(job.order.workloads) for job in world.vendor.jobs] == [1, 1]
    sound(plane)


# ---------------------------------------------------------------------------------------- ended meanwhile


def test_cancelled_inside_the_window_the_job_is_cancelled_at_the_vendor(world: World, plane: ControlPlane) -> None:
    other = world.plane()
    world.vendor.during = lambda order: cancel(other, other.ledger.tickets(order=order.key), "ada")
    world.vendor.statuses.append(JobStatus("running", "RUNNING"))
    with pytest.raises(ProviderError, match="cancelled by ada"):
        answer(plane, request(profile=SAFE))
    turn_ledger(plane)
    assert world.vendor.jobs[0].cancelled
    (row,) = plane.ledger.orders()
    assert (row.job, row.micros) == ("vendor-1", MICROS)
    sound(plane)


def test_one_of_two_cancelled_inside_the_window_leaves_the_other(world: World, plane: ControlPlane) -> None:
    other = world.plane()

    def end_one(order: Order) -> None:
        world.vendor.during = None
        cancel(other, other.ledger.tickets(order=order.key)[:1], "ada")

    world.vendor.during = end_one
    tickets = [t for (t,) in submit(plane, [request(question(n), LATER) for n in (1, 2)])]
    after = turn(plane, plane.latest(tickets))
    assert sorted(ticket.state for ticket in after) == [State.ACCEPTED, State.REJECTED]
    sound(plane)


def test_one_of_two_cancelled_before_a_second_try_leaves_the_other(world: World, plane: ControlPlane) -> None:
    world.vendor.before.append(Unavailable("503"))
    tickets = [t for (t,) in submit(plane, [request(question(n), LATER) for n in (1, 2)])]
    assert {ticket.state for ticket in tickets} == {State.PLANNED}
    assert len({ticket.order for ticket in tickets} - {""}) == 1
    cancel(plane, tickets[:1], "ada")
    world.clock.advance(600)
    now = plane.latest(tickets)
    for _ in range(3):
        now = turn(plane, now)
    assert sorted(ticket.state for ticket in now) == [State.ACCEPTED, State.REJECTED]
    assert [len(job.order.workloads) for job in world.vendor.jobs] == [1]
    sound(plane)


def test_two_jobs_under_one_key_are_told_and_one_is_ended(world: World) -> None:
    stranger, finder = world.plane(STRANGER), world.plane(patience=Patience(stranger=0))

    def taken_for_dead(order: Order) -> None:
        world.vendor.during = None
        (opened,) = finder.ledger.tickets(order=order.key)
        turn(finder, [opened])
        world.vendor.jobs.append(replace(world.vendor.jobs[0], id="vendor-2"))

    world.vendor.during = taken_for_dead
    world.vendor.after = ["vendor-2"]
    submit(stranger, [request(profile=LATER)])
    assert [alert.kind for alert in finder.ledger.alerts()] == ["submitted_twice"]
    assert [job.cancelled for job in world.vendor.jobs] == [False, True]
    assert only(finder).job == "vendor-1"


# --------------------------------------------------------------------------------------- in this process


def test_a_job_of_a_dead_process_is_run_again_here(world: World) -> None:
    killed, alive = world.plane(DEAD), world.plane()
    profile = LOCAL.model_copy(update={"cache": True})
    ((planned,),) = submit(killed, [request(exact_question(), profile)], hand_in=False)
    killed.ledger.move(planned, State.SUBMITTING, "runs", provider="local", owner=DEAD)
    answered = answer(alive, request(exact_question(), profile))
    assert [attempt.outcome for attempt in answered.attempts] == ["retried", "accepted"]
    assert "its process: is gone" in answered.attempts[0].reason


def test_a_job_of_a_living_process_is_waited_for(world: World, neighbour: str) -> None:
    there, here = world.plane(neighbour), world.plane()
    profile = LOCAL.model_copy(update={"cache": True})
    ((planned,),) = submit(there, [request(exact_question(), profile)], hand_in=False)
    running = there.ledger.move(planned, State.SUBMITTING, "runs", provider="local", owner=neighbour)
    assert turn(here, [running]) == (running,)
    assert world.local == [] or world.local[-1].runs == []


def test_interrupted_while_running_nobody_waits_for_us(world: World, plane: ControlPlane) -> None:
    plane.provider("local").behind.fails.append(Killed())  # type: ignore[attr-defined]
    profile = LOCAL.model_copy(update={"cache": True})
    with pytest.raises(Killed):
        answer(plane, request(exact_question(), profile))
    assert only(plane).owner == ""
    assert answer(world.plane(), request(exact_question(), profile)).path == "quantum"


def test_a_failure_here_is_no_matter_of_look_ups(world: World, plane: ControlPlane) -> None:
    plane.provider("local").behind.fails.append(ProviderError("local", "hiccup", "Again", retry=True))  # type: ignore[attr-defined]
    answered = answer(plane, request(exact_question(), LOCAL))
    assert [attempt.outcome for attempt in answered.attempts] == ["retried", "accepted"]
    assert plane.ledger.orders() == ()
    sound(plane)
