"""What an asset function hands to the IO manager: the table, its contract, and everything worth remembering of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
import pyarrow as pa

from quantum_assets.contracts.columns import TableContract
from quantum_assets.contracts.record import ModelRecord
from quantum_assets.orchestration.figures import as_markdown
from quantum_assets.orchestration.markdown import broken
from quantum_assets.store.digest import table_digest


@dataclass(frozen=True, eq=False)
class Stored:
    """One materialisation before it is written.

    Attributes:
        table: The answer, in the shape of `contract`.
        contract: Its table contract.
        provenance: What it was made from and how; JSON-able, goes to the footer and the commit log. No clock in it.
        params: Short values for MLflow's parameter columns.
        metrics: Finite numbers; plotted by Dagster per partition and compared by MLflow across runs.
        figures: Name to PNG, shown in Dagster's metadata and kept in MLflow.
        artifacts: Path to bytes, for MLflow only (QPY, OpenQASM 3, drawings, profile).
        notes: Short markdown lines for Dagster's metadata.
        tags: Short words for MLflow's tags: path, backend, correlation id; empty ones are left out.
        model: A model to register.
        started_at: Unix milliseconds at which the step began; 0 when nobody looked.
        headline: Names of notes, metrics and tags that the asset's page shows before all others, in this order; one
            that is not there is passed over.
    """

    table: pa.Table
    contract: TableContract
    provenance: Mapping[str, Any]
    params: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    figures: Mapping[str, bytes] = field(default_factory=dict)
    artifacts: Mapping[str, bytes] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    model: ModelRecord | None = None
    started_at: int = 0
    headline: tuple[str, ...] = ()


def materialized(stored: Stored) -> dg.MaterializeResult[Stored]:
    """The result of an asset function: its Dagster data version is the content digest, so "unchanged" is literal."""
    version = table_digest(stored.table, stored.contract)
    return dg.MaterializeResult(value=stored, metadata=_metadata(stored), data_version=dg.DataVersion(version))


def _metadata(stored: Stored) -> dict[str, dg.MetadataValue[Any]]:
    """What the asset's page shows, in its order: Dagster keeps the order of a mapping.

    The headline comes first, then words and tables, numbers, pictures, and tags; what the store and MLflow say of the
    version follows when it is committed.
    """
    entries: dict[str, dg.MetadataValue[Any]] = {
        **{name: dg.MetadataValue.md(broken(text)) for name, text in stored.notes.items()},
        **{name: dg.MetadataValue.float(float(value)) for name, value in stored.metrics.items()},
        **{name: dg.MetadataValue.md(as_markdown(png, name)) for name, png in stored.figures.items()},
        **{name: dg.MetadataValue.text(word) for name, word in stored.tags.items() if word},
    }
    first = [name for name in stored.headline if name in entries]
    return {name: entries[name] for name in (*first, *entries)}


_HEADER = b"quantum_assets"


def with_origin(table: pa.Table, version: str, provenance: Mapping[str, Any]) -> pa.Table:
    """A loaded table that knows which version it is and how that version was made, in its schema metadata."""
    header = json.dumps({"version": version, "provenance": provenance}, sort_keys=True)
    return table.replace_schema_metadata({_HEADER: header.encode()})


def provenance_of(table: pa.Table) -> dict[str, Any]:
    """How a loaded table was made, as the commit log tells it; empty for a table that was never stored."""
    return dict(_origin(table).get("provenance", {}))


def version_of(table: pa.Table) -> str:
    """The version of a loaded table; empty for a table that was never stored."""
    return str(_origin(table).get("version", ""))


def _origin(table: pa.Table) -> dict[str, Any]:
    header = (table.schema.metadata or {}).get(_HEADER)
    return json.loads(header) if header else {}
