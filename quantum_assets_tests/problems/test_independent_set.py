"""Maximum independent set: the laws on random graphs, the stated repair, and recorded hardware shots through it."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits
from quantum_assets.problems.graph_files import read_dimacs
from quantum_assets.problems.graphs import Graph, from_edges, named
from quantum_assets.problems.independent_set import IndependentSet
from quantum_assets_tests.problems.laws import SHARED, all_rows, check_laws, needs_shared
from quantum_assets_tests.problems.test_max_cut import graphs

PATH = from_edges("path", [(0, 1), (1, 2), (2, 3), (3, 4)])


@settings(max_examples=60, deadline=None)
@given(graphs(weighted=False))
def test_laws(graph: Graph) -> None:
    check_laws(IndependentSet(graph))


@settings(max_examples=60, deadline=None)
@given(graphs(weighted=False))
def test_the_repair_is_the_stated_rule(graph: Graph) -> None:
    """Row by row, as the docstring says it, beside the vectorised one."""
    problem, n = IndependentSet(graph, completes="all"), len(graph.nodes)
    around = [set(nodes.tolist()) for nodes in graph.neighbours]
    rows = all_rows(n)
    for row, repaired in zip(rows, problem.repair(rows), strict=True):
        chosen, dropped = set(np.flatnonzero(row).tolist()), set()
        while any(around[v] & chosen for v in chosen):
            worst = max(sorted(chosen), key=lambda v: len(around[v] & chosen))
            chosen.remove(worst)
            dropped.add(worst)
        for node in range(n):
            if node not in chosen | dropped and not around[node] & chosen:
                chosen.add(node)
        assert set(np.flatnonzero(repaired).tolist()) == chosen


def test_repair_leaves_feasible_rows_alone_unless_told_to_complete_all() -> None:
    rows = np.array([[0, 0, 0, 0, 0], [1, 1, 1, 0, 0]], dtype=np.uint8)
    assert IndependentSet(PATH).repair(rows).tolist() == [[0, 0, 0, 0, 0], [1, 0, 1, 0, 1]]
    assert IndependentSet(PATH, completes="all").repair(rows).tolist() == [[1, 0, 1, 0, 1], [1, 0, 1, 0, 1]]


def test_repair_of_many_rows_is_the_repair_of_each() -> None:
    problem = IndependentSet(named("karate"))
    rows = np.random.default_rng(5).integers(0, 2, (200, 34), dtype=np.uint8)
    together = problem.repair(rows)
    assert (together == np.concatenate([problem.repair(row) for row in rows])).all()
    assert (problem.violations(together) == 0).all()


def test_penalty_is_above_one_node() -> None:
    encoding = IndependentSet(PATH).encode()
    assert encoding.penalty == 1.5
    assert encoding.rule == "flip rule: 1.5 > the objective's largest change by one flip (at most 1) / 1"
    assert encoding.energy_per_unit == -1.0


def test_greedy_finds_the_karate_optimum() -> None:
    problem = IndependentSet(named("karate"))
    assert problem.objective(problem.greedy())[0] == 20


def test_interpret_shows_conflicts() -> None:
    lines = IndependentSet(PATH).interpret(np.array([1, 1, 0, 0, 1], dtype=np.uint8))
    assert [tuple(line.values()) for line in lines] == [
        ("0", 1, 1, 1),
        ("1", 1, 2, 1),
        ("2", 0, 2, 1),
        ("3", 0, 2, 1),
        ("4", 1, 1, 0),
    ]


def test_identity() -> None:
    problem = IndependentSet(PATH)
    assert (problem.kind, problem.name, problem.sense, problem.unit) == (
        "independent_set",
        "path",
        "maximise",
        "nodes",
    )
    heavier = from_edges("path", PATH.edges.tolist(), [2.0, 1.0, 1.0, 1.0])
    assert IndependentSet(heavier).fingerprint == problem.fingerprint
    assert IndependentSet(named("petersen")).fingerprint != problem.fingerprint
    with pytest.raises(PlanError, match="independent_set path: completes: is 'none'"):
        IndependentSet(PATH, completes="none")


def published(file: str, n: int) -> Bits:
    """The row of a ``.sol`` file: numbers of the chosen nodes, from 1."""
    row = np.zeros(n, dtype=np.uint8)
    for line in (SHARED / "independent_set" / file).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            row[int(line) - 1] = 1
    return row


@needs_shared
@pytest.mark.parametrize(("file", "size"), [("karate.opt.sol", 20), ("mammalia-kangaroo-interactions.opt.sol", 4)])
def test_published_solutions(file: str, size: int) -> None:
    graph = named("karate") if size == 20 else read_dimacs(kangaroo_file())
    problem = IndependentSet(graph)
    row = published(file, len(graph.nodes))
    assert problem.violations(row)[0] == 0
    assert problem.objective(row)[0] == size


@needs_shared
def test_recorded_hardware_shots_through_the_published_repair() -> None:
    """Five runs of 1024 shots: raw 5.4 % feasible; after repair .859 ± .011 reach 4, uniform bits .801 ± .013."""
    problem = IndependentSet(read_dimacs(kangaroo_file()), completes="all")
    runs = [shots(file) for file in sorted((SHARED / "hardware_shots" / "mis17").glob("*_final?.json"))]
    assert len(runs) == 5
    assert np.mean([problem.violations(run) == 0 for run in runs]) == pytest.approx(0.054, abs=0.0005)
    reached = [(problem.objective(problem.repair(run)) == 4).mean() for run in runs]
    assert np.mean(reached) == pytest.approx(0.859, abs=0.0005)
    assert np.std(reached, ddof=1) == pytest.approx(0.011, abs=0.0005)
    rng = np.random.default_rng(17)
    uniform = rng.integers(0, 2, (5 * 1024, 17), dtype=np.uint8)
    assert (problem.objective(problem.repair(uniform)) == 4).mean() == pytest.approx(0.801, abs=2 * 0.013)


def kangaroo_file() -> Path:
    return SHARED / "independent_set" / "mammalia-kangaroo-interactions.gph"


def shots(file: Path) -> Bits:
    """Rows of one run; a key's last character is qubit 0."""
    counts = json.loads(file.read_text())[0][1]
    return np.array([[int(bit) for bit in key[::-1]] for key, n in counts.items() for _ in range(n)], dtype=np.uint8)
