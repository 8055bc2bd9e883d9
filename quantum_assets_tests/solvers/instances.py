"""Small polynomials with known minima, and a clock that tests turn by hand."""

from itertools import combinations

import numpy as np

from quantum_assets.contracts.problem import Ising, unpack


def random_ising(n: int, order: int, seed: int, whole: bool = False) -> Ising:
    """About half of all terms up to an order, normal or whole coefficients, and an offset."""
    rng = np.random.default_rng(seed)
    every = [term for size in range(1, order + 1) for term in combinations(range(n), size)]
    terms = tuple(term for term in every if rng.random() < 0.5 or len(term) == order)
    weights = rng.integers(-3, 4, len(terms)).astype(float) if whole else rng.normal(size=len(terms))
    return Ising(n, terms, weights, float(rng.normal()))


def times(ising: Ising, factor: float) -> Ising:
    """The same polynomial in another unit."""
    return Ising(ising.n_variables, ising.terms, ising.coefficients * factor, ising.offset * factor)


def minimum(ising: Ising) -> float:
    """By looking at every row."""
    return float(ising.energies(unpack(np.arange(2**ising.n_variables), ising.n_variables)).min())


def karate_max_cut() -> Ising:
    """Minus the number of cut edges of Zachary's karate club; the optimum is -61."""
    import networkx as nx

    graph = nx.karate_club_graph()
    edges = tuple((min(a, b), max(a, b)) for a, b in graph.edges)
    return Ising(34, edges, np.full(len(edges), 0.5), -0.5 * len(edges))


class Clock:
    """A clock that moves on by a fixed number of seconds whenever it is read."""

    def __init__(self, tick: float) -> None:
        self.now, self.tick = 0.0, tick

    def __call__(self) -> float:
        self.now += self.tick
        return self.now
