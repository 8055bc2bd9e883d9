"""The parts in one value: nothing is opened before it is used, and what steps share is right for many processes."""

import gc
from pathlib import Path

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import Limits
from quantum_assets.contracts.money import Estimate
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.asking import ask
from quantum_assets.execution.cost import estimate
from quantum_assets.execution.owner import Owner
from quantum_assets.execution.plane import ControlPlane, Patience, WorkloadLost, profile_of
from quantum_assets_tests.execution.fakes import DEAD, LOCAL, PRICES, VENDOR, World, exact_question, question, request


def test_making_one_opens_nothing(tmp_path: Path) -> None:
    made: list[str] = []
    plane = ControlPlane.in_home(tmp_path / "home", {"vendor": lambda: made.append("x")}, lambda *_: ())  # type: ignore[return-value, dict-item]
    assert (made, list(tmp_path.iterdir())) == ([], [])
    assert plane.owner == str(Owner.current())
    assert plane.ledger.actor == plane.owner


def test_a_provider_is_made_once_a_process(world: World) -> None:
    here, there = world.plane(), world.plane()
    assert here.provider("local") is here.provider("local")
    assert here.provider("local") is not there.provider("local")
    with pytest.raises(ProviderError, match=r"nobody: is not known here .known: local, other, vendor"):
        here.provider("nobody")


def test_a_workload_comes_from_memory_then_from_the_spool_then_not_at_all(world: World) -> None:
    here, there, held = world.plane(), world.plane(), question()
    (ticket,) = ask(here, request(held)).tickets
    assert here.workload(ticket) is held
    assert there.workload(ticket).fingerprint == held.fingerprint
    assert there.workload(ticket) is there.workload(ticket)
    here.spool.drop(held.fingerprint)
    assert here.workload(ticket) is held
    del held
    gc.collect()
    with pytest.raises(WorkloadLost, match=r"not in the spool.*Ask again"):
        here.workload(ticket)


def test_what_nobody_else_could_run_is_not_spooled(plane: ControlPlane) -> None:
    ask(plane, request(exact_question(), LOCAL))
    assert plane.spool.entries() == ()
    ask(plane, request(exact_question(1), LOCAL.model_copy(update={"asynchronous": True})))
    assert len(plane.spool.entries()) == 1


def test_waiting_is_counted_by_the_wall_or_by_this_process_whichever_is_more(world: World, plane: ControlPlane) -> None:
    start = world.clock.now()
    world.clock.advance(10)
    assert plane.waited("it", start) == 10
    world.clock.step(-86_400)
    assert plane.waited("it", start) == 0
    world.clock.advance(30)
    assert plane.waited("it", start) == 30
    assert world.plane().waited("it", start) == 0, "another process cannot know"


def test_where_another_process_was_faster_its_word_counts(world: World, plane: ControlPlane) -> None:
    (first,), (second,) = (ask(plane, request(question(n))).tickets for n in (1, 2))
    faster = plane.ledger.move(first, State.CANCELLED, "by another")

    def step(plane: ControlPlane, tickets: object) -> list[object]:
        return [plane.ledger.move(ticket, State.EXPIRED, "late") for ticket in tickets]  # type: ignore[attr-defined]

    after = plane.advance([first, second], [[first], [second]], step)  # type: ignore[arg-type]
    assert after[0] == faster
    assert after[1].state is State.EXPIRED


def test_the_members_of_an_order_come_by_position(world: World) -> None:
    plane = world.plane(DEAD)
    (first,), (second,) = (ask(plane, request(question(n))).tickets for n in (1, 2))
    opened = plane.ledger.open_window(
        [second, first],
        order_key="a" * 64,
        provider="vendor",
        backend="",
        owner=DEAD,
        estimates=[_estimate()] * 2,
        limit_micros=None,
    )
    assert [one.id for one in plane.members(opened[1], ())] == [second.id, first.id]
    order = plane.order(plane.members(opened[1], ()))
    assert [one.fingerprint for one in order.workloads] == [second.workload_fingerprint, first.workload_fingerprint]
    assert (order.key, order.profile) == ("a" * 64, VENDOR)


def test_a_person_is_told_once(plane: ControlPlane) -> None:
    for message in ("first", "second"):
        plane.tell("kind", "subject", message)
    plane.tell("kind", "another", "third")
    assert [alert.message for alert in plane.ledger.alerts()] == ["first", "third"]


def test_a_profile_is_read_from_its_ticket(plane: ControlPlane) -> None:
    (ticket,) = ask(plane, request()).tickets
    assert profile_of(ticket.profile) == VENDOR
    assert plane.pauses.longest == Patience().longest_pause


def _estimate() -> Estimate:
    return estimate([question()], VENDOR, "vendor", Limits(durable=True), PRICES)
