"""The courier: a process of its own that imports MLflow once, drains the outbox, lingers, and ends by itself.

`import mlflow` takes seconds, more than an asset step may spend on tracking, so the step writes to the outbox and this
process does the rest. One courier runs an outbox: it holds ``courier.lock``. It is started by `dispatch.launch` as
``python -m quantum_assets.tracking.courier``, leaves its parent's session and so survives it. POSIX only; elsewhere
records wait for `quantum-assets sync`.
"""

import json
import logging
import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from quantum_assets.contracts.errors import TrackingError
from quantum_assets.tracking.clock import REAL_CLOCK, Clock
from quantum_assets.tracking.delivery import Door
from quantum_assets.tracking.dispatch import LINGER, ORDER, Order, State, announce, is_wanted
from quantum_assets.tracking.outbox import Entry, Outbox
from quantum_assets.tracking.sync import Deliver, SyncReport, drain

LOCK_PATIENCE = 1.0
_LOG = logging.getLogger("quantum_assets.courier")


@dataclass(frozen=True)
class Courier:
    """The loop of the courier, apart from the process that it runs in.

    Attributes:
        outbox: What it drains.
        deliver: Brings one record to MLflow.
        wanted: Asked between rounds; the courier ends when the answer is no.
        announce: Told the state, and the reason while MLflow does not answer.
        linger: Seconds without a delivery after which it ends.
        clock: For the waiting.
        poll: Seconds between looks at the outbox.
        longest_pause: Longest wait, in seconds, before MLflow or a record that failed is tried again.
    """

    outbox: Outbox
    deliver: Deliver
    wanted: Callable[[], bool]
    announce: Callable[[State, str], None]
    linger: float = LINGER
    clock: Clock = REAL_CLOCK
    poll: float = 0.1
    longest_pause: float = 8.0

    def serve(self) -> frozenset[str]:
        """Drain until it is time to end; returns the hashes of the records that were tried and still wait."""
        end = self.clock.monotonic() + self.linger
        rests: dict[str, float] = {}
        pause, hold = 0.0, 0.0
        while self.wanted() and (now := self.clock.monotonic()) < end:
            due = self._due(now, rests) if now >= hold else []
            if due:
                report = drain(self.outbox, self.deliver, due)
                now = self.clock.monotonic()
                pause = min(self.longest_pause, max(1.0, 2 * pause)) if report.unreachable else 0.0
                hold, end = now + pause, now + self.linger if report.delivered else end
                rests = self._rests(now, rests, {entry.hash for entry in due})
                self._tell(report)
            self.clock.sleep(self.poll)
        return frozenset(rests)

    def _due(self, now: float, rests: dict[str, float]) -> list[Entry]:
        if not self.outbox.count():  # the cheap question first: it is asked ten times a second
            return []
        return [entry for entry in self.outbox.pending() if rests.get(entry.hash, 0.0) <= now]

    def _rests(self, now: float, before: dict[str, float], tried: set[str]) -> dict[str, float]:
        """When each record that still waits is tried again: later with every failure, so that it holds up no other."""
        rests = {}
        for entry in self.outbox.pending():
            if entry.hash in tried:
                rests[entry.hash] = now + min(self.longest_pause, 2.0 ** min(entry.attempts, 10))
            elif entry.hash in before:
                rests[entry.hash] = before[entry.hash]
        return rests

    def _tell(self, report: SyncReport) -> None:
        if report.unreachable:
            self.announce("down", report.unreachable)
        else:
            self.announce("ready", "")
        if report.delivered:
            _LOG.info("delivered %d", report.delivered)


def main() -> None:
    """Run the courier of the order in the environment; the process that was started ends at once, its child stays."""
    order = Order(**json.loads(os.environ.pop(ORDER)))
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        os.read(reader, 1)  # ends when the child closes its end: it holds the lock, or another courier does
        os._exit(0)
    os.close(reader)
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s {os.getpid()} %(levelname)s %(message)s")
    lock = FileLock(order.lock)
    try:
        lock.acquire(timeout=LOCK_PATIENCE)
    except Timeout:
        return
    announce(order, "starting", "")
    os.close(writer)
    _run(order, lock)


def _run(order: Order, lock: FileLock) -> None:
    """Serve until there is nothing to do; look once more after the lock is given back, for whoever saw it held."""
    outbox, door = Outbox(order.root), Door(Path(order.home), order.tracking_uri)
    _open(door, order)
    outbox.sweep()
    courier = Courier(outbox, door.deliver, partial(is_wanted, order), partial(announce, order), order.linger)
    while True:
        tried = courier.serve()
        lock.release()
        if not is_wanted(order) or {entry.hash for entry in outbox.pending()} <= tried:
            break
        try:
            lock.acquire(timeout=0)
        except Timeout:
            break
    _LOG.info("ending; peak memory %d MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def _open(door: Door, order: Order) -> None:
    """Import MLflow before the first record needs it."""
    started = time.monotonic()
    try:
        door.open()
    except TrackingError as error:
        _LOG.warning("%s", error)
        announce(order, "down", str(error))
    else:
        announce(order, "ready", "")
        _LOG.info("MLflow is open after %.1f s", time.monotonic() - started)


if __name__ == "__main__":
    main()
