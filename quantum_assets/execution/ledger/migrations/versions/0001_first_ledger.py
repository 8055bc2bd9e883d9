"""The first ledger: tables, the legal moves, and the triggers that guard them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from quantum_assets.execution.ledger.migrations.guards_0001 import GUARDS, POSTGRESQL_FUNCTIONS, SQLITE_TRIGGERS

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ENDS = ("completed", "failed", "cancelled", "expired", "unknown")
_GIVEN_UP = ("retried", "fell_back", "rejected")
LEGAL = {
    "planned": ("submitting", "completed", "failed", "cancelled", "expired"),
    "submitting": ("submitted", "planned", "failed", "cancelled", "expired", "unknown"),
    "submitted": ("queued", "running", *_ENDS),
    "queued": ("running", *_ENDS),
    "running": ("queued", *_ENDS),
    "unknown": ("submitted", "queued", "running", "completed", "failed", "cancelled", "expired", *_GIVEN_UP),
    "completed": ("accepted", "rejected", "failed"),
    "failed": _GIVEN_UP,
    "cancelled": _GIVEN_UP,
    "expired": _GIVEN_UP,
}
_OPEN = sa.text("state NOT IN ('accepted', 'fell_back', 'rejected', 'retried')")


def _column(name: str, kind: sa.types.TypeEngine[Any], *rest: Any, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, *rest, nullable=optional)


def _word(name: str, length: int = 16, *, optional: bool = False) -> sa.Column[Any]:
    return _column(name, sa.String(length), optional=optional)


def _text(*names: str) -> list[sa.Column[Any]]:
    return [_column(name, sa.Text()) for name in names]


def _whole(*names: str) -> list[sa.Column[Any]]:
    return [_column(name, sa.Integer()) for name in names]


def _moment(name: str, *, optional: bool = False) -> sa.Column[Any]:
    return _word(name, 32, optional=optional)


def _numbered(table: str, *columns: Any) -> None:
    """A table whose rows are numbered in the order of writing."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        table,
        sa.Column("sequence", number, autoincrement=True, nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("sequence", name=f"pk_{table}"),
        sqlite_autoincrement=True,
    )


def upgrade() -> None:
    """Make everything."""
    legal = op.create_table(
        "legal_moves",
        _word("before"),
        _word("after"),
        sa.PrimaryKeyConstraint("before", "after", name="pk_legal_moves"),
    )
    op.bulk_insert(legal, [{"before": before, "after": after} for before, afters in LEGAL.items() for after in afters])
    _make_orders()
    _make_tickets()
    _make_transitions()
    _make_requests()
    _make_money()
    _make_notes()
    for statement in GUARDS[op.get_bind().dialect.name]:
        op.execute(statement)


