"""Which alerts a person has not read yet. Reading is a line of the same append-only log, so that all processes see it.

Lines that persons cause (that they read, that they closed a breaker) are records, not alerts: they never count as
unread.
"""

from collections.abc import Sequence
from datetime import datetime

from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.rows import Alert

READ = "alerts_read"
BREAKER_RESET = "breaker_reset"
RECORDS = frozenset({READ, BREAKER_RESET})


def unread(alerts: Sequence[Alert], since: datetime | None = None) -> tuple[Alert, ...]:
    """Alerts that came after the last reading.

    Args:
        alerts: All of a ledger, in order.
        since: Only those from this moment (UTC) on; None: all.
    """
    read = max((int(alert.subject) for alert in alerts if alert.kind == READ), default=0)
    return tuple(
        alert
        for alert in alerts
        if alert.sequence > read and alert.kind not in RECORDS and (since is None or alert.at >= since)
    )


def mark_read(ledger: Ledger, by: str) -> tuple[Alert, ...]:
    """Write down that a person has read every alert so far; returns those that were unread until now."""
    known = ledger.alerts()
    news = unread(known)
    if news:
        ledger.alert(READ, str(news[-1].sequence), f"read by {by}")
    return news
