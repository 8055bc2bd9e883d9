import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.problems.penalty import check
from quantum_assets.problems.schedule import Shift
from quantum_assets.problems.ward import schedule_of, ward


def test_the_shipped_instance():
    problem = ward()
    found = check(problem)
    assert len(problem.variables) == 16
    assert found.holds
    assert found.best_objective < problem.objective(problem.greedy())[0]  # there is something to find
    assert not {"Sun late: Ana", "Fri early: Ben"} & set(problem.variables)


@pytest.mark.parametrize(
    ("away", "dislikes", "expected"),
    [
        ({"Ann": ["Mon day"]}, {}, "person 'Ann': is not there. Write 'Ana'"),
        ({"Ana": ["Mon dy"]}, {}, "shift 'Mon dy': is not there. Write 'Mon day'"),
        ({}, {"Ben": {"Tue day": 1.0}}, "shift 'Tue day'"),
        ({"Ana": ["Mon day"], "Ben": ["Mon day"]}, {}, "Mon day: needs 1, and 0 may work it"),
    ],
)
def test_unknown_names_are_named(away, dislikes, expected):
    with pytest.raises(PlanError) as caught:
        schedule_of("s", [Shift("Mon", "day")], ["Ana", "Ben"], away, dislikes)
    assert expected in str(caught.value)
