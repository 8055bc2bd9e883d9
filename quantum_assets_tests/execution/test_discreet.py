"""Whatever a vendor writes into its answers, no secret comes in with it; and what holds none comes in untouched."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quantum_assets.contracts.envelope import Overlaps, ResultEnvelope
from quantum_assets.contracts.errors import ProviderError, UnderWay
from quantum_assets.contracts.jobs import BackendFact, Calibration, Charge, JobStatus, Limits, Order
from quantum_assets.contracts.profile import NoiseSpec
from quantum_assets.contracts.redact import MASK
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.answering import answer, collect, submit, turn
from quantum_assets.execution.discreet import Discreet, without_secrets
from quantum_assets_tests.execution.clocks import ManualClock
from quantum_assets_tests.execution.fakes import (
    DEAD,
    SAFE,
    VENDOR,
    DurableVendor,
    Job,
    World,
    all_tickets,
    claim_of,
    question,
    request,
)
from quantum_assets_tests.gossip import talkative

SECRET = "tok-5f2e9a77c1d04b"
LATER = SAFE.model_copy(update={"asynchronous": True})


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret is one of this process's own."""
    monkeypatch.setenv("VENDOR_TOKEN", SECRET)


def order() -> Order:
    return Order("a" * 32, (question(),), VENDOR)


def test_every_text_of_a_claim_is_redacted_and_its_numbers_stay() -> None:
    claim = claim_of("vendor", question(), VENDOR)
    noisy = claim.effective.model_copy(update={"noise": NoiseSpec().model_copy(update={"backend": SECRET})})
    assert without_secrets(noisy).noise == NoiseSpec().model_copy(update={"backend": MASK})
    clean = without_secrets(talkative(claim, SECRET))
    assert SECRET not in repr(clean)
    assert clean.effective.backend == f"backend {MASK}"
    assert clean.effective.versions == {f"sdk {MASK}": f"1 {MASK}"}
    assert clean.metrics == {f"depth {MASK}": 3.0}
    assert (clean.workload_fingerprint, clean.effective.shots) == (claim.workload_fingerprint, claim.effective.shots)
    assert isinstance(clean.data, Overlaps)
    assert isinstance(claim.data, Overlaps)
    np.testing.assert_array_equal(clean.data.p_zero, claim.data.p_zero)


@pytest.mark.parametrize(
    "value",
    [
        None,
        3,
        b"x",
        "plain",
        ("a", ["b"]),
        {"a": 1},
        JobStatus("queued", "QUEUED"),
        object(),
        ProviderError("a", "b", "C"),
    ],
)
def test_what_holds_no_secret_is_the_very_same_object(value: Any) -> None:
    assert without_secrets(value) is value


def test_an_error_in_place_of_a_claim_keeps_its_kind_and_its_word_on_trying_again() -> None:
    error = without_secrets(UnderWay(f"vendor {SECRET}", f"said {SECRET!r}", f"Ask {SECRET}", retry=True))
    assert (type(error), str(error), error.retry) == (UnderWay, f"vendor {MASK}: said '{MASK}'. Ask {MASK}.", True)


def test_every_method_lets_in_no_secret() -> None:
    class Talker(DurableVendor):
        """Says it everywhere."""

        def versions(self, profile: object) -> dict[str, str]:
            return {SECRET: SECRET}

        def calibration(self, profile: object) -> Calibration | None:
            return Calibration(SECRET, SECRET, SECRET, SECRET)

        def find(self, order: Order) -> str | None:
            return None

    vendor = Talker(ManualClock(), refusal=f"not with {SECRET}", facts=(BackendFact(SECRET, 5),))
    vendor.after.append(["no", SECRET])
    vendor.statuses.append(JobStatus("queued", SECRET, 2, SECRET, SECRET, Charge(3, SECRET), {SECRET: 1.0}))
    vendor.results.append(lambda claims: (talkative(one, SECRET) for one in claims))
    door = Discreet(vendor)
    told = [door.supports(question(), VENDOR), door.versions(VENDOR), door.calibration(VENDOR), door.backends(VENDOR)]
    told += [
        door.submit(order()),
        door.find(order()),
        door.status("vendor-1"),
        door.fetch("vendor-1", order()),
        door.limits(VENDOR),
    ]
    assert SECRET not in repr(told)
    assert repr(told).count(MASK) >= 15
    assert told[6] == JobStatus("queued", MASK, 2, MASK, MASK, Charge(3, MASK), {MASK: 1.0})
    assert door.name == "vendor"


def test_a_job_whose_id_holds_a_secret_is_reached_under_another() -> None:
    class Named(DurableVendor):
        """Puts the key that it was sent into the names of its jobs."""

        def submit(self, order: Order) -> Any:
            super().submit(order)
            self.jobs[-1].id = f"{SECRET}/{len(self.jobs)}"
            return self.jobs[-1].id

    vendor = Named(ManualClock(), limits_=Limits(durable=True))
    door = Discreet(vendor)
    first, second = door.submit(order()), door.submit(Order("b" * 32, (question(1),), VENDOR))
    assert SECRET not in first + second
    assert first != second
    assert door.status(first).state == "completed"
    assert door.find(Order("b" * 32, (question(1),), VENDOR)) == second
    (claim,) = door.fetch(second, order())
    assert isinstance(claim, ResultEnvelope)
    assert claim.workload_fingerprint == question(1).fingerprint
    door.cancel(first)
    assert [job.cancelled for job in vendor.jobs] == [True, False]


def test_what_remains_of_an_order_is_reached_under_another_id_too() -> None:
    class Halved(DurableVendor):
        """Names what exists of an order by the key that it was sent."""

        def remains(self, order: Order) -> str | None:
            self.jobs.append(Job(f"{SECRET}/half", order, 0.0))
            return self.jobs[-1].id

    vendor = Halved(ManualClock())
    door = Discreet(vendor)
    half = door.remains(order())
    assert half is not None
    assert SECRET not in half
    door.cancel(half)
    assert vendor.jobs[-1].cancelled
    assert Discreet(DurableVendor(ManualClock())).remains(order()) is None


def test_an_answer_says_nothing_secret_to_whoever_collects_it(world: World) -> None:
    world.vendor.results.append(lambda claims: tuple(talkative(one, SECRET) for one in claims))
    answered = answer(world.plane(), request())
    assert answered.path == "quantum"
    assert SECRET not in repr(answered)
    assert answered.envelope.effective.engine == f"engine {MASK}"
    world.vendor.results.append(lambda claims: tuple(talkative(one, SECRET) for one in claims))
    dead = world.plane(DEAD)
    ((ticket,),) = submit(dead, [request(question(1), LATER)])
    turn(dead, [ticket])
    collected = collect(world.plane(), request(question(1), LATER))
    assert collected is not None
    assert SECRET not in repr(collected)
    assert {one.state for one in all_tickets(dead)} == {State.ACCEPTED}
    assert [path for path in files_of(world.home) if SECRET.encode() in path.read_bytes()] == []


def test_a_refusal_says_nothing_secret_as_the_reason_of_an_answer(world: World) -> None:
    world.vendor.refusal = f"no key like {SECRET} runs this"
    answered = answer(world.plane(), request(profile=SAFE))
    assert (answered.path, f"no key like {MASK} runs this" in answered.reason) == ("classical", True)
    assert SECRET not in repr(answered)


def files_of(home: Path) -> list[Path]:
    found = [path for path in home.rglob("*") if path.is_file()]
    assert found
    return found
