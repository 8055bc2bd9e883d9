from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising, Solution
from quantum_assets.solvers import RIVALS, race
from quantum_assets_tests.solvers.instances import karate_max_cut, minimum, random_ising, times

SHORT = {
    "simulated_annealing": {"reads": 64, "sweeps": 60},
    "tabu": {"reads": 4, "moves": 2000, "moves_per_variable": 1},
}


def test_karate_is_settled_by_a_proof_and_five_agree():
    found = race(karate_max_cut(), seconds=600, seed=1)
    assert [s.energy for s in found.solutions] == [-61] * 5
    assert found.proven
    assert found.best.proven
    assert {s.solver for s in found.solutions if s.proven} == {"highs", "tree_decomposition"}
    assert list(found.declined) == ["enumeration"]
    assert "more than 24" in found.declined["enumeration"]


@pytest.mark.parametrize("order", [2, 3, 4])
def test_all_six_agree_on_small_instances(order):
    ising = random_ising(7, order, seed=order)
    found = race(ising, seconds=600, seed=1, settings=SHORT)
    assert {s.solver for s in found.solutions} == set(RIVALS)
    for solution in found.solutions:
        assert solution.energy == pytest.approx(minimum(ising))
        assert solution.energy == solution.incumbents[-1].energy
    assert found.bound == pytest.approx(minimum(ising))


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 6), st.integers(1, 3), st.integers(0, 999), st.integers(-10, 10))
def test_a_polynomial_in_another_unit_gets_the_same_verdicts(n: int, order: int, seed: int, exponent: int):
    ising = random_ising(n, min(n, order), seed, whole=seed % 2 == 0)
    other = times(ising, 10.0**exponent)
    plain, scaled = (race(one, seconds=600, seed=1, settings=SHORT) for one in (ising, other))
    assert (plain.proven, scaled.proven) == (True, True)
    optimal = [
        {s.solver: s.energy <= minimum(one) + one.tolerance for s in found.solutions}
        for one, found in ((ising, plain), (other, scaled))
    ]
    assert optimal[0] == optimal[1]
    proven = [{s.solver: s.proven for s in found.solutions} for found in (plain, scaled)]
    assert proven[0] == proven[1]
    for solution in scaled.solutions:
        assert solution.bound is None or solution.bound <= minimum(other) + other.tolerance
        assert optimal[1][solution.solver] or not solution.proven


def test_a_bound_that_a_row_refutes_is_not_published():
    def liar(ising: Ising, **given: Any) -> Solution:
        honest = RIVALS["greedy"](ising, **given)
        return replace(honest, solver="liar", energy=honest.energy + 2, bound=honest.energy + 1)

    ising = times(random_ising(6, 2, seed=3), 1e-9)
    for added in ({}, {"enumeration": RIVALS["enumeration"]}):
        rivals = {name: RIVALS[name] for name in ("greedy", "tabu")} | added | {"liar": liar}
        found = race(ising, seconds=600, seed=1, rivals=rivals, settings={"tabu": SHORT["tabu"]})
        (told,) = [one for one in found.solutions if one.solver == "liar"]
        assert (told.bound, told.proven) == (None, False)
        assert told.settings["refuted_bound"] == pytest.approx(found.best.energy + 1)
        assert found.bound == (pytest.approx(minimum(ising), rel=1e-12) if added else None)
        assert found.proven == bool(added)


def test_a_bound_above_the_best_energy_by_rounding_comes_down_to_it():
    def nearly(ising: Ising, **given: Any) -> Solution:
        exact = RIVALS["enumeration"](ising, **given)
        above = exact.energy + ising.tolerance / 2
        return replace(exact, solver="nearly", energy=above, bound=above)

    ising = random_ising(6, 2, seed=3)
    rivals = {name: RIVALS[name] for name in ("greedy", "tabu")} | {"nearly": nearly}
    found = race(ising, seconds=600, seed=1, rivals=rivals, settings={"tabu": SHORT["tabu"]})
    assert found.bound == found.best.energy
    assert found.proven


def test_an_order_that_none_reduces_is_left_to_those_who_take_any():
    ising = Ising(10, (tuple(range(10)), (0,)), np.array([1.0, 0.5]))
    found = race(ising, seconds=600, seed=1, settings=SHORT)
    assert {s.solver for s in found.solutions} == {"simulated_annealing", "tabu", "greedy", "enumeration"}
    assert set(found.declined) == {"tree_decomposition", "highs"}
    assert found.best.energy == pytest.approx(-1.5)


def test_settings_and_starts_reach_the_rivals():
    starts = np.zeros((1, 34), dtype=np.uint8)
    settings = {"tabu": {"reads": 2}, "greedy": {"reads": 0}, "simulated_annealing": {"reads": 4, "sweeps": 10}}
    found = race(karate_max_cut(), seconds=600, seed=1, starts=starts, settings=settings)
    by_name = {s.solver: s for s in found.solutions}
    assert (by_name["tabu"].reads, by_name["simulated_annealing"].reads, by_name["greedy"].reads) == (2, 4, 1)


def test_fewer_than_three_are_no_race_and_the_reasons_are_told():
    few = {name: RIVALS[name] for name in ("greedy", "tabu", "enumeration")}
    with pytest.raises(PlanError, match=r"fewer than 3.*more than 24"):
        race(karate_max_cut(), seconds=60, seed=1, rivals=few)


def test_a_mistake_is_not_taken_for_a_no():
    with pytest.raises(PlanError, match="cap"):
        race(karate_max_cut(), seconds=0, seed=1)
    with pytest.raises(PlanError, match="taboo"):
        race(karate_max_cut(), seconds=1, seed=1, settings={"taboo": {}})
