"""Weighted graphs as checked values: named ones from networkx, and random regular ones.

A graph is judged once, here, so that every problem on graphs refuses the same faults with the same words.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.workload import FloatArray, IntArray

#: Graphs that networkx carries, by name; the social one is unweighted here (its weights count shared activities).
NAMED = ("desargues", "heawood", "karate", "pappus", "petersen")
MAX_NODES = 20_000


@dataclass(frozen=True, eq=False)
class Graph:
    """An undirected graph without loops or parallel edges.

    Attributes:
        name: For people and messages.
        nodes: A label a node, all different; at least one.
        edges: Two node numbers a row, shape `(n_edges, 2)`, in any order; at least one row.
        weights: One finite number an edge; may be negative.
    """

    name: str
    nodes: tuple[str, ...]
    edges: IntArray
    weights: FloatArray

    def __post_init__(self) -> None:
        if len(self.nodes) == 0 or len(self.edges) == 0:
            what = "no nodes" if len(self.nodes) == 0 else "no edges"
            raise PlanError(f"graph {self.name}", f"is empty: it has {what}", "Give at least one edge")
        if len(self.nodes) > MAX_NODES:
            raise PlanError(
                f"graph {self.name}", f"has {len(self.nodes):,} nodes", f"Take at most {MAX_NODES:,}: cut it in parts"
            )
        if len(set(self.nodes)) != len(self.nodes):
            twice = next(label for label in self.nodes if self.nodes.count(label) > 1)
            raise PlanError(f"graph {self.name}: node {twice!r}", "is listed twice", "Give every node one label")
        self._check_shapes()
        self._check_edges()

    def _check_shapes(self) -> None:
        if self.edges.ndim != 2 or self.edges.shape[1] != 2 or self.weights.shape != (len(self.edges),):
            raise PlanError(
                f"graph {self.name}",
                f"has edges of shape {self.edges.shape} and weights of shape {self.weights.shape}",
                "Give two node numbers and one weight an edge",
            )
        unknown = np.flatnonzero((self.edges < 0).any(axis=1) | (self.edges >= len(self.nodes)).any(axis=1))
        if len(unknown):
            raise PlanError(
                f"graph {self.name}: edge {tuple(self.edges[unknown[0]].tolist())}",
                f"names a node outside 0 … {len(self.nodes) - 1}",
                "Number nodes from 0 in the order of `nodes`",
            )

    def _check_edges(self) -> None:
        faults = (
            (~np.isfinite(self.weights), "has a weight that is not a finite number", "Give it a finite weight"),
            (self.edges[:, 0] == self.edges[:, 1], "joins a node to itself", "Leave self-loops out"),
            (_repeated(self.edges), "is given twice", "Add the weights of parallel edges up, in one edge"),
        )
        for wrong, problem, mend in faults:
            if wrong.any():
                ends = " - ".join(self.nodes[i] for i in self.edges[int(np.argmax(wrong))])
                raise PlanError(f"graph {self.name}: edge {ends}", problem, mend)

    @property
    def unweighted(self) -> bool:
        """Whether every weight is 1."""
        return bool((self.weights == 1.0).all())

    @cached_property
    def degrees(self) -> IntArray:
        """Number of edges at each node, shape `(n_nodes,)`."""
        return np.bincount(self.edges.ravel(), minlength=len(self.nodes)).astype(np.int64)

    @cached_property
    def neighbours(self) -> tuple[IntArray, ...]:
        """The nodes joined to each node, increasing."""
        return tuple(np.split(self._both_ways[0][:, 1], np.cumsum(self.degrees)[:-1]))

    @cached_property
    def incident_weights(self) -> tuple[FloatArray, ...]:
        """Weights of each node's edges, in the order of `neighbours`."""
        return tuple(np.split(self._both_ways[1], np.cumsum(self.degrees)[:-1]))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of structure and weights; labels and the order in which edges were written do not matter."""
        ends = np.sort(self.edges, axis=1)
        order = np.lexsort((ends[:, 1], ends[:, 0]))
        return fingerprint("graph/v1", len(self.nodes), ends[order].astype(np.int64), self.weights[order])

    @cached_property
    def _both_ways(self) -> tuple[IntArray, FloatArray]:
        """Every edge in both directions with its weight, sorted by first and second end."""
        ends = np.vstack([self.edges, self.edges[:, ::-1]])
        order = np.lexsort((ends[:, 1], ends[:, 0]))
        return ends[order], np.tile(self.weights, 2)[order]


def from_edges(
    name: str,
    edges: Iterable[tuple[Hashable, Hashable]],
    weights: Sequence[float] | None = None,
    nodes: Sequence[Hashable] | None = None,
) -> Graph:
    """A graph from pairs of labels.

    Args:
        name: For people and messages.
        edges: Pairs of labels.
        weights: One an edge; by default all 1.
        nodes: Labels in order; by default those that edges name, in the order of their first appearance.

    Raises:
        PlanError: For a label that `nodes` does not hold, another number of weights than of edges, or whatever
            `Graph` refuses.
    """
    pairs = list(edges)
    labels = list(dict.fromkeys(end for pair in pairs for end in pair)) if nodes is None else list(nodes)
    number = {label: place for place, label in enumerate(labels)}
    for pair in pairs:
        for end in pair:
            if end not in number:
                raise PlanError(
                    f"graph {name}: edge {pair[0]} - {pair[1]}", f"names the unknown node {end}", "Add it to the nodes"
                )
    ends = np.array([[number[a], number[b]] for a, b in pairs], dtype=np.int64).reshape(-1, 2)
    values = np.ones(len(pairs)) if weights is None else np.asarray(weights, dtype=np.float64)
    return Graph(name, tuple(str(label) for label in labels), ends, values)


def named(name: str) -> Graph:
    """A graph of `NAMED`, unweighted.

    ``karate`` is Zachary's club (34 nodes, 78 edges); the others are cubic.

    Raises:
        PlanError: For any other name.
    """
    import networkx as nx

    made: dict[str, Callable[[], Any]] = {
        "desargues": nx.desargues_graph,
        "heawood": nx.heawood_graph,
        "karate": nx.karate_club_graph,
        "pappus": nx.pappus_graph,
        "petersen": nx.petersen_graph,
    }
    if name not in made:
        raise PlanError(f"graph {name!r}", "is not one that is known by name", f"Write one of {', '.join(NAMED)}")
    graph = made[name]()
    return from_edges(name, sorted(graph.edges()), nodes=sorted(graph.nodes()))


def random_regular(n_nodes: int, degree: int, seed: int) -> Graph:
    """A random graph whose nodes all have the same degree, unweighted.

    Raises:
        PlanError: Unless `0 < degree < n_nodes` and `degree · n_nodes` is even.
    """
    name = f"regular-{n_nodes}-{degree}-{seed}"
    if not 0 < degree < n_nodes or degree * n_nodes % 2:
        raise PlanError(
            f"graph {name}",
            f"cannot be: {n_nodes} nodes of degree {degree}",
            "Choose 0 < degree < nodes, with an even product",
        )
    import networkx as nx

    graph = nx.random_regular_graph(degree, n_nodes, seed=seed)
    return from_edges(name, sorted(tuple(sorted(edge)) for edge in graph.edges()), nodes=range(n_nodes))


def _repeated(edges: IntArray) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which edges were there before, in either direction."""
    ends = np.sort(edges, axis=1)
    _, first = np.unique(ends, axis=0, return_index=True)
    again = np.ones(len(edges), dtype=np.bool_)
    again[first] = False
    return again
