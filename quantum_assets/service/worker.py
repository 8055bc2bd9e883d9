"""The worker of the sidecar: runs accepted orders one after another, each after its time in the queue.

Everything it knows is in the account and the result files. A process that is killed in the middle of a job starts that
job again when it comes back; the seeds make the second run the same as the first, and the price is that of the
acceptance, so that nothing is charged twice.
"""

import logging
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event, Thread

from quantum_assets.contracts.envelope import ResultEnvelope, Timings
from quantum_assets.contracts.errors import ProviderError, QuantumAssetsError
from quantum_assets.contracts.jobs import Order
from quantum_assets.contracts.wire import unpack_order
from quantum_assets.providers.in_process import InProcessProvider
from quantum_assets.providers.rehearsal import Rehearsal
from quantum_assets.service.faults import FaultBook
from quantum_assets.service.jobs import Job, JobBook
from quantum_assets.service.prices import MICROS, Prices
from quantum_assets.service.results import ResultFiles, document

IDLE_SECONDS = 0.05
_LOG = logging.getLogger(__name__)
LIVE = frozenset({"QUEUED", "RUNNING"})

Claims = tuple[ResultEnvelope | ProviderError, ...]


@dataclass(eq=False)
class Worker:
    """Runs what the account says is due.

    Attributes:
        book: The account.
        results: Where results are put down.
        prices: For the cost that an envelope tells.
        queue_seconds: How long an accepted job waits before it runs.
        faults: What is to go wrong.
        version: State of the machine, which a recalibration changes.
        now: Seconds since 1970.
        pause: Waits; for rehearsed delays.
        make: Makes the machine in its present state.
    """

    book: JobBook
    results: ResultFiles
    prices: Prices = field(default_factory=Prices)
    queue_seconds: float = 0.0
    faults: FaultBook = field(default_factory=FaultBook)
    version: str = "1"
    now: Callable[[], float] = time.time
    pause: Callable[[float], object] = time.sleep
    make: Callable[[str], InProcessProvider] = lambda version: Rehearsal(version=version)
    _stop: Event = field(default_factory=Event, repr=False)
    _thread: Thread | None = field(default=None, repr=False)

    def start(self) -> None:
        """Work in a thread until `stop`."""
        self._thread = Thread(target=self._work, name="sidecar-worker", daemon=True)
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """End after the job at hand; one that takes longer than `patience` seconds is begun again by the next start."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(patience)

    def step(self) -> bool:
        """Run the next job that is due; False when there is none."""
        job = next((job for job in self.book.unfinished() if self._due(job)), None)
        if job is None:
            return False
        if self.book.record(job.job, "RUNNING", self.now(), after=LIVE):
            self._run(job)
        return True

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                idle = not self.step()
            except (sqlite3.Error, OSError):  # a full disk, say: jobs wait in the account until it is mended
                _LOG.exception("the account or the results cannot be used; trying again")
                idle = True
            if idle:
                self._stop.wait(IDLE_SECONDS)

    def _due(self, job: Job) -> bool:
        waited = self.now() - job.received_at
        return waited >= self.queue_seconds or waited < 0  # the clock stepped back: it must not wait for ever

    def _run(self, job: Job) -> None:
        started = self.now()
        fault = self.faults.take("run")
        if fault is not None and fault.kind == "delay":
            self.pause(fault.seconds)
        if fault is not None and fault.kind == "fail":
            self._fail(job, fault.code, fault.message)
            return
        try:
            order = unpack_order(self.book.body(job.job))
            claims = self._claims(order)
        except Exception as error:  # noqa: BLE001 - one bad job must not end the worker; the client reads why
            self._fail(job, "not_run", _sentence(error))
            return
        if all(isinstance(claim, ProviderError) for claim in claims):
            self._fail(job, "not_run", str(claims[0]))
            return
        self._complete(job, order, claims, max(0.0, started - job.received_at))

    def _claims(self, order: Order) -> Claims:
        machine = self.make(self.version)
        return machine.fetch(machine.submit(order), order)

    def _complete(self, job: Job, order: Order, claims: Claims, queued: float) -> None:
        told = tuple(
            claim if isinstance(claim, ProviderError) else self._told(job, order, at, claim, queued)
            for at, claim in enumerate(claims)
        )
        self.results.write(job.job, document(job.job, told, [workload.fingerprint for workload in order.workloads]))
        if not self.book.record(job.job, "COMPLETED", self.now(), after={"RUNNING"}, billed=job.micros):
            self.results.drop(job.job)  # it was cancelled meanwhile

    def _told(self, job: Job, order: Order, position: int, claim: ResultEnvelope, queued: float) -> ResultEnvelope:
        return replace(
            claim,
            job=job.job,
            cost=self.prices.share(order, position) / MICROS,
            currency=self.prices.currency,
            correlation_id=order.correlation_id,
            timings=Timings(claim.timings.transpile, claim.timings.run, queued),
        )

    def _fail(self, job: Job, code: str, message: str) -> None:
        self.book.record(job.job, "FAILED", self.now(), after={"RUNNING"}, billed=0, code=code, message=message)


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, QuantumAssetsError) else f"{type(error).__name__}: {error}"
