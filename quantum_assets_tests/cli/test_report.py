"""The table of verdicts: one row a study, in words and numbers that the store holds."""

import io
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from quantum_assets.cli.report import Job, Outcome, decision_table, verdict_table, where_next
from quantum_assets.contracts.evaluation import FoldScore
from quantum_assets.contracts.kernel import KernelMatrix
from quantum_assets.contracts.study import Protocol
from quantum_assets.contracts.tables import DECISION, EVALUATION, FEATURES, GRAM, PROBLEM, VERDICT
from quantum_assets.models.tables import scores_table
from quantum_assets.models.tables import verdict_table as stored_verdict
from quantum_assets.models.verdict import judge
from quantum_assets.store.gram import gram_table
from quantum_assets.store.home import FOLDER, Home
from quantum_assets.store.store import Store

PARTITION = {"profile": "ideal"}
MODELS = (("quantum", "quantum", 0.7), ("svm_rbf", "classical", 0.9), ("majority", "floor", 0.5))


def _store_study(home: Path) -> None:
    import numpy as np

    scores = [
        FoldScore(model, family, 0, fold, value, value, "{}", 3, 8, 2, 0, 1.0)  # type: ignore[arg-type]
        for model, family, value in (
            ("quantum", "quantum", 0.7),
            ("svm_rbf", "classical", 0.9),
            ("majority", "floor", 0.5),
        )
        for fold in range(5)
    ]
    protocol = Protocol()
    store, ids = Store(Home(home).store), ("a", "b")
    features = pa.table({"split": ["full"], "sample_id": ["a"], "row": [0], "train": [True], "q_0": [0.1]})
    store.commit(("toy", "features"), {}, features, FEATURES, {"qubits": 3})
    store.commit(("toy", "quantum_kernel"), PARTITION, gram_table(KernelMatrix(np.eye(2), ids, ids, "k")), GRAM, {})
    store.commit(("toy", "evaluation"), PARTITION, scores_table(scores), EVALUATION, {})
    verdict = stored_verdict(judge(scores, protocol))
    store.commit(("toy", "verdict"), PARTITION, verdict, VERDICT, {"protocol": protocol.model_dump(mode="json")})


def _text(home: Path, *outcomes: Outcome, width: int = 120) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(verdict_table(home, outcomes))
    return console.export_text()


def test_a_row_says_what_the_store_holds(tmp_path: Path) -> None:
    _store_study(tmp_path)
    text = _text(tmp_path, Outcome(Job("toy", "ideal"), 12.4, "run"))
    for word in ("toy", "ideal", "0.700", "0.900", "svm_rbf", "no evidence of benefit", "12 s"):
        assert word in text


def test_a_failed_run_has_no_row(tmp_path: Path) -> None:
    assert "toy" not in _text(tmp_path, Outcome(Job("toy", "ideal"), 1.0, "run", "it broke"))


def test_where_to_look_next_names_a_study_that_ran(tmp_path: Path) -> None:
    text = where_next(tmp_path, [Job("iris", "noisy")])
    assert f"print(qa.load('iris/quantum_kernel', profile='noisy', home='{tmp_path}'))" in text
    assert f"quantum-assets history iris/verdict --partition profile=noisy --home {tmp_path}" in text
    assert f"quantum-assets ui --home {tmp_path}" in text
    assert "decision" not in text


def test_the_home_of_this_folder_needs_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = where_next(tmp_path / FOLDER, [Job("iris", "ideal"), Job("wine", "ideal")])
    assert "make ui" in text
    assert "wine/verdict" in text
    assert "home=" not in text
    assert "--home" not in text
    assert "--home mine" in where_next(tmp_path / "mine", [Job("iris", "ideal")])


MONTH = Job("stocks", "ideal", "2020-02", decides=True)


def _store_decision(home: Path, bound: float | None) -> None:
    store = Store(Home(home).store)
    problem = {"part": ["variable"], "name": ["A"], "members": ["0"], "coefficient": [0.0]}
    store.commit(("stocks", "problem"), {"period": "2020-02"}, pa.table(problem), PROBLEM, {"unit": "return a year"})
    common = {"bits": "1", "violations": 0.0, "choice": "[]", "reasons": "", "gap_to_bound": bound}
    quantum = {"path": "quantum", "maker": "qaoa", "published": True, "by": "ensemble", "objective": 0.25}
    rival = {"path": "classical", "maker": "tabu", "published": False, "by": "", "objective": 0.125}
    rows = [{**quantum, "gap_to_best_known": 0.0, **common}, {**rival, "gap_to_best_known": 0.5, **common}]
    columns = {column.name: [row[column.name] for row in rows] for column in DECISION.columns}
    types = {"gap_to_bound": pa.float64()}
    table = pa.table({name: pa.array(values, types.get(name)) for name, values in columns.items()})
    store.commit(("stocks", "decision"), MONTH.partition, table, DECISION, {"finding": "not told apart from"})


def _decisions(home: Path, *outcomes: Outcome) -> str:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(decision_table(home, outcomes))
    return console.export_text()


def test_a_decision_says_who_was_published_and_what_the_ladder_found(tmp_path: Path) -> None:
    _store_decision(tmp_path, 0.125)
    text = _decisions(tmp_path, Outcome(MONTH, 3.4, "run"))
    for word in ("2020-02|ideal", "quantum (qaoa)", "0.25 return a year", "0.00%", "12.50%", "kept", "3 s"):
        assert word in text
    assert "not told apart from" in text
    assert "tabu" not in text


def test_a_decision_without_a_bound_or_that_failed(tmp_path: Path) -> None:
    _store_decision(tmp_path, None)
    assert "none" in _decisions(tmp_path, Outcome(MONTH, 3.4, "run"))
    assert "stocks" not in _decisions(tmp_path, Outcome(MONTH, 3.4, "run", "it broke"))
    assert "stocks" not in _text(tmp_path, Outcome(MONTH, 3.4, "run"))


def test_where_to_look_next_names_a_decision_by_its_partition(tmp_path: Path) -> None:
    text = where_next(tmp_path, [MONTH])
    assert f"qa.load('stocks/decision', period='2020-02', profile='ideal', home='{tmp_path}')" in text
    assert "verdict" not in text
