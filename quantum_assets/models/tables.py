"""Scores and verdicts as tables of their contracts, ``evaluation/v1`` and ``verdict/v1``, and back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from quantum_assets.contracts.columns import TableContract
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.evaluation import Comparison, FoldScore, Verdict, VerdictWord
from quantum_assets.contracts.tables import EVALUATION, VERDICT

_ARROW = {"int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_(), "string": pa.string()}


@dataclass(frozen=True)
class VerdictSummary:
    """What the stored verdict holds: everything but intervals of single scores and cost, which `judge` finds again."""

    word: VerdictWord
    reasons: tuple[str, ...]
    quantum_score: float
    comparisons: tuple[Comparison, ...]


def scores_table(scores: Sequence[FoldScore]) -> pa.Table:
    """Fold scores as a table of contract ``evaluation/v1``, in their order."""
    return table_of_rows([asdict(score) for score in scores], EVALUATION)


def scores_from_table(table: pa.Table) -> tuple[FoldScore, ...]:
    """Fold scores back from their table; `judge` on them finds the same verdict again."""
    names = [column.name for column in EVALUATION.columns]
    return tuple(FoldScore(**row) for row in table.select(names).to_pylist())


def verdict_table(verdict: Verdict) -> pa.Table:
    """A verdict as a table of contract ``verdict/v1``: one row a rival, word and reasons on every row."""
    return table_of_rows([_verdict_row(verdict, comparison) for comparison in verdict.comparisons], VERDICT)


def verdict_summary(table: pa.Table) -> VerdictSummary:
    """Read a stored verdict.

    Raises:
        PlanError: For a table without rows.
    """
    rows = table.to_pylist()
    if not rows:
        raise PlanError("verdict table", "has no rows", "Materialise the verdict again")
    fields = ("rival", "family", "difference", "low", "high", "p_value", "p_holm", "equivalent")
    return VerdictSummary(
        word=rows[0]["verdict"],
        reasons=tuple(rows[0]["reasons"].split("\n")),
        quantum_score=rows[0]["quantum_score"],
        comparisons=tuple(Comparison(**{field: row[field] for field in fields}) for row in rows),
    )


def _verdict_row(verdict: Verdict, comparison: Comparison) -> Mapping[str, Any]:
    # Means of scores are in [0, 1]; their difference taken away again may miss that by a rounding.
    rival_score = min(1.0, max(0.0, verdict.quantum_score - comparison.difference))
    return {
        **asdict(comparison),
        "quantum_score": verdict.quantum_score,
        "rival_score": rival_score,
        "verdict": verdict.word,
        "reasons": "\n".join(verdict.reasons),
    }


def table_of_rows(rows: Sequence[Mapping[str, Any]], contract: TableContract) -> pa.Table:
    """Rows as a table with exactly the columns and types of a contract, in its order; also without any row."""
    schema = pa.schema([(column.name, _ARROW[column.type]) for column in contract.columns])
    return pa.Table.from_pylist(list(rows), schema=schema)
