"""Choose a bundle of delivery routes: every stop on exactly one of them, the fewest kilometres (set partitioning).

A classical step makes the candidates (`route_candidates`), the sampler chooses among them, and a classical checker
(`Deliveries.cost`) judges the plan. Balinski and Quandt (1964, "On an integer program for a delivery problem",
Operations Research 12) state the problem so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.problem import Bits, Encoding, Sense
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.problems.deliveries import Deliveries, Route
from quantum_assets.problems.penalty import MARGIN, Penalty
from quantum_assets.problems.polynomial import Term, from_bits, squared
from quantum_assets.problems.route_candidates import route_candidates
from quantum_assets.problems.rows import matrix_of


@dataclass(frozen=True, eq=False)
class RouteBundle:
    """Candidate routes of an instance; bit i says whether route i is driven.

    Energy: total length plus `weight · Σ_stops (times served - 1)²`, weight by the *price* rule. Give each stop s the
    price `p_s`, the least over its routes of length / stops. A route is never shorter than the prices of its stops, so
    any row is at least as long as the prices of what it serves; a row that misses some stops saves at most their
    prices. With U the length of a plan in hand and L the sum of all prices, a weight above `(U - L) + max p_s` makes
    every row that breaks a rule dearer than that plan.

    Attributes:
        deliveries: The instance.
        routes: Candidates, each within capacity, no two of the same stops.
        fallback: Numbers of candidates that together are a plan; where repair ends that finds no other.
    """

    deliveries: Deliveries
    routes: tuple[Route, ...]
    fallback: tuple[int, ...]

    def __post_init__(self) -> None:
        whose = f"routes of {self.deliveries.name}"
        if not self.routes:
            raise PlanError(whose, "are none", "Give candidate routes")
        for number, route in enumerate(self.routes):
            if not route or len(set(route)) < len(route) or not set(route) <= set(range(len(self.deliveries.stops))):
                problem = f"is {route}: empty, a stop twice, or a stop that is not there"
                raise PlanError(f"{whose}: candidate {number}", problem, "Name stops from 0, each once")
            if (load := self.deliveries.load(route)) > self.deliveries.capacity:
                problem = f"carries {load}, and a truck holds {self.deliveries.capacity}"
                raise PlanError(f"{whose}: candidate {number}", problem, "Leave it out")
        if len(set(map(frozenset, self.routes))) < len(self.routes):
            raise PlanError(whose, "serve the same stops with two candidates", "Keep the shorter")
        if not set(self.fallback) <= set(range(len(self.routes))):
            raise PlanError(f"{whose}: fallback", f"is {self.fallback}", "Name candidates by number from 0")
        if faults := self.deliveries.faults([self.routes[number] for number in self.fallback]):
            raise PlanError(f"{whose}: fallback", "; ".join(faults), "Name candidates that serve each stop once")

    @property
    def kind(self) -> str:
        """``delivery_routes``."""
        return "delivery_routes"

    @property
    def name(self) -> str:
        """The instance's."""
        return self.deliveries.name

    @property
    def sense(self) -> Sense:
        """Shorter is better."""
        return "minimise"

    @property
    def unit(self) -> str:
        """That of the distances."""
        return self.deliveries.unit

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Each route by its stops in order."""
        return tuple("-".join(self.deliveries.stops[stop] for stop in route) for route in self.routes)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the instance, the candidates and the fallback."""
        return fingerprint("delivery_routes/v1", self.deliveries.fingerprint, self.routes, sorted(self.fallback))

    @cached_property
    def lengths(self) -> FloatArray:
        """Length of each candidate, recomputed from distances; shape `(n_routes,)`."""
        return np.array([self.deliveries.length(route) for route in self.routes])

    @cached_property
    def _serves(self) -> FloatArray:
        """1 where a route (row) serves a stop (column)."""
        table = np.zeros((len(self.routes), len(self.deliveries.stops)))
        for number, route in enumerate(self.routes):
            table[number, list(route)] = 1.0
        return table

    @cached_property
    def _by_ratio(self) -> list[int]:
        """Candidates by rising length a unit of load, lower number first among equals."""
        loads = np.array([self.deliveries.load(route) for route in self.routes])
        return [int(number) for number in np.argsort(self.lengths / loads, kind="stable")]

    @cached_property
    def penalty(self) -> Penalty:
        """The weight by the *price* rule."""
        shares = np.where(self._serves > 0, (self.lengths / self._serves.sum(axis=1))[:, None], np.inf)
        prices = shares.min(axis=0)
        plan = float(self.lengths[list(self.fallback)].sum())
        bound = plan - float(prices.sum()) + float(prices.max())
        weight = MARGIN * bound if bound > 0 else 1.0
        gap = f"a plan of {plan:.6g} less prices {prices.sum():.6g} plus the dearest {prices.max():.6g}"
        return Penalty(weight, f"price rule: {weight:.6g} > {bound:.6g}, {gap}")

    def encode(self) -> Encoding:
        """Energy is the total length, with the penalty for stops served more or less than once."""
        terms: list[Term] = [((number,), float(length)) for number, length in enumerate(self.lengths)]
        for column in self._serves.T:
            serving = dict.fromkeys(np.flatnonzero(column).tolist(), 1.0)
            terms += squared(serving, -1.0, self.penalty.weight)
        return Encoding(from_bits(len(self.routes), terms), self.penalty.weight, self.penalty.rule)

    def objective(self, bits: Bits) -> FloatArray:
        """Total length of the chosen routes."""
        return np.asarray(matrix_of(self, bits) @ self.lengths)

    def violations(self, bits: Bits) -> FloatArray:
        """For every stop how often it is served too much or too little, added up; candidates are within capacity."""
        return np.asarray(np.abs(matrix_of(self, bits) @ self._serves - 1.0).sum(axis=1))

    def repair(self, bits: Bits) -> Bits:
        """Make every row a plan; rows that are one stay as they are.

        Drop: while chosen routes share a stop, the one among them of the greatest length a unit of load goes. Add:
        routes by rising length a unit of load, each if none of its stops is served yet. A row that still misses
        a stop becomes the fallback.
        """
        rows = matrix_of(self, bits).copy()
        served = rows @ self._serves
        for number in reversed(self._by_ratio):
            stops = self._serves[number]
            dropped = (rows[:, number] == 1) & (served[:, stops > 0] > 1).any(axis=1)
            rows[dropped, number] = 0
            served[dropped] -= stops
        for number in self._by_ratio:
            stops = self._serves[number]
            added = (rows[:, number] == 0) & ~(served[:, stops > 0] > 0).any(axis=1)
            rows[added, number] = 1
            served[added] += stops
        rows[(served != 1).any(axis=1)] = np.isin(np.arange(len(self.routes)), self.fallback)
        return rows

    def greedy(self) -> Bits:
        """Repair of the row that drives nothing: routes by length a unit of load, else the fallback."""
        return np.asarray(self.repair(np.zeros((1, len(self.routes)), dtype=np.uint8))[0])

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        """One line a chosen route: its places in order, stops, length and load."""
        places, depot = self.deliveries.stops, self.deliveries.depot
        return tuple(
            {
                "route": int(number),
                "places": " > ".join([depot, *(places[stop] for stop in self.routes[number]), depot]),
                "stops": len(self.routes[number]),
                "length": float(self.lengths[number]),
                "load": self.deliveries.load(self.routes[number]),
            }
            for number in np.flatnonzero(matrix_of(self, bits)[0])
        )

    def plan(self, bits: Bits) -> tuple[Route, ...]:
        """The chosen routes, for `Deliveries.cost` to judge."""
        return tuple(self.routes[number] for number in np.flatnonzero(matrix_of(self, bits)[0]))


def route_bundle(deliveries: Deliveries, limit: int = 18) -> RouteBundle:
    """The problem of choosing among generated candidates; repair falls back on the plain savings plan.

    The best plan found is among the candidates, and repair does not know which it is.

    Raises:
        PlanError: As `route_candidates` does.
    """
    found = route_candidates(deliveries, limit)
    return RouteBundle(deliveries, found.routes, found.savings)
