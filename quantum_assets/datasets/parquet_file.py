"""Parquet bytes to columns, judged from the metadata first: how many rows, which columns, of which types."""

from collections.abc import Callable
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.columns import Content, check_names
from quantum_assets.datasets.wording import row_places

_PANDAS_INDEX = "__index_level_"


def count(stream: BinaryIO, whose: str) -> int:
    """Number of rows, from the footer."""
    return int(_open(stream, whose).metadata.num_rows)


def parse(stream: BinaryIO, source: DataSource, whose: str, check_size: Callable[[int], None]) -> Content:
    """Take the columns that are wanted; an index that pandas stored beside them is not a column.

    Args:
        stream: Seekable bytes.
        source: Names the columns that are wanted.
        whose: Begins every culprit.
        check_size: Called with the number of rows before any is read; raises to refuse.

    Raises:
        PlanError: For bytes that are not Parquet, repeated or missing columns.
    """
    file = _open(stream, whose)
    check_size(file.metadata.num_rows)
    names = tuple(name for name in file.schema_arrow.names if not name.startswith(_PANDAS_INDEX))
    wanted = check_names(names, source, whose)
    try:
        table = file.read(columns=wanted)
        table.validate(full=True)
    except (pa.ArrowException, OSError) as error:
        raise PlanError(whose, f"is a damaged Parquet file ({error})", "Write it again from its source") from error
    return Content(table, row_places)


def _open(stream: BinaryIO, whose: str) -> Any:
    try:
        return pa.parquet.ParquetFile(stream)
    except (pa.ArrowException, OSError) as error:
        raise PlanError(whose, f"is not a Parquet file ({error})", "Write it as Parquet, or name it .csv") from error
