"""What the database itself refuses, by raw SQL and past all our code; and a random walk that cannot leave the table."""

import shutil
import sqlite3
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quantum_assets.contracts.errors import LedgerError
from quantum_assets.contracts.jobs import Charge
from quantum_assets.contracts.ticket import LEGAL, OUTCOMES, State
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.schema import tickets
from quantum_assets_tests.execution.ledger.materials import ask_for, opened, raw, walk

KEY = "a" * 32
GIVEN = {"sequence", "id", "question", "generation", "attempt", "state"}
OTHER_COLUMNS = ", ".join(name for name in tuple(tickets.c.keys()) if name not in GIVEN)
LINE = "INSERT INTO transitions (ticket, before, after, at, actor, reason, correlation_id) VALUES "


@pytest.fixture
def busy(ledger: Ledger) -> Ledger:
    """A ledger with a row in every table."""
    ticket, _ = ledger.ask(ask_for())
    opened(ledger, KEY, [ticket])
    ledger.settle(KEY, Charge(1))
    ledger.approve("lab", "hardware", by="ada", reason="trial")
    ledger.alert("kind", "subject", "message")
    ledger.count_failure("aer/")
    return ledger


def refuse(ledger: Ledger, statement: str) -> str:
    """The words in which the database refuses; and it is as before."""
    before = content(ledger)
    with raw(ledger) as connection:
        with pytest.raises(Exception, match=r".") as refusal:
            connection.execute(statement)
        connection.rollback()
    assert type(refusal.value).__name__ in {
        "IntegrityError",
        "IntegrityConstraintViolation",
        "ForeignKeyViolation",
    } or ("Violation" in type(refusal.value).__name__), refusal.value
    assert content(ledger) == before
    return str(refusal.value)


def content(ledger: Ledger) -> Any:
    names = ("tickets", "transitions", "legal_moves", "requests", "charges", "approvals", "alerts")
    with raw(ledger) as connection:
        return [connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for name in names]


@pytest.mark.parametrize(
    "table", ["transitions", "requests", "charges", "approvals", "alerts", "legal_moves", "tickets"]
)
def test_what_is_kept_cannot_be_deleted(busy: Ledger, table: str) -> None:
    refuse(busy, f"DELETE FROM {table}")
    if busy.url.startswith("postgresql"):
        refuse(busy, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("transitions", "reason"),
        ("requests", "study"),
        ("charges", "project"),
        ("approvals", "reason"),
        ("alerts", "message"),
        ("legal_moves", "after"),
        ("tickets", "question"),
        ("tickets", "workload_fingerprint"),
        ("tickets", "created_at"),
    ],
)
def test_what_was_written_cannot_be_rewritten(busy: Ledger, table: str, column: str) -> None:
    refuse(busy, f"UPDATE {table} SET {column} = 'x'")


def test_the_table_of_legal_moves_cannot_grow(busy: Ledger) -> None:
    refuse(busy, "INSERT INTO legal_moves (before, after) VALUES ('planned', 'accepted')")


def test_the_log_is_written_by_moving_alone(busy: Ledger) -> None:
    [ticket] = busy.tickets()
    for before, after in (
        ("NULL", "'planned'"),
        ("'submitting'", "'submitted'"),
        ("'planned'", "'submitting'"),
        ("'submitting'", "'submitting'"),
        ("'planned'", "'accepted'"),
        ("NULL", "'accepted'"),
    ):
        refuse(busy, f"{LINE} ('{ticket.id}', {before}, {after}, '', '', '', '')")
        if busy.url.startswith("sqlite"):
            replacing = LINE.replace("INSERT", "INSERT OR REPLACE")
            refuse(busy, f"{replacing} ('{ticket.id}', {before}, {after}, '', '', '', '')")


def test_a_move_by_raw_sql_writes_its_line_too(busy: Ledger) -> None:
    [ticket] = busy.tickets()
    with raw(busy) as connection:
        connection.execute("UPDATE tickets SET state = 'submitted', actor = 'a person', reason = 'by hand'")
    line = busy.transitions(ticket.id)[-1]
    assert (line.before, line.after, line.actor) == (State.SUBMITTING, State.SUBMITTED, "a person")
    assert busy.check() == ()


