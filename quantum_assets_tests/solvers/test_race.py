import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Ising
from quantum_assets.solvers import RIVALS, race
from quantum_assets_tests.solvers.instances import karate_max_cut, minimum, random_ising

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
