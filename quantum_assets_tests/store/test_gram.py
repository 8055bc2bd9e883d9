from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quantum_assets.contracts.errors import CorruptObject, PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.tables import GRAM, KERNELS
from quantum_assets.store.gram import BAND_COLUMNS, GramView, gram_table, gram_values, read_gram
from quantum_assets.store.store import Store
from quantum_assets_tests.store.samples import ASSET, IDEAL, SCORES, matrix, scores

N = 1100  # three row groups


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    return matrix(N).values


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> GramView:
    store = Store(tmp_path_factory.mktemp("gram"))
    store.commit(ASSET, IDEAL, gram_table(matrix(N)), GRAM, {})
    return read_gram(store, ASSET, IDEAL)


def wide(count: int) -> KernelMatrix:
    """A matrix of more columns than one band, cheap to make: entry (i, j) is known."""
    row = np.arange(count, dtype=float) / count
    values = np.abs(row[:, None] - row[None, :])
    ids = tuple(f"s{i}" for i in range(count))
    return KernelMatrix(values, ids, ids, "wide")


def test_layout_is_one_row_a_sample() -> None:
    table = gram_table(matrix(4, shots=64))
    assert table.column_names == ["row", "sample_id", "k", "stderr"]
    assert table.schema.field("row").type == pa.int32()
    assert table.schema.field("k").type == pa.list_(pa.field("element", pa.float64(), nullable=False), 4)


def test_small_matrices_are_not_copied() -> None:
    source = matrix(50)
    leaves = gram_table(source).column("k").chunk(0).flatten().to_numpy()
    assert np.shares_memory(leaves, source.values)


def test_only_square_matrices_are_gram_matrices() -> None:
    source = matrix(4)
    for wrong in (
        replace(source, values=source.values[:2], row_ids=source.row_ids[:2]),
        KernelMatrix(np.empty((0, 0)), (), (), "none"),
    ):
        with pytest.raises(PlanError, match="against itself"):
            gram_table(wrong)


SELECTIONS = [
    None,
    slice(0, 0),
    slice(10, 20),
    slice(None, None, -7),
    [5],
    [1099, 0, 512, 511, 512, -1],
    np.arange(500, 530),
    range(3),
    ["s0600", "s0001"],
    np.arange(N) % 3 == 0,
    pd.Index(["s0002"]),
    7,
]


@pytest.mark.parametrize("rows", SELECTIONS)
@pytest.mark.parametrize("columns", [None, slice(3, 9), ["s0600", "s0001"], [-1, 0, 0]])
def test_slices_are_those_of_the_matrix(view: GramView, values: np.ndarray, rows, columns) -> None:
    assert view.shape == (N, N)

    def at(wanted):
        every = np.arange(N)
        if wanted is None:
            return every
        if isinstance(wanted, slice):
            return every[wanted]
        if np.asarray(wanted).dtype.kind in "US" or np.asarray(wanted).dtype == object:
            return np.array([int(name[1:]) for name in wanted])
        return every[np.atleast_1d(np.asarray(wanted))]

    expected = values[np.ix_(at(rows), at(columns))]
    np.testing.assert_array_equal(view.to_numpy(rows, columns), expected)
    frame = view.to_frame(rows, columns)
    np.testing.assert_array_equal(frame.to_numpy(), expected)
    assert list(frame.index) == [f"s{i:04d}" for i in at(rows)]
    assert list(frame.columns) == [f"s{i:04d}" for i in at(columns)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([N], "not \\[1100\\]"),
        ([-N - 1], "Give positions"),
        (["nobody"], "nobody"),
        ([0.5], "float64"),
        ([True], "bool"),
    ],
)
def test_rows_that_are_not_there_are_refused(view: GramView, rows, said: str) -> None:
    with pytest.raises(PlanError, match=said):
        view.to_numpy(rows)


def test_an_exact_matrix_has_no_standard_errors(view: GramView) -> None:
    with pytest.raises(PlanError, match="no vectors 'stderr'"):
        view.to_numpy(column="stderr")


