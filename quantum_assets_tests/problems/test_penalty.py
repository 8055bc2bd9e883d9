"""Penalty rules: what they promise, and the proof by enumeration that tells a good weight from a bad one."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Encoding
from quantum_assets.problems.graphs import from_edges, named
from quantum_assets.problems.independent_set import IndependentSet
from quantum_assets.problems.max_cut import MaxCut
from quantum_assets.problems.penalty import by_flip, by_range, check, flip_bound, range_bound
from quantum_assets.problems.polynomial import all_energies, from_bits, squared
from quantum_assets_tests.problems.laws import all_rows
from quantum_assets_tests.problems.test_polynomial import terms


@settings(max_examples=60, deadline=None)
@given(terms(6, 3))
def test_bounds_bound(given_terms) -> None:
    objective = from_bits(6, given_terms)
    rows = all_rows(6)
    energies = objective.energies(rows)
    assert np.ptp(energies) <= range_bound(objective)
    for i in range(6):
        assert np.abs(energies - objective.energies(rows ^ np.eye(6, dtype=np.uint8)[i])).max() <= flip_bound(objective)


@settings(max_examples=50, deadline=None)
@given(terms(6, 2), st.integers(1, 5), st.sampled_from([by_range, by_flip]))
def test_either_rule_keeps_the_penalised_optimum_of_a_cardinality_feasible(given_terms, k: int, rule) -> None:
    """`(Σx - k)²` is at least 1 on broken rows, and a flip towards k lowers it by at least 1."""
    penalty = rule(from_bits(6, given_terms))
    ising = from_bits(6, [*given_terms, *squared(dict.fromkeys(range(6), 1.0), -k, penalty.weight)])
    energies = ising.energies(all_rows(6))
    lowest = all_rows(6)[energies <= energies.min() + 1e-9]
    assert (lowest.sum(axis=1) == k).all()
    assert f"{penalty.weight:.6g} >" in penalty.rule


def test_weights_scale_with_step_and_margin() -> None:
    objective = from_bits(2, [((0,), 4.0), ((0, 1), -2.0)])
    assert range_bound(objective) == 2 * (1.5 + 0.5 + 0.5)
    assert flip_bound(objective) == 2 * (1.5 + 0.5)
    assert by_range(objective, step=0.5, margin=2.0).weight == 2.0 * 5.0 / 0.5
    assert by_flip(objective, step=2.0, margin=1.25).weight == 1.25 * 4.0 / 2.0
    assert by_flip(from_bits(2, [((), 3.0)])).weight == 1.0


@pytest.mark.parametrize(("step", "margin"), [(0.0, 1.5), (-1.0, 1.5), (np.nan, 1.5), (1.0, 1.0), (1.0, np.nan)])
def test_rules_refuse_what_would_promise_nothing(step: float, margin: float) -> None:
    with pytest.raises(PlanError, match="Use step > 0 and margin > 1"):
        by_range(from_bits(1, [((0,), 1.0)]), step=step, margin=margin)


def test_check_of_a_good_encoding() -> None:
    problem = IndependentSet(named("petersen"))
    found = check(problem)
    assert found.holds
    assert found.best_objective == 4
    assert found.feasible_rows == 76  # independent sets of the Petersen graph, the empty one among them
    assert found.best_bits.sum() == 4
    assert problem.violations(found.best_bits[None, :])[0] == 0


def test_check_finds_a_penalty_that_is_too_small() -> None:
    problem = IndependentSet(from_edges("triangle", [(0, 1), (1, 2), (0, 2)]))
    weak = from_bits(3, [*(((i,), -1.0) for i in range(3)), *((pair, 0.25) for pair in [(0, 1), (1, 2), (0, 2)])])
    found = check(problem, replace(problem.encode(), ising=weak))
    assert not found.lowest_is_feasible
    assert not found.holds
    assert found.lowest_energy == -2.25
    assert found.best_energy == -1.0


def test_check_finds_energies_that_do_not_say_what_objectives_say() -> None:
    problem = MaxCut(named("petersen"))
    found = check(problem, replace(problem.encode(), energy_per_unit=-2.0))
    assert found.deviation == 12
    assert not found.holds


def test_check_agrees_with_the_direct_minimum() -> None:
    problem = MaxCut(named("heawood"))
    found = check(problem)
    assert found.holds
    assert found.feasible_rows == 1 << 14
    assert found.best_energy == all_energies(problem.encode().ising).min() == -21


@dataclass(frozen=True, eq=False)
class Impossible(IndependentSet):
    """A problem whose every row is broken."""

    def violations(self, bits: Bits) -> np.ndarray:
        return np.ones(len(np.atleast_2d(bits)))


def test_check_names_the_instance_it_cannot_judge() -> None:
    with pytest.raises(PlanError, match="independent_set karate: has 34 variables, too many to enumerate"):
        check(IndependentSet(named("karate")))
    with pytest.raises(PlanError, match="independent_set petersen: has no feasible row at all"):
        check(Impossible(named("petersen")))


def test_an_encoding_defaults_to_no_penalty() -> None:
    assert Encoding(from_bits(1, [((0,), 1.0)])).penalty == 0
