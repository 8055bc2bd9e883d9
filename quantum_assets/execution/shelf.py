"""Frames of `contracts.wire` on disk by key: the spool of submitted workloads, the answers that wait, the cache.

Layout under the root::

    ab/abcdef….frame      one entry; its first two characters are its folder
    ab/.temp-….tmp        an entry being written; a killed process leaves it behind
    quarantine/           entries that failed their checksum

Any number of processes may put, get and drop at once. An entry is written aside and renamed, so that a reader finds the
whole of it or nothing. The time of its last use is the file's own time of change.
"""

import contextlib
import errno
import logging
import os
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from quantum_assets.contracts.errors import PlanError, StoreError
from quantum_assets.contracts.frame import verify

_KEY = re.compile(r"[0-9a-f]{8,128}")
_SUFFIX = ".frame"
_TEMP_PREFIX, _TEMP_SUFFIX = ".temp-", ".tmp"
_QUARANTINE = "quarantine"
_LOG = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """One entry: its key, its size in bytes, and when it was last used (nanoseconds since 1970)."""

    key: str
    size: int
    used_ns: int


@dataclass(frozen=True)
class Found(Generic[T]):
    """What `Shelf.read` found: a value, or None; `warning` says what was wrong with an entry that was set aside."""

    value: T | None
    warning: str = ""


@dataclass(frozen=True)
class Shelf:
    """Entries below one folder; the constructor touches no disk.

    Attributes:
        root: The folder; made by the first `put`.
    """

    root: Path

    def put(self, key: str, content: bytes, *, durable: bool = True) -> None:
        """Keep a frame; an entry of that key is replaced as a whole.

        Args:
            key: 8 to 128 characters of ``[0-9a-f]``.
            content: What `contracts.wire` packed.
            durable: Whether it must survive a loss of power, not only the end of this process.

        Raises:
            PlanError: For a key that is none.
            StoreError: When the disk refuses; an entry that was there stands.
        """
        path = self._path(key)
        temp = path.parent / f"{_TEMP_PREFIX}{uuid.uuid4().hex}{_TEMP_SUFFIX}"
        with _disk_errors(path):
            _make_directory(path.parent, durable)
            try:
                _write(temp, content, durable)
                temp.replace(path)
            finally:
                temp.unlink(missing_ok=True)
            if durable:
                _sync(path.parent)

    def get(self, key: str) -> bytes | None:
        """The frame of a key after its checksum was verified; None when it is absent or was set aside as corrupt.

        Raises:
            StoreError: When the disk does not let it be read.
        """
        return self.read(key, _whole).value

    def read(self, key: str, unpack: Callable[[bytes], T]) -> Found[T]:
        """Unpack the frame of a key.

        An entry that `unpack` refuses with a `PlanError` moves to ``quarantine/``, is logged, and counts as absent.

        Args:
            key: Its key.
            unpack: Reads the bytes and checks them, as the functions of `contracts.wire` do.

        Raises:
            StoreError: When the disk does not let it be read.
        """
        path = self._path(key)
        with _disk_errors(path), contextlib.ExitStack() as opened:
            try:
                file = opened.enter_context(path.open("rb"))
            except FileNotFoundError:
                return Found(None)
            try:
                value = unpack(file.read())
            except PlanError as damage:
                # the open file keeps its inode from being given to another, so that the right one is moved
                self._set_aside(path, os.fstat(file.fileno()))
                warning = f"{path.name} was corrupt and is set aside: {damage.problem}"
                _LOG.warning("%s", warning)
                return Found(None, warning)
        with contextlib.suppress(OSError):  # gone since, or a read-only disk: only the time of use is lost
            os.utime(path)
        return Found(value)

    def has(self, key: str) -> bool:
        """Whether there is an entry of that key, sound or not."""
        return self._path(key).is_file()

    def drop(self, key: str) -> bool:
        """Remove an entry.

        Returns:
            Whether there was one.
        """
        return _unlinked(self._path(key))

    def entries(self) -> tuple[Entry, ...]:
        """Every entry, the longest unused first."""
        found = []
        for file in self._files(lambda name: name.endswith(_SUFFIX)):
            with contextlib.suppress(FileNotFoundError):
                told = file.stat()
                found.append(Entry(file.name.removesuffix(_SUFFIX), told.st_size, told.st_mtime_ns))
        return tuple(sorted(found, key=lambda entry: (entry.used_ns, entry.key)))

    def quarantined(self) -> tuple[Path, ...]:
        """Entries that were set aside, by name."""
        return tuple(sorted((self.root / _QUARANTINE).glob(f"*{_SUFFIX}*")))

    def tidy(self, before_ns: int) -> int:
        """Remove temporary files last written before a moment (nanoseconds since 1970): their writers were killed.

        Returns:
            How many there were.
        """
        old = []
        for file in self._files(lambda name: name.startswith(_TEMP_PREFIX) and name.endswith(_TEMP_SUFFIX)):
            with contextlib.suppress(FileNotFoundError):
                if file.stat().st_mtime_ns < before_ns:
                    old.append(Path(file.path))
        return sum(map(_unlinked, old))

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise PlanError(f"key {key[:140]!r}", "is not 8 to 128 characters of 0-9 and a-f", "Give a fingerprint")
        return self.root / key[:2] / f"{key}{_SUFFIX}"

    def _files(self, wanted: Callable[[str], bool]) -> Iterator["os.DirEntry[str]"]:
        if not self.root.is_dir():
            return
        folders = sorted(entry.path for entry in os.scandir(self.root) if len(entry.name) == 2 and entry.is_dir())
        for folder in folders:
            with os.scandir(folder) as files:
                yield from (file for file in files if wanted(file.name))

    def _set_aside(self, path: Path, read: os.stat_result) -> None:
        """Move the file that was read, and not a sound one that took its name meanwhile."""
        place = self.root / _QUARANTINE / f"{path.name}.{uuid.uuid4().hex[:8]}"
        _make_directory(place.parent, durable=False)
        with contextlib.suppress(FileNotFoundError):  # another reader was first
            if not os.path.samestat(path.stat(), read):
                return
            path.rename(place)
            if not os.path.samestat(place.stat(), read):
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(place)
                place.unlink()


def _whole(content: bytes) -> bytes:
    verify(content)
    return content


def _write(path: Path, content: bytes, durable: bool) -> None:
    with path.open("xb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _make_directory(path: Path, durable: bool) -> None:
    """Create a folder and its parents, and, where it must last, bring their entries to the disk."""
    if path.is_dir():
        return
    _make_directory(path.parent, durable)
    path.mkdir(exist_ok=True)
    if durable:
        _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unlinked(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    return True


@contextlib.contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says into one `StoreError`."""
    try:
        yield
    except OSError as error:
        code = error.errno or 0
        raise StoreError(
            str(path),
            f"the disk refused it ({errno.errorcode.get(code, code)}: {os.strerror(code) if code else error})",
            "Free disk space, or give this user access to the folder",
        ) from error
