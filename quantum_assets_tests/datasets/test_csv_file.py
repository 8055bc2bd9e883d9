"""CSV as people really save it: byte order marks, semicolons, quotes, ragged rows; errors name the line."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.columns import assemble
from quantum_assets.datasets.csv_file import fetch, parse
from quantum_assets_tests.datasets.tables_of_files import GOOD_CSV, load_csv, refusal, some_examples

SOURCE = DataSource(path="t.csv", label="y")
PIECES = ("a", "b", "y", "x", ",", ";", '"', '""', "1", "2.5", "NaN", "inf", "1e999", "true", "é", "\ufeff", " ", "\0")
LINES = ("\n", "\r\n", "\r", "\n\n", "1,2,x\n", "3,4,z\n", "a,b,y\n")
FRAGMENTS = st.lists(st.sampled_from(PIECES + LINES), max_size=25).map("".join)


@pytest.mark.parametrize(
    "text",
    [
        GOOD_CSV,
        "\ufeff" + GOOD_CSV,
        GOOD_CSV.replace("\n", "\r\n"),
        GOOD_CSV.replace("\n", "\r"),
        GOOD_CSV.removesuffix("\n"),
        GOOD_CSV.replace(",", " , "),
        GOOD_CSV.replace("\n", "\n\n"),
        GOOD_CSV.replace("4.5", '"4.5"').replace("x", '"x"'),
    ],
)
def test_the_same_table_in_other_clothes(text: str, tmp_path: Path) -> None:
    assert load_csv(tmp_path, text).fingerprint == load_csv(tmp_path, GOOD_CSV).fingerprint


@pytest.mark.parametrize(
    ("content", "culprit", "problem"),
    [
        (b"", "", "the file is empty (0 bytes)"),
        (b"\xef\xbb\xbf \n", "", "the file is empty"),
        (b"a,b,y\n", "", "has a header and no rows"),
        (b"a,b,y", "", "has a header and no rows"),
        (b"a,b,y\n\n\n", "", "has a header and no rows"),
        (b"\x01\x00\x02", "", "holds binary data, not text"),
        (b"PAR1....", "", "is a Parquet file"),
        (b"PK\x03\x04..", "", "is a zip archive or an Excel workbook"),
        (b"\x1f\x8b..", "", "is gzip-compressed"),
        ("a,b,y\n".encode("utf-16"), "", "is UTF-16 text"),
        (b"a,b,y\n1,2,x\n3,4,caf\xe9\n", ": line 3", "is not UTF-8 text"),
        (b"a;b;y\n1,5;2;x\n", ": header 'a;b;y'", "is one column: the file is separated by semicolons"),
        (b"a\ty\n1\tx\n", r": header 'a\ty'", "is one column: the file is separated by tabs"),
        (b"a,b,a,y\n1,2,3,x\n", ": column 'a'", "is named 2 times in the header (columns 1, 3)"),
        (b"a,b, a ,y\n1,2,3,x\n", ": column 'a'", "is named 2 times in the header (columns 1, 3)"),
        (b"a,b,y\n1,2,x\n\n3,4,5,z\n", ": line 4", "has 4 values, and the header names 3 columns"),
        (b'a,b,y\n1,"2\n2",x\n3\n', ": line 4", "has 1 value, and the header names 3 columns"),
        (
            b'a,b,y\n1,2,x\n1,"2,x\n3,4,z\n',
            ": line 3",
            "has a quote that is not closed or not doubled (unexpected end of data)",
        ),
    ],
)
def test_refusals_name_line_and_mend(content: bytes, culprit: str, problem: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, content)
    assert (error.culprit, error.problem) == (f"wine: t.csv{culprit}", problem)
    assert len(error.mend) > 5


def test_a_column_without_name_is_an_index_that_was_saved(tmp_path: Path) -> None:
    error = refusal(tmp_path, ",a,y\n0,5,x\n1,6,z\n")
    assert error.culprit == "wine: t.csv: column 1"
    assert error.mend == "Save the table without its index, or name the column and say sample_id: <that name>"


def test_endless_values_are_refused_without_line_numbers(tmp_path: Path) -> None:
    huge = "h" * 200_000
    assert "cannot be parsed (field larger than field limit" in refusal(tmp_path, f'"{huge}",y\n1,x\n').problem
    in_a_row = refusal(tmp_path, f"note,b,y\n{huge},1,x\nn,two,z\nn,3,x\n")
    assert in_a_row.problem == "row 1 (counted from 0) holds 'two', which is not a number"
    assert refusal(tmp_path, f"note,b,y\n{huge},1,x\nn,z\n").culprit == "wine: t.csv: row 3"


def test_inch_marks_are_not_open_quotes(tmp_path: Path) -> None:
    assert load_csv(tmp_path, 'a,b,y\n1,5" pipe,x\n2,6" pipe,z\n3,7" pipe,x\n').features.tolist() == [[1], [2], [3]]


def test_long_files_keep_their_line_numbers(tmp_path: Path) -> None:
    rows = [f"{i % 7},{i % 5},{'xz'[i % 2]}\n" for i in range(60_000)]
    rows[54_321] = "1,forty,x\n"
    error = refusal(tmp_path, "a,b,y\n" + "".join(rows))
    assert error.problem == "line 54323 holds 'forty', which is not a number"


@some_examples
@given(
    st.lists(st.tuples(st.text(st.sampled_from('ab\n",'), max_size=6), st.booleans()), min_size=1, max_size=12),
    st.data(),
)
def test_errors_name_the_line_on_which_the_row_begins(rows: list[tuple[str, bool]], data: st.DataObject) -> None:
    bad = data.draw(st.integers(0, len(rows) - 1))
    stream, lines = io.StringIO(newline=""), []
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["note", "v", "y"])
    for number, (note, blank) in enumerate(rows):
        if blank:
            stream.write("\n")
        lines.append(stream.getvalue().count("\n") + 1)
        writer.writerow([note, "oops" if number == bad else str(number), "x"])
    source = DataSource(path="t.csv", label="y", features=("v",))
    content = parse(stream.getvalue().encode(), source, "s: t.csv")
    with pytest.raises(PlanError, match=f"line {lines[bad]} holds 'oops', which is not a number"):
        assemble(content, source, "t.csv", "s: t.csv")


@some_examples
@given(FRAGMENTS, st.booleans(), st.binary(max_size=1))
def test_any_bytes_give_a_table_or_one_clear_error(text: str, with_head: bool, tail: bytes) -> None:
    data = ("a,b,y\n1,2,x\n2,3,z\n" if with_head else "").encode() + text.encode() + tail
    try:
        content = parse(data, SOURCE, "s: t.csv")
        raw = assemble(content, SOURCE, "t.csv", "s: t.csv")
    except PlanError as error:
        assert error.culprit.startswith("s: t.csv")  # noqa: PT017 - either way is right; the error must be ours
    else:
        assert len(raw.features) == len(raw.labels) == len(raw.sample_ids)


@some_examples
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=8), min_size=1, max_size=20))
def test_fetch_counts_the_rows_that_csv_writes(values: list[str]) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([["v"], *([value] for value in values)])
    data = stream.getvalue().encode()
    assert fetch(io.BytesIO(data), None) == (data, len(values))
    assert fetch(io.BytesIO(data), len(values) - 1) == (b"", len(values))


def test_fetch_counts_across_chunks() -> None:
    data = b"v\n" + b'"a\nb",1\n' * 400_000
    kept, rows = fetch(io.BytesIO(data), None)
    assert rows == 400_000
    assert kept == data
