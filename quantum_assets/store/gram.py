"""Kernel matrices as tables (``gram/v1``, ``kernels/v1``) and as slices of a stored file.

One row a sample: ``row``, ``sample_id`` and ``k``, a vector of the kernel values against every sample in row order;
where entries are estimates, ``stderr`` beside it. Above `BAND_COLUMNS` columns a vector is cut into bands named by
their first column (``k_00000``, ``k_04096``, …), so that a slice reads only the row groups and bands it touches.
``kernels/v1`` stacks several matrices behind a leading ``kernel`` column.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.tables import GRAM, KERNELS
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.store.conform import band_names
from quantum_assets.store.parquet import opened_slices
from quantum_assets.store.store import Commit, Store

if TYPE_CHECKING:
    import pandas as pd

BAND_COLUMNS = 4096
KERNEL = "kernel"
"""The column that tells stacked matrices apart."""

Selection = slice | Sequence[int] | Sequence[str] | npt.NDArray[Any] | None
"""Rows or columns wanted: a slice, positions, sample ids, or None for all."""


def gram_table(matrix: KernelMatrix, prefix: Mapping[str, str] | None = None) -> pa.Table:
    """A Gram matrix in layout ``gram/v1``; several, one below the other, make a ``kernels/v1`` table.

    Args:
        matrix: Square: rows and columns are the same samples.
        prefix: Leading text columns with one value throughout, for example ``{"kernel": "rbf"}``.

    Returns:
        One row a sample. Up to `BAND_COLUMNS` samples the vectors share the matrix's memory.

    Raises:
        PlanError: When the matrix is not square or empty.
    """
    count = len(matrix.row_ids)
    if not matrix.square or count == 0:
        raise PlanError(
            f"kernel matrix {matrix.kernel}",
            f"has {count} rows and {len(matrix.column_ids)} columns that are not the same samples",
            "Store the Gram matrix of at least one sample against itself",
        )
    columns: dict[str, pa.Array] = {
        name: pa.repeat(pa.scalar(value, pa.string()), count) for name, value in (prefix or {}).items()
    }
    columns |= {"row": pa.array(range(count), pa.int32()), "sample_id": pa.array(matrix.row_ids, pa.string())}
    columns |= _bands("k", matrix.values)
    if matrix.stderr is not None:
        columns |= _bands("stderr", matrix.stderr)
    return pa.table(columns)


def gram_values(table: pa.Table, column: str = "k", kernel: str | None = None) -> tuple[tuple[str, ...], FloatArray]:
    """The ids and the matrix in a table that was read whole.

    Args:
        table: In layout ``gram/v1`` or ``kernels/v1``.
        column: ``k`` or ``stderr``.
        kernel: Which matrix of a stack.

    Returns:
        Sample ids, and an array of shape `(n, n)` with rows and columns in their order.

    Raises:
        PlanError: For a column or kernel that is not there.
    """
    positions = _positions(table, kernel, "table")
    ids = tuple(table.column("sample_id").take(pa.array(positions)).to_pylist())
    names = _checked_bands(column, table.column_names, "table")
    whole = np.concatenate([_matrix(table.column(name)) for name in names], axis=1) if len(names) > 1 else None
    values = whole if whole is not None else _matrix(table.column(names[0]))
    in_order = np.array_equal(positions, np.arange(table.num_rows))
    return ids, values if in_order else values[positions]


@dataclass(frozen=True, eq=False)
class GramView:
    """A stored Gram matrix, read by slices: only the row groups and bands that a slice touches.

    Attributes:
        commit: The version it shows.
        ids: Sample ids of rows, which are those of columns.
        positions: Row of the file of each row of the matrix.
        culprit: Asset, partition and version, for messages.
        verify: Check the footer's hash at each read; page checksums are checked in any case.
    """

    commit: Commit
    ids: tuple[str, ...]
    positions: IntArray
    culprit: str
    verify: bool = True

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, without reading."""
        return len(self.ids), len(self.ids)

    def to_numpy(self, rows: Selection = None, columns: Selection = None, column: str = "k") -> FloatArray:
        """Part of the matrix as an array.

        Args:
            rows: Rows wanted, in the order wanted.
            columns: Columns wanted, in the order wanted.
            column: ``k`` for the values, ``stderr`` for their standard errors.

        Returns:
            Shape `(n_rows, n_columns)`.

        Raises:
            PlanError: For rows or columns that are not there.
            CorruptObject: When the bytes read are not those that were stored.
        """
        wanted_rows, wanted_columns = (_resolve(self.ids, wanted, self.culprit) for wanted in (rows, columns))
        out = np.empty((len(wanted_rows), len(wanted_columns)))
        with opened_slices(self.commit.path, self.commit.file, self.culprit, self.verify) as parquet:
            names = _checked_bands(column, parquet.schema_arrow.names, self.culprit)
            for group, at, within in _groups(parquet.metadata, self.positions[wanted_rows]):
                for name, to, start in _touched(parquet.schema_arrow, names, wanted_columns):
                    block = _matrix(parquet.read_row_group(group, columns=[name]).column(name))
                    out[np.ix_(at, to)] = block[np.ix_(within, wanted_columns[to] - start)]
        return out

    def to_frame(self, rows: Selection = None, columns: Selection = None) -> "pd.DataFrame":
        """The same as a frame labelled by sample ids on both sides; see `to_numpy`."""
        import pandas as pd

        wanted_rows, wanted_columns = (_resolve(self.ids, wanted, self.culprit) for wanted in (rows, columns))
        values = self.to_numpy(rows, columns)
        names = np.array(self.ids, dtype=object)
        index = pd.Index(names[wanted_rows], name="sample_id")
        return pd.DataFrame(values, index=index, columns=pd.Index(names[wanted_columns], name="sample_id"))


