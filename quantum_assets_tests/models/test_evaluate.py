import json
import os
import subprocess
import sys
from dataclasses import asdict, replace

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import Protocol
from quantum_assets.models.baselines import BASELINES
from quantum_assets.models.evaluate import evaluate
from quantum_assets.models.learners import without_entanglers
from quantum_assets.models.verdict import judge
from quantum_assets_tests.models.studies import SMALL, Oracle, blobs, dataset_of, features_of, gaussian, kernel_learner

DATA = blobs(48, distance=1.5)
FEATURES = features_of(DATA, SMALL)
TINY = Protocol(outer_folds=2, repeats=1, inner_folds=2, budget=2)
FEW = ("majority", "logistic", "svm_rbf", "knn")


def _learners(source=gaussian, rivals=tuple(BASELINES)):
    quantum = kernel_learner(source)
    return [quantum, without_entanglers(quantum), *(BASELINES[name](0) for name in rivals)]


def _stable(scores):
    return [{k: v for k, v in asdict(score).items() if k != "cpu_seconds"} for score in scores]


def _small_study():
    return _stable(evaluate(DATA, features_of(DATA, TINY), _learners(), TINY))


def test_every_learner_meets_the_same_folds_and_the_same_budget():
    scores = evaluate(DATA, FEATURES, _learners(), SMALL, budget=2)
    folds = {name: [(s.repeat, s.fold, s.n_train, s.n_test) for s in scores if s.model == name] for name in BASELINES}
    quantum = [(s.repeat, s.fold, s.n_train, s.n_test) for s in scores if s.model == "quantum"]
    assert quantum == [(repeat, fold, 32, 16) for repeat in range(2) for fold in range(3)]
    assert all(found == quantum for found in folds.values())
    assert {s.tried for s in scores if s.family != "floor"} == {2}
    assert {s.tried for s in scores if s.family == "floor"} == {1}
    assert all(0 <= s.score <= 1 and 0 <= s.inner_score <= 1 and s.cpu_seconds >= 0 for s in scores)
    assert all(json.loads(s.chosen) for s in scores)


def test_a_small_quantum_grid_cuts_every_budget():
    asked = SMALL.model_copy(update={"budget": 100})
    scores = evaluate(DATA, FEATURES, _learners(rivals=("majority", "svm_rbf", "knn")), asked)
    assert {s.tried for s in scores if s.family != "floor"} == {15}


def test_a_part_of_the_learners_may_be_given_the_budget_of_all():
    scores = evaluate(DATA, FEATURES, [BASELINES["logistic"](0)], SMALL, budget=2)
    assert {s.tried for s in scores} == {2}


def test_circuits_are_counted_for_kernels_only():
    scores = evaluate(DATA, FEATURES, _learners(rivals=("majority", "logistic")), SMALL)
    quantum = {s.circuits_needed for s in scores if s.family in {"quantum", "ablation"}}
    # 32 train and 16 test rows; four kernels over two inner folds of 16 + 16 rows
    assert quantum == {32 * 31 // 2 + 16 * 32 + 4 * 2 * (16 * 15 // 2 + 16 * 16)}
    assert {s.circuits_needed for s in scores if s.family in {"classical", "floor"}} == {0}


def test_progress_counts_every_step():
    told = []
    evaluate(DATA, FEATURES, _learners(rivals=("majority",)), SMALL, lambda *step: told.append(step))
    assert [step[0] for step in told] == list(range(1, 19))
    assert {step[1] for step in told} == {18}
    assert told[0][2] == "r0f0 quantum"


def test_the_reported_score_comes_from_the_final_source():
    shuffled = Oracle(np.random.default_rng(0).permutation(DATA.labels))
    learner = replace(kernel_learner(Oracle(DATA.labels)), final=shuffled)
    scores = evaluate(DATA, FEATURES, [learner], SMALL)
    assert all(s.inner_score == 1 for s in scores)
    assert np.mean([s.score for s in scores]) < 0.8
    assert {split for split, *_ in shuffled.asked} == {"r0f0", "r0f1", "r0f2", "r1f0", "r1f1", "r1f2"}


def test_positive_control_a_kernel_that_knows_the_labels_is_a_benefit():
    random = np.random.default_rng(5)
    data = dataset_of(random.normal(size=(60, 4)), np.arange(60) % 2)
    scores = evaluate(data, features_of(data, SMALL), _learners(Oracle(data.labels), FEW), SMALL)
    verdict = judge(scores, SMALL)
    assert verdict.word == "benefit"
    assert verdict.quantum_score == 1.0
    assert verdict.best_score < 0.7


def test_negative_control_labels_without_meaning_are_none():
    random = np.random.default_rng(6)
    data = dataset_of(random.normal(size=(60, 4)), random.permutation(np.arange(60) % 2))
    verdict = judge(evaluate(data, features_of(data, SMALL), _learners(rivals=FEW), SMALL), SMALL)
    assert verdict.word == "no evidence of benefit"
    assert any("Not clearly better than majority" in reason for reason in verdict.reasons)


def test_the_same_study_scores_the_same_in_another_process():
    code = (
        "import json\n"
        "from quantum_assets_tests.models.test_evaluate import _small_study\n"
        "print(json.dumps(_small_study()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "99", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=True,
    )
    assert json.loads(ran.stdout) == json.loads(json.dumps(_small_study()))


def test_a_profile_may_take_a_part_of_the_rows():
    few = FEATURES.restricted(np.arange(0, 48, 3))
    scores = evaluate(DATA, few, _learners(rivals=("majority", "knn")), SMALL)
    assert {s.n_train + s.n_test for s in scores} == {16}
    assert len(scores) == 6 * 4


def test_refuses_what_cannot_be_compared():
    learner = kernel_learner()
    with pytest.raises(PlanError, match="name of its own"):
        evaluate(DATA, FEATURES, [learner, learner], SMALL)
    with pytest.raises(PlanError, match="prepared from other rows"):
        evaluate(blobs(48, seed=8), FEATURES, [learner], SMALL)
    with pytest.raises(PlanError, match="have no outer folds"):
        evaluate(DATA, replace(FEATURES, splits={"full": FEATURES.splits["full"]}), [learner], SMALL)
    odd = replace(FEATURES, splits={"fold-1": replace(FEATURES.splits["r0f0"], split_id="fold-1")})
    with pytest.raises(PlanError, match="split fold-1: is not named as an outer fold"):
        evaluate(DATA, odd, [learner], SMALL)
