"""What a portfolio decision was worth once its month was over: return, risk and turnover of each path."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from quantum_assets.components.optimization_study_plan import OptimizationStudyPlan
from quantum_assets.components.optimization_study_records import study_params
from quantum_assets.components.study_records import provenance
from quantum_assets.contracts.tables import OUTCOME
from quantum_assets.models.tables import table_of_rows
from quantum_assets.orchestration.stored import Stored, version_of


def outcome(
    plan: OptimizationStudyPlan, period: str, decisions: Mapping[str, tuple[pa.Table, pa.Table | None]]
) -> Stored:
    """Recompute each path's month from its prices.

    What a path held is read from its decision, by name: the study's tickers may be others today. A path that has no
    row in the month before comes from cash, and its turnover is 1. Equal weight is held from the first month that any
    profile decided on: it comes from cash where no profile has a decision of the month before, and is rebalanced where
    one has. Its turnover compares with that of the paths that held something too; column `before` says which.

    Args:
        plan: The study.
        period: The month.
        decisions: Profile to its decision of this month, and of the month before where there is one.

    Returns:
        One row a profile and path (published, quantum, classical), and one for equal weight over the assets that these
        decisions chose from.
    """
    from quantum_assets.datasets import sp500
    from quantum_assets.problems.realised import realise

    prices = sp500.read()
    held = {(profile, path): names for profile, (now, _) in decisions.items() for path, names in _holdings(now)}
    held["", "equal_weight"] = _offered(now for now, _ in decisions.values())
    befores = {profile: before for profile, (_, before) in decisions.items() if before is not None}
    earlier = {(profile, path): names for profile, before in befores.items() for path, names in _holdings(before)}
    earlier["", "equal_weight"] = _offered(befores.values())
    rows: list[dict[str, Any]] = []
    for (profile, path), names in held.items():
        previous = earlier.get((profile, path), ())
        rows.append(_row(profile, path, names, previous, realise(prices, period, names, previous)))
    inputs = {f"decision[{profile}]": now for profile, (now, _) in decisions.items()}
    best = max(rows, key=lambda row: row["total_return"])
    return Stored(
        table=table_of_rows(rows, OUTCOME),
        contract=OUTCOME,
        provenance=provenance(plan, inputs)
        | {"before": {profile: version_of(before) for profile, before in befores.items()}},
        params=study_params(plan),
        metrics={
            f"{row['profile'] or 'all'}/{row['path']}/{name}": float(row[name])
            for row in rows
            for name in ("total_return", "volatility", "turnover")
        },
        notes={"outcome": _told(rows), "best": f"{best['path']} {best['profile']}: {best['total_return']:+.2%}"},
        headline=("best",),
    )


def _holdings(decided: pa.Table) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What each path held: its own best row, and the published one."""
    for row in decided.to_pylist():
        held = tuple(line["ticker"] for line in json.loads(row["choice"]) if line["held"])
        yield row["path"], held
        if row["published"]:
            yield "published", held


def _offered(decided: Iterable[pa.Table]) -> tuple[str, ...]:
    """Every asset that one of the decisions chose from, in their order; none without decisions."""
    choices = (json.loads(row["choice"]) for table in decided for row in table.to_pylist())
    return tuple(dict.fromkeys(line["ticker"] for choice in choices for line in choice))


def _row(profile: str, path: str, held: Sequence[str], before: Sequence[str], was: Any) -> dict[str, Any]:
    return {
        "profile": profile,
        "path": path,
        "held": " ".join(held),
        "before": " ".join(before),
        "total_return": was.total_return,
        "volatility": was.volatility,
        "turnover": was.turnover,
        "days": was.n_days,
        "complete": was.complete,
    }


def _told(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| profile | path | return | volatility | turnover |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['profile']} | {row['path']} | {row['total_return']:+.2%} | {row['volatility']:.1%} "
        f"| {row['turnover']:.0%}{'' if row['before'] else ', from cash'} |"
        for row in rows
    ]
    return "\n".join(lines)
