"""Blocking, partitioned checks of what was stored: each asset against its table contract, matrices against the algebra.

One step an asset reads the stored version back (checksums and digest verified on the way) and answers all its checks;
each check is a pure function from a table to a `CheckOutcome`, so that it can be tested without Dagster.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import dagster as dg
import numpy as np
import pyarrow as pa

from quantum_assets.contracts.columns import TableContract
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.kernels.measures import spectrum
from quantum_assets.orchestration.partitions import partition_key_of
from quantum_assets.store.conform import band_names
from quantum_assets.store.gram import KERNEL, gram_values


@dataclass(frozen=True)
class CheckOutcome:
    """Whether a check passed, the sentence that explains it, and the figures behind it."""

    passed: bool
    description: str
    figures: Mapping[str, float] = field(default_factory=dict)


Check = Callable[[pa.Table], CheckOutcome]
#: A check of the figures that the newest materialisation told: what depends on the clock is in no stored table.
CheckTold = Callable[[Mapping[str, float]], CheckOutcome]


def stored_checks(
    key: dg.AssetKey,
    checks: Mapping[str, Check],
    partitions: dg.PartitionsDefinition[str] | None,
    advisory: Mapping[str, Check] | None = None,
    told: Mapping[str, CheckTold] | None = None,
) -> dg.AssetChecksDefinition:
    """All checks of one asset as one step, partitioned like the asset: `checks` block, the others only warn.

    `advisory` ones look at the stored table, `told` ones at what the newest materialisation said of itself.

    Without `partitions_def` on a partitioned asset's check Dagster loads every partition, materialised or not.
    """
    of_table, of_told = {**checks, **(advisory or {})}, told or {}
    every: Mapping[str, Check | CheckTold] = {**of_table, **of_told}
    name = "__".join(key.path) + "__checks"
    specs = [
        dg.AssetCheckSpec(
            check, asset=key, description=_first_line(fn), blocking=check in checks, partitions_def=partitions
        )
        for check, fn in every.items()
    ]

    @dg.multi_asset_check(name=name, specs=specs, ins={"stored": dg.AssetIn(key)})
    def run_checks(context: dg.AssetCheckExecutionContext, stored: pa.Table) -> Iterator[dg.AssetCheckResult]:
        figures = _figures_told(context, key) if of_told else {}
        outcomes = {check: fn(stored) for check, fn in of_table.items()}
        outcomes |= {check: fn(figures) for check, fn in of_told.items()}
        for check, outcome in outcomes.items():
            yield dg.AssetCheckResult(
                passed=outcome.passed,
                check_name=check,
                description=outcome.description,
                metadata={name: float(value) for name, value in outcome.figures.items()},
                severity=dg.AssetCheckSeverity.ERROR if check in checks else dg.AssetCheckSeverity.WARN,
            )

    return run_checks


def _figures_told(context: dg.AssetCheckExecutionContext, key: dg.AssetKey) -> dict[str, float]:
    """The numbers in the metadata of the newest materialisation of the partition that is checked."""
    partition = partition_key_of(context)
    wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition] if partition else None)
    records = context.instance.fetch_materializations(wanted, limit=1).records
    event = records[0].asset_materialization if records else None
    said = {} if event is None else event.metadata
    numbers = {name: one.value for name, one in said.items() if isinstance(one, dg.FloatMetadataValue)}
    return {name: value for name, value in numbers.items() if value is not None}


def follows_contract(contract: TableContract, *, may_be_empty: bool = False) -> Check:
    """A check that every row of a table obeys its contract: columns, types, ranges, uniqueness."""

    def check(table: pa.Table) -> CheckOutcome:
        import pandera.pandas as pandera

        missing = [column.name for column in contract.columns if not band_names(column.name, table.column_names)]
        if missing:
            return CheckOutcome(False, f"{contract.name}: columns missing: {', '.join(missing)}")
        if table.num_rows == 0:
            return CheckOutcome(may_be_empty, f"{contract.name}: the table is empty")
        scalars = [f.name for f in table.schema if not pa.types.is_fixed_size_list(f.type)]
        try:
            contract.to_pandera().validate(table.select(scalars).to_pandas(), lazy=True)
        except pandera.errors.SchemaErrors as exc:
            return CheckOutcome(False, f"{contract.name}: {_failure_summary(exc)}")
        return CheckOutcome(True, f"all {table.num_rows} rows follow {contract.name}", {"rows": table.num_rows})

    check.__doc__ = f"Every row follows the table contract {contract.name}: columns, types, ranges, uniqueness."
    return check


def matrix_of(table: pa.Table) -> FloatArray:
    """The square matrix of a gram/v1 table, bands joined, rows in matrix order; shape `(n, n)`."""
    return gram_values(table)[1]


def is_symmetric(tolerance: float) -> Check:
    """A check that the matrix equals its transpose within `tolerance`."""

    def check(table: pa.Table) -> CheckOutcome:
        k = matrix_of(table)
        defect = float(np.abs(k - k.T).max())
        return CheckOutcome(
            defect <= tolerance, f"largest |K - Kᵀ| is {defect:.3g} (limit {tolerance:g})", {"defect": defect}
        )

    check.__doc__ = f"The matrix equals its transpose within {tolerance:g}."
    return check


def has_unit_diagonal(tolerance: float) -> Check:
    """A check that every sample's similarity with itself is 1 within `tolerance`."""

    def check(table: pa.Table) -> CheckOutcome:
        defect = float(np.abs(np.diagonal(matrix_of(table)) - 1).max())
        return CheckOutcome(
            defect <= tolerance, f"largest |K_ii - 1| is {defect:.3g} (limit {tolerance:g})", {"defect": defect}
        )

    check.__doc__ = f"Every sample's similarity with itself is 1 within {tolerance:g}."
    return check


