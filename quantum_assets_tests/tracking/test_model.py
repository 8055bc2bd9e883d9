import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from quantum_assets.contracts.errors import TrackingError
from quantum_assets.tracking.delivery import deliver
from quantum_assets.tracking.model import check_arrays, save
from quantum_assets_tests.tracking.conftest import Place
from quantum_assets_tests.tracking.fakes import COLUMNS, make_model, make_record, model_bytes

NAME = "wine-kernel_model"
# Columns s0, s1, s3 speak for ash, birch and cedar; s2 has no coefficient. The last row is a draw of one vote each way.
ROWS = pd.DataFrame([[5, 1, 9, 0], [0, 4, 0, 3], [1, 0, 0, 2], [0, 0, 7, 0]], columns=list(COLUMNS), dtype=float)
LABELS = ["ash", "birch", "cedar", "cedar"]


def deliver_model(place: Place, number: int, **changes: Any) -> None:
    deliver(place.client, place.home, place.uri, make_record(number, model=make_model(**changes)))


def alias(place: Place, name: str = NAME) -> str:
    return str(place.client.get_model_version_by_alias(name, "champion").run_id)


def test_a_registered_model_answers(place: Place, mlflow: Any) -> None:
    record = make_record(1, model=make_model())
    deliver(place.client, place.home, place.uri, record)
    run_id = place.assert_whole(record)
    version = place.client.get_model_version_by_alias(NAME, "champion")
    assert (str(version.version), version.run_id) == ("1", run_id)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = mlflow.pyfunc.load_model(version.source)
    answer = model.predict(ROWS)
    assert list(answer.columns) == ["label"]
    assert answer["label"].tolist() == LABELS
    shuffled = ROWS[["s3", "s2", "s1", "s0"]]
    assert model.predict(shuffled)["label"].tolist() == LABELS  # the signature puts columns in order
    with pytest.raises(mlflow.exceptions.MlflowException, match="s3"):
        model.predict(ROWS.drop(columns="s3"))


def test_a_saved_model_holds_no_pickle_and_asks_for_plain_packages(place: Place, tmp_path: Path) -> None:
    save(make_model(), tmp_path / "model")
    names = {path.name for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert names == {"MLmodel", "conda.yaml", "python_env.yaml", "requirements.txt", "predictor.py", "model.npz"}
    requirements = (tmp_path / "model" / "requirements.txt").read_text().split()
    assert [line.split("==")[0] for line in requirements] == ["mlflow", "numpy", "pandas"]


def test_the_model_hangs_under_its_run(place: Place) -> None:
    deliver_model(place, 1)
    (run,) = place.runs()
    (output,) = run.outputs.model_outputs
    logged = place.client.get_logged_model(output.model_id)
    assert (logged.name, logged.source_run_id, str(logged.status)) == (NAME, run.info.run_id, "READY")


def test_the_alias_follows_the_newest_record_and_never_goes_back(place: Place) -> None:
    deliver_model(place, 5)
    newest = place.runs()[0].info.run_id
    deliver_model(place, 2)
    assert alias(place) == newest
    deliver_model(place, 9)
    assert alias(place) == place.runs(make_record(9).key)[0].info.run_id
    assert len(place.client.search_model_versions(f"name = '{NAME}'")) == 3


def test_the_alias_is_set_once(place: Place) -> None:
    class Counting:
        """Counts how often the alias is set."""

        def __init__(self, client: Any) -> None:
            self.client, self.settings = client, 0

        def set_registered_model_alias(self, *args: Any) -> None:
            self.settings += 1
            self.client.set_registered_model_alias(*args)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.client, name)

    client: Any = Counting(place.client)
    for number in (1, 2, 0):
        deliver(client, place.home, place.uri, make_record(number, model=make_model()))
    assert client.settings == 2


def test_a_name_that_mlflow_refuses_is_rewritten(place: Place) -> None:
    deliver_model(place, 1, name="wine/model:1.0", alias="v1")
    (model,) = place.client.search_registered_models()
    assert model.name.startswith("wine_model_1_0-")
    assert [name.split("-")[0] for name in model.aliases] == ["v1"]


def test_one_class_alone_is_always_the_answer(place: Place, mlflow: Any, tmp_path: Path) -> None:
    empty = {"pairs": np.zeros((0, 2), int), "rows": np.zeros(0, int), "coefficients": np.zeros((0, 0))}
    data = model_bytes(classes=np.array(["ash"]), intercepts=np.zeros(0), **empty)
    save(make_model(arrays={"model.npz": data}), tmp_path / "model")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = mlflow.pyfunc.load_model(str(tmp_path / "model"))
    assert model.predict(ROWS)["label"].tolist() == ["ash"] * 4


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"arrays": {}}, "has files"),
        ({"arrays": {"model.npz": b"junk"}}, "cannot be read"),
        ({"arrays": {"model.npz": model_bytes(classes=np.array(["a", None], dtype=object))}}, "cannot be read"),
        ({"arrays": {"model.npz": model_bytes(coefficients=np.zeros((3, 2)))}}, "arrays have shapes"),
        ({"arrays": {"model.npz": model_bytes(intercepts=np.zeros(2))}}, "arrays have shapes"),
        ({"arrays": {"model.npz": model_bytes(classes=np.array(["a", "b"]))}}, "point past"),
        ({"input_schema": COLUMNS[:3]}, "point past 3 columns"),
        ({"output_schema": ("label", "score")}, "one output column"),
    ],
)
def test_arrays_that_cannot_predict_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(TrackingError, match=words):
        check_arrays(make_model(**changes))
