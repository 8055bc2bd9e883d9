"""Teams for shifts that follow each other: which there are, which may follow which, and the cheapest chain of them."""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import numpy.typing as npt

from quantum_assets.contracts.workload import FloatArray, IntArray

Team = tuple[int, ...]
Flags = npt.NDArray[np.bool_]


def teams_of(free: Sequence[int], required: int) -> list[Team]:
    """Every team of `required` people among those who are free, in order."""
    return list(combinations(free, required))


def apart_of(teams: Sequence[Sequence[Team]]) -> list[Flags]:
    """For each shift but the last: whether a team of it (row) and one of the next (column) share nobody."""
    return [
        np.array([[not set(first) & set(second) for second in after] for first in before])
        for before, after in pairwise(teams)
    ]


def open_ends(apart: Sequence[Flags], n_last: int) -> list[Flags]:
    """For each team of each shift whether the later shifts can still be staffed; the last has `n_last` teams."""
    found: list[Flags] = [np.ones(n_last, dtype=bool)]
    for allowed in reversed(apart):
        found.append(np.asarray((allowed & found[-1]).any(axis=1)))
    return found[::-1]


def dead_end(apart: Sequence[Flags], n_first: int) -> int | None:
    """Number of the first shift that no chain of teams reaches; None if the last is reached."""
    possible: Flags = np.ones(n_first, dtype=bool)
    for shift, allowed in enumerate(apart, start=1):
        possible = np.asarray((possible[:, None] & allowed).any(axis=0))
        if not possible.any():
            return shift
    return None


def cheapest_chain(costs: Sequence[FloatArray], apart: Sequence[Flags]) -> list[IntArray]:
    """The chain of teams of least total cost, for many rows at once, by dynamic programming (Viterbi 1967).

    Args:
        costs: For each shift the cost of each team in each row, shape `(n_rows, n_teams)`.
        apart: Which team may follow which.

    Returns:
        For each shift the number of the team, shape `(n_rows,)`; among equal chains the lowest numbers, the last shift
        decided first.
    """
    total, came_from = costs[0], []
    for cost, allowed in zip(costs[1:], apart, strict=True):
        reached = np.where(allowed, total[:, :, None], np.inf)
        came_from.append(reached.argmin(axis=1))
        total = reached.min(axis=1) + cost
    chain = [total.argmin(axis=1)]
    every = np.arange(len(total))
    for before in reversed(came_from):
        chain.append(before[every, chain[-1]])
    return chain[::-1]
