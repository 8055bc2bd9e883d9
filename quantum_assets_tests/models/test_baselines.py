import numpy as np
import pytest

from quantum_assets.contracts.dataset import PreparedSplit
from quantum_assets.models.baselines import BASELINES, prepare_columns
from quantum_assets.models.learners import judge_split
from quantum_assets_tests.models.studies import blobs, dataset_of

pytestmark = pytest.mark.usefixtures("quiet")

TUNED = [name for name in BASELINES if name != "majority"]


def _split(dataset, n_train, columns=2):
    rows = np.arange(dataset.n_samples)
    return PreparedSplit("r0f0", rows, rows < n_train, dataset.features[:, :columns])


@pytest.mark.parametrize("name", TUNED)
def test_every_rival_has_a_grid_to_draw_from_and_both_inputs(name):
    learner = BASELINES[name](0)
    assert learner.family == "classical"
    assert learner.name == name
    assert len(learner.grid()) >= 24
    assert {c["inputs"] for c in learner.configurations(8, seed=0)} == {"prepared", "full"}
    assert learner.circuits(None, (), ()) == 0


@pytest.mark.parametrize("budget", [1, 7, 24])
@pytest.mark.parametrize("name", TUNED)
def test_every_rival_tries_exactly_the_budget(name, budget):
    assert len(BASELINES[name](0).configurations(budget, seed=3)) == budget


@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("name", TUNED)
def test_every_configuration_of_every_rival_runs_without_a_warning(name, classes):
    data = blobs(48, classes, distance=4.0, columns=5)
    learner = BASELINES[name](0)
    scores = judge_split(learner, learner.grid(), data, _split(data, 32), "accuracy", final=False)
    assert len(scores) == len(learner.grid())
    assert max(scores) > 0.85


@pytest.mark.parametrize("name", BASELINES)
def test_every_learner_answers_where_only_one_class_was_seen(name):
    data = dataset_of(np.random.default_rng(0).normal(size=(20, 4)), [1] * 12 + [0, 1] * 4)
    learner = BASELINES[name](0)
    split = _split(data, 12)
    answers = [learner.open(data, split, final=True)(c) for c in learner.configurations(6, 0)]
    assert all(answer.tolist() == [1] * 8 for answer in answers)


def test_majority_answers_the_most_frequent_class_of_the_train_rows():
    data = dataset_of(np.zeros((8, 2)), [1, 1, 0, 1, 0, 0, 0, 0])
    learner = BASELINES["majority"](0)
    assert learner.family == "floor"
    assert len(learner.grid()) == 1
    assert judge_split(learner, learner.grid(), data, _split(data, 4), "accuracy", final=True) == (0.0,)


def test_constant_columns_harm_nobody():
    data = dataset_of(np.ones((30, 3)), np.arange(30) % 2)
    for name in BASELINES:
        learner = BASELINES[name](0)
        assert all(
            0 <= s <= 1
            for s in judge_split(learner, learner.configurations(4, 0), data, _split(data, 20), "accuracy", final=True)
        )


def test_scaling_is_fitted_on_train_rows_only():
    data = blobs(20)
    split = _split(data, 12)
    moved = dataset_of(np.where(np.arange(20)[:, None] < 12, data.features, 1e6), data.labels)
    for inputs in ("prepared", "full"):
        before = prepare_columns(data, split, inputs, 0)
        after = prepare_columns(moved, _split(moved, 12), inputs, 0)
        assert np.array_equal(before.train, after.train)
        assert before.train.mean(axis=0) == pytest.approx(0, abs=1e-12)
        assert before.train.var(axis=0).mean() == pytest.approx(1)


def test_prepared_columns_keep_their_relative_scale():
    random = np.random.default_rng(0)
    data = dataset_of(random.normal(size=(40, 2)) * [10, 1], np.arange(40) % 2)
    spread = prepare_columns(data, _split(data, 30), "prepared", 0).train.std(axis=0)
    raw = data.features[:30].std(axis=0)
    assert spread[0] / spread[1] == pytest.approx(raw[0] / raw[1])
    assert prepare_columns(data, _split(data, 30), "full", 0).train.std(axis=0) == pytest.approx([1, 1])
