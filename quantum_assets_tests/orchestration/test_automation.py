"""Automation must follow content: nothing on identical content, exactly the changed partition otherwise."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from quantum_assets.contracts.columns import Column, TableContract
from quantum_assets.orchestration.automation import on_changed_content
from quantum_assets.orchestration.checks import CheckOutcome, stored_checks
from quantum_assets.orchestration.stored import Stored, materialized
from quantum_assets_tests.orchestration.storage import storage_without_courier

CONTRACT = TableContract("test/v1", (Column("n", "int64", "A number."),))
PROFILES = dg.StaticPartitionsDefinition(["ideal", "noisy"])
UP, DOWN = dg.AssetKey("up"), dg.AssetKey("down")


class World:
    """Two assets in a chain, one check between them, and what the parent's content is."""

    def __init__(self, home: Path) -> None:
        self.content = {"ideal": 1, "noisy": 1}
        self.healthy = True
        world = self

        @dg.asset(key=UP, partitions_def=PROFILES)
        def up(context: dg.AssetExecutionContext) -> dg.MaterializeResult:  # type: ignore[type-arg]
            return materialized(Stored(pa.table({"n": [world.content[context.partition_key]]}), CONTRACT, {}))

        @dg.asset(
            key=DOWN,
            partitions_def=PROFILES,
            ins={"up": dg.AssetIn(UP)},
            automation_condition=on_changed_content(),
        )
        def down(up: pa.Table) -> dg.MaterializeResult:  # type: ignore[type-arg]
            return materialized(Stored(up, CONTRACT, {}))

        check = stored_checks(UP, {"healthy": lambda table: CheckOutcome(world.healthy, "as told")}, PROFILES)
        self.defs = dg.Definitions(
            assets=[up, down], asset_checks=[check], resources={"io_manager": storage_without_courier(home)}
        )

    def materialize(self, instance: dg.DagsterInstance, partition: str, *keys: dg.AssetKey) -> None:
        selection = dg.AssetSelection.assets(*keys) | dg.AssetSelection.checks_for_assets(*keys)
        job = dg.define_asset_job("run", selection=selection, partitions_def=PROFILES)
        defs = dg.Definitions.merge(self.defs, dg.Definitions(jobs=[job]))
        defs.resolve_job_def("run").execute_in_process(instance=instance, partition_key=partition, raise_on_error=False)


class Daemon:
    """Ticks the automation daemon and remembers its cursor."""

    def __init__(self, world: World, instance: dg.DagsterInstance) -> None:
        self.world, self.instance = world, instance
        self.cursor: Any = None

    def tick(self) -> set[str]:
        result = dg.evaluate_automation_conditions(defs=self.world.defs, instance=self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        return set(result.get_requested_partitions(DOWN)) - {None}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def daemon(world: World) -> Any:
    with dg.DagsterInstance.ephemeral() as instance:
        for partition in ("ideal", "noisy"):
            world.materialize(instance, partition, UP, DOWN)
        made = Daemon(world, instance)
        made.tick()
        yield made


def test_identical_content_triggers_nothing(world: World, daemon: Daemon) -> None:
    world.materialize(daemon.instance, "ideal", UP)
    assert daemon.tick() == set()
    assert daemon.tick() == set()


def test_changed_content_triggers_exactly_its_partition(world: World, daemon: Daemon) -> None:
    world.content["noisy"] = 2
    world.materialize(daemon.instance, "noisy", UP)
    assert daemon.tick() == {"noisy"}
    assert daemon.tick() == set()


def test_a_failed_blocking_check_holds_the_child_back_until_it_passes(world: World, daemon: Daemon) -> None:
    world.content["ideal"], world.healthy = 2, False
    world.materialize(daemon.instance, "ideal", UP)
    assert daemon.tick() == set()
    world.healthy = True
    world.materialize(daemon.instance, "ideal", UP)
    assert daemon.tick() == {"ideal"}


def test_a_partition_that_nobody_asked_for_is_not_started(world: World) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        daemon = Daemon(world, instance)
        daemon.tick()
        world.materialize(instance, "ideal", UP)
        assert daemon.tick() == set()
