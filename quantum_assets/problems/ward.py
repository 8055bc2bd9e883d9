"""A small schedule of our own making: three nurses, a long weekend of early and late shifts, two shifts of leave."""

from collections.abc import Mapping, Sequence

import numpy as np

from quantum_assets.contracts.errors import PlanError
from quantum_assets.datasets.wording import choices, shown
from quantum_assets.problems.schedule import Schedule, Shift

Named = Mapping[str, Mapping[str, float]]


def schedule_of(
    name: str,
    shifts: Sequence[Shift],
    people: Sequence[str],
    away: Mapping[str, Sequence[str]],
    dislikes: Named,
    fairness: float = 0.0,
) -> Schedule:
    """A schedule from names, as YAML holds them.

    Args:
        name: The instance.
        shifts: In the order of time; a shift is called by day and name, ``Fri early``.
        people: Everybody.
        away: For a person the shifts that cannot be.
        dislikes: For a person and a shift the cost, 0 or more; 0 where nothing is said.
        fairness: Cost of a person's squared number of shifts.

    Raises:
        PlanError: For an unknown person or shift, and as `Schedule` does.
    """
    labels = [f"{shift.day} {shift.shift}" for shift in shifts]

    def number(found: str, known: Sequence[str], what: str) -> int:
        if found not in known:
            raise PlanError(f"schedule {name}: {what} {shown(found)}", "is not there", f"Write {choices(found, known)}")
        return list(known).index(found)

    table = np.zeros((len(shifts), len(people)))
    for person, costs in dislikes.items():
        for label, cost in costs.items():
            table[number(label, labels, "shift"), number(person, people, "person")] = cost
    pairs = frozenset(
        (number(label, labels, "shift"), number(person, people, "person"))
        for person, absent in away.items()
        for label in absent
    )
    return Schedule(name, tuple(shifts), tuple(people), pairs, table, fairness)


def ward() -> Schedule:
    """The shipped instance, 16 variables: six shifts, three nurses, two of the eighteen places closed by leave."""
    return schedule_of(
        "ward",
        [Shift(day, shift) for day in ("Fri", "Sat", "Sun") for shift in ("early", "late")],
        ["Ana", "Ben", "Cleo"],
        away={"Ana": ["Sun late"], "Ben": ["Fri early"]},
        dislikes={
            "Ana": {"Fri early": 2.0, "Sat early": 3.0, "Sun early": 1.0},
            "Ben": {"Fri late": 1.0, "Sat late": 4.0, "Sun late": 2.0},
            "Cleo": {"Fri early": 1.0, "Sat early": 1.0, "Sat late": 3.0, "Sun late": 3.0},
        },
        fairness=1.0,
    )
