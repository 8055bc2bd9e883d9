"""Graph files: published ones read right, and faults are named by file, line and value."""

from pathlib import Path

import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.graph_files import read_dimacs, read_rudy
from quantum_assets_tests.problems.laws import SHARED, needs_shared


def test_rudy_reads_weights_and_takes_1_where_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "t.rudy"
    path.write_text("3 2 \r\n1 3 -2.5\r\n\r\n2 3\r\n")
    graph = read_rudy(path)
    assert graph.nodes == ("1", "2", "3")
    assert graph.edges.tolist() == [[0, 2], [1, 2]]
    assert graph.weights.tolist() == [-2.5, 1.0]


def test_dimacs_reads_past_comments(tmp_path: Path) -> None:
    path = tmp_path / "t.gph"
    path.write_text("c a comment\np edge 4 2\ne 1 2\nc another\ne 4 2\n")
    graph = read_dimacs(path)
    assert graph.name == "t"
    assert len(graph.nodes) == 4
    assert graph.edges.tolist() == [[0, 1], [3, 1]]


@pytest.mark.parametrize(
    ("text", "culprit", "problem"),
    [
        ("", "t", "the file is empty"),
        ("3\n", "t: line 1", "has 1 numbers where 2 belong"),
        ("3 x\n", "t: line 1", "'x' is not a whole number"),
        ("0 0\n", "t: line 1", "states 0 nodes"),
        ("99999999999 1\n1 2 1\n", "t: line 1", "states 99999999999 nodes"),
        ("3 1\n1 4 1\n", "t: line 2", "names node 4 of 3"),
        ("3 1\n0 2 1\n", "t: line 2", "names node 0 of 3"),
        ("3 1\n1.5 2 1\n", "t: line 2", "'1.5' is not a whole number"),
        ("3 1\n1 2 one\n", "t: line 2", "'one' is not a number"),
        ("3 1\n1 2 1 1\n", "t: line 2", "has 4 numbers where 3 belong"),
        ("3 2\n1 2 1\n", "t", "states 2 edges and lists 1"),
        ("3 1\n2 2 1\n", "graph t: edge 2 - 2", "joins a node to itself"),
        ("3 2\n1 2 1\n2 1 1\n", "graph t: edge 2 - 1", "is given twice"),
        ("3 1\n1 2 nan\n", "graph t: edge 1 - 2", "has a weight that is not a finite number"),
    ],
)
def test_faults_of_rudy_files(text: str, culprit: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "t"
    path.write_text(text)
    with pytest.raises(PlanError) as caught:
        read_rudy(path)
    assert (caught.value.culprit, caught.value.problem) == (culprit, problem)


@pytest.mark.parametrize(
    ("text", "culprit", "problem"),
    [
        ("c only\n", "t.gph", "has no line p"),
        ("e 1 2\n", "t.gph: line 1", "begins with 'e'"),
        ("p edge 2 1\nq 1 2\n", "t.gph: line 2", "begins with 'q'"),
        ("p edge 2 1\np edge 2 1\n", "t.gph: line 2", "begins with 'p'"),
        ("p edge 2\n", "t.gph: line 1", "has 1 numbers where 2 belong"),
        ("p edge 2 1\ne 1 3\n", "t.gph: line 2", "names node 3 of 2"),
        ("p edge 2 2\ne 1 2\n", "t.gph", "states 2 edges and lists 1"),
    ],
)
def test_faults_of_dimacs_files(text: str, culprit: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "t.gph"
    path.write_text(text)
    with pytest.raises(PlanError) as caught:
        read_dimacs(path)
    assert (caught.value.culprit, caught.value.problem) == (culprit, problem)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"absent.rudy: cannot be read \(FileNotFoundError\)"):
        read_rudy(tmp_path / "absent.rudy")
    (tmp_path / "binary.gph").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match=r"binary.gph: cannot be read \(UnicodeDecodeError\)"):
        read_dimacs(tmp_path / "binary.gph")


@needs_shared
@pytest.mark.parametrize(
    ("file", "nodes", "edges", "weights"),
    [
        ("G11.txt", 800, 1600, {-1.0, 1.0}),
        ("G14.txt", 800, 4694, {1.0}),
        ("g05_60.0", 60, 885, {1.0}),
        ("g05_80.0", 80, 1580, {1.0}),
        ("w01_100.0", 100, 495, {float(w) for w in range(-10, 11)}),
    ],
)
def test_published_max_cut_graphs(file: str, nodes: int, edges: int, weights: set[float]) -> None:
    graph = read_rudy(SHARED / "maxcut" / file)
    assert (len(graph.nodes), len(graph.edges)) == (nodes, edges)
    assert set(graph.weights.tolist()) == weights


@needs_shared
def test_the_kangaroo_graph() -> None:
    graph = read_dimacs(SHARED / "independent_set" / "mammalia-kangaroo-interactions.gph")
    assert (len(graph.nodes), len(graph.edges)) == (17, 91)
