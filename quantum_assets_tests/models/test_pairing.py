import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import Protocol
from quantum_assets.models.pairing import compare, pair
from quantum_assets.models.statistics import corrected_t, holm
from quantum_assets_tests.models.studies import fold_scores, study_scores

PROTOCOL = Protocol()
OWN = [0.9, 0.8, 0.85, 0.95, 0.9]


def test_pairs_by_fold_whatever_the_order():
    scores = study_scores(OWN, {"svm": [0.1, 0.2, 0.3, 0.4, 0.5]})
    paired = pair(scores)
    np.random.default_rng(0).shuffle(scores)
    mixed = pair(scores)
    for name in ("quantum", "svm", "majority"):
        assert np.array_equal(paired.scores[name], mixed.scores[name])
    assert paired.folds == 5


def test_compares_with_every_rival_and_corrects_over_all_of_them():
    rivals = {"svm": [0.85, 0.8, 0.9, 0.9, 0.85], "knn": [0.6, 0.7, 0.65, 0.7, 0.6]}
    comparisons = compare(pair(study_scores(OWN, rivals, ablation=OWN)), PROTOCOL)
    by_name = {c.rival: c for c in comparisons}
    assert set(by_name) == {"svm", "knn", "majority", "no_entanglers"}
    alone = corrected_t(np.subtract(OWN, rivals["knn"]), 80, 20)
    assert by_name["knn"].p_value == alone.p_value
    assert (by_name["knn"].low, by_name["knn"].high) == (alone.low, alone.high)
    assert [c.p_holm for c in comparisons] == list(holm([c.p_value for c in comparisons]))
    assert by_name["no_entanglers"].equivalent
    assert not by_name["knn"].equivalent


def test_intervals_stay_where_differences_can_be():
    (comparison, _) = compare(pair(study_scores([1.0, 0.0], {"svm": [0.0, 1.0]})), PROTOCOL)
    assert (comparison.low, comparison.high) == (-1.0, 1.0)


def test_the_best_rival_is_the_highest_mean_and_of_equals_the_first():
    rivals = {"a": [0.7] * 5, "b": [0.8] * 5, "c": [0.8] * 5}
    assert pair(study_scores(OWN, rivals, ablation=[0.99] * 5)).best == "b"
    assert pair(study_scores(OWN, {"a": [0.2] * 5})).best == "majority"


def test_refuses_scores_that_do_not_pair():
    with pytest.raises(PlanError, match="one quantum model"):
        pair(fold_scores("svm", "classical", OWN))
    with pytest.raises(PlanError, match="at least one classical"):
        pair(fold_scores("q", "quantum", OWN) + fold_scores("a", "ablation", OWN))
    with pytest.raises(PlanError, match="one quantum model"):
        pair(study_scores(OWN, {}) + fold_scores("other", "quantum", OWN))
    with pytest.raises(PlanError, match="svm"):
        pair(study_scores(OWN, {}) + fold_scores("svm", "classical", OWN[:4]))
    with pytest.raises(PlanError, match="scored twice"):
        pair(study_scores(OWN, {}) + fold_scores("majority", "floor", OWN))
    with pytest.raises(PlanError, match="two or more outer folds"):
        compare(pair(study_scores([0.9], {"svm": [0.8]})), PROTOCOL)
