"""Eight processes and five thousand tickets: every one reaches its outcome, and nobody hears of a lock."""

import time
from typing import Any

import pytest

from quantum_assets.contracts.errors import BudgetError
from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.ticket import State, Ticket
from quantum_assets.execution.ledger.address import parse
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.owner import Owner
from quantum_assets_tests.execution.ledger.materials import LEDGER, ask_for, guess, walk
from quantum_assets_tests.processes import results

PROCESSES, TICKETS = 8, 5_000
MOVES = 7  # ask, window, job, running, completed, settle, accepted: transactions a ticket


def work(url: str, worker: int, tickets: int) -> float:
    """Walk this worker's tickets from plan to outcome; the seconds of the slowest of them."""
    ledger, me, slowest = Ledger(url), str(Owner.current()), 0.0
    for number in range(tickets):
        begun = time.perf_counter()
        ticket, _ = ledger.ask(ask_for(worker * tickets + number, study="load", partition=str(worker)))
        ledger.open_window(
            [ticket], order_key=ticket.question, provider="aer", backend="", owner=me, estimates=[guess(3)],
            limit_micros=10**9,
        )  # fmt: skip
        (named,) = ledger.name_job(ticket.question, ticket.id)
        done = walk(ledger, named, State.RUNNING, State.COMPLETED)
        ledger.settle(ticket.question, Charge(2))
        walk(ledger, done, State.ACCEPTED)
        slowest = max(slowest, time.perf_counter() - begun)
    return slowest


def load(url: str, tickets: int) -> tuple[float, float]:
    """Seconds for all of it, and for the slowest ticket."""
    Ledger(url).prepare()
    begun = time.perf_counter()
    each = [(url, worker, tickets // PROCESSES) for worker in range(PROCESSES)]
    slowest = results(work, each, modules=LEDGER, patience=1800.0)
    return time.perf_counter() - begun, max(slowest)


def inspect(url: str, tickets: int) -> None:
    ledger = Ledger(url)
    assert len(ledger.tickets(states=[State.ACCEPTED])) == len(ledger.tickets()) == tickets
    assert ledger.check() == ()
    [spent] = ledger.spending()
    assert (spent.reserved, spent.settled, spent.tickets) == (0, 2 * tickets, tickets)


@pytest.mark.slow
def test_five_thousand_tickets_by_eight_processes(url: str, report_figures: Any) -> None:
    seconds, slowest = load(url, TICKETS)
    inspect(url, TICKETS)
    report_figures(
        f"{parse(url).get_backend_name()}: {PROCESSES} processes walked {TICKETS} tickets in {seconds:.1f} s, "
        f"{1e3 * seconds / TICKETS / MOVES:.2f} ms a transaction, slowest ticket {slowest:.2f} s, no lock error"
    )


def test_eighty_tickets_by_eight_processes(url: str) -> None:
    load(url, 80)
    inspect(url, 80)


def ask_the_same(url: str) -> list[tuple[Ticket, bool]]:
    ledger = Ledger(url)
    return [ledger.ask(ask_for(number)) for number in range(20)]


def test_eight_processes_that_ask_the_same_meet_in_one_ticket(url: str) -> None:
    answers = results(ask_the_same, [(url,)] * PROCESSES, modules=LEDGER)
    for met in zip(*answers, strict=True):
        assert len({ticket.id for ticket, _ in met}) == 1
        assert sum(planned for _, planned in met) == 1
    ledger = Ledger(url)
    assert len(ledger.tickets()) == 20
    assert len(ledger.requests(answers[0][0][0].question)) == PROCESSES


def race_for_budget(url: str, worker: int) -> int:
    ledger = Ledger(url)
    won = 0
    for number in range(10):
        ticket, _ = ledger.ask(ask_for(worker * 100 + number))
        try:
            ledger.open_window(
                [ticket], order_key=ticket.question, provider="aer", backend="", owner="", estimates=[guess(1)],
                limit_micros=30,
            )  # fmt: skip
            won += 1
        except BudgetError:
            continue
    return won


def test_eight_processes_cannot_spend_more_than_there_is(url: str) -> None:
    assert sum(results(race_for_budget, [(url, worker) for worker in range(PROCESSES)], modules=LEDGER)) == 30
    [spent] = Ledger(url).spending()
    assert spent.reserved == 30
