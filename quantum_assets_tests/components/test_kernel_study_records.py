"""What a step says of how its answers came about: a choice that the profile asked for is not a change by a retry."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from quantum_assets.components.kernel_study_records import evidence_of
from quantum_assets.components.quantum_gram import QuantumGram
from quantum_assets.contracts.dataset import Features, PreparedSplit
from quantum_assets.contracts.envelope import Attempt
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets_tests.execution.rooms import session_in
from quantum_assets_tests.execution.test_suitable_fakes import CHOOSING, NOISY, QUIET

SPLIT = PreparedSplit("r0f0", np.arange(3), np.arange(3) < 2, np.linspace(0.1, 1.0, 6).reshape(3, 2))


@pytest.fixture
def gram(tmp_path: Path) -> QuantumGram:
    features = Features({"r0f0": SPLIT}, 2, "d" * 64)
    made = QuantumGram("toy", features, ("a", "b", "c"), CHOOSING, session_in(tmp_path))
    made.matrix(SPLIT, FeatureMapSpec(kind="zz", reps=1), 0.5)
    return made


def test_a_choice_is_told_and_is_no_modification(gram: QuantumGram) -> None:
    told = evidence_of(gram, CHOOSING).provenance
    (choice,) = told["choices"]
    assert choice.startswith(f"backend {NOISY} → {QUIET}: ")
    assert (told["modifications"], told["path"], told["backends"]) == ([], "quantum", [QUIET])
    assert told["profile_differences"] == []


def test_a_change_by_a_retry_is_a_modification(gram: QuantumGram) -> None:
    ((answer, admitted),) = gram._answers
    again = (*answer.attempts, Attempt(2, "ibm", QUIET, "accepted", "shots 64 → 32"))
    gram._answers[0] = (replace(answer, attempts=again), admitted)
    told = evidence_of(gram, CHOOSING).provenance
    assert (told["modifications"], len(told["choices"])) == (["shots 64 → 32"], 1)
