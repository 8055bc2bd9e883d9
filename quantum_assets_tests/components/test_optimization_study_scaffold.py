"""What `dg scaffold defs` writes must load as it is, whatever problem it is told, and show every field there is."""

import re
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster.components.scaffold.scaffold import ScaffoldRequest
from dagster.components.testing import create_defs_folder_sandbox
from pydantic import BaseModel

from quantum_assets.components.optimization_study import OptimizationStudy
from quantum_assets.components.optimization_study_scaffold import OptimizationStudyParams, OptimizationStudyScaffolder
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.optimization import ClassicalSpec, DecisionPolicy, Periods, ProblemSpec, QuantumSpec
from quantum_assets.contracts.qaoa import Objective, TrainingBudget
from quantum_assets.orchestration.execution import EXECUTION_KEY
from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets.problems.build import build
from quantum_assets.problems.narrowing import narrow
from quantum_assets_tests.components.small_optimization import PROFILES
from quantum_assets_tests.execution.rooms import room_in
from quantum_assets_tests.orchestration.storage import storage_without_courier

TYPE = "quantum_assets.components.OptimizationStudy"
KINDS = [{"kind": kind} for kind in ("independent_set", "delivery_routes", "shift_schedule", "portfolio", "labs")]


def _scaffold(target: Path, **params: object) -> str:
    target.mkdir(parents=True, exist_ok=True)
    request = ScaffoldRequest(TYPE, target, "yaml", None, OptimizationStudyParams.model_validate(params))
    OptimizationStudyScaffolder().scaffold(request)
    return (target / "defs.yaml").read_text()


@pytest.mark.parametrize(
    "params",
    [{}, {"graph": "petersen"}, {"path": "FILE"}, {"path": "FILE", "form": "ising", "sense": "maximise"}, *KINDS],
)
def test_the_written_file_loads_as_it_is(tmp_path: Path, params: dict[str, object]) -> None:
    file = tmp_path / "my qubo.csv"
    file.write_text("i,j,value\n0,1,2\n0,0,-1\n")
    params = {name: str(file) if value == "FILE" else value for name, value in params.items()}
    document = yaml.safe_load(_scaffold(tmp_path / "study", **params))
    assert document["type"] == TYPE
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(
            component_cls=OptimizationStudy, defs_path="mine", defs_yaml_contents=document
        )
        (Path(sandbox.defs_folder_path) / "profiles.yaml").write_text(yaml.safe_dump(PROFILES))
        with sandbox.load_component_and_build_defs(defs_path=path) as (component, defs):
            assert isinstance(component, OptimizationStudy)
            storage = dg.Definitions(
                resources={STORAGE_KEY: storage_without_courier(tmp_path), EXECUTION_KEY: room_in(tmp_path)}
            )
            graph = dg.Definitions.merge(defs, storage).resolve_asset_graph()
            assets = {key.path[-1] for key in graph.materializable_asset_keys}
            assert assets >= {"problem", "classical_solutions", "quantum_jobs", "quantum_samples", "decision"}
            assert ("outcome" in assets) == (params.get("kind") == "portfolio")


@pytest.mark.parametrize(
    "kind", ["max_cut", *(one["kind"] for one in KINDS[:3]), pytest.param("portfolio", marks=pytest.mark.slow), "labs"]
)
def test_the_quantum_step_has_room_for_what_is_written(tmp_path: Path, kind: str) -> None:
    given = yaml.safe_load(_scaffold(tmp_path, kind=kind))["attributes"]
    quantum = QuantumSpec(**given["quantum"])
    problem = build(ProblemSpec(**given["problem"]), tmp_path, "2020-02" if "periods" in given else "")
    assert 1 < len(narrow(problem, quantum.most_variables, quantum.narrowing).variables) <= 16


def _fields(model: type[BaseModel]) -> set[str]:
    """Names of the fields of a model, and of the models in them."""
    inner = [field.annotation for field in model.model_fields.values()]
    nested = (kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel))
    return set(model.model_fields).union(*map(_fields, nested))


@pytest.mark.parametrize(
    "value",
    [OptimizationStudy, ProblemSpec, Periods, QuantumSpec, Objective, TrainingBudget, ClassicalSpec, DecisionPolicy],
)
def test_every_field_of_a_study_is_shown_or_named(tmp_path: Path, value: type[BaseModel]) -> None:
    text = _scaffold(tmp_path)
    assert [name for name in sorted(_fields(value)) if f"{name}:" not in text] == []


def _uncommented(text: str, *names: str) -> dict[str, object]:
    """The document with the lines of these fields in use."""
    lines = [
        line.replace("# ", "", 1) if line.strip().startswith(tuple(f"# {name}:" for name in names)) else line
        for line in text.splitlines()
    ]
    return yaml.safe_load("\n".join(lines))["attributes"]


def test_what_stands_as_a_comment_may_be_used(tmp_path: Path) -> None:
    text = _scaffold(tmp_path)
    quantum = _uncommented(text, "transfer_variables", "warm_start", "patience")["quantum"]
    assert isinstance(quantum, dict)
    assert QuantumSpec(**quantum | {"start": "transfer"}).warm_start == 0.25
    policy = _uncommented(text, "max_gap", "deadline_seconds")["policy"]
    assert isinstance(policy, dict)
    assert DecisionPolicy(**policy).max_gap == 0.01
    loop = re.sub(r"^    # ", "", text[text.index("    # loop:") : text.index("  classical:")], flags=re.MULTILINE)
    assert QuantumSpec(**quantum | {"start": "transfer", **yaml.safe_load(loop)}).loop.finalists == 2


@pytest.mark.parametrize(
    ("params", "culprit"),
    [
        ({"kind": "qubo_file"}, "--path: is missing for a qubo_file"),
        ({"kind": "labs", "path": "a.csv"}, "--path: does not go with a labs"),
        ({"kind": "sudoku"}, "--kind sudoku: is not a problem"),
        ({"path": "nowhere.csv"}, "--path nowhere.csv: there is no such file"),
    ],
)
def test_half_an_answer_is_refused(tmp_path: Path, params: dict[str, object], culprit: str) -> None:
    with pytest.raises(PlanError, match=culprit):
        _scaffold(tmp_path / "study", **params)
    assert not (tmp_path / "study").exists()  # else `dg` would say the next time that it exists


def test_a_file_of_the_current_folder_is_found_from_the_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_qubo.csv").write_text("i,j,value\n0,1,2\n")
    monkeypatch.chdir(tmp_path)
    study = tmp_path / "defs" / "mine"
    given = yaml.safe_load(_scaffold(study, path="my_qubo.csv"))["attributes"]["problem"]
    assert len(build(ProblemSpec(**given), study).variables) == 2


def test_another_format_is_refused(tmp_path: Path) -> None:
    request = ScaffoldRequest(TYPE, tmp_path, "python", None, OptimizationStudyParams())
    with pytest.raises(PlanError, match="is YAML"):
        OptimizationStudyScaffolder().scaffold(request)


def test_awkward_names_are_quoted(tmp_path: Path) -> None:
    (tmp_path / 'a "b" #c: d.csv').write_text("i,j,value\n0,1,2\n")
    document = yaml.safe_load(_scaffold(tmp_path, path='a "b" #c: d.csv'))
    assert document["attributes"]["problem"]["path"] == 'a "b" #c: d.csv'
