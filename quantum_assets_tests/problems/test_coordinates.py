"""Rows of files of coordinates; CSV and Parquet are tested where their rows become a problem, in `test_qubo_file`."""

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.coordinates import rows, stated_form


def test_coo_has_three_words_a_line() -> None:
    text = b"# a comment\n\n0 0 -1.5\n  0\t2  2e-3 \n"
    assert list(rows("a.coo", ".coo", text)) == [
        ("line 3", {"i": "0", "j": "0", "value": "-1.5"}),
        ("line 4", {"i": "0", "j": "2", "value": "2e-3"}),
    ]


def test_the_other_formats_name_their_columns() -> None:
    expected = [("line 2", {"i": "0", "j": "1", "value": "2"})]
    assert list(rows("a.csv", ".csv", b"i,j,value\n0,1,2\n")) == expected


@pytest.mark.parametrize(
    ("suffix", "data", "told"),
    [
        (".coo", b" \n", "a: the file is empty"),
        (".coo", b"0 1 2\n0 1\n", "a: line 2: has 2 words"),
        (".coo", b"0 1 2 3\n", "a: line 1: has 4 words"),
        (".coo", b"0 1 2\n\xff\n", "a: line 2: is not UTF-8"),
        (".csv", b"i,j\n0,1\n", "a: column 'value': is missing"),
    ],
)
def test_faults_name_their_line(suffix: str, data: bytes, told: str) -> None:
    with pytest.raises(PlanError, match=told):
        list(rows("a", suffix, data))


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (b"0 1 2\n", None),
        (b"# vartype=BINARY\n0 1 2\n", "qubo"),
        (b"0 1 2\n  # made by us, vartype: SPIN\n", "ising"),
        (b"# vartype=SPIN\n# vartype=SPIN\n", "ising"),
    ],
)
def test_comments_say_what_values_weigh(text: bytes, form: str | None) -> None:
    assert stated_form("a.coo", text) == form


@pytest.mark.parametrize("text", [b"# vartype=INTEGER\n", b"# vartype=SPIN\n# vartype=BINARY\n"])
def test_a_vartype_that_cannot_be_meant(text: bytes) -> None:
    with pytest.raises(PlanError, match=r"a\.coo: vartype"):
        stated_form("a.coo", text)
