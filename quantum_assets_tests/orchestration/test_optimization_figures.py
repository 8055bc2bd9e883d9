"""Every picture of an optimisation study is a PNG, and other content is another picture."""

from dataclasses import replace

import numpy as np

from quantum_assets.contracts.problem import Incumbent, Solution
from quantum_assets.models.attribution import climb
from quantum_assets.orchestration.optimization_figures import (
    energies_figure,
    history_figure,
    incumbents_figure,
    ladder_figure,
)
from quantum_assets.problems.labs import Labs

PNG = b"\x89PNG\r\n"


def _solution(name: str, energy: float) -> Solution:
    bits = np.zeros(3, dtype=np.uint8)
    return Solution(name, bits, energy, 0.5, (Incumbent(0.0, energy + 2), Incumbent(0.1, energy)))


def test_incumbents_with_and_without_a_bound() -> None:
    rivals = [_solution("tabu", -3.0), _solution("greedy", -1.0)]
    bounded, unbounded = incumbents_figure(rivals, -3.0, "toy"), incumbents_figure(rivals, None, "toy")
    assert bounded.startswith(PNG)
    assert unbounded.startswith(PNG)
    assert bounded != unbounded


def test_a_history_of_one_evaluation_and_of_many() -> None:
    assert history_figure([1.0], 2.0, "toy").startswith(PNG)
    exact = history_figure([1.0, 3.0, 0.5], 2.0, "toy")
    assert exact.startswith(PNG)
    both = history_figure([1.0, 3.0, 0.5], 2.0, "toy", [0.9, 0.7], "under noisy")
    assert both.startswith(PNG)
    assert both != exact


def test_energies_of_one_row_and_of_many() -> None:
    assert energies_figure(np.array([1.0]), np.array([5]), 0.0, "toy").startswith(PNG)
    assert energies_figure(np.linspace(0, 1, 60), np.arange(1, 61), 0.0, "toy").startswith(PNG)


def test_a_ladder() -> None:
    problem = Labs(5)
    bits = np.random.default_rng(0).integers(0, 2, (20, 5), dtype=np.uint8)
    best = float(problem.encode().ising.energies(bits).min())
    ladder = climb(problem, bits, np.ones(20, dtype=np.int64), best_energy=best, seed=0)
    assert ladder_figure(ladder).startswith(PNG)
    assert ladder_figure(ladder) != ladder_figure(replace(ladder, names={}))  # the legend names the controls
