"""`quantum-assets rehearse-backfill`: let Dagster work off many months, kill it in the middle, start again, and count.

One backfill asks for every asset of a study over some months. When a third of the months have their decision and runs
are under way, the Dagster daemon and its runs are killed with SIGKILL. Then the daemon is started again, and nothing
else is done: the reconciler ends the lost runs, Dagster tries them again from where they were, and the backfill goes
on. In the end store and event log are counted: every partition made, every decision feasible, none made twice.
"""

import sys
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from quantum_assets.cli.backfill import Targets, ask, graph_of, targets
from quantum_assets.cli.options import home_option
from quantum_assets.cli.rehearsal_tools import daemon, environment_of, kill, until
from quantum_assets.contracts.errors import PlanError, VersionNotFound

_MOST_RECORDS = 10_000  # Dagster gives no more at a time
Place = tuple[str, str]
"""Name of an asset in its study, and a partition key; empty for none."""


@dataclass(frozen=True)
class Rehearsed:
    """What is rehearsed, and where.

    Attributes:
        study: Its name.
        wanted: Every partition asked for.
        environment: Of its Dagster instance.
        home: Of its store.
        started: Unix time before anything was asked for.
    """

    study: str
    wanted: Targets
    environment: dict[str, str]
    home: Path
    started: float

    @property
    def places(self) -> tuple[Place, ...]:
        """Every asset partition that must come of it."""
        return tuple((asset, key) for asset, keys in self.wanted.items() for key in keys or ("",))

    @property
    def decisions(self) -> tuple[Place, ...]:
        """The decisions among them."""
        return tuple(place for place in self.places if place[0] == "decision")


@dataclass(frozen=True)
class Counted:
    """What store and event log hold of a rehearsal.

    Attributes:
        made: How often each partition was materialised, by Dagster's event log.
        commits: Version of every commit of each partition, by the store's log.
        feasible: Decisions that are published and break no rule.
        torn: Materialised by steps that the kill met before their end, which Dagster repeats: to the same content.
    """

    made: Counter[Place]
    commits: Mapping[Place, tuple[str, ...]]
    feasible: frozenset[Place]
    torn: frozenset[Place] = frozenset()

    def wrong(self, plan: Rehearsed, before: Collection[Place]) -> list[str]:
        """What is lost, made twice or broken; `before` was complete when everything was killed."""
        places, commits = plan.places, self.commits
        complete = [place for place in before if place not in self.torn]
        return [
            *_named("was lost", (place for place in places if not self.made[place] or not commits[place])),
            *_named("was made twice", (place for place in places if self.made[place] > 1 + (place in self.torn))),
            *_named("was complete, and stored again", (place for place in complete if len(commits[place]) > 1)),
            *_named("has two contents", (place for place in places if len(set(commits[place])) > 1)),
            *_named("is not feasible", (place for place in plan.decisions if place not in self.feasible)),
        ]


@click.command("rehearse-backfill", epilog="Example: quantum-assets rehearse-backfill --periods 4 --home .rehearsal")
@click.argument("study", default="sp500_portfolio")
@click.option("--periods", default=24, show_default=True, type=click.IntRange(1), help="Months, from the first.")
@click.option("--profile", default="ideal", show_default=True, help="Profile to decide under.")
@click.option("--patience", default=7200.0, show_default=True, help="Seconds after which it gives up.")
@home_option
def rehearse_backfill(study: str, periods: int, profile: str, patience: float, home: Path) -> None:
    """Prove on this machine that a backfill survives a kill: no partition lost, none made twice.

    STUDY has months and decides them. A month takes about a minute of one core.
    """
    deadline = time.monotonic() + patience
    plan = Rehearsed(study, _first_months(home, study, profile, periods), environment_of(home), home, time.time())
    name = ask(study, plan.wanted, plan.environment)
    click.echo(f"1. Backfill {name} asks for {len(plan.places)} partitions of {study}'s {len(plan.wanted)} assets.")
    before, torn = _until_the_middle(plan, deadline)
    with daemon(home, plan.environment):
        click.echo("3. Started the daemon again, and nothing else.")
        until(lambda: bool(_end_of(plan, name)), deadline, "the backfill did not end")
    sys.exit(_report(plan, name, before, torn))


