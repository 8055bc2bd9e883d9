from itertools import permutations

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.cities import german_deliveries
from quantum_assets.problems.route_candidates import (
    Tours,
    best_order,
    improve,
    petal_plans,
    route_candidates,
    savings_plan,
)
from quantum_assets_tests.problems.test_deliveries import made


def partitions(stops):
    """Every way to part a list."""
    if not stops:
        yield []
        return
    for rest in partitions(stops[1:]):
        yield [[stops[0]], *rest]
        for n in range(len(rest)):
            yield [*rest[:n], [stops[0], *rest[n]], *rest[n + 1 :]]


def shortest(deliveries):
    """The optimum by trying every plan."""
    tours = Tours(deliveries)
    plans = partitions(list(range(len(deliveries.stops))))
    fitting = (plan for plan in plans if all(tours.fits(frozenset(route)) for route in plan))
    return min(sum(tours.length(frozenset(route)) for route in plan) for plan in fitting)


@pytest.mark.parametrize("seed", range(4))
def test_orders_are_the_shortest_of_all(seed):
    d = made(n=6, seed=seed)
    expected = min(d.length(order) for order in permutations(range(6)))
    found = best_order(d, frozenset(range(6)))
    assert sorted(found) == list(range(6))
    assert d.length(found) == expected
    assert found <= found[::-1]


def test_too_long_a_route_is_named():
    with pytest.raises(PlanError, match="has 11 stops, and orders are exact up to 10"):
        best_order(made(n=11), frozenset(range(11)))


@pytest.mark.parametrize("seed", range(5))
def test_every_step_keeps_the_rules_and_improves(seed):
    d = made(n=7, seed=seed)
    tours = Tours(d)
    for plan in (savings_plan(d, tours), *petal_plans(d, tours)):
        better = improve(plan, tours)
        before, after = (d.cost([tours.best(route) for route in p]) for p in (plan, better))
        assert after <= before


@pytest.mark.parametrize("seed", range(5))
def test_candidates_hold_two_plans_and_are_bounded(seed):
    d = made(n=7, seed=seed)
    found = route_candidates(d, 14)
    assert len(found.routes) <= 14
    assert len(set(map(frozenset, found.routes))) == len(found.routes)
    assert all(d.load(route) <= d.capacity for route in found.routes)
    best, savings = (d.cost([found.routes[n] for n in plan]) for plan in (found.best, found.savings))
    assert shortest(d) <= best <= savings
    assert found == route_candidates(d, 14)


def test_the_best_plan_is_mostly_the_optimum():
    hits = [
        d.cost([found.routes[n] for n in found.best]) == shortest(d)
        for d, found in ((d, route_candidates(d, 16)) for d in (made(n=7, seed=seed) for seed in range(10)))
    ]
    assert np.mean(hits) >= 0.8


def test_the_shipped_instance_is_solved_and_savings_alone_do_not():
    d = german_deliveries()
    found = route_candidates(d, 18)
    assert d.cost([found.routes[n] for n in found.best]) == 2764  # the optimum, by dynamic programming over all subsets
    assert d.cost([found.routes[n] for n in found.savings]) == 2772
    assert len(found.routes) == 18


def test_a_limit_without_room_is_named():
    with pytest.raises(PlanError, match="may be 3, and two plans need"):
        route_candidates(german_deliveries(), 3)
