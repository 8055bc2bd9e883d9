"""What a portfolio decision was worth once its month was over: return, risk and turnover of each path."""

from collections.abc import Mapping, Sequence
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

    Args:
        plan: The study.
        period: The month.
        decisions: Profile to its decision of this month, and of the month before where there is one. Without that one
            everything is taken to have been cash.

    Returns:
        One row a profile and path (published, quantum, classical), and one for equal weight over all assets.
    """
    from quantum_assets.datasets import sp500
    from quantum_assets.problems.realised import realise

    prices = sp500.read()
    everything = plan.problem.tickers or prices.tickers
    rows: list[dict[str, Any]] = []
    for profile, (now, before) in decisions.items():
        earlier = {} if before is None else _holdings(before, everything)
        rows += [
            _row(profile, path, held, realise(prices, period, held, earlier.get(path, ())))
            for path, held in _holdings(now, everything).items()
        ]
    rows.append(_row("", "equal_weight", everything, realise(prices, period, everything, everything)))
    inputs = {f"decision[{profile}]": now for profile, (now, _) in decisions.items()}
    best = max(rows, key=lambda row: row["total_return"])
    return Stored(
        table=table_of_rows(rows, OUTCOME),
        contract=OUTCOME,
        provenance=provenance(plan, inputs)
        | {"before": {profile: version_of(before) for profile, (_, before) in decisions.items() if before is not None}},
        params=study_params(plan),
        metrics={
            f"{row['profile'] or 'all'}/{row['path']}/{name}": float(row[name])
            for row in rows
            for name in ("total_return", "volatility", "turnover")
        },
        notes={"outcome": _told(rows), "best": f"{best['path']} {best['profile']}: {best['total_return']:+.2%}"},
    )


def _holdings(decided: pa.Table, tickers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What each path held: its own best row, and the published one."""
    found = {}
    for row in decided.to_pylist():
        held = tuple(name for name, bit in zip(tickers, row["bits"], strict=True) if bit == "1")
        found[row["path"]] = held
        if row["published"]:
            found["published"] = held
    return found


def _row(profile: str, path: str, held: Sequence[str], was: Any) -> dict[str, Any]:
    return {
        "profile": profile,
        "path": path,
        "held": " ".join(held),
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
        f"| {row['turnover']:.0%} |"
        for row in rows
    ]
    return "\n".join(lines)
