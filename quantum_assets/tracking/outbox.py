"""The durable outbox: a record is on disk before anybody is told that it is kept, and leaves only with a receipt.

Layout under `<home>/outbox`, every file written aside, synced and renamed::

    pending/<nanoseconds>-<hash of the key>.zip   records that wait, oldest first
    receipts/<hash of the key>.json               where a delivered record went
    trouble/<hash of the key>.json                how often delivery failed and why, while it waits
    quarantine/                                   records that cannot be read, each beside its reason
    claims/, aside/                               locks, and files being written

Many processes may put and claim at once. A claim is an operating-system lock, so a process that dies gives it back. A
key is kept once: a second record of a key that waits or was delivered is not written.
"""

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from quantum_assets.contracts.record import RunRecord
from quantum_assets.tracking.parcel import CorruptParcel, key_hash, read_parcel, write_parcel

Claim = Literal["mine", "busy", "gone"]
_NAME = re.compile(r"(?P<name>\d{20}-[0-9a-f]{32})\.zip")


@dataclass(frozen=True)
class Delivered:
    """A receipt: the key and the MLflow run that holds its record."""

    key: str
    run_id: str
    experiment_id: str


@dataclass(frozen=True)
class Entry:
    """One waiting record; `name` sorts by age, `attempts` counts failed deliveries and `problem` is the last reason."""

    name: str
    hash: str
    attempts: int = 0
    problem: str = ""


def _unobserved(step: str) -> None:
    """Watch nothing; the default of `Outbox.on_step`."""


