"""The triggers of revision 0001: what may be written, said to the database itself, in both its dialects.

They hold for whoever writes, by raw SQL or otherwise, and in SQLite also for a connection that did not switch foreign
keys on. Like every revision, this text never changes once released.
"""

APPEND_ONLY = ("transitions", "requests", "charges", "approvals", "alerts")


def _refusal(name: str, when: str, condition: str, reason: str) -> str:
    """A SQLite trigger that ends the statement."""
    guard = f"WHEN {condition} " if condition else ""
    return f"CREATE TRIGGER {name} BEFORE {when} {guard}BEGIN SELECT RAISE(ABORT, '{reason}'); END"


_ILLEGAL = """NEW.state <> OLD.state
    AND NOT EXISTS (SELECT 1 FROM legal_moves WHERE before = OLD.state AND after = NEW.state)"""
_STRAY = """NEW.before IS NEW.after
    OR NEW.before IS NOT (SELECT after FROM transitions WHERE ticket = NEW.ticket ORDER BY sequence DESC LIMIT 1)
    OR NEW.after IS NOT (SELECT state FROM tickets WHERE id = NEW.ticket)"""
_IDENTITY = "sequence, id, question, generation, attempt, workload_fingerprint, replicate, created_at"

_SQLITE = {
    "tickets_begin": ("INSERT ON tickets", "NEW.state <> 'planned'", "a ticket begins planned"),
    "tickets_legal": ("UPDATE OF state ON tickets", _ILLEGAL, "this move of a ticket is not legal"),
    "tickets_identity": (f"UPDATE OF {_IDENTITY} ON tickets", "", "what a ticket asks never changes"),
    "tickets_kept": ("DELETE ON tickets", "", "tickets are never deleted"),
    "transitions_follow": ("INSERT ON transitions", _STRAY, "the log of moves is written by moving a ticket"),
    "legal_moves_no_insert": ("INSERT ON legal_moves", "", "legal_moves is fixed"),
    "legal_moves_no_update": ("UPDATE ON legal_moves", "", "legal_moves is fixed"),
    "legal_moves_no_delete": ("DELETE ON legal_moves", "", "legal_moves is fixed"),
} | {
    f"{table}_no_{verb.lower()}": (f"{verb} ON {table}", "", f"{table} is append-only")
    for table in APPEND_ONLY
    for verb in ("UPDATE", "DELETE")
}

_SQLITE_LOG = {
    "tickets_log_planned": """
        CREATE TRIGGER tickets_log_planned AFTER INSERT ON tickets BEGIN
            INSERT INTO transitions (ticket, before, after, at, actor, reason, correlation_id)
            VALUES (NEW.id, NULL, NEW.state, NEW.updated_at, NEW.actor, NEW.reason, NEW.correlation_id);
        END
    """,
    "tickets_log_move": """
        CREATE TRIGGER tickets_log_move AFTER UPDATE OF state ON tickets WHEN NEW.state <> OLD.state BEGIN
            INSERT INTO transitions (ticket, before, after, at, actor, reason, correlation_id)
            VALUES (NEW.id, OLD.state, NEW.state, NEW.updated_at, NEW.actor, NEW.reason, NEW.correlation_id);
        END
    """,
}

SQLITE_TRIGGERS = (*_SQLITE, *_SQLITE_LOG)

_FUNCTIONS = (
    """
    CREATE FUNCTION ledger_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% may not be changed so', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE FUNCTION ledger_guard_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            IF NEW.state <> 'planned' THEN
                RAISE EXCEPTION 'a ticket begins planned' USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END IF;
        IF NEW.state <> OLD.state AND NOT EXISTS
            (SELECT 1 FROM legal_moves WHERE before = OLD.state AND after = NEW.state) THEN
            RAISE EXCEPTION 'this move of a ticket is not legal' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF (NEW.sequence, NEW.id, NEW.question, NEW.generation, NEW.attempt, NEW.workload_fingerprint, NEW.replicate,
            NEW.created_at)
           IS DISTINCT FROM
           (OLD.sequence, OLD.id, OLD.question, OLD.generation, OLD.attempt, OLD.workload_fingerprint, OLD.replicate,
            OLD.created_at) THEN
            RAISE EXCEPTION 'what a ticket asks never changes' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION ledger_log_ticket() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO transitions (ticket, before, after, at, actor, reason, correlation_id)
            VALUES (NEW.id, NULL, NEW.state, NEW.updated_at, NEW.actor, NEW.reason, NEW.correlation_id);
        ELSIF NEW.state <> OLD.state THEN
            INSERT INTO transitions (ticket, before, after, at, actor, reason, correlation_id)
            VALUES (NEW.id, OLD.state, NEW.state, NEW.updated_at, NEW.actor, NEW.reason, NEW.correlation_id);
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION ledger_guard_transition() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.before IS NOT DISTINCT FROM NEW.after
           OR NEW.before IS DISTINCT FROM
              (SELECT after FROM transitions WHERE ticket = NEW.ticket ORDER BY sequence DESC LIMIT 1)
           OR NEW.after IS DISTINCT FROM (SELECT state FROM tickets WHERE id = NEW.ticket) THEN
            RAISE EXCEPTION 'the log of moves is written by moving a ticket'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
)

#: PostgreSQL's triggers: name, when, and the function that each runs.
_POSTGRESQL = {
    "tickets_guard": ("BEFORE INSERT OR UPDATE ON tickets FOR EACH ROW", "ledger_guard_ticket"),
    "tickets_log": ("AFTER INSERT OR UPDATE OF state ON tickets FOR EACH ROW", "ledger_log_ticket"),
    "transitions_follow": ("BEFORE INSERT ON transitions FOR EACH ROW", "ledger_guard_transition"),
    "tickets_kept": ("BEFORE DELETE ON tickets FOR EACH ROW", "ledger_append_only"),
    "tickets_whole": ("BEFORE TRUNCATE ON tickets", "ledger_append_only"),
    "legal_moves_fixed": ("BEFORE INSERT OR UPDATE OR DELETE ON legal_moves FOR EACH ROW", "ledger_append_only"),
    "legal_moves_whole": ("BEFORE TRUNCATE ON legal_moves", "ledger_append_only"),
} | {
    f"{table}_{name}": (f"BEFORE {when}", "ledger_append_only")
    for table in APPEND_ONLY
    for name, when in (
        ("append_only", f"UPDATE OR DELETE ON {table} FOR EACH ROW"),
        ("whole", f"TRUNCATE ON {table}"),
    )
}

GUARDS: dict[str, tuple[str, ...]] = {
    "sqlite": (*(_refusal(name, *parts) for name, parts in _SQLITE.items()), *_SQLITE_LOG.values()),
    "postgresql": (
        *_FUNCTIONS,
        *(
            f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION {function}()"
            for name, (when, function) in _POSTGRESQL.items()
        ),
    ),
}
POSTGRESQL_FUNCTIONS = ("ledger_append_only", "ledger_guard_ticket", "ledger_log_ticket", "ledger_guard_transition")
