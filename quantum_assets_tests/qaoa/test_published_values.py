"""Numbers that others published, from our engine in our convention."""

import json
from pathlib import Path

import numpy as np
import pytest

from quantum_assets.contracts.qaoa import AngleTable, AnsatzSpec, Convention
from quantum_assets.qaoa.angles import fixed_angles
from quantum_assets.qaoa.engine import prepare
from quantum_assets.qaoa.fixed_angles import FIXED_ANGLES
from quantum_assets.qaoa.trees import tree_cut_fraction
from quantum_assets_tests.qaoa.polynomials import labs, max_cut

TABLES = Path(__file__).parents[3] / "shared" / "data" / "angles"
needs_tables = pytest.mark.skipif(not TABLES.is_dir(), reason="the published tables are not on this machine")

# Farhi, Goldstone and Gutmann (2014) for one and two layers, Wurtz and Lykov (arXiv:2107.00677) further, digits from
# arXiv:2503.12789: cut fraction of 3-regular graphs of large girth.
FRACTIONS = {
    1: 0.6924500897,
    2: 0.7559064585,
    3: 0.7923984288,
    4: 0.8168765649,
    5: 0.8363808251,
    6: 0.8498971346,
    7: 0.8597842271,
    8: 0.8673925810,
}


@pytest.mark.parametrize("graph", ["heawood", "pappus", "desargues"])
@pytest.mark.parametrize("layers", [1, 2])
def test_fixed_angles_cut_the_published_fraction(graph: str, layers: int) -> None:
    ising = max_cut(graph)
    fraction = -prepare(ising, AnsatzSpec(layers=layers)).mean(fixed_angles(3, layers).vector) / len(ising.terms)
    assert fraction == pytest.approx(FRACTIONS[layers], abs=1e-9)


@pytest.mark.parametrize("layers", list(FRACTIONS))
def test_our_table_reaches_the_published_fractions(layers: int) -> None:
    assert FIXED_ANGLES[3, layers][2] == pytest.approx(FRACTIONS[layers], abs=1e-10)


# Shaydulin et al., Science Advances 10, eadm6761 (2024): angles of the best known chance of an optimal sequence, from
# QOKit's best_LABS_QAOA_parameters_wrt_overlap.json, whose layer is exp(-iβM) exp(-iγE/2).
LABS = {
    (10, 1): ([0.0788139605], [-0.1899602111], 0.1272187238),
    (10, 5): (
        [0.0661013761, 0.1351407309, 0.1365390536, 0.150184923, 0.1775111712],
        [-0.2261604879, -0.1482192504, -0.1413220406, -0.1223337031, -0.0977587818],
        0.3624673956,
    ),
    (9, 3): ([0.06949435, 0.1405870566, 0.1639277167], [-0.1797605153, -0.1058324155, -0.0735113811], 0.1949565599),
    (7, 5): (
        [0.1904908443, 0.2101151584, 0.2304060585, 0.2950436922, 0.3004730049],
        [-0.2237941245, -0.2168995377, -0.3284343629, 0.0993531404, -0.618943641],
        0.5760352306,
    ),
}


@pytest.mark.parametrize(("n", "layers"), list(LABS))
def test_published_chances_of_an_optimal_low_autocorrelation_sequence(n: int, layers: int) -> None:
    gammas, betas, chance = LABS[n, layers]
    published = AngleTable(gammas=gammas, betas=betas, convention=Convention.HALF_ENERGY, source="QOKit.")
    engine = prepare(labs(n), AnsatzSpec(layers=layers))
    assert engine.optimum_probability(published.vector) == pytest.approx(chance, abs=1e-9)


def test_the_published_chance_of_one_layer_is_the_optimum() -> None:
    from scipy.optimize import minimize

    engine = prepare(labs(10), AnsatzSpec())
    found = minimize(
        lambda angles: -engine.optimum_probability(angles),
        [0.04, -0.2],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-14},
    )
    assert -found.fun == pytest.approx(0.1272187238, abs=1e-9)


@needs_tables
def test_the_table_of_seventeen_layers_agrees_after_conversion() -> None:
    rows = json.loads((TABLES / "data_max_cut_qaoa_p17.json").read_text(encoding="utf-8"))
    for layers in range(1, 9):
        row = rows[str(layers)]
        table = AngleTable(
            gammas=row["gamma"], betas=row["beta"], convention=Convention.DOUBLE_CUT, source="Published."
        )
        assert tree_cut_fraction(3, table.vector) == pytest.approx(row["energy"], abs=2e-10)
        if layers <= 8:
            np.testing.assert_allclose(table.vector, fixed_angles(3, layers).vector, atol=2e-4)


@needs_tables
def test_the_table_of_regular_graphs_agrees_after_conversion() -> None:
    rows = json.loads((TABLES / "fixed_angles_for_regular_graphs.json").read_text(encoding="utf-8"))
    checked = 0
    for row in rows.values():
        if row["p"] > 5:
            continue
        table = AngleTable(gammas=row["gamma"], betas=row["beta"], convention=Convention.HALF_CUT, source="Published.")
        fraction = tree_cut_fraction(row["d"], table.vector)
        assert fraction == pytest.approx(row["AR"], abs=2e-5)  # their column of fractions is that rough
        if (row["d"], row["p"]) in FIXED_ANGLES:
            assert FIXED_ANGLES[row["d"], row["p"]][2] >= fraction - 1e-9
        checked += 1
    assert checked > 30
