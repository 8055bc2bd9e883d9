"""The shape of the house, tested: import contracts, mirrored tests, and what importing the package may load."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "quantum_assets"
#: Modules whose tests live elsewhere, each with where.
TESTED_ELSEWHERE = {
    "contracts/dataset.py": "datasets",
    "contracts/envelope.py": "trust",
    "contracts/evaluation.py": "models",
    "contracts/kernel.py": "kernels",
    "contracts/record.py": "tracking",
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


def test_only_trust_makes_admitted_results() -> None:
    makers = {
        p.relative_to(PACKAGE).parts[0]
        for p in PACKAGE.rglob("*.py")
        for line in p.read_text().splitlines()
        if ("AdmittedResult(" in line or "RejectedResult(" in line) and not line.lstrip().startswith("class ")
    }
    assert makers <= {"trust"}
