"""Maximum cut: two sides for the nodes of a weighted graph, so that as much weight as possible lies between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.problem import Bits, Encoding, Sense
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.problems.graphs import Graph
from quantum_assets.problems.polynomial import Term, from_spins
from quantum_assets.problems.rows import matrix_of, pair_sums


@dataclass(frozen=True, eq=False)
class MaxCut:
    """The heaviest cut; bit i is the side of node i. Every row is feasible, and its complement is the same cut.

    Energy: minus the cut, `Σ_edges w (z_i z_j - 1) / 2`.

    Attributes:
        graph: Whose nodes are parted; weights may be negative.
    """

    graph: Graph

    @property
    def kind(self) -> str:
        """``max_cut``."""
        return "max_cut"

    @property
    def name(self) -> str:
        """The graph's."""
        return self.graph.name

    @property
    def sense(self) -> Sense:
        """Heavier is better."""
        return "maximise"

    @property
    def unit(self) -> str:
        """``edges``, or ``weight`` where weights are not all 1."""
        return "edges" if self.graph.unweighted else "weight"

    @property
    def variables(self) -> tuple[str, ...]:
        """The nodes."""
        return self.graph.nodes

    @cached_property
    def fingerprint(self) -> str:
        """Hash of structure and weights."""
        return fingerprint("max_cut/v1", self.graph.fingerprint)

    def encode(self) -> Encoding:
        """Energy is minus the cut."""
        weights = self.graph.weights.tolist()
        terms: list[Term] = [((i, j), w / 2) for (i, j), w in zip(self.graph.edges.tolist(), weights, strict=True)]
        constant: list[Term] = [((), -w / 2) for w in weights]
        return Encoding(from_spins(len(self.variables), terms + constant), energy_per_unit=-1.0)

    def objective(self, bits: Bits) -> FloatArray:
        """Weight of the edges whose ends are on different sides."""
        return pair_sums(matrix_of(self, bits), self.graph.edges, self.graph.weights, np.not_equal)

    def violations(self, bits: Bits) -> FloatArray:
        """0: there is nothing to break."""
        return np.zeros(len(matrix_of(self, bits)))

    def repair(self, bits: Bits) -> Bits:
        """The same rows."""
        return matrix_of(self, bits).copy()

    def greedy(self) -> Bits:
        """Place nodes by falling Σ|w| (then rising number), each where it adds more to the cut; side 0 among equals.

        Cuts at least half of the total weight: each node is given the better half of its edges to earlier ones.
        """
        weights = self.graph.incident_weights
        loads = np.array([np.abs(w).sum() for w in weights])
        signs = np.zeros(len(loads))  # +1 and -1 for the sides, 0 for nodes not yet placed
        for node in np.lexsort((np.arange(len(loads)), -loads)):
            pull = float(weights[node] @ signs[self.graph.neighbours[node]])
            signs[node] = 1.0 if pull <= 0 else -1.0
        return (signs < 0).astype(np.uint8)

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        """One line a node: its label, its side, and the weight of its edges that are cut and that are not."""
        row = matrix_of(self, bits)[0]
        lines: list[Mapping[str, str | float | int]] = []
        for i, weights in enumerate(self.graph.incident_weights):
            across = row[self.graph.neighbours[i]] != row[i]
            lines.append(
                {
                    "node": self.variables[i],
                    "side": int(row[i]),
                    "weight_cut": float(weights[across].sum()),
                    "weight_kept": float(weights[~across].sum()),
                }
            )
        return tuple(lines)