def entries_are_probabilities(table: pa.Table) -> CheckOutcome:
    """Every entry lies in [0, 1]."""
    k = matrix_of(table)
    low, high = float(k.min()), float(k.max())
    return CheckOutcome(low >= 0 and high <= 1, f"entries span [{low:.6g}, {high:.6g}]", {"min": low, "max": high})


def smallest_eigenvalue_at_least(limit: float) -> Check:
    """A check that the symmetrised matrix has no eigenvalue below `limit` (0 up to rounding for exact kernels)."""

    def check(table: pa.Table) -> CheckOutcome:
        smallest = float(spectrum(matrix_of(table))[0])
        return CheckOutcome(
            smallest >= limit, f"smallest eigenvalue {smallest:.3g} (limit {limit:.3g})", {"min_eigenvalue": smallest}
        )

    check.__doc__ = "The symmetrised matrix is positive semi-definite, up to the profile's sampling noise."
    return check


def per_kernel(check: Check) -> Check:
    """Apply a matrix check to every matrix of a kernels/v1 stack; passes when all do."""

    def all_of(table: pa.Table) -> CheckOutcome:
        names = sorted(set(table.column(KERNEL).to_pylist()))
        outcomes = {name: check(_rows_of(table, name)) for name in names}
        failed = {name: outcome for name, outcome in outcomes.items() if not outcome.passed}
        described = failed or outcomes
        figures = {f"{name}/{key}": value for name, o in outcomes.items() for key, value in o.figures.items()}
        text = "; ".join(f"{name}: {outcome.description}" for name, outcome in described.items())
        return CheckOutcome(not failed, text, figures)

    all_of.__doc__ = check.__doc__
    return all_of


def _rows_of(table: pa.Table, kernel: str) -> pa.Table:
    import pyarrow.compute as pc

    return table.filter(pc.equal(table.column(KERNEL), kernel)).drop([KERNEL])


def _failure_summary(exc: Exception) -> str:
    cases = getattr(exc, "failure_cases", None)
    if cases is None or cases.empty:
        return str(exc).splitlines()[0]
    first = cases.iloc[0]
    return (
        f"{len(cases)} violations; first: column {first['column']}, check {first['check']}, "
        f"value {first['failure_case']!r}, row {first['index']}"
    )


def _first_line(fn: Check) -> str:
    return (fn.__doc__ or fn.__name__).strip().splitlines()[0]
