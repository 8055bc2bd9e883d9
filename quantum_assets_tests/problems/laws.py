"""What every problem must obey, judged on all rows of a small instance."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from quantum_assets.contracts.problem import Bits, Problem

#: Published instances, where they lie beside the repository.
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the published instances are not beside the repository")


def all_rows(n: int) -> Bits:
    """Every row of n bits, the first bit slowest."""
    return np.array(list(product((0, 1), repeat=n)), dtype=np.uint8)


def check_laws(problem: Problem) -> None:
    """Energies say what objectives say, the penalised optimum is the constrained one, the decoder keeps its word."""
    rows = all_rows(len(problem.variables))
    objective, violations = problem.objective(rows), problem.violations(rows)
    assert objective.shape == violations.shape == (len(rows),)
    assert (violations >= 0).all()
    feasible = violations == 0
    assert feasible.any()
    encoding = problem.encode()
    energies = encoding.ising.energies(rows)
    expected = encoding.energy_per_unit * objective + encoding.energy_offset
    size = max(1.0, float(np.abs(energies).max()))
    assert np.abs(energies - expected)[feasible].max() <= 1e-9 * size
    assert (encoding.energy_per_unit < 0) == (problem.sense == "maximise")
    lowest = energies <= energies.min() + 1e-9 * size
    assert feasible[lowest].all()
    best = objective[feasible].max() if problem.sense == "maximise" else objective[feasible].min()
    assert np.allclose(objective[lowest], best, rtol=1e-9, atol=1e-9 * size)
    if encoding.cardinality is not None:
        assert (rows[feasible].sum(axis=1) == encoding.cardinality).all()
    check_decoder(problem, rows, feasible)


def check_decoder(problem: Problem, rows: Bits, feasible: np.ndarray) -> None:
    """Repair ends feasible, leaves feasible rows alone, does not draw and does not write; greedy is feasible."""
    before = rows.copy()
    repaired = problem.repair(rows)
    assert repaired.dtype == np.uint8
    assert (rows == before).all()
    assert (problem.violations(repaired) == 0).all()
    assert (repaired[feasible] == rows[feasible]).all()
    order = np.random.default_rng(7).permutation(len(rows))
    assert (problem.repair(rows[order]) == repaired[order]).all()
    greedy = problem.greedy()
    assert greedy.shape == (rows.shape[1],)
    assert problem.violations(greedy[None, :])[0] == 0
    assert (problem.greedy() == greedy).all()
    lines = problem.interpret(greedy)
    assert len({tuple(line) for line in lines}) == 1
