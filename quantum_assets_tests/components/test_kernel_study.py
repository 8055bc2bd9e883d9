"""From YAML to asset graph: what a study defines, and what it says to every mistake in its YAML."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets_tests.components.small import ATTRIBUTES

PACKAGE = Path(__file__).resolve().parents[2] / "quantum_assets"
SHIPPED = ("ad_hoc", "breast_cancer", "digits", "iris", "shuffled_labels", "wine")
PARTITIONED = {"quantum_jobs", "quantum_kernel", "diagnostics", "evaluation", "verdict", "kernel_model"}
UNPARTITIONED = {"dataset", "features", "classical_kernels", "modes"}
Loader = Callable[..., dg.Definitions]


def test_the_graph_of_a_study(load_study: Loader) -> None:
    graph = load_study().resolve_asset_graph()
    edges = {
        key.path[-1]: sorted(parent.path[-1] for parent in graph.get(key).parent_keys)
        for key in graph.materializable_asset_keys
    }
    assert edges == {
        "dataset": [],
        "features": ["dataset"],
        "quantum_jobs": ["dataset", "features"],
        "quantum_kernel": ["dataset", "features", "quantum_jobs"],
        "classical_kernels": ["dataset", "features"],
        "diagnostics": ["classical_kernels", "dataset", "quantum_kernel"],
        "evaluation": ["dataset", "diagnostics", "features"],
        "verdict": ["diagnostics", "evaluation"],
        "kernel_model": ["dataset", "quantum_kernel"],
        "modes": ["dataset", "features", "quantum_kernel", "verdict"],
    }


def test_every_asset_says_who_and_what_it_is(load_study: Loader) -> None:
    graph = load_study().resolve_asset_graph()
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.group_name == "small"
        assert node.description
        assert node.owners == ["team:tests"]
        assert node.tags["domain"] == "test"
        assert node.kinds
        assert (node.partitions_def is not None) == (key.path[-1] in PARTITIONED)
        assert node.backfill_policy is None  # a run a partition, under the tag dagster/partition
        checks = [graph.get(check) for check in graph.asset_check_keys if check.asset_key == key]
        assert checks
        assert {check.key.name for check in checks if not check.blocking} <= {"quantum_path"}
        assert all(check.partitions_def == node.partitions_def for check in checks)


def test_a_job_and_a_schedule_that_is_off(load_study: Loader) -> None:
    defs = load_study(schedule="15 4 * * 1")
    schedule = defs.resolve_schedule_def("small_schedule")
    assert schedule.default_status is dg.DefaultScheduleStatus.STOPPED
    assert schedule.cron_schedule == "15 4 * * 1"
    assert set(defs.resolve_job_def("small_job").partitions_def.get_partition_keys()) == {"ideal", "sampled", "noisy"}  # type: ignore[union-attr]


def test_a_schedule_tick_asks_for_every_profile_once(load_study: Loader) -> None:
    defs = load_study()
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            repository_def=defs.get_repository_def(),
            scheduled_execution_time=datetime(2026, 1, 5, 3, tzinfo=UTC),
        )
        tick = defs.resolve_schedule_def("small_schedule").evaluate_tick(context)
    assert [request.partition_key for request in tick.run_requests or ()] == ["ideal", "sampled", "noisy"]
    assert len({request.run_key for request in tick.run_requests or ()}) == 3


def test_no_schedule_when_none_is_wanted(load_study: Loader) -> None:
    assert not load_study(schedule=None).schedules


def _changed(path: str, value: Any) -> dict[str, Any]:
    """The attributes with one nested field changed; a number in the path is a list index."""
    first, *rest = path.split(".")
    if not rest:
        return {first: value}
    copy: Any = {first: _deep(ATTRIBUTES.get(first, {}))}
    at = copy[first]
    for step in rest[:-1]:
        at = at[int(step)] if step.isdigit() else at.setdefault(step, {})
    at[rest[-1]] = value
    return {first: copy[first]}


def _deep(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _deep(item) for key, item in value.items()}
    return [_deep(item) for item in value] if isinstance(value, list) else value


MISTAKES: list[tuple[str, Any, list[str]]] = [
    ("source", {"dataset": "wnie"}, ["wnie", "wine"]),
    ("source", {"dataset": "wine", "path": "a.csv", "label": "y"}, ["exactly one"]),
    ("source", {}, ["exactly one"]),
    ("source", {"path": "rows.csv"}, ["label"]),
    ("source", {"path": "nowhere.csv", "label": "y"}, ["nowhere.csv"]),
    ("source.max_samples", 3, ["max_samples", "10"]),
    ("source.seed", -1, ["seed"]),
    ("source.data_class", "secret", ["data_class", "restricted"]),
    ("source.lable", "y", ["lable"]),
    ("source.options", {"gap": 0.3}, ["options"]),
    ("preparation.scaling", "robust", ["scaling", "standard"]),
    ("preparation.qubits", 40, ["qubits", "16"]),
    ("preparation.qubits", None, ["qubits"]),
    ("preparation.reduction", "none", ["qubits"]),
    ("feature_maps", [], ["feature_maps"]),
    ("feature_maps.0.kind", "zzz", ["kind", "pauli"]),
    ("feature_maps.0.reps", 0, ["reps"]),
    ("feature_maps.0.entanglement", "star", ["entanglement", "linear"]),
    ("feature_maps.0.bandwidths", [0.0], ["bandwidths"]),
    ("feature_maps.0.bandwidths", [0.5, 0.5], ["bandwidths", "repeats"]),
    ("feature_maps.0.paulis", ["Z"], ["paulis"]),
    ("feature_maps.0.kind", "pauli", ["paulis"]),
    ("profiles", [], ["profiles", "empty"]),
    ("profiles", ["ideal", "ideal"], ["ideal", "twice"]),
    ("profiles", ["hardware"], ["hardware", "sampled"]),
    ("baselines", [], ["baselines"]),
    ("baselines", ["xgboost"], ["xgboost", "svm_rbf"]),
    ("protocol.outer_folds", 1, ["outer_folds", "2"]),
    ("protocol.metric", "auc", ["metric", "balanced_accuracy"]),
    ("protocol.alpha", 0.9, ["alpha"]),
    ("protocol.c_grid", [-1.0], ["c_grid"]),
    ("protocol.budget", 0, ["budget"]),
    ("schedule", "every day", ["every day", "cron"]),
    ("name", "../evil", ["name"]),
    ("owner", "nobody", ["nobody"]),
    ("tags", {"bad key!": "x"}, ["bad key!"]),
    ("colour", "red", ["colour"]),
]


@pytest.mark.parametrize(("path", "value", "words"), MISTAKES, ids=[f"{p}={v}"[:50] for p, v, _ in MISTAKES])
def test_every_mistake_names_culprit_and_mend(load_study: Loader, path: str, value: Any, words: list[str]) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011  Dagster wraps ours in errors of several types
        load_study(**_changed(path, value))
    text = _chain(caught.value)
    for word in words:
        assert word in text, text


def _chain(error: BaseException | None) -> str:
    parts = []
    while error is not None:
        parts.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(parts)


def test_no_asset_can_fall_through_to_a_pickle(load_study: Loader) -> None:
    """Without the storage resource a study must fail to load, not be written by Dagster's default IO manager."""
    defs = load_study()
    bare = dg.Definitions(assets=defs.assets, asset_checks=defs.asset_checks, jobs=defs.jobs)
    with pytest.raises(dg.DagsterInvalidDefinitionError, match=STORAGE_KEY):
        dg.Definitions.validate_loadable(bare)


def test_every_shipped_study_loads_with_its_checks() -> None:
    from quantum_assets.definitions import build_defs

    graph = build_defs().resolve_asset_graph()
    for study in SHIPPED:
        names = {key.path[-1] for key in graph.materializable_asset_keys if key.path[0] == study}
        assert names == PARTITIONED | UNPARTITIONED
    written = (PACKAGE / "defs").glob("*/defs.yaml")
    assert {path.parent.name for path in written if "KernelStudy" in path.read_text()} == set(SHIPPED)