def test_standard_errors_travel_beside(tmp_path: Path) -> None:
    source = matrix(30, shots=128)
    store = Store(tmp_path)
    store.commit(ASSET, IDEAL, gram_table(source), GRAM, {})
    view = read_gram(store, ASSET, IDEAL)
    np.testing.assert_array_equal(view.to_numpy(), source.values)
    np.testing.assert_array_equal(view.to_numpy(slice(3, 5), column="stderr"), source.stderr[3:5])
    ids, stderr = gram_values(store.read(ASSET, IDEAL), "stderr")
    assert ids == source.row_ids
    np.testing.assert_array_equal(stderr, source.stderr)


def test_wide_matrices_are_cut_into_bands(tmp_path: Path) -> None:
    source = wide(BAND_COLUMNS + 30)
    few = KernelMatrix(source.values, source.row_ids, source.column_ids, "wide")
    table = gram_table(few).slice(0, 600)  # a slice of rows keeps the test small; columns are what is cut
    assert table.column_names == ["row", "sample_id", "k_00000", "k_04096"]
    store = Store(tmp_path)
    made = store.commit(ASSET, IDEAL, table, GRAM, {})
    view = GramView(made, source.row_ids, np.arange(600), "wide")
    picked = [0, BAND_COLUMNS - 1, BAND_COLUMNS, BAND_COLUMNS + 29]
    np.testing.assert_array_equal(view.to_numpy([599, 2], picked), source.values[np.ix_([599, 2], picked)])
    _, whole = gram_values(store.read(ASSET, IDEAL))
    np.testing.assert_array_equal(whole, source.values[:600])


def test_a_slice_reads_only_what_it_touches(tmp_path: Path) -> None:
    source = matrix(N)
    store = Store(tmp_path)
    made = store.commit(ASSET, IDEAL, gram_table(source), GRAM, {})
    chunk = pq.read_metadata(made.path).row_group(2).column(2)
    content = bytearray(made.path.read_bytes())
    content[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 1
    made.path.chmod(0o644)
    made.path.write_bytes(content)
    view = read_gram(store, ASSET, IDEAL)
    np.testing.assert_array_equal(view.to_numpy(slice(0, 1024)), source.values[:1024])
    with pytest.raises(CorruptObject, match=made.version[:12]):
        view.to_numpy([1050])


def stack(*seeds: int) -> pa.Table:
    names = ("rbf", "polynomial", "linear")
    return pa.concat_tables(
        [gram_table(matrix(20, seed), {"kernel": name}) for name, seed in zip(names, seeds, strict=True)]
    )


def test_stacked_kernels_are_told_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.commit(("c",), {}, stack(1, 2, 3), KERNELS, {})
    view = read_gram(store, ("c",), {}, kernel="polynomial")
    np.testing.assert_array_equal(view.to_numpy(slice(2, 4), [5]), matrix(20, 2).values[2:4, [5]])
    ids, values = gram_values(store.read(("c",), {}), kernel="linear")
    assert ids == matrix(20).row_ids
    np.testing.assert_array_equal(values, matrix(20, 3).values)
    for wrong in (None, "sigmoid"):
        with pytest.raises(PlanError, match="linear, polynomial, rbf"):
            read_gram(store, ("c",), {}, kernel=wrong)


def test_rows_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    order = np.random.default_rng(0).permutation(20)
    store.commit(ASSET, IDEAL, gram_table(matrix(20)).take(pa.array(order)), GRAM, {})
    view = read_gram(store, ASSET, IDEAL)
    assert view.ids == matrix(20).row_ids
    np.testing.assert_array_equal(view.to_numpy(), matrix(20).values)
    np.testing.assert_array_equal(gram_values(store.read(ASSET, IDEAL))[1], matrix(20).values)


def test_other_tables_are_no_gram_matrices(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.commit(("e",), {}, scores(), SCORES, {})
    with pytest.raises(PlanError, match="scores/v1 table"):
        read_gram(store, ("e",), {})
    store.commit(ASSET, IDEAL, gram_table(matrix(3)), GRAM, {})
    with pytest.raises(PlanError, match="holds one matrix"):
        read_gram(store, ASSET, IDEAL, kernel="rbf")
