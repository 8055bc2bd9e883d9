import itertools
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.tables import GRAM
from quantum_assets.store.digest import content_digest, table_digest
from quantum_assets_tests.store.samples import SCORES, gram, scores

SCRIPT = """
from quantum_assets.contracts.tables import GRAM
from quantum_assets.store.digest import table_digest
from quantum_assets_tests.store.samples import SCORES, gram, scores
print(table_digest(scores(), SCORES), table_digest(gram(), GRAM))
"""

COLUMNS = st.fixed_dictionaries(
    {
        "i": st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=6, max_size=6),
        "f": st.lists(st.none() | st.floats(), min_size=6, max_size=6),
        "b": st.lists(st.none() | st.booleans(), min_size=6, max_size=6),
        "s": st.lists(st.none() | st.text(max_size=4), min_size=6, max_size=6),
    }
)
TYPES = {"i": pa.int64(), "f": pa.float64(), "b": pa.bool_(), "s": pa.string()}


def table_of(columns: dict[str, list]) -> pa.Table:
    return pa.table({name: pa.array(values, TYPES[name]) for name, values in columns.items()})


def version(table: pa.Table) -> str:
    return content_digest(table, "any/v1").version


def canonical(columns: dict[str, list]) -> str:
    """What two equal tables share: nulls, -0.0 as 0.0, every NaN alike."""
    return repr([[None if v is None else v + 0.0 if isinstance(v, float) else v for v in c] for c in columns.values()])


@settings(max_examples=200, deadline=None)
@given(COLUMNS, COLUMNS, st.sampled_from(["", "i", "f", "b", "s", "ifbs"]), st.integers(0, 5))
def test_digests_are_equal_exactly_when_contents_are(
    first: dict[str, list], other: dict[str, list], names: str, row: int
) -> None:
    second = {name: list(values) for name, values in first.items()}
    for name in names:
        second[name][row] = other[name][row]
    assert (version(table_of(first)) == version(table_of(second))) == (canonical(first) == canonical(second))


@settings(max_examples=100, deadline=None)
@given(COLUMNS, st.lists(st.integers(0, 6), max_size=4))
def test_chunks_do_not_matter(columns: dict[str, list], cuts: list[int]) -> None:
    table = table_of(columns)
    edges = [0, *sorted(cuts), 6]
    chunked = pa.concat_tables([table.slice(a, b - a) for a, b in itertools.pairwise(edges)])
    assert version(chunked) == version(table)
    assert version(table.slice(2, 3)) == version(pa.Table.from_pylist(table.to_pylist()[2:5], table.schema))


@pytest.mark.parametrize("text", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())])
def test_flavours_of_text_do_not_matter(text: pa.DataType) -> None:
    table = scores()
    cast = table.set_column(0, "model", table.column(0).cast(text))
    assert version(cast) == version(table)
    assert table_digest(cast, SCORES) == table_digest(table, SCORES)


@pytest.mark.parametrize("settings_", [{"compression": "none"}, {"compression": "zstd", "row_group_size": 7}])
def test_files_do_not_matter(tmp_path, settings_) -> None:
    pq.write_table(gram(), tmp_path / "a.parquet", **settings_)
    assert table_digest(pq.read_table(tmp_path / "a.parquet"), GRAM) == table_digest(gram(), GRAM)


def test_column_order_does_not_matter_under_a_contract() -> None:
    table = scores()
    assert table_digest(table.select(table.column_names[::-1]), SCORES) == table_digest(table, SCORES)


def test_volatile_columns_do_not_count_and_others_do() -> None:
    base = table_digest(scores(), SCORES)
    assert table_digest(scores(cpu=9.0), SCORES) == base
    assert table_digest(scores(first=0.9000000000000001), SCORES) != base
    assert table_digest(scores(), replace(SCORES, name="scores/v2")) != base


def test_names_types_rows_and_shapes_count() -> None:
    table = pa.table({"a": pa.array([1, 2, 3, 4], pa.int64())})
    others = [
        table.rename_columns(["b"]),
        pa.table({"a": pa.array([1, 2, 3, 4], pa.int32())}),
        pa.table({"a": pa.array([1.0, 2.0, 3.0, 4.0])}),
        table.slice(0, 3),
        table.slice(0, 0),
        pa.table({"a": pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2))}),
        pa.table({"a": pa.array([[1.0], [2.0], [3.0], [4.0]], pa.list_(pa.float64(), 1))}),
    ]
    assert len({version(other) for other in [table, *others]}) == len(others) + 1


def test_floats_are_compared_as_numbers() -> None:
    payload = np.array([0x7FF8000000000001], dtype="<u8").view("<f8")
    assert version(pa.table({"a": [0.0]})) == version(pa.table({"a": [-0.0]}))
    assert version(pa.table({"a": payload})) == version(pa.table({"a": [float("nan")]}))
    assert version(pa.table({"a": [float("nan")]})) != version(pa.table({"a": pa.array([None], pa.float64())}))


def test_texts_do_not_run_together() -> None:
    assert version(pa.table({"a": ["ab", "c"]})) != version(pa.table({"a": ["a", "bc"]}))
    assert version(pa.table({"a": ["", None]})) != version(pa.table({"a": [None, ""]}))


def test_vectors_larger_than_a_band() -> None:
    table = gram(1100)
    changed = table.column("k").combine_chunks().flatten().to_numpy().copy()
    changed[-1] = np.nextafter(changed[-1], 0)
    other = pa.FixedSizeListArray.from_arrays(pa.array(changed), type=table.schema.field("k").type)
    assert table_digest(table, GRAM) != table_digest(table.set_column(2, "k", other), GRAM)
    assert table_digest(pa.concat_tables([table.slice(0, 700), table.slice(700)]), GRAM) == table_digest(table, GRAM)


def test_types_without_a_canonical_form_are_refused() -> None:
    with pytest.raises(PlanError, match="column 'a': has type timestamp"):
        version(pa.table({"a": pa.array([1], pa.timestamp("us"))}))
    with pytest.raises(PlanError, match="column 'a': holds nulls"):
        version(pa.table({"a": pa.array([[1.0, None]], pa.list_(pa.float64(), 2))}))


def test_two_fresh_processes_agree() -> None:
    said = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "4242")
    }
    assert said == {f"{table_digest(scores(), SCORES)} {table_digest(gram(), GRAM)}"}


def test_known_value_does_not_drift_between_releases() -> None:
    table = pa.table({"a": pa.array([1.0, 2.0]), "b": ["x", None]})
    assert version(table) == "b099a3054b77cb49719da572e91eb4e08e539a4aa614d63c0b955884983dddf0"
