"""Maximum cut: the laws on random weighted graphs, and published values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quantum_assets.problems.graphs import Graph, from_edges, named
from quantum_assets.problems.max_cut import MaxCut
from quantum_assets_tests.problems.laws import all_rows, check_laws


@st.composite
def graphs(draw: st.DrawFn, weighted: bool = True) -> Graph:
    """Graphs of 2 to 7 nodes with at least one edge, some nodes perhaps alone."""
    n = draw(st.integers(2, 7))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    numbers = st.floats(-4, 4, allow_nan=False).map(lambda w: round(w, 2)) if weighted else st.just(1.0)
    weights = draw(st.lists(numbers, min_size=len(chosen), max_size=len(chosen)))
    return from_edges("drawn", chosen, weights, range(n))


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_laws(graph: Graph) -> None:
    check_laws(MaxCut(graph))


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_the_cut_is_what_networkx_cuts(graph: Graph) -> None:
    import networkx as nx

    other = nx.Graph()
    other.add_nodes_from(range(len(graph.nodes)))
    other.add_weighted_edges_from((i, j, w) for (i, j), w in zip(graph.edges.tolist(), graph.weights, strict=True))
    rows = all_rows(len(graph.nodes))[:16]
    cuts = [nx.cut_size(other, np.flatnonzero(row).tolist(), weight="weight") if row.any() else 0.0 for row in rows]
    np.testing.assert_allclose(MaxCut(graph).objective(rows), cuts, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_greedy_cuts_at_least_half_of_the_weight(graph: Graph) -> None:
    problem = MaxCut(graph)
    assert problem.objective(problem.greedy())[0] >= graph.weights.sum() / 2 - 1e-12


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_complements_cut_the_same(graph: Graph) -> None:
    rows = all_rows(len(graph.nodes))
    assert (MaxCut(graph).objective(rows) == MaxCut(graph).objective(1 - rows)).all()


@pytest.mark.parametrize("name", ["heawood", "pappus", "desargues"])
def test_bipartite_graphs_are_cut_in_every_edge(name: str) -> None:
    import networkx as nx

    graph = named(name)
    colours = nx.bipartite.color(nx.Graph(graph.edges.tolist()))
    row = np.array([colours[i] for i in range(len(graph.nodes))], dtype=np.uint8)
    assert MaxCut(graph).objective(row)[0] == len(graph.edges)


def test_interpret_accounts_for_every_edge_twice() -> None:
    problem = MaxCut(from_edges("g", [("a", "b"), ("b", "c"), ("a", "c")], [2.0, -1.0, 0.5]))
    lines = problem.interpret(np.array([0, 1, 0], dtype=np.uint8))
    assert [line["node"] for line in lines] == ["a", "b", "c"]
    assert [line["side"] for line in lines] == [0, 1, 0]
    assert [line["weight_cut"] for line in lines] == [2.0, 1.0, -1.0]
    assert [line["weight_kept"] for line in lines] == [0.5, 0.0, 0.5]


def test_identity() -> None:
    problem = MaxCut(named("karate"))
    assert (problem.kind, problem.name, problem.sense, problem.unit) == ("max_cut", "karate", "maximise", "edges")
    assert MaxCut(from_edges("w", [(0, 1)], [2.0])).unit == "weight"
    assert problem.fingerprint != MaxCut(named("petersen")).fingerprint
    assert problem.fingerprint != problem.graph.fingerprint
    encoding = problem.encode()
    assert len(encoding.ising.terms) == 78
    assert encoding.ising.offset == -39
    assert encoding.penalty == 0
