"""Files of coordinates: the same polynomial in CSV and Parquet, and every fault by file, line and value."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.qubo_file import read
from quantum_assets_tests.problems.laws import all_rows, check_laws

TEXT = "i,j,value\n0,0,-1.5\n0,2,2\n1,2,-3\n,,0.25\n"
ROWS = all_rows(3)


def csv(tmp_path: Path, text: str, name: str = "mine.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode())
    return path


def test_a_qubo(tmp_path: Path) -> None:
    problem = read(csv(tmp_path, TEXT), "qubo", unit="euro")
    x = ROWS.astype(float)
    expected = -1.5 * x[:, 0] + 2 * x[:, 0] * x[:, 2] - 3 * x[:, 1] * x[:, 2] + 0.25
    assert (problem.objective(ROWS) == expected).all()
    assert (problem.name, problem.sense, problem.unit) == ("mine", "minimise", "euro")
    check_laws(problem)


def test_an_ising_polynomial_with_its_field(tmp_path: Path) -> None:
    problem = read(csv(tmp_path, TEXT), "ising", "maximise")
    z = 1.0 - 2.0 * ROWS
    expected = -1.5 * z[:, 0] + 2 * z[:, 0] * z[:, 2] - 3 * z[:, 1] * z[:, 2] + 0.25
    assert (problem.objective(ROWS) == expected).all()
    check_laws(problem)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\n\n"),
        TEXT.replace(",", " , "),
        TEXT.replace("0,2,2", "2,0,2"),
        TEXT.replace("1,2,-3", "1.0,2.0,-3.0"),
        "value,note,j,i\n-1.5,,0,0\n2,a,2,0\n-3,b,2,1\n0.25,c,,\n",
    ],
)
def test_the_same_file_in_other_clothes(text: str, tmp_path: Path) -> None:
    assert read(csv(tmp_path, text), "qubo").fingerprint == read(csv(tmp_path, TEXT, "first.csv"), "qubo").fingerprint


@pytest.mark.parametrize("engine", ["pandas", "whole", "text"])
def test_parquet_says_the_same(engine: str, tmp_path: Path) -> None:
    table = pd.read_csv(csv(tmp_path, TEXT))  # floats: the constant's indices are NaN
    if engine == "whole":
        table = table.astype({"i": "Int64", "j": "Int64"})
    elif engine == "text":
        table = pd.read_csv(csv(tmp_path, TEXT), dtype=str, keep_default_na=False)
    table.to_parquet(tmp_path / "mine.parquet")
    assert read(tmp_path / "mine.parquet", "qubo").fingerprint == read(tmp_path / "mine.csv", "qubo").fingerprint


def test_a_symmetric_matrix_is_summed_when_told_so(tmp_path: Path) -> None:
    path = csv(tmp_path, "i,j,value\n0,1,2\n1,0,2\n0,0,1\n0,0,1\n")
    assert read(path, "qubo", duplicates="sum").objective(np.array([1, 1], dtype=np.uint8))[0] == 6
    with pytest.raises(PlanError, match=r"mine.csv: line 3: gives the pair 0, 1 again, after line 2"):
        read(path, "qubo")


def test_variables_without_weight_are_stated(tmp_path: Path) -> None:
    path = csv(tmp_path, "i,j,value\n1,2,1\n")
    with pytest.raises(PlanError, match=r"names variable 2 and never variable 0\. Number variables from 0"):
        read(path, "qubo")
    assert len(read(path, "qubo", n_variables=5).variables) == 5


def test_a_binary_file_knows_its_variables(tmp_path: Path) -> None:
    import dimod

    path = tmp_path / "mine.bqm"
    with dimod.BinaryQuadraticModel({0: -1.5, 1: 0.5}, {(0, 1): 2.0}, "SPIN").to_file() as file:
        path.write_bytes(file.read())
    assert len(read(path, n_variables=2).variables) == 2
    with pytest.raises(PlanError, match=r"mine\.bqm: n_variables: is 5, and the file says 2"):
        read(path, n_variables=5)


@pytest.mark.parametrize(
    ("text", "culprit", "problem"),
    [
        ("", "mine.csv", "the file is empty"),
        (" \n\n", "mine.csv", "the file is empty"),
        ("i,j,value\n", "mine.csv", "has no rows"),
        ("i,j\n0,1\n", "mine.csv: column 'value'", "is missing among 'i', 'j'"),
        ("0,1,2\n", "mine.csv: column 'i'", "is missing among '0', '1', '2'"),
        ("i,i,j,value\n0,0,1,2\n", "mine.csv: column 'i'", "is named 2 times among"),
        ("i;j;value\n0;1;2\n", "mine.csv: column 'i'", "is missing among 'i;j;value'"),
        ("i,j,value\n0,1\n", "mine.csv: line 2", "has 2 values, and the header names 3 columns"),
        ("i,j,value\n0,1,2\n\n0,-1,2\n", "mine.csv: line 4, column 'j'", "the index -1 is not 0 or more"),
        ("i,j,value\n0.5,1,2\n", "mine.csv: line 2, column 'i'", "'0.5' is not a whole number"),
        ("i,j,value\na,1,2\n", "mine.csv: line 2, column 'i'", "'a' is not a whole number"),
        ("i,j,value\n1_0,1,2\n", "mine.csv: line 2, column 'i'", "'1_0' is not a whole number"),
        ("i,j,value\n0,inf,2\n", "mine.csv: line 2, column 'j'", "'inf' is not a whole number"),
        ("i,j,value\n0,,2\n", "mine.csv: line 2, column 'j'", "is blank"),
        ("i,j,value\n0,1,nan\n", "mine.csv: line 2, column 'value'", "is nan"),
        ("i,j,value\n0,1,-inf\n", "mine.csv: line 2, column 'value'", "is -inf"),
        ("i,j,value\n0,1,1e999\n", "mine.csv: line 2, column 'value'", "is inf"),
        ("i,j,value\n0,1,two\n", "mine.csv: line 2, column 'value'", "'two' is not a number"),
        ("i,j,value\n0,1,\n", "mine.csv: line 2, column 'value'", "'' is not a number"),
        ("i,j,value\n0,1,2\n0,1,2\n", "mine.csv: line 3", "gives the pair 0, 1 again, after line 2"),
        ("i,j,value\n0,0,2\n0,0,2\n", "mine.csv: line 3", "gives variable 0 again, after line 2"),
        ("i,j,value\n0,0,2\n,,2\n,,2\n", "mine.csv: line 4", "gives the constant again, after line 3"),
        ("i,j,value\n0,10000,2\n", "mine.csv: line 2, column 'j'", "the index 10000 makes more than 10,000 variables"),
        ("i,j,value\n0,2,1\n", "mine.csv", "names variable 2 and never variable 1"),
        ("i,j,value\n,,2\n", "qubo_file mine", "does not depend on any variable"),
        ("i,j,value\n0,1,0\n", "qubo_file mine", "does not depend on any variable"),
    ],
)
def test_faults_name_file_line_and_value(text: str, culprit: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(PlanError) as caught:
        read(csv(tmp_path, text), "qubo")
    assert caught.value.culprit == culprit
    assert problem in caught.value.problem


def test_the_stated_number_of_variables_bounds_indices(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"line 3, column 'j': the index 2 is not in 0 … 1"):
        read(csv(tmp_path, TEXT), "qubo", n_variables=2)
    with pytest.raises(PlanError, match="the index 2 makes more than 2 variables"):
        read(csv(tmp_path, TEXT), "qubo", max_variables=2)
    for n in (0, -1, 11):
        with pytest.raises(PlanError, match=f"mine.csv: n_variables: is {n}. Choose 1 … 10"):
            read(csv(tmp_path, TEXT), "qubo", n_variables=n, max_variables=10)


@pytest.mark.parametrize(
    ("table", "culprit", "problem"),
    [
        (
            {"i": [0, 0.5], "j": [1, 2], "value": [1.0, 1.0]},
            "t.parquet: row 2, column 'i'",
            "0.5 is not a whole number",
        ),
        ({"i": [0], "j": [1], "value": [np.inf]}, "t.parquet: row 1, column 'value'", "is inf"),
        ({"i": [0], "j": [1], "value": [np.nan]}, "t.parquet: row 1, column 'value'", "None is not a number"),
        ({"i": [True], "j": [1], "value": [1.0]}, "t.parquet: row 1, column 'i'", "True is not a whole number"),
        ({"i": [0], "j": [1]}, "t.parquet: column 'value'", "is missing among 'i', 'j'"),
        ({"i": [], "j": [], "value": []}, "t.parquet", "has no rows"),
    ],
)
def test_faults_of_parquet_files(table: dict, culprit: str, problem: str, tmp_path: Path) -> None:
    pd.DataFrame(table).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(PlanError) as caught:
        read(tmp_path / "t.parquet", "ising")
    assert caught.value.culprit == culprit
    assert problem in caught.value.problem


def test_other_faults(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"absent.csv: cannot be read \(No such file"):
        read(tmp_path / "absent.csv", "qubo")
    with pytest.raises(PlanError, match=r"mine\.txt: is of no format that is known. Save it as one of \.csv"):
        read(csv(tmp_path, TEXT, "mine.txt"), "qubo")
    with pytest.raises(PlanError, match=r"mine\.parquet: is not a readable Parquet file"):
        read(csv(tmp_path, TEXT, "mine.parquet"), "qubo")
    with pytest.raises(PlanError, match=r"mine\.csv: form: is 'bqm'"):
        read(csv(tmp_path, TEXT), "bqm")
    with pytest.raises(PlanError, match=r"mine\.csv: duplicates: is 'last'"):
        read(csv(tmp_path, TEXT), "qubo", duplicates="last")
    (tmp_path / "latin.csv").write_bytes(b"i,j,value,note\n0,1,2,caf\xe9\n")
    with pytest.raises(PlanError, match=r"latin.csv: line 2: is not UTF-8 text"):
        read(tmp_path / "latin.csv", "qubo")
    with pytest.raises(PlanError, match=r"mine.csv: line 2: is not CSV"):
        read(csv(tmp_path, "i,j,value\n0,1," + "1" * 200_000 + "\n"), "qubo")


def test_a_file_of_dimods_text_format(tmp_path: Path) -> None:
    """dimod's own writer, of a model without constant: its text has none."""
    import dimod
    from dimod.serialization import coo

    model = dimod.BinaryQuadraticModel({0: -1.5, 1: 0.5, 2: 0.0}, {(0, 2): 2.0, (1, 2): -3.0}, "SPIN")
    problem = read(csv(tmp_path, coo.dumps(model, vartype_header=True), "mine.coo"))
    z = 1.0 - 2.0 * ROWS
    assert (
        problem.objective(ROWS) == -1.5 * z[:, 0] + 0.5 * z[:, 1] + 2 * z[:, 0] * z[:, 2] - 3 * z[:, 1] * z[:, 2]
    ).all()
    bare = csv(tmp_path, coo.dumps(model), "bare.coo")
    assert read(bare, "ising").fingerprint == problem.fingerprint
    assert read(bare).fingerprint == read(bare, "qubo").fingerprint != problem.fingerprint


def test_a_file_of_dimods_binary_format(tmp_path: Path) -> None:
    import dimod

    model = dimod.BinaryQuadraticModel({0: -1.5, 1: 0.0, 2: 0.0}, {(0, 2): 2.0, (1, 2): -3.0}, 0.25, "BINARY")
    path = tmp_path / "first.bqm"
    with model.to_file() as file:
        path.write_bytes(file.read())
    assert read(path, unit="euro").fingerprint == read(csv(tmp_path, TEXT, "first.csv")).fingerprint
    assert (read(path).name, read(path, sense="maximise").sense) == ("first", "maximise")
    with pytest.raises(PlanError, match=r"first\.bqm: form: is ising, and the file says qubo"):
        read(path, "ising")
    with pytest.raises(PlanError, match="3 variables"):
        read(path, max_variables=2)


def test_a_text_that_says_otherwise(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="form: is qubo, and the file says ising"):
        read(csv(tmp_path, "# vartype=SPIN\n0 1 1\n", "a.coo"), "qubo")
