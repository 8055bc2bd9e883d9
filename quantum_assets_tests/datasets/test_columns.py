"""Which columns become features, what is a number, what is missing; and numbers keep every bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import DataSource
from quantum_assets.datasets.columns import assemble
from quantum_assets.datasets.csv_file import parse
from quantum_assets_tests.datasets.tables_of_files import GOOD_CSV, load_csv, refusal, some_examples

TEN = range(10)


@pytest.mark.parametrize(
    ("fields", "culprit", "mend"),
    [
        ({"label": "Y"}, "column 'Y'", "Write 'y', or another of 'a', 'b', 'y'"),
        ({"label": "target"}, "column 'target'", "Write one of 'a', 'b', 'y'"),
        ({"features": ("a", "bb")}, "column 'bb'", "Write 'b', or another of 'a', 'b', 'y'"),
        ({"group": "patient"}, "column 'patient'", "Write one of 'a', 'b', 'y'"),
        ({"sample_id": "id"}, "column 'id'", "Write one of 'a', 'b', 'y'"),
    ],
)
def test_missing_columns_list_the_near_names(fields: dict[str, Any], culprit: str, mend: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, GOOD_CSV, **fields)
    assert error.culprit == f"wine: t.csv: {culprit}"
    assert error.problem.startswith("is not in the file, and source.")
    assert error.mend == mend


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("forty", "line 3 holds 'forty', which is not a number"),
        ('"1,5"', "line 3 holds '1,5', which is not a number"),
        ("1_0", "line 3 holds '1_0', which is not a number"),
        ("0x10", "line 3 holds '0x10', which is not a number"),
        ("", "1 value missing (empty or NaN) (line 3)"),
        (" NA ", "1 value missing (empty or NaN) (line 3)"),
        ("nan", "1 value missing (empty or NaN) (line 3)"),
        ("-inf", "1 value infinite (line 3)"),
        ("1e999", "1 value infinite (line 3)"),
    ],
)
def test_values_that_are_no_finite_numbers(value: str, problem: str, tmp_path: Path) -> None:
    error = refusal(tmp_path, GOOD_CSV.replace("4.5", value))
    assert error.culprit == "wine: t.csv: column 'b'"
    assert error.problem == problem


def test_several_bad_values_are_counted(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a,b,y\n" + "1,x,p\n" * 2 + "1,2,q\n" * 3)
    assert error.problem == "line 2 holds 'x', which is not a number (2 such values in all)"
    missing = refusal(tmp_path, "a,b,y\n" + "1,,p\n,,q\n" * 5)
    assert missing.problem == "5 values missing (empty or NaN) (lines 3, 5, 7, 9, 11); also in 'b' (10)"


def test_text_columns_are_left_out_unless_they_are_listed(tmp_path: Path) -> None:
    text = "city,day,a,y\nRome,2024-01-02,1,x\nOslo,2024-01-03,2,z\n"
    assert load_csv(tmp_path, text).feature_names == ("a",)
    error = refusal(tmp_path, text, features=("a", "city"))
    assert error.culprit == "wine: t.csv: column 'city'"
    assert error.problem == "line 2 holds 'Rome', which is not a number (2 such values in all)"
    only_text = refusal(tmp_path, "city,y\nRome,x\nOslo,z\n")
    assert only_text.problem == "has no numeric column beside 'y'"


def test_features_keep_the_order_of_the_list(tmp_path: Path) -> None:
    dataset = load_csv(tmp_path, GOOD_CSV, features=("b", "a"))
    assert dataset.feature_names == ("b", "a")
    assert dataset.features[0].tolist() == [2, 1]


def test_true_and_false_are_one_and_zero(tmp_path: Path) -> None:
    assert load_csv(tmp_path, "a,y\nTrue,x\nfalse,z\n").features.tolist() == [[1], [0]]


@pytest.mark.parametrize(("role", "word"), [("label", "label"), ("group", "group"), ("sample_id", "id")])
def test_missing_names_are_refused(role: str, word: str, tmp_path: Path) -> None:
    content = "k,a,y\np,1,x\n ,2,z\nNA,3,x\n"
    fields = {role: "k", **({"features": ("a",)} if role == "label" else {})}
    error = refusal(tmp_path, content, **fields)
    assert error.culprit == f"wine: t.csv: {word} column 'k'"
    assert error.problem == "2 values missing (lines 3, 4)"


def test_none_is_a_class_name(tmp_path: Path) -> None:
    assert load_csv(tmp_path, "a,y\n1,None\n2,Mild\n").class_names == ("Mild", "None")


def test_whole_numbers_with_decimals_are_one_class_name(tmp_path: Path) -> None:
    assert load_csv(tmp_path, "a,y\n1,1.0\n2,2\n3,1\n4,2.00\n").class_names == ("1", "2")


def test_leading_zeros_of_ids_stay(tmp_path: Path) -> None:
    assert load_csv(tmp_path, "k,a,y\n007,1,x\n7,2,z\n", sample_id="k").sample_ids == ("7", "007")


def test_a_row_counter_is_not_a_feature_by_default(tmp_path: Path) -> None:
    content = "id,a,y\n" + "".join(f"{i + 1},{i % 3},{'xz'[i % 2]}\n" for i in TEN)
    error = refusal(tmp_path, content)
    assert error.culprit == "wine: t.csv: column 'id'"
    assert error.problem == "counts the rows and would become a feature"
    assert load_csv(tmp_path, content, sample_id="id").feature_names == ("a",)
    assert load_csv(tmp_path, content, features=("id", "a")).feature_names == ("id", "a")


def test_the_label_under_another_name_is_not_a_feature_by_default(tmp_path: Path) -> None:
    content = "code,a,y\n" + "".join(f"{5 if i % 2 else 3},{i % 3},{'xz'[i % 2]}\n" for i in TEN)
    error = refusal(tmp_path, content)
    assert error.culprit == "wine: t.csv: column 'code'"
    assert error.problem == "is the label under another name and would become a feature"
    assert load_csv(tmp_path, content, features=("code", "a")).n_samples == 10


def test_hostile_header_and_values_stay_short_and_escaped(tmp_path: Path) -> None:
    error = refusal(tmp_path, f'"{"h" * 3000}\n",y\n{"v" * 3000},x\n', features=("h" * 3000,))
    assert len(str(error)) < 400
    assert "\n" not in str(error)


@some_examples
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_numbers_keep_every_bit(values: list[float]) -> None:
    source = DataSource(path="t.csv", label="y", features=("v",))
    text = "v,y\n" + "".join(f"{value!r},x\n" for value in values)
    raw = assemble(parse(text.encode(), source, "s"), source, "t.csv", "s")
    np.testing.assert_array_equal(raw.features[:, 0], values)
    np.testing.assert_array_equal(np.signbit(raw.features[:, 0]), np.signbit(values))


@some_examples
@given(st.from_regex(r"[+-]?([0-9]{0,4}\.?[0-9]{0,4})([eE][+-]?[0-9]{1,3})?", fullmatch=True).filter(bool))
def test_a_number_is_what_python_takes_for_one(text: str) -> None:
    source = DataSource(path="t.csv", label="y", features=("v",))
    content = parse(f"v,y\n{text},x\n".encode(), source, "s")
    try:
        number = float(text)
    except ValueError:
        with pytest.raises(PlanError, match="which is not a number"):
            assemble(content, source, "t.csv", "s")
    else:
        assert assemble(content, source, "t.csv", "s").features[0, 0] == number
