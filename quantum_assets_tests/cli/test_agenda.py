"""The order of runs: a month's problem once, its decisions together, the comparison last; nothing waits for nothing."""

from quantum_assets.cli.agenda import Agenda, Ended, Task, tasks_of
from quantum_assets.cli.report import Job

IDEAL, SAMPLED = (Job("stocks", profile, "2020-01", decides=True) for profile in ("ideal", "sampled"))
NEXT = Job("stocks", "ideal", "2020-02", decides=True)
WINE = Job("wine", "ideal")


def _names(tasks: tuple[Task, ...]) -> list[tuple[str, str]]:
    return [(task.name, task.key) for task in tasks]


def _end(agenda: Agenda, name: str, key: str, problem: str = "") -> list[tuple[Job, float, str, str]]:
    (task,) = (task for task in agenda.tasks if (task.name, task.key) == (name, key))
    ended = agenda.note(task, Ended(2.0, f"{name}/{key}", problem))
    return [(outcome.job, outcome.seconds, outcome.run_id, outcome.problem) for outcome in ended]


def test_a_month_is_prepared_once_for_all_its_profiles() -> None:
    assert _names(tasks_of([IDEAL, SAMPLED])) == [
        ("stocks_problem_job", "2020-01"),
        ("stocks_job", "2020-01|ideal"),
        ("stocks_job", "2020-01|sampled"),
        ("stocks_modes_job", "2020-01"),
    ]


def test_studies_and_months_start_at_once_and_decisions_follow_their_own_month() -> None:
    agenda = Agenda(tasks_of([IDEAL, SAMPLED, NEXT, WINE]))
    assert _names(agenda.due()) == [
        ("wine_job", "ideal"),
        ("stocks_problem_job", "2020-01"),
        ("stocks_problem_job", "2020-02"),
    ]
    assert agenda.due() == ()
    assert _end(agenda, "stocks_problem_job", "2020-01") == []
    assert _names(agenda.due()) == [("stocks_job", "2020-01|ideal"), ("stocks_job", "2020-01|sampled")]
    assert _end(agenda, "wine_job", "ideal") == [(WINE, 2.0, "wine_job/ideal", "")]
    assert _end(agenda, "stocks_job", "2020-01|ideal") == []
    assert agenda.due() == ()  # the comparison waits for the other profile
    assert _end(agenda, "stocks_job", "2020-01|sampled") == []
    assert _names(agenda.due()) == [("stocks_modes_job", "2020-01")]
    assert _end(agenda, "stocks_modes_job", "2020-01") == [
        (IDEAL, 6.0, "stocks_job/2020-01|ideal", ""),
        (SAMPLED, 6.0, "stocks_job/2020-01|sampled", ""),
    ]


def test_a_problem_that_cannot_be_made_ends_its_month_and_no_other() -> None:
    agenda = Agenda(tasks_of([IDEAL, SAMPLED, NEXT]))
    agenda.due()
    failed = _end(agenda, "stocks_problem_job", "2020-01", "no prices")
    assert [(job, problem) for job, _, _, problem in failed] == [(IDEAL, "no prices"), (SAMPLED, "no prices")]
    assert agenda.due() == ()
    _end(agenda, "stocks_problem_job", "2020-02")
    assert _names(agenda.due()) == [("stocks_job", "2020-02|ideal")]


def test_a_profile_that_fails_leaves_the_comparison_to_the_others() -> None:
    agenda = Agenda(tasks_of([IDEAL, SAMPLED]))
    agenda.due()
    _end(agenda, "stocks_problem_job", "2020-01")
    agenda.due()
    (failed,) = _end(agenda, "stocks_job", "2020-01|ideal", "no device")
    assert failed == (IDEAL, 4.0, "stocks_job/2020-01|ideal", "no device")
    _end(agenda, "stocks_job", "2020-01|sampled")
    assert _names(agenda.due()) == [("stocks_modes_job", "2020-01")]
    (done,) = _end(agenda, "stocks_modes_job", "2020-01")
    assert done == (SAMPLED, 6.0, "stocks_job/2020-01|sampled", "")


def test_a_month_without_any_decision_is_not_compared() -> None:
    agenda = Agenda(tasks_of([NEXT]))
    agenda.due()
    _end(agenda, "stocks_problem_job", "2020-02")
    agenda.due()
    assert _end(agenda, "stocks_job", "2020-02|ideal", "no device")[0][3] == "no device"
    assert agenda.due() == ()


def test_a_comparison_that_fails_is_told_of_all_that_it_serves() -> None:
    agenda = Agenda(tasks_of([NEXT]))
    for name, key in (
        ("stocks_problem_job", "2020-02"),
        ("stocks_job", "2020-02|ideal"),
    ):
        assert (name, key) in _names(agenda.due())
        assert _end(agenda, name, key) == []
    agenda.due()
    (failed,) = _end(agenda, "stocks_modes_job", "2020-02", "no table")
    assert failed == (NEXT, 6.0, "stocks_modes_job/2020-02", "no table")
