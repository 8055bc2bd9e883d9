from dataclasses import replace

import pytest

from quantum_assets.models.ladder import Contrast, Ladder, Rung
from quantum_assets.models.proportions import Interval

HALF, POINT = Interval(0.5, 0.4, 0.6), Interval(1.0, 1.0, 1.0)


def ladder(*contrasts: Contrast) -> Ladder:
    rungs = tuple(
        Rung(name, stage, 100, HALF, POINT, None if stage == "raw" else HALF)
        for stage in ("raw", "repaired")
        for name in ("uniform", "product", "sampler", "greedy")
    )
    return Ladder("max_cut", "toy", "edges", 10.0, 100, 0.05, 1, rungs, contrasts)


def contrast(difference: float, p_holm: float, measure="optimum", rival="product", stage="repaired") -> Contrast:
    return Contrast(stage, measure, rival, difference, "exact", p_holm / 2, p_holm)


@pytest.mark.parametrize(
    ("contrasts", "finding"),
    [
        ([contrast(0.1, 0.01)], "above"),
        ([contrast(-0.1, 0.01)], "below"),
        ([contrast(0.1, 0.05)], "not told apart from"),
        ([contrast(0.1, 0.01), contrast(0.3, 0.02, "gap")], "above"),
        ([contrast(0.1, 0.01), contrast(-0.3, 0.02, "gap")], "not told apart from"),
        ([contrast(0.1, 0.01, rival="uniform")], "not told apart from"),
        ([contrast(0.1, 0.01, stage="raw")], "not told apart from"),
        ([], "not told apart from"),
    ],
)
def test_what_follows_from_the_tests(contrasts, finding):
    found = ladder(*contrasts)
    assert found.finding() == finding
    assert f"is {finding} the product" in found.sentence()


def test_findings_against_another_rival_or_at_another_stage():
    found = ladder(contrast(0.1, 0.01, rival="uniform"), contrast(-0.1, 0.01, "feasible", stage="raw"))
    assert found.finding("uniform") == "above"
    assert found.finding(stage="raw") == "below"


def test_controls_are_called_by_what_they_are():
    plain = ladder()
    assert plain.called("uniform") == "uniform bits"
    assert plain.called("greedy") == "greedy row"
    named = replace(
        plain, names={"uniform": "uniform rows of 5 ones", "product": "product of its marginals, given 5 ones"}
    )
    assert named.called("sampler") == "sampler"
    assert "not told apart from the product of its marginals, given 5 ones: P(optimum)" in named.sentence()
    assert named.sentence().count("uniform rows of 5 ones") == 2


def test_rows_are_a_table():
    rows = ladder(contrast(0.1, 0.01), contrast(0.2, 0.03, "feasible", "uniform", "raw")).rows()
    assert len(rows) == 8
    assert len({tuple(row) for row in rows}) == 1
    by = {(row["stage"], row["rung"]): row for row in rows}
    assert by["repaired", "sampler"]["optimum_p_holm_product"] == 0.01
    assert by["raw", "sampler"]["feasible_p_holm_uniform"] == 0.03
    assert by["repaired", "uniform"]["optimum_p_holm_product"] is None
    assert by["raw", "sampler"]["gap"] is None
    assert by["repaired", "sampler"]["gap_high"] == 0.6


def test_a_rung_by_name():
    found = ladder()
    assert found.rung("greedy").stage == found.last_stage == "repaired"
    assert found.rung("greedy", "raw").gap is None
    with pytest.raises(KeyError):
        found.rung("greedy", "polished")
