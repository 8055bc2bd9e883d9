import numpy as np
import pyarrow as pa
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.study import Protocol
from quantum_assets.contracts.tables import EVALUATION, VERDICT
from quantum_assets.models.tables import scores_from_table, scores_table, verdict_summary, verdict_table
from quantum_assets.models.verdict import judge
from quantum_assets_tests.models.studies import study_scores

SCORES = study_scores([0.9, 0.8, 0.85, 0.95, 0.9], {"svm": [0.7, 0.75, 0.7, 0.8, 0.7]}, ablation=[0.9] * 5)
PROTOCOL = Protocol()


def test_scores_survive_their_table_and_give_the_same_verdict():
    table = scores_table(SCORES)
    EVALUATION.to_pandera().validate(table.to_pandas())
    assert table.column_names == [column.name for column in EVALUATION.columns]
    assert scores_from_table(table) == tuple(SCORES)
    assert judge(scores_from_table(table), PROTOCOL) == judge(SCORES, PROTOCOL)


def test_verdict_has_one_row_a_rival_and_can_be_read_back():
    verdict = judge(SCORES, PROTOCOL)
    table = verdict_table(verdict)
    VERDICT.to_pandera().validate(table.to_pandas())
    assert table.column("rival").to_pylist() == ["svm", "majority", "no_entanglers"]
    assert np.allclose(table.column("rival_score").to_numpy(), [0.73, 0.5, 0.9])
    summary = verdict_summary(table)
    assert (summary.word, summary.reasons) == (verdict.word, verdict.reasons)
    assert summary.comparisons == verdict.comparisons
    assert summary.quantum_score == verdict.quantum_score


def test_nothing_in_the_verdict_table_depends_on_time():
    slow = study_scores([0.9, 0.8, 0.85, 0.95, 0.9], {"svm": [0.7, 0.75, 0.7, 0.8, 0.7]}, ablation=[0.9] * 5, cpu=77.0)
    assert verdict_table(judge(slow, PROTOCOL)).equals(verdict_table(judge(SCORES, PROTOCOL)))


def test_extreme_scores_stay_within_the_contract():
    table = verdict_table(judge(study_scores([1.0, 0.1, 1.0], {"svm": [0.0, 0.0, 0.0], "top": [1.0] * 3}), PROTOCOL))
    VERDICT.to_pandera().validate(table.to_pandas())


def test_refuses_an_empty_verdict():
    with pytest.raises(PlanError, match="verdict table"):
        verdict_summary(verdict_table(judge(SCORES, PROTOCOL)).slice(0, 0))


def test_types_are_the_contracts():
    assert scores_table(SCORES).schema.field("circuits_needed").type == pa.int64()
    assert verdict_table(judge(SCORES, PROTOCOL)).schema.field("equivalent").type == pa.bool_()
