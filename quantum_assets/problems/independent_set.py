"""Maximum independent set: choose as many nodes as possible, no two of them joined."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.problem import Bits, Encoding, Sense
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.problems.graphs import Graph
from quantum_assets.problems.penalty import by_flip
from quantum_assets.problems.polynomial import Term, from_bits
from quantum_assets.problems.rows import matrix_of, pair_sums, pieces


@dataclass(frozen=True, eq=False)
class IndependentSet:
    """The largest set of nodes without an edge inside; bit i says whether node i is chosen.

    Weights of edges do not matter. Energy: `-Σ x_i + w Σ_edges x_i x_j`, w by the *flip* rule (unchoosing either end of
    a broken edge mends it and costs one node).

    Attributes:
        graph: Whose nodes are chosen.
        completes: The rows that `repair` works on: ``broken`` ones only, or ``all``, which also adds nodes to feasible
            rows. ``all`` is the published post-processing of QOBLIB's hardware runs of this problem.
    """

    graph: Graph
    completes: Literal["broken", "all"] = "broken"

    def __post_init__(self) -> None:
        if self.completes not in ("broken", "all"):
            raise PlanError(f"{self.kind} {self.name}: completes", f"is {self.completes!r}", "Write 'broken' or 'all'")

    @property
    def kind(self) -> str:
        """``independent_set``."""
        return "independent_set"

    @property
    def name(self) -> str:
        """The graph's."""
        return self.graph.name

    @property
    def sense(self) -> Sense:
        """Larger is better."""
        return "maximise"

    @property
    def unit(self) -> str:
        """Nodes chosen."""
        return "nodes"

    @property
    def variables(self) -> tuple[str, ...]:
        """The nodes."""
        return self.graph.nodes

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the structure; weights and labels do not matter."""
        bare = Graph(self.name, self.graph.nodes, self.graph.edges, np.ones(len(self.graph.edges)))
        return fingerprint("independent_set/v1", bare.fingerprint)

    def encode(self) -> Encoding:
        """Energy is minus the size, plus the penalty for every edge inside."""
        n = len(self.variables)
        size: list[Term] = [((i,), -1.0) for i in range(n)]
        penalty = by_flip(from_bits(n, size))
        inside: list[Term] = [((i, j), penalty.weight) for i, j in self.graph.edges.tolist()]
        return Encoding(from_bits(n, size + inside), penalty.weight, penalty.rule, energy_per_unit=-1.0)

    def objective(self, bits: Bits) -> FloatArray:
        """Number of nodes chosen."""
        return np.asarray(matrix_of(self, bits).sum(axis=1, dtype=np.float64))

    def violations(self, bits: Bits) -> FloatArray:
        """Number of edges with both ends chosen."""
        rows = matrix_of(self, bits)
        return pair_sums(rows, self.graph.edges, np.ones(len(self.graph.edges)), np.logical_and)

    def repair(self, bits: Bits) -> Bits:
        """Drop nodes until no edge is inside, then add nodes, in every row that `completes` says.

        Drop: the chosen node with the most chosen neighbours, the lowest number among equals, one after the other. Add:
        every node that was not dropped, by rising number, if no neighbour of it is chosen. Nothing is drawn.
        """
        rows = matrix_of(self, bits).copy()
        wanted = np.arange(len(rows)) if self.completes == "all" else np.flatnonzero(self.violations(rows))
        for piece in pieces(len(wanted), len(self.variables)):
            rows[wanted[piece]] = self._mended(rows[wanted[piece]])
        return rows

    def greedy(self) -> Bits:
        """Choose the free node with the fewest free neighbours, the lowest number among equals, until none is free."""
        chosen = np.zeros(len(self.variables), dtype=np.uint8)
        free = np.ones(len(chosen), dtype=bool)
        degrees = self.graph.degrees.copy()
        while free.any():
            best = int(np.argmin(np.where(free, degrees, len(chosen))))
            chosen[best] = 1
            lost = [int(v) for v in (best, *self.graph.neighbours[best]) if free[v]]
            free[lost] = False
            for v in lost:
                degrees[self.graph.neighbours[v]] -= 1
        return chosen

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        """One line a node: its label, whether it is chosen, its degree, and how many of its neighbours are chosen."""
        row = matrix_of(self, bits)[0]
        return tuple(
            {
                "node": label,
                "chosen": int(row[i]),
                "degree": int(self.graph.degrees[i]),
                "chosen_neighbours": int(row[self.graph.neighbours[i]].sum()),
            }
            for i, label in enumerate(self.variables)
        )

    def _mended(self, rows: Bits) -> Bits:
        """The rule of `repair`; `near` counts the chosen neighbours of every node."""
        n = rows.shape[1]
        near = np.zeros((len(rows), n + 1), dtype=np.int16)  # the last column belongs to no node: see `_around`
        for node, around in enumerate(self.graph.neighbours):
            near[:, node] = rows[:, around].sum(axis=1, dtype=np.int16)
        dropped = np.zeros(rows.shape, dtype=np.bool_)
        everyone = np.arange(len(rows))
        while True:
            clash = near[:, :n] * rows
            worst = np.argmax(clash, axis=1)
            broken = np.flatnonzero(clash[everyone, worst])
            if not len(broken):
                break
            rows[broken, worst[broken]] = 0
            dropped[broken, worst[broken]] = True
            near[broken[:, None], self._around[worst[broken]]] -= 1
        for node in range(n):
            free = np.flatnonzero((rows[:, node] == 0) & (near[:, node] == 0) & ~dropped[:, node])
            rows[free, node] = 1
            near[np.ix_(free, self.graph.neighbours[node])] += 1
        return rows

    @cached_property
    def _around(self) -> IntArray:
        """The neighbours of each node as one rectangle, filled up with the number after the last node."""
        n = len(self.variables)
        table = np.full((n, int(self.graph.degrees.max())), n, dtype=np.int64)
        for node, around in enumerate(self.graph.neighbours):
            table[node, : len(around)] = around
        return table
