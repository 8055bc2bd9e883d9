"""Answers by what was asked and what answered it: the same question under the same calibration is not run twice.

The key holds everything that may change an answer, so that nothing ever has to be declared out of date: after a
recalibration or an upgrade the key is another one, and the old entry is the first to go when room is needed.

An answer from here says so: `cache_hit` is true and `cost` is 0, for nothing was run and nothing is charged now. What
tells how it was made stays as it was: effective profile, timings, calibration, job, attempts and correlation id of the
run that made it. One more attempt, with outcome ``cached``, names that correlation id and its cost, because whoever
asks stamps the envelope with an id of his own.
"""

import dataclasses
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from quantum_assets.contracts.envelope import Attempt, ResultEnvelope
from quantum_assets.contracts.errors import PlanError, StoreError
from quantum_assets.contracts.fingerprint import fingerprint
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.wire import pack_envelope, unpack_envelope
from quantum_assets.execution.shelf import Shelf

_LOCK_SECONDS = 10.0
_ABANDONED_NS = 24 * 3600 * 10**9
_LOG = logging.getLogger(__name__)


def cache_key(
    workload_fingerprint: str,
    profile: ExecutionProfile,
    *,
    provider: str,
    versions: Mapping[str, str],
    calibration_digest: str | None,
    replicate: int,
) -> str:
    """Where an answer is kept.

    To look one up, give the calibration and versions in force now; to keep one, give those that its envelope names, for
    a backend may be recalibrated while a job waits.

    Args:
        workload_fingerprint: `Workload.fingerprint`; a register's name is no part of it.
        profile: How it ran: transpilation, seed, shots, noise and backend are in its fingerprint.
        provider: Who ran it.
        versions: SDK name to version.
        calibration_digest: Of the backend; None for simulators without one.
        replicate: Which independent repetition; samples of one are no samples of another.

    Returns:
        64 hexadecimal characters.
    """
    return fingerprint(
        "cache/v1",
        workload_fingerprint,
        profile.fingerprint,
        provider,
        dict(versions),
        calibration_digest,
        replicate,
    )


def refusal(envelope: ResultEnvelope, profile: ExecutionProfile) -> str:
    """Why an envelope must not be kept for others; empty when it may be."""
    if envelope.mocked:
        return "its outcomes are made up"
    if envelope.cache_hit:
        return "it came from a cache"
    if envelope.profile_fingerprint != profile.fingerprint:
        return "it was given another profile"
    if differences := envelope.effective.differences(profile):
        return f"it did not run as asked: {differences[0]}"
    if not np.isfinite(envelope.data.outcomes).all():
        return "its outcomes hold NaN or infinite numbers"
    return ""


@dataclass(frozen=True)
class CacheStats:
    """How full a cache is: entries, their bytes, the bound, and how many entries were set aside as corrupt."""

    entries: int
    bytes: int
    max_bytes: int
    quarantined: int


@dataclass(frozen=True)
class Cache:
    """Envelopes in one folder, bounded in size; the longest unused go first. The constructor touches no disk.

    Attributes:
        root: The folder.
        max_bytes: Bound on all entries together. Processes that write at the same time may each pass it by one
            thirty-second until they look again.
        max_entry_bytes: A larger answer is not kept.
        now_ns: Wall clock in nanoseconds, to tell the leftovers of killed processes.
    """

    root: Path
    max_bytes: int = 2_000_000_000
    max_entry_bytes: int = 256_000_000
    now_ns: Callable[[], int] = time.time_ns
    _unlisted: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.max_bytes < 1 or self.max_entry_bytes < 1:
            raise PlanError(f"cache {self.root}", "is bounded to nothing", "Give max_bytes and max_entry_bytes over 0")
        self._unlisted.append(self.max_bytes)  # the first put of a process looks

    def get(self, key: str) -> ResultEnvelope | None:
        """The answer of a key, marked as a cache hit; None when it is not known, or its entry was corrupt.

        A disk that cannot be read is logged and counts as not knowing.
        """
        try:
            kept = self._shelf.read(key, unpack_envelope).value
        except StoreError as error:
            _LOG.warning("%s", error)
            return None
        if kept is None:
            return None
        return dataclasses.replace(kept, cache_hit=True, cost=0.0, attempts=(*kept.attempts, _cached(kept)))

    def has(self, key: str) -> bool:
        """Whether an entry stands under the key now; it may be gone, or found damaged, a moment later."""
        return self._shelf.has(key)

    def put(self, key: str, envelope: ResultEnvelope, profile: ExecutionProfile) -> bool:
        """Keep an answer that may serve others, and make room for it.

        Args:
            key: `cache_key` of what the envelope says it ran.
            envelope: An answer that was judged and accepted.
            profile: The profile it answers.

        Returns:
            Whether it was kept: not if there is a `refusal`, it is too large, or the disk refuses (which is logged, for
            an answer must not be lost because it cannot be remembered).
        """
        if refusal(envelope, profile):
            return False
        content = pack_envelope(envelope)
        if len(content) > min(self.max_entry_bytes, self.max_bytes):
            return False
        try:
            self._shelf.put(key, content, durable=False)
            self._unlisted.append(len(content))
            if sum(self._unlisted) > self.max_bytes // 32:  # listing a full folder costs more than a put
                self._make_room()
        except (StoreError, OSError) as error:
            _LOG.warning("%s", error)
            return False
        return True

    def stats(self) -> CacheStats:
        """How full it is."""
        entries = self._shelf.entries()
        return CacheStats(
            len(entries), sum(entry.size for entry in entries), self.max_bytes, len(self._shelf.quarantined())
        )

    def clear(self) -> int:
        """Remove every entry and everything that was set aside.

        Returns:
            How many entries there were.
        """
        for path in self._shelf.quarantined():
            path.unlink(missing_ok=True)
        return sum(self._shelf.drop(entry.key) for entry in self._shelf.entries())

    @property
    def _shelf(self) -> Shelf:
        return Shelf(self.root)

    def _make_room(self) -> None:
        """Remove what was longest unused until the bound holds with a tenth to spare; one process at a time."""
        self._unlisted.clear()
        try:
            with FileLock(self.root / "evict.lock", timeout=_LOCK_SECONDS):
                self._evict()
        except Timeout:
            _LOG.warning("cache %s: another process is still making room", self.root)

    def _evict(self) -> None:
        entries = self._shelf.entries()
        surplus = sum(entry.size for entry in entries) - self.max_bytes
        if surplus <= 0:
            return
        for path in self._shelf.quarantined():
            path.unlink(missing_ok=True)
        self._shelf.tidy(self.now_ns() - _ABANDONED_NS)
        surplus += self.max_bytes // 10
        for entry in entries:
            if surplus <= 0:
                return
            self._shelf.drop(entry.key)
            surplus -= entry.size


def _cached(kept: ResultEnvelope) -> Attempt:
    """The line that tells of a hit, and of the run behind it."""
    job = f", job {kept.job}" if kept.job else ""
    return Attempt(
        number=len(kept.attempts) + 1,
        provider=kept.effective.provider,
        backend=kept.effective.backend or "",
        outcome="cached",
        reason=f"nothing was run: answered before under correlation id {kept.correlation_id or 'none'}{job}, "
        f"cost {kept.cost:g} {kept.currency}",
    )
