from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.schedule import Schedule, Shift
from quantum_assets_tests.problems.enumeration import assert_kept
from quantum_assets_tests.problems.laws import all_rows


def made(shifts=4, people=3, required=1, fairness=0.5, away=((0, 1),), seed=0):
    rows = tuple(Shift(f"day {s // 2}", ("early", "late")[s % 2], required) for s in range(shifts))
    dislike = np.random.default_rng(seed).integers(0, 6, (shifts, people)).astype(float)
    return Schedule("made", rows, tuple("ABCDE"[:people]), frozenset(away), dislike, fairness)


def table_of(problem, row):
    """Shifts by people, from the names of the variables."""
    table = np.zeros((len(problem.shifts), len(problem.people)), dtype=int)
    labels = [f"{shift.day} {shift.shift}" for shift in problem.shifts]
    for name, bit in zip(problem.variables, row, strict=True):
        label, person = name.split(": ")
        table[labels.index(label), problem.people.index(person)] = bit
    return table


def by_hand(problem, row):
    table = table_of(problem, row)
    return float((table * problem.dislike).sum() + problem.fairness * sum(int(n) ** 2 for n in table.sum(axis=0)))


def keeps_the_rules(problem, row):
    table = table_of(problem, row)
    staffed = all(table[s].sum() == shift.required for s, shift in enumerate(problem.shifts))
    return staffed and not (table[1:] * table[:-1]).any()


@pytest.mark.parametrize(
    "problem",
    [
        *(made(seed=seed, fairness=fairness) for seed in range(3) for fairness in (0.0, 0.5, 4.0)),
        made(shifts=3, people=4, required=2, away=()),
        made(shifts=2, people=5, required=2, away=((0, 0), (1, 1))),
        made(shifts=1, people=4, required=2, away=()),
        made(fairness=0.0, away=((0, 1), (1, 0), (2, 2))),
    ],
)
def test_enumeration(problem):
    assert_kept(problem, lambda row: by_hand(problem, row), lambda row: keeps_the_rules(problem, row))


def test_repair_finds_the_nearest_feasible_row():
    problem = made(fairness=0.0, seed=3)
    rows = all_rows(len(problem.variables))
    feasible = rows[problem.violations(rows) == 0].astype(int)
    distances = np.abs(rows.astype(int)[:, None] - feasible).sum(axis=2)
    mended = problem.repair(rows).astype(int)
    np.testing.assert_array_equal(np.abs(rows - mended).sum(axis=1), distances.min(axis=1))
    disliked = problem.objective(feasible.astype(np.uint8))
    nearest = np.where(distances == distances.min(axis=1, keepdims=True), disliked, np.inf).min(axis=1)
    np.testing.assert_allclose(problem.objective(mended.astype(np.uint8)), nearest)


def test_greedy_does_not_walk_into_a_dead_end():
    # the cheapest on the first shift is the only one who may work the second
    dislike = np.array([[0.0, 5.0], [0.0, 0.0]])
    problem = Schedule("d", (Shift("Mon", "a"), Shift("Mon", "b")), ("A", "B"), frozenset({(1, 1)}), dislike)
    assert [line["person"] for line in problem.interpret(problem.greedy())] == ["B", "A"]


def test_interpretation_and_fingerprint():
    problem = made()
    table = problem.interpret(problem.greedy())
    assert [(line["day"], line["shift"]) for line in table] == [(s.day, s.shift) for s in problem.shifts]
    assert all(line["dislike"] == problem.dislike[s, "ABC".index(line["person"])] for s, line in enumerate(table))
    assert problem.fingerprint == replace(problem, name="other").fingerprint
    for change in ({"fairness": 0.0}, {"away": frozenset()}, {"dislike": problem.dislike + 1}):
        assert problem.fingerprint != replace(problem, **change).fingerprint


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"people": ("A", "B", "A")}, "person A: is named twice"),
        ({"people": ()}, "has no person"),
        ({"shifts": (Shift("day 0", "early"),) * 4}, "shift day 0 early: is named twice"),
        ({"dislike": np.zeros((3, 3))}, "dislike: has shape (3, 3)"),
        ({"dislike": np.full((4, 3), -1.0)}, "negative"),
        ({"dislike": np.full((4, 3), np.nan)}, "not finite"),
        ({"fairness": -1.0}, "fairness: is -1.0"),
        ({"away": frozenset({(4, 0)})}, "away (4, 0)"),
        ({"away": frozenset({(2, 0), (2, 1), (2, 2)})}, "day 1 early: needs 1, and 0 may work it"),
        ({"away": frozenset(product((1, 2), (0, 1)))}, "day 1 early: cannot be staffed"),
    ],
)
def test_bad_instances_are_named(change, expected):
    with pytest.raises(PlanError) as caught:
        replace(made(), **change)
    assert expected in str(caught.value)


def test_too_many_teams_are_named():
    with pytest.raises(PlanError, match="has more than 500 possible teams"):
        Schedule("big", (Shift("Mon", "a", 10),), tuple(map(str, range(40))), frozenset(), np.zeros((1, 40)))
