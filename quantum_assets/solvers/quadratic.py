"""The polynomial in other dress: in binary variables, and as a quadratic model for solvers that know no higher order.

A product of more than two variables is replaced by an auxiliary variable p for a pair u·v, with Rosenberg's penalty
`M (u v - 2 u p - 2 v p + 3 p)`, which is 0 where p = u v and at least M elsewhere (Rosenberg 1975, "Reduction of
bivalent maximization to the quadratic case"; as in `dimod.make_quadratic`). A wrong p saves at most the sum S of
the absolute coefficients of all reduced terms that hold an auxiliary. M > S is therefore enough: whatever the
original variables are, no wrong p is the best one, and the minima agree.
"""

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from quantum_assets.contracts.problem import Bits, Ising
from quantum_assets.solvers.declined import Declined

if TYPE_CHECKING:
    from dimod import BinaryQuadraticModel, SampleSet

Monomials = dict[tuple[int, ...], float]

LARGEST_ORDER = 8
"""A term of order k has up to 2^k terms in binary variables."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """A quadratic model whose minimum over its auxiliaries is the polynomial, for every row of original variables.

    Attributes:
        model: Variables 0 … n-1 are the original ones, spins for a quadratic polynomial, else binary.
        n_variables: Original variables.
        n_auxiliaries: Variables that were added.
        strength: M; 0 without auxiliaries.
    """

    model: "BinaryQuadraticModel"
    n_variables: int
    n_auxiliaries: int = 0
    strength: float = 0.0

    def bits(self, answer: "SampleSet") -> Bits:
        """Original variables of every row of an answer, shape `(m, n_variables)`."""
        place = {label: column for column, label in enumerate(answer.variables)}
        values = answer.record.sample[:, [place[i] for i in range(self.n_variables)]]
        ones = values < 0 if self.model.vartype.name == "SPIN" else values > 0
        return np.asarray(ones, dtype=np.uint8)


def binary_monomials(ising: Ising) -> tuple[float, Monomials]:
    """The polynomial in x = (1 - z) / 2: its constant and the coefficient of every product, zeros left out.

    Raises:
        Declined: For terms of a higher order than `LARGEST_ORDER`.
    """
    _refuse_high_order(ising)
    found: Monomials = {}
    for term, weight in zip(ising.terms, ising.coefficients.tolist(), strict=True):
        for size in range(len(term) + 1):
            for part in combinations(term, size):
                found[part] = found.get(part, 0.0) + weight * (-2.0) ** size
    scale = float(np.abs(ising.coefficients).max(initial=0.0))
    constant = ising.offset + found.pop((), 0.0)
    return constant, {part: weight for part, weight in found.items() if abs(weight) > 1e-12 * scale}


def quadratic(ising: Ising) -> Quadratic:
    """The polynomial as a quadratic model: as it is, or reduced exactly.

    Raises:
        Declined: For terms of a higher order than `LARGEST_ORDER`.
    """
    if ising.order > 2:
        return _reduced(ising)
    from dimod import BinaryQuadraticModel

    model = BinaryQuadraticModel("SPIN")
    for spin in range(ising.n_variables):
        model.add_linear(spin, 0.0)
    for term, weight in zip(ising.terms, ising.coefficients.tolist(), strict=True):
        if len(term) == 1:
            model.add_linear(term[0], weight)
        else:
            model.add_quadratic(term[0], term[1], weight)
    model.offset = float(ising.offset)
    return Quadratic(model, ising.n_variables)


def _reduced(ising: Ising) -> Quadratic:
    from dimod.binary import BinaryQuadraticModel
    from dimod.higherorder.polynomial import BinaryPolynomial
    from dimod.higherorder.utils import make_quadratic, reduce_binary_polynomial

    constant, monomials = binary_monomials(ising)
    polynomial = BinaryPolynomial(monomials, "BINARY")
    terms, pairs = reduce_binary_polynomial(polynomial)
    auxiliaries = {product for _, product in pairs}
    saved = float(sum(np.abs(np.array([w for term, w in terms if auxiliaries & set(term)], dtype=float))))
    strength = 1.01 * saved  # strictly above S, also after rounding
    model = BinaryQuadraticModel("BINARY")
    for variable in range(ising.n_variables):
        model.add_linear(variable, 0.0)
    model = make_quadratic(polynomial, strength, bqm=model)
    model.offset += constant
    return Quadratic(model, ising.n_variables, model.num_variables - ising.n_variables, strength)


def _refuse_high_order(ising: Ising) -> None:
    if ising.order > LARGEST_ORDER:
        raise Declined(
            f"polynomial of order {ising.order}",
            f"has up to 2^{ising.order} terms in binary variables, beyond order {LARGEST_ORDER} it is not written out",
            "Use annealing, tabu, greedy or enumeration, which take any order",
        )
