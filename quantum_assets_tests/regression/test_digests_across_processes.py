"""The same commit must give the same digests in two processes: a version that depends on the process is no version."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, tempfile, warnings
warnings.simplefilter("ignore")
from dataclasses import replace
from pathlib import Path
from quantum_assets.contracts.study import Protocol
from quantum_assets.store.digest import table_digest
from quantum_assets_tests.regression.shipped import run_study, shipped_plan
plan = shipped_plan("iris")
small = Protocol(outer_folds=2, repeats=1, inner_folds=2, budget=3)
plan = replace(plan, protocol=small, baselines=("majority", "logistic", "forest", "boosting", "mlp", "svm_rbf"))
made = run_study(plan, "sampled", Path(tempfile.mkdtemp()))
print(json.dumps({name: table_digest(s.table, s.contract) for name, s in made.items()}))
"""


def _digests(hash_seed: str, threads: str) -> dict[str, str]:
    environment = os.environ | {
        "PYTHONHASHSEED": hash_seed,
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
    }
    answer = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    digests: dict[str, str] = json.loads(answer.stdout.splitlines()[-1])
    return digests


def test_every_asset_has_the_same_digest_in_two_processes() -> None:
    first = _digests("1", "1")
    assert len(first) == 9
    assert first == _digests("2", "2")
