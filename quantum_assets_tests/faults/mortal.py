"""What can die: one simulated process with its ledger and its providers, and the moment at which it ends.

The dead do nothing: once its moment has come, every further read, write and call of that process raises as well, so
that no `finally` and no `except BaseException` of the code under test can tidy up as a killed process could not.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, JobStatus, Limits, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.workload import Workload
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets.execution.ledger.rows import Stamp
from quantum_assets.providers.base import Provider
from quantum_assets_tests.chaos.errors import Killed
from quantum_assets_tests.faults.bodies import Body

T = TypeVar("T")
_LONGEST = 20_000


class Stuck(BaseException):
    """The control plane goes on and on: no `except Exception` may take this for a failure of a provider."""


def _nothing() -> None:
    """What happens meanwhile, usually."""


@dataclass
class Life:
    """One simulated process.

    Attributes:
        body: The real process that stands for it.
        writes_left: It dies at the write after so many; None: it does not.
        written: Whether that last write still happens.
        dead: Whether it has died.
        steps: Reads, writes and calls so far.
        meanwhile: Called before and after every call to a provider: others act while this process waits.
    """

    body: Body
    writes_left: int | None = None
    written: bool = False
    dead: bool = False
    steps: int = 0
    meanwhile: Callable[[], None] = _nothing

    def step(self) -> None:
        """Do one more thing, if alive."""
        if self.dead:
            raise Killed("the dead do nothing")
        self.steps += 1
        if self.steps > _LONGEST:
            raise Stuck(f"{self.steps} steps")

    def end(self, where: str) -> None:
        """Die here."""
        self.dead = True
        self.body.kill()
        raise Killed(where)

    def write(self, act: Callable[[], T]) -> T:
        """Write to the ledger, unless it is the moment."""
        self.step()
        last = self.writes_left == 0
        if self.writes_left is not None:
            self.writes_left -= 1
        if last and not self.written:
            self.end("before a write")
        result = act()
        if last:
            self.end("after a write")
        return result

    def call(self, act: Callable[[], T]) -> T:
        """Call a provider; others may act while it is on its way, there and back."""
        self.step()
        self.meanwhile()
        try:
            answer = act()
        except Killed:
            self.dead = True
            self.body.kill()
            raise
        finally:
            self.meanwhile()
        return answer


@dataclass(frozen=True, repr=False)
class MortalLedger(Ledger):
    """The real ledger as one process uses it.

    Attributes:
        life: Whose.
    """

    life: Life = field(default_factory=lambda: Life(Body("")), compare=False)

    def _read(self, work: Callable[[Connection], T]) -> T:
        self.life.step()
        return super()._read(work)

    def _write(self, work: Callable[[Connection, Stamp], T], *, durable: bool = False) -> T:
        return self.life.write(lambda: super(MortalLedger, self)._write(work, durable=durable))


@dataclass(frozen=True)
class MortalProvider:
    """A provider as one process uses it; only what goes over a network is a call."""

    inner: Provider
    life: Life

    @property
    def name(self) -> str:
        return self.inner.name

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        return self.inner.supports(workload, profile)

    def limits(self, profile: ExecutionProfile) -> Limits:
        return self.inner.limits(profile)

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        return self.inner.versions(profile)

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        return self.life.call(lambda: self.inner.calibration(profile))

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:
        return self.life.call(lambda: self.inner.backends(profile))

    def submit(self, order: Order) -> str:
        return self.life.call(lambda: self.inner.submit(order))

    def find(self, order: Order) -> str | None:
        return self.life.call(lambda: self.inner.find(order))

    def status(self, job: str) -> JobStatus:
        return self.life.call(lambda: self.inner.status(job))

    def fetch(self, job: str, order: Order) -> tuple[ResultEnvelope | ProviderError, ...]:
        return self.life.call(lambda: self.inner.fetch(job, order))

    def cancel(self, job: str) -> None:
        self.life.call(lambda: self.inner.cancel(job))