def read_gram(
    store: Store,
    asset: tuple[str, ...],
    partition: Mapping[str, str],
    *,
    version: str | None = None,
    as_of: datetime | None = None,
    kernel: str | None = None,
    verify: bool = True,
) -> GramView:
    """Open a stored Gram matrix for slicing; reads its ids only.

    Args:
        store: Where it lies.
        asset: Parts of the asset's name.
        partition: Value of each dimension.
        version: Digest, or a prefix of it.
        as_of: A time with zone.
        kernel: Which matrix of a ``kernels/v1`` stack.
        verify: Check hashes on top of page checksums.

    Returns:
        The view.

    Raises:
        VersionNotFound: When the store has no such thing.
        CorruptObject: When the stored bytes are not what was stored.
        PlanError: When the table is no Gram matrix, or no such kernel is in the stack.
    """
    commit = store.find(asset, partition, version, as_of)
    culprit = store.place(commit).culprit(commit.version)
    if commit.contract not in {GRAM.name, KERNELS.name}:
        raise PlanError(culprit, f"is a {commit.contract} table, not a Gram matrix", "Load it as a table")
    named = ["row", "sample_id"] + [KERNEL] * (commit.contract == KERNELS.name)
    with opened_slices(commit.path, commit.file, culprit, verify) as parquet:
        index = parquet.read(columns=named)
    positions = _positions(index, kernel, culprit)
    ids = tuple(index.column("sample_id").take(pa.array(positions)).to_pylist())
    return GramView(commit, ids, positions, culprit, verify)


