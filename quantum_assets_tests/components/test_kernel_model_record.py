"""The model that a study hands to tracking must be one that tracking takes and that predicts what the study's does."""

import io

import numpy as np

from quantum_assets.contracts.dataset import Dataset
from quantum_assets.contracts.record import ModelRecord
from quantum_assets.models.kernel_model import model_arrays, predict, refit
from quantum_assets.tracking.model import check_arrays


def test_tracking_takes_the_arrays_of_a_refitted_model_and_they_say_the_same() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(30, 2))
    labels = (features[:, 0] > 0).astype(np.int64)
    gram = np.exp(-((features[:, None] - features[None]) ** 2).sum(axis=2))
    ids = tuple(f"s{i}" for i in range(30))
    data = Dataset("toy", features, labels, ("no", "yes"), ("a", "b"), ids)
    model = refit(gram, data, {"C": 1.0})
    files = model_arrays(model)
    check_arrays(ModelRecord("toy-ideal", "candidate", files, ids, ("label",)))
    with np.load(io.BytesIO(files["model.npz"]), allow_pickle=False) as held:
        decisions = gram[:, held["rows"]] @ held["coefficients"].T + held["intercepts"]
        said = np.where(decisions[:, 0] > 0, *(held["classes"][held["pairs"][0]]))
    assert said.tolist() == [data.class_names[index] for index in predict(model, gram)]
