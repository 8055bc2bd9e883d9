"""Optimisation problems as numbers: an Ising polynomial, what solves it, and what a problem must be able to say.

Conventions, the same in every room. A decision is a row of bits, `uint8` in {0, 1}; column i is variable i and qubit i.
Spin `z_i = 1 - 2 x_i`. A basis state's index k has `x_i` as its bit i, as Qiskit counts. Energies are minimised and are
in the encoding's units; objectives are in the problem's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.workload import FloatArray, IntArray

Bits = npt.NDArray[np.uint8]
Sense = Literal["minimise", "maximise"]

SAME = 1e-9
"""Energies nearer than this share of their scale are the same: what is proven is proven to this."""

_CHUNK = 1 << 22  # numbers of the largest temporary array in `Ising.energies`


def alike_within(scale: float, *values: float, share: float = SAME) -> float:
    """How far apart two energies, or two objectives, may lie and still be the same.

    A share of the instance's own scale, so that a polynomial and a thousand times it get the same verdicts, and the
    rounding of the values themselves, which a large offset makes coarser than the scale.

    Args:
        scale: `Ising.scale`, or `Encoding.objective_scale` for objectives; at least 0.
        values: What is compared, or an offset that is in it.
        share: Of the scale.
    """
    return share * scale + 2.0**-50 * max(map(abs, values), default=0.0)


@dataclass(frozen=True, eq=False)
class Ising:
    """A polynomial of spins of any order: `E(z) = offset + Σ_t c_t Π_{i in t} z_i`.

    Attributes:
        n_variables: Number of spins, at least 1.
        terms: Variables of each term: non-empty, increasing, no two terms alike.
        coefficients: One a term, finite, shape `(n_terms,)`.
        offset: Energy that no bit changes.
    """

    n_variables: int
    terms: tuple[tuple[int, ...], ...]
    coefficients: FloatArray
    offset: float = 0.0

    def __post_init__(self) -> None:
        if self.n_variables < 1:
            raise PlanError("Ising polynomial", f"has {self.n_variables} variables", "Give it at least one")
        if self.coefficients.shape != (len(self.terms),) or not np.isfinite(self.coefficients).all():
            raise PlanError(
                "Ising polynomial",
                f"has coefficients of shape {self.coefficients.shape}, or not finite, for {len(self.terms)} terms",
                "Give one finite number a term",
            )
        if not np.isfinite(self.offset):
            raise PlanError("Ising polynomial", f"has the offset {self.offset}", "Give a finite number")
        if len(set(self.terms)) != len(self.terms):
            raise PlanError("Ising polynomial", "names a term twice", "Add coefficients of the same variables up")
        for term in self.terms:
            if not term or list(term) != sorted(set(term)) or term[0] < 0 or term[-1] >= self.n_variables:
                raise PlanError(
                    f"Ising term {term}",
                    f"is not an increasing list of variables below {self.n_variables}",
                    "Number variables from 0, each once a term, in order",
                )

    @property
    def order(self) -> int:
        """Variables in the largest term; 0 without terms."""
        return max(map(len, self.terms), default=0)

    @cached_property
    def scale(self) -> float:
        """The size of its energies: the largest |coefficient|, the offset left out; 0 without terms."""
        return float(np.abs(self.coefficients).max(initial=0.0))

    @property
    def tolerance(self) -> float:
        """Energies nearer than this are the same: `alike_within` its scale and its offset."""
        return alike_within(self.scale, self.offset)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the polynomial; the order in which its terms were written does not matter."""
        ranked = sorted(range(len(self.terms)), key=lambda t: (len(self.terms[t]), self.terms[t]))
        return fingerprint(
            "ising/v1", self.n_variables, [list(self.terms[t]) for t in ranked], self.coefficients[ranked], self.offset
        )

    def energies(self, bits: Bits) -> FloatArray:
        """Energy of every row of `bits`, shape `(n_rows, n_variables)`.

        Raises:
            PlanError: For rows of another width.
        """
        bits = np.atleast_2d(bits)
        if bits.shape[1] != self.n_variables:
            raise PlanError("bits", f"have {bits.shape[1]} columns for {self.n_variables} variables", "One a variable")
        spins = 1.0 - 2.0 * bits
        total = np.full(len(bits), float(self.offset))
        for order, (members, weights) in self._by_order.items():
            step = max(1, _CHUNK // max(1, len(bits) * order))
            for start in range(0, len(members), step):
                chosen = slice(start, start + step)
                total += np.prod(spins[:, members[chosen]], axis=2) @ weights[chosen]
        return total

    @cached_property
    def _by_order(self) -> dict[int, tuple[IntArray, FloatArray]]:
        """Terms of one size together, as an index array `(n_terms, size)` and their weights."""
        found: dict[int, list[int]] = {}
        for place, term in enumerate(self.terms):
            found.setdefault(len(term), []).append(place)
        return {
            size: (np.array([self.terms[p] for p in places], dtype=np.int64), self.coefficients[places])
            for size, places in found.items()
        }


@dataclass(frozen=True, eq=False)
class Encoding:
    """A problem as an Ising polynomial, and what was added to make it one.

    Attributes:
        ising: Its minimum over all bits is the problem's optimum, by the stated rule.
        penalty: Weight of broken constraints, in energy units; 0 where there are none.
        rule: How that weight was chosen, one sentence.
        cardinality: Number of ones in every feasible row, where that is a rule of the problem; constraint-preserving
            mixers need it. None: no such rule.
        energy_per_unit: Energy of a feasible row = `energy_per_unit * objective + energy_offset`; negative where the
            objective is maximised.
        energy_offset: See `energy_per_unit`.
    """

    ising: Ising
    penalty: float = 0.0
    rule: str = "no constraints, no penalty"
    cardinality: int | None = None
    energy_per_unit: float = 1.0
    energy_offset: float = 0.0

    @property
    def objective_scale(self) -> float:
        """The polynomial's scale in the objective's unit, at least 0."""
        return self.ising.scale / abs(self.energy_per_unit)


class Problem(Protocol):
    """One instance of an optimisation problem, checked when it was made; frozen, and free of any machine."""

    @property
    def kind(self) -> str:
        """The family, for example ``max_cut``."""
        ...

    @property
    def name(self) -> str:
        """The instance, for example ``karate``."""
        ...

    @property
    def sense(self) -> Sense:
        """Which way the objective goes."""
        ...

    @property
    def unit(self) -> str:
        """Unit of the objective, for example ``edges`` or ``km``."""
        ...

    @property
    def variables(self) -> tuple[str, ...]:
        """Name of each binary variable, in order."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of the instance: everything that its objective and constraints depend on."""
        ...

    def encode(self) -> Encoding:
        """The instance as an Ising polynomial."""
        ...

    def objective(self, bits: Bits) -> FloatArray:
        """Objective of every row, in original units; of rows that break constraints as well."""
        ...

    def violations(self, bits: Bits) -> FloatArray:
        """By how much each row breaks the constraints, at least 0; 0 exactly when it is feasible."""
        ...

    def repair(self, bits: Bits) -> Bits:
        """Every row made feasible by a deterministic, stated rule that does not know where the row came from.

        The same rule serves every sampler: it is the decoder of the control ladder.

        Raises:
            PlanError: If the instance has no feasible row at all.
        """
        ...

    def greedy(self) -> Bits:
        """A feasible row by the problem's greedy rule, shape `(n_variables,)`."""
        ...

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        """One row of bits, shape `(n_variables,)`, in the user's terms: a small table, the same keys in every line."""
        ...


@dataclass(frozen=True)
class Incumbent:
    """A best solution so far: when (wall seconds since the solver began), and its energy."""

    seconds: float
    energy: float


@dataclass(frozen=True, eq=False)
class Solution:
    """What a classical solver found within its budget.

    Attributes:
        solver: Its name, for example ``simulated_annealing``.
        bits: The best row, shape `(n_variables,)`.
        energy: Of that row, recomputed.
        seconds: Wall seconds that the solver took.
        incumbents: Every improvement in the order of time; the last is `energy`.
        bound: Proven lower bound of the energy; None where the solver proves nothing.
        seed: Of its generator; None where it draws nothing.
        settings: What it ran with.
        reads: Independent restarts or reads that it made.
        tolerance: Energies nearer than this are the same (`Ising.tolerance`).
    """

    solver: str
    bits: Bits
    energy: float
    seconds: float
    incumbents: tuple[Incumbent, ...]
    bound: float | None = None
    seed: int | None = None
    settings: Mapping[str, str | float | int] = field(default_factory=dict)
    reads: int = 1
    tolerance: float = 0.0

    @property
    def proven(self) -> bool:
        """Whether the bound meets the energy: nothing better exists."""
        return self.bound is not None and self.energy <= self.bound + self.tolerance


def unpack(indices: Sequence[int] | IntArray, n_variables: int) -> Bits:
    """Rows of bits of basis states by index, shape `(n, n_variables)`; at most 62 variables."""
    if n_variables > 62:
        raise PlanError("unpack", f"is asked for {n_variables} variables", "Index at most 62")
    index = np.asarray(indices, dtype=np.int64)[:, None]
    return ((index >> np.arange(n_variables)) & 1).astype(np.uint8)