def downgrade() -> None:
    """Remove everything; what it held is lost."""
    if op.get_bind().dialect.name == "sqlite":
        for trigger in SQLITE_TRIGGERS:
            op.execute(f"DROP TRIGGER {trigger}")
    tables = ("charges", "reservations", "transitions", "requests", "tickets", "orders", "legal_moves")
    for table in (*tables, "breakers", "approvals", "alerts"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for function in POSTGRESQL_FUNCTIONS:
            op.execute(f"DROP FUNCTION {function}()")


def _make_orders() -> None:
    op.create_table(
        "orders",
        _word("key", 64),
        _word("provider", 200),
        _word("backend", 200),
        *_text("job"),
        _word("state"),
        _moment("opened_at"),
        _moment("closed_at", optional=True),
        _column("micros", sa.BigInteger(), optional=True),
        _word("currency"),
        *_whole("workloads", "submissions"),
        sa.CheckConstraint("state IN ('open', 'settled', 'released')", name=op.f("ck_orders_state")),
        sa.CheckConstraint("(state = 'settled') = (micros IS NOT NULL)", name=op.f("ck_orders_settled")),
        sa.PrimaryKeyConstraint("key", name="pk_orders"),
    )
    op.create_index("ix_orders_state", "orders", ["state"])


def _make_tickets() -> None:
    _numbered(
        "tickets",
        _word("id", 32),
        _word("question", 64),
        *_whole("generation", "attempt"),
        _word("state"),
        *_whole("version"),
        _word("workload_fingerprint", 64),
        *_text("profile"),
        _word("profile_fingerprint", 64),
        *_whole("replicate"),
        _word("provider", 200),
        _word("backend", 200),
        _word("order_key", 64, optional=True),
        *_whole("position"),
        *_text("job", "owner", "actor", "correlation_id"),
        _word("project", 200),
        *_whole("priority"),
        _moment("deadline", optional=True),
        _moment("not_before", optional=True),
        *_text("modification", "reason"),
        _column("queue_position", sa.Integer(), optional=True),
        *_text("answer"),
        _word("path"),
        _moment("created_at"),
        _moment("updated_at"),
        sa.CheckConstraint("generation >= 0 AND attempt >= 1", name=op.f("ck_tickets_counted")),
        sa.ForeignKeyConstraint(["order_key"], ["orders.key"], name="fk_tickets_order_key"),
        sa.UniqueConstraint("id", name="uq_tickets_id"),
        sa.UniqueConstraint("question", "generation", "attempt", name="uq_tickets_question_generation_attempt"),
    )
    op.create_index(
        "ix_tickets_one_open", "tickets", ["question"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )
    op.create_index("ix_tickets_state", "tickets", ["state", "sequence"])
    op.create_index("ix_tickets_order", "tickets", ["order_key"])


def _make_transitions() -> None:
    _numbered(
        "transitions",
        _word("ticket", 32),
        _word("before", optional=True),
        _word("after"),
        _moment("at"),
        *_text("actor", "reason", "correlation_id"),
        sa.CheckConstraint("before IS NOT NULL OR after = 'planned'", name=op.f("ck_transitions_begins")),
        sa.ForeignKeyConstraint(
            ["before", "after"], ["legal_moves.before", "legal_moves.after"], name="fk_transitions_before_after"
        ),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name="fk_transitions_ticket"),
    )
    op.create_index("ix_transitions_ticket", "transitions", ["ticket", "sequence"])


def _make_requests() -> None:
    _numbered(
        "requests",
        _word("question", 64),
        *_whole("generation"),
        _word("study", 200),
        *_text("partition"),
        _word("project", 200),
        _word("run_id", 200),
        *_text("correlation_id"),
        _column("asynchronous", sa.Boolean()),
        _moment("deadline", optional=True),
        _moment("at"),
    )
    op.create_index("ix_requests_question", "requests", ["question", "generation"])
    op.create_index("ix_requests_partition", "requests", ["study", "partition"])
    op.create_index("ix_requests_run", "requests", ["run_id"])


def _make_money() -> None:
    budget = ("project", 200), ("month", 7), ("kind", 16), ("currency", 16)
    op.create_table(
        "reservations",
        _word("order_key", 64),
        _word("ticket", 32),
        *_whole("position"),
        *(_word(name, length) for name, length in budget),
        _column("micros", sa.BigInteger()),
        _column("shots", sa.BigInteger()),
        _word("state"),
        _moment("at"),
        sa.CheckConstraint("state IN ('held', 'settled', 'released')", name=op.f("ck_reservations_state")),
        sa.CheckConstraint("micros >= 0 AND shots >= 0", name=op.f("ck_reservations_counted")),
        sa.ForeignKeyConstraint(["order_key"], ["orders.key"], name="fk_reservations_order_key"),
        sa.ForeignKeyConstraint(["ticket"], ["tickets.id"], name="fk_reservations_ticket"),
        sa.PrimaryKeyConstraint("order_key", "ticket", name="pk_reservations"),
    )
    op.create_index("ix_reservations_budget", "reservations", ["project", "month", "kind"])
    _numbered(
        "charges",
        _word("order_key", 64),
        _word("ticket", 32),
        *(_word(name, length) for name, length in budget),
        _column("micros", sa.BigInteger()),
        _moment("at"),
        *_text("actor"),
        sa.UniqueConstraint("order_key", "ticket", name="uq_charges_order_key_ticket"),
        sa.ForeignKeyConstraint(
            ["order_key", "ticket"],
            ["reservations.order_key", "reservations.ticket"],
            name="fk_charges_order_key_ticket",
        ),
    )
    op.create_index("ix_charges_budget", "charges", ["project", "month", "kind"])


def _make_notes() -> None:
    _numbered(
        "approvals",
        _word("project", 200),
        _word("kind"),
        *_text("approver", "reason"),
        _moment("until", optional=True),
        _moment("at"),
    )
    op.create_index("ix_approvals_project", "approvals", ["project", "kind"])
    op.create_table(
        "breakers",
        _word("key", 401),
        _word("state"),
        *_whole("failures", "successes"),
        _moment("opened_at", optional=True),
        *_whole("version"),
        _moment("updated_at"),
        sa.PrimaryKeyConstraint("key", name="pk_breakers"),
    )
    _numbered("alerts", _word("kind", 200), *_text("subject", "message", "correlation_id", "actor"), _moment("at"))
