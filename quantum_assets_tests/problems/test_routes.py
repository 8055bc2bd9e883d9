from dataclasses import replace

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.cities import german_deliveries
from quantum_assets.problems.penalty import check
from quantum_assets.problems.routes import RouteBundle, route_bundle
from quantum_assets_tests.problems.enumeration import assert_kept
from quantum_assets_tests.problems.laws import all_rows
from quantum_assets_tests.problems.test_deliveries import made


@pytest.mark.parametrize("seed", range(6))
def test_enumeration(seed):
    deliveries = made(n=6, seed=seed)
    problem = route_bundle(deliveries, 11)

    def feasible(row):
        return not deliveries.faults([problem.routes[n] for n in np.flatnonzero(row)])

    def objective(row):
        return sum(deliveries.length(problem.routes[n]) for n in np.flatnonzero(row))

    assert_kept(problem, objective, feasible)


def test_plans_of_single_stops_alone_are_a_penalty_problem_too():
    deliveries = made(n=4)
    problem = RouteBundle(deliveries, tuple((n,) for n in range(4)), (0, 1, 2, 3))
    assert_kept(
        problem,
        lambda row: float(2 * deliveries.distances[0, 1:] @ row),
        lambda row: bool(row.all()),
    )


@pytest.mark.parametrize("limit", [14, 16, 18, 20])
def test_the_shipped_instance(limit):
    problem = route_bundle(german_deliveries(), limit)
    found = check(problem)
    assert found.holds
    assert found.feasible_rows > 1
    assert found.best_objective == 2764
    assert problem.objective(problem.greedy())[0] > 2764  # there is something to find
    assert problem.deliveries.cost(problem.plan(found.best_bits)) == 2764


def mended_by_hand(problem, row):
    """The rule of the docstring, one route at a time."""
    ratio = [problem.lengths[n] / problem.deliveries.load(route) for n, route in enumerate(problem.routes)]
    kept = {int(n) for n in np.flatnonzero(row)}

    def overlapping():
        return [n for n in kept if any(m != n and set(problem.routes[m]) & set(problem.routes[n]) for m in kept)]

    while found := overlapping():
        kept.remove(max(found, key=lambda n: (ratio[n], n)))
    for n in sorted(range(len(ratio)), key=lambda n: (ratio[n], n)):
        if not any(set(problem.routes[n]) & set(problem.routes[m]) for m in kept):
            kept.add(n)
    served = sorted(stop for n in kept for stop in problem.routes[n])
    return sorted(kept) if served == list(range(len(problem.deliveries.stops))) else sorted(problem.fallback)


@pytest.mark.parametrize("seed", range(3))
def test_repair_drops_the_dearest_overlap_then_adds_the_cheapest(seed):
    problem = route_bundle(made(n=6, seed=seed), 10)
    for row in all_rows(len(problem.routes))[::3]:
        assert np.flatnonzero(problem.repair(row)[0]).tolist() == mended_by_hand(problem, row)


def test_repair_falls_back_when_nothing_fits():
    problem = RouteBundle(made(n=3, capacity=20), ((0, 1), (1, 2), (0,)), (1, 2))
    row = problem.repair(np.array([1, 0, 0], dtype=np.uint8))
    np.testing.assert_array_equal(row, [[0, 1, 1]])  # after 0-1 only stop 2 is left, and no route serves it alone


def test_interpretation():
    problem = route_bundle(german_deliveries())
    table = problem.interpret(problem.greedy())
    assert sum(line["stops"] for line in table) == 12
    assert sum(line["load"] for line in table) == 113
    assert sum(line["length"] for line in table) == problem.objective(problem.greedy())[0]
    assert all(line["places"].startswith("Kassel > ") and line["places"].endswith(" > Kassel") for line in table)


def test_fingerprint_follows_what_matters():
    problem = route_bundle(german_deliveries())
    assert problem.fingerprint == route_bundle(german_deliveries()).fingerprint
    assert problem.fingerprint != route_bundle(german_deliveries(), 16).fingerprint


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"routes": ()}, "are none"),
        ({"routes": ((0, 0), (1,), (2,), (3,))}, "candidate 0: is (0, 0)"),
        ({"routes": ((0, 4), (1,), (2,), (3,))}, "candidate 0: is (0, 4)"),
        ({"routes": ((0, 1, 2, 3),)}, "candidate 0: carries"),
        ({"routes": ((0, 1), (1, 0), (2,), (3,))}, "same stops with two candidates"),
        ({"fallback": (0, 1, 2)}, "fallback: d is served 0 times"),
        ({"fallback": (0, 1, 2, 9)}, "fallback: is (0, 1, 2, 9)"),
    ],
)
def test_bad_candidates_are_named(change, expected):
    problem = RouteBundle(made(n=4), ((0,), (1,), (2,), (3,)), (0, 1, 2, 3))
    with pytest.raises(PlanError) as caught:
        replace(problem, **change)
    assert expected in str(caught.value)
