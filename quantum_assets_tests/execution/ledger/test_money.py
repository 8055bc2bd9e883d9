from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import BudgetError, LedgerError
from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.ledger.ledger import Ledger, Spending
from quantum_assets.execution.ledger.money import shown, split
from quantum_assets_tests.execution.ledger.materials import NOON, TestClock, ask_for, guess, opened

KEY, OTHER_KEY = "a" * 32, "b" * 32


def test_money_is_held_then_charged_in_the_ratio_of_the_estimates(ledger: Ledger) -> None:
    asked = [ledger.ask(ask_for(n))[0] for n in range(3)]
    opened(ledger, KEY, asked, [guess(10, 1), guess(20, 2), guess(30, 3)])
    assert ledger.spending() == (Spending("default", "2026-11", "simulator", "USD", 60, 0, 3, 6),)
    assert ledger.charge_of(asked[0].id) is None
    assert [ledger.estimate_of(t.id) for t in asked] == [Charge(10), Charge(20), Charge(30)]
    ledger.settle(KEY, Charge(100))
    assert ledger.estimate_of(asked[2].id) == Charge(30), "what was expected stays known"
    assert ledger.spending() == (Spending("default", "2026-11", "simulator", "USD", 0, 100, 3, 6),)
    assert [ledger.charge_of(t.id) for t in asked] == [Charge(17), Charge(33), Charge(50)]
    order = ledger.order(KEY)
    assert order is not None
    assert (order.state, order.micros, order.closed_at) == ("settled", 100, NOON)
    assert ledger.check() == ()


def test_an_order_is_settled_once(ledger: Ledger) -> None:
    opened(ledger, KEY, [ledger.ask(ask_for())[0]])
    ledger.settle(KEY, Charge(7))
    ledger.settle(KEY, Charge(7))
    with pytest.raises(LedgerError, match=r"was settled with 0.000007 USD and cannot be again with 0.000008 USD"):
        ledger.settle(KEY, Charge(8))
    with pytest.raises(LedgerError, match="was settled, so nothing is left to release"):
        ledger.release(KEY)
    with pytest.raises(LedgerError, match="is not in the ledger"):
        ledger.settle(OTHER_KEY, Charge(1))
    assert [row.settled for row in ledger.spending()] == [7]


def test_a_charge_in_another_currency_is_refused_unless_it_is_nothing(ledger: Ledger) -> None:
    opened(ledger, KEY, [ledger.ask(ask_for())[0]])
    with pytest.raises(LedgerError, match="is billed in EUR and was estimated in USD"):
        ledger.settle(KEY, Charge(1, "EUR"))
    ledger.settle(KEY, Charge(0, "EUR"))
    assert [(row.settled, row.currency) for row in ledger.spending()] == [(0, "USD")]


def test_a_released_order_costs_nothing_and_a_bill_all_the_same_is_booked_and_told(ledger: Ledger) -> None:
    opened(ledger, KEY, [ledger.ask(ask_for())[0]])
    ledger.release(KEY)
    ledger.release(KEY)
    assert ledger.spending() == ()
    assert ledger.estimate_of(ledger.tickets()[0].id) is None
    assert ledger.alerts() == ()
    ledger.settle(KEY, Charge(9))
    assert [row.settled for row in ledger.spending()] == [9]
    [alert] = ledger.alerts()
    assert (alert.kind, alert.subject) == ("charge_after_release", f"order {KEY}")


def test_a_budget_counts_what_is_held_and_what_is_charged(ledger: Ledger) -> None:
    def order(key: str, number: int, micros: int, limit: int | dict[str, int] | None, **whose: str) -> None:
        opened(ledger, key, [ledger.ask(ask_for(number, **whose))[0]], [guess(micros)], limit_micros=limit)

    order("1" * 32, 1, 40, 100)
    order("2" * 32, 2, 40, 100)
    with pytest.raises(BudgetError, match="project default: simulator budget of 2026-11"):
        order("3" * 32, 3, 40, 100)
    ledger.settle("1" * 32, Charge(15))
    order("3" * 32, 3, 40, 100)
    with pytest.raises(BudgetError):
        order("4" * 32, 4, 6, 100)
    ledger.release("2" * 32)
    order("4" * 32, 4, 6, 100)
    order("5" * 32, 5, 100, {"lab": 100, "default": 0}, project="lab")
    order("6" * 32, 6, 10**9, {"lab": 100})
    order("7" * 32, 7, 10**9, None)


