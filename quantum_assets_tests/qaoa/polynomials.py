"""Ising polynomials of the tests, written down here rather than by the problems' own room."""

from collections import Counter
from itertools import combinations

import numpy as np

from quantum_assets.contracts.problem import Ising


def random_polynomial(n: int, order: int, seed: int, per_size: int = 5) -> Ising:
    """Random terms of every size up to `order` with normal coefficients, and an offset."""
    generator = np.random.default_rng(seed)
    terms: set[tuple[int, ...]] = set()
    for size in range(1, min(n, order) + 1):
        for _ in range(per_size):
            terms.add(tuple(sorted(generator.choice(n, size, replace=False).tolist())))
    return Ising(n, tuple(sorted(terms)), generator.normal(size=len(terms)), float(generator.normal()))


def max_cut(graph: str, *arguments: int, seed: int | None = None) -> Ising:
    """Energy = minus the number of edges cut, of the graph that networkx makes by the name `<graph>_graph`."""
    import networkx as nx

    options = {} if seed is None else {"seed": seed}
    made = nx.convert_node_labels_to_integers(getattr(nx, f"{graph}_graph")(*arguments, **options))
    edges = tuple((min(edge), max(edge)) for edge in made.edges)
    return Ising(len(made), edges, np.full(len(edges), 0.5), -0.5 * len(edges))


def labs(n: int) -> Ising:
    """Low-autocorrelation binary sequences: energy = Σ_k (Σ_i s_i s_{i+k})², multiplied out term by term."""
    weights: Counter[tuple[int, ...]] = Counter()
    for lag in range(1, n):
        pairs = [(i, i + lag) for i in range(n - lag)]
        weights[()] += len(pairs)
        for one, other in combinations(pairs, 2):
            weights[tuple(sorted(set(one) ^ set(other)))] += 2
    offset = weights.pop(())
    terms = tuple(sorted(weights))
    return Ising(n, terms, np.array([weights[term] for term in terms], dtype=np.float64), float(offset))
