"""A mistake in a `defs.yaml` must be said with file, line, field and what is allowed."""

from pathlib import Path

import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from quantum_assets.components.kernel_study import KernelStudy
from quantum_assets.contracts.errors import PlanError
from quantum_assets_tests.components.small import ATTRIBUTES, PROFILES

MISTAKES = [
    ({"feature_maps": [{"kind": "zzz"}]}, "feature_maps.0.kind", "'zzz'", "'pauli'"),
    ({"preparation": {"reduction": "pca"}}, "preparation", "needs qubits", "reduction none"),
    ({"source": {"dataset": "wine", "path": "x.csv", "label": "y"}}, "source", "exactly one", "dataset"),
    ({"protocol": {"metric": "auc"}}, "protocol.metric", "'auc'", "'balanced_accuracy'"),
]


def test_limits_of_single_fields_are_checked_by_dagster() -> None:
    """Where the outline alone decides, Dagster speaks; this pins that (`quantum-assets check` says it shorter)."""
    document = {
        "type": "quantum_assets.components.KernelStudy",
        "attributes": ATTRIBUTES | {"preparation": {"qubits": 99}},
    }
    text = _mistake(document)
    assert "defs.yaml" in text
    assert "qubits" in text
    assert "less than or equal to 16" in text


def _mistake(document: dict[str, object]) -> str:
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component_cls=KernelStudy, defs_path="mine", defs_yaml_contents=document)
        (Path(sandbox.defs_folder_path) / "profiles.yaml").write_text(yaml.safe_dump(PROFILES))
        with (
            pytest.raises(Exception) as caught,  # noqa: PT011  Dagster wraps ours
            sandbox.load_component_and_build_defs(defs_path=path),
        ):
            pass
    error: BaseException | None = caught.value
    told = []
    while error is not None:
        if isinstance(error, PlanError):
            return str(error)
        told.append(str(error))
        error = error.__cause__ or error.__context__
    return "\n".join(told)


@pytest.mark.parametrize(("change", "field", "given", "allowed"), MISTAKES, ids=[mistake[1] for mistake in MISTAKES])
def test_the_error_points_into_the_file(change: dict[str, object], field: str, given: str, allowed: str) -> None:
    document = {"type": "quantum_assets.components.KernelStudy", "attributes": ATTRIBUTES | change}
    text = _mistake(document)
    assert text.startswith("mine/defs.yaml:"), text
    for word in (field, given, allowed):
        assert word in text, text
