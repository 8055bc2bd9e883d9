import json

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.tables import MODEL
from quantum_assets.models.kernel_model import (
    decision,
    model_arrays,
    model_from_arrays,
    model_from_table,
    model_table,
    predict,
    refit,
)
from quantum_assets_tests.models.studies import blobs, dataset_of

CHOSEN = {"map": "zz-linear-r2", "bandwidth": 0.2, "C": 10.0}


def _gram(left, right):
    return np.exp(-0.3 * ((left[:, None] - right[None]) ** 2).sum(axis=2))


def _study(classes):
    data, new = blobs(60, classes, distance=1.0), blobs(200, classes, distance=1.0, seed=5)
    return data, _gram(data.features, data.features), _gram(new.features, data.features)


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_predicts_exactly_what_scikit_learn_does(classes):
    from sklearn.svm import SVC

    data, gram, rows = _study(classes)
    model = refit(gram, data, CHOSEN)
    svc = SVC(C=10.0, kernel="precomputed").fit(gram, data.labels)
    assert np.array_equal(predict(model, rows), svc.predict(rows))
    assert np.array_equal(predict(model, gram), svc.predict(gram))
    assert decision(model, rows).shape == (200, classes * (classes - 1) // 2)
    assert model.sample_ids == tuple(data.sample_ids[row] for row in np.sort(svc.support_))


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
def test_the_table_holds_the_whole_model(classes, noisy):
    data, gram, rows = _study(classes)
    gram = gram + noisy * 0.1 * np.random.default_rng(0).normal(size=gram.shape)
    model = refit(gram, data, CHOSEN)
    table = model_table(model)
    MODEL.to_pandera().validate(table.to_pandas())
    assert table.column_names == [column.name for column in MODEL.columns]
    back = model_from_table(table, data.class_names, CHOSEN, data.n_samples)
    assert np.array_equal(decision(back, rows), decision(model, rows))
    assert np.array_equal(predict(back, rows), predict(model, rows))
    assert back.sample_ids == model.sample_ids


def test_the_files_hold_the_whole_model_and_equal_models_are_equal_bytes():
    data, gram, rows = _study(3)
    files = model_arrays(refit(gram, data, CHOSEN))
    assert files == model_arrays(refit(gram, data, CHOSEN))
    facts = json.loads(files["model.json"])
    assert facts["configuration"] == CHOSEN
    assert facts["class_names"] == ["class-0", "class-1", "class-2"]
    back = model_from_arrays(files)
    assert np.array_equal(decision(back, rows), decision(refit(gram, data, CHOSEN), rows))
    assert back.class_names == data.class_names


def test_files_hold_no_pickle():
    files = model_arrays(refit(*_study(2)[1::-1], CHOSEN))
    with pytest.raises(PlanError, match=r"missing \['model.json'\]"):
        model_from_arrays({"model.npz": files["model.npz"]})
    with pytest.raises(PlanError, match="format other/v1"):
        model_from_arrays({**files, "model.json": b'{"format": "other/v1"}'})
    assert b"pickle" not in files["model.npz"]


def test_refuses_other_rows_one_class_and_foreign_tables():
    data, gram, _ = _study(2)
    with pytest.raises(PlanError, match=r"\(59, 59\) for 60 rows"):
        refit(gram[1:, 1:], data, CHOSEN)
    with pytest.raises(PlanError, match="one class only"):
        refit(gram, dataset_of(data.features, np.zeros(60)), CHOSEN)
    table = model_table(refit(gram, data, CHOSEN))
    with pytest.raises(PlanError, match="does not fit 3 training rows"):
        model_from_table(table, data.class_names, CHOSEN, 3)
    with pytest.raises(PlanError, match="does not fit"):
        model_from_table(table, ("only",), CHOSEN, 60)
    with pytest.raises(PlanError, match="does not fit"):
        model_from_table(table.slice(0, 0), data.class_names, CHOSEN, 60)
