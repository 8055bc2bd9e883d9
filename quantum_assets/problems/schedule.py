"""Staff a row of shifts: enough people on each, nobody on two in a row, leave respected, wishes met where possible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import NamedTuple

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.problem import Bits, Encoding, Sense
from quantum_assets.contracts.workload import FloatArray, IntArray
from quantum_assets.problems.penalty import MARGIN, Penalty
from quantum_assets.problems.polynomial import Term, from_bits, squared
from quantum_assets.problems.rows import matrix_of, pair_sums, pieces
from quantum_assets.problems.teams import Flags, Team, apart_of, cheapest_chain, dead_end, open_ends, teams_of

#: Teams of one shift that repair can weigh: 2 of 30 people, 3 of 14.
MAX_TEAMS = 500


class Shift(NamedTuple):
    """One shift: when it is, and how many people it needs."""

    day: str
    shift: str
    required: int = 1


@dataclass(frozen=True, eq=False)
class Schedule:
    """Who works which shift; one bit for each person who may work a shift, shifts in the order of time.

    Objective, to be minimised: `Σ dislike_sp x_sp + fairness · Σ_p (Σ_s x_sp)²`; the squares are least when
    work is shared evenly. Constraints: each shift has as many people as it requires, and nobody works two shifts that
    follow each other. Leave is no constraint: who is away has no bit.

    Energy: the objective plus `weight · [Σ_s (Σ_p x_sp - required_s)² + Σ_p Σ_s x_sp x_(s+1)p]`, weight by the *price*
    rule. No row costs less than L, the cheapest people of each shift and an even share of all work, less
    at most a price for each place left empty: the dearest of those cheapest people, plus `2 · fairness · places /
    people`. With U the objective of the greedy schedule, a weight above `(U - L) + price` makes every row that breaks a
    rule dearer than that schedule.

    Attributes:
        name: The instance, for example ``ward``.
        shifts: In the order of time, no two of one day and name.
        people: No two alike.
        away: Pairs of shift and person, by number, that cannot be.
        dislike: Cost of each person on each shift, 0 or more, shape `(n_shifts, n_people)`.
        fairness: Cost of a person's squared number of shifts, 0 or more.
    """

    name: str
    shifts: tuple[Shift, ...]
    people: tuple[str, ...]
    away: frozenset[tuple[int, int]]
    dislike: FloatArray
    fairness: float = 0.0

    def __post_init__(self) -> None:
        whose, size = f"schedule {self.name}", (len(self.shifts), len(self.people))
        labels = [f"{shift.day} {shift.shift}" for shift in self.shifts]
        for what, names in (("shift", labels), ("person", self.people)):
            if not names:
                raise PlanError(whose, f"has no {what}", f"Name at least one {what}")
            for place, name in enumerate(names):
                if name in names[:place]:
                    raise PlanError(f"{whose}: {what} {name}", "is named twice", "Give each a name of its own")
        if self.dislike.shape != size or not (np.isfinite(self.dislike).all() and (self.dislike >= 0).all()):
            problem = f"has shape {self.dislike.shape}, or values that are negative or not finite"
            raise PlanError(f"{whose}: dislike", problem, f"Give numbers of 0 or more, shape {size}")
        if not (np.isfinite(self.fairness) and self.fairness >= 0):
            raise PlanError(f"{whose}: fairness", f"is {self.fairness}", "Give a finite number of 0 or more")
        for shift, person in sorted(self.away):
            if not (0 <= shift < size[0] and 0 <= person < size[1]):
                raise PlanError(f"{whose}: away {(shift, person)}", "names no shift and person", "Count from 0")
        self._check_staff(whose, labels)

    def _check_staff(self, whose: str, labels: Sequence[str]) -> None:
        """Refuse an instance without any feasible row, naming the first shift at which it fails."""
        for shift, label, free in zip(self.shifts, labels, self._free, strict=True):
            if not 1 <= shift.required <= len(free):
                problem = f"needs {shift.required}, and {len(free)} may work it"
                raise PlanError(f"{whose}: {label}", problem, "Require from 1 up to those, or cancel leave")
            if comb(len(free), shift.required) > MAX_TEAMS:
                raise PlanError(f"{whose}: {label}", f"has more than {MAX_TEAMS} possible teams", "Part the ward")
        if (stuck := dead_end(self._apart, len(self._teams[0]))) is not None:
            problem = "cannot be staffed by people who have not worked the shift before it, however those are chosen"
            raise PlanError(f"{whose}: {labels[stuck]}", problem, "Cancel leave, require fewer, or add a person")

    @property
    def kind(self) -> str:
        """``shift_schedule``."""
        return "shift_schedule"

    @property
    def sense(self) -> Sense:
        """Less dislike is better."""
        return "minimise"

    @property
    def unit(self) -> str:
        """Points of dislike."""
        return "points"

    @cached_property
    def variables(self) -> tuple[str, ...]:
        """Shift and person of each bit."""
        return tuple(f"{self.shifts[s].day} {self.shifts[s].shift}: {self.people[p]}" for s, p in self._places)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of shifts, people, leave, dislikes and fairness."""
        away = [list(pair) for pair in sorted(self.away)]
        return fingerprint("shift_schedule/v1", self.shifts, self.people, away, self.dislike, self.fairness)

    def encode(self) -> Encoding:
        """Energy is the objective, with the penalty for wrong staffing and for two shifts in a row."""
        weight = self.penalty.weight
        terms: list[Term] = [((bit,), float(cost)) for bit, cost in enumerate(self._costs)]
        for person in range(len(self.people)):
            own = [bit for bit, (_, p) in enumerate(self._places) if p == person]
            terms += squared(dict.fromkeys(own, 1.0), 0.0, self.fairness)
        for number, shift in enumerate(self.shifts):
            own = [bit for bit, (s, _) in enumerate(self._places) if s == number]
            terms += squared(dict.fromkeys(own, 1.0), -shift.required, weight)
        terms += [((first, second), weight) for first, second in self._in_a_row.tolist()]
        return Encoding(from_bits(len(self._places), terms), weight, self.penalty.rule)

    @cached_property
    def penalty(self) -> Penalty:
        """The weight by the *price* rule."""
        cheapest = [np.sort(self.dislike[s, free])[: self.shifts[s].required] for s, free in enumerate(self._free)]
        work, people = sum(shift.required for shift in self.shifts), len(self.people)
        least = float(sum(costs.sum() for costs in cheapest)) + self.fairness * work**2 / people
        price = float(max(costs[-1] for costs in cheapest)) + 2 * self.fairness * work / people
        plan = float(self.objective(self.greedy())[0])
        bound = plan - least + price
        weight = MARGIN * bound if bound > 0 else 1.0
        gap = f"a schedule of {plan:.6g} less the least {least:.6g} plus the dearest place {price:.6g}"
        return Penalty(weight, f"price rule: {weight:.6g} > {bound:.6g}, {gap}")

    def objective(self, bits: Bits) -> FloatArray:
        """Dislike of all who work, and fairness times the squares of everybody's number of shifts."""
        rows = matrix_of(self, bits).astype(np.float64)
        numbers = rows @ np.eye(len(self.people))[[p for _, p in self._places]]
        return np.asarray(rows @ self._costs + self.fairness * (numbers**2).sum(axis=1))

    def violations(self, bits: Bits) -> FloatArray:
        """People too many or too few on each shift, and people on two shifts in a row, added up."""
        rows = matrix_of(self, bits)
        staff = rows @ np.eye(len(self.shifts))[[s for s, _ in self._places]]
        wrong = np.abs(staff - [shift.required for shift in self.shifts]).sum(axis=1)
        return np.asarray(wrong + pair_sums(rows, self._in_a_row, np.ones(len(self._in_a_row)), np.logical_and))

    def repair(self, bits: Bits) -> Bits:
        """The feasible schedule that differs from each row in the fewest bits; rows that are feasible stay as they are.

        Among equally near ones the least disliked (fairness aside), then the first in the order of teams from the
        last shift backwards. Found exactly, shift by shift over the possible teams (Viterbi 1967).
        """
        rows = matrix_of(self, bits)
        mended = np.empty_like(rows)
        for piece in pieces(len(rows), max(map(len, self._teams)) ** 2):
            mended[piece] = self._nearest(rows[piece])
        return mended

    def greedy(self) -> Bits:
        """Shift by shift the team that adds least to the objective, among teams after which the rest can be staffed."""
        ends = open_ends(self._apart, len(self._teams[-1]))
        numbers, chosen, row = np.zeros(len(self.people)), -1, np.zeros(len(self._places), dtype=np.uint8)
        for shift, teams in enumerate(self._teams):
            allowed = ends[shift].copy()
            if shift:
                allowed &= self._apart[shift - 1][chosen]
            added = np.array([self._added(shift, team, numbers) for team in teams])
            chosen = int(np.argmin(np.where(allowed, added, np.inf)))
            numbers[list(teams[chosen])] += 1
            row |= self._team_bits[shift][chosen]
        return row

    def interpret(self, bits: Bits) -> tuple[Mapping[str, str | float | int], ...]:
        """One line a person on a shift, in the order of time, with that person's dislike of it."""
        return tuple(
            {
                "day": self.shifts[s].day,
                "shift": self.shifts[s].shift,
                "person": self.people[p],
                "dislike": float(self.dislike[s, p]),
            }
            for (s, p), bit in zip(self._places, matrix_of(self, bits)[0], strict=True)
            if bit
        )

    @cached_property
    def _free(self) -> list[list[int]]:
        """For each shift the people who may work it."""
        everybody = range(len(self.people))
        return [[p for p in everybody if (s, p) not in self.away] for s in range(len(self.shifts))]

    @cached_property
    def _places(self) -> list[tuple[int, int]]:
        """Shift and person of each bit."""
        return [(s, p) for s, free in enumerate(self._free) for p in free]

    @cached_property
    def _costs(self) -> FloatArray:
        return np.array([self.dislike[place] for place in self._places])

    @cached_property
    def _in_a_row(self) -> IntArray:
        """Pairs of bits of one person on shifts that follow each other."""
        bit_of = {place: bit for bit, place in enumerate(self._places)}
        pairs = [(bit, bit_of[s + 1, p]) for (s, p), bit in bit_of.items() if (s + 1, p) in bit_of]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)

    @cached_property
    def _teams(self) -> list[list[Team]]:
        """For each shift every team that could work it."""
        return [teams_of(free, shift.required) for shift, free in zip(self.shifts, self._free, strict=True)]

    @cached_property
    def _apart(self) -> list[Flags]:
        return apart_of(self._teams)

    @cached_property
    def _team_bits(self) -> list[Bits]:
        """For each shift its teams as rows of bits over all variables."""
        bit_of = {place: bit for bit, place in enumerate(self._places)}
        tables = []
        for shift, teams in enumerate(self._teams):
            table = np.zeros((len(teams), len(self._places)), dtype=np.uint8)
            for number, team in enumerate(teams):
                table[number, [bit_of[shift, person] for person in team]] = 1
            tables.append(table)
        return tables

    def _nearest(self, rows: Bits) -> Bits:
        costs = [self._change(rows, shift) for shift in range(len(self.shifts))]
        mended = np.zeros_like(rows)
        for table, chosen in zip(self._team_bits, cheapest_chain(costs, self._apart), strict=True):
            mended |= table[chosen]
        return mended

    def _change(self, rows: Bits, shift: int) -> FloatArray:
        """Bits to change for each team of a shift, shape `(n_rows, n_teams)`; dislike breaks ties, in all below ½."""
        own = np.array([s == shift for s, _ in self._places])
        teams = self._team_bits[shift].astype(np.float64)
        kept = rows.astype(np.float64) @ teams.T
        bits = rows[:, own].sum(axis=1, dtype=np.float64)[:, None] + teams.sum(axis=1) - 2 * kept
        return np.asarray(bits + (teams @ self._costs) / (2 * self._costs.sum() + 1.0))

    def _added(self, shift: int, team: Team, numbers: FloatArray) -> float:
        """What a team adds to the objective, given how many shifts each person has."""
        return float(sum(self.dislike[shift, p] + self.fairness * (2 * numbers[p] + 1) for p in team))