def _first_months(home: Path, study: str, profile: str, periods: int) -> Targets:
    graph = graph_of(home)
    wanted = targets(graph, study, [profile])
    months = wanted.get("problem", ())[:periods]
    if len(months) < periods:
        raise PlanError(
            f"study {study}", f"has {len(months)} months to decide, not {periods}", "Name a study of months, or fewer"
        )
    return targets(graph, study, [profile], months)


def _until_the_middle(plan: Rehearsed, deadline: float) -> tuple[Counter[Place], frozenset[Place]]:
    """Let a third be decided, kill everything while runs are under way, and say what was there, and torn, by then."""
    enough = max(1, len(plan.decisions) // 3)
    with daemon(plan.home, plan.environment) as first:
        until(
            lambda: len(_made(plan).keys() & set(plan.decisions)) >= enough and bool(_under_way(plan)),
            deadline,
            "no month was decided",
            plan.environment,
        )
        kill(first)
    before, lost = _made(plan), _under_way(plan)
    torn = frozenset(place for run in lost for place in _torn(plan, run))
    click.echo(
        f"2. Killed the daemon and {len(lost)} runs with SIGKILL; {len(before)} partitions were made by then, "
        f"{len(before.keys() & set(plan.decisions))} of them decisions, {len(torn)} by steps that had not ended."
    )
    return before, torn


def _made(plan: Rehearsed) -> Counter[Place]:
    """How often each partition was materialised since the start, by Dagster's event log."""
    import dagster as dg

    found: Counter[Place] = Counter()
    with dg.DagsterInstance.from_config(plan.environment["DAGSTER_HOME"]) as instance:
        for asset in plan.wanted:
            wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey([plan.study, asset]), after_timestamp=plan.started)
            records = instance.fetch_materializations(wanted, limit=_MOST_RECORDS).records
            found.update((asset, record.partition_key or "") for record in records)
    return Counter({place: count for place, count in found.items() if place in set(plan.places)})


def _under_way(plan: Rehearsed) -> list[str]:
    """Runs that have begun and not ended."""
    import dagster as dg

    with dg.DagsterInstance.from_config(plan.environment["DAGSTER_HOME"]) as instance:
        return [run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED]))]


def _torn(plan: Rehearsed, run: str) -> list[Place]:
    """Partitions that a run materialised in steps of which no success is told."""
    import dagster as dg

    kinds = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.STEP_SUCCESS}
    with dg.DagsterInstance.from_config(plan.environment["DAGSTER_HOME"]) as instance:
        events = [entry.dagster_event for entry in instance.all_logs(run, kinds) if entry.dagster_event]
    ended = {event.step_key for event in events if event.event_type is dg.DagsterEventType.STEP_SUCCESS}
    made = [event for event in events if event.asset_key is not None and event.step_key not in ended]
    return [(event.asset_key.path[-1], event.partition or "") for event in made if event.asset_key is not None]


def _end_of(plan: Rehearsed, name: str) -> str:
    """How the backfill ended; empty while it goes on."""
    import dagster as dg
    from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES

    with dg.DagsterInstance.from_config(plan.environment["DAGSTER_HOME"]) as instance:
        found = instance.get_backfill(name)
        return found.status.value if found and found.status in BULK_ACTION_TERMINAL_STATUSES else ""


