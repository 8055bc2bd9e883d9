import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.cvrp_file import read_instance, read_solution
from quantum_assets.problems.route_candidates import route_candidates
from quantum_assets_tests.problems.laws import SHARED

CASES = sorted((SHARED / "routing").glob("*.vrp"))

SMALL = """# a comment: with a colon
NAME : small
TYPE : CVRP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 1 1
3 1 2
4 0 2.5
DEMAND_SECTION
1 0
2 3
3 4
4 5
DEPOT_SECTION
1
-1
EOF
"""


def test_lengths_round_to_the_nearest_whole_number():
    d = read_instance(SMALL, "small.vrp")
    assert (d.name, d.capacity, d.demands.tolist(), d.stops) == ("small", 10, [3, 4, 5], ("2", "3", "4"))
    assert d.distances[0].tolist() == [0, 1, 2, 3]  # 1.414, 2.236, and 2.5 goes up
    assert d.distances[2].tolist() == [2, 1, 0, 1]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("EUC_2D", "GEO", "EDGE_WEIGHT_TYPE: is GEO, and only EUC_2D is read"),
        ("TYPE : CVRP", "TYPE : TSP", "TYPE: is TSP"),
        ("CAPACITY : 10", "", "CAPACITY: is missing"),
        ("DIMENSION : 4", "DIMENSION : 5", "from 1 to 5"),
        ("DEMAND_SECTION", "", "NODE_COORD_SECTION: 1 0: has 2 numbers"),
        ("DEPOT_SECTION", "", "has no DEPOT_SECTION"),
        ("1\n-1", "2\n-1", "does not name node 1 alone"),
        ("3 4\n", "3 x\n", "3 x: is not made of numbers"),
    ],
)
def test_what_cannot_be_read_is_named(old, new, expected):
    text = SMALL.replace(old, new)
    assert text != SMALL
    with pytest.raises(PlanError) as caught:
        read_instance(text, "small.vrp")
    assert expected in str(caught.value) or "has no DEMAND_SECTION" in str(caught.value)
    assert caught.value.culprit.startswith("small.vrp")


def test_solutions():
    assert read_solution("Route #1: 3 1\nRoute #2: 2\nCost 9.5\n", "s") == (((2, 0), (1,)), 9.5)
    with pytest.raises(PlanError, match="has no lines"):
        read_solution("Cost 3", "s")


@pytest.mark.skipif(not CASES, reason="the shared data folder is not there")
@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_published_costs_are_recomputed_exactly(file):
    deliveries = read_instance(file.read_text(), file.name)
    routes, claimed = read_solution(file.with_suffix(".opt.sol").read_text(), file.stem)
    assert deliveries.cost(routes) == claimed


@pytest.mark.skipif(not CASES, reason="the shared data folder is not there")
def test_generated_candidates_of_a_published_case_hold_a_plan_near_the_optimum():
    deliveries = read_instance(CASES[0].read_text(), CASES[0].name)
    published, best = read_solution(CASES[0].with_suffix(".opt.sol").read_text(), CASES[0].stem)
    found = route_candidates(deliveries, 30)
    plan = [found.routes[number] for number in found.best]
    assert deliveries.cost(plan) <= 1.05 * best
    # the published optimum is the best with four trucks, all of them full; a fifth truck may shorten the plan
    assert deliveries.cost(plan) >= best or len(plan) > len(published)