def test_projects_months_kinds_and_currencies_are_kept_apart(ledger: Ledger, clock: TestClock) -> None:
    clock.moment = datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC)
    asked = [ledger.ask(ask_for(n, project=project))[0] for n, project in enumerate(("a", "b", "a", "a", "a"))]
    opened(ledger, "1" * 32, asked[:2], [guess(60), guess(60)], limit_micros=60)
    opened(ledger, "2" * 32, asked[2:3], [guess(60, kind="hardware")], limit_micros=60)
    opened(ledger, "3" * 32, asked[3:4], [guess(60, currency="s")], limit_micros=60)
    clock.sleep(1)
    opened(ledger, "4" * 32, asked[4:], [guess(60)], limit_micros=60)
    ledger.settle("1" * 32, Charge(50))
    table = [(row.project, row.month, row.kind, row.currency, row.reserved, row.settled) for row in ledger.spending()]
    assert table == [
        ("a", "2026-11", "hardware", "USD", 60, 0),
        ("a", "2026-11", "simulator", "USD", 0, 25),
        ("a", "2026-11", "simulator", "s", 60, 0),
        ("a", "2026-12", "simulator", "USD", 60, 0),
        ("b", "2026-11", "simulator", "USD", 0, 25),
    ]
    assert len(ledger.spending(project="a", month="2026-11")) == 3
    assert ledger.spending(month="2026-10") == ()


def test_orders_with_a_price_are_counted_by_day(ledger: Ledger, clock: TestClock) -> None:
    asked = [ledger.ask(ask_for(n))[0] for n in range(5)]
    opened(ledger, "1" * 32, asked[:2])
    opened(ledger, "2" * 32, asked[2:3], [guess(0)])
    opened(ledger, "3" * 32, asked[3:4])
    assert ledger.requests_today("default") == 2
    assert ledger.requests_today("lab") == 0
    ledger.release("3" * 32)
    assert ledger.requests_today("default") == 1
    clock.sleep(timedelta(hours=12).total_seconds())
    assert ledger.requests_today("default") == 0


def test_a_ticket_that_was_in_two_orders_tells_both_charges(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    (sent,) = opened(ledger, KEY, [ticket])
    back = ledger.move(sent, State.PLANNED, "withdrawn", order="")
    assert back.order == ""
    opened(ledger, OTHER_KEY, [back])
    ledger.settle(KEY, Charge(1))
    ledger.settle(OTHER_KEY, Charge(2))
    assert ledger.charge_of(ticket.id) == Charge(3)
    assert ledger.check() == ()


@given(
    st.integers(-(10**15), 10**15),
    st.lists(st.tuples(st.integers(0, 10**12), st.integers(0, 10**9)), min_size=1, max_size=30),
)
@example(100, [(0, 0), (0, 0), (0, 0)])
@example(1, [(0, 3), (0, 1)])
def test_shares_sum_to_the_amount_and_are_within_one_of_the_ratio(amount: int, parts: list[tuple[int, int]]) -> None:
    weights, second = [part[0] for part in parts], [part[1] for part in parts]
    shares = split(amount, weights, second)
    assert sum(shares) == amount
    used = weights if any(weights) else second if any(second) else [1] * len(parts)
    for share, weight in zip(shares, used, strict=True):
        assert abs(share - Fraction(amount * weight, sum(used))) < 1


def test_amounts_are_shown_exactly() -> None:
    assert shown(1_500_000, "USD") == "1.50 USD"
    assert shown(-1, "EUR") == "-0.000001 EUR"
    assert shown(0, "s") == "0.00 s"
