"""Draining the outbox: each waiting record is tried once, and what went wrong with which is reported.

`sync` is the whole job in this process, for the command line; `drain` is the loop that the courier shares with it. Two
drains at once divide the records between them: each record is claimed before it is delivered.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from quantum_assets.contracts.errors import TrackingError
from quantum_assets.contracts.record import RunRecord
from quantum_assets.tracking.clock import REAL_CLOCK, Clock
from quantum_assets.tracking.database import Unreachable
from quantum_assets.tracking.delivery import Door
from quantum_assets.tracking.outbox import Delivered, Entry, Outbox
from quantum_assets.tracking.parcel import CorruptParcel

Deliver = Callable[[RunRecord], Delivered]
Progress = Callable[[int, int], None]
GIVE_UP_AFTER = 2
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """One record that was tried and not delivered, and why; `key` is its file name where it could not be read."""

    key: str
    reason: str


@dataclass(frozen=True)
class SyncReport:
    """What a drain did.

    Attributes:
        delivered: Records that this drain delivered.
        pending: Records that wait now, those that failed included.
        failed: Records tried without success; a damaged one is in quarantine, the others wait.
        busy: Records that another process was delivering.
        unreachable: Why MLflow did not answer, where the last record failed for it.
    """

    delivered: int = 0
    pending: int = 0
    failed: tuple[Failure, ...] = ()
    busy: tuple[Entry, ...] = ()
    unreachable: str | None = None


@dataclass(frozen=True)
class _Outcome:
    word: Literal["delivered", "busy", "gone", "damaged", "failed", "unreachable"]
    failure: Failure | None = None


def sync(
    home: Path,
    tracking_uri: str,
    on_progress: Progress | None = None,
    patience: float = 30.0,
    clock: Clock = REAL_CLOCK,
) -> SyncReport:
    """Deliver every waiting record of a home in this process; MLflow is imported only if there is one.

    Args:
        home: The home whose outbox is drained.
        tracking_uri: Where to.
        on_progress: Called with the number of records done and found, before the first and after each.
        patience: Seconds to go on asking for records that another process, such as the courier, holds.
        clock: For the waiting.

    Returns:
        The report; MLflow's failures are in it and not raised.
    """
    outbox, door = Outbox(home / "outbox"), Door(home, tracking_uri)
    outbox.sweep()
    report = drain(outbox, door.deliver, outbox.pending(), on_progress)
    end = clock.monotonic() + patience
    while report.busy and not report.unreachable and clock.monotonic() < end:
        clock.sleep(0.2)
        again = drain(outbox, door.deliver, report.busy)
        total = report.delivered + again.delivered
        report = SyncReport(total, again.pending, report.failed + again.failed, again.busy, again.unreachable)
    return report


def receipt(home: Path, key: str) -> Delivered | None:
    """Where the record of a key went; None while it waits or is unknown."""
    return Outbox(home / "outbox").receipt(key)


def pending_count(home: Path) -> int:
    """How many records wait in the outbox of a home."""
    return Outbox(home / "outbox").count()


def drain(
    outbox: Outbox, deliver: Deliver, entries: Sequence[Entry], on_progress: Progress | None = None
) -> SyncReport:
    """Try each entry once, in order; stop after two in a row to which MLflow did not answer.

    Args:
        outbox: Whose they are.
        deliver: Brings one record to MLflow; must be safe to repeat.
        entries: From `Outbox.pending`.
        on_progress: See `sync`.
    """
    outcomes: list[_Outcome] = []
    busy: list[Entry] = []
    _tell(on_progress, 0, len(entries))
    for done, entry in enumerate(entries, start=1):
        outcomes.append(_attempt(outbox, deliver, entry))
        if outcomes[-1].word == "busy":
            busy.append(entry)
        _tell(on_progress, done, len(entries))
        if [outcome.word for outcome in outcomes[-GIVE_UP_AFTER:]] == ["unreachable"] * GIVE_UP_AFTER:
            break
    failed = tuple(outcome.failure for outcome in outcomes if outcome.failure)
    silent = bool(outcomes) and outcomes[-1].word == "unreachable"
    delivered = sum(outcome.word == "delivered" for outcome in outcomes)
    return SyncReport(delivered, outbox.count(), failed, tuple(busy), failed[-1].reason if silent else None)


def _tell(on_progress: Progress | None, done: int, found: int) -> None:
    if on_progress:
        on_progress(done, found)


def _attempt(outbox: Outbox, deliver: Deliver, entry: Entry) -> _Outcome:
    """Deliver one entry under its claim; whatever goes wrong leaves it waiting, or whole in quarantine."""
    try:
        with outbox.claim(entry) as claim:
            return _deliver_claimed(outbox, deliver, entry) if claim == "mine" else _Outcome(claim)
    except OSError as error:  # the outbox's own disk
        return _Outcome("failed", Failure(entry.name, f"the outbox cannot be used: {error}"))


def _deliver_claimed(outbox: Outbox, deliver: Deliver, entry: Entry) -> _Outcome:
    key = entry.name
    try:
        record = outbox.read(entry)
        key = record.key
        outbox.settle(entry, deliver(record))
    except CorruptParcel as error:
        kept = outbox.quarantine(entry, str(error))
        return _Outcome("damaged", Failure(key, f"{error} It is kept as quarantine/{kept.name}."))
    except (TrackingError, OSError) as error:
        outbox.note_failure(entry, str(error))
        return _Outcome("unreachable" if isinstance(error, Unreachable) else "failed", Failure(key, str(error)))
    except Exception as error:  # noqa: BLE001  one record of an unforeseen kind must not hold up all others
        _LOG.warning("delivery of %s failed", key, exc_info=True)
        outbox.note_failure(entry, repr(error))
        return _Outcome("failed", Failure(key, repr(error)))
    return _Outcome("delivered")
