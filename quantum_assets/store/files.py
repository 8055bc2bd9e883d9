"""Durable file operations: temporary files, fsync, put-if-absent, links, and the names of the steps between them.

Nothing here knows what the bytes mean. Every write goes to a temporary file first; the final name appears by one atomic
call, after the bytes have reached the disk. A `StepHook` is called after each named step of a commit, so that tests can
stop a writer exactly there; production passes `no_op`.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from quantum_assets.contracts.errors import QuantumAssetsError, StoreError

StepHook = Callable[[str], None]
Link = Callable[[Path, Path], None]

STEPS = (
    "object-band-written",
    "object-temp-written",
    "object-synced",
    "object-verified",
    "object-published",
    "commit-temp-written",
    "commit-synced",
    "commit-written",
    "current-temp-linked",
    "current-linked",
)
"""The steps of a commit that stores a new version, in order; the first happens once a row band."""

_TEMP_PREFIX, _TEMP_SUFFIX = ".temp-", ".tmp"
_NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})
_MENDS = {
    errno.ENOSPC: "Free disk space",
    errno.EDQUOT: "Free disk space or raise the quota",
    errno.EFBIG: "Raise the file size limit of this process",
    errno.EROFS: "Mount the store writable",
    errno.EACCES: "Give this user write access to the store",
    errno.EIO: "Check the disk",
}


def no_op(step: str) -> None:
    """The hook of production: nothing happens between two steps."""
    del step


@contextmanager
def temp_file(directory: Path) -> Iterator[Path]:
    """A fresh name for a temporary file in `directory`; whatever is left under it afterwards is removed.

    The name is hidden and ends in ``.tmp``, so that no reader of tables takes it for one. A killed process leaves it
    behind; `maintenance` finds it.
    """
    temp = directory / f"{_TEMP_PREFIX}{uuid.uuid4().hex}{_TEMP_SUFFIX}"
    try:
        yield temp
    finally:
        temp.unlink(missing_ok=True)


def is_temp(path: Path) -> bool:
    """Whether `temp_file` made this name."""
    return path.name.startswith(_TEMP_PREFIX) and path.name.endswith(_TEMP_SUFFIX)


def sync(path: Path) -> None:
    """Bring a file's bytes, or a directory's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(path: Path) -> None:
    """Create a directory and its parents durably; one that exists is left alone."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a new file, without syncing it; the name must not exist."""
    with path.open("xb") as file:
        file.write(content)


def put_if_absent(temp: Path, final: Path, link: Link) -> None:
    """Give a finished temporary file its final name, unless that name exists.

    Where the file system has no hard links the name is claimed by a check and a rename, which is safe only because
    every caller holds the partition's lock.

    Raises:
        FileExistsError: When somebody else put it first.
    """
    try:
        link(temp, final)
    except OSError as error:
        if isinstance(error, FileExistsError) or error.errno not in _NO_LINKS:
            raise
        if final.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(final)) from error
        temp.rename(final)
    sync(final.parent)


def link_or_copy(source: Path, target: Path, link: Link) -> None:
    """Make `target` the same file as `source`, or a durable copy where the file system has no hard links."""
    try:
        link(source, target)
    except OSError as error:
        if isinstance(error, FileExistsError) or error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)
        sync(target)


@contextmanager
def disk_errors(culprit: str) -> Iterator[None]:
    """Turn what the operating system says while writing into one `StoreError` that names the culprit and the mend."""
    try:
        yield
    except QuantumAssetsError:
        raise
    except OSError as error:
        code = error.errno
        said = f"{errno.errorcode.get(code, code)}: {os.strerror(code)}" if code else str(error)
        mend = _MENDS.get(code or 0, "Look at the message of the operating system")
        raise StoreError(
            culprit, f"could not be written ({said})", f"{mend} and materialise again; the previous version stands"
        ) from error
