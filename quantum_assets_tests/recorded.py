"""Recorded hardware shots, where the data folder beside the repository is present, and small problems for ladders."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from quantum_assets.contracts.problem import Bits, Encoding, Ising, Sense
from quantum_assets.contracts.workload import FloatArray, IntArray

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the data folder is not here")


@dataclass(frozen=True, eq=False)
class FreeSpins:
    """A polynomial as a problem: nothing to break, nothing to repair."""

    ising: Ising
    kind: str = "spin_glass"
    name: str = "free"
    sense: Sense = "minimise"
    unit: str = "energy"

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(f"s{i}" for i in range(self.ising.n_variables))

    @property
    def fingerprint(self) -> str:
        return self.ising.fingerprint

    def encode(self) -> Encoding:
        return Encoding(self.ising)

    def objective(self, bits: Bits) -> FloatArray:
        return self.ising.energies(bits)

    def violations(self, bits: Bits) -> FloatArray:
        return np.zeros(len(bits))

    def repair(self, bits: Bits) -> Bits:
        return bits.copy()

    def greedy(self) -> Bits:
        return np.zeros(self.ising.n_variables, dtype=np.uint8)

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        return tuple({"spin": i, "value": 1 - 2 * int(bit)} for i, bit in enumerate(bits))


@dataclass(frozen=True, eq=False)
class IndependentSet:
    """Largest independent set, with the repair that the authors of the recorded shots document.

    Their `post_process.py` (eggerdj/independent_set_benchmarking, "greedy post process"): while two chosen nodes are
    neighbours, drop the chosen node with the most chosen neighbours, of equals the first; then go through the nodes
    that were never dropped, in order, and choose every one that has no chosen neighbour.
    """

    adjacency: IntArray
    kind: str = "independent_set"
    name: str = "test"
    sense: Sense = "maximise"
    unit: str = "nodes"

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(f"n{i}" for i in range(len(self.adjacency)))

    @property
    def fingerprint(self) -> str:
        return self.encode().ising.fingerprint

    def encode(self) -> Encoding:
        # minimise 2 Σ_edges x_i x_j - Σ x_i with x = (1 - z) / 2
        n = len(self.adjacency)
        edges = [(i, j) for i in range(n) for j in range(i + 1, n) if self.adjacency[i, j]]
        linear = 0.5 - 0.5 * self.adjacency.sum(axis=0)
        terms = (*((i,) for i in range(n)), *edges)
        weights = np.concatenate([linear, np.full(len(edges), 0.5)])
        return Encoding(Ising(n, terms, weights, 0.5 * len(edges) - 0.5 * n), penalty=2.0, energy_per_unit=-1.0)

    def objective(self, bits: Bits) -> FloatArray:
        return bits.sum(axis=1).astype(float)

    def violations(self, bits: Bits) -> FloatArray:
        chosen = bits.astype(np.int64)
        return np.einsum("mi,ij,mj->m", chosen, self.adjacency, chosen) / 2.0

    def repair(self, bits: Bits) -> Bits:
        return np.array([self._repaired(row) for row in bits])

    def _repaired(self, row: Bits) -> Bits:
        chosen = row.astype(np.int64)
        never_dropped = np.ones(len(row), dtype=bool)
        while (offences := chosen * (self.adjacency @ chosen)).any():
            worst = int(offences.argmax())
            chosen[worst], never_dropped[worst] = 0, False
        for node in np.flatnonzero(never_dropped):
            if not chosen[node] and not self.adjacency[node] @ chosen:
                chosen[node] = 1
        return chosen.astype(np.uint8)

    def greedy(self) -> Bits:
        chosen = np.zeros(len(self.adjacency), dtype=np.uint8)
        free = np.ones(len(self.adjacency), dtype=bool)
        while free.any():
            degrees = np.where(free, self.adjacency @ free, len(free))
            node = int(degrees.argmin())
            chosen[node] = 1
            free &= self.adjacency[node] == 0
            free[node] = False
        return chosen

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        return tuple({"node": i} for i in np.flatnonzero(bits))


def adjacency(path: Path) -> IntArray:
    """Of a graph in DIMACS form."""
    lines = [line.split() for line in path.read_text().splitlines()]
    n = next(int(words[2]) for words in lines if words[:1] == ["p"])
    found = np.zeros((n, n), dtype=np.int64)
    for words in lines:
        if words[:1] == ["e"]:
            i, j = int(words[1]) - 1, int(words[2]) - 1
            found[i, j] = found[j, i] = 1
    return found


def max_cut(path: Path) -> Ising:
    """Minus the cut, of a file with one edge and its weight a line, nodes from 1."""
    numbers = [line.split() for line in path.read_text().splitlines() if line.strip()]
    edges = [(int(a) - 1, int(b) - 1, float(w)) for a, b, w in numbers[1:]]
    weights = np.array([w for _, _, w in edges])
    terms = tuple((min(a, b), max(a, b)) for a, b, _ in edges)
    return Ising(int(numbers[0][0]), terms, weights / 2, -weights.sum() / 2)


def spin125() -> Ising:
    """The 125-qubit spin glass, from its Pauli strings; qubit 0 is written last."""
    terms, weights = [], []
    for line in (DATA / "hardware_shots/spin125/125node_example_ising.txt").read_text().splitlines():
        if line.strip():
            letters, weight = line.split(",")
            terms.append(tuple(i for i, letter in enumerate(reversed(letters.strip())) if letter == "Z"))
            weights.append(float(weight))
    return Ising(125, tuple(terms), np.array(weights))


def spin125_shots(depth: str) -> tuple[Bits, IntArray]:
    """The 4000 shots at ``depth-zero`` or ``depth-one``."""
    with gzip.open(DATA / "hardware_shots/spin125/eagle_87ea531a.json.gz", "rt") as file:
        shares = json.load(file)[depth]
    rows = np.array([[int(bit) for bit in reversed(row)] for row in shares], dtype=np.uint8)
    return rows, np.rint(4000 * np.array(list(shares.values()))).astype(np.int64)


def kangaroo_shots() -> tuple[Bits, IntArray]:
    """The 5 × 1024 shots of the n = 17 independent set."""
    rows, counts = [], []
    for path in sorted((DATA / "hardware_shots/mis17").glob("*_final?.json")):
        for row, count in json.loads(path.read_text())[0][1].items():
            rows.append([int(bit) for bit in reversed(row)])
            counts.append(count)
    return np.array(rows, dtype=np.uint8), np.array(counts)
