"""A problem against its objective and rules as a test writes them, on all 2^n rows of a small instance."""

from collections.abc import Callable

import numpy as np

from quantum_assets.contracts.problem import Bits, Problem
from quantum_assets.problems.penalty import check
from quantum_assets_tests.problems.laws import all_rows, check_laws


def assert_kept(problem: Problem, objective: Callable[[Bits], float], feasible: Callable[[Bits], bool]) -> None:
    """Compare row by row, then hold the problem to the laws of every problem.

    Args:
        problem: At most 12 variables.
        objective: Of one row.
        feasible: Whether one row keeps the rules.
    """
    rows = all_rows(len(problem.variables))
    allowed = np.array([feasible(row) for row in rows])
    assert not allowed.all()
    np.testing.assert_allclose(problem.objective(rows), [objective(row) for row in rows], rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(problem.violations(rows) == 0, allowed)
    check_laws(problem)
    energies = problem.encode().ising.energies(rows)
    assert energies[~allowed].min() > energies[allowed].min() + 1e-9
    assert check(problem).holds
