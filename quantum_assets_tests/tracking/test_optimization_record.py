"""What MLflow holds of an optimisation study, step by step: records of every kind that its guide names, and links."""

import json
from pathlib import Path
from typing import Any

import pytest

from quantum_assets_tests.components.small_optimization import PETERSEN, failure_of, loading
from quantum_assets_tests.tracking.conftest import Place

CIRCUIT = {"circuit/qaoa-x-p1.png", "circuit/qaoa-x-p1.qasm", "circuit/qaoa-x-p1.txt", "circuit/qaoa-x-p1.v*.qpy"}
ARTIFACTS = {
    "problem": set(),
    "classical_solutions": {"figures/incumbents.png"},
    "quantum_jobs": CIRCUIT | {"figures/history.png", "training.json"},
    "quantum_samples": {"figures/energies.png"},
    "attribution": {"figures/ladder.png"},
    "decision": {"decision.json"},
    "modes": {"figures/modes.png", "figures/ladders.png"},
}
METRICS = {
    "problem": {"variables", "terms", "penalty"},
    "classical_solutions": {"best_energy", "best_objective", "proven", "rivals"},
    "quantum_jobs": {"value", "start_value", "random_value", "evaluations", "depth", "two_qubit_gates"},
    "quantum_samples": {"samples", "mean_energy", "best_energy", "cost", "compiled_depth", "circuits_run"},
    "attribution": {"sampler/repaired/optimum", "product/repaired/optimum", "uniform/repaired/gap"},
    "decision": {"objective", "violations", "gap_to_best_known", "gap_to_bound"},
    "modes": {"noisy/energy_difference", "noisy/total_variation", "noisy/fidelity", "noisy/optimum"},
}
PARAMS = {
    "problem": {"instance", "instance_hash"},
    "classical_solutions": {"best_solver"},
    "quantum_jobs": {"angles_source", "profile", "requested/shots"},
    "quantum_samples": {"profile", "requested/fingerprint", "effective/backend", "effective/shots"},
    "attribution": {"finding", "profile"},
    "decision": {"path", "maker", "profile", "period"},
    "modes": {"modes"},
}
TAGS = {
    "quantum_samples": {"qa.path", "qa.backend", "qa.correlation_id"},
    "decision": {"qa.path", "qa.path_reason", "qa.finding"},
}


@pytest.mark.slow
def test_every_step_is_recorded_with_its_evidence_and_links_both_ways(place: Place, tmp_path: Path) -> None:
    with loading(tmp_path) as load:
        study = load(PETERSEN)
        result = study.run("noisy")
        assert result.success, failure_of(result)
    assert place.sync().delivered == len(ARTIFACTS)
    runs = {run.data.tags["qa.asset"].removeprefix("small/"): run for run in place.runs()}
    assert set(runs) == set(ARTIFACTS)
    for asset, run in runs.items():
        assert _artifacts(run) == ARTIFACTS[asset], asset
        assert METRICS[asset] <= set(run.data.metrics), asset
        assert {"study", "question", "problem", "layers", "policy"} | PARAMS[asset] <= set(run.data.params), asset
        assert TAGS.get(asset, set()) <= set(run.data.tags), asset
        _check_links(run, asset, result.run_id)
    document = json.loads(_file(runs["decision"], "decision.json"))
    published, shown = document["decision"], runs["decision"].data
    assert (published["objective"], published["violations"]) == (12, 0)
    assert (document["profile"], document["study"], document["unit"]) == ("noisy", "small", "edges")
    assert published["by"] == shown.params["path"]
    assert published["reasons"] == shown.tags["qa.path_reason"]
    assert [row["path"] for row in document["others"] + [published]].count("quantum") == 1
    assert published["choice"]
    assert json.loads(_file(runs["quantum_jobs"], "training.json"))["history"]


def _folder(run: Any) -> Path:
    return Path(run.info.artifact_uri.removeprefix("file://"))


def _file(run: Any, name: str) -> bytes:
    return (_folder(run) / name).read_bytes()


def _artifacts(run: Any) -> set[str]:
    """Paths of a run's files; the number of the QPY format, which Qiskit raises now and then, is left out."""
    paths = {path.relative_to(_folder(run)) for path in _folder(run).rglob("*") if path.is_file()}
    assert all((_folder(run) / path).stat().st_size for path in paths)
    return {f"{path.parent}/qaoa-x-p1.v*.qpy" if path.suffix == ".qpy" else str(path) for path in paths}


def _check_links(run: Any, asset: str, run_id: str) -> None:
    tags, unpartitioned = run.data.tags, asset in ("problem", "classical_solutions", "modes")
    page = f"http://127.0.0.1:3000/assets/small/{asset}"
    assert tags["dagster.run_id"] == run_id
    assert tags["dagster.url"] == f"http://127.0.0.1:3000/runs/{run_id}"
    assert tags["dagster.asset_url"] == (page if unpartitioned else f"{page}?view=partitions&partition=noisy")
    assert f"]({tags['dagster.asset_url']})" in tags["mlflow.note.content"]
    assert f"]({tags['dagster.url']})" in tags["mlflow.note.content"]
    assert run.inputs.dataset_inputs[-1].dataset.name == f"small/{asset}"
