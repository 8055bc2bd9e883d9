"""CSV bytes to text columns: header, encoding, separators and row lengths are checked, and lines can be named.

Every value stays text here, so that nothing is guessed: `columns` turns text into numbers and can say which value on
which line is not one. pyarrow parses; Python's csv module is asked only for the header and for line numbers in errors.
"""

import codecs
import contextlib
import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.csv

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.columns import Content, check_names
from quantum_assets.datasets.wording import counted, plural, row_places, shown

_CHUNK = 1 << 20
_LINES_SHOWN = 5
_FOREIGN = {
    b"PAR1": ("is a Parquet file", "Name it .parquet"),
    b"\x1f\x8b": ("is gzip-compressed", "Unpack it"),
    b"PK\x03\x04": ("is a zip archive or an Excel workbook", "Save the sheet as CSV UTF-8"),
    b"\xff\xfe": ("is UTF-16 text", "Save it as UTF-8"),
    b"\xfe\xff": ("is UTF-16 text", "Save it as UTF-8"),
}


def fetch(stream: BinaryIO, limit: int | None) -> tuple[bytes, int]:
    """Read a stream once, counting its rows; past `limit` rows the bytes are dropped and only counting goes on.

    Returns:
        The bytes (empty past the limit) and the number of lines after the header, blank ones included; line ends
        inside quotes are not counted.
    """
    kept: list[bytes] = []
    ends, inside, last = 0, False, b""
    for chunk in iter(lambda: stream.read(_CHUNK), b""):
        found, inside = _line_ends(chunk, inside)
        ends, last = ends + found, chunk[-1:]
        if limit is not None and ends - 1 > limit:
            kept.clear()
        else:
            kept.append(chunk)
    lines = ends + (last not in (b"\n", b"\r", b""))
    return b"".join(kept), max(lines - 1, 0)


def parse(data: bytes, source: DataSource, whose: str) -> Content:
    """Check the shape of a CSV and take its columns as text.

    Args:
        data: The whole file.
        source: Names the columns that are wanted.
        whose: Begins every culprit.

    Raises:
        PlanError: For bytes that are not text, another separator, repeated column names, missing columns, rows of
            another length than the header, an unclosed quote, or no rows.
    """
    _check_text(data, whose)
    names, header_lines = _header(data, whose)
    wanted = check_names(names, source, whose)
    _check_quotes(data, whose)
    table = _columns(data, names, header_lines, wanted, whose)

    def place(rows: Sequence[int]) -> str:
        lines = _line_numbers(data, rows[:_LINES_SHOWN])
        return counted(lines, len(rows), "line") if len(lines) == len(rows[:_LINES_SHOWN]) else row_places(rows)

    return Content(table, place)


def _line_ends(chunk: bytes, inside: bool) -> tuple[int, bool]:
    """Count line ends outside quotes; `inside` says whether the chunk begins within a quoted value."""
    if b'"' not in chunk:
        return (0 if inside else max(chunk.count(b"\n"), chunk.count(b"\r"))), inside
    raw = np.frombuffer(chunk, dtype=np.uint8)
    outside = (np.cumsum(raw == ord('"')) + inside) % 2 == 0
    ends = max(np.count_nonzero(outside & (raw == ord(end))) for end in "\n\r")
    return int(ends), not bool(outside[-1])


def _check_text(data: bytes, whose: str) -> None:
    for magic, (what, mend) in _FOREIGN.items():
        if data.startswith(magic):
            raise PlanError(whose, what, mend)
    if b"\0" in data[: 8 * _CHUNK]:
        raise PlanError(whose, "holds binary data, not text", "Save the table as CSV UTF-8 or as Parquet")
    text = data.removeprefix(codecs.BOM_UTF8)
    if not text or text.isspace():
        raise PlanError(whose, "the file is empty", "Write a header line and rows")
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(data), _CHUNK):
        try:
            decoder.decode(data[start : start + _CHUNK], final=start + _CHUNK >= len(data))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, start + error.start) + 1
            raise PlanError(f"{whose}: line {line}", "is not UTF-8 text", "Save the file as CSV UTF-8") from error


def _header(data: bytes, whose: str) -> tuple[tuple[str, ...], int]:
    """Column names without outer blanks, and the number of lines they take."""
    reader = _reader(data)
    try:
        names = next(tuple(name.strip() for name in record) for record in reader if record)
    except csv.Error as error:
        raise PlanError(f"{whose}: header", f"cannot be parsed ({error})", "Look at the quotes of line 1") from error
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(names) == 1 and separator in names[0]:
            raise PlanError(
                f"{whose}: header {shown(names[0])}",
                f"is one column: the file is separated by {word}",
                "Save it with commas between columns and points in decimal numbers",
            )
    return names, reader.line_num


def _check_quotes(data: bytes, whose: str) -> None:
    """Refuse a quote that is never closed: a parser takes all that follows for one value."""
    if data.count(b'"') % 2 == 0:
        return
    started = 1
    reader = _reader(data, strict=True)
    try:
        for _ in reader:
            started = reader.line_num + 1
    except csv.Error as error:
        raise PlanError(
            f"{whose}: line {started}",
            f"has a quote that is not closed or not doubled ({error})",
            'Close it, or write "" for a quote inside a value',
        ) from error


def _columns(data: bytes, names: Sequence[str], header_lines: int, wanted: Sequence[str], whose: str) -> pa.Table:
    ragged: list[Any] = []

    def note(row: Any) -> str:
        ragged.append(row)
        return "skip"

    text = pa.large_string()
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(data),
            pa.csv.ReadOptions(
                use_threads=False,
                block_size=min(len(data) + 1, 64 * _CHUNK),
                column_names=list(names),
                skip_rows=header_lines,
            ),
            pa.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            pa.csv.ConvertOptions(column_types=dict.fromkeys(wanted, text), include_columns=list(wanted)),
        )
    except pa.ArrowInvalid as error:
        if "Could not skip" in str(error):
            return pa.table({name: pa.array([], text) for name in wanted})
        raise PlanError(whose, f"cannot be parsed as CSV ({error})", "Look at the rows it names") from error
    if ragged:
        raise _ragged(data, len(names), ragged[0], whose)
    return table


def _ragged(data: bytes, expected: int, row: Any, whose: str) -> PlanError:
    where, found = f"row {row.number}", row.actual_columns
    for started, record in _records(data):
        if len(record) != expected:
            where, found = f"line {started}", len(record)
            break
    return PlanError(
        f"{whose}: {where}",
        f"has {plural(found, 'value')}, and the header names {plural(expected, 'column')}",
        "Complete the row, or put values that hold commas into quotes",
    )


def _line_numbers(data: bytes, rows: Sequence[int]) -> list[int]:
    """Line on which each row begins, counting from 1; rows count from 0 after the header, without blank lines."""
    wanted, last, lines = set(rows), max(rows), []
    for row, (line, _) in enumerate(_records(data), start=-1):
        if row in wanted:
            lines.append(line)
        if row == last:
            break
    return lines


def _records(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Every record that is not blank, with the line on which it begins; ends early at a value past csv's size limit."""
    reader, started = _reader(data), 1
    with contextlib.suppress(csv.Error):
        for record in reader:
            if record:
                yield started, record
            started = reader.line_num + 1


def _reader(data: bytes, strict: bool = False) -> Any:
    return csv.reader(io.TextIOWrapper(io.BytesIO(data), "utf-8-sig", newline=""), strict=strict)
