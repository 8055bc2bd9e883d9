import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.models import machine
from quantum_assets_tests.models.studies import blobs


def _gram(left, right, sharpness=0.3):
    return np.exp(-sharpness * ((left[:, None] - right[None]) ** 2).sum(axis=2))


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("c", [0.1, 1.0, 100.0])
def test_answers_as_libsvm_does(classes, c):
    from sklearn.svm import SVC

    data, new = blobs(90, classes, columns=5, distance=1.0), blobs(300, classes, columns=5, distance=1.0, seed=9)
    gram, rows = _gram(data.features, data.features), _gram(new.features, data.features)
    svc = SVC(C=c, kernel="precomputed", decision_function_shape="ovo").fit(gram, data.labels)
    fitted = machine.fit(machine.training_kernel(gram), data.labels, c)
    sign = -1 if classes == 2 else 1
    theirs = svc.decision_function(rows).reshape(len(rows), -1)
    np.testing.assert_allclose(machine.decision(fitted, rows), sign * theirs, atol=1e-10)
    assert np.array_equal(machine.predict(fitted, rows), svc.predict(rows))


def test_class_numbers_need_not_be_dense():
    data = blobs(40)
    labels = np.where(data.labels == 0, 1, 4)
    fitted = machine.fit(machine.training_kernel(_gram(data.features, data.features)), labels, 10.0)
    answer = machine.predict(fitted, _gram(data.features, data.features))
    assert set(answer) == {1, 4}
    assert np.mean(answer == labels) > 0.9


def test_one_class_is_always_answered():
    fitted = machine.fit(machine.training_kernel(np.eye(4)), np.full(4, 2), 1.0)
    assert machine.predict(fitted, np.zeros((3, 4))).tolist() == [2, 2, 2]


def test_a_positive_matrix_is_left_as_it_is():
    gram = _gram(blobs(30).features, blobs(30).features)
    kernel = machine.training_kernel(gram)
    assert kernel.projector is None
    assert np.array_equal(kernel.matrix, gram)


def test_an_indefinite_matrix_is_repaired_and_new_rows_follow_without_a_projector():
    from sklearn.svm import SVC

    data, new = blobs(50), blobs(20, seed=3)
    random = np.random.default_rng(0)
    gram = _gram(data.features, data.features) + 0.2 * random.normal(size=(50, 50))
    rows = _gram(new.features, data.features)
    kernel = machine.training_kernel(gram)
    assert kernel.projector is not None
    assert np.linalg.eigvalsh((gram + gram.T) / 2)[0] < -0.1
    assert np.linalg.eigvalsh(kernel.matrix)[0] > -1e-10
    svc = SVC(C=1.0, kernel="precomputed").fit(kernel.matrix, data.labels)
    fitted = machine.fit(kernel, data.labels, 1.0)
    np.testing.assert_allclose(
        -machine.decision(fitted, rows)[:, 0], svc.decision_function(rows @ kernel.projector), atol=1e-10
    )


def test_refuses_kernel_rows_of_another_width():
    fitted = machine.fit(machine.training_kernel(np.eye(4)), np.array([0, 1, 0, 1]), 1.0)
    with pytest.raises(PlanError, match=r"\(2, 3\).*4 training rows"):
        machine.decision(fitted, np.zeros((2, 3)))
