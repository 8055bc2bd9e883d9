from threading import Barrier

import pytest

from quantum_assets.contracts.errors import BudgetError, LedgerError, PlanError, StaleTicket
from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.ledger.ledger import Ledger, Move, OrderRow
from quantum_assets_tests.execution.ledger.materials import LEDGER, NOON, TestClock, ask_for, guess, opened, walk
from quantum_assets_tests.processes import PATIENCE, clean, results

KEY = "a" * 32


def test_the_window_is_written_as_one(ledger: Ledger) -> None:
    asked = [ledger.ask(ask_for(n))[0] for n in (3, 1, 2)]
    sent = opened(ledger, KEY, asked, backend="b", durable=True)
    assert [t.id for t in sent] == [t.id for t in asked]
    assert [(t.state, t.order, t.position, t.provider, t.backend, t.owner) for t in sent] == [
        (State.SUBMITTING, KEY, place, "aer", "b", "me") for place in range(3)
    ]
    order = ledger.order(KEY)
    assert order == OrderRow(KEY, "aer", "b", "", "open", NOON, None, None, "USD", 3, 1)
    assert not order.settled
    assert ledger.order("other") is None
    assert ledger.submissions(KEY) == 1
    assert ledger.submissions("other") == 0


def test_a_window_over_the_budget_changes_nothing(ledger: Ledger) -> None:
    asked = [ledger.ask(ask_for(n))[0] for n in range(2)]
    with pytest.raises(BudgetError, match=r"0.0002 USD asked for are over the limit of 0.000199 USD"):
        opened(ledger, KEY, asked, limit_micros=199)
    assert ledger.order(KEY) is None
    assert ledger.tickets(states=[State.PLANNED]) == tuple(asked)
    opened(ledger, KEY, asked, limit_micros=200)


def test_a_window_with_a_stale_ticket_changes_nothing(ledger: Ledger) -> None:
    fresh, stale = (ledger.ask(ask_for(n))[0] for n in range(2))
    ledger.touch(stale, owner="somebody")
    with pytest.raises(StaleTicket):
        opened(ledger, KEY, [fresh, stale])
    assert ledger.order(KEY) is None
    assert ledger.spending() == ()
    assert ledger.ticket(fresh.id) == fresh


def open_at_once(url: str, start: Barrier) -> str:
    """Open the window of the one ticket there is, at the same moment as others; what came of it."""
    ledger = Ledger(url)
    asked = ledger.tickets()
    start.wait()
    try:
        opened(ledger, KEY, asked)
    except StaleTicket:
        return "stale"
    return "opened"


def test_of_many_processes_one_opens_a_window_and_the_others_look_again(url: str) -> None:
    ledger = Ledger(url)
    ledger.ask(ask_for(1))
    start = clean(*LEDGER).Barrier(4, timeout=PATIENCE)
    found = results(open_at_once, [(url, start)] * 4, modules=LEDGER)
    assert sorted(found) == ["opened", "stale", "stale", "stale"]
    assert [order.submissions for order in ledger.orders()] == [1]


def test_one_key_is_one_order_for_ever(ledger: Ledger) -> None:
    one, two = (ledger.ask(ask_for(n))[0] for n in range(2))
    opened(ledger, KEY, [one])
    with pytest.raises(LedgerError, match="was opened before, for 1 workloads on aer, and is open"):
        opened(ledger, KEY, [two])


