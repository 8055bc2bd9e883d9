"""What an asset hands over becomes a result whose data version is the content digest."""

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
