"""What is said of tickets, from small real ledgers."""

from pathlib import Path

import pytest

from quantum_assets.cli import ticket_report as report
from quantum_assets.contracts.errors import LedgerError, PlanError
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.cli.homes import KEY, ledger_in, paid, planned, retried
from quantum_assets_tests.execution.ledger.materials import ask_for, guess, opened, walk


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return ledger_in(tmp_path)


def fields(ledger: Ledger, ticket_id: str) -> dict[str, str]:
    one = report.dossier(ledger, ledger.ticket(ticket_id))
    return {row[0]: row[1] for row in report.facts(one).rows}


def test_a_ticket_is_found_by_its_id_and_by_the_beginning_of_it(ledger: Ledger) -> None:
    ticket = planned(ledger, 1)
    planned(ledger, 2)
    assert report.find_ticket(ledger, ticket.id) == ticket
    assert report.find_ticket(ledger, ticket.id[: report.SHORT]) == ticket


def test_a_name_that_means_none_or_several_is_refused(ledger: Ledger) -> None:
    for number in range(17):  # of 17 ids, two begin with the same character
        planned(ledger, number)
    first = [ticket.id[0] for ticket in ledger.tickets()]
    twice = next(letter for letter in first if first.count(letter) > 1)
    with pytest.raises(PlanError, match=rf"ticket {twice}: begins {first.count(twice)} ids"):
        report.find_ticket(ledger, twice)
    for unknown in ("", "zz", "%"):
        with pytest.raises(PlanError, match="begins no id in the ledger"):
            report.find_ticket(ledger, unknown)
    with pytest.raises(LedgerError, match="is not in the ledger"):
        report.find_ticket(ledger, "0" * 32)


def test_a_charged_ticket_tells_order_and_charge(ledger: Ledger) -> None:
    told = fields(ledger, paid(ledger).id)
    assert told["order"] == f"{KEY}: settled, 1 tickets, opened once"
    assert (told["charge"], told["at"], told["job"]) == ("0.30 USD", "remote/rehearsal", "job-1")
    assert told["correlation"] == "c-1"
    assert "deadline" not in told


def test_an_order_in_flight_has_no_charge_yet(ledger: Ledger) -> None:
    tickets = [planned(ledger, number) for number in (1, 2)]
    opened(ledger, KEY, tickets, [guess(100)] * 2, provider="remote")
    told = fields(ledger, tickets[0].id)
    assert told["order"] == f"{KEY}: open, 2 tickets, opened once"
    assert told["charge"] == "not known yet"
    ledger.release(KEY)
    assert "charge" not in fields(ledger, tickets[0].id)


def test_every_try_and_every_move_is_listed(ledger: Ledger) -> None:
    failed, again = retried(ledger)
    one = report.dossier(ledger, again)
    assert [row[:3] for row in report.tries(one).rows] == [
        ("1", failed.id[: report.SHORT], "retried"),
        ("2", again.id[: report.SHORT], "planned"),
    ]
    assert report.tries(one).rows[1][4] == "512 shots instead of 1024"
    moved = [row[1:3] for row in report.moves(report.dossier(ledger, failed)).rows]
    assert moved == [("", "planned"), ("planned", "failed"), ("failed", "retried")]


def test_those_who_asked_are_told_once_each_and_of_this_asking_only(ledger: Ledger) -> None:
    walk(ledger, planned(ledger, 1, "old"), State.CANCELLED, State.REJECTED)
    for study in ("wine", "iris", "wine"):
        ticket = planned(ledger, 1, study, run_id="r-1")
    rows = report.askers(ledger, ticket)
    assert report.waiting_for(rows) == "wine/managed, iris/managed"
    one = report.dossier(ledger, ticket)
    assert [row[1:5] for row in report.asked_by(one).rows] == [
        (f"{study}/managed", "default", "r-1", "later") for study in ("wine", "iris", "wine")
    ]
    assert fields(ledger, ticket.id)["question"].endswith("asking 2, replicate 0")


def test_a_list_has_a_line_a_ticket(ledger: Ledger) -> None:
    ticket = paid(ledger)
    nobody, _ = ledger.ask(ask_for(5))
    listing = report.ticket_list(ledger, (ticket, nobody))
    assert [row[:5] for row in listing.rows] == [
        (ticket.id[: report.SHORT], "wine/managed", "1", "accepted", "remote/rehearsal"),
        (nobody.id[: report.SHORT], "nobody named", "1", "planned", ""),
    ]
    assert all(len(row) == len(listing.columns) for row in listing.rows)
