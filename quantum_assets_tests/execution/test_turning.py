"""Turns: one legal step each, by whoever takes it, at whatever hour the clock says."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from quantum_assets.contracts.errors import LedgerError, ProviderError
from quantum_assets.contracts.jobs import JobStatus, Limits
from quantum_assets.contracts.money import Estimate
from quantum_assets.contracts.profile import Batching
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.answering import answer, collect, submit
from quantum_assets.execution.cost import estimate
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.turning import cancel, expire, turn, turn_ledger, wait
from quantum_assets_tests.execution.fakes import (
    DEAD,
    LOCAL,
    PRICES,
    SAFE,
    STRANGER,
    VENDOR,
    Killed,
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


def test_a_deadline_ends_every_state_that_waits(world: World, plane: ControlPlane) -> None:
    deadline = world.clock.now() + timedelta(seconds=60)
    world.vendor.statuses += [RUNNING for _ in range(10)]
    tickets = [t for (t,) in submit(plane, [request(question(n), LATER, deadline=deadline) for n in range(2)])]
    ((planned,),) = submit(plane, [request(question(5), LATER, deadline=deadline)], hand_in=False)
    waiting = [*tickets, planned]
    assert expire(plane, waiting) == tuple(waiting)
    world.clock.advance(60)
    ended = expire(plane, waiting)
    assert {ticket.state for ticket in ended} == {State.FELL_BACK}
    assert ended[0].reason == "its deadline has passed"
    assert states_of(plane, planned) == [State.PLANNED, State.EXPIRED, State.FELL_BACK]


def test_a_deadline_is_met_on_time_also_by_slow_pollers(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [RUNNING for _ in range(10)]
    answer(plane, request(profile=SAFE.model_copy(update={"deadline_seconds": 12})))
    assert world.clock.passed == 12


def test_a_ticket_that_died_in_any_undecided_state_is_decided(world: World, plane: ControlPlane) -> None:
    left = []
    for number, state in enumerate((State.FAILED, State.CANCELLED, State.EXPIRED)):
        ((planned,),) = submit(plane, [request(question(number), LATER)], hand_in=False)
        left.append(plane.ledger.move(planned, state, "it was so"))
    after = turn(world.plane(), left)
    assert [ticket.state for ticket in after] == [State.FELL_BACK, State.REJECTED, State.FELL_BACK]
    assert {ticket.reason for ticket in after} == {"it was so"}


def test_a_completed_ticket_of_a_dead_process_is_fetched(world: World) -> None:
    dead = world.plane(DEAD)
    ((ticket,),) = submit(dead, [request(profile=LATER)])
    done = dead.ledger.move(ticket, State.COMPLETED, "DONE")
    (accepted,) = turn(world.plane(), [done])
    assert accepted.state is State.ACCEPTED


# ------------------------------------------------------------------------------------------------- the sensor


def test_a_sensor_goes_through_the_ledger_page_by_page_and_finishes(world: World, plane: ControlPlane) -> None:
    submit(world.plane(DEAD), [request(question(n), LATER) for n in range(7)], hand_in=False)
    sizes, cursor = [], ""
    for _ in range(4):
        tick = turn_ledger(plane, cursor=cursor, limit=3)
        sizes.append(len(tick.tickets))
        cursor = tick.cursor
        if not cursor:
            break
    assert sizes == [3, 3, 1]
    assert {ticket.state for ticket in all_tickets(plane)} == {State.ACCEPTED}
    assert turn_ledger(plane).tickets == ()
    answered = collect(world.plane(), request(question(4), LATER))
    assert answered is not None
    assert answered.path == "quantum"
    assert plane.memory.claims == {}, "answers wait on disk, not in the daemon"
    sound(plane)


def test_retries_are_reached_by_later_turns(world: World, plane: ControlPlane) -> None:
    world.vendor.results.append(lambda claims: claims[:0])
    submit(world.plane(DEAD), [request(profile=LATER)])
    for _ in range(4):
        turn_ledger(plane)
        world.clock.advance(60)
    assert [ticket.state for ticket in all_tickets(plane)] == [State.REJECTED, State.ACCEPTED]


def test_a_cursor_of_another_ledger_begins_anew(world: World, plane: ControlPlane) -> None:
    submit(plane, [request(profile=LATER)])
    assert len(turn_ledger(plane, cursor="0" * 32).tickets) == 1


def test_one_ticket_that_cannot_go_on_does_not_stop_the_others(world: World) -> None:
    dead, plane = world.plane(DEAD), world.plane()
    submit(dead, [request(question(n), LATER) for n in range(3)], hand_in=False)
    poisoned = all_tickets(plane)[1]
    with_order = dead.ledger.open_window(
        [poisoned],
        order_key="a" * 64,
        provider="no-such-provider",
        backend="",
        owner=DEAD,
        estimates=[_estimate(plane)],
        limit_micros=None,
    )
    dead.ledger.name_job(with_order[0].order, "j")
    for _ in range(2):
        turn_ledger(plane)
    assert [ticket.state for ticket in all_tickets(plane)] == [State.ACCEPTED, State.SUBMITTED, State.ACCEPTED]
    (alert,) = plane.ledger.alerts()
    assert alert.kind == "turn_failed"
    assert "no-such-provider: is not known here" in alert.message


def _estimate(plane: ControlPlane) -> Estimate:
    return estimate([question()], VENDOR, "vendor", plane.provider("vendor").limits(VENDOR), PRICES)


def test_a_plan_whose_workload_is_lost_ends(world: World, plane: ControlPlane) -> None:
    ((ticket,),) = submit(world.plane(DEAD), [request(profile=LATER)], hand_in=False)
    plane.spool.drop(ticket.workload_fingerprint)
    (tick,) = turn_ledger(plane).tickets
    assert tick.state is State.FELL_BACK
    assert "is not in the spool" in tick.reason


def test_a_ledger_that_is_away_stops_the_sensor(world: World, plane: ControlPlane) -> None:
    submit(plane, [request(profile=LATER)])
    away = replace(plane, ledger=replace(plane.ledger, url="sqlite:////dev/null/no/ledger.db"))
    with pytest.raises(LedgerError):
        turn_ledger(away)


def test_paid_jobs_whose_asker_died_waiting_are_looked_after(world: World, neighbour: str) -> None:
    dead, living, plane = world.plane(DEAD), world.plane(neighbour), world.plane()
    submit(dead, [request(question(1))])
    submit(living, [request(question(2))])
    submit(dead, [request(exact_question(), LOCAL)], hand_in=False)
    turn_ledger(plane)
    assert [ticket.state for ticket in all_tickets(plane)] == [State.ACCEPTED, State.SUBMITTED, State.PLANNED]


@pytest.mark.parametrize("limit", [1, 3])
def test_what_the_dead_left_is_reached_behind_any_number_that_need_nothing(
    world: World, neighbour: str, limit: int
) -> None:
    living, dead, plane = world.plane(neighbour), world.plane(DEAD), world.plane()
    world.vendor.statuses += [RUNNING for _ in range(100)]
    submit(living, [request(question(n)) for n in range(5)])
    submit(dead, [request(question(5))])
    submit(dead, [request(question(6), SAFE)], hand_in=False)
    submit(plane, [request(question(7), LATER)])
    world.vendor.statuses.clear()
    world.clock.advance(3600)
    cursor, turns = "", 0
    while cursor or not turns:
        tick = turn_ledger(plane, cursor=cursor, limit=limit)
        assert len(tick.tickets) <= 2 * limit
        cursor, turns = tick.cursor, turns + 1
    assert turns <= 8 // limit + 1
    states = [ticket.state for ticket in all_tickets(plane)]
    assert states[:5] == [State.SUBMITTED] * 5, "somebody who lives waits for them"
    assert states[5:] == [State.ACCEPTED, State.FELL_BACK, State.ACCEPTED]


def test_tickets_that_wait_long_hide_none_behind_them(world: World, plane: ControlPlane) -> None:
    """The first four are with the vendor for days; what comes behind them is looked at all the same, in every round."""
    dead = world.plane(DEAD)
    for number in range(6):
        submit(dead, [request(question(number))])
    cursor, seen = "", Counter[str]()
    for _ in range(12):
        world.vendor.statuses += [RUNNING for _ in range(2)]
        tick = turn_ledger(plane, cursor=cursor, limit=2)
        world.vendor.statuses.clear()
        seen.update(ticket.id for ticket in tick.tickets)
        cursor = tick.cursor
    assert [seen[ticket.id] for ticket in all_tickets(plane)] == [3] * 6


def test_a_slow_provider_bounds_a_turn_and_hides_no_ticket(world: World, plane: ControlPlane) -> None:
    """Twenty jobs of two seconds a look: a turn of eight seconds ends soon after, and the rounds reach every job."""
    world.vendor.limits_ = Limits(max_workloads=1, durable=True, poll_seconds=5.0)
    submit(plane, [request(question(number), LATER) for number in range(20)])
    world.vendor.look_seconds = 2.0
    cursor, seen = "", Counter[str]()
    for _ in range(12):
        world.vendor.statuses += [RUNNING for _ in range(100)]
        began = world.clock.monotonic()
        tick = turn_ledger(plane, cursor=cursor, seconds=8.0)
        world.vendor.statuses.clear()
        assert world.clock.monotonic() - began <= 20.0
        seen.update(ticket.id for ticket in tick.tickets)
        cursor = tick.cursor
    assert set(seen) == {ticket.id for ticket in all_tickets(plane)}
    assert min(seen.values()) >= 2


def test_a_process_of_another_host_that_says_nothing_is_gone_after_a_while(world: World, plane: ControlPlane) -> None:
    submit(world.plane(STRANGER), [request(question(1))])
    turn_ledger(plane)
    assert [ticket.state for ticket in all_tickets(plane)] == [State.SUBMITTED], "it may live"
    world.clock.advance(plane.patience.stranger)
    turn_ledger(plane)
    assert [ticket.state for ticket in all_tickets(plane)] == [State.ACCEPTED]
    sound(plane)


# ------------------------------------------------------------------------------------------------ cancelling


def test_cancelled_tickets_have_no_fallback_and_their_job_is_asked_to_end(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [RUNNING]
    ((ticket,), (other,)) = submit(plane, [request(question(n), LATER) for n in range(2)])
    (ended,) = cancel(plane, [ticket], "run 7")
    assert (ended.state, ended.reason) == (State.REJECTED, "cancelled by run 7")
    assert not world.vendor.jobs[0].cancelled, "somebody still waits for the other member"
    cancel(plane, [other], "run 7")
    assert world.vendor.jobs[0].cancelled
    turn_ledger(plane)
    sound(plane)


def test_what_has_ended_or_completed_stays(world: World, plane: ControlPlane) -> None:
    answer(plane, request())
    (accepted,) = all_tickets(plane)
    ((other,),) = submit(plane, [request(question(2), LATER)])
    done = plane.ledger.move(other, State.COMPLETED, "DONE")
    assert cancel(plane, [accepted, done], "ada") == (accepted, done)


def test_cancelling_wins_the_race_with_a_poller(world: World, plane: ControlPlane) -> None:
    ((ticket,),) = submit(plane, [request(profile=LATER)])
    plane.ledger.move(ticket, State.RUNNING, "RUNNING")
    assert cancel(plane, [ticket], "ada")[0].state is State.REJECTED


def test_a_try_that_comes_after_a_failure_is_cancelled_in_its_stead(world: World, plane: ControlPlane) -> None:
    world.vendor.results.append(lambda claims: claims[:0])
    ((ticket,),) = submit(plane, [request(profile=LATER)])
    (again,) = turn(plane, [ticket])
    assert (again.attempt, again.state) == (2, State.PLANNED)
    assert cancel(plane, [ticket], "ada")[0].state is State.REJECTED
    assert plane.ledger.ticket(again.id).state is State.REJECTED


# --------------------------------------------------------------------------------------------------- waiting


def test_waiting_asks_as_often_as_the_provider_wants_to_be_asked(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [RUNNING, RUNNING]
    world.vendor.results.append(Unavailable("503"))
    answer(plane, request())
    assert world.clock.sleeps == [5.0, 5.0, 5.0]


def test_waiting_for_company_does_not_ask_all_the_time(world: World, plane: ControlPlane) -> None:
    answer(plane, request(profile=VENDOR.model_copy(update={"batching": Batching(max_wait_seconds=2.5)})))
    assert world.clock.sleeps == [1.0, 1.0, 0.5]


def test_interrupted_while_waiting_nothing_stays_in_our_name(world: World, plane: ControlPlane) -> None:
    ((ticket,),) = submit(plane, [request()])

    def interrupted() -> None:
        raise Killed

    world.vendor.statuses += [RUNNING]
    world.clock.meanwhile = interrupted
    with pytest.raises(Killed):
        wait(plane, [ticket])
    (left,) = all_tickets(plane)
    assert (left.owner, left.state) == ("", State.RUNNING)


@pytest.mark.parametrize("back", [60.0, 86_400.0])
def test_a_clock_that_steps_back_while_we_wait_costs_a_pause_at_most(
    world: World, plane: ControlPlane, back: float
) -> None:
    world.vendor.before.append(Unavailable("503"))
    world.vendor.statuses += [RUNNING, RUNNING]
    world.vendor.during = lambda _: world.clock.step(-back)
    assert answer(plane, request()).path == "quantum"
    assert world.clock.passed <= plane.patience.longest_pause


def test_two_that_wait_for_one_ticket_both_get_its_answer(world: World) -> None:
    one, other = world.plane(), world.plane()
    answers = []
    world.vendor.statuses += [RUNNING]
    world.clock.meanwhile = lambda: answers.append(answer(other, request(study="other")))
    answers.append(answer(one, request()))
    assert [a.tickets for a in answers] == [answers[0].tickets] * 2
    assert len(world.vendor.jobs) == 1
    with pytest.raises(ProviderError):
        answer(one, request(profile=VENDOR.model_copy(update={"providers": ("nobody",)})))
