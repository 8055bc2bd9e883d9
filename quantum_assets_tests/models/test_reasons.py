import pytest

from quantum_assets.contracts.study import Protocol
from quantum_assets.models.pairing import compare, pair
from quantum_assets.models.reasons import reasons
from quantum_assets_tests.models.studies import fold_scores, study_scores

PROTOCOL = Protocol()
OWN = [0.9, 0.8, 0.85, 0.95, 0.9]
LOW = [0.6, 0.52, 0.55, 0.65, 0.6]


def _reasons(scores, protocol=PROTOCOL, diagnostics=None):
    paired = pair(scores)
    return reasons(paired, compare(paired, protocol), protocol, 5, diagnostics or {})


def test_names_the_best_rival_with_difference_interval_and_p():
    first = _reasons(study_scores(OWN, {"svm": [0.9, 0.85, 0.8, 0.9, 0.95], "knn": LOW}))[0]
    assert first.startswith("The best rival is svm; the quantum kernel scores +0.000 (95 % interval -0.0")
    assert "corrected p 1)" in first


def test_says_when_folds_cannot_tell_and_when_models_are_equal():
    assert any("cannot tell" in r for r in _reasons(study_scores(OWN, {"svm": [0.9, 0.85, 0.8, 0.9, 0.95]})))
    assert any("practically equal" in r for r in _reasons(study_scores(OWN, {"svm": OWN})))


def test_sorts_the_other_rivals_by_what_was_found():
    high = [0.99, 0.9, 0.94, 0.99, 1.0]
    found = _reasons(study_scores(OWN, {"top": [1.0] * 5, "better": high, "equal": OWN, "worse": LOW}))
    assert "Clearly better than worse." in found
    assert "Clearly worse than better." in found
    assert "No significant difference beyond the band from equal." in found


def test_says_whether_entanglement_helps():
    assert any(r.startswith("Entanglement helps: ") for r in _reasons(study_scores(OWN, {"svm": LOW}, ablation=LOW)))
    assert any(r.startswith("Entanglement is not") for r in _reasons(study_scores(OWN, {"svm": LOW}, ablation=OWN)))


def test_warns_of_a_model_no_better_than_the_floor():
    found = _reasons(study_scores([0.5, 0.45, 0.55, 0.6, 0.5], {"svm": LOW}))
    assert any("Not clearly better than majority" in r and "shuffled labels" in r for r in found)
    assert not any("majority" in r for r in _reasons(study_scores(OWN, {"svm": LOW})))


def test_warns_of_a_resolution_coarser_than_the_band():
    found = _reasons(study_scores(OWN, {"svm": LOW}, n_test=20))
    assert any("one row is worth about 0.050" in r for r in found)
    assert not any("one row" in r for r in _reasons(study_scores(OWN, {"svm": LOW}, n_test=200)))


def test_reports_a_budget_that_was_cut_or_unequal():
    cut = _reasons(study_scores(OWN, {"svm": LOW}, tried=8))
    assert any("tried 8 configurations and not 12" in r for r in cut)
    unequal = _reasons(study_scores(OWN, {"svm": LOW}) + fold_scores("knn", "classical", LOW, tried=50))
    assert any("Budgets were not equal (12 to 50" in r for r in unequal)
    assert not any("configurations" in r for r in _reasons(study_scores(OWN, {"svm": LOW})))


@pytest.mark.parametrize(
    ("diagnostics", "words"),
    [
        ({"spread_over_shot_noise": 0.8}, "concentrated"),
        ({"target_alignment": 0.01}, "hardly knows the labels"),
        ({"geometric_difference_rbf_0.0001": 1.4, "geometric_difference_rbf_1": 0.6}, "from the rbf kernel is 1.4"),
    ],
)
def test_diagnostics_add_reasons(diagnostics, words):
    plain = _reasons(study_scores(OWN, {"svm": LOW}))
    found = _reasons(study_scores(OWN, {"svm": LOW}), diagnostics=diagnostics)
    assert found[:-1] == plain
    assert words in found[-1]


def test_sound_diagnostics_add_none():
    sound = {"spread_over_shot_noise": 9.0, "target_alignment": 0.4, "geometric_difference_rbf_0.0001": 12.0}
    assert _reasons(study_scores(OWN, {"svm": LOW}), diagnostics=sound) == _reasons(study_scores(OWN, {"svm": LOW}))
