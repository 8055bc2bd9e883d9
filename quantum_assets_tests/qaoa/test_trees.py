"""The tree recursion against closed forms, the engine on graphs without short cycles, and published optima."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.qaoa import AnsatzSpec
from quantum_assets.qaoa.engine import prepare
from quantum_assets.qaoa.trees import MOST_DEGREE, best_tree_angles, tree_cut_fraction
from quantum_assets_tests.qaoa.polynomials import max_cut


def one_layer(degree: int, gamma: float, beta: float) -> float:
    """Wang, Hadfield, Jiang and Rieffel, Phys. Rev. A 97, 022304 (2018), corollary 1, without triangles."""
    return 0.5 + 0.5 * np.sin(4 * beta) * np.sin(gamma) * np.cos(gamma) ** (degree - 1)


@pytest.mark.parametrize("degree", [2, 3, 4, 7, 50])
def test_one_layer_is_the_closed_form(degree: int) -> None:
    for gamma, beta in np.random.default_rng(degree).uniform(-1.5, 1.5, (5, 2)):
        found = tree_cut_fraction(degree, np.array([gamma, -beta]))
        assert found == pytest.approx(one_layer(degree, gamma, beta), abs=1e-12)


@pytest.mark.parametrize(
    ("graph", "degree", "layers"),
    [
        (("heawood",), 3, 1),
        (("heawood",), 3, 2),
        (("pappus",), 3, 2),
        (("cycle", 12), 2, 3),
        (("complete_bipartite", 4, 4), 4, 1),
    ],
)
def test_a_graph_of_large_girth_is_cut_as_its_tree_says(graph: tuple[str, int], degree: int, layers: int) -> None:
    ising = max_cut(*graph)
    engine = prepare(ising, AnsatzSpec(layers=layers))
    for seed in range(3):
        angles = np.random.default_rng(seed).uniform(-1, 1, 2 * layers)
        fraction = -engine.mean(angles) / len(ising.terms)
        assert tree_cut_fraction(degree, angles) == pytest.approx(fraction, abs=1e-11)


@pytest.mark.parametrize("degree", [3, 4, 8])
def test_the_best_single_layer_is_the_published_formula(degree: int) -> None:
    wanted = 0.5 + 0.5 * degree**-0.5 * (1 - 1 / degree) ** ((degree - 1) / 2)
    angles, found = best_tree_angles(degree, np.array([0.4, -0.3]))
    assert found == pytest.approx(wanted, abs=1e-10)
    assert angles == pytest.approx([np.arctan((degree - 1) ** -0.5), -np.pi / 8], abs=1e-5)


# Farhi, Goldstone, Gutmann and Zhou, Quantum 6, 759 (2022), digits from QOKit's table of SK parameters: optimal angles
# of the Sherrington-Kirkpatrick model, which are those of infinite degree, and its energy. Their γ is half of γ sqrt(D)
# here.
INFINITE_DEGREE = {
    1: ([0.5], [np.pi / 8], 0.303265),
    2: ([0.38174264, 0.66549924], [0.49596777, 0.26904314], 0.407545),
    4: ([0.29501610, 0.51443650, 0.55852064, 0.64285392], [0.57093052, 0.41752355, 0.30269117, 0.17286511], 0.515679),
}


@pytest.mark.parametrize("layers", list(INFINITE_DEGREE))
def test_a_large_degree_nears_the_energies_of_the_sherrington_kirkpatrick_model(layers: int) -> None:
    gammas, betas, energy = INFINITE_DEGREE[layers]
    degree = MOST_DEGREE
    angles = np.concatenate([2 * np.array(gammas) / np.sqrt(degree - 1), -np.array(betas)])
    found = (tree_cut_fraction(degree, angles) - 0.5) * np.sqrt(degree - 1)
    assert found == pytest.approx(energy, abs=4e-4)  # the limit is approached as 1/degree


def test_what_the_recursion_does_not_cover_is_refused() -> None:
    with pytest.raises(PlanError, match="11 layers"):
        tree_cut_fraction(3, np.zeros(22))
    with pytest.raises(PlanError, match="degree 1"):
        tree_cut_fraction(1, np.zeros(2))
    with pytest.raises(PlanError, match="degree 1001"):
        tree_cut_fraction(1001, np.zeros(2))
