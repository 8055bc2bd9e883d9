"""Low autocorrelation binary sequences: signs in a row that resemble their own shifts as little as possible.

The energy of a sequence of N signs is `E(z) = Σ_{k=1}^{N-1} C_k²` with the aperiodic autocorrelations
`C_k = Σ_{i=0}^{N-1-k} z_i z_{i+k}` (Golay, IEEE Trans. Inf. Theory 28, 543, 1982); its merit factor is `N² / (2 E)`.
Expanded, `C_k² = (N - k) + 2 Σ_{i<j} z_i z_{i+k} z_j z_{j+k}`: a polynomial of order 4 with the
constant `N (N - 1) / 2`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.problem import Bits, Encoding, Sense
from quantum_assets.contracts.workload import FloatArray
from quantum_assets.problems.descent import descend
from quantum_assets.problems.polynomial import Term, from_spins
from quantum_assets.problems.rows import matrix_of

MAX_LENGTH = 128  # some N³/6 terms


@dataclass(frozen=True, eq=False)
class Labs:
    """The sequence of lowest sidelobe energy; bit i is 1 where sign i is -1. Every row is feasible.

    Attributes:
        length: N, from 3 to 128.
    """

    length: int

    def __post_init__(self) -> None:
        if not 3 <= self.length <= MAX_LENGTH:
            raise PlanError(f"labs: length {self.length}", "is out of range", f"Choose 3 … {MAX_LENGTH}")

    @property
    def kind(self) -> str:
        """``labs``."""
        return "labs"

    @property
    def name(self) -> str:
        """``labs-`` and the length."""
        return f"labs-{self.length}"

    @property
    def sense(self) -> Sense:
        """Lower is better."""
        return "minimise"

    @property
    def unit(self) -> str:
        """Sidelobe energy, a whole number."""
        return "sidelobe energy"

    @property
    def variables(self) -> tuple[str, ...]:
        """The signs: ``z0``, ``z1`` and so on."""
        return tuple(f"z{i}" for i in range(self.length))

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the length."""
        return fingerprint("labs/v1", self.length)

    def encode(self) -> Encoding:
        """The energy is the objective."""
        n = self.length
        terms: list[Term] = [
            ((i, i + k, j, j + k), 2.0) for k in range(1, n) for i in range(n - k) for j in range(i + 1, n - k)
        ]
        return Encoding(from_spins(n, terms, offset=n * (n - 1) / 2))

    def objective(self, bits: Bits) -> FloatArray:
        """Sum of the squared autocorrelations at every shift but 0."""
        return np.asarray((self.autocorrelations(bits)[:, 1:] ** 2).sum(axis=1))

    def autocorrelations(self, bits: Bits) -> FloatArray:
        """`C_k` of every row for k = 0 … N-1, shape `(n_rows, N)`; `C_0` is N."""
        signs = 1.0 - 2.0 * matrix_of(self, bits)
        n = self.length
        return np.stack([(signs[:, : n - k] * signs[:, k:]).sum(axis=1) for k in range(n)], axis=1)

    def merit_factor(self, bits: Bits) -> FloatArray:
        """`N² / (2 E)` of every row; larger is better."""
        return np.asarray(self.length**2 / (2.0 * self.objective(bits)))

    def violations(self, bits: Bits) -> FloatArray:
        """0: there is nothing to break."""
        return np.zeros(len(matrix_of(self, bits)))

    def repair(self, bits: Bits) -> Bits:
        """The same rows."""
        return matrix_of(self, bits).copy()

    def greedy(self) -> Bits:
        """Steepest descent by single flips from the sequence of equal signs."""
        return descend(self.encode().ising, np.zeros(self.length, dtype=np.uint8))

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        """One line a position: its sign, and the autocorrelation at the shift of the same number."""
        row = matrix_of(self, bits)[:1]
        correlations = self.autocorrelations(row)[0]
        return tuple(
            {"position": i, "sign": 1 - 2 * int(row[0, i]), "autocorrelation": float(correlations[i])}
            for i in range(self.length)
        )
