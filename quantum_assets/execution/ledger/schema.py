"""The ledger's tables. What must never happen is refused here, by the database, whoever writes to it.

Keys and checks stand in the tables; what tables cannot say stands in triggers, which the first migration makes for
SQLite and PostgreSQL alike:

- a ticket begins ``planned``, changes its state along `legal_moves` only, and is never deleted;
- every change of state writes its own line in `transitions`, so that the log and the ticket cannot disagree;
- `transitions`, `requests`, `charges`, `approvals` and `alerts` are append-only, and `legal_moves` is fixed.

Moments are text, ISO 8601 in UTC with microseconds: equal in both databases, and sorted as they happened. Money is
whole millionths of a unit of currency.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

from quantum_assets.contracts.ticket import OUTCOMES

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept as ISO 8601 text in UTC."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write in UTC; a naive datetime is a mistake of the caller."""
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value.isoformat()} has no time zone")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read back aware, in UTC."""
        del dialect
        return None if value is None else datetime.fromisoformat(value)


Count = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself in INTEGER columns only
FINGERPRINT, NAME, WORD = String(64), String(200), String(16)
SEQUENCED: dict[str, Any] = {"sqlite_autoincrement": True}  # a number is never given twice


def _sequence() -> Column[Any]:
    return Column("sequence", Count, primary_key=True, autoincrement=True)


#: SQL that is true for a ticket without its outcome.
OPEN_STATES = f"state NOT IN ({', '.join(sorted(repr(state.value) for state in OUTCOMES))})"

legal_moves = Table(
    "legal_moves",
    metadata,
    Column("before", WORD, primary_key=True),
    Column("after", WORD, primary_key=True),
)

orders = Table(
    "orders",
    metadata,
    Column("key", FINGERPRINT, primary_key=True),
    Column("provider", NAME, nullable=False),
    Column("backend", NAME, nullable=False),
    Column("job", Text, nullable=False),
    Column("state", WORD, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("micros", BigInteger),
    Column("currency", String(16), nullable=False),
    Column("workloads", Integer, nullable=False),
    Column("submissions", Integer, nullable=False),
    CheckConstraint("state IN ('open', 'settled', 'released')", name="state"),
    CheckConstraint("(state = 'settled') = (micros IS NOT NULL)", name="settled"),
    Index("ix_orders_state", "state"),
)

tickets = Table(
    "tickets",
    metadata,
    _sequence(),
    Column("id", String(32), nullable=False),
    Column("question", FINGERPRINT, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("state", WORD, nullable=False),
    Column("version", Integer, nullable=False),
    Column("workload_fingerprint", FINGERPRINT, nullable=False),
    Column("profile", Text, nullable=False),
    Column("profile_fingerprint", FINGERPRINT, nullable=False),
    Column("replicate", Integer, nullable=False),
    Column("provider", NAME, nullable=False),
    Column("backend", NAME, nullable=False),
    Column("order_key", FINGERPRINT, ForeignKey("orders.key")),
    Column("position", Integer, nullable=False),
    Column("job", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("project", NAME, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("deadline", Moment),
    Column("not_before", Moment),
    Column("modification", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("queue_position", Integer),
    Column("answer", Text, nullable=False),
    Column("path", WORD, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("asked_shots", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("id"),
    UniqueConstraint("question", "generation", "attempt"),
    CheckConstraint("generation >= 0 AND attempt >= 1", name="counted"),
    Index(
        "ix_tickets_one_open",
        "question",
        unique=True,
        sqlite_where=text(OPEN_STATES),
        postgresql_where=text(OPEN_STATES),
    ),
    Index("ix_tickets_state", "state", "sequence"),
    Index("ix_tickets_order", "order_key"),
    **SEQUENCED,
)

transitions = Table(
    "transitions",
    metadata,
    _sequence(),
    Column("ticket", String(32), ForeignKey("tickets.id"), nullable=False),
    Column("before", WORD),
    Column("after", WORD, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    ForeignKeyConstraint(["before", "after"], ["legal_moves.before", "legal_moves.after"]),
    CheckConstraint("before IS NOT NULL OR after = 'planned'", name="begins"),
    Index("ix_transitions_ticket", "ticket", "sequence"),
    **SEQUENCED,
)

requests = Table(
    "requests",
    metadata,
    _sequence(),
    Column("question", FINGERPRINT, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("study", NAME, nullable=False),
    Column("partition", Text, nullable=False),
    Column("project", NAME, nullable=False),
    Column("run_id", NAME, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("asynchronous", Boolean, nullable=False),
    Column("deadline", Moment),
    Column("at", Moment, nullable=False),
    Index("ix_requests_question", "question", "generation"),
    Index("ix_requests_partition", "study", "partition"),
    Index("ix_requests_run", "run_id"),
    **SEQUENCED,
)

reservations = Table(
    "reservations",
    metadata,
    Column("order_key", FINGERPRINT, ForeignKey("orders.key"), primary_key=True),
    Column("ticket", String(32), ForeignKey("tickets.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("project", NAME, nullable=False),
    Column("month", String(7), nullable=False),
    Column("kind", WORD, nullable=False),
    Column("currency", String(16), nullable=False),
    Column("micros", BigInteger, nullable=False),
    Column("shots", BigInteger, nullable=False),
    Column("state", WORD, nullable=False),
    Column("at", Moment, nullable=False),
    CheckConstraint("state IN ('held', 'settled', 'released')", name="state"),
    CheckConstraint("micros >= 0 AND shots >= 0", name="counted"),
    Index("ix_reservations_budget", "project", "month", "kind"),
)

charges = Table(
    "charges",
    metadata,
    _sequence(),
    Column("order_key", FINGERPRINT, nullable=False),
    Column("ticket", String(32), nullable=False),
    Column("project", NAME, nullable=False),
    Column("month", String(7), nullable=False),
    Column("kind", WORD, nullable=False),
    Column("currency", String(16), nullable=False),
    Column("micros", BigInteger, nullable=False),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    UniqueConstraint("order_key", "ticket"),
    ForeignKeyConstraint(["order_key", "ticket"], ["reservations.order_key", "reservations.ticket"]),
    Index("ix_charges_budget", "project", "month", "kind"),
    **SEQUENCED,
)

approvals = Table(
    "approvals",
    metadata,
    _sequence(),
    Column("project", NAME, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("approver", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("until", Moment),
    Column("at", Moment, nullable=False),
    Index("ix_approvals_project", "project", "kind"),
    **SEQUENCED,
)

breakers = Table(
    "breakers",
    metadata,
    Column("key", String(401), primary_key=True),
    Column("state", WORD, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("successes", Integer, nullable=False),
    Column("opened_at", Moment),
    Column("version", Integer, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("failed_jobs", Integer, nullable=False, server_default="0"),
)

alerts = Table(
    "alerts",
    metadata,
    _sequence(),
    Column("kind", NAME, nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("correlation_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", Moment, nullable=False),
    **SEQUENCED,
)
