"""The shape of the house, tested: import contracts, mirrored tests, and what importing the package may load."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "quantum_assets"
#: Modules whose tests live elsewhere, each with where.
TESTED_ELSEWHERE = {
    "__main__": "cli/test_run.py",
    "circuits/iqp": "circuits/test_build.py",
    "circuits/pauli": "circuits/test_build.py",
    "circuits/z": "circuits/test_build.py",
    "circuits/zz": "circuits/test_build.py",
    "cli/run": "cli/test_run.py",
    "components/evidence": "components/test_quantum_gram.py",
    "components/execution_records": "components/test_kernel_study_records.py",
    "components/kernel_study_assets": "components/test_kernel_study.py",
    "components/kernel_study_comparison": "components/test_kernel_study_run.py",
    "components/kernel_study_inputs": "components/test_kernel_study_run.py",
    "components/kernel_study_matrices": "components/test_kernel_study_run.py",
    "components/kernel_study_plan": "components/test_kernel_study.py",
    "components/optimization_study_assets": "components/test_optimization_study.py",
    "components/optimization_study_decision": "components/test_optimization_study_run.py",
    "components/optimization_study_modes_told": "components/test_optimization_study_modes.py",
    "components/optimization_study_plan": "components/test_optimization_study.py",
    "components/optimization_study_records": "components/test_optimization_study_run.py",
    "components/optimization_study_rows": "components/test_optimization_study_sampling.py",
    "components/study_declarations": "components/test_optimization_study.py",
    "components/study_look": "components/test_optimization_study.py",
    "components/study_records": "components/test_optimization_study_run.py",
    "contracts/answer": "execution/test_answering.py",
    "contracts/columns": "orchestration/test_checks.py",
    "contracts/dataset": "datasets/test_preparation.py",
    "contracts/envelope": "trust/test_admit.py",
    "contracts/evaluation": "models/test_verdict.py",
    "contracts/failure": "execution/test_policy.py",
    "contracts/jobs": "execution/test_dispatch.py",
    "contracts/kernel": "kernels/test_reconstruct.py",
    "contracts/money": "execution/test_cost.py",
    "contracts/record": "tracking/test_parcel.py",
    "contracts/study": "components/test_kernel_study.py",
    "contracts/tables": "orchestration/test_checks.py",
    "contracts/ticket": "execution/ledger/test_moves.py",
    "datasets/breast_cancer": "datasets/test_datasets.py",
    "datasets/digits": "datasets/test_datasets.py",
    "datasets/iris": "datasets/test_datasets.py",
    "datasets/wine": "datasets/test_datasets.py",
    "execution/breaker_storage": "execution/test_breaker.py",
    "orchestration/execution": "components/test_kernel_study_jobs.py",
    "orchestration/mode_figures": "components/test_kernel_study_modes.py",
    "providers/braket_device": "providers/test_braket_cloud.py",
    "providers/checked_states": "providers/test_conformance.py",
    "providers/in_process": "providers/test_conformance.py",
    "problems/narrowed": "problems/test_narrowing.py",
    "qaoa/evolution": "qaoa/test_engine.py",
    "qaoa/fixed_angles": "qaoa/test_angles.py",
    "tracking/clock": "tracking/test_tracker.py",
    "tracking/predictor": "tracking/test_model.py",
    "definitions": "components/test_kernel_study.py",
}
HEAVY = ("qiskit", "qiskit_aer", "qiskit_machine_learning", "mlflow", "sklearn", "matplotlib", "pandera")


def test_imports_run_downhill_only() -> None:
    answer = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


def test_importing_the_definitions_loads_nothing_heavy() -> None:
    """A code location must load fast; step processes must not pay for what they do not use."""
    program = f"import sys, quantum_assets.definitions as d; d.defs();print([m for m in {HEAVY!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stdout + answer.stderr


def test_loading_assets_needs_no_dagster() -> None:
    program = (
        "import sys, quantum_assets; quantum_assets.load, quantum_assets.history;"
        "print([m for m in ('dagster', 'mlflow', 'qiskit', 'sklearn') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]", answer.stdout + answer.stderr


def _modules() -> list[str]:
    found = (p.relative_to(PACKAGE).as_posix() for p in PACKAGE.rglob("*.py") if p.name != "__init__.py")
    return sorted(found)


@pytest.mark.parametrize("module", _modules())
def test_every_module_says_its_purpose_and_stays_small(module: str) -> None:
    text = (PACKAGE / module).read_text()
    assert text.lstrip().startswith('"""'), f"{module} has no module docstring"
    assert len(text.splitlines()) <= 400, f"{module} is over 400 lines: one purpose each"


@pytest.mark.parametrize("module", _modules())
def test_every_module_has_its_tests(module: str) -> None:
    """Tests mirror the source tree: `a/b.py` is tested by `a/test_b.py`, or the table above says by what."""
    stem = module.removesuffix(".py")
    folder, _, name = stem.rpartition("/")
    expected = TESTED_ELSEWHERE.get(stem, f"{folder}/test_{name}.py")
    assert (ROOT / "quantum_assets_tests" / expected).is_file(), f"{module} has no {expected}"


def test_only_trust_makes_admitted_results() -> None:
    makers = {
        p.relative_to(PACKAGE).parts[0]
        for p in PACKAGE.rglob("*.py")
        for line in p.read_text().splitlines()
        if ("AdmittedResult(" in line or "RejectedResult(" in line) and not line.lstrip().startswith("class ")
    }
    assert makers <= {"trust"}
