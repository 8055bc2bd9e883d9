"""What one process knows beside the ledger. Losing it costs time, never an answer or money: the process may die.

Workloads are held weakly: whoever waits for an answer holds its workload, and a workload that another process may have
to go on with is in the spool.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.jobs import BackendFact
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import Provider

_RECENT = 32

#: Tickets that this process is submitting, or looking up, now: shared by all its planes and threads, for the ledger
#: knows them by one name.
_windows: set[str] = set()


@dataclass
class Memory:
    """One process's own knowledge.

    Attributes:
        providers: Instances that were made, by name.
        claims: Accepted answers that are nowhere else, by ticket, until they are handed over.
        jobs: Tickets of each job that lives in this process, in the order's sequence.
        told: What was said to people already and need not be said again.
        heard: What a provider last said of a profile's backends, and when (monotonic seconds), by provider and profile.
    """

    providers: dict[str, Provider] = field(default_factory=dict)
    claims: dict[str, ResultEnvelope] = field(default_factory=dict)
    jobs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    told: set[tuple[str, str]] = field(default_factory=set)
    heard: dict[tuple[str, str], tuple[float, tuple[BackendFact, ...]]] = field(default_factory=dict)
    _workloads: WeakValueDictionary[str, Workload] = field(default_factory=WeakValueDictionary)
    _recent: deque[Workload] = field(default_factory=lambda: deque(maxlen=_RECENT))
    _since: dict[str, float] = field(default_factory=dict)

    def remember(self, workload: Workload) -> None:
        """Know a workload for as long as somebody holds it."""
        self._workloads[workload.fingerprint] = workload

    def hold(self, workload: Workload) -> Workload:
        """Keep one that nobody else holds for a while: a turn looks at it several times."""
        self.remember(workload)
        self._recent.append(workload)
        return workload

    def workload(self, fingerprint: str) -> Workload | None:
        """A workload that somebody still holds."""
        return self._workloads.get(fingerprint)

    @contextmanager
    def window(self, tickets: Iterable[str]) -> Iterator[None]:
        """This process is inside the submit window of tickets, by their ids."""
        ids = frozenset(tickets)
        _windows.update(ids)
        try:
            yield
        finally:
            _windows.difference_update(ids)

    def in_window(self, ticket: str) -> bool:
        """Whether some thread of this process is inside the submit window of a ticket."""
        return ticket in _windows

    def watched(self, what: str, now: float) -> float:
        """Seconds since this was first asked about the same thing; `now` is monotonic."""
        return now - self._since.setdefault(what, now)
