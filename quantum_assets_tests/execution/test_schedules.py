"""Random schedules of processes, deaths, faults and clock steps; the vendor's own books are the witness.

A schedule is a seed. Whatever happened, once the faults stop: every ticket has its outcome, no order was accepted
twice, every job is known and paid for once, and whatever is no quantum answer says why. A vendor whose look-up is
blind breaks that, which shows that the check can fail.
"""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from quantum_assets.contracts.errors import QuantumAssetsError
from quantum_assets.contracts.jobs import Charge, JobStatus, Limits
from quantum_assets.contracts.profile import Batching, ExecutionProfile
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.answering import collect, submit
from quantum_assets.execution.plane import ControlPlane
from quantum_assets.execution.turning import cancel, turn_ledger
from quantum_assets_tests.execution.fakes import (
    DEAD,
    MICROS,
    SAFE,
    Denied,
    Killed,
    Throttled,
    TooLarge,
    Unavailable,
    World,
    question,
    request,
)

BILLED = Charge(MICROS)
BEFORE: list[Callable[[], BaseException]] = [
    lambda: Unavailable("503"),
    lambda: Throttled(100.0),
    lambda: RuntimeError("who knows"),
    lambda: ConnectionError("reset"),
    lambda: Denied("401"),
    lambda: TooLarge("413"),
    Killed,
]
AFTER: list[Callable[[], BaseException]] = [
    lambda: Unavailable("503"),
    lambda: RuntimeError("who knows"),
    lambda: TimeoutError("slow"),
    Killed,
]
STATUSES: list[Callable[[], Any]] = [
    lambda: JobStatus("running", "RUNNING"),
    lambda: JobStatus("queued", "QUEUED", queue_position=2),
    lambda: JobStatus("unknown", "POLISHING"),
    lambda: JobStatus("failed", "ERROR", charge=BILLED),
    lambda: JobStatus("cancelled", "CANCELLED", charge=BILLED),
    lambda: Unavailable("503"),
    lambda: Denied("401"),
]
RESULTS: list[Callable[[], Any]] = [
    lambda: Unavailable("503"),
    lambda: RuntimeError("who knows"),
    lambda: lambda claims: claims[:-1],
    lambda: lambda claims: claims[::-1],
    lambda: lambda claims: (None,) * len(claims),
    lambda: lambda claims: claims + claims,
]


class Schedule:
    """One world, three processes and a source of chance."""

    def __init__(self, world: World, seed: int, blind: bool = False) -> None:
        self.world, self.chance = world, random.Random(seed)
        world.vendor.blind = blind
        world.vendor.limits_ = Limits(
            max_workloads=self.chance.choice([1, 2, 10]),
            max_circuits=self.chance.choice([4, 9, 1000]),
            durable=True,
            poll_seconds=5.0,
            settle_seconds=self.chance.choice([0.0, 30.0]),
        )
        changes = {
            "asynchronous": True,
            "cache": self.chance.random() < 0.5,
            "deadline_seconds": self.chance.choice([None, None, 120.0, 2000.0]),
            "batching": Batching(max_wait_seconds=self.chance.choice([0, 0, 20])),
        }
        self.profile: ExecutionProfile = SAFE.model_copy(update=changes)
        self.seen: Counter[str] = Counter()

    def play(self) -> ControlPlane:
        """Let it happen, stop the faults, and take turns until nothing is open."""
        for _ in range(self.chance.randrange(10, 60)):
            self._step(self.world.plane(self.chance.choice(["", DEAD])))
        vendor = self.world.vendor
        for script in (vendor.before, vendor.after, vendor.statuses, vendor.results, vendor.finds):
            script.clear()
        plane, cursor = self.world.plane(), ""
        for _ in range(400):
            cursor = turn_ledger(plane, cursor=cursor).cursor
            self.world.clock.advance(30)
            if all(one.ended for one in plane.ledger.tickets()) and not plane.ledger.orders(settled=False):
                return plane
        raise AssertionError("something is open for ever")

    def _step(self, plane: ControlPlane) -> None:
        asked = [request(question(self.chance.randrange(4)), self.profile) for _ in range(self.chance.randrange(1, 4))]
        act = self.chance.randrange(11)
        try:
            if act <= 1:
                submit(plane, asked, hand_in=self.chance.random() < 0.8)
            elif act <= 3:
                turn_ledger(plane, limit=self.chance.choice([1, 3, 50]))
            elif act == 4:
                cancel(plane, plane.ledger.tickets()[: self.chance.randrange(2)], "ada")
            elif act == 5:
                collect(plane, asked[0])
            else:
                self._trouble()
        except Killed:
            self.seen["killed"] += 1
        except QuantumAssetsError as told:
            self.seen[type(told).__name__] += 1

    def _trouble(self) -> None:
        vendor, chance = self.world.vendor, self.chance
        vendor.calibrated = chance.choice(["monday", "tuesday"])
        for _ in range(chance.randrange(1, 5)):
            kind = chance.randrange(7)
            if kind == 0:
                vendor.before.append(chance.choice(BEFORE)())
            elif kind == 1:
                vendor.after.append(chance.choice(AFTER)())
            elif kind == 2:
                vendor.statuses.append(chance.choice(STATUSES)())
            elif kind == 3:
                vendor.results.append(chance.choice(RESULTS)())
            elif kind == 4:
                vendor.finds.append(Unavailable("503"))
            elif kind == 5:
                self.world.clock.advance(chance.choice([1, 5, 60, 700]))
            else:
                self.world.clock.step(chance.choice([-86_400, -60]))


def verdict(world: World, plane: ControlPlane) -> list[str]:
    """What the vendor's books and ours disagree about."""
    wrong = list(plane.ledger.check())
    keys = Counter(job.order.key for job in world.vendor.jobs)
    wrong += [f"order {key[:8]} was accepted {count} times" for key, count in keys.items() if count > 1]
    known = {row.job for row in plane.ledger.orders() if row.job}
    wrong += [f"{job.id} is not in our books" for job in world.vendor.jobs if job.id not in known]
    paid, billed = sum(one.settled for one in plane.ledger.spending()), MICROS * len(world.vendor.jobs)
    wrong += [f"{billed} were billed and {paid} paid"] if paid != billed else []
    silent = [one.id for one in plane.ledger.tickets() if one.state is not State.ACCEPTED and not one.reason]
    return wrong + [f"{one} gives no reason" for one in silent]


@pytest.mark.parametrize("seed", range(24))
def test_whatever_happens_the_books_agree(world: World, seed: int) -> None:
    schedule = Schedule(world, seed)
    plane = schedule.play()
    assert verdict(world, plane) == []
    for number in range(4):
        try:
            answered = collect(plane, request(question(number), schedule.profile))
        except QuantumAssetsError:  # never asked, cancelled, or fatal
            continue
        if answered is not None:
            assert (answered.path == "quantum") == (answered.reason == "")


def test_a_blind_look_up_is_caught(tmp_path_factory: pytest.TempPathFactory, empty_ledger: Any) -> None:
    import shutil

    found: list[str] = []
    for seed in range(4):
        home = tmp_path_factory.mktemp("blind")
        shutil.copy(empty_ledger, home / "ledger.db")
        world = World(home)
        found += verdict(world, Schedule(world, seed, blind=True).play())
    assert any("was accepted" in sentence for sentence in found)
    assert any("were billed" in sentence for sentence in found)
