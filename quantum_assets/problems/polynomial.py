"""Polynomials of bits and of spins: one into the other without loss, and every energy of a small one.

The convention is the house's: `x_i = (1 - z_i) / 2`, and bit i of a basis state's index is `x_i`. A term is
the variables that it multiplies and its weight; the empty term is the constant. Terms may come in any order and repeat;
weights of the same variables are added with one rounding (`math.fsum`), so that the order they came in leaves no trace.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.problem import Bits, Ising
from quantum_assets.contracts.workload import FloatArray, IntArray

#: Variables of a monomial and its weight.
Term = tuple[Sequence[int], float]
MAX_ENUMERATED = 24  # 2^24 energies are 134 MB
MAX_ORDER = 12  # one monomial of k bits is 2^k terms of spins

_BASE = 6  # below 2^6 energies a matrix product is faster than recursion
_HADAMARD = 1.0 - 2.0 * (np.bitwise_count(np.arange(1 << _BASE)[:, None] & np.arange(1 << _BASE)) & 1)
_BLOCK = 1 << 15  # numbers of the one temporary array of a butterfly: stays in the cache


@dataclass(frozen=True, eq=False)
class Qubo:
    """A quadratic polynomial of bits: `E(x) = offset + Σ_i linear_i x_i + Σ_p weights_p x_{i(p)} x_{j(p)}`.

    Attributes:
        linear: One weight a variable, shape `(n_variables,)`.
        pairs: Two different variables a row, the lower first, shape `(n_pairs, 2)`.
        weights: One a pair, not zero.
        offset: Energy of all bits 0.
    """

    linear: FloatArray
    pairs: IntArray
    weights: FloatArray
    offset: float

    def energies(self, bits: Bits) -> FloatArray:
        """Energy of every row of `bits`, shape `(n_rows, n_variables)`."""
        values = np.atleast_2d(bits).astype(np.float64)
        quadratic = (values[:, self.pairs[:, 0]] * values[:, self.pairs[:, 1]]) @ self.weights
        return np.asarray(self.offset + values @ self.linear + quadratic)


def from_spins(n_variables: int, terms: Iterable[Term], offset: float = 0.0) -> Ising:
    """An `Ising` from terms of spins; a spin named twice in one term is squared, which is 1. Zeros are dropped.

    Raises:
        PlanError: For a weight that is not finite or a variable out of range.
    """
    parts: dict[tuple[int, ...], list[float]] = {(): [offset]}
    for variables, weight in terms:
        _check_weight(variables, weight)
        odd = tuple(sorted(v for v in set(variables) if variables.count(v) % 2))
        parts.setdefault(odd, []).append(float(weight))
    return _assembled(n_variables, parts)


def from_bits(n_variables: int, terms: Iterable[Term], offset: float = 0.0) -> Ising:
    """An `Ising` from terms of up to 12 bits; a bit named twice in one term counts once. Zeros are dropped.

    `w Π_S x_i = (w / 2^|S|) Σ_{T⊆S} (-1)^|T| Π_T z_i`: scaling by powers of two is exact, each sum is rounded once.

    Raises:
        PlanError: For a weight that is not finite, a variable out of range, or a monomial of more than 12 bits.
    """
    parts: dict[tuple[int, ...], list[float]] = {(): [offset]}
    for variables, weight in terms:
        _check_weight(variables, weight)
        members = tuple(sorted(set(variables)))
        if len(members) > MAX_ORDER:
            raise PlanError(
                f"term {members}", f"multiplies {len(members)} bits", f"Use at most {MAX_ORDER} in one term"
            )
        share = float(weight) / 2 ** len(members)
        for size in range(len(members) + 1):
            for subset in combinations(members, size):
                parts.setdefault(subset, []).append(-share if size % 2 else share)
    return _assembled(n_variables, parts)


def squared(linear: Mapping[int, float], constant: float = 0.0, weight: float = 1.0) -> list[Term]:
    """Terms of bits of `weight · (Σ_i linear_i x_i + constant)²`, for `from_bits`: the usual form of an equality."""
    chosen = sorted(linear)
    terms: list[Term] = [((), weight * constant**2)]
    terms += [((i,), weight * linear[i] * (linear[i] + 2 * constant)) for i in chosen]
    terms += [((i, j), 2 * weight * linear[i] * linear[j]) for i, j in combinations(chosen, 2)]
    return terms


def to_bits(ising: Ising) -> dict[tuple[int, ...], float]:
    """Weights of every monomial of bits, the constant under `()`; `Π_S z_i = Σ_{T⊆S} (-2)^|T| Π_T x_i`.

    Raises:
        PlanError: For a term of more than 12 spins.
    """
    if ising.order > MAX_ORDER:
        raise PlanError("Ising polynomial", f"has order {ising.order}", f"Expand terms of at most {MAX_ORDER} spins")
    parts: dict[tuple[int, ...], list[float]] = {(): [ising.offset]}
    for term, weight in zip(ising.terms, ising.coefficients.tolist(), strict=True):
        for size in range(len(term) + 1):
            for subset in combinations(term, size):
                parts.setdefault(subset, []).append((-2.0) ** size * weight)
    return _summed(parts)


def to_qubo(ising: Ising) -> Qubo:
    """The same energies as a quadratic polynomial of bits.

    Raises:
        PlanError: For a polynomial of order 3 or more.
    """
    if ising.order > 2:
        raise PlanError("Ising polynomial", f"has order {ising.order}", "Ask for a QUBO of order 2 or less")
    weights = to_bits(ising)
    linear = np.zeros(ising.n_variables)
    for members, weight in weights.items():
        if len(members) == 1:
            linear[members[0]] = weight
    pairs = sorted(members for members in weights if len(members) == 2)
    return Qubo(
        linear,
        np.array(pairs, dtype=np.int64).reshape(-1, 2),
        np.array([weights[pair] for pair in pairs], dtype=np.float64),
        weights.get((), 0.0),
    )


def all_energies(ising: Ising) -> FloatArray:
    """Energy of every basis state by its index, shape `(2^n_variables,)`, for at most 24 variables.

    The polynomial is split by its last spin into `A + z B`: A's energies fill the lower half, B's the upper, and one
    pass makes `A + B` and `A - B` of them. Nothing else of that size is held. Exact for integer coefficients.

    Raises:
        PlanError: For more than 24 variables.
    """
    n = ising.n_variables
    if n > MAX_ENUMERATED:
        raise PlanError("enumeration", f"is asked for 2^{n} energies", f"Enumerate at most {MAX_ENUMERATED} variables")
    masks = np.array([sum(1 << v for v in term) for term in ising.terms], dtype=np.int64)
    order = np.argsort(masks)
    energies = np.empty(1 << n)
    _fill(energies, n, masks[order], ising.coefficients[order])
    energies += ising.offset
    return energies


def _fill(out: FloatArray, n: int, masks: IntArray, weights: FloatArray) -> None:
    """Write the energies of the terms `masks` (increasing, over n spins) to `out`, of length 2^n."""
    if len(masks) == 0 or masks[-1] == 0:
        out[:] = weights[0] if len(masks) else 0.0
        return
    if n <= _BASE:
        out[:] = _HADAMARD[: 1 << n, masks] @ weights
        return
    half = 1 << (n - 1)
    cut = int(np.searchsorted(masks, half))
    _fill(out[:half], n - 1, masks[:cut], weights[:cut])
    if cut == len(masks):
        out[half:] = out[:half]
        return
    _fill(out[half:], n - 1, masks[cut:] - half, weights[cut:])
    for start in range(0, half, _BLOCK):
        low, high = out[start : min(start + _BLOCK, half)], out[half + start : half + min(start + _BLOCK, half)]
        total = low + high
        np.subtract(low, high, out=high)
        low[:] = total


def _check_weight(variables: Sequence[int], weight: float) -> None:
    if not math.isfinite(weight):
        raise PlanError(f"term {tuple(variables)}", f"has the weight {weight}", "Give finite weights")


def _assembled(n_variables: int, parts: Mapping[tuple[int, ...], list[float]]) -> Ising:
    weights = _summed(parts)
    offset = weights.pop((), 0.0)
    terms = tuple(sorted(weights, key=lambda term: (len(term), term)))
    return Ising(n_variables, terms, np.array([weights[term] for term in terms], dtype=np.float64), offset)


def _summed(parts: Mapping[tuple[int, ...], list[float]]) -> dict[tuple[int, ...], float]:
    sums = {term: math.fsum(weights) for term, weights in parts.items()}
    return {term: total for term, total in sums.items() if total != 0.0}
