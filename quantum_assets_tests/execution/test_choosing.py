"""Where a ticket goes, and who may go on with it."""

from dataclasses import replace

import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.asking import ask
from quantum_assets.execution.choosing import (
    Destination,
    Nowhere,
    able_providers,
    destination,
    guarded,
    held_elsewhere,
    require_able,
)
from quantum_assets.execution.plane import ControlPlane, Patience
from quantum_assets_tests.execution.fakes import (
    DEAD,
    LOCAL,
    STRANGER,
    VENDOR,
    Unavailable,
    World,
    exact_question,
    question,
    request,
)

EITHER = VENDOR.model_copy(update={"providers": ("vendor", "other"), "backend": "big"})


def open_breaker(plane: ControlPlane, provider: str, backend: str = "") -> None:
    def away() -> None:
        raise Unavailable("away")

    while not plane.breakers.state(provider, backend).refuses:
        with pytest.raises(Unavailable):
            plane.breakers.guard(provider, backend).call(away)


def test_the_first_that_supports_it_takes_it(world: World, plane: ControlPlane) -> None:
    (ticket,) = ask(plane, request(profile=EITHER)).tickets
    assert destination(plane, ticket) == Destination("vendor", "big")
    world.vendor.refusal = "it is too wide"
    assert destination(plane, ticket) == Destination("other", "big")
    world.other.refusal = "it is too deep"
    where = destination(plane, ticket)
    assert isinstance(where, Nowhere)
    assert where.breaker is None
    assert "vendor: it is too wide" in where.reason
    assert "other: it is too deep" in where.reason


def test_an_open_breaker_sends_it_to_the_next(plane: ControlPlane) -> None:
    (ticket,) = ask(plane, request(profile=EITHER)).tickets
    open_breaker(plane, "vendor", "another backend")
    assert destination(plane, ticket) == Destination("vendor", "big")
    open_breaker(plane, "vendor", "big")
    assert destination(plane, ticket) == Destination("other", "big")
    open_breaker(plane, "other", "big")
    where = destination(plane, ticket)
    assert isinstance(where, Nowhere)
    assert where.breaker is not None
    assert where.breaker.provider == "vendor"
    assert where.reason.count("breaker is open") == 2


def test_a_simulator_here_has_no_breaker(world: World, plane: ControlPlane) -> None:
    (ticket,) = ask(plane, request(exact_question(), LOCAL)).tickets
    here = replace(ticket, provider="local")
    for _ in range(plane.breakers.fail_max + 1):
        with pytest.raises(Unavailable):
            guarded(plane, here, "submit", _raise)
    assert plane.breakers.states() == ()


def _raise() -> None:
    raise Unavailable("away")


def test_what_is_not_installed_or_not_known_is_a_refusal(world: World) -> None:
    def missing() -> object:
        raise ImportError("No module named 'sdk'")

    plane = replace(world.plane(), providers={"vendor": missing})  # type: ignore[dict-item]
    able, refusals = able_providers(plane, question(), EITHER)
    assert able == ()
    assert "package that is not installed (No module named 'sdk')" in refusals["vendor"]
    assert refusals["other"] == "not known here (known: vendor)"
    with pytest.raises(ProviderError, match=r"no provider runs question 0: vendor: needs.*other: not known"):
        require_able(plane, question(), EITHER)


@pytest.mark.parametrize("state", [State.SUBMITTING, State.SUBMITTED, State.COMPLETED])
def test_a_job_inside_another_process_is_that_process_s(world: World, neighbour: str, state: State) -> None:
    plane = world.plane()
    (planned,) = ask(plane, request(exact_question(), LOCAL)).tickets
    ticket = replace(planned, state=state, provider="local", job="j")
    assert held_elsewhere(plane, replace(ticket, owner=neighbour))
    assert not held_elsewhere(plane, replace(ticket, owner=DEAD))
    assert not held_elsewhere(plane, replace(ticket, owner=""))
    assert not held_elsewhere(plane, replace(ticket, owner=plane.owner))


def test_a_job_at_a_vendor_is_everybody_s_but_for_the_window(world: World, neighbour: str) -> None:
    plane = world.plane()
    (planned,) = ask(plane, request()).tickets
    ticket = replace(planned, provider="vendor", owner=neighbour, order="a" * 64)
    assert held_elsewhere(plane, replace(ticket, state=State.SUBMITTING))
    assert not held_elsewhere(plane, replace(ticket, state=State.RUNNING))


def test_a_window_of_this_process_is_held_while_a_thread_is_in_it(world: World, plane: ControlPlane) -> None:
    (planned,) = ask(plane, request()).tickets
    ticket: Ticket = replace(planned, provider="vendor", owner=plane.owner, state=State.SUBMITTING)
    with plane.memory.window([ticket.id]):
        assert held_elsewhere(plane, ticket)
        assert held_elsewhere(world.plane(), ticket), "another thread's plane"
    assert not held_elsewhere(plane, ticket)


@pytest.mark.parametrize("back", [0, 86_400])
def test_a_stranger_is_given_a_while_also_by_a_clock_that_steps_back(world: World, back: float) -> None:
    plane = world.plane(patience=Patience(stranger=60))
    (planned,) = ask(plane, request()).tickets
    ticket = replace(planned, provider="vendor", owner=STRANGER, state=State.SUBMITTING)
    assert held_elsewhere(plane, ticket)
    world.clock.step(-back)
    world.clock.advance(59)
    assert held_elsewhere(plane, ticket)
    world.clock.advance(1)
    assert not held_elsewhere(plane, ticket)