def test_a_ticket_begins_planned(busy: Ledger) -> None:
    columns = f"question, generation, attempt, {OTHER_COLUMNS}"
    copied = columns.replace("question, generation", "'q', 0", 1)
    insert = f"INSERT INTO tickets (id, state, {columns}) SELECT"
    refuse(busy, f"{insert} 'new', 'accepted', {copied} FROM tickets")
    if busy.url.startswith("sqlite"):
        [ticket] = busy.tickets()
        again = insert.replace("INSERT", "INSERT OR REPLACE")
        refuse(busy, f"{again} '{ticket.id}', 'planned', {columns} FROM tickets")
    with raw(busy) as connection:
        connection.execute(f"{insert} 'new', 'planned', {copied} FROM tickets")
    assert busy.ticket("new").state is State.PLANNED
    assert len(busy.transitions("new")) == 1


def test_a_second_open_ticket_of_a_question_cannot_be_written(busy: Ledger) -> None:
    [ticket] = busy.tickets()
    refuse(
        busy,
        f"INSERT INTO tickets (id, state, question, generation, attempt, {OTHER_COLUMNS}) "
        f"SELECT 'new', 'planned', '{ticket.question}', 1, 1, {OTHER_COLUMNS} FROM tickets",
    )


@pytest.mark.parametrize("before", list(State))
def test_from_no_state_can_an_illegal_one_be_written(ledger: Ledger, before: State) -> None:
    ticket = walk(ledger, ledger.ask(ask_for())[0], *way_to(before))
    for after in sorted(set(State) - LEGAL[before] - {before}):
        refuse(ledger, f"UPDATE tickets SET state = '{after}' WHERE id = '{ticket.id}'")
    refuse(ledger, "UPDATE tickets SET state = 'no such state'")
    assert ledger.ticket(ticket.id) == ticket


def way_to(state: State) -> list[State]:
    """Legal moves from planned to a state."""
    ways: dict[State, list[State]] = {State.PLANNED: []}
    while state not in ways:
        for known in list(ways):
            for after in sorted(LEGAL[known]):
                ways.setdefault(after, [*ways[known], after])
    return ways[state]


Step = tuple[str, State]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["move", "stale", "touch", "again", "raw", "raw_line", "ask"]), st.sampled_from(list(State))
    ),
    min_size=5,
    max_size=20,
)


@given(STEPS)
@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_walk_leaves_the_table(migrated_file: Path, tmp_path: Path, steps: list[Step]) -> None:
    """Whatever is tried, in whatever order and by whatever door, the log stays a legal walk that ends in the state."""
    file = tmp_path / f"{uuid4().hex}.db"
    shutil.copy(migrated_file, file)
    ledger = Ledger(f"sqlite:///{file}")
    stale, _ = ledger.ask(ask_for())
    for how, state in steps:
        _try(ledger, how, state, stale)
        assert len([t for t in ledger.tickets() if not t.ended]) <= 1
    assert ledger.check() == ()
    for ticket in ledger.tickets():
        lines = ledger.transitions(ticket.id)
        assert lines[0].before is None
        assert lines[-1].after is ticket.state
        for one, next_one in pairwise(lines):
            assert next_one.before is one.after
            assert next_one.after in LEGAL[one.after]
        assert not any(line.after in OUTCOMES for line in lines[:-1])


def _try(ledger: Ledger, how: str, state: State, stale: Any) -> None:
    last = ledger.last_ticket(stale.question)
    assert last is not None
    profile = ask_for().profile
    try:
        if how == "move":
            ledger.move(last, state, "tried")
        elif how == "stale":
            ledger.move(stale, state, "tried")
        elif how == "touch":
            ledger.touch(last, owner=str(state))
        elif how == "again":
            ledger.again(last, State.RETRIED, "tried", profile=profile, modification="")
        elif how == "ask":
            ledger.ask(ask_for())
    except LedgerError:
        return
    if how in {"raw", "raw_line"}:
        with raw(ledger) as connection, suppress(sqlite3.IntegrityError):
            if how == "raw":
                connection.execute("UPDATE tickets SET state = ? WHERE id = ?", (state, last.id))
            else:
                connection.execute(f"{LINE} (?, ?, ?, '', '', '', '')", (last.id, last.state, state))