def _report(plan: Rehearsed, name: str, before: Counter[Place], torn: frozenset[Place]) -> int:
    """Count store and event log; 0 when every partition was made once and every decision is feasible."""
    feasible = frozenset(place for place in plan.decisions if is_feasible(plan, place[1]))
    counted = Counted(_made(plan), _commits(plan), feasible, torn)
    passed, failed = _checks(plan)
    click.echo(
        f"4. The backfill ended {_end_of(plan, name)}, {time.time() - plan.started:.0f} s after it was asked for: "
        f"{len(feasible)} of {len(plan.decisions)} decisions are there and feasible; {passed} checks passed."
    )
    click.echo(
        f"   partitions: {len(plan.places)}; materialised: {sum(counted.made.values())}; versions: "
        f"{sum(len(set(found)) for found in counted.commits.values())}; "
        f"commits: {sum(map(len, counted.commits.values()))}; {_runs_of(plan, name)}"
    )
    wrong = [*counted.wrong(plan, before), *(f"check {name} failed" for name in failed), *_damage(plan.home)]
    for sentence in wrong:
        click.echo(f"   WRONG: {sentence}")
    return int(bool(wrong))


def _commits(plan: Rehearsed) -> dict[Place, tuple[str, ...]]:
    """Version of every commit of each partition since the start, by the store's log."""
    from quantum_assets.orchestration.partitions import dimensions_of
    from quantum_assets.store.home import Home
    from quantum_assets.store.store import Store

    store = Store(Home(plan.home).store)
    return {
        (asset, key): tuple(
            commit.version
            for commit in store.history((plan.study, asset), dimensions_of(key) if key else {})
            if commit.time.timestamp() >= plan.started
        )
        for asset, key in plan.places
    }


def is_feasible(plan: Rehearsed, key: str) -> bool:
    """Whether a decision is there, published once, and breaks no rule."""
    from quantum_assets.orchestration.partitions import dimensions_of
    from quantum_assets.store.home import Home
    from quantum_assets.store.store import Store

    try:
        rows = Store(Home(plan.home).store).read((plan.study, "decision"), dimensions_of(key)).to_pylist()
    except VersionNotFound:
        return False
    published = [row for row in rows if row["published"]]
    return len(published) == 1 and published[0]["violations"] == 0


def _checks(plan: Rehearsed) -> tuple[int, list[str]]:
    """How many checks of these partitions passed since the start, and the names of blocking ones that did not."""
    import dagster as dg

    passed, failed = 0, []
    with dg.DagsterInstance.from_config(plan.environment["DAGSTER_HOME"]) as instance:
        for run in instance.get_runs(dg.RunsFilter(tags={"quantum_assets/study": plan.study})):
            for entry in instance.all_logs(run.run_id, dg.DagsterEventType.ASSET_CHECK_EVALUATION):
                check = entry.dagster_event.asset_check_evaluation_data if entry.dagster_event else None
                if check is not None and check.passed:
                    passed += 1
                elif check is not None and check.severity == dg.AssetCheckSeverity.ERROR:
                    failed.append(f"{check.check_name} of {check.asset_key.to_user_string()} {check.partition or ''}")
    return passed, failed


def _runs_of(plan: Rehearsed, name: str) -> str:
    """How many runs the backfill took, and how many of them repeat a lost one."""
    import dagster as dg

    with dg.DagsterInstance.from_config(plan.environment["DAGSTER_HOME"]) as instance:
        runs = instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": name}))
    return f"runs: {len(runs)}, {sum('dagster/retry_number' in run.tags for run in runs)} of them for lost ones"


def _named(what: str, places: Iterable[Place]) -> list[str]:
    return [f"{asset} {key} {what}".replace("  ", " ") for asset, key in places]


def _damage(home: Path) -> list[str]:
    """What the store and the ledger find wrong with themselves."""
    from quantum_assets.execution.ledger.ledger import Ledger
    from quantum_assets.store.home import Home
    from quantum_assets.store.maintenance import verify
    from quantum_assets.store.store import Store

    return [*map(str, verify(Store(Home(home).store))), *Ledger.in_home(home).check()]
