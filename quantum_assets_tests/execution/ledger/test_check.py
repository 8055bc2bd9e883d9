"""The checker sees what the guards would have refused: each test breaks a ledger with the guards taken away."""

import pytest

from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.execution.ledger.materials import ask_for, opened, raw, walk

KEY = "a" * 32
STRAY = """
    INSERT INTO transitions (ticket, before, after, at, actor, reason, correlation_id)
    SELECT id, 'running', 'planned', created_at, '', '', '' FROM tickets
"""


def unguarded(ledger: Ledger, *statements: str) -> None:
    """Run raw SQL in a ledger whose triggers and keys are switched off."""
    with raw(ledger) as connection:
        if ledger.url.startswith("sqlite"):
            for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
        else:
            connection.execute("SET LOCAL session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


def test_a_whole_ledger_has_nothing_to_say(ledger: Ledger) -> None:
    tickets = [ledger.ask(ask_for(n))[0] for n in range(3)]
    opened(ledger, KEY, tickets[:1])
    (named,) = ledger.name_job(KEY, "job")
    walk(ledger, named, State.RUNNING, State.COMPLETED, State.ACCEPTED)
    ledger.settle(KEY, Charge(1))
    assert ledger.check() == ()


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE tickets SET state = 'running'", "is running, and its last transition says planned"),
        (STRAY, "leaves running while it was in planned"),
        ("DELETE FROM transitions", "its last transition says None"),
    ],
)
def test_a_log_that_is_not_the_ticket_s_is_told(ledger: Ledger, statement: str, sentence: str) -> None:
    ledger.ask(ask_for())
    unguarded(ledger, statement)
    assert any(sentence in told for told in ledger.check()), ledger.check()


def test_an_illegal_line_is_told(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    unguarded(
        ledger,
        "UPDATE tickets SET state = 'accepted'",
        "INSERT INTO transitions (ticket, before, after, at, actor, reason, correlation_id) "
        "SELECT id, 'planned', 'accepted', created_at, '', '', '' FROM tickets",
    )
    assert f"ticket {ticket.id}: the transition planned to accepted is not legal" in ledger.check()


def test_two_open_tickets_of_a_question_are_told(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for(1))
    ledger.ask(ask_for(2))
    unguarded(ledger, "DROP INDEX ix_tickets_one_open")
    unguarded(ledger, f"UPDATE tickets SET question = '{ticket.question}', generation = sequence")
    try:
        assert f"question {ticket.question} has 2 open tickets" in ledger.check()
    finally:
        unguarded(
            ledger,
            "UPDATE tickets SET question = id",
            "CREATE UNIQUE INDEX ix_tickets_one_open ON tickets (question) "
            "WHERE state NOT IN ('accepted', 'fell_back', 'rejected', 'retried')",
        )


def test_jobs_that_do_not_fit_their_orders_are_told(ledger: Ledger) -> None:
    for number, key in enumerate((KEY, "b" * 32)):
        opened(ledger, key, [ledger.ask(ask_for(number))[0]])
        ledger.name_job(key, f"job-{number}")
    unguarded(ledger, "UPDATE orders SET job = 'job-0'")
    told = ledger.check()
    assert "job job-0 of aer is the job of 2 orders" in told
    assert any("says job job-1, and its order says job-0" in sentence for sentence in told)


def test_charges_that_do_not_sum_to_the_bill_are_told(ledger: Ledger) -> None:
    opened(ledger, KEY, [ledger.ask(ask_for(1))[0]])
    opened(ledger, "b" * 32, [ledger.ask(ask_for(2))[0]])
    ledger.settle(KEY, Charge(10))
    ledger.settle("b" * 32, Charge(10))
    unguarded(
        ledger, "UPDATE charges SET micros = 9", f"UPDATE orders SET state = 'open', micros = NULL WHERE key = '{KEY}'"
    )
    assert ledger.check() == (
        f"order {KEY} is not settled and is booked with 0.000009 USD",
        f"order {'b' * 32} was settled with 0.00001 USD and is booked with 0.000009 USD",
    )
