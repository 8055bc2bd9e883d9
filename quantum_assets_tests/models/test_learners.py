import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import FeatureMapSpec
from quantum_assets.models.baselines import BASELINES
from quantum_assets.models.learners import common_budget, judge_split, without_entanglers
from quantum_assets_tests.models.studies import SMALL, Oracle, blobs, features_of, gaussian, kernel_learner, noise

DATA = blobs()
FEATURES = features_of(DATA, SMALL)
FOLD = FEATURES.splits["r0f0"]


def test_one_gram_matrix_a_map_and_bandwidth_serves_every_c():
    oracle = Oracle(DATA.labels)
    learner = kernel_learner(oracle, c_grid=(0.1, 1.0, 10.0, 100.0))
    judge_split(learner, learner.grid(), DATA, FOLD, "accuracy", final=False)
    assert len(learner.grid()) == 20
    assert len(oracle.asked) == 5


def test_a_kernel_of_the_labels_is_perfect_and_one_that_knows_nothing_is_not():
    for source, wanted in ((Oracle(DATA.labels), 1.0), (noise, 0.5)):
        learner = kernel_learner(source)
        assert set(judge_split(learner, learner.grid(), DATA, FOLD, "balanced_accuracy", final=True)) == {wanted}


def test_tuning_asks_the_selection_source_and_the_final_score_the_final_one():
    ideal, noisy = Oracle(DATA.labels), Oracle(DATA.labels, between=0.5)
    learner = kernel_learner(ideal, final=noisy)
    chosen = learner.grid()[:1]
    judge_split(learner, learner.grid(), DATA, FEATURES.splits["r0f0/i0"], "accuracy", final=False)
    assert not noisy.asked
    judge_split(learner, chosen, DATA, FOLD, "accuracy", final=True)
    assert noisy.asked == [("r0f0", "zz-linear-r2", 0.05)]


def test_sees_no_label_of_a_test_row():
    hidden = DATA.labels.copy()
    hidden[FOLD.rows[~FOLD.train]] = 0
    blind = blobs()
    object.__setattr__(blind, "labels", hidden)
    learner = kernel_learner(gaussian)
    for configuration in learner.grid():
        seen = learner.open(DATA, FOLD, final=True)(configuration)
        assert np.array_equal(seen, learner.open(blind, FOLD, final=True)(configuration))


def test_asymmetric_estimates_are_averaged_for_train_and_test_rows():
    random = np.random.default_rng(0)
    skew = random.normal(size=(len(FOLD.rows), len(FOLD.rows))) * 0.05

    def noisy(split, spec, bandwidth):
        return gaussian(split, spec, bandwidth) + skew - skew.T

    plain, skewed = kernel_learner(gaussian), kernel_learner(noisy)
    for configuration in plain.grid():
        np.testing.assert_allclose(
            skewed.gram(FOLD, configuration, final=True), plain.gram(FOLD, configuration, final=True), atol=1e-12
        )


def test_maps_of_one_name_are_one_map():
    maps = (
        FeatureMapSpec(kind="z", entanglement="linear", bandwidths=(0.1, 0.2)),
        FeatureMapSpec(kind="z", entanglement="full", bandwidths=(0.2, 0.4)),
    )
    grid = kernel_learner(maps=maps, c_grid=(10.0, 1.0)).grid()
    assert [(c["bandwidth"], c["C"]) for c in grid] == [(b, c) for b in (0.1, 0.2, 0.4) for c in (1.0, 10.0)]


def test_the_ablation_differs_by_its_entanglers_only():
    learner = kernel_learner(maps=(FeatureMapSpec(kind="zz"), FeatureMapSpec(kind="pauli", paulis=("Z", "YY"))))
    ablation = without_entanglers(learner)
    assert (ablation.name, ablation.family) == ("no_entanglers", "ablation")
    assert {c["map"] for c in ablation.grid()} == {"zz-none-r2", "pauli-Z-none-r2"}
    assert len(ablation.grid()) == len(learner.grid())
    drawn = [[(c["bandwidth"], c["C"]) for c in x.configurations(7, 3)] for x in (learner, ablation)]
    assert drawn[0] == drawn[1]


def test_every_map_and_bandwidth_is_drawn():
    learner = kernel_learner(maps=(FeatureMapSpec(reps=1), FeatureMapSpec(reps=2)))
    drawn = learner.configurations(10, seed=5)
    assert len({(c["map"], c["bandwidth"]) for c in drawn}) == 10


def test_counts_the_circuits_a_device_would_run():
    inner = tuple(FEATURES.inner("r0f0"))
    assert (int(FOLD.train.sum()), len(FOLD.rows)) == (40, 60)
    final = 40 * 39 // 2 + 20 * 40
    tuning = 2 * (20 * 19 // 2 + 20 * 20)
    both = kernel_learner(gaussian)
    tried = both.configurations(4, 0)
    assert both.circuits(FOLD, inner, tried) == final + 4 * tuning
    assert both.circuits(FOLD, inner, both.grid()) == final + 5 * tuning
    assert kernel_learner(gaussian, final=noise).circuits(FOLD, inner, tried) == final


@pytest.mark.parametrize("budget", [1, 8, 15, 500])
def test_the_budget_is_one_number_for_every_tuned_learner(budget):
    learner = kernel_learner()
    learners = [learner, without_entanglers(learner), *(make(0) for make in BASELINES.values())]
    shared = common_budget(learners, budget)
    assert shared == min(budget, 15)
    assert {len(x.configurations(shared, 0)) for x in learners if x.family != "floor"} == {shared}


def test_refuses_an_empty_grid_by_name():
    with pytest.raises(PlanError, match="learner empty"):
        common_budget([kernel_learner(name="empty", maps=())], 4)


def test_refuses_a_source_of_another_shape_and_a_foreign_map():
    learner = kernel_learner(lambda split, spec, bandwidth: np.eye(3))
    with pytest.raises(PlanError, match=r"\(3, 3\) for 60 rows of split r0f0"):
        learner.gram(FOLD, learner.grid()[0], final=True)
    with pytest.raises(PlanError, match="map iqp-full-r1"):
        learner.gram(FOLD, {"map": "iqp-full-r1", "bandwidth": 1.0, "C": 1.0}, final=True)


def test_refuses_to_score_a_split_without_test_rows():
    learner = kernel_learner()
    with pytest.raises(PlanError, match="split full: has 60 train and 0 test rows"):
        judge_split(learner, learner.grid(), DATA, FEATURES.splits["full"], "accuracy", final=True)
    few = FEATURES.restricted(FOLD.rows[~FOLD.train][:3])
    with pytest.raises(PlanError, match="split r0f0: has 0 train and 3 test rows"):
        judge_split(learner, learner.grid(), DATA, few.splits["r0f0"], "accuracy", final=True)
