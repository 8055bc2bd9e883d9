"""Bring a table to the form of its contract before anything is written: names, types, nulls and column order.

Values (ranges, uniqueness, allowed text) are the business of the asset checks; the store holds the shape, because a
table of another shape under the same contract name would break every reader of the history.
"""

import difflib
import re

import pyarrow as pa

from quantum_assets.contracts.columns import Column, TableContract
from quantum_assets.contracts.errors import PlanError

_SIMPLE = {"int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}


def conform(table: pa.Table, contract: TableContract, culprit: str) -> pa.Table:
    """The same table in canonical form: contract columns first and in order, then the others as given.

    Text of every Arrow flavour becomes ``string``; vectors become fixed-size lists of non-null doubles; schema metadata
    is dropped. A vector column of the contract may be cut into bands (``k_00000``, ``k_04096``, …).

    Args:
        table: As the asset made it.
        contract: What it says it is.
        culprit: Asset and partition, for messages.

    Returns:
        The table to be hashed and stored.

    Raises:
        PlanError: For missing or repeated columns, wrong types, and nulls where the contract allows none.
    """
    culprit = f"{culprit}: table under {contract.name}"
    names = list(table.column_names)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise PlanError(culprit, f"repeats the columns {repeated}", "Give every column its own name")
    order: list[str] = []
    for column in contract.columns:
        found = _columns_of(column, names)
        if not found:
            near = difflib.get_close_matches(column.name, names, 1)
            hint = f" (did you mean to rename '{near[0]}'?)" if near else ""
            raise PlanError(culprit, f"lacks the column '{column.name}'{hint}", f"Give columns {_wanted(contract)}")
        order += found
    order += [name for name in names if name not in order]
    columns = [_canonical(table.column(name), name, _column_for(name, contract), culprit) for name in order]
    fields = [pa.field(name, column.type) for name, column in zip(order, columns, strict=True)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields))


def band_names(name: str, names: list[str]) -> list[str]:
    """The columns that hold a vector column: itself, or its bands by first element, ascending."""
    if name in names:
        return [name]
    return sorted(other for other in names if re.fullmatch(re.escape(name) + r"_\d{5,}", other))


def _columns_of(column: Column, names: list[str]) -> list[str]:
    if column.type == "vector":
        return band_names(column.name, names)
    return [column.name] if column.name in names else []


def _column_for(name: str, contract: TableContract) -> Column | None:
    for column in contract.columns:
        if name in _columns_of(column, [name]):
            return column
    opened = contract.open_columns
    return opened if opened is not None and name.startswith(opened.name) else None


def _canonical(values: pa.ChunkedArray, name: str, column: Column | None, culprit: str) -> pa.ChunkedArray:
    logical = _logical_type(values.type)
    if logical is None or (column is not None and logical != column.type):
        wanted = column.type if column is not None else "int32, int64, float64, bool, string or vector"
        raise PlanError(culprit, f"column '{name}' has type {values.type}", f"Store it as {wanted}")
    if values.null_count and (logical == "vector" or (column is not None and not column.nullable)):
        raise PlanError(culprit, f"column '{name}' holds {values.null_count} nulls", "Fill or drop those rows")
    if logical == "string":
        return values.cast(pa.string())
    if logical == "vector":
        return _vector(values, name, culprit)
    return values


def _logical_type(kind: pa.DataType) -> str | None:
    for name, simple in _SIMPLE.items():
        if kind == simple:
            return name
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "string"
    if pa.types.is_fixed_size_list(kind) and kind.value_type == pa.float64() and kind.list_size > 0:
        return "vector"
    return None


def _vector(values: pa.ChunkedArray, name: str, culprit: str) -> pa.ChunkedArray:
    size = values.type.list_size
    kind = pa.list_(pa.field("element", pa.float64(), nullable=False), size)
    chunks = [chunk.flatten() for chunk in values.chunks]
    if any(chunk.null_count for chunk in chunks):
        raise PlanError(culprit, f"column '{name}' holds nulls inside its vectors", "Give every element a value")
    return pa.chunked_array([pa.FixedSizeListArray.from_arrays(chunk, type=kind) for chunk in chunks], type=kind)


def _wanted(contract: TableContract) -> str:
    return ", ".join(column.name for column in contract.columns)
