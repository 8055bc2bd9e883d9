"""Slots of Dagster's pools: one a backend, held while it is asked, given back whatever happens."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest

from quantum_assets.contracts.errors import ProviderError
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.pools import Pools, pool_of
from quantum_assets_tests.execution.fakes import LOCAL, SAFE, VENDOR, World, exact_question, question

POOL = "vendor"


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """One whose pools have one slot."""
    settings = {"concurrency": {"pools": {"default_limit": 1}}, "telemetry": {"enabled": False}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=settings) as made:
        yield made


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def pools(instance: dg.DagsterInstance, world: World, step: str = "one") -> Pools:
    run = dg.DagsterRun(job_name="toy", run_id=f"00000000-0000-4000-8000-{step:0>12}")
    return Pools(SimpleNamespace(instance=instance, run=run, op_handle=step), world.plane())  # type: ignore[arg-type]


def claimed(instance: dg.DagsterInstance, pool: str = POOL) -> list[str]:
    return [slot.step_key for slot in instance.event_log_storage.get_concurrency_info(pool).claimed_slots]


def known(instance: dg.DagsterInstance) -> list[str]:
    """Steps that hold a slot or wait for one."""
    return [step.step_key for step in instance.event_log_storage.get_concurrency_info(POOL).pending_steps]


@pytest.mark.parametrize(
    ("backend", "pool"),
    [
        (None, "vendor"),
        ("ibm_fez", "vendor/ibm_fez"),
        ("arn:aws:braket:::device/qpu/x", "vendor/arn-aws-braket-device/qpu/x"),
    ],
)
def test_a_backend_has_a_pool_of_its_own(backend: str | None, pool: str) -> None:
    assert pool_of(VENDOR.model_copy(update={"backend": backend})) == pool


def test_a_slot_is_held_while_a_backend_is_asked(instance: dg.DagsterInstance, world: World) -> None:
    held: list[list[str]] = []
    world.vendor.during = lambda _: held.append(claimed(instance))
    step = pools(instance, world)
    answered = Session(step.plane, "toy", slot=step.slot).answer(question(), VENDOR)
    assert (answered.path, held) == ("quantum", [["one"]])
    assert claimed(instance) == []


def test_several_questions_share_a_slot(instance: dg.DagsterInstance, world: World) -> None:
    held: list[list[str]] = []
    world.vendor.during = lambda _: held.append(claimed(instance))
    step = pools(instance, world)
    Session(step.plane, "toy", slot=step.slot).answer_all([question(1), question(2)], VENDOR)
    assert held == [["one"]]


def test_it_is_given_back_when_asking_fails(instance: dg.DagsterInstance, world: World) -> None:
    step = pools(instance, world)
    world.vendor.refusal = "is being moved to another building"
    with pytest.raises(ProviderError):
        Session(step.plane, "toy", slot=step.slot).answer(question(), VENDOR)
    assert claimed(instance) == []


def test_who_comes_second_waits_and_then_has_it(instance: dg.DagsterInstance, world: World) -> None:
    first = pools(instance, world, "one").slot(VENDOR, None)
    first.__enter__()
    seen: list[list[str]] = []

    def leave() -> None:
        seen.append(known(instance))
        first.__exit__(None, None, None)

    second = pools(instance, world, "two")
    world.clock.meanwhile = leave
    with second.slot(VENDOR, None):
        assert claimed(instance) == ["two"]
    assert seen == [["one", "two"]]
    assert known(instance) == []


def test_nobody_waits_past_the_deadline(instance: dg.DagsterInstance, world: World) -> None:
    with pools(instance, world, "one").slot(VENDOR, None):
        late = pools(instance, world, "two")
        session = Session(late.plane, "toy", until=world.clock.now() + timedelta(seconds=30), slot=late.slot)
        with pytest.raises(ProviderError, match="no time is left"):
            session.answer(question(), VENDOR)
        assert (claimed(instance), known(instance)) == (["one"], ["one"])
    assert world.vendor.jobs == []


@pytest.mark.parametrize("profile", [LOCAL, SAFE.model_copy(update={"asynchronous": True})], ids=["local", "later"])
def test_who_waits_for_nobody_needs_none(instance: dg.DagsterInstance, world: World, profile: object) -> None:
    with pools(instance, world).slot(profile, None):  # type: ignore[arg-type]
        assert claimed(instance) == []
        assert claimed(instance, "local") == []


def test_without_pools_nobody_waits(world: World) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        step = pools(instance, world)
        assert Session(step.plane, "toy", slot=step.slot).answer(exact_question(), LOCAL).path == "quantum"
        with step.slot(VENDOR, None), pools(instance, world, "two").slot(VENDOR, None):
            assert claimed(instance) == []


def test_a_provider_that_cannot_be_asked_what_it_is_stops_nobody_here(
    instance: dg.DagsterInstance, world: World
) -> None:
    nowhere = VENDOR.model_copy(update={"providers": ("nowhere",)})
    with pools(instance, world).slot(nowhere, None):
        assert claimed(instance, "nowhere") == []
