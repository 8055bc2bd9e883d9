"""Asking in somebody's name."""

from datetime import timedelta

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import JobStatus
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.session import Bill, Session
from quantum_assets.execution.turning import turn
from quantum_assets_tests.execution.fakes import (
    LOCAL,
    MICROS,
    SAFE,
    VENDOR,
    World,
    all_tickets,
    exact_question,
    question,
)

LATER = SAFE.model_copy(update={"asynchronous": True})


def test_every_request_carries_whose_it_is(plane: ControlPlane) -> None:
    session = Session(plane, "wine", "p1", "run-1", "c-1")
    session.within("p2").answer(question(), VENDOR)
    (ticket,) = all_tickets(plane)
    (row,) = plane.ledger.requests(ticket.question)
    assert (row.study, row.partition, row.run_id, row.correlation_id) == ("wine", "p2", "run-1", "c-1")
    assert session.partition == "p1"


def test_several_travel_together(world: World, plane: ControlPlane) -> None:
    answers = Session(plane, "wine").answer_all([question(n) for n in range(3)], VENDOR)
    assert [a.path for a in answers] == ["quantum"] * 3
    assert world.vendor.calls["submit"] == 1


def test_a_synchronous_profile_is_only_planned_for(world: World, plane: ControlPlane) -> None:
    session = Session(plane, "wine")
    tickets = session.submit_each([question(n) for n in range(2)], VENDOR)
    assert ([t.state for (t,) in tickets], world.vendor.calls) == ([State.PLANNED] * 2, {})
    session.answer_all([question(n) for n in range(2)], VENDOR)
    assert [t.state for (t,) in session.latest(tickets)] == [State.ACCEPTED] * 2


def test_an_asynchronous_one_is_handed_in_and_obtained_later(world: World, plane: ControlPlane) -> None:
    session = Session(plane, "wine")
    with pytest.raises(ProviderError, match="never submitted"):
        session.obtain(question(), LATER)
    (of_it,) = session.submit_each([question()], LATER)
    assert session.obtain(question(), LATER) is None
    turn(world.plane(), of_it)
    answered = session.obtain(question(), LATER)
    assert answered is not None
    assert answered.path == "quantum"


def test_the_bill_counts_every_try_and_what_is_still_to_be_charged(world: World, plane: ControlPlane) -> None:
    session = Session(plane, "wine")
    assert session.bill([]) == Bill()
    world.vendor.results.append(lambda claims: claims[:0])
    (of_it,) = session.submit_each([question()], LATER)
    assert session.bill(of_it) == Bill(estimated=500_000, unsettled=1)
    (again,) = turn(plane, of_it)
    world.clock.advance(60)
    (sent,) = turn(plane, [again], collect_results=False)
    assert (again.attempt, again.order, sent.order != "") == (2, "", True)
    assert session.bill([sent]) == Bill(estimated=1_000_000, charged=MICROS, unsettled=1)
    turn(plane, [sent])
    assert session.bill(of_it) == session.bill([sent]) == Bill(estimated=1_000_000, charged=2 * MICROS)
    ((hit,),) = Session(plane, "iris").submit_each([question()], LATER)
    assert Session(plane, "iris").bill([hit]) == Bill(), "what came from the cache cost nothing again"


def test_obtaining_asks_only_for_what_nobody_asked(world: World, plane: ControlPlane) -> None:
    first = Session(plane, "wine").answer(question(), VENDOR)
    again = Session(world.plane(), "wine").obtain(question(), VENDOR)
    assert again is not None
    assert again.tickets == first.tickets
    fresh = Session(plane, "wine").obtain(exact_question(), LOCAL)
    assert fresh is not None
    assert len(all_tickets(plane)) == 2


def _until(world: World, plane: ControlPlane, seconds: float) -> Session:
    moment = world.clock.now() + timedelta(seconds=seconds)
    return Session(plane, "wine", until=moment, whose="the decision's deadline of 90 s")


def test_the_sooner_of_two_deadlines_is_the_tickets(world: World, plane: ControlPlane) -> None:
    session, start = _until(world, plane, 60), world.clock.now()
    wanted = {None: 60, 30.0: 30, 86_400.0: 60}
    for number, (seconds, expected) in enumerate(wanted.items()):
        profile = LATER.model_copy(update={"deadline_seconds": seconds})
        ((ticket,),) = session.submit_each([question(number)], profile)
        assert ticket.deadline == start + timedelta(seconds=expected)
    ((ticket,),) = Session(plane, "wine").submit_each([question(9)], LATER)
    assert ticket.deadline is None


def test_waiting_ends_with_the_sessions_time(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses += [JobStatus("running", "RUNNING")] * 100
    session, start = _until(world, plane, 60), world.clock.now()
    with pytest.raises(ProviderError, match="its deadline has passed"):
        session.answer(question(), VENDOR)
    assert (world.clock.now() - start).total_seconds() == 60


def test_without_time_nothing_is_asked(world: World, plane: ControlPlane) -> None:
    session = _until(world, plane, 0)
    told = r"question 0: is not asked for: no time is left of the decision's deadline of 90 s"
    for ask in (
        lambda: session.answer(question(), VENDOR),
        lambda: session.answer_all([question(), question()], VENDOR),
        lambda: session.submit_each([question()], LATER),
        lambda: session.obtain(question(), VENDOR),
        lambda: session.obtain(question(), LATER),
    ):
        with pytest.raises(ProviderError, match=told):
            ask()
    assert all_tickets(plane) == ()
    assert world.vendor.calls["submit"] == 0


def test_what_is_there_is_given_however_late(world: World, plane: ControlPlane) -> None:
    Session(plane, "wine").answer(question(0), VENDOR)
    (of_it,) = Session(plane, "wine").submit_each([question(1)], LATER)
    turn(plane, of_it)
    late = _until(world, plane, -1)
    for number, profile in ((0, VENDOR), (1, LATER)):
        answered = late.obtain(question(number), profile)
        assert answered is not None
        assert answered.path == "quantum"


def test_what_is_under_way_without_time_is_not_waited_for(world: World, plane: ControlPlane) -> None:
    session = Session(plane, "wine")
    session.submit_each([question()], LATER)
    assert session.obtain(question(), LATER) is None
    with pytest.raises(ProviderError, match="no time is left"):
        _until(world, plane, -1).obtain(question(), LATER)