def _resolve(ids: tuple[str, ...], wanted: Selection, culprit: str) -> IntArray:
    """Positions of a selection, in the order asked for."""
    every: IntArray = np.arange(len(ids))
    if wanted is None:
        return every
    if isinstance(wanted, slice):
        return every[wanted]
    chosen = np.atleast_1d(np.asarray(wanted))
    if chosen.dtype.kind in "USO":
        return _resolve_ids(ids, chosen.tolist(), culprit)
    if chosen.dtype == bool and chosen.shape == every.shape:
        return np.flatnonzero(chosen)
    if chosen.size and chosen.dtype.kind not in "iu":
        raise PlanError(culprit, f"is asked for rows of type {chosen.dtype}", "Give positions, ids or a slice")
    outside = [position for position in chosen.tolist() if not -len(ids) <= position < len(ids)]
    if outside:
        raise PlanError(culprit, f"has {len(ids)} samples, not {outside[:5]}", "Give positions inside")
    return every[chosen.astype(np.int64)]


def _resolve_ids(ids: tuple[str, ...], wanted: Sequence[str], culprit: str) -> IntArray:
    at = {name: position for position, name in enumerate(ids)}
    unknown = [name for name in wanted if name not in at]
    if unknown:
        raise PlanError(culprit, f"has no samples {unknown[:5]}", "Choose among the `ids` of the view")
    return np.array([at[name] for name in wanted], dtype=np.int64)


def _bands(name: str, values: FloatArray) -> dict[str, pa.Array]:
    width = values.shape[1]
    if width <= BAND_COLUMNS:
        return {name: _vectors(values)}
    starts = range(0, width, BAND_COLUMNS)
    return {f"{name}_{start:05d}": _vectors(values[:, start : start + BAND_COLUMNS]) for start in starts}


def _vectors(values: FloatArray) -> pa.FixedSizeListArray:
    kind = pa.list_(pa.field("element", pa.float64(), nullable=False), values.shape[1])
    leaves = np.ascontiguousarray(values, dtype=np.float64).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(leaves), type=kind)


def _matrix(column: pa.ChunkedArray) -> FloatArray:
    parts = [chunk.flatten().to_numpy().reshape(len(chunk), -1) for chunk in column.chunks if len(chunk)]
    if len(parts) == 1:
        return np.asarray(parts[0])
    return np.concatenate(parts) if parts else np.empty((0, column.type.list_size))


def _positions(table: pa.Table, kernel: str | None, culprit: str) -> IntArray:
    rows = table.column("row").to_numpy()
    if KERNEL not in table.column_names:
        if kernel is not None:
            raise PlanError(culprit, f"holds one matrix, and '{kernel}' was asked for", "Leave `kernel` out")
        return np.argsort(rows, kind="stable")
    kernels = np.array(table.column(KERNEL).to_pylist(), dtype=object)
    names = sorted(set(kernels.tolist()))
    if kernel not in names:
        raise PlanError(culprit, f"holds the kernels {', '.join(names)}, not {kernel!r}", "Name one as `kernel`")
    mine = np.flatnonzero(kernels == kernel)
    return mine[np.argsort(rows[mine], kind="stable")]


def _checked_bands(column: str, names: Sequence[str], culprit: str) -> list[str]:
    bands = band_names(column, list(names))
    if not bands:
        raise PlanError(culprit, f"has no vectors '{column}'", "Ask for `k`, or for `stderr` of an estimated matrix")
    return bands


def _groups(metadata: pq.FileMetaData, positions: IntArray) -> list[tuple[int, IntArray, IntArray]]:
    """For every row group touched: its number, which wanted rows it holds, and where they are inside it."""
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    owner = np.searchsorted(starts, positions, side="right") - 1
    found = []
    for group in np.unique(owner):
        at = np.flatnonzero(owner == group)
        found.append((int(group), at, positions[at] - starts[group]))
    return found


def _touched(schema: pa.Schema, names: Sequence[str], columns: IntArray) -> list[tuple[str, IntArray, int]]:
    """For every band touched: its name, which wanted columns it holds, and its first column."""
    found, start = [], 0
    for name in names:
        width = schema.field(name).type.list_size
        at = np.flatnonzero((columns >= start) & (columns < start + width))
        if at.size:
            found.append((name, at, start))
        start += width
    return found
