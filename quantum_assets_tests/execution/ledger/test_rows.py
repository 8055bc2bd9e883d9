from dataclasses import fields

from quantum_assets.contracts.ticket import Ticket, Transition
from quantum_assets.execution.ledger import schema
from quantum_assets.execution.ledger.rows import OrderRow, RequestRow


def test_whole_rows_are_read_by_place() -> None:
    """Reading a row by place is quick, and right only while columns and fields stand in one order."""
    assert schema.orders.c.keys() == [field.name for field in fields(OrderRow)]
    assert schema.requests.c.keys() == [field.name for field in fields(RequestRow)]
    assert schema.transitions.c.keys() == [field.name for field in fields(Transition)]


def test_a_ticket_has_a_column_for_every_field() -> None:
    wanted = {field.name for field in fields(Ticket)} - {"order"} | {"order_key"}
    assert set(schema.tickets.c.keys()) - wanted == {"sequence", "actor"}
    assert wanted <= set(schema.tickets.c.keys())
