import numpy as np
import pytest
from scipy.optimize import check_grad

from quantum_assets.models.estimators import Columns, _layers, boosting, forest, network, network_loss, softmax

pytestmark = pytest.mark.usefixtures("quiet")


def _wdbc():
    from sklearn.datasets import load_breast_cancer

    features, labels = load_breast_cancer(return_X_y=True)
    return (features - features.mean(axis=0)) / features.std(axis=0), labels.astype(np.int64)


def _wine():
    from sklearn.datasets import load_wine

    features, labels = load_wine(return_X_y=True)
    return (features - features.mean(axis=0)) / features.std(axis=0), labels.astype(np.int64)


def _ours(name):
    return {
        "forest": lambda d: forest(d, 30, 0.0, None, 1),
        "boosting": lambda d: boosting(d, 20, 0.3, 2),
        "network": lambda d: network(d, 8, 0.1, 40),
    }[name]


def _theirs(name):
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
    from sklearn.neural_network import MLPClassifier

    return {
        "forest": lambda: RandomForestClassifier(30, random_state=0),
        "boosting": lambda: GradientBoostingClassifier(n_estimators=20, learning_rate=0.3, max_depth=2, random_state=0),
        "network": lambda: MLPClassifier((8,), "tanh", solver="lbfgs", alpha=0.1, max_iter=40, random_state=0),
    }[name]()


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("data", [_wdbc, _wine])
@pytest.mark.parametrize("name", ["forest", "boosting", "network"])
def test_is_as_good_as_scikit_learns_own(name, data):
    features, labels = data()
    ours, theirs = [], []
    for seed in range(6):
        order = np.random.default_rng(seed).permutation(len(labels))
        train, test = order[:100], order[100:]
        columns = Columns(features[train], labels[train], features[test], int(labels.max()) + 1, seed)
        ours.append(np.mean(_ours(name)(columns) == labels[test]))
        theirs.append(
            np.mean(_theirs(name).fit(features[train], labels[train]).predict(features[test]) == labels[test])
        )
    assert np.mean(ours) > np.mean(theirs) - 0.015


@pytest.mark.parametrize("name", ["forest", "boosting", "network"])
def test_same_seed_same_answer_and_absent_classes_are_never_answered(name):
    features, labels = _wine()
    kept = labels != 1
    columns = Columns(features[kept], labels[kept], features, 3, seed=5)
    first, again = _ours(name)(columns), _ours(name)(columns)
    assert np.array_equal(first, again)
    assert set(first) == {0, 2}


@pytest.mark.parametrize("name", ["forest", "boosting", "network"])
def test_learns_what_no_line_parts(name):
    random = np.random.default_rng(0)
    points = random.uniform(-1, 1, (300, 2))
    labels = (points[:, 0] * points[:, 1] > 0).astype(np.int64)
    columns = Columns(points[:200], labels[:200], points[200:], 2, seed=0)
    assert np.mean(_ours(name)(columns) == labels[200:]) > 0.85


def test_network_gradient_is_the_derivative_of_its_loss():
    random = np.random.default_rng(1)
    columns, target = random.normal(size=(20, 3)), np.eye(3)[random.integers(0, 3, 20)]
    shapes = [(3, 4), (1, 4), (4, 3), (1, 3)]
    flat = random.normal(size=sum(a * b for a, b in shapes))

    def loss(at):
        return network_loss(_layers(at, shapes), columns, target, 0.7)

    assert check_grad(lambda at: loss(at)[0], lambda at: loss(at)[1], flat) < 1e-5


def test_softmax_survives_large_scores():
    assert softmax(np.array([[1000.0, 1000.0], [0.0, -1000.0]])).tolist() == [[0.5, 0.5], [1.0, 0.0]]
