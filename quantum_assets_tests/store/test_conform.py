import pandas as pd
import pyarrow as pa
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.tables import DATASET, GRAM
from quantum_assets.store.conform import conform
from quantum_assets_tests.store.samples import SCORES, gram, scores


def test_columns_take_the_order_of_the_contract_and_others_follow() -> None:
    table = scores().append_column("note", pa.array(["a", "b", "c"]))
    shuffled = table.select(["note", "won", "score", "model", "cpu_seconds", "fold"])
    assert conform(shuffled, SCORES, "t").column_names == ["model", "fold", "score", "won", "cpu_seconds", "note"]


@pytest.mark.parametrize("kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_every_flavour_of_text_becomes_string(kind: pa.DataType) -> None:
    table = scores()
    cast = table.set_column(0, "model", table.column(0).cast(kind))
    assert conform(cast, SCORES, "t").equals(conform(table, SCORES, "t"))


def test_a_pandas_frame_conforms() -> None:
    frame = pd.DataFrame({"sample_id": ["a", "b"], "label": ["x", "y"], "label_index": [0, 1], "group": [-1, -1]})
    frame["x_alcohol"] = [0.5, 0.25]
    table = conform(pa.Table.from_pandas(frame, preserve_index=False), DATASET, "t")
    assert table.schema.field("sample_id").type == pa.string()
    assert table.schema.metadata is None


def test_vector_leaves_become_non_null_whatever_their_name() -> None:
    kind = pa.list_(pa.field("item", pa.float64()), 2)
    vectors = pa.array([[1.0, 0.5], [0.5, 1.0]], kind)
    table = pa.table({"row": pa.array([0, 1], pa.int32()), "sample_id": ["a", "b"], "k": vectors})
    field = conform(table, GRAM, "t").schema.field("k").type.value_field
    assert (field.name, field.nullable) == ("element", False)


def with_column(name: str, values: pa.Array) -> pa.Table:
    table = scores()
    return table.set_column(table.column_names.index(name), name, values)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (scores().drop_columns(["fold"]), "lacks the column 'fold'"),
        (scores().rename_columns(["model", "folds", "score", "won", "cpu_seconds"]), "rename 'folds'"),
        (scores().append_column("fold", pa.array([1, 2, 3])), "repeats the columns"),
        (with_column("fold", pa.array([0.0, 1.0, 2.0])), "'fold' has type double"),
        (with_column("fold", pa.array([0, 1, 2], pa.int32())), "Store it as int64"),
        (with_column("model", pa.array(["a", None, "b"])), "'model' holds 1 nulls"),
        (scores().append_column("when", pa.array([1, 2, 3], pa.timestamp("us"))), "'when' has type timestamp"),
        (scores().append_column("xs", pa.array([[1.0], [2.0], []])), "'xs' has type list"),
    ],
)
def test_a_table_of_another_shape_is_refused(table: pa.Table, said: str) -> None:
    with pytest.raises(PlanError) as caught:
        conform(table, SCORES, "wine/scores")
    assert said in str(caught.value)
    assert "wine/scores: table under scores/v1" in str(caught.value)


@pytest.mark.parametrize("values", [[[1.0, None], [0.5, 1.0]], [None, [0.5, 1.0]]])
def test_nulls_in_vectors_are_refused(values: list) -> None:
    vectors = pa.array(values, pa.list_(pa.float64(), 2))
    table = pa.table({"row": pa.array([0, 1], pa.int32()), "sample_id": ["a", "b"], "k": vectors})
    with pytest.raises(PlanError, match="nulls"):
        conform(table, GRAM, "t")


def test_open_columns_have_their_type() -> None:
    table = pa.table({"sample_id": ["a"], "label": ["x"], "label_index": [0], "group": [-1], "x_0": ["text"]})
    with pytest.raises(PlanError, match=r"'x_0' has type string\. Store it as float64"):
        conform(table, DATASET, "t")


def test_a_gram_table_conforms_as_it_is() -> None:
    assert conform(gram(), GRAM, "t").equals(gram())
