"""A polynomial as a problem of its own, in either direction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.polynomial import from_bits, from_spins
from quantum_assets.problems.polynomial_problem import PolynomialProblem
from quantum_assets_tests.problems.laws import all_rows, check_laws
from quantum_assets_tests.problems.test_polynomial import terms

POLYNOMIAL = from_bits(3, [((0,), 2.0), ((1, 2), -3.0), ((), 0.5)])


@settings(max_examples=60, deadline=None)
@given(terms(5, 4), st.sampled_from(["minimise", "maximise"]))
def test_laws(given_terms, sense) -> None:
    polynomial = from_spins(5, given_terms, 0.25)
    if polynomial.terms:
        check_laws(PolynomialProblem("drawn", polynomial, sense))


@pytest.mark.parametrize(("sense", "best"), [("minimise", [0, 1, 1]), ("maximise", [1, 0, 0])])
def test_the_objective_is_the_polynomial_either_way(sense, best: list[int]) -> None:
    problem = PolynomialProblem("p", POLYNOMIAL, sense, "euro")
    rows = all_rows(3)
    assert (problem.objective(rows) == 2.0 * rows[:, 0] - 3.0 * rows[:, 1] * rows[:, 2] + 0.5).all()
    assert problem.encode().energy_per_unit == (1.0 if sense == "minimise" else -1.0)
    assert (problem.kind, problem.name, problem.sense, problem.unit) == ("qubo_file", "p", sense, "euro")
    assert problem.objective(problem.greedy())[0] == (0.5 if sense == "minimise" else 2.5)
    assert problem.objective(np.array(best, dtype=np.uint8))[0] == (-2.5 if sense == "minimise" else 2.5)


def test_interpret_says_what_a_flip_would_change() -> None:
    lines = PolynomialProblem("p", POLYNOMIAL).interpret(np.array([1, 1, 0], dtype=np.uint8))
    assert [tuple(line.values()) for line in lines] == [("x0", 1, -2.0), ("x1", 1, 0.0), ("x2", 0, -3.0)]


def test_identity_holds_polynomial_and_sense() -> None:
    first = PolynomialProblem("a", POLYNOMIAL)
    assert PolynomialProblem("b", POLYNOMIAL).fingerprint == first.fingerprint
    assert PolynomialProblem("a", POLYNOMIAL, "maximise").fingerprint != first.fingerprint


def test_what_is_refused() -> None:
    with pytest.raises(PlanError, match="qubo_file p: sense: is 'most'"):
        PolynomialProblem("p", POLYNOMIAL, "most")
    with pytest.raises(PlanError, match="qubo_file p: does not depend on any variable"):
        PolynomialProblem("p", from_bits(2, [((), 1.0)]))


def test_variables_may_have_names_which_change_nothing_else() -> None:
    named = PolynomialProblem("p", POLYNOMIAL, names=("red", "green", "blue"))
    assert named.variables == ("red", "green", "blue")
    assert named.interpret(np.array([1, 0, 0], dtype=np.uint8))[0]["variable"] == "red"
    assert named.fingerprint == PolynomialProblem("p", POLYNOMIAL).fingerprint
    for names in (("red", "green"), ("red", "red", "blue")):
        with pytest.raises(PlanError, match="names: are 2 different ones for 3 variables"):
            PolynomialProblem("p", POLYNOMIAL, names=names)
