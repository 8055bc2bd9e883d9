"""A clock that moves when it is told to sleep or set, and only then."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass
class ManualClock:
    """Remembers every sleep; `step` moves the wall clock alone, also back."""

    moment: datetime = START
    passed: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.passed += seconds
        self.step(seconds)

    def step(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
