"""The controls of a ladder: rows that a classical coin draws, in the sampler's own sample space.

A control must differ from the sampler in what it knows, and in nothing else. Two things would make it differ otherwise:

* **The number of ones.** An ansatz that keeps it never needs the decoder; rows with a wrong number of ones are
  repaired, and repair improves what it touches. So where the ansatz keeps the number of ones, controls have, shot for
  shot, the sampler's own numbers (one number for all, unless noise spoils it): `uniform` is any row with as many ones,
  and `product` is independent bits given their number of ones, with the marginals of the shots that have it.
* **A global flip.** Where every term of the polynomial is even, a row and its flip have the same energy, every marginal
  may be 1/2, and a plain product is no more than fair coins. There `product` is independent bits that one shared coin
  flips all together, the most likely ones; see `shared_coin`.

Where both hold, the number of ones counts and the flip is left in: it leaves the sample space, unless half are ones.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Ising
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.models.conditional_bernoulli import draw_given_ones, fitted_log_odds
from quantum_assets.models.shared_coin import marginals_up_to_a_flip

ControlKind = Literal["marginals", "shared_coin", "given_ones"]

_NO_WEIGHT = 1e-12  # of the largest coefficient: what elimination leaves of terms that cancel


@dataclass(frozen=True, eq=False)
class Shots:
    """Distinct rows of bits and how often each came.

    Attributes:
        bits: Shape `(m, n_variables)`.
        counts: At least 1 each, shape `(m,)`.
    """

    bits: Bits
    counts: IntArray

    def __post_init__(self) -> None:
        if self.bits.ndim != 2 or self.counts.shape != self.bits.shape[:1] or not len(self.bits):
            raise PlanError(
                "shots", f"have bits {self.bits.shape} and counts {self.counts.shape}", "Give one count a row of bits"
            )
        if self.counts.min() < 1 or not np.isin(self.bits, (0, 1)).all():
            raise PlanError("shots", "have counts below 1 or bits other than 0 and 1", "Leave out what never came")

    @property
    def total(self) -> int:
        """Number of shots."""
        return int(self.counts.sum())

    @property
    def marginals(self) -> FloatArray:
        """Share of ones of each variable, shape `(n_variables,)`."""
        return np.asarray(self.counts @ self.bits.astype(float) / self.total, dtype=float)

    @property
    def by_ones(self) -> "dict[int, Shots]":
        """The shots of each number of ones, by that number, rising."""
        ones = self.bits.sum(axis=1, dtype=np.int64)
        return {int(k): Shots(self.bits[ones == k], self.counts[ones == k]) for k in np.unique(ones)}


@dataclass(frozen=True, eq=False)
class Controls:
    """Both controls of one sampler, and what they are called.

    Attributes:
        kind: What they keep of the sampler's sample space.
        uniform: Rows that know the sample space alone.
        product: Rows that know every single bit besides.
        uniform_name: For people, for example ``uniform bits``.
        product_name: For people, for example ``product of its marginals``.
    """

    kind: ControlKind
    uniform: Shots
    product: Shots
    uniform_name: str
    product_name: str


def control_kind(ising: Ising, keeps_ones: bool = False) -> ControlKind:
    """The controls that are fair to a sampler of this polynomial.

    Args:
        ising: The polynomial.
        keeps_ones: Whether the ansatz keeps the number of ones. That all shots happen to have one number says nothing.
    """
    if keeps_ones:
        return "given_ones"
    least = _NO_WEIGHT * np.abs(ising.coefficients).max(initial=0.0)
    weighty = [len(term) for term, weight in zip(ising.terms, ising.coefficients, strict=True) if abs(weight) > least]
    return "shared_coin" if weighty and not any(size % 2 for size in weighty) else "marginals"


def controls_of(sampler: Shots, kind: ControlKind, seeds: tuple[int, int]) -> Controls:
    """Draw as many rows as the sampler has shots, for each control.

    Args:
        sampler: Its rows.
        kind: As `control_kind` says, or another definition that is asked for.
        seeds: Of the uniform and of the product control.
    """
    width, shots = sampler.bits.shape[1], sampler.total
    if kind == "given_ones":
        told = _ones_told(tuple(sampler.by_ones))
        uniform, product = uniform_given_ones(sampler, seeds[0]), product_given_ones(sampler, seeds[1])
        return Controls(kind, uniform, product, f"uniform rows of {told}", f"product of its marginals, given {told}")
    uniform = uniform_shots(width, shots, seeds[0])
    if kind == "marginals":
        product = product_shots(sampler.marginals, shots, seeds[1])
        return Controls(kind, uniform, product, "uniform bits", "product of its marginals")
    product = coin_shots(marginals_up_to_a_flip(sampler.bits, sampler.counts), shots, seeds[1])
    return Controls(kind, uniform, product, "uniform bits", "product of its marginals up to a flip of all bits")


def uniform_shots(n_variables: int, shots: int, seed: int) -> Shots:
    """Fair coins: every row alike, shape as asked for."""
    rng = np.random.default_rng(seed)
    return counted(rng.integers(0, 2, (shots, n_variables), dtype=np.uint8))


def product_shots(marginals: FloatArray, shots: int, seed: int) -> Shots:
    """Independent coins, variable i with the probability `marginals[i]` of a one."""
    return counted(_product_rows(marginals, shots, np.random.default_rng(seed)))


def coin_shots(marginals: FloatArray, shots: int, seed: int) -> Shots:
    """Independent coins with these probabilities of a one, and one fair coin a shot that flips all its bits."""
    rng = np.random.default_rng(seed)
    rows = _product_rows(marginals, shots, rng)
    return counted(rows ^ rng.integers(0, 2, (shots, 1), dtype=np.uint8))


def uniform_given_ones(sampler: Shots, seed: int) -> Shots:
    """For every shot a row with as many ones, each such row alike."""
    ones = np.repeat(sampler.bits.sum(axis=1, dtype=np.int64), sampler.counts)
    ranks = np.random.default_rng(seed).random((len(ones), sampler.bits.shape[1])).argsort(axis=1).argsort(axis=1)
    return counted((ranks < ones[:, None]).astype(np.uint8))


def product_given_ones(sampler: Shots, seed: int) -> Shots:
    """For every shot a row with as many ones: independent bits given that, with the marginals of the shots like it."""
    rng = np.random.default_rng(seed)
    rows = [
        draw_given_ones(fitted_log_odds(alike.marginals, ones), ones, alike.total, rng)
        for ones, alike in sampler.by_ones.items()
    ]
    return counted(np.concatenate(rows))


def counted(rows: Bits) -> Shots:
    """Rows as they were drawn, equal ones together."""
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    return Shots(distinct, counts.astype(np.int64))


def merged(bits: Bits, counts: IntArray) -> Shots:
    """Counted rows, equal ones together in the order of their bits: the order of arrival tells nothing."""
    given = Shots(np.asarray(bits), counts)
    distinct, place = np.unique(given.bits.astype(np.uint8), axis=0, return_inverse=True)
    return Shots(distinct, np.bincount(place.ravel(), given.counts).astype(np.int64))


def _ones_told(numbers: tuple[int, ...]) -> str:
    if len(numbers) > 1:
        return "each shot's number of ones"
    return "1 one" if numbers == (1,) else f"{numbers[0]} ones"


def _product_rows(marginals: FloatArray, shots: int, rng: np.random.Generator) -> Bits:
    return (rng.random((shots, len(marginals))) < marginals).astype(np.uint8)
