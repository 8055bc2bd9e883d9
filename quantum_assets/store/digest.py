"""The digest of an answer: a hash of a table's logical content, not of its bytes on disk.

Each column is three streams of little-endian bytes (validity, values, lengths of texts), hashed as the rows come by;
the version is the hash of the contract's name, the number of rows and every column's name, type and digest, in order.
So chunks, row groups, compression, writer version and string flavour do not matter, and one column can be verified
without reading the others. ``-0.0`` counts as ``0.0`` and every NaN as one NaN, as in `contracts.fingerprint`. Volatile
columns of the contract take no part.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quantum_assets.contracts.columns import TableContract
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.store.conform import conform

BAND_ROWS = 512
"""Rows hashed at a time, so that no second copy of a large matrix is made."""


@dataclass(frozen=True)
class ColumnDigest:
    """One column's part of the digest: its name, logical type (``float64``, ``vector<float64>[178]``) and hash."""

    name: str
    type: str
    sha256: str


@dataclass(frozen=True)
class ContentDigest:
    """What identifies a table's content.

    Attributes:
        contract: Name of the table contract.
        rows: Number of rows.
        columns: Digest of every column that counts, in order.
    """

    contract: str
    rows: int
    columns: tuple[ColumnDigest, ...]

    @property
    def version(self) -> str:
        """The data version: 64 lower-case hexadecimal characters."""
        return fingerprint("table/v1", self)


def table_digest(table: pa.Table, contract: TableContract) -> str:
    """The data version that a table has in the store: the digest of its canonical form (`conform`).

    Args:
        table: As the asset made it.
        contract: What it says it is; names the volatile columns.

    Returns:
        64 lower-case hexadecimal characters.

    Raises:
        PlanError: When the table does not conform to the contract.
    """
    return content_digest(conform(table, contract, "digest"), contract.name, contract.volatile).version


def content_digest(table: pa.Table, contract: str, volatile: Sequence[str] = ()) -> ContentDigest:
    """The digest of a table as it stands, with its columns' digests.

    Args:
        table: Columns of integers, floats, booleans, text, or fixed-size lists of non-null floats.
        contract: Name of its contract.
        volatile: Columns left out.

    Raises:
        PlanError: For a column type that has no canonical form, or nulls in vectors.
    """
    kept = [name for name in table.column_names if name not in volatile]
    hasher = TableHasher(table.schema, kept)
    hasher.update(table)
    return ContentDigest(contract, table.num_rows, hasher.digests())


class TableHasher:
    """Hash chosen columns of a table that comes by in pieces of any size.

    Args:
        schema: Schema of every piece.
        columns: Names to hash, in order.
    """

    def __init__(self, schema: pa.Schema, columns: Sequence[str]) -> None:
        self._columns = {name: _ColumnHasher(name, schema.field(name).type) for name in columns}

    def update(self, piece: pa.Table) -> None:
        """Hash the rows of the next piece."""
        for name, hasher in self._columns.items():
            for chunk in piece.column(name).chunks:
                for start in range(0, len(chunk), hasher.rows_at_once):
                    hasher.update(chunk.slice(start, hasher.rows_at_once))

    def digests(self) -> tuple[ColumnDigest, ...]:
        """The digest of every column over the rows so far."""
        return tuple(hasher.digest() for hasher in self._columns.values())


class _ColumnHasher:
    """The streams of one column."""

    def __init__(self, name: str, kind: pa.DataType) -> None:
        self.name = name
        self.type = _logical_name(name, kind)
        vector = pa.types.is_fixed_size_list(kind)
        self.rows_at_once = BAND_ROWS if vector else BAND_ROWS * 128
        self._feed = self._feed_vector if vector else self._feed_text if self.type == "string" else self._feed_plain
        self._validity, self._values, self._lengths = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()

    def update(self, chunk: pa.Array) -> None:
        self._validity.update(_bytes(chunk.is_valid().to_numpy(zero_copy_only=False).astype("u1")))
        self._feed(chunk)

    def digest(self) -> ColumnDigest:
        parts = (self._validity.hexdigest(), self._values.hexdigest(), self._lengths.hexdigest())
        return ColumnDigest(self.name, self.type, fingerprint("column/v1", parts))

    def _feed_plain(self, chunk: pa.Array) -> None:
        if chunk.null_count:
            chunk = pc.fill_null(chunk, pa.scalar(0, pa.int8()).cast(chunk.type))
        values = chunk.to_numpy(zero_copy_only=False)
        self._values.update(_bytes(values.astype("u1") if values.dtype == bool else _canonical(values)))

    def _feed_vector(self, chunk: pa.Array) -> None:
        leaves = chunk.flatten()
        if chunk.null_count or leaves.null_count:
            raise PlanError(f"column '{self.name}'", "holds nulls in a vector", "Give every element a value")
        self._values.update(_bytes(_canonical(leaves.to_numpy(zero_copy_only=False))))

    def _feed_text(self, chunk: pa.Array) -> None:
        text = pc.fill_null(chunk.cast(pa.large_string()), "")
        _, offsets_buffer, data = text.buffers()
        offsets = np.frombuffer(offsets_buffer, "=i8", len(text) + 1, text.offset * 8)
        self._lengths.update(_bytes(np.diff(offsets)))
        if data is not None:
            self._values.update(memoryview(data)[int(offsets[0]) : int(offsets[-1])])


def _logical_name(name: str, kind: pa.DataType) -> str:
    if pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type):
        return f"vector<{_FLOATS[kind.value_type]}>[{kind.list_size}]"
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if kind in _FLOATS:
        return _FLOATS[kind]
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return str(kind)
    raise PlanError(f"column '{name}'", f"has type {kind}, which has no canonical form", "Store numbers, text or flags")


_FLOATS = {pa.float16(): "float16", pa.float32(): "float32", pa.float64(): "float64"}


def _canonical(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if values.dtype.kind == "f":
        values = values + values.dtype.type(0)  # -0.0 and 0.0 are one value
        values[np.isnan(values)] = np.nan
    return values


def _bytes(values: npt.NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).view(np.uint8).data
