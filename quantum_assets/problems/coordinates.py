"""Rows of a file of coordinates, whatever its format, as cells by column name; what they mean is read elsewhere.

- CSV (comma-separated UTF-8 with a header) and Parquet: columns ``i``, ``j`` and ``value``; others are ignored.
- COO, dimod's text format: ``i j value`` a line, parted by blanks. Lines that begin with ``#`` are comments, and one of
  them may say ``vartype=BINARY`` or ``vartype=SPIN``. dimod itself skips lines that it cannot read, exponents among
  them; here they are faults.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from quantum_assets.contracts.errors import PlanError

Form = Literal["qubo", "ising"]
"""Whether values weigh bits or spins."""

Rows = Iterator[tuple[str, Mapping[str, Any]]]
COLUMNS = ("i", "j", "value")
MAX_ROWS = 1_000_000
FORMS: Mapping[str, Form] = {"BINARY": "qubo", "SPIN": "ising"}
"""What dimod calls the forms."""

_VARTYPE = re.compile(r"vartype\s*[:=]\s*(\w+)")


def rows(whose: str, suffix: str, data: bytes) -> Rows:
    """Where each row stands and its three cells.

    Args:
        whose: The file's name, for messages.
        suffix: Its format, a key of `READERS`.
        data: Its content.

    Raises:
        PlanError: Naming file, line or row, and what is wrong with it.
    """
    if not data.strip():
        raise PlanError(whose, "the file is empty", "Write the header i,j,value and one row a term")
    for number, row in enumerate(READERS[suffix](whose, data), start=1):
        if number > MAX_ROWS:
            raise PlanError(whose, f"has more than {MAX_ROWS:,} rows", "Give a smaller problem")
        yield row


def stated_form(whose: str, data: bytes) -> Form | None:
    """What the comments of a COO file say of its values; None where they say nothing.

    Raises:
        PlanError: For a vartype that there is not, or two that differ.
    """
    lines = (line.strip() for line in _text(whose, data).splitlines())
    stated = {word for line in lines if line.startswith("#") for word in _VARTYPE.findall(line)}
    if len(stated) > 1 or stated - set(FORMS):
        raise PlanError(
            f"{whose}: vartype", f"is {' and '.join(sorted(stated))}", "Write one line: # vartype=BINARY, or SPIN"
        )
    return FORMS[stated.pop()] if stated else None


def _csv_rows(whose: str, data: bytes) -> Rows:
    reader = csv.reader(io.StringIO(_text(whose, data), newline=""))
    try:
        header = [name.strip() for name in next(reader)]
        _check_columns(whose, header)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(header):
                raise PlanError(
                    f"{whose}: line {reader.line_num}",
                    f"has {len(cells)} values, and the header names {len(header)} columns",
                    "Correct the line",
                )
            yield f"line {reader.line_num}", dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise PlanError(f"{whose}: line {reader.line_num}", f"is not CSV ({error})", "Save it as CSV UTF-8") from error


def _parquet_rows(whose: str, data: bytes) -> Rows:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(data))
        _check_columns(whose, list(file.schema_arrow.names))
        if file.metadata.num_rows > MAX_ROWS:
            raise PlanError(whose, f"has {file.metadata.num_rows:,} rows", f"Give at most {MAX_ROWS:,}")
        columns = [file.read(columns=list(COLUMNS)).column(name).to_pylist() for name in COLUMNS]
    except (pa.ArrowException, OSError) as error:
        raise PlanError(whose, f"is not a readable Parquet file ({error})", "Write it again from its source") from error
    for number, cells in enumerate(zip(*columns, strict=True), start=1):
        yield f"row {number}", dict(zip(COLUMNS, cells, strict=True))


def _check_columns(whose: str, header: list[str]) -> None:
    for name in COLUMNS:
        if header.count(name) != 1:
            listed = ", ".join(repr(given) for given in header[:8])
            problem = "is missing" if name not in header else f"is named {header.count(name)} times"
            raise PlanError(
                f"{whose}: column {name!r}", f"{problem} among {listed}", "Name the columns i, j and value, once each"
            )


def _coo_rows(whose: str, data: bytes) -> Rows:
    for number, line in enumerate(_text(whose, data).splitlines(), start=1):
        cells = line.split()
        if not cells or cells[0].startswith("#"):
            continue
        if len(cells) != 3:
            raise PlanError(
                f"{whose}: line {number}", f"has {len(cells)} words", "Write i, j and value, parted by blanks"
            )
        yield f"line {number}", dict(zip(COLUMNS, cells, strict=True))


def _text(whose: str, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise PlanError(f"{whose}: line {line}", "is not UTF-8 text", "Save the file as UTF-8") from error


READERS: Mapping[str, Callable[[str, bytes], Rows]] = {
    ".csv": _csv_rows,
    ".parquet": _parquet_rows,
    ".pq": _parquet_rows,
    ".coo": _coo_rows,
}
"""A reader for every suffix."""
