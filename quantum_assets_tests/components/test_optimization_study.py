"""From YAML to asset graph: what an optimisation study defines, whom it asks for what, and what mistakes are told."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets_tests.components.small_optimization import ROUTES, STOCKS, Decided, Load, loading

PACKAGE = Path(__file__).resolve().parents[2] / "quantum_assets"
SHIPPED = {
    "delivery_routes": None,
    "karate_independent_set": None,
    "karate_max_cut": None,
    "shift_schedule": None,
    "sp500_portfolio": 24,
}
OVER_PERIOD = {"problem", "classical_solutions", "outcome", "modes"}
OVER_BOTH = {"quantum_jobs", "quantum_samples", "attribution", "decision"}
ADVISORY = {"better_than_random", "on_time", "quantum_path_answered"}


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    with loading(tmp_path) as made:
        yield made


def test_the_graph_of_a_study(load: Load) -> None:
    graph = load(STOCKS, "stocks").defs.resolve_asset_graph()
    edges = {
        key.path[-1]: sorted(parent.path[-1] for parent in graph.get(key).parent_keys)
        for key in graph.materializable_asset_keys
    }
    assert edges == {
        "problem": [],
        "classical_solutions": ["problem"],
        "quantum_jobs": ["problem"],
        "quantum_samples": ["classical_solutions", "problem", "quantum_jobs"],
        "attribution": ["classical_solutions", "problem", "quantum_samples"],
        "decision": ["attribution", "classical_solutions", "problem", "quantum_samples"],
        "outcome": ["decision"],
        "modes": ["attribution", "decision", "problem", "quantum_samples"],
    }


@pytest.mark.parametrize(("attributes", "periods"), [(ROUTES, 0), (STOCKS, 3)], ids=["no periods", "periods"])
def test_every_asset_says_what_it_is_and_is_partitioned_as_it_must(
    load: Load, attributes: dict[str, Any], periods: int
) -> None:
    graph = load(attributes, "small").defs.resolve_asset_graph()
    names = {key.path[-1] for key in graph.materializable_asset_keys}
    assert names == (OVER_PERIOD | OVER_BOTH if periods else OVER_PERIOD - {"outcome"} | OVER_BOTH)
    profiles = len(attributes["profiles"])
    for key in graph.materializable_asset_keys:
        node, name = graph.get(key), key.path[-1]
        assert (node.group_name, bool(node.description), bool(node.kinds)) == ("small", True, True)
        assert node.tags["quantum_assets/kind"] == "optimization_study"
        keys = [] if node.partitions_def is None else node.partitions_def.get_partition_keys()
        assert len(keys) == (profiles * max(1, periods) if name in OVER_BOTH else periods)
        assert node.backfill_policy is None  # a run a partition, under the tag dagster/partition
        checks = [graph.get(check) for check in graph.asset_check_keys if check.asset_key == key]
        assert "contract" in {check.key.name for check in checks}
        assert {check.key.name for check in checks if not check.blocking} <= ADVISORY
        assert all(check.partitions_def == node.partitions_def for check in checks)
    blocking = {check.name for check in graph.asset_check_keys if graph.get(check).blocking}
    assert {"feasible", "objective_recomputed", "circuit_is_trained_ansatz", "three_rivals"} <= blocking


def test_owner_and_tags_of_the_yaml_are_everywhere(load: Load) -> None:
    graph = load(ROUTES).defs.resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        assert graph.get(key).owners == ["team:tests"]
        assert graph.get(key).tags["domain"] == "test"


def _keys(study: Decided, job: str) -> list[str]:
    partitions = study.defs.resolve_job_def(f"{study.name}_{job}").partitions_def
    assert partitions is not None
    return list(partitions.get_partition_keys())


def test_jobs_of_a_study_with_and_without_periods(load: Load) -> None:
    stocks = load(STOCKS, "stocks")
    for job in ("problem_job", "outcome_job", "modes_job"):
        assert _keys(stocks, job) == ["2020-01", "2020-02", "2020-03"]
    assert _keys(stocks, "job")[:2] == ["2020-01|ideal", "2020-01|sampled"]
    assert len(_keys(stocks, "job")) == len(_keys(stocks, "collect")) == 6
    routes = load(ROUTES, "routes")
    assert _keys(routes, "job") == _keys(routes, "collect") == ROUTES["profiles"]
    assert sorted(job.name for job in routes.defs.jobs or ()) == ["routes_collect", "routes_job"]
    assert not routes.defs.sensors


def _tick(study: Decided) -> list[dg.RunRequest]:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            repository_def=study.defs.get_repository_def(),
            scheduled_execution_time=datetime(2026, 1, 1, 4, tzinfo=UTC),
        )
        tick = study.defs.resolve_schedule_def(f"{study.name}_schedule").evaluate_tick(context)
    return list(tick.run_requests or ())


def test_the_schedule_asks_for_the_newest_months_instance_and_says_what_follows(load: Load) -> None:
    study = load(STOCKS, "stocks")
    schedule = study.defs.resolve_schedule_def("stocks_schedule")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert schedule.job_name == "stocks_problem_job"
    (request,) = _tick(study)
    assert request.partition_key == "2020-03"
    assert request.tags["quantum_assets/then"] == "decide"


def test_without_periods_the_schedule_asks_for_every_profile(load: Load) -> None:
    study = load(ROUTES, "routes")
    assert study.defs.resolve_schedule_def("routes_schedule").job_name == "routes_job"
    requests = _tick(study)
    assert [request.partition_key for request in requests] == ROUTES["profiles"]
    assert len({request.run_key for request in requests}) == len(requests)
    assert not load({**ROUTES, "schedule": None}, "quiet").defs.schedules


def _decided_after(study: Decided, tags: dict[str, str]) -> list[dg.RunRequest]:
    """What the sensor asks for after a run of the problem job with these tags."""
    sensor = study.defs.resolve_sensor_def("stocks_decide")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    run = dg.DagsterRun(job_name="stocks_problem_job", tags={"dagster/partition": "2020-03", **tags})
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_run_status_sensor_context(sensor.name, event, instance, run)
        return list(sensor(context))  # type: ignore[arg-type,call-overload]


def test_a_prepared_month_is_decided_under_every_profile_where_the_schedule_asked(load: Load) -> None:
    study = load(STOCKS, "stocks")
    requests = _decided_after(study, {"quantum_assets/then": "decide"})
    assert [request.partition_key for request in requests] == ["2020-03|ideal", "2020-03|sampled"]
    assert len({request.run_key for request in requests}) == 2
    assert {request.partition_key for request in requests} <= set(_keys(study, "job"))
    assert {request.tags["quantum_assets/then"] for request in requests} == {"compare"}
    assert _decided_after(study, {}) == []  # a run by hand decides nothing by itself


@pytest.mark.parametrize(
    ("tags", "asked"),
    [({"quantum_assets/then": "compare"}, ["2020-03"]), ({"quantum_assets/collect": "7"}, ["2020-03"]), ({}, [])],
    ids=["scheduled", "collected", "by hand"],
)
def test_a_decided_months_profiles_are_compared_where_nobody_else_does(
    load: Load, tags: dict[str, str], asked: list[str]
) -> None:
    study = load(STOCKS, "stocks")
    sensor = study.defs.resolve_sensor_def("stocks_compare")
    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    run = dg.DagsterRun(job_name="stocks_job", tags={"dagster/partition": "2020-03|ideal", **tags})
    event = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_run_status_sensor_context(sensor.name, event, instance, run)
        requests = list(sensor(context))  # type: ignore[arg-type,call-overload]
    assert [request.partition_key for request in requests] == asked


_LOOP = {"evaluations": 5, "finalists": 2}
MISTAKES: list[tuple[dict[str, Any], list[str]]] = [
    ({**ROUTES, "problem": {"kind": "tsp"}}, ["tsp", "shift_schedule"]),
    ({**ROUTES, "problem": {"kind": "max_cut"}}, ["max_cut needs graph"]),
    ({**ROUTES, "problem": {"kind": "max_cut", "graph": "karate", "choose": 3}}, ["choose is no field of a max_cut"]),
    ({**ROUTES, "problem": {"kind": "qubo_file", "path": "no.csv"}}, ["problem.path", "no.csv is not in small"]),
    ({**ROUTES, "periods": {"first": "2020-01", "last": "2020-02"}}, ["periods", "do not go with a delivery_routes"]),
    ({**ROUTES, "quantum": {"mixer": "xy_ring"}}, ["quantum.mixer", "does not fix the number of ones", "mixer x"]),
    ({**ROUTES, "quantum": {"layers": 99}}, ["layers", "16"]),
    ({**ROUTES, "quantum": {"start": "transfer"}}, ["start transfer needs transfer_variables"]),
    ({**ROUTES, "quantum": {"loop": {"evaluations": 5}}}, ["5 evaluations have no profile"]),
    ({**ROUTES, "quantum": {"loop": _LOOP | {"profile": "nois"}}}, ["quantum.loop.profile", "nois is not defined"]),
    ({**ROUTES, "quantum": {"loop": _LOOP | {"profile": "sampled"}}}, ["quantum.loop.profile", "measures no circuits"]),
    ({**ROUTES, "policy": {"order": ["quantum"]}}, ["order must name classical"]),
    ({**ROUTES, "policy": {"order": ["luck"]}}, ["luck", "ensemble"]),
    ({**ROUTES, "profiles": []}, ["profiles", "empty"]),
    ({**ROUTES, "profiles": ["ideal", "ideal"]}, ["ideal is listed twice"]),
    ({**ROUTES, "profiles": ["hardware"]}, ["hardware is not defined", "sampled"]),
    ({**ROUTES, "schedule": "monthly"}, ["monthly", "cron"]),
    ({**ROUTES, "colour": "red"}, ["colour"]),
    ({**STOCKS, "periods": None}, ["periods", "are missing for a portfolio"]),
    ({**STOCKS, "periods": {"first": "2020-02", "last": "2020-01"}}, ["2020-01, is before first, 2020-02"]),
    ({**STOCKS, "classical": {"seconds": 0}}, ["seconds", "greater than 0"]),
    ({**STOCKS, "problem": STOCKS["problem"] | {"tickers": []}}, ["small/defs.yaml:", "tickers names 0 assets"]),
    ({**STOCKS, "problem": STOCKS["problem"] | {"tickers": ["GE", "KO", "GE"]}}, ["tickers names 'GE' twice"]),
    ({**STOCKS, "problem": STOCKS["problem"] | {"choose": 6}}, ["choose is 6, and tickers names 5 assets"]),
    ({**STOCKS, "problem": STOCKS["problem"] | {"mean": "Mu"}}, ["mean", "ShrunkMu"]),
    ({**STOCKS, "policy": {"deadline_seconds": 1e12}}, ["small/defs.yaml:", "30 days", "give fewer"]),
]


@pytest.mark.parametrize(("attributes", "words"), MISTAKES, ids=[" ".join(words)[:50] for _, words in MISTAKES])
def test_every_mistake_names_culprit_and_mend(load: Load, attributes: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011  Dagster wraps ours in errors of several types
        load({name: value for name, value in attributes.items() if value is not None})
    error: BaseException | None = caught.value
    text = ""
    while error is not None:
        text, error = f"{text}\n{error}", error.__cause__ or error.__context__
    for word in words:
        assert word in text, text


def test_no_asset_can_fall_through_to_a_pickle(load: Load) -> None:
    defs = load(ROUTES).defs
    bare = dg.Definitions(assets=defs.assets, asset_checks=defs.asset_checks, jobs=defs.jobs)
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=STORAGE_KEY):
        dg.Definitions.validate_loadable(bare)


def test_every_shipped_study_loads_with_its_months() -> None:
    from quantum_assets.definitions import build_defs

    graph = build_defs().resolve_asset_graph()
    for study, months in SHIPPED.items():
        names = {key.path[-1] for key in graph.materializable_asset_keys if key.path[0] == study}
        assert names == (OVER_PERIOD if months else OVER_PERIOD - {"outcome"}) | OVER_BOTH
        partitions = graph.get(dg.AssetKey([study, "decision"])).partitions_def
        assert partitions is not None
        keys = partitions.get_partition_keys()
        profiles = {key.split("|")[-1] for key in keys}
        # narrowed exactly or frozen, every instance fits a density matrix and the small fake device
        assert profiles >= {"ideal", "sampled", "noisy", "managed"}
        assert len(keys) == len(profiles) * (months or 1)
    written = (PACKAGE / "defs").glob("*/defs.yaml")
    assert {path.parent.name for path in written if "OptimizationStudy" in path.read_text()} == set(SHIPPED)
