"""Eight processes and five thousand tickets: every one reaches its outcome, and nobody hears of a lock."""

import multiprocessing
import time
from typing import Any

import pytest

from quantum_assets.contracts.errors import BudgetError
from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.ledger.address import parse
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.owner import Owner
from quantum_assets_tests.execution.ledger.materials import ask_for, guess, walk

PROCESSES, TICKETS = 8, 5_000
MOVES = 7  # ask, window, job, running, completed, settle, accepted: transactions a ticket


def work(url: str, worker: int, tickets: int, results: Any) -> None:
    """Walk this worker's tickets from plan to outcome, and say what went wrong."""
    ledger, me, slowest = Ledger(url), str(Owner.current()), 0.0
    try:
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
        results.put((worker, "", slowest))
    except BaseException as error:
        results.put((worker, repr(error), slowest))


def load(url: str, tickets: int) -> tuple[float, float]:
    """Seconds for all of it, and for the slowest ticket."""
    Ledger(url).prepare()
    forking = multiprocessing.get_context("fork")
    results = forking.Queue()
    workers = [forking.Process(target=work, args=(url, n, tickets // PROCESSES, results)) for n in range(PROCESSES)]
    begun = time.perf_counter()
    for worker in workers:
        worker.start()
    told = [results.get(timeout=1200) for _ in workers]
    for worker in workers:
        worker.join()
    assert [error for _, error, _ in told if error] == []
    return time.perf_counter() - begun, max(slowest for *_, slowest in told)


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


def ask_the_same(url: str, results: Any) -> None:
    ledger = Ledger(url)
    results.put([ledger.ask(ask_for(number)) for number in range(20)])


def test_eight_processes_that_ask_the_same_meet_in_one_ticket(url: str) -> None:
    forking = multiprocessing.get_context("fork")
    results = forking.Queue()
    askers = [forking.Process(target=ask_the_same, args=(url, results)) for _ in range(PROCESSES)]
    for asker in askers:
        asker.start()
    answers = [results.get(timeout=60) for _ in askers]
    for asker in askers:
        asker.join()
    for met in zip(*answers, strict=True):
        assert len({ticket.id for ticket, _ in met}) == 1
        assert sum(planned for _, planned in met) == 1
    ledger = Ledger(url)
    assert len(ledger.tickets()) == 20
    assert len(ledger.requests(answers[0][0][0].question)) == PROCESSES


def race_for_budget(url: str, worker: int, results: Any) -> None:
    ledger = Ledger(url)
    won = []
    for number in range(10):
        ticket, _ = ledger.ask(ask_for(worker * 100 + number))
        try:
            ledger.open_window(
                [ticket], order_key=ticket.question, provider="aer", backend="", owner="", estimates=[guess(1)],
                limit_micros=30,
            )  # fmt: skip
            won.append(ticket)
        except BudgetError:
            continue
    results.put(len(won))


def test_eight_processes_cannot_spend_more_than_there_is(url: str) -> None:
    forking = multiprocessing.get_context("fork")
    results = forking.Queue()
    racers = [forking.Process(target=race_for_budget, args=(url, n, results)) for n in range(PROCESSES)]
    for racer in racers:
        racer.start()
    assert sum(results.get(timeout=60) for _ in racers) == 30
    for racer in racers:
        racer.join()
    [spent] = Ledger(url).spending()
    assert spent.reserved == 30
