"""What an asset hands over becomes a result whose data version is the content digest."""

from dataclasses import replace

import pyarrow as pa

from quantum_assets.contracts.columns import Column, TableContract
from quantum_assets.orchestration.stored import Stored, materialized, provenance_of, version_of, with_origin
from quantum_assets.store.digest import table_digest

CONTRACT = TableContract(
    "t/v1", (Column("n", "int64", "A number."), Column("s", "float64", "Seconds.")), volatile=("s",)
)


def _stored(n: int, s: float) -> Stored:
    return Stored(pa.table({"n": [n], "s": [s]}), CONTRACT, {}, metrics={"m": 1.5}, notes={"why": "because"})


def test_the_data_version_is_the_digest_and_ignores_measurements() -> None:
    one, again, other = (materialized(_stored(*row)) for row in ((1, 0.1), (1, 0.2), (2, 0.1)))
    assert one.data_version is not None
    assert one.data_version.value == table_digest(_stored(1, 0.1).table, CONTRACT)
    assert one.data_version == again.data_version
    assert one.data_version != other.data_version


def test_metrics_and_notes_become_metadata() -> None:
    metadata = materialized(_stored(1, 0.1)).metadata or {}
    assert metadata["m"].value == 1.5  # type: ignore[union-attr]
    assert metadata["why"].value == "because"  # type: ignore[union-attr]


def test_a_loaded_table_knows_its_origin_and_a_fresh_one_has_none() -> None:
    table = with_origin(pa.table({"n": [1]}), "abc", {"inputs": {"a": "1"}})
    assert version_of(table) == "abc"
    assert provenance_of(table) == {"inputs": {"a": "1"}}
    assert version_of(pa.table({"n": [1]})) == ""
    assert provenance_of(pa.table({"n": [1]})) == {}


def test_the_page_begins_with_the_headline_and_ends_with_pictures_and_tags() -> None:
    stored = Stored(
        pa.table({"n": [1], "s": [0.1]}),
        CONTRACT,
        {},
        metrics={"loss": 2.0, "gap": 1.0},
        notes={"table": "| a |", "reason": "because"},
        figures={"plot": b"png"},
        tags={"qa.path": "quantum", "qa.empty": ""},
        headline=("reason", "gap", "never there"),
    )
    metadata = materialized(stored).metadata or {}
    assert list(metadata) == ["reason", "gap", "table", "loss", "plot", "qa.path"]
    unnamed = materialized(replace(stored, headline=())).metadata or {}
    assert list(unnamed) == ["table", "reason", "loss", "gap", "plot", "qa.path"]
    assert unnamed == metadata


def test_a_long_sentence_is_broken_on_the_page_and_whole_in_the_note() -> None:
    stored = replace(_stored(1, 0.1), notes={"why": "because " * 30})
    metadata = materialized(stored).metadata or {}
    assert len(str(metadata["why"].value).splitlines()) > 2  # type: ignore[union-attr]
    assert "\n" not in stored.notes["why"]
