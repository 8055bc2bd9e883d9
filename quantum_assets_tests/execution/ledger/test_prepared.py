"""Prepared statements give and write what SQLAlchemy's own way does, and fail in the same words."""

from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import bindparam, insert, select, update

from quantum_assets.contracts.errors import LedgerError
from quantum_assets.contracts.ticket import State
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.prepared import changed, one_ticket
from quantum_assets.execution.ledger.rows import ticket_of
from quantum_assets.execution.ledger.schema import requests, tickets
from quantum_assets_tests.execution.ledger.materials import NOON, ask_for

_BY_PROJECT = select(tickets).where(tickets.c.project == bindparam("whose")).order_by(tickets.c.sequence).limit(1)
_NAMES = ("state", "reason", "not_before", "queue_position", "order_key", "deadline")
_SETTING = update(tickets).where(tickets.c.id == bindparam("its_id")).values({n: bindparam(n) for n in _NAMES})
_READING = _SETTING.returning(tickets)
_ASKING = insert(requests).inline()


def test_a_row_is_read_as_sqlalchemy_reads_it(ledger: Ledger) -> None:
    first, _ = ledger.ask(ask_for(1, project="lab", deadline=NOON))
    ledger.ask(ask_for(2, project="lab"))
    found = ledger._read(lambda connection: one_ticket(connection, _BY_PROJECT, {"whose": "lab"}))
    usual = ledger._read(lambda connection: connection.execute(_BY_PROJECT, {"whose": "lab"}).one())
    assert found == ticket_of(usual) == first
    assert found is not None
    assert (type(found.state), found.deadline, found.not_before, found.order) == (State, NOON, None, "")
    assert ledger._read(lambda connection: one_ticket(connection, _BY_PROJECT, {"whose": "nobody"})) is None


@pytest.mark.parametrize("reading", [False, True])
def test_every_kind_of_value_is_written(ledger: Ledger, reading: bool) -> None:
    ticket, _ = ledger.ask(ask_for(deadline=NOON))
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))
    values = {
        "its_id": ticket.id,
        "state": State.FAILED,
        "reason": 'it\'s "odd"; 50 % ? :x',
        "not_before": elsewhere,
        "queue_position": 7,
        "order_key": None,
        "deadline": None,
    }
    if reading:
        written = ledger._write(lambda connection, _: one_ticket(connection, _READING, values))
        assert written == ledger.ticket(ticket.id)
    else:
        assert ledger._write(lambda connection, _: changed(connection, _SETTING, values)) == 1
    now = ledger.ticket(ticket.id)
    assert (now.state, now.reason, now.not_before, now.queue_position) == (State.FAILED, values["reason"], NOON, 7)
    assert (now.order, now.deadline) == ("", None)
    assert ledger._write(lambda connection, _: changed(connection, _SETTING, {**values, "its_id": "x"})) == 0


def test_columns_of_an_insert_are_those_of_its_values(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    (asked,) = ledger.requests(ticket.question)
    names = [column.name for column in requests.c if column.name != "sequence"]
    again = {name: getattr(asked, name) for name in names} | {"asynchronous": True, "run_id": "r-2"}
    ledger._write(lambda connection, _: changed(connection, _ASKING, again))
    _, second = ledger.requests(ticket.question)
    assert {name: getattr(second, name) for name in names} == again


def test_what_fails_is_told_in_the_ledger_s_words_and_undone(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    values = dict.fromkeys(_NAMES) | {"its_id": ticket.id, "state": "planned", "reason": "r", "deadline": NOON}
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - the mistake
    with pytest.raises(LedgerError, match=r"did not do it: .*has no time zone"):
        ledger._write(lambda connection, _: changed(connection, _SETTING, {**values, "deadline": naive}))
    with pytest.raises(LedgerError, match=r"refused what breaks its rules: .*(null|NULL)"):
        ledger._write(lambda connection, _: one_ticket(connection, _READING, {**values, "reason": None}))
    with pytest.raises(LedgerError, match="refused what breaks its rules"):
        ledger._write(lambda connection, _: changed(connection, _SETTING, {**values, "order_key": "nowhere"}))
    assert ledger.ticket(ticket.id) == ticket


def test_a_value_that_is_left_out_is_no_null(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for(project="lab"))
    with pytest.raises(Exception, match="whose"):
        ledger._read(lambda connection: one_ticket(connection, _BY_PROJECT, {}))
    assert ledger.ticket(ticket.id) == ticket
