"""Graphs as checked values, by name, at random, and from labels."""

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.graphs import MAX_NODES, NAMED, Graph, from_edges, named, random_regular

EDGES = np.array([[0, 1], [2, 1]])
ONES = np.ones(2)


@pytest.mark.parametrize(
    ("name", "nodes", "edges"),
    [("karate", 34, 78), ("heawood", 14, 21), ("pappus", 18, 27), ("desargues", 20, 30), ("petersen", 10, 15)],
)
def test_named_graphs(name: str, nodes: int, edges: int) -> None:
    graph = named(name)
    assert (len(graph.nodes), len(graph.edges), graph.unweighted) == (nodes, edges, True)
    assert graph.degrees.sum() == 2 * edges
    if name != "karate":
        assert (graph.degrees == 3).all()


def test_every_name_is_tested_and_others_are_refused() -> None:
    assert set(NAMED) == {"karate", "heawood", "pappus", "desargues", "petersen"}
    with pytest.raises(PlanError, match=r"'karat': is not one that is known by name\. Write one of desargues, heawood"):
        named("karat")


def test_random_regular_graphs_follow_their_seed() -> None:
    first, again, other = (random_regular(12, 3, seed) for seed in (1, 1, 2))
    assert (first.degrees == 3).all()
    assert first.fingerprint == again.fingerprint != other.fingerprint
    with pytest.raises(PlanError, match="cannot be: 7 nodes of degree 3"):
        random_regular(7, 3, 0)
    with pytest.raises(PlanError, match="cannot be: 3 nodes of degree 3"):
        random_regular(3, 3, 0)


def test_neighbours_and_their_weights_go_together() -> None:
    graph = from_edges("g", [("b", "a"), ("c", "b")], [2.0, -1.0], nodes=["a", "b", "c", "d"])
    assert [around.tolist() for around in graph.neighbours] == [[1], [0, 2], [1], []]
    assert [weights.tolist() for weights in graph.incident_weights] == [[2.0], [2.0, -1.0], [-1.0], []]


def test_fingerprint_knows_structure_and_weights_only() -> None:
    first = from_edges("g", [(0, 1), (1, 2)], [1.0, 2.0])
    assert from_edges("h", [("z", "y"), ("x", "y")], [2.0, 1.0], nodes=["x", "y", "z"]).fingerprint == first.fingerprint
    assert from_edges("g", [(0, 1), (1, 2)], [1.0, 2.5]).fingerprint != first.fingerprint
    assert from_edges("g", [(0, 1), (0, 2)], [1.0, 2.0]).fingerprint != first.fingerprint
    assert from_edges("g", [(0, 1), (1, 2)], [1.0, 2.0], nodes=[0, 1, 2, 3]).fingerprint != first.fingerprint


@pytest.mark.parametrize(
    ("call", "culprit", "problem"),
    [
        (lambda: Graph("g", (), EDGES, ONES), "graph g", "is empty: it has no nodes"),
        (lambda: Graph("g", ("a",), EDGES[:0], ONES[:0]), "graph g", "is empty: it has no edges"),
        (lambda: Graph("g", ("a", "b", "a"), EDGES, ONES), "graph g: node 'a'", "is listed twice"),
        (lambda: Graph("g", ("a", "b", "c"), EDGES, np.ones(3)), "graph g", "weights of shape (3,)"),
        (lambda: Graph("g", ("a", "b", "c"), EDGES.ravel(), ONES), "graph g", "has edges of shape (4,)"),
        (lambda: Graph("g", ("a", "b"), EDGES, ONES), "graph g: edge (2, 1)", "names a node outside 0 … 1"),
        (lambda: Graph("g", ("a", "b", "c"), EDGES - 1, ONES), "graph g: edge (-1, 0)", "names a node outside 0 … 2"),
        (lambda: from_edges("g", [(1, 2), (3, 3)]), "graph g: edge 3 - 3", "joins a node to itself"),
        (lambda: from_edges("g", [(1, 2), (2, 1)]), "graph g: edge 2 - 1", "is given twice"),
        (
            lambda: from_edges("g", [(1, 2)], [np.nan]),
            "graph g: edge 1 - 2",
            "has a weight that is not a finite number",
        ),
        (
            lambda: from_edges("g", [(1, 2)], [np.inf]),
            "graph g: edge 1 - 2",
            "has a weight that is not a finite number",
        ),
        (lambda: from_edges("g", [(1, 2)], nodes=[1]), "graph g: edge 1 - 2", "names the unknown node 2"),
        (lambda: from_edges("g", []), "graph g", "is empty: it has no nodes"),
        (lambda: from_edges("g", [(0, 1)], nodes=range(MAX_NODES + 1)), "graph g", "has 20,001 nodes"),
    ],
)
def test_faults_are_named(call, culprit: str, problem: str) -> None:
    with pytest.raises(PlanError) as caught:
        call()
    assert caught.value.culprit == culprit
    assert problem in caught.value.problem
