"""Each check must pass on what is right and fail on one forged table of its own."""

from collections.abc import Mapping

import dagster as dg
import numpy as np
import pyarrow as pa
import pytest

from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.tables import DATASET, GRAM
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.orchestration.checks import (
    Check,
    CheckOutcome,
    entries_are_probabilities,
    follows_contract,
    has_unit_diagonal,
    is_symmetric,
    matrix_of,
    per_kernel,
    smallest_eigenvalue_at_least,
    stored_checks,
)
from quantum_assets.store.gram import gram_table

GOOD = np.array([[1.0, 0.5, 0.2], [0.5, 1.0, 0.4], [0.2, 0.4, 1.0]])
DATASET_ROWS = {
    "sample_id": ["a", "b"],
    "label": ["no", "yes"],
    "label_index": [0, 1],
    "group": [-1, -1],
    "x_age": [1.0, 2.0],
}


def _gram(values: FloatArray) -> pa.Table:
    ids = tuple(f"s{i}" for i in range(len(values)))
    return gram_table(KernelMatrix(values, ids, ids, "k"))


def _with(row: int, column: int, value: float) -> pa.Table:
    changed = GOOD.copy()
    changed[row, column] = value
    return _gram(changed)


def test_the_matrix_comes_back_whole() -> None:
    assert np.array_equal(matrix_of(_gram(GOOD)), GOOD)


@pytest.mark.parametrize(
    ("check", "forged"),
    [
        (is_symmetric(1e-9), _with(0, 1, 0.51)),
        (has_unit_diagonal(1e-9), _with(1, 1, 0.99)),
        (entries_are_probabilities, _with(0, 2, -0.1)),
        (entries_are_probabilities, _with(0, 2, 1.1)),
        (smallest_eigenvalue_at_least(-1e-9), _gram(np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.9], [0.0, 0.9, 1.0]]))),
    ],
)
def test_matrix_checks_tell_good_from_forged(check: Check, forged: pa.Table) -> None:
    assert check(_gram(GOOD)).passed
    outcome = check(forged)
    assert not outcome.passed
    assert outcome.description


def test_one_bad_matrix_fails_a_stack_and_is_named() -> None:
    good = gram_table(KernelMatrix(GOOD, ("a", "b", "c"), ("a", "b", "c"), "rbf"), {"kernel": "rbf"})
    skew = GOOD.copy()
    skew[0, 1] = 0
    bad = gram_table(KernelMatrix(skew, ("a", "b", "c"), ("a", "b", "c"), "linear"), {"kernel": "linear"})
    outcome = per_kernel(is_symmetric(1e-9))(pa.concat_tables([good, bad]))
    assert not outcome.passed
    assert "linear" in outcome.description
    assert "rbf" not in outcome.description


def test_a_table_that_follows_its_contract_passes() -> None:
    assert follows_contract(DATASET)(pa.table(DATASET_ROWS)).passed
    assert follows_contract(GRAM)(_gram(GOOD)).passed


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"label_index": [0, -1]}, "label_index"),
        ({"sample_id": ["a", "a"]}, "sample_id"),
        ({"x_age": [1.0, float("nan")]}, "x_age"),
        ({"group": [-2, 0]}, "group"),
    ],
)
def test_contract_violations_are_named(change: dict[str, list[object]], word: str) -> None:
    outcome = follows_contract(DATASET)(pa.table(DATASET_ROWS | change))
    assert not outcome.passed
    assert word in outcome.description


def test_missing_columns_and_empty_tables_fail() -> None:
    assert "label_index" in follows_contract(DATASET)(pa.table(DATASET_ROWS).drop(["label_index"])).description
    assert "empty" in follows_contract(DATASET)(pa.table(DATASET_ROWS).slice(0, 0)).description


def test_checks_are_blocking_and_partitioned_like_their_asset() -> None:
    partitions = dg.StaticPartitionsDefinition(["ideal", "noisy"])
    checks = stored_checks(dg.AssetKey(["s", "k"]), {"fine": lambda t: CheckOutcome(True, "ok")}, partitions)
    (spec,) = checks.check_specs
    assert spec.blocking
    assert spec.partitions_def == partitions


def test_a_check_of_what_was_told_reads_the_newest_materialisation_of_its_partition_and_only_warns() -> None:
    partitions = dg.StaticPartitionsDefinition(["ideal", "noisy"])
    figures = {"ideal": 1.0, "noisy": 2.0}

    @dg.asset(partitions_def=partitions)
    def timed(context: dg.AssetExecutionContext) -> dg.MaterializeResult[pa.Table]:
        figure = figures[str(context.partition_key)]
        return dg.MaterializeResult(value=_gram(GOOD), metadata={"seconds": dg.MetadataValue.float(figure), "by": "me"})

    def quick(told: Mapping[str, float]) -> CheckOutcome:
        """It was quick."""
        return CheckOutcome(told["seconds"] <= 1.0, f"{told}", told)

    class Meanwhile(dg.InMemoryIOManager):
        """Another partition is materialised before the check looks."""

        def load_input(self, context: dg.InputContext) -> object:
            other = dg.AssetMaterialization(timed.key, partition="ideal", metadata={"seconds": 1.0})
            instance.report_runless_asset_event(other)
            return super().load_input(context)

    checks = stored_checks(timed.key, {"symmetric": is_symmetric(1e-9)}, partitions, told={"quick": quick})
    job = dg.define_asset_job("job", selection=[timed])
    kept = {"io_manager": Meanwhile()}
    defs = dg.Definitions(assets=[timed], asset_checks=[checks], jobs=[job], resources=kept)

    def checked(partition: str) -> dict[str, dg.AssetCheckEvaluation]:
        result = defs.resolve_job_def("job").execute_in_process(instance=instance, partition_key=partition)
        assert result.success
        return {one.check_name: one for one in result.get_asset_check_evaluations()}

    with dg.DagsterInstance.ephemeral() as instance:
        noisy, ideal = checked("noisy"), checked("ideal")
        assert (ideal["quick"].passed, noisy["quick"].passed) == (True, False)
        assert noisy["quick"].description == "{'seconds': 2.0}"
        assert (noisy["quick"].severity, noisy["quick"].blocking) == (dg.AssetCheckSeverity.WARN, False)
        assert noisy["symmetric"].passed
        figures["noisy"] = 0.5
        assert checked("noisy")["quick"].passed
