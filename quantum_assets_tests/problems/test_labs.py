"""Low autocorrelation binary sequences: the polynomial of order 4 against the autocorrelations themselves."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import unpack
from quantum_assets.problems.labs import Labs
from quantum_assets.problems.polynomial import all_energies
from quantum_assets_tests.problems.laws import all_rows, check_laws


@pytest.mark.parametrize("n", [3, 4, 7, 10])
def test_laws(n: int) -> None:
    check_laws(Labs(n))


def test_the_objective_is_what_numpy_correlates() -> None:
    rows = all_rows(7)
    direct = [(np.correlate(z, z, mode="full")[:6] ** 2).sum() for z in 1.0 - 2.0 * rows]
    assert (Labs(7).objective(rows) == direct).all()


@pytest.mark.parametrize(("n", "optimum"), [(10, 13), (14, 19), (18, 25), (20, 26)])
def test_published_optima_by_enumeration(n: int, optimum: float) -> None:
    energies = all_energies(Labs(n).encode().ising)
    assert energies.min() == optimum
    best = unpack([int(np.argmin(energies))], n)
    assert Labs(n).objective(best)[0] == optimum
    assert Labs(n).merit_factor(best)[0] == n**2 / (2 * optimum)


def test_a_barker_code_has_sidelobes_of_one() -> None:
    """Length 13, merit factor 14.08 (Barker 1953)."""
    code = np.array([int(c) for c in "0000011001010"], dtype=np.uint8)
    assert np.abs(Labs(13).autocorrelations(code)[0, 1:]).max() == 1
    assert Labs(13).objective(code)[0] == 6
    assert Labs(13).merit_factor(code)[0] == pytest.approx(14.083, abs=1e-3)


def test_the_polynomial_of_length_3() -> None:
    """C_1² + C_2² = (z0 z1 + z1 z2)² + (z0 z2)² = 3 + 2 z0 z2."""
    ising = Labs(3).encode().ising
    assert ising.terms == ((0, 2),)
    assert ising.coefficients.tolist() == [2.0]
    assert ising.offset == 3.0
    assert Labs(10).encode().ising.order == 4


def test_greedy_is_a_local_minimum() -> None:
    problem = Labs(30)
    row = problem.greedy()
    around = problem.objective(row ^ np.eye(30, dtype=np.uint8))
    assert around.min() >= problem.objective(row)[0]


def test_interpret_and_identity() -> None:
    problem = Labs(3)
    assert [tuple(line.values()) for line in problem.interpret(np.array([0, 0, 1], dtype=np.uint8))] == [
        (0, 1, 3.0),
        (1, 1, 0.0),
        (2, -1, -1.0),
    ]
    assert (problem.kind, problem.name, problem.sense, problem.unit) == (
        "labs",
        "labs-3",
        "minimise",
        "sidelobe energy",
    )
    assert problem.variables == ("z0", "z1", "z2")
    assert problem.fingerprint != Labs(4).fingerprint


@pytest.mark.parametrize("length", [2, 0, -1, 129])
def test_lengths_out_of_range(length: int) -> None:
    with pytest.raises(PlanError, match=f"labs: length {length}: is out of range"):
        Labs(length)
