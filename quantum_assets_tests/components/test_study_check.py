"""A look at a defs folder finds every mistake, in YAML and in data, and names the study of each."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from quantum_assets.components.optimization_study import OptimizationStudy
from quantum_assets.components.study_check import check_studies, explained, repeated_names
from quantum_assets.contracts.errors import PlanError
from quantum_assets_tests.components import small, small_optimization
from quantum_assets_tests.components.small import ATTRIBUTES, write_rows
from quantum_assets_tests.components.small_optimization import PETERSEN, STOCKS

KERNEL, OPTIMIZATION = "quantum_assets.components.KernelStudy", "quantum_assets.components.OptimizationStudy"
#: A complete graph of eight variables that pull in all directions.
_WEIGHTS = "".join(f"{i},{j},{(7 * i + 5 * j * j) % 11 - 5.5}\n" for i in range(8) for j in range(i + 1, 8))
QUBO = {"problem": {"kind": "qubo_file", "path": "my.csv"}, "profiles": ["ideal"]}


def _decides(defs: Path, folder: str, **changes: Any) -> Path:
    """Write an optimisation study."""
    return _write(defs / folder, {"type": OPTIMIZATION, "attributes": PETERSEN | changes})


def _asks(defs: Path, folder: str, **changes: Any) -> Path:
    """Write a kernel study and its rows."""
    study = _write(defs / folder, {"type": KERNEL, "attributes": ATTRIBUTES | changes})
    write_rows(study / "rows.csv")
    return study


def _write(study: Path, document: dict[str, Any]) -> Path:
    study.mkdir(parents=True, exist_ok=True)
    (study.parent / "profiles.yaml").write_text(yaml.safe_dump(small.PROFILES | small_optimization.PROFILES))
    (study / "defs.yaml").write_text(yaml.safe_dump(document))
    return study


def _told(defs: Path, *names: str, data: bool = True) -> list[str]:
    return [str(one) for one in check_studies(defs, names, data=data).mistakes]


def test_studies_without_a_mistake(tmp_path: Path) -> None:
    _asks(tmp_path, "mine")
    _decides(tmp_path, "cut")
    found = check_studies(tmp_path)
    assert found.mistakes == ()
    assert found.studies == (("cut", tmp_path / "cut"), ("mine", tmp_path / "mine"))


def test_every_file_of_a_kind_is_looked_at_and_every_mistake_told(tmp_path: Path) -> None:
    """`dg check defs` looks at one file of a kind."""
    _asks(tmp_path, "a", protocol={"outer_fold": 2})
    _asks(tmp_path, "b", protocol={"outer_folds": -5})
    _asks(tmp_path, "c")
    told = _told(tmp_path)
    assert [one.split(". ")[0] for one in told] == [
        "study a: protocol.outer_fold: is no field",
        "study b: protocol.outer_folds: is -5",
    ]
    assert "(a/defs.yaml:" in told[0]
    line = int(told[0].rsplit(":", 1)[1].rstrip(")."))
    assert "outer_fold:" in (tmp_path / "a" / "defs.yaml").read_text().splitlines()[line - 1]


def test_only_the_studies_asked_for(tmp_path: Path) -> None:
    _asks(tmp_path, "a", protocol={"outer_fold": 2})
    _asks(tmp_path, "b", name="bee")
    assert check_studies(tmp_path, ["bee"]).mistakes == ()
    assert check_studies(tmp_path, ["b"]).studies == (("bee", tmp_path / "b"),)
    with pytest.raises(PlanError, match=r"study be: is not defined\. Did you mean bee"):
        check_studies(tmp_path, ["be"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"profiles": ["ideel"]}, "study mine: profiles: ideel is not defined. Choose from "),
        ({"baselines": ["svm"]}, "study mine: baselines: svm is unknown"),
        ({"source": {"path": "gone.csv", "label": "y"}}, "study mine: gone.csv: there is no file"),
        ({"source": {"path": "rows.csv", "label": "z"}}, "study mine: rows.csv: column 'z': is not in the file"),
        ({"preparation": {"qubits": 4}}, "study mine: preparation.qubits: pca cannot make 4 columns from 3"),
        ({"protocol": {"outer_folds": 20, "inner_folds": 20}}, "study mine: "),
    ],
)
def test_what_only_profiles_registries_and_data_can_judge(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    _asks(tmp_path, "mine", **change)
    found = _told(tmp_path)
    assert [one[: len(told)] for one in found] == [told]


def test_data_may_be_left_alone(tmp_path: Path) -> None:
    _asks(tmp_path, "mine", source={"path": "rows.csv", "label": "z"})
    assert _told(tmp_path, data=False) == []


@pytest.mark.parametrize(
    ("rows", "change", "told"),
    [
        ("i,j,value\n0,1,2\n", {}, ""),
        ("i,j\n0,1\n", {}, "study mine: my.csv: "),
        (None, {}, "study mine: problem.path: my.csv is not in mine"),
        (
            "i,j,value\n" + _WEIGHTS,
            {"quantum": {"most_variables": 4}},
            "study mine: qubo_file my: has 8 variables, and exact elimination leaves ",
        ),
        ("i,j,value\n0,1,2\n", {"problem": {"kind": "max_cut", "graph": "karat"}}, "study mine: "),
    ],
    ids=["good", "header", "gone", "wide", "graph"],
)
def test_the_file_of_a_problem(tmp_path: Path, rows: str | None, change: dict[str, Any], told: str) -> None:
    folder = _decides(tmp_path, "mine", **QUBO | change)
    if rows is not None:
        (folder / "my.csv").write_text(rows)
    assert [one[: len(told)] for one in _told(tmp_path)] == ([told] if told else [])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, ""),
        (
            {"problem": {"kind": "portfolio", "choose": 1, "tickers": ["AAPL", "APPL"]}},
            "study mine: ticker 'APPL': has no",
        ),
        ({"periods": {"first": "1980-01", "last": "2020-02"}}, "study mine: period 1980-01: lies outside the data"),
        ({"periods": {"first": "2020-01", "last": "2035-02"}}, "study mine: period 2035-02: lies outside the data"),
    ],
)
def test_the_months_and_assets_of_a_portfolio(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    _decides(tmp_path, "mine", **STOCKS | change)
    assert [one[: len(told)] for one in _told(tmp_path)] == ([told] if told else [])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "study mine: its file states no study. Write type: and attributes:."),
        (
            "type: quantum_assets.components.KernelStdy\n",
            "study mine: type: is 'quantum_assets.components.KernelStdy'. Did",
        ),
        ("attributes: {}\n", "study mine: type: is missing. "),
        (f"type: {KERNEL}\natributes: {{}}\n", "study mine: atributes: is no field. Did you mean attributes?"),
        (f"type: {KERNEL}\nattributes: 3\n", "study mine: attributes: is no section"),
        (f"type: {KERNEL}\n", "study mine: source: is missing. Write it"),
        ("type: [\n", "study mine: defs.yaml: is not YAML: line 2"),
        (
            f"type: {KERNEL}\nattributes: {{api_token: abcdef}}\n",
            "study mine: attributes.api_token: looks like a credential",
        ),
    ],
)
def test_the_outline_of_a_file(tmp_path: Path, text: str, told: str) -> None:
    (_decides(tmp_path, "mine") / "defs.yaml").write_text(text)
    assert [one[: len(told)] for one in _told(tmp_path)] == [told]


def test_components_of_others_are_left_to_dagster(tmp_path: Path) -> None:
    (_decides(tmp_path, "theirs") / "defs.yaml").write_text("type: dagster.DefsFolderComponent\nattributes: {}\n")
    assert check_studies(tmp_path).studies == ()


def test_a_mistake_in_the_profiles_is_told_once(tmp_path: Path) -> None:
    _asks(tmp_path, "one")
    _asks(tmp_path, "two")
    (tmp_path / "profiles.yaml").write_text("ideal: {mode: perfect}\n")
    (told,) = _told(tmp_path)
    assert told.startswith("profiles.yaml: ideal: mode: ")


def test_two_studies_of_one_name_are_both_named(tmp_path: Path) -> None:
    _asks(tmp_path, "one")
    _asks(tmp_path, "two", name="one")
    (told,) = _told(tmp_path)
    assert told.startswith(
        f"study one: is the name of 2 studies, in {tmp_path / 'one'} and {tmp_path / 'two'}. Give one of them another"
    )
    assert repeated_names([("a", tmp_path), ("b", tmp_path)]) == []


def test_what_dagster_wraps_is_explained_by_the_study_at_fault(tmp_path: Path) -> None:
    error = _loading(owner="nobody")
    _decides(tmp_path, "mine")
    told = explained(error, tmp_path)
    assert str(told).startswith("study mine: Invalid owner 'nobody' for asset ")
    assert "\n" not in str(told)
    _decides(tmp_path, "other", profiles=["ideel"], problem={"kind": "max_cut", "grap": "karate"})
    assert str(explained(error, tmp_path)).startswith("study other: problem.grap: is no field")
    _asks(tmp_path, "third", protocol={"outer_fold": 2})
    assert "There is one more mistake: `quantum-assets check` lists all." in str(explained(error, tmp_path))


def test_a_bug_is_not_explained(tmp_path: Path) -> None:
    _decides(tmp_path, "mine", profiles=["ideal"])
    assert explained(ZeroDivisionError("bug"), tmp_path) is None
    wrapped = dg.DagsterError("wrapped")
    wrapped.__cause__ = PlanError("study x", "is wrong", "Mend it")
    assert str(explained(wrapped, tmp_path)) == "study x: is wrong. Mend it."


def _loading(**changes: Any) -> Exception:
    """What Dagster raises for a study with these attributes."""
    document = {"type": OPTIMIZATION, "attributes": PETERSEN | changes}
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(
            component_cls=OptimizationStudy, defs_path="mine", defs_yaml_contents=document
        )
        profiles = yaml.safe_dump(small_optimization.PROFILES)
        (Path(sandbox.defs_folder_path) / "profiles.yaml").write_text(profiles)
        with (
            pytest.raises(Exception) as caught,  # noqa: PT011  Dagster wraps it
            sandbox.load_component_and_build_defs(defs_path=path),
        ):
            pass
    assert isinstance(caught.value, Exception)
    return caught.value
