"""What goes from the disk, and what somebody still needs."""

import os
from pathlib import Path

from quantum_assets.contracts.jobs import JobStatus
from quantum_assets.execution.answering import answer, submit
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.tidying import Tidied, tidy
from quantum_assets.execution.turning import cancel, turn_ledger
from quantum_assets_tests.execution.fakes import SAFE, VENDOR, World, question, request

LATER = SAFE.model_copy(update={"asynchronous": True})


def aged(world: World, days: float) -> None:
    """Every file of the home was last used so long before the clock's now."""
    then = world.clock.now().timestamp() - days * 86_400
    for file in Path(world.home / "execution").rglob("*.*"):
        os.utime(file, (then, then))


def test_what_nobody_needs_goes_after_a_while(world: World, plane: ControlPlane) -> None:
    answer(plane, request(profile=VENDOR))
    aged(world, 6)
    assert tidy(plane) == Tidied(0, 0, 0)
    aged(world, 8)
    assert tidy(plane) == Tidied(1, 0, 0)
    aged(world, 91)
    assert tidy(plane) == Tidied(0, 1, 0)
    assert plane.cache.stats().entries == 1


def test_what_an_open_ticket_or_an_unpaid_order_needs_stays(world: World, plane: ControlPlane) -> None:
    world.vendor.statuses.append(JobStatus("running", "RUNNING"))
    submit(plane, [request(question(1), LATER)], hand_in=False)
    ((ended,),) = submit(plane, [request(question(2), LATER)])
    cancel(plane, [ended], "ada")
    aged(world, 400)
    assert tidy(plane) == Tidied(0, 0, 0)
    turn_ledger(plane)
    aged(world, 400)
    assert tidy(plane).workloads == 2


def test_leftovers_of_killed_writers_go(world: World, plane: ControlPlane) -> None:
    answer(plane, request())
    left = next(plane.answers.root.glob("??")) / ".temp-0.tmp"
    left.write_bytes(b"half")
    aged(world, 2)
    assert tidy(plane).leftovers == 1
    assert not left.exists()
