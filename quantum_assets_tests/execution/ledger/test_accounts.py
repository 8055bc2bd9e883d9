from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.execution.ledger.materials import ask_for, guess, opened, walk


def test_what_is_paid_for_one_question_from_asking_to_accepting(ledger: Ledger) -> None:
    """One order of two tickets: held, named, charged, and seen by every door that tells of money."""
    key = "a" * 32
    asked = [ledger.ask(ask_for(n, project="lab"))[0] for n in range(2)]
    ledger.approve("lab", "high_shots", by="ada", reason="a long run")
    opened(ledger, key, asked, [guess(600_000, 4), guess(400_000, 4)], limit_micros={"lab": 1_000_000}, durable=True)
    assert ledger.requests_today("lab") == 1
    assert [row.key for row in ledger.orders(settled=False)] == [key]
    for ticket in ledger.name_job(key, "job"):
        walk(ledger, ticket, State.RUNNING, State.COMPLETED, State.ACCEPTED)
    ledger.settle(key, Charge(900_001))
    assert ledger.orders(settled=False) == ()
    assert [ledger.charge_of(ticket.id) for ticket in asked] == [Charge(540_001), Charge(360_000)]
    [spent] = ledger.spending("lab")
    assert (spent.reserved, spent.settled, spent.tickets, spent.shots) == (0, 900_001, 2, 8)
    assert ledger.submissions(key) == 1
    assert ledger.check() == ()
