"""Approvals, budgets, breakers and alerts through the command, on small real ledgers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest

from quantum_assets.cli.governance_commands import KINDS, a_month, close_breaker, ending
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.money import ApprovalKind
from quantum_assets.execution.ledger.ledger import BreakerRow, Ledger
from quantum_assets_tests.cli.homes import call, ledger_in, paid

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
REMOTE = "remote/rehearsal"
MONTH = "2026-11"


@pytest.fixture(autouse=True)
def ada(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ada")
    monkeypatch.delenv("QUANTUM_ASSETS_LEDGER_URL", raising=False)


def opened_breaker(ledger: Ledger) -> None:
    for _ in range(5):
        ledger.count_failure(REMOTE)
    ledger.set_breaker(REMOTE, state="open", opened_at=ledger.clock.now())


def test_the_kinds_are_those_of_the_contract() -> None:
    assert get_args(ApprovalKind) == KINDS


def test_an_approval_is_recorded_with_who_why_and_until(tmp_path: Path) -> None:
    answer = call(
        tmp_path, "approve", "high_shots", "--project", "default", "--reason", "thesis", "--until", "2099-12-31"
    )
    assert answer.exit_code == 0, answer.output
    assert answer.output == "ada allows high_shots for project default until 2100-01-01 00:00:00 UTC: thesis\n"
    given = Ledger.in_home(tmp_path).approved("default", "high_shots")
    assert given is not None
    assert (given.approver, given.reason, given.until) == ("ada", "thesis", datetime(2100, 1, 1, tzinfo=UTC))


def test_a_device_without_a_budget_is_said_to_stay_idle(tmp_path: Path) -> None:
    answer = call(tmp_path, "approve", "hardware", "--project", "default", "--reason", "thesis")
    assert "for ever: thesis" in answer.output
    assert "Its hardware budget is 0.00 USD a month" in answer.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--project", "nobody", "--reason", "x"], "project nobody: has no budget (there are: default)"),
        (["--project", "default", "--reason", " "], "does not say who, or why"),
        (["--project", "default", "--reason", "x", "--until", "2020-01-01"], "--until 2020-01-01: has passed"),
    ],
)
def test_an_approval_that_makes_no_sense_is_one_line_and_not_recorded(
    tmp_path: Path, arguments: list[str], told: str
) -> None:
    answer = call(tmp_path, "approve", "high_shots", *arguments)
    assert answer.exit_code == 2
    assert told in answer.stderr
    assert answer.stderr.count("\n") == 1
    assert Ledger.in_home(tmp_path).approvals() == ()


def test_approvals_say_which_of_them_hold(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    for reason, until in (("first", None), ("second", ledger.clock.now() + timedelta(days=1))):
        ledger.approve("default", "high_shots", by="ada", reason=reason, until=until)
    ledger.approve("default", "hardware", by="bob", reason="gone", until=NOW - timedelta(days=9999))
    answer = call(tmp_path, "approvals")
    assert [line.split()[:3] for line in answer.output.splitlines()[1:]] == [
        ["default", "high_shots", "replaced"],
        ["default", "high_shots", "holds"],
        ["default", "hardware", "has"],
    ]
    assert [one["reason"] for one in json.loads(call(tmp_path, "approvals", "--json").output)] == [
        "first",
        "second",
        "gone",
    ]
    assert call(tmp_path, "approvals", "--project", "other").output == "No approvals.\n"


def test_a_budget_is_shown_before_anything_was_spent(tmp_path: Path) -> None:
    answer = call(tmp_path, "budget", "--month", MONTH)
    assert [line.split()[:5] for line in answer.output.splitlines()[1:]] == [
        ["default", MONTH, "simulator", "25.00", "USD"],
        ["default", MONTH, "hardware", "0.00", "USD"],
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_budget_stands_beside_what_was_spent(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    paid(ledger, micros=5_000_000)
    month = ledger.spending()[0].month
    simulator, hardware = json.loads(call(tmp_path, "budget", "--month", month, "--json").output)
    assert (simulator["limit"], simulator["settled"], simulator["tickets"]) == (25_000_000, 5_000_000, 1)
    assert hardware["settled"] == 0
    line = call(tmp_path, "budget", "--month", month).output.splitlines()[1]
    assert line.split() == f"default {month} simulator 25.00 USD 0.00 USD 5.00 USD 20% 1 1,000".split()
    before = call(tmp_path, "budget", "--month", "2020-01").output
    assert "5.00 USD" not in before.splitlines()[1].split("25.00 USD")[1]


def test_another_budgets_file_and_unknown_projects(tmp_path: Path) -> None:
    file = tmp_path / "budgets.yaml"
    file.write_text("lab: {currency: EUR, simulator_per_month: 3}\n")
    ledger = ledger_in(tmp_path)
    paid(ledger)
    month = ledger.spending()[0].month
    lines = call(tmp_path, "budget", "--budgets", str(file), "--month", month).output.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ["default", "lab", "lab"]
    assert " none " in lines[0]
    refused = call(tmp_path, "budget", "--budgets", str(file), "--project", "nobody")
    assert refused.exit_code == 2
    assert "project nobody: has no budget and spent nothing. Choose from lab." in refused.stderr


def test_without_a_month_it_is_this_one(tmp_path: Path) -> None:
    before = f"{datetime.now(UTC):%Y-%m}"
    told = {line["month"] for line in json.loads(call(tmp_path, "budget", "--json").output)}
    assert told <= {before, f"{datetime.now(UTC):%Y-%m}"}


@pytest.mark.parametrize("month", ["2026", "2026-13", "2026-1", "11-2026", "2026-11-22"])
def test_what_is_no_month_is_refused(month: str) -> None:
    with pytest.raises(PlanError, match="is not a month"):
        a_month(month)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2026-12-31", datetime(2027, 1, 1, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-22T18:30", datetime(2026, 11, 22, 18, 30, tzinfo=UTC)),
        ("2026-11-22T18:30+02:00", datetime(2026, 11, 22, 16, 30, tzinfo=UTC)),
    ],
)
def test_an_approval_ends_with_the_day_or_at_the_moment(text: str, ends: datetime) -> None:
    assert ending(text, NOW) == ends


@pytest.mark.parametrize("text", ["soon", "31.12.2026", "2026-02-30", "9999-12-31", "2026-11-21", "2026-11-22T12:00"])
def test_what_is_no_later_date_is_refused(text: str) -> None:
    with pytest.raises(PlanError):
        ending(text, NOW)


def test_breakers_are_listed_with_their_next_call(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    assert call(tmp_path, "breakers").output == "No backend ever failed.\n"
    ledger.count_failure("ibm/fake")
    opened_breaker(ledger)
    ibm, remote = call(tmp_path, "breakers").output.splitlines()[1:]
    assert ibm.split() == ["ibm", "fake", "closed", "1", "goes", "through"]
    assert remote.split()[:4] == ["remote", "rehearsal", "open", "5"]
    assert "refused until " in remote
    ledger.set_breaker(REMOTE, opened_at=NOW - timedelta(days=9999))
    assert "is let through to try" in call(tmp_path, "breakers").output


def test_a_breaker_is_closed_by_hand_and_the_hand_is_recorded(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    opened_breaker(ledger)
    answer = call(tmp_path, "breakers", "--reset", REMOTE, "--reason", "they are back")
    assert answer.output == f"{REMOTE} is closed; it was open after 5 failures.\n"
    assert (ledger.breaker(REMOTE).state, ledger.breaker(REMOTE).failures) == ("closed", 0)
    (record,) = ledger.alerts()
    assert (record.kind, record.subject) == ("breaker_reset", REMOTE)
    assert record.message == "closed by ada: they are back; it was open after 5 failures"
    again = call(tmp_path, "breakers", "--reset", REMOTE, "--reason", "they are back")
    assert again.output == f"{REMOTE} is closed already.\n"
    assert len(ledger.alerts()) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--reset", REMOTE], "--reset: comes without --reason"),
        (["--reason", "x"], "--reason: comes without --reset"),
        (["--reset", "nobody/", "--reason", "x"], "breaker nobody/: is not in the ledger. Choose from ibm/fake."),
    ],
)
def test_a_reset_that_makes_no_sense_changes_nothing(tmp_path: Path, arguments: list[str], told: str) -> None:
    ledger = ledger_in(tmp_path)
    ledger.count_failure("ibm/fake")
    answer = call(tmp_path, "breakers", *arguments)
    assert answer.exit_code == 2
    assert told in answer.stderr
    assert ledger.breaker("ibm/fake").failures == 1


class Busy(Ledger):
    """Another process is always faster."""

    def set_breaker(self, key: str, *, expected: int | None = None, **changes: object) -> BreakerRow | None:
        return None


def test_a_breaker_that_others_keep_changing_is_given_up(tmp_path: Path) -> None:
    opened_breaker(ledger_in(tmp_path))
    with pytest.raises(PlanError, match="keeps changing"):
        close_breaker(Busy.in_home(tmp_path), REMOTE, "ada: now")


def test_alerts_are_listed_read_and_unread(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    assert call(tmp_path, "alerts").output == "No alerts.\n"
    first, second = (ledger.alert("job_lost", f"ticket {name}", "gone") for name in "ab")
    told = call(tmp_path, "alerts").output
    assert told.splitlines()[-1] == "2 alerts up to 2; 2 unread; --mark-read says that you have read them"
    newer = call(tmp_path, "alerts", "--since", str(first.sequence)).output
    assert "ticket b" in newer
    assert "ticket a" not in newer
    marked = call(tmp_path, "alerts", "--mark-read").output
    assert marked.splitlines()[-1] == "2 alerts up to 2; none is unread"
    assert call(tmp_path, "alerts", "--unread").output == "No alerts.\n"
    ledger.alert("job_lost", "ticket c", "gone")
    (left,) = json.loads(call(tmp_path, "alerts", "--unread", "--json").output)
    assert (left["subject"], left["sequence"] > second.sequence) == ("ticket c", True)
    assert "read by ada" in call(tmp_path, "alerts").output
