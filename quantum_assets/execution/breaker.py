"""One circuit breaker for each provider and backend, seen by all processes: pybreaker's machine, the ledger's memory.

Closed, calls pass, and failures that say that the backend is unwell (`Rule.counts_for_breaker`) are counted, of jobs as
of calls; an accepted submission ends the row of failed calls, and a result that comes that of failed jobs, too;
anything else (a wrong circuit, a 429, Ctrl-C, a job's status that is told) says nothing either way. After `fail_max` in
a row it opens: calls are refused at once. After `reset_seconds` one call, in one process, is let through as a probe; it
claims the half-open breaker in the ledger by compare-and-set. Its success closes the breaker, its failure opens it
again, and a probe whose process died loses its claim after another `reset_seconds`. A probe that is accepted and whose
job then fails opens it again as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import ParamSpec, TypeVar

import pybreaker

from quantum_assets.contracts.errors import PlanError, ProviderError
from quantum_assets.contracts.failure import Failure, FailurePolicy, Phase
from quantum_assets.execution.breaker_storage import CLOSED, OPEN, Count, LedgerBreakerStorage, read_row, seconds_left
from quantum_assets.execution.classify import classify
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.rows import BreakerRow
from quantum_assets.execution.policy import read_policy

#: What a call's success sets to zero, by phase; a result proves most.
_FORGIVEN: Mapping[Phase, tuple[Count, ...]] = {"submit": ("failures",), "fetch": ("failures", "failed_jobs")}

P = ParamSpec("P")
T = TypeVar("T")


class BreakerOpen(ProviderError):
    """The call was not made: the backend failed too often a short while ago, or another process is probing it now.

    Args:
        provider: Whose breaker.
        backend: Its device or simulator; empty where it has only one.
        since: When it opened (UTC), by the ledger's clock.
        half_opens_at: When a probe is let through.
    """

    def __init__(self, provider: str, backend: str, since: datetime, half_opens_at: datetime) -> None:
        self.provider, self.backend, self.since, self.half_opens_at = provider, backend, since, half_opens_at
        super().__init__(
            f"{provider} {backend}".strip(),
            f"its breaker is open since {since:%Y-%m-%d %H:%M:%S} UTC after failures in a row",
            f"Wait until {half_opens_at:%H:%M:%S} UTC, when one call is let through to try, or use another backend",
            retry=True,
        )

    def __reduce__(self) -> tuple[type, tuple[str, str, datetime, datetime]]:  # type: ignore[override]
        """Survive a process pool."""
        return type(self), (self.provider, self.backend, self.since, self.half_opens_at)


@dataclass(frozen=True)
class BreakerState:
    """One breaker as it stands, for people and for routing.

    Attributes:
        provider: Whose.
        backend: Its device or simulator; empty where it has only one.
        state: closed, open or half-open.
        failures: Counted failures in a row, of calls and of jobs.
        since: Moment (UTC) of opening; half-open: of the probe that is under way; None while closed.
        half_opens_at: When the next call is let through; None while closed, or when it is let through now.
    """

    provider: str
    backend: str
    state: str
    failures: int
    since: datetime | None
    half_opens_at: datetime | None

    @property
    def refuses(self) -> bool:
        """Whether a call made now would be refused."""
        return self.half_opens_at is not None


@dataclass(frozen=True)
class Breakers:
    """All breakers of a ledger.

    Attributes:
        ledger: Their memory, and the clock.
        fail_max: Counted failures in a row that open one.
        reset_seconds: How long it stays open before a probe; also how long a probe may take before another is let in.
        success_threshold: Probes in a row that must succeed to close it.
        policy: Says which failures count; None: the shipped one.
    """

    ledger: Ledger
    fail_max: int = 5
    reset_seconds: float = 60.0
    success_threshold: int = 1
    policy: FailurePolicy | None = None

    def __post_init__(self) -> None:
        if self.fail_max < 1 or self.success_threshold < 1 or not 0 < self.reset_seconds < float("inf"):
            raise PlanError(
                "Breakers",
                f"fail_max {self.fail_max}, success_threshold {self.success_threshold}, "
                f"reset_seconds {self.reset_seconds}",
                "Give counts of at least 1 and a finite number of seconds above 0",
            )

    def guard(self, provider: str, backend: str, phase: Phase = "submit") -> "Guard":
        """The guard of one backend's calls; `phase` says what they do, for the policy. Reads nothing yet."""
        return Guard(self, provider, backend, phase)

    def state(self, provider: str, backend: str) -> BreakerState:
        """How one breaker stands."""
        return self._state_of(read_row(self.ledger, key_of(provider, backend)))

    def states(self) -> tuple[BreakerState, ...]:
        """All breakers that ever counted a failure, by provider and backend."""
        return tuple(self._state_of(row) for row in sorted(self.ledger.breakers(), key=lambda row: row.key))

    def refusal(self, provider: str, backend: str) -> str | None:
        """Why a call made now would be refused, one sentence; None when it would be let through."""
        state = self.state(provider, backend)
        if state.since is None or state.half_opens_at is None:
            return None
        return str(BreakerOpen(provider, backend, state.since, state.half_opens_at))

    def _state_of(self, row: BreakerRow) -> BreakerState:
        provider, _, backend = row.key.partition("/")
        now = self.ledger.clock.now()
        left = seconds_left(row, now, self.reset_seconds)
        half_opens_at = now + timedelta(seconds=left) if left > 0 else None
        since = None if row.state == CLOSED else row.opened_at
        return BreakerState(provider, backend, row.state, row.counted, since, half_opens_at)


