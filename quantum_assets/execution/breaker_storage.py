"""What pybreaker remembers, kept in the ledger, and shown to it as one call must see it.

pybreaker compares moments with the machine's own clock and writes state in several steps. Here, what the ledger's clock
says has elapsed is shown as elapsed, a half-open breaker that another process probes is shown as open, and steps that
belong together are written at once, by compare-and-set. A clock that stepped back cannot keep a breaker open for longer
than its reset time more.
"""

from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any, Literal

import pybreaker

from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.rows import BreakerRow

CLOSED, OPEN, HALF_OPEN = pybreaker.STATE_CLOSED, pybreaker.STATE_OPEN, pybreaker.STATE_HALF_OPEN
#: A moment that no clock has reached: shown to pybreaker for a breaker that must not be tried yet.
_NOT_YET = datetime(9000, 1, 1, tzinfo=UTC)
_RACES = 20

#: What is counted of a backend: calls in a row that failed, and accepted jobs in a row that failed.
Count = Literal["failures", "failed_jobs"]


def read_row(ledger: Ledger, key: str) -> BreakerRow:
    """The ledger's row of a breaker. An opening in the future (a clock stepped back) is written down as now."""
    row, now = ledger.breaker(key), ledger.clock.now()
    if row.state == CLOSED or row.opened_at is None or row.opened_at <= now:
        return row
    return ledger.set_breaker(key, expected=row.version, opened_at=now) or ledger.breaker(key)


def seconds_left(row: BreakerRow, now: datetime, reset_seconds: float) -> float:
    """Seconds until a probe is let through, at most `reset_seconds`; 0: now, or closed."""
    if row.state == CLOSED or row.opened_at is None:
        return 0.0
    passed = (now - row.opened_at).total_seconds()
    return max(reset_seconds - max(passed, 0.0), 0.0)


class LedgerBreakerStorage(pybreaker.CircuitBreakerStorage):
    """pybreaker's memory for one call: the ledger's row, as that call must see it.

    Args:
        ledger: Where the row is, and the clock.
        key: ``provider/backend``.
        reset_seconds: How long it stays open, and how long a probe may take.
        forgives: Which counts a success sets to zero. One that only asks how a job is forgives nothing, for a backend
            may tell that and yet accept no job; an accepted job forgives no failed one, for it may fail as well.

    Attributes:
        row: The row as last read or written.
        muted: The call ended in a way that says nothing of the backend: count neither success nor failure.
        reason: Sentence of the failure that is being counted, for the alert.
    """

    def __init__(self, ledger: Ledger, key: str, reset_seconds: float, *, forgives: Collection[Count]) -> None:
        super().__init__(key)
        self._ledger = ledger
        self._reset_seconds = reset_seconds
        self._forgives = frozenset[str](forgives)
        self.row = read_row(ledger, key)
        self.muted = False
        self.reason = ""
        self._claim: datetime | None = None  # when this call became the probe

    @property
    def state(self) -> str:
        """closed, open or half-open; half-open only for the call that is the probe, open for every other."""
        if self._claim is not None:
            return HALF_OPEN
        return OPEN if self.row.state == HALF_OPEN else self.row.state

    @state.setter
    def state(self, state: str) -> None:
        """Open, close, or claim the probe; raises CircuitBreakerError when another process claimed it first."""
        if state == HALF_OPEN:
            self._become_probe()
        elif state == OPEN:
            self._open()
        else:
            self._close()

    @property
    def counter(self) -> int:
        """Counted failures in a row, of all processes."""
        return self.row.counted

    @property
    def success_counter(self) -> int:
        """Successful probes in a row."""
        return self.row.successes

    @property
    def opened_at(self) -> datetime | None:
        """What makes pybreaker decide by the ledger's clock: None lets the probe through, the far future does not."""
        left = seconds_left(self.row, self._ledger.clock.now(), self._reset_seconds)
        return _NOT_YET if left > 0 else None

    @opened_at.setter
    def opened_at(self, moment: datetime) -> None:
        """Nothing: the moment is written with the state, by the ledger's clock."""

    def increment_counter(self) -> None:
        """One failed call more."""
        self._ledger.count_failure(self.name)
        self.row = self._ledger.breaker(self.name)

    def increment_failed_jobs(self) -> None:
        """One failed job more."""
        self._ledger.count_failed_job(self.name)
        self.row = self._ledger.breaker(self.name)

    def reset_counter(self) -> None:
        """A success while closed ends the row of failures that it began with; closing writes its own zero."""
        if not self.muted and self._claim is None:
            self._swap(lambda row: self._forgiven(row) if row.state == CLOSED else None)

    def increment_success_counter(self) -> None:
        """One successful probe more."""
        if not self.muted:
            self._ledger.count_success(self.name)
            self.row = self._ledger.breaker(self.name)

    def reset_success_counter(self) -> None:
        """Nothing: the zero is written with the state."""

    def let_go(self) -> None:
        """Free the claim of a probe that decided nothing, so that the next call is one."""
        if self._claim is not None:
            claim, self._claim = self._claim, None
            self._swap(lambda row: {"opened_at": None} if row.state == HALF_OPEN and row.opened_at == claim else None)

    def _become_probe(self) -> None:
        now = self._ledger.clock.now()
        successes = self.row.successes if self.row.state == HALF_OPEN else 0
        claimed = self._ledger.set_breaker(
            self.name, expected=self.row.version, state=HALF_OPEN, opened_at=now, successes=successes
        )
        if claimed is None:
            self.row = self._ledger.breaker(self.name)
            raise pybreaker.CircuitBreakerError("another process was faster")
        self.row, self._claim = claimed, claimed.opened_at

    def _open(self) -> None:
        """After the probe failed, or too many failures while closed; a late failure leaves another's probe alone."""
        probed, now = self._claim is not None, self._ledger.clock.now()
        self._claim = None
        opened = self._swap(
            lambda row: (
                {"state": OPEN, "opened_at": now, "successes": 0}
                if row.state == CLOSED or (probed and row.state == HALF_OPEN)
                else None
            )
        )
        if opened and not probed:
            message = f"opened after {self.row.counted} failures in a row, the last: {self.reason}"
            self._ledger.alert("breaker_open", self.name, message)

    def _close(self) -> None:
        self._claim = None
        fresh = {"state": CLOSED, "successes": 0, "opened_at": None}
        self._swap(lambda row: {**fresh, **self._forgiven(row)} if row.state == HALF_OPEN else None)

    def _forgiven(self, row: BreakerRow) -> dict[str, Any]:
        """The counts that a success sets to zero; empty where they are zero."""
        return {name: 0 for name in sorted(self._forgives) if getattr(row, name)}

    def _swap(self, wanted: Callable[[BreakerRow], dict[str, Any] | None]) -> bool:
        """Write what is wanted of the row as it is now; read again while others are faster. Whether it was written."""
        for _ in range(_RACES):
            changes = wanted(self.row)
            if not changes:
                return False
            written = self._ledger.set_breaker(self.name, expected=self.row.version, **changes)
            self.row = written or self._ledger.breaker(self.name)
            if written is not None:
                return True
        return False
