"""The classical half of route planning: a few good routes, each within capacity and in its best order.

Plans are built by savings (Clarke and Wright 1964) and by petals (Gillett and Miller 1974: stops by angle around the
depot; the best cut of that order by Beasley 1983). Each plan is improved by moving and swapping stops, and the routes
of the best plans are kept until there are enough. Every route's order is exact (Held and Karp 1962). Nothing is random.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.deliveries import Deliveries, Route

#: Stops on one route: the exact order of more takes too long.
MAX_STOPS = 10

Plan = tuple[Route, ...]


@dataclass(frozen=True)
class Candidates:
    """Routes to choose from.

    Attributes:
        routes: Different sets of stops, each within capacity and in its best order.
        savings: Numbers of the routes that are the savings plan, as it was built.
        best: Numbers of the routes of the shortest plan that was found.
        plans: How many different plans were built and improved.
    """

    routes: tuple[Route, ...]
    savings: tuple[int, ...]
    best: tuple[int, ...]
    plans: int


class Tours:
    """Best orders of sets of stops, each worked out once."""

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._known: dict[frozenset[int], Route] = {}

    def best(self, stops: frozenset[int]) -> Route:
        """The shortest order; of an order and its reverse the one that begins with the lower stop.

        Raises:
            PlanError: For more than `MAX_STOPS` stops.
        """
        if stops not in self._known:
            self._known[stops] = best_order(self._deliveries, stops)
        return self._known[stops]

    def length(self, stops: frozenset[int]) -> float:
        """Length of the shortest order; 0 for no stops."""
        return self._deliveries.length(self.best(stops)) if stops else 0.0

    def fits(self, stops: frozenset[int]) -> bool:
        """Whether one truck can serve them: within capacity, and few enough for an exact order."""
        return len(stops) <= MAX_STOPS and self._deliveries.load(sorted(stops)) <= self._deliveries.capacity


def best_order(deliveries: Deliveries, stops: frozenset[int]) -> Route:
    """The shortest order of some stops, by dynamic programming over subsets (Held and Karp 1962).

    Raises:
        PlanError: For more than `MAX_STOPS` stops.
    """
    if len(stops) > MAX_STOPS:
        problem = f"has {len(stops)} stops, and orders are exact up to {MAX_STOPS}"
        raise PlanError(f"route of {deliveries.name}", problem, "Lower the capacity or part the stops")
    members, gaps = sorted(stops), deliveries.distances.tolist()
    reached: dict[tuple[frozenset[int], int], tuple[float, Route]] = {
        (frozenset([stop]), stop): (gaps[0][stop + 1], (stop,)) for stop in members
    }
    for size in range(2, len(members) + 1):
        for chosen in map(frozenset, combinations(members, size)):
            for last in chosen:
                before = chosen - {last}
                paths = (reached[before, stop] for stop in before)
                reached[chosen, last] = min(
                    (length + gaps[order[-1] + 1][last + 1], (*order, last)) for length, order in paths
                )
    ends = ((reached[stops, last][0] + gaps[last + 1][0], reached[stops, last][1]) for last in members)
    order = min(ends)[1]
    return min(order, order[::-1])


def route_candidates(deliveries: Deliveries, limit: int = 18) -> Candidates:
    """Generate routes that hold at least one complete plan.

    The best plan's routes come first, then the savings plan's; then whole further plans, shortest first, as long as
    their routes fit under the limit; then single routes of the plans, fewest kilometres a unit of load first.

    Args:
        deliveries: The instance; twenty stops take seconds.
        limit: Most routes to return.

    Raises:
        PlanError: If the limit has no room for the best plan and the savings plan.
    """
    tours = Tours(deliveries)
    built = [savings_plan(deliveries, tours), *petal_plans(deliveries, tours)]
    improved = [improve(plan, tours) for plan in built]
    ranked = sorted({_ordered(plan) for plan in (*built, *improved)}, key=lambda plan: (_length(plan, tours), plan))
    savings = _ordered(built[0])
    kept: list[tuple[int, ...]] = list(dict.fromkeys([*ranked[0], *savings]))
    if len(kept) > limit:
        raise PlanError(
            f"candidates of {deliveries.name}", f"may be {limit}, and two plans need {len(kept)}", "Raise the limit"
        )
    for plan in ranked:
        new = [route for route in plan if route not in kept]
        if len(kept) + len(new) <= limit:
            kept += new
    rest = {route for plan in ranked for route in plan} - set(kept)
    kept += sorted(rest, key=lambda route: _ratio(route, deliveries, tours))[: limit - len(kept)]
    return Candidates(
        tuple(tours.best(frozenset(route)) for route in kept),
        tuple(sorted(kept.index(route) for route in savings)),
        tuple(sorted(kept.index(route) for route in ranked[0])),
        len(ranked),
    )


def savings_plan(deliveries: Deliveries, tours: Tours) -> tuple[frozenset[int], ...]:
    """One route a stop, then merge at the largest saving `d(0,i) + d(0,j) - d(i,j)` that capacity allows.

    The parallel version of Clarke and Wright (1964, "Scheduling of vehicles from a central depot", Operations Research
    12): routes join end to end; the order is made exact afterwards.
    """
    gaps, count = deliveries.distances, len(deliveries.stops)
    saved = [(float(gaps[0, i + 1] + gaps[0, j + 1] - gaps[i + 1, j + 1]), i, j) for i, j in _pairs(count)]
    routes: list[list[int]] = [[stop] for stop in range(count)]
    for saving, i, j in sorted(saved, key=lambda item: (-item[0], item[1:])):
        first = next(route for route in routes if i in route)
        second = next(route for route in routes if j in route)
        joined = frozenset([*first, *second])
        ends = i in (first[0], first[-1]) and j in (second[0], second[-1])
        if saving <= 0 or first is second or not ends or not tours.fits(joined):
            continue
        head = first if first[-1] == i else first[::-1]
        tail = second if second[0] == j else second[::-1]
        routes = [route for route in routes if route is not first and route is not second] + [head + tail]
    return tuple(frozenset(route) for route in routes)


def petal_plans(deliveries: Deliveries, tours: Tours) -> Iterator[tuple[frozenset[int], ...]]:
    """For every stop to begin with: stops by angle around the depot, cut where the total length is least.

    The cut is a shortest path over the places to cut at (Beasley 1983, "Route first, cluster second methods for vehicle
    routing", Omega 11).
    """
    around = deliveries.positions[1:] - deliveries.positions[0]
    turned = np.argsort(np.arctan2(around[:, 1], around[:, 0]), kind="stable").tolist()
    for start in range(len(turned)):
        yield _cut(turned[start:] + turned[:start], tours)


def improve(plan: Sequence[frozenset[int]], tours: Tours) -> tuple[frozenset[int], ...]:
    """Take the best move of one stop to another route (or a new one), or swap of two, until none shortens the plan."""
    current = tuple(plan)
    while True:
        best = min(_moves(current, tours), key=lambda move: move[0], default=(0.0, current))
        if best[0] >= -1e-9:
            return current
        current = best[1]


def _moves(plan: tuple[frozenset[int], ...], tours: Tours) -> Iterator[tuple[float, tuple[frozenset[int], ...]]]:
    """Every plan one move away with the change of length."""
    with_new = (*plan, frozenset[int]())
    for a, b in _pairs(len(with_new)):
        first, second = with_new[a], with_new[b]
        rest = tuple(route for n, route in enumerate(plan) if n not in (a, b))
        before = tours.length(first) + tours.length(second)
        exchanges = [({i}, {j}) for i in sorted(first) for j in sorted(second)]
        moves: list[tuple[set[int], set[int]]] = [({i}, set()) for i in sorted(first)]
        moves += [(set(), {j}) for j in sorted(second)] + exchanges
        for out, back in moves:
            left, right = (first - out) | back, (second - back) | out
            if tours.fits(left) and tours.fits(right):
                change = tours.length(left) + tours.length(right) - before
                yield change, (*rest, *(route for route in (left, right) if route))


def _cut(order: list[int], tours: Tours) -> tuple[frozenset[int], ...]:
    """Best cut of a sequence of stops into routes, by dynamic programming from the front."""
    reached: list[tuple[float, tuple[frozenset[int], ...]]] = [(0.0, ())]
    for stop in range(1, len(order) + 1):
        options = []
        for start in range(stop - 1, -1, -1):
            route = frozenset(order[start:stop])
            if not tours.fits(route):
                break
            length, plan = reached[start]
            options.append((length + tours.length(route), (*plan, route)))
        reached.append(min(options, key=lambda option: option[0]))
    return reached[-1][1]


def _pairs(count: int) -> Iterator[tuple[int, int]]:
    return combinations(range(count), 2)


def _ordered(plan: Sequence[frozenset[int]]) -> tuple[tuple[int, ...], ...]:
    """A plan as sorted tuples in sorted order: equal plans are equal values."""
    return tuple(sorted(tuple(sorted(route)) for route in plan))


def _length(plan: Sequence[Sequence[int]], tours: Tours) -> float:
    return sum(tours.length(frozenset(route)) for route in plan)


def _ratio(route: Sequence[int], deliveries: Deliveries, tours: Tours) -> tuple[float, tuple[int, ...]]:
    return tours.length(frozenset(route)) / deliveries.load(route), tuple(route)
