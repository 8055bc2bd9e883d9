"""What `dg scaffold defs` writes must load as it is, and ask about the user's own table when told."""

from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster.components.scaffold.scaffold import ScaffoldRequest
from dagster.components.testing import create_defs_folder_sandbox

from quantum_assets.components.kernel_study import KernelStudy
from quantum_assets.components.kernel_study_scaffold import KernelStudyParams, KernelStudyScaffolder
from quantum_assets.contracts.errors import PlanError
from quantum_assets.orchestration.execution import EXECUTION_KEY
from quantum_assets.orchestration.io_manager import STORAGE_KEY
from quantum_assets_tests.components.small import PROFILES, write_rows
from quantum_assets_tests.execution.rooms import room_in
from quantum_assets_tests.orchestration.storage import storage_without_courier

TYPE = "quantum_assets.components.KernelStudy"


def _scaffold(target: Path, **params: object) -> str:
    target.mkdir(parents=True, exist_ok=True)
    request = ScaffoldRequest(TYPE, target, "yaml", None, KernelStudyParams.model_validate(params))
    KernelStudyScaffolder().scaffold(request)
    return (target / "defs.yaml").read_text()


@pytest.mark.parametrize("params", [{}, {"dataset": "wine"}, {"path": "ROWS", "label": "y", "qubits": 2}])
def test_the_written_file_loads_as_it_is(tmp_path: Path, params: dict[str, object]) -> None:
    rows = tmp_path / "my rows.csv"
    write_rows(rows)
    params = {name: str(rows) if value == "ROWS" else value for name, value in params.items()}
    document = yaml.safe_load(_scaffold(tmp_path / "study", **params))
    assert document["type"] == TYPE
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component_cls=KernelStudy, defs_path="mine", defs_yaml_contents=document)
        (Path(sandbox.defs_folder_path) / "profiles.yaml").write_text(yaml.safe_dump(PROFILES))
        with sandbox.load_component_and_build_defs(defs_path=path) as (component, defs):
            assert isinstance(component, KernelStudy)
            storage = dg.Definitions(
                resources={STORAGE_KEY: storage_without_courier(tmp_path), EXECUTION_KEY: room_in(tmp_path)}
            )
            graph = dg.Definitions.merge(defs, storage).resolve_asset_graph()
            assert len(list(graph.materializable_asset_keys)) == 10


def test_every_field_of_a_study_is_shown_or_named(tmp_path: Path) -> None:
    text = _scaffold(tmp_path)
    for field in KernelStudy.model_fields:
        if field not in {"name", "code_version"}:
            assert f"{field}:" in text, field


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"path": "a.csv"}, "only one of them"),
        ({"path": "a.csv", "label": "y"}, "--path a.csv: there is no such file"),
        ({"path": "ROWS", "label": "yy"}, "column 'yy': is not in the file, and source.label names it. Write 'y'"),
        ({"path": "ROWS", "label": "y", "qubits": 4}, "--qubits 4: the data have 3 numeric columns. Give at most 3"),
        ({"dataset": "irish"}, "no such dataset is bundled"),
    ],
)
def test_what_would_not_run_is_refused_and_leaves_nothing(tmp_path: Path, params: dict[str, object], told: str) -> None:
    write_rows(tmp_path / "rows.csv")
    params = {name: str(tmp_path / "rows.csv") if value == "ROWS" else value for name, value in params.items()}
    with pytest.raises(PlanError) as caught:
        _scaffold(tmp_path / "study", **params)
    assert told in str(caught.value)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("params", "qubits"),
    [
        ({"path": "rows.csv", "label": "y"}, 3),
        ({"path": "rows.csv", "label": "y", "qubits": 2}, 2),
        ({"dataset": "ad_hoc"}, 2),
        ({"path": "memory://elsewhere/rows.csv", "label": "y"}, 4),
    ],
)
def test_no_more_qubits_than_numeric_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, params: dict[str, object], qubits: int
) -> None:
    write_rows(tmp_path / "rows.csv")
    monkeypatch.chdir(tmp_path)
    given = yaml.safe_load(_scaffold(tmp_path / "defs" / "study", **params))["attributes"]
    assert given["preparation"]["qubits"] == qubits
    if params.get("path") == "rows.csv":
        assert (tmp_path / "defs" / "study" / given["source"]["path"]).resolve() == tmp_path / "rows.csv"


def test_awkward_names_are_quoted(tmp_path: Path) -> None:
    (tmp_path / 'a "b" #c: d.csv').write_text("x,y: #1\n1.5,a\n2.5,b\n")
    document = yaml.safe_load(_scaffold(tmp_path, path='a "b" #c: d.csv', label="y: #1"))
    assert document["attributes"]["source"]["path"] == 'a "b" #c: d.csv'
    assert document["attributes"]["source"]["label"] == "y: #1"
