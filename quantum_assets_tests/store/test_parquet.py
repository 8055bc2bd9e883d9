from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quantum_assets.contracts.errors import CorruptObject, PlanError, StoreError
from quantum_assets.store.digest import content_digest
from quantum_assets.store.footer import Footer
from quantum_assets.store.gram import gram_table
from quantum_assets.store.parquet import check_object, measure, opened_slices, read_object, write_object
from quantum_assets_tests.store.samples import gram, matrix, scores


def footer(table: pa.Table) -> Footer:
    return Footer(("wine", "k"), {}, content_digest(table, "any/v1"), {"seed": 7}, "2026", {})


def written(folder: Path, table: pa.Table) -> Path:
    path = folder / "x.parquet"
    write_object(path, table, footer(table))
    return path


def encodings(path: Path) -> dict[str, set[str]]:
    group = pq.read_metadata(path).row_group(0)
    columns = [group.column(i) for i in range(group.num_columns)]
    return {column.path_in_schema: set(column.encodings) for column in columns}


@pytest.mark.parametrize(
    "table", [gram(1), gram(600), scores(), scores().slice(0, 0), gram_table(matrix(40, shots=64))]
)
def test_tables_come_back_as_they_went(tmp_path: Path, table: pa.Table) -> None:
    path = written(tmp_path, table)
    version = footer(table).content.version
    facts = check_object(path, footer(table).content, "k")
    assert facts == measure(path)
    back = read_object(path, facts, version, "k")
    assert back.replace_schema_metadata().equals(table)
    assert back.schema.equals(table.schema)


def test_layout_is_the_one_that_was_measured(tmp_path: Path) -> None:
    path = written(tmp_path, gram(600))
    metadata = pq.read_metadata(path)
    assert [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)] == [512, 88]
    assert "BYTE_STREAM_SPLIT" in encodings(path)["k.list.element"]
    assert not {"RLE_DICTIONARY", "PLAIN_DICTIONARY"} & encodings(path)["k.list.element"]
    assert metadata.row_group(0).column(2).compression == "ZSTD"
    assert metadata.row_group(0).column(0).is_stats_set
    assert not metadata.row_group(0).column(2).is_stats_set
    assert path.stat().st_size < 0.95 * 600 * 600 * 8


def test_shot_counts_take_a_dictionary(tmp_path: Path) -> None:
    table = gram_table(matrix(600, shots=1024))
    path = written(tmp_path, table)
    assert "RLE_DICTIONARY" in encodings(path)["k.list.element"]
    assert path.stat().st_size < 0.3 * table.nbytes


def test_many_values_fall_back_from_the_dictionary_by_themselves(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([np.zeros(200_000), rng.random(100_000)])
    table = pa.table({"x": values})
    path = written(tmp_path, table)
    assert (
        read_object(path, measure(path), footer(table).content.version, "k").column("x").to_numpy().sum()
        == values.sum()
    )


def test_columns_are_chosen_by_name_and_verified(tmp_path: Path) -> None:
    table = scores()
    path = written(tmp_path, table)
    version = footer(table).content.version
    part = read_object(path, measure(path), version, "k", columns=["won", "model"])
    assert part.column_names == ["won", "model"]
    with pytest.raises(PlanError, match="has no columns"):
        read_object(path, measure(path), version, "k", columns=["k"])


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, scores())
    with pytest.raises(CorruptObject, match="the object holds version"):
        read_object(path, measure(path), "0" * 64, "k")


def test_a_file_without_our_footer_is_refused(tmp_path: Path) -> None:
    pq.write_table(scores(), tmp_path / "x.parquet")
    with pytest.raises(CorruptObject, match="no 'quantum_assets' entry"):
        check_object(tmp_path / "x.parquet", footer(scores()).content, "k")


def test_a_write_that_changed_the_content_is_caught(tmp_path: Path) -> None:
    path = written(tmp_path, scores())
    with pytest.raises(CorruptObject, match="the content of score does not match"):
        check_object(path, footer(scores(first=0.8)).content, "k")
    lying = tmp_path / "lying.parquet"
    write_object(lying, scores(first=0.8), footer(scores()))
    with pytest.raises(CorruptObject, match="the content of score does not match"):
        check_object(lying, footer(scores()).content, "k")
    with pytest.raises(CorruptObject, match="the content of score does not match"):
        read_object(lying, measure(lying), footer(scores()).content.version, "k")


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\xff" * 30 + b"PAR1", b"x" * 5000])
def test_bytes_that_are_no_parquet_are_corrupt(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.parquet"
    path.write_bytes(content)
    with pytest.raises(CorruptObject):
        read_object(path, measure(path), "0" * 64, "k")
    with pytest.raises(CorruptObject), opened_slices(path, measure(path), "k", verify=True) as parquet:
        parquet.read()


def test_missing_and_unreadable_files(tmp_path: Path) -> None:
    facts = measure(written(tmp_path, scores()))
    with pytest.raises(CorruptObject, match="is missing"):
        read_object(tmp_path / "none.parquet", facts, "0" * 64, "k")
    with pytest.raises(StoreError):
        read_object(tmp_path, facts, "0" * 64, "k")


def test_slices_check_the_footer(tmp_path: Path) -> None:
    path = written(tmp_path, gram(40))
    facts = measure(path)
    content = bytearray(path.read_bytes())
    content[-300] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptObject, match="footer"), opened_slices(path, facts, "k", verify=True):
        raise AssertionError("opened")
