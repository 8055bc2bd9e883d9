"""Time as a value: a test gives a clock that moves when it is told to sleep, so that no test waits for a real one.

The order of events is never told by a clock, which may step back: the ledger counts (`Transition.sequence`).
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is, how much has passed, and a way to let it pass."""

    def now(self) -> datetime:
        """The moment, aware, in UTC: for people and for deadlines."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment of the past; never goes back: for durations."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass; less than nothing is nothing."""
        ...


@dataclass(frozen=True)
class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The machine's wall clock, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """The machine's monotonic clock, in seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let the process wait."""
        time.sleep(max(seconds, 0.0))


SYSTEM_CLOCK = SystemClock()
