"""When the clock of a decision begins, how far it bounds the wait, and what is told of it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from quantum_assets.components.optimization_study_clock import (
    DEADLINE,
    ELAPSED,
    began,
    in_time,
    on_time,
    timed,
    training_in_time,
)
from quantum_assets.contracts.optimization import DecisionPolicy
from quantum_assets.contracts.tables import DECISION
from quantum_assets.execution.session import Session
from quantum_assets.orchestration.stored import Stored
from quantum_assets.orchestration.tickets import COLLECT_TAG
from quantum_assets_tests.execution.fakes import World
from quantum_assets_tests.execution.rooms import session_in

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HURRIED = DecisionPolicy(deadline_seconds=600.0)


@dataclass(frozen=True)
class Toy:
    """A study of two assets in an instance of its own, of which the second looks at the clock."""

    defs: dg.Definitions
    instance: dg.DagsterInstance
    seen: list[datetime]

    def run(self, job: str, partition: str = "a", **tags: str) -> str:
        """Run it; returns the run's id."""
        definition = self.defs.resolve_job_def(job)
        result = definition.execute_in_process(instance=self.instance, partition_key=partition, tags=tags)
        assert result.success
        return result.run_id

    def start(self, run: str) -> datetime:
        """When a run started, as the instance says."""
        record = self.instance.get_run_record_by_id(run)
        assert record is not None
        assert record.start_time is not None
        return datetime.fromtimestamp(record.start_time, UTC)


@pytest.fixture
def toy() -> Iterator[Toy]:
    keys, seen = dg.StaticPartitionsDefinition(["a", "b"]), list[datetime]()

    @dg.asset(key_prefix="toy", partitions_def=keys)
    def quantum_jobs() -> None:
        """Hands in."""

    @dg.asset(key_prefix="toy", partitions_def=keys, deps=[quantum_jobs])
    def decision(context: dg.AssetExecutionContext) -> None:
        seen.append(began(context.instance, context.run, "toy", str(context.partition_key)))

    whole = dg.define_asset_job("whole", selection=[quantum_jobs, decision])
    again = dg.define_asset_job("again", selection=[decision])
    defs = dg.Definitions(assets=[quantum_jobs, decision], jobs=[whole, again])
    with dg.DagsterInstance.ephemeral() as instance:
        yield Toy(defs, instance, seen)


def test_it_begins_with_the_run_that_made_the_jobs(toy: Toy) -> None:
    first = toy.run("whole")
    second = toy.run("whole")
    assert toy.seen == [toy.start(first), toy.start(second)]


def test_the_run_that_collects_goes_on_with_it(toy: Toy) -> None:
    first = toy.run("whole")
    toy.run("whole", "b")
    toy.run("again", **{COLLECT_TAG: "1"})
    assert toy.seen[-1] == toy.start(first)


def test_a_run_that_only_decides_again_begins_anew(toy: Toy) -> None:
    first = toy.run("whole")
    again = toy.run("again")
    assert toy.seen[-1] == toy.start(again) > toy.start(first)
    alone = toy.run("again", "b")
    assert toy.seen[-1] == toy.start(alone)


def test_a_retry_goes_on_with_the_first_try(toy: Toy) -> None:
    first = toy.run("whole")
    stranger = toy.run("again", "b")
    retry = dg.DagsterRun("whole", root_run_id=first, parent_run_id=first)
    assert began(toy.instance, retry, "toy", "a") == toy.start(first)
    other = dg.DagsterRun("again", root_run_id=stranger, parent_run_id=stranger)
    assert began(toy.instance, other, "toy", "a") == toy.start(stranger)


def test_a_first_try_that_was_deleted_leaves_the_run_that_asks(toy: Toy) -> None:
    mine = toy.run("again")
    found = toy.instance.get_run_by_id(mine)
    assert found is not None
    assert began(toy.instance, found._replace(root_run_id="gone"), "toy", "a") == toy.start(mine)


def test_a_session_waits_as_long_as_the_deadline_allows_and_no_longer(tmp_path: Path) -> None:
    session = session_in(tmp_path)
    assert in_time(session, DecisionPolicy(), NOON) is session
    bounded = in_time(session, HURRIED, NOON)
    assert bounded.until == NOON + timedelta(seconds=480)
    assert bounded.whose == "the decision's deadline of 600 s"
    assert replace(bounded, until=None, whose=session.whose) == session


def test_training_is_halted_while_there_is_time_to_ask(tmp_path: Path) -> None:
    world = World(tmp_path)
    beginning = world.clock.now()
    session = in_time(Session(world.plane(), "toy"), HURRIED, beginning)
    guard = training_in_time(session, HURRIED, beginning)
    world.clock.advance(359.0)
    assert guard(()) == ""
    world.clock.advance(1.0)
    assert guard(()) == (
        "Halted: the decision's deadline of 600 s leaves 360 s for training, and they are over; a later run goes on."
    )
    assert session.until is not None
    assert (session.until - world.clock.now()).total_seconds() == 120  # for the answer
    forever = training_in_time(session, DecisionPolicy(), beginning)
    world.clock.advance(1e9)
    assert forever(()) == ""


def _decision() -> Stored:
    return Stored(pa.table({"a": [1]}), DECISION, {"path": "classical"}, metrics={"objective": 1.0})


def test_what_it_took_is_told_beside_the_table_and_not_in_it() -> None:
    made = _decision()
    found = timed(made, HURRIED, NOON, NOON + timedelta(seconds=42.5))
    assert found.metrics == {"objective": 1.0, ELAPSED: 42.5, DEADLINE: 600.0}
    assert (found.table, found.provenance) == (made.table, made.provenance)
    assert timed(made, DecisionPolicy(), NOON, NOON).metrics == {"objective": 1.0, ELAPSED: 0.0}
    assert timed(made, HURRIED, NOON, NOON - timedelta(seconds=1)).metrics[ELAPSED] == 0  # a clock that was set back


@pytest.mark.parametrize(
    ("told", "passed", "words"),
    [
        ({ELAPSED: 599.0, DEADLINE: 600.0}, True, "599 s; the deadline is 600 s"),
        ({ELAPSED: 600.0, DEADLINE: 600.0}, True, "deadline is 600 s"),
        ({ELAPSED: 601.0, DEADLINE: 600.0}, False, "601 s; the deadline is 600 s"),
        ({ELAPSED: 1e6}, True, "the policy has no deadline"),
        ({DEADLINE: 600.0}, False, "nobody measured"),
        ({}, False, "nobody measured"),
    ],
)
def test_a_late_decision_is_told(told: dict[str, Any], passed: bool, words: str) -> None:
    outcome = on_time(told)
    assert outcome.passed is passed
    assert words in outcome.description
