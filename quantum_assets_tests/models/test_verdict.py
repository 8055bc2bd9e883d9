import numpy as np
import pytest

from quantum_assets.contracts.study import Protocol
from quantum_assets.models.verdict import judge
from quantum_assets_tests.models.studies import study_scores

PROTOCOL = Protocol(outer_folds=5, repeats=2)
RANDOM = np.random.default_rng(3)


def _around(mean, spread=0.01, folds=10):
    return np.clip(mean + spread * RANDOM.permutation(np.linspace(-1, 1, folds)), 0, 1).tolist()


def test_benefit_when_every_rival_is_clearly_beaten():
    verdict = judge(study_scores(_around(0.98), {"svm": _around(0.7), "knn": _around(0.6)}), PROTOCOL)
    assert verdict.word == "benefit"
    assert verdict.best_rival == "svm"
    assert verdict.p_holm < 0.001
    assert verdict.quantum_low < verdict.quantum_score < verdict.quantum_high


def test_one_rival_that_is_not_beaten_is_enough_against_it():
    better = study_scores(_around(0.98), {"svm": _around(0.7), "knn": _around(0.99)})
    assert judge(better, PROTOCOL).word == "no evidence of benefit"
    wild = study_scores(_around(0.9), {"svm": _around(0.8), "knn": [1.0, 0.55] * 5})
    assert judge(wild, PROTOCOL).best_rival == "svm"
    assert judge(wild, PROTOCOL).p_holm < 0.05
    assert judge(wild, PROTOCOL).word == "benefit within noise"


def test_benefit_within_noise_when_the_lead_is_not_significant():
    rival = [0.95, 0.6, 0.9, 0.62, 0.93, 0.7, 0.95, 0.66, 0.9, 0.64]
    verdict = judge(study_scores(_around(0.85), {"svm": rival}), PROTOCOL)
    assert verdict.word == "benefit within noise"
    assert verdict.p_holm > 0.05
    assert verdict.comparisons[0].difference > PROTOCOL.equivalence_band


def test_a_significant_lead_inside_the_band_is_no_benefit():
    own = _around(0.9)
    verdict = judge(study_scores(own, {"svm": [s - 0.005 - 0.0001 * i for i, s in enumerate(own)]}), PROTOCOL)
    assert verdict.p_holm < 0.001
    assert verdict.comparisons[0].equivalent
    assert verdict.word == "no evidence of benefit"


def test_a_worse_kernel_is_no_benefit():
    verdict = judge(study_scores(_around(0.7), {"svm": _around(0.9)}), PROTOCOL)
    assert verdict.word == "no evidence of benefit"
    assert verdict.sentence.startswith("no evidence of benefit: 0.700 against 0.900 of svm, difference -0.200")


def test_a_lead_among_models_that_learned_nothing_is_no_benefit():
    own = [0.7, 0.4, 0.6, 0.5, 0.65, 0.35, 0.7, 0.4, 0.6, 0.5]
    verdict = judge(study_scores(own, {"svm": _around(0.5, 0.1)}), PROTOCOL)
    assert verdict.quantum_score > verdict.best_score + PROTOCOL.equivalence_band
    assert verdict.word == "no evidence of benefit"


def test_the_ablation_does_not_decide_the_word():
    scores = study_scores(_around(0.98), {"svm": _around(0.7)}, ablation=_around(0.99))
    verdict = judge(scores, PROTOCOL)
    assert verdict.word == "benefit"
    assert verdict.best_rival == "svm"
    assert any("Entanglement is not what helps" in reason for reason in verdict.reasons)


def test_few_folds_carry_no_claim():
    few = judge(study_scores([1.0] * 4, {"svm": [0.5] * 4}), PROTOCOL)
    assert few.p_holm == 0.0
    assert few.word == "benefit within noise"
    assert any("4 outer folds are too few" in reason for reason in few.reasons)
    assert judge(study_scores([1.0] * 5, {"svm": [0.5] * 5}), PROTOCOL).word == "benefit"


def test_many_rivals_need_a_clearer_lead():
    own, rival = [0.9, 0.84, 0.88, 0.83, 0.91, 0.86], [0.8, 0.79, 0.79, 0.8, 0.8, 0.82]
    few = judge(study_scores(own, {"a": rival}), PROTOCOL)
    many = judge(study_scores(own, dict.fromkeys("abcdefgh", rival)), PROTOCOL)
    assert few.word == "benefit"
    assert many.word == "benefit within noise"
    assert many.p_holm > few.p_holm


@pytest.mark.parametrize(("cpu", "words"), [(1.0, "at 1 times the cost"), (0.0, "at 1 times the cost")])
def test_cost_is_in_the_sentence_only(cpu, words):
    scores = study_scores(_around(0.98), {"svm": _around(0.7)}, cpu=cpu)
    verdict = judge(scores, PROTOCOL)
    assert verdict.sentence.startswith(f"benefit, {words}: 0.980 against 0.700 of svm")
    assert not any("cost" in reason for reason in verdict.reasons)


def test_cost_ratio_is_quantum_over_best_rival():
    own = _around(0.98)
    scores = study_scores(own, {}, cpu=30.0)[:10] + study_scores(own, {"svm": _around(0.7)}, cpu=2.0)[10:]
    verdict = judge(scores, PROTOCOL)
    assert verdict.cost_ratio == pytest.approx(15)
    assert verdict.sentence.startswith("benefit, at 15 times the cost")


def test_the_same_scores_give_the_same_verdict_in_any_order():
    scores = study_scores(_around(0.8), {"svm": _around(0.79), "knn": _around(0.7)})
    assert judge(scores, PROTOCOL) == judge(scores, PROTOCOL)
    quantum, rest = scores[:10], scores[10:]
    assert judge(rest + quantum, PROTOCOL) == judge(scores, PROTOCOL)