def test_a_withdrawn_order_goes_again_under_its_key_and_holds_its_money_once(ledger: Ledger, clock: TestClock) -> None:
    asked = [ledger.ask(ask_for(n))[0] for n in range(2)]
    for submission, released in ((1, False), (2, True), (3, False)):
        sent = opened(ledger, KEY, asked, [guess(10), guess(20)], limit_micros=30)
        assert ledger.submissions(KEY) == submission
        assert [row.reserved for row in ledger.spending()] == [30]
        if released:
            ledger.release(KEY)
            assert ledger.spending() == ()
        asked = list(ledger.move_all([Move(t, State.PLANNED, "not there", {"owner": ""}) for t in sent]))
        assert [t.order for t in asked] == [KEY, KEY]
        clock.sleep(60)
    sent = opened(ledger, KEY, asked, [guess(10), guess(20)], limit_micros=30)
    ledger.name_job(KEY, "job")
    assert ledger.order(KEY) == OrderRow(KEY, "aer", "", "job", "open", clock.moment, None, None, "USD", 2, 4)
    with pytest.raises(StaleTicket, match="was moved to submitted"):  # who read them before is late, not wrong
        opened(ledger, KEY, asked)


def test_estimates_must_fit_the_tickets(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    with pytest.raises(PlanError, match="1 tickets and 2 estimates"):
        opened(ledger, KEY, [ticket], [guess(), guess()])
    with pytest.raises(PlanError, match="0 tickets"):
        opened(ledger, KEY, [])
    other, _ = ledger.ask(ask_for(2))
    with pytest.raises(PlanError, match="is estimated in EUR, USD"):
        opened(ledger, KEY, [ticket, other], [guess(), guess(currency="EUR")])


def test_naming_the_job_submits_who_waits_for_it(ledger: Ledger) -> None:
    asked = [ledger.ask(ask_for(n))[0] for n in range(4)]
    sent = opened(ledger, KEY, asked)
    ledger.move(sent[1], State.CANCELLED, "by its owner")
    ledger.move(sent[2], State.UNKNOWN, "no answer to the call")
    moved = ledger.name_job(KEY, "job-1")
    assert [(t.id, t.state, t.job) for t in moved] == [
        (asked[place].id, State.SUBMITTED, "job-1") for place in (0, 2, 3)
    ]
    assert ledger.transitions(asked[2].id)[-1].before is State.UNKNOWN
    assert ledger.ticket(asked[1].id).state is State.CANCELLED
    assert ledger.name_job(KEY, "job-1") == ()
    with pytest.raises(LedgerError, match="is job job-1 and cannot also be job-2"):
        ledger.name_job(KEY, "job-2")
    with pytest.raises(LedgerError, match="is not in the ledger"):
        ledger.name_job("nowhere", "job")
    with pytest.raises(LedgerError, match="empty job id"):
        ledger.name_job(KEY, "")


def test_orders_are_listed_by_what_is_still_to_pay_and_paged(ledger: Ledger, clock: TestClock) -> None:
    keys = [letter * 32 for letter in "edcba"]
    for number, key in enumerate(keys):
        opened(ledger, key, [ledger.ask(ask_for(number))[0]])
        clock.sleep(number % 2)
    ledger.settle(keys[1], Charge(5))
    ledger.release(keys[2])
    everything = [row.key for row in ledger.orders()]
    assert sorted(everything) == sorted(keys)
    assert [row.opened_at for row in ledger.orders()] == sorted(row.opened_at for row in ledger.orders())
    assert {row.key for row in ledger.orders(settled=False)} == {keys[0], keys[3], keys[4]}
    assert [(row.key, row.micros, row.settled) for row in ledger.orders(settled=True)] == [(keys[1], 5, True)]
    pages = [ledger.orders(limit=2)]
    while pages[-1]:
        pages.append(ledger.orders(after=pages[-1][-1].key, limit=2))
    assert [row.key for page in pages for row in page] == everything
    with pytest.raises(PlanError, match="is no order"):
        ledger.orders(after="nobody")


def test_an_ended_order_must_be_settled_or_released(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    (sent,) = opened(ledger, KEY, [ticket])
    walk(ledger, sent, State.FAILED, State.FELL_BACK)
    assert ledger.check() == (f"order {KEY} is neither settled nor released, and all its tickets have ended",)
    ledger.release(KEY)
    assert ledger.check() == ()
