import numpy as np
import pytest

from quantum_assets.models.scoring import accuracy, balanced_accuracy, score

TRUTH = np.array([0, 0, 0, 0, 0, 0, 1, 1])


def test_accuracy_counts_rows():
    assert accuracy(TRUTH, np.zeros(8, int)) == 0.75


def test_balanced_accuracy_is_mean_recall():
    assert balanced_accuracy(TRUTH, np.zeros(8, int)) == 0.5
    assert balanced_accuracy(TRUTH, np.array([0, 0, 0, 1, 1, 1, 1, 1])) == 0.75


def test_a_class_that_is_predicted_but_absent_costs_recall_only():
    assert balanced_accuracy(np.array([0, 0, 2, 2]), np.array([0, 1, 2, 3])) == 0.5


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_scikit_learn(seed):
    from sklearn.metrics import accuracy_score, balanced_accuracy_score

    random = np.random.default_rng(seed)
    truth, predicted = random.integers(0, 4, 50), random.integers(0, 4, 50)
    assert score("balanced_accuracy", truth, predicted) == pytest.approx(balanced_accuracy_score(truth, predicted))
    assert score("accuracy", truth, predicted) == pytest.approx(accuracy_score(truth, predicted))