@dataclass(frozen=True)
class Outbox:
    """The outbox of one home; the constructor touches no disk.

    Attributes:
        root: `<home>/outbox`.
        now_ns: Wall clock in nanoseconds, for the order of records only.
        on_step: Called with the name of each write step after it is done, so that a test can end the process there.
    """

    root: Path
    now_ns: Callable[[], int] = time.time_ns
    on_step: Callable[[str], None] = _unobserved

    def put(self, record: RunRecord) -> bool:
        """Keep a record durably.

        Returns:
            True where it was written; False where its key waits already or was delivered, and nothing was written.

        Raises:
            OSError: When the disk refuses; nothing is left behind.
            TypeError, ValueError: For a record that cannot be written as JSON and bytes.
        """
        digest = key_hash(record.key)
        waiting = self._names()
        if self.receipt(record.key) is not None or any(_hash_of(name) == digest for name in waiting):
            return False
        newest = int(waiting[-1].split("-")[0]) if waiting else 0
        name = f"{max(self.now_ns(), newest + 1):020d}-{digest}"
        self._write(self._folder("pending") / f"{name}.zip", lambda file: write_parcel(record, file))
        return True

    def pending(self) -> tuple[Entry, ...]:
        """The waiting records: those that failed least first, so that a hopeless one delays nobody; then by age."""
        entries = []
        for name in self._names():
            digest = _hash_of(name)
            note = self._note(digest)
            entries.append(Entry(name, digest, int(note.get("attempts", 0)), str(note.get("problem", ""))))
        return tuple(sorted(entries, key=lambda entry: (entry.attempts, entry.name)))

    def count(self) -> int:
        """How many records wait."""
        return len(self._names())

    def receipt(self, key: str) -> Delivered | None:
        """Where the record of a key went; None while it waits or is unknown."""
        return self._receipt(key_hash(key))

    def problem(self, key: str) -> str:
        """Why the last attempt to deliver the record of a key failed; empty if none did."""
        return str(self._note(key_hash(key)).get("problem", ""))

    @contextlib.contextmanager
    def claim(self, entry: Entry) -> Iterator[Claim]:
        """Hold an entry against every other process: `mine`; `busy` if another holds it; `gone` if it was delivered."""
        lock = FileLock(self._folder("claims") / f"{entry.hash}.lock", timeout=0)
        try:
            lock.acquire()
        except Timeout:
            yield "busy"
            return
        try:
            settled = self._receipt(entry.hash)
            if settled is not None:
                self._remove(entry)  # a process died between its receipt and this step
            yield "mine" if settled is None and self._path(entry).exists() else "gone"
        finally:
            lock.release()

    def read(self, entry: Entry) -> RunRecord:
        """The record of an entry that is held.

        Raises:
            CorruptParcel: If its bytes are damaged or belong to another key.
            TrackingError: If a newer release wrote it.
            OSError: If the disk refuses.
        """
        with self._path(entry).open("rb") as file:
            record = read_parcel(file, f"outbox/pending/{entry.name}.zip")
        if key_hash(record.key) != entry.hash:
            raise CorruptParcel(f"outbox/pending/{entry.name}.zip", "holds another key", "Look at it in quarantine")
        return record

    def settle(self, entry: Entry, delivered: Delivered) -> None:
        """Write the receipt, then let the record go; a crash between the two is mended by the next claim."""
        content = {"key": delivered.key, "run_id": delivered.run_id, "experiment_id": delivered.experiment_id}
        self._write_json(self._folder("receipts") / f"{entry.hash}.json", content)
        self._remove(entry)
        self.on_step("record removed")

    def note_failure(self, entry: Entry, problem: str) -> None:
        """Remember that a delivery failed and why; the record goes on waiting."""
        content = {"attempts": entry.attempts + 1, "problem": problem}
        self._write_json(self._folder("trouble") / f"{entry.hash}.json", content)

    def quarantine(self, entry: Entry, reason: str) -> Path:
        """Move a record that cannot be read out of the way, whole, the reason beside it; returns where it is."""
        kept = self._folder("quarantine") / f"{entry.name}.zip"
        self._write_json(kept.with_suffix(".reason.json"), {"entry": entry.name, "reason": reason})
        self._path(entry).replace(kept)
        self._forget(entry)
        return kept

    def sweep(self, older_than: float = 86_400.0) -> int:
        """Remove files that dead processes left half-written more than `older_than` seconds ago; returns how many."""
        stale = [path for path in self._folder("aside").iterdir() if self._age(path) > older_than]
        for path in stale:
            path.unlink(missing_ok=True)
        return len(stale)

    def _note(self, digest: str) -> dict[str, Any]:
        return _read_json(self.root / "trouble" / f"{digest}.json") or {}

    def _age(self, path: Path) -> float:
        with contextlib.suppress(FileNotFoundError):
            return self.now_ns() / 1e9 - path.stat().st_mtime
        return 0.0

    def _names(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            found = (_NAME.fullmatch(path.name) for path in (self.root / "pending").iterdir())
            return sorted(match["name"] for match in found if match)
        return []

    def _path(self, entry: Entry) -> Path:
        return self.root / "pending" / f"{entry.name}.zip"

    def _receipt(self, digest: str) -> Delivered | None:
        content = _read_json(self.root / "receipts" / f"{digest}.json")
        return None if content is None else Delivered(content["key"], content["run_id"], content["experiment_id"])

    def _remove(self, entry: Entry) -> None:
        for name in self._names():
            if _hash_of(name) == entry.hash:  # two processes may have put one key in the same instant
                (self.root / "pending" / f"{name}.zip").unlink(missing_ok=True)
        self._forget(entry)

    def _forget(self, entry: Entry) -> None:
        (self.root / "trouble" / f"{entry.hash}.json").unlink(missing_ok=True)
        (self.root / "claims" / f"{entry.hash}.lock").unlink(missing_ok=True)

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        if not folder.is_dir():
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            _sync_folder(self.root)
        return folder

    def _write_json(self, target: Path, content: dict[str, Any]) -> None:
        self._write(target, lambda file: file.write(json.dumps(content).encode()))

    def _write(self, target: Path, fill: Callable[[Any], object]) -> None:
        aside = self._folder("aside") / f"{os.getpid()}-{time.monotonic_ns()}-{target.name}"
        try:
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                fill(file)
                self.on_step("written aside")
                file.flush()
                os.fsync(file.fileno())
            self.on_step("synced")
            aside.replace(target)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        self.on_step("renamed")
        _sync_folder(target.parent)
        self.on_step("folder synced")


def _hash_of(name: str) -> str:
    return name.split("-", 1)[-1]


def _read_json(path: Path) -> dict[str, Any] | None:
    """Read a small file of ours; None where it is missing or damaged, for what it says can be found out again."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        content = json.loads(path.read_bytes())
        return content if isinstance(content, dict) else None
    return None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
