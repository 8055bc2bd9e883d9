"""Deliveries from one depot by trucks of one size: the instance, and the checker that every plan of routes must pass.

A route is the order of its stops, by number from 0; it starts and ends at the depot. The checker recomputes everything
from distances and demands and believes no solver.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.workload import FloatArray, IntArray

Route = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Deliveries:
    """A capacitated vehicle routing instance (Dantzig and Ramser 1959, "The truck dispatching problem").

    Attributes:
        name: For example ``germany``.
        depot: Where every route begins and ends.
        stops: Where goods go, at least one, no two alike.
        demands: Goods for each stop, 1 or more, at most the capacity; shape `(n,)`.
        capacity: Goods that one truck holds.
        distances: Symmetric, zeros on the diagonal; row 0 is the depot, row i + 1 is stop i; shape `(n + 1, n + 1)`.
        positions: Points of a plane in the same order, shape `(n + 1, 2)`; only their angles around the depot are used.
        unit: Of the distances.
    """

    name: str
    depot: str
    stops: tuple[str, ...]
    demands: IntArray
    capacity: int
    distances: FloatArray
    positions: FloatArray
    unit: str = "km"

    def __post_init__(self) -> None:
        n, whose = len(self.stops), f"deliveries {self.name}"
        if not n or self.demands.shape != (n,):
            raise PlanError(whose, f"has {n} stops and demands of shape {self.demands.shape}", "Give one demand a stop")
        for place, stop in enumerate(self.stops):
            if stop in self.stops[:place] or stop == self.depot:
                raise PlanError(f"{whose}: stop {stop}", "is named twice, or is the depot", "Name each place once")
        for stop, demand in zip(self.stops, self.demands.tolist(), strict=True):
            if not 1 <= demand <= self.capacity:
                problem = f"asks for {demand}, and a truck holds {self.capacity}"
                raise PlanError(f"{whose}: stop {stop}", problem, "Give a demand of 1 up to the capacity")
        self._check_distances(whose)

    def _check_distances(self, whose: str) -> None:
        size = len(self.stops) + 1
        if self.distances.shape != (size, size) or self.positions.shape != (size, 2):
            shapes = f"distances {self.distances.shape} and positions {self.positions.shape}"
            raise PlanError(whose, f"has {shapes}", f"Give shapes ({size}, {size}) and ({size}, 2), the depot first")
        if not (np.isfinite(self.distances).all() and np.isfinite(self.positions).all()):
            raise PlanError(whose, "has a distance or position that is not finite", "Give finite numbers")
        sound = (self.distances >= 0).all() and not self.distances.diagonal().any()
        if not sound or not np.array_equal(self.distances, self.distances.T):
            raise PlanError(
                f"{whose}: distances",
                "are negative, not symmetric or not 0 on the diagonal",
                "Give one length for each pair of places",
            )

    @cached_property
    def fingerprint(self) -> str:
        """Hash of what costs and rules depend on."""
        places = (self.depot, self.stops)
        return fingerprint("deliveries/v1", places, self.demands, self.capacity, self.distances, self.unit)

    def length(self, route: Sequence[int]) -> float:
        """Length of a route from the depot through its stops and back."""
        places = [0, *(stop + 1 for stop in route), 0]
        return float(sum(self.distances[a, b] for a, b in pairwise(places)))

    def load(self, route: Sequence[int]) -> int:
        """Goods on the truck when it leaves the depot."""
        return int(self.demands[list(route)].sum())

    def faults(self, routes: Sequence[Sequence[int]]) -> tuple[str, ...]:
        """Every rule that a plan breaks, in words: unknown, missed or doubled stops, too full trucks, empty routes."""
        found: list[str] = []
        times = dict.fromkeys(range(len(self.stops)), 0)
        for number, route in enumerate(routes, start=1):
            unknown = [stop for stop in route if stop not in times]
            if unknown or not route:
                found.append(f"route {number} is empty" if not route else f"route {number} has no stop {unknown[0]}")
                continue
            if self.load(route) > self.capacity:
                found.append(f"route {number} carries {self.load(route)}, and a truck holds {self.capacity}")
            for stop in route:
                times[stop] += 1
        found += [f"{self.stops[stop]} is served {n} times" for stop, n in times.items() if n != 1]
        return tuple(found)

    def cost(self, routes: Sequence[Sequence[int]]) -> float:
        """Total length of a plan, recomputed.

        Raises:
            PlanError: If the plan breaks a rule, naming every one.
        """
        if faults := self.faults(routes):
            raise PlanError(f"routes of {self.name}", "; ".join(faults), "Serve each stop once within the capacity")
        return float(sum(self.length(route) for route in routes))