@dataclass(frozen=True)
class Guard:
    """Runs calls to one backend through its breaker.

    Attributes:
        breakers: The family it belongs to.
        provider: Who is called.
        backend: Which device or simulator.
        phase: What the calls do.
    """

    breakers: Breakers
    provider: str
    backend: str
    phase: Phase = "submit"

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call `function`, unless the breaker forbids it.

        Raises:
            BreakerOpen: When nothing was called.
            Exception: Whatever `function` raises, as it is.
        """
        storage = self._storage()
        machine = pybreaker.CircuitBreaker(
            fail_max=self.breakers.fail_max,
            reset_timeout=self.breakers.reset_seconds,
            success_threshold=self.breakers.success_threshold,
            exclude=[lambda error: not self._counts(error, storage)],
            state_storage=storage,
            name=storage.name,
            throw_new_error_on_trip=False,
        )
        try:
            return machine.call(function, *args, **kwargs)
        except pybreaker.CircuitBreakerError:
            raise self._refused(storage) from None
        finally:
            storage.let_go()

    def count(self, failure: Failure) -> None:
        """Count the failure of a job, which is no exception of a call."""
        if not failure.rule.counts_for_breaker:
            return
        storage = self._storage()
        storage.reason = failure.sentence
        storage.increment_failed_jobs()
        if storage.counter >= self.breakers.fail_max:
            storage.state = OPEN

    def _counts(self, error: BaseException, storage: LedgerBreakerStorage) -> bool:
        """Whether it says that the backend is unwell; anything else is kept from the count, in either direction."""
        if isinstance(error, Exception):
            policy = self.breakers.policy or _shipped_policy()
            failure = classify(error, provider=self.provider, phase=self.phase, policy=policy)
            if failure.rule.counts_for_breaker:
                storage.reason = failure.sentence
                return True
        storage.muted = True
        return False

    def _storage(self) -> LedgerBreakerStorage:
        key = key_of(self.provider, self.backend)
        forgives = _FORGIVEN.get(self.phase, ())
        return LedgerBreakerStorage(self.breakers.ledger, key, self.breakers.reset_seconds, forgives=forgives)

    def _refused(self, storage: LedgerBreakerStorage) -> BreakerOpen:
        now, row = self.breakers.ledger.clock.now(), storage.row
        left = seconds_left(row, now, self.breakers.reset_seconds)
        return BreakerOpen(self.provider, self.backend, row.opened_at or now, now + timedelta(seconds=left))


def key_of(provider: str, backend: str) -> str:
    """The key of a breaker in the ledger."""
    return f"{provider}/{backend}"


@lru_cache(maxsize=1)
def _shipped_policy() -> FailurePolicy:
    return read_policy()
