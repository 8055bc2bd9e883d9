"""Single flips of one row under a polynomial of any order: what each would change, and descent by the best of them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quantum_assets.contracts.problem import Bits, Ising
from quantum_assets.contracts.workload import FloatArray, IntArray


def flip_changes(ising: Ising, bits: Bits) -> FloatArray:
    """By how much the energy of one row changes if bit i alone is flipped, shape `(n_variables,)`.

    Args:
        ising: Any order.
        bits: Shape `(n_variables,)`.
    """
    incidence = _Incidence.of(ising)
    return incidence.changes(incidence.worth(ising, bits))


def descend(ising: Ising, bits: Bits) -> Bits:
    """Steepest descent by single flips from one row.

    Takes the flip that lowers the energy most, the lowest index among equals. Stops where no flip lowers the energy by
    more than rounding, or after `100 n` flips.

    Args:
        ising: Any order.
        bits: Where to begin, shape `(n_variables,)`; left as it is.
    """
    found = np.array(bits, dtype=np.uint8)
    incidence = _Incidence.of(ising)
    worth = incidence.worth(ising, found)
    changes = incidence.changes(worth)
    least = -1e-12 * float(np.abs(worth).sum())
    for _ in range(100 * ising.n_variables):
        best = int(np.argmin(changes))
        if changes[best] >= least:
            break
        found[best] ^= 1
        touched = incidence.touched[best]
        terms, members = incidence.terms[touched], incidence.members[touched]
        np.add.at(changes, members, 4.0 * worth[terms])
        worth[terms[members == best]] *= -1.0
    return found


@dataclass(frozen=True, eq=False)
class _Incidence:
    """Which variable stands in which term, one entry for each.

    Attributes:
        n_variables: Number of spins.
        terms: Term of each entry, increasing.
        members: Variable of each entry.
    """

    n_variables: int
    terms: IntArray
    members: IntArray

    @classmethod
    def of(cls, ising: Ising) -> "_Incidence":
        sizes = [len(term) for term in ising.terms]
        members = np.fromiter((v for term in ising.terms for v in term), dtype=np.int64, count=sum(sizes))
        return cls(ising.n_variables, np.repeat(np.arange(len(sizes), dtype=np.int64), sizes), members)

    @cached_property
    def touched(self) -> list[IntArray]:
        """For each variable, the entries of all terms in which it stands."""
        sizes = np.bincount(self.terms)
        starts = np.cumsum(sizes) - sizes
        counts = sizes[self.terms]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        entries = np.repeat(starts[self.terms], counts) + within
        owner = np.repeat(self.members, counts)
        cuts = np.cumsum(np.bincount(owner, minlength=self.n_variables))[:-1]
        return np.split(entries[np.argsort(owner, kind="stable")], cuts)

    def worth(self, ising: Ising, bits: Bits) -> FloatArray:
        """What each term adds to the energy of one row."""
        minus = np.bincount(self.terms, bits[self.members], minlength=len(ising.terms)) % 2
        return np.asarray(ising.coefficients * (1.0 - 2.0 * minus))

    def changes(self, worth: FloatArray) -> FloatArray:
        """Change of the energy for each flip."""
        return np.asarray(-2.0 * np.bincount(self.members, worth[self.terms], minlength=self.n_variables))
