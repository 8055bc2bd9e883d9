"""What people say to the ledger and it to them: approvals and alerts, both append-only."""

from datetime import datetime

from sqlalchemy import Connection, insert, select

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.money import ApprovalKind
from quantum_assets.execution.ledger.rows import Alert, Approval, Stamp
from quantum_assets.execution.ledger.schema import alerts, approvals

_ALERT = tuple(alerts.c[name] for name in Alert.__dataclass_fields__)
_APPROVAL = tuple(approvals.c[name] for name in Approval.__dataclass_fields__)


def approve(
    connection: Connection,
    project: str,
    kind: ApprovalKind,
    *,
    approver: str,
    reason: str,
    until: datetime | None,
    stamp: Stamp,
) -> Approval:
    """Write down a person's word; it replaces the earlier one of the same kind."""
    if not approver.strip() or not reason.strip():
        raise PlanError(f"approval of {kind} for {project}", "does not say who, or why", "Give both")
    values = {"project": project, "kind": kind, "approver": approver, "reason": reason, "until": until, "at": stamp.at}
    return Approval(*connection.execute(insert(approvals).values(values).returning(*_APPROVAL)).one())


def approval_list(connection: Connection, project: str | None) -> tuple[Approval, ...]:
    """Every approval ever given, in order."""
    query = select(*_APPROVAL).order_by(approvals.c.sequence)
    if project is not None:
        query = query.where(approvals.c.project == project)
    return tuple(Approval(*row) for row in connection.execute(query))


def approved(connection: Connection, project: str, kind: ApprovalKind, now: datetime) -> Approval | None:
    """The last word on it, if it still holds."""
    query = select(*_APPROVAL).where(approvals.c.project == project, approvals.c.kind == kind)
    row = connection.execute(query.order_by(approvals.c.sequence.desc()).limit(1)).one_or_none()
    if row is None or (row.until is not None and row.until <= now):
        return None
    return Approval(*row)


def alert(connection: Connection, kind: str, subject: str, message: str, correlation_id: str, stamp: Stamp) -> Alert:
    """Write something that a person should know."""
    values = {"kind": kind, "subject": subject, "message": message, "correlation_id": correlation_id}
    query = insert(alerts).values(**values, actor=stamp.actor, at=stamp.at).returning(*_ALERT)
    return Alert(*connection.execute(query).one())


def alert_list(connection: Connection, after_sequence: int, limit: int | None) -> tuple[Alert, ...]:
    """Alerts after a sequence number, in order."""
    query = select(*_ALERT).where(alerts.c.sequence > after_sequence).order_by(alerts.c.sequence)
    if limit is not None:
        query = query.limit(limit)
    return tuple(Alert(*row) for row in connection.execute(query))
