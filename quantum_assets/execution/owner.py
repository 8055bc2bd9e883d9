"""Who is working on a ticket: a process, named so that another process can tell whether it is still alive.

A process id alone lies, for the system gives it again. With the moment at which the process started it does not. On
Linux that moment is counted in ticks since boot and goes with the boot's id: unlike a wall-clock time it stays the
same when the clock is set back.
"""

import os
import socket
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path


@dataclass(frozen=True)
class Owner:
    """A process on a machine.

    Attributes:
        host: Name of the machine.
        pid: Process id there.
        started: Moment at which the process started, as text that no other process of this pid has.
    """

    host: str
    pid: int
    started: str

    def __str__(self) -> str:
        return f"{self.host}/{self.pid}/{self.started}"

    @classmethod
    def current(cls) -> "Owner":
        """This process."""
        return _current(os.getpid())


def alive(text: str) -> bool | None:
    """Say whether the process that `str(owner)` names still runs.

    Args:
        text: What an `Owner` looks like as text; empty: nobody.

    Returns:
        False: it is gone, a zombie, or its pid has passed to another process; so is nobody. None: it ran on another
        machine, or may not be looked at: this one cannot tell.
    """
    if not text:
        return False
    host, pid, started = (["", "", *text.rsplit("/", 2)])[-3:]
    if host != socket.gethostname() or not pid.isdecimal():
        return None
    now = _started(int(pid))
    return None if now is None else bool(now) and now == started


@lru_cache(maxsize=1)  # a fork has another pid, and so another entry
def _current(pid: int) -> Owner:
    return Owner(socket.gethostname(), pid, _started(pid) or "")


def _started(pid: int) -> str | None:
    """When the process started; empty when it does not run any more, None when that cannot be seen."""
    if not _exists(pid):
        return ""
    return _started_by_proc(pid) if sys.platform == "linux" else _started_by_psutil(pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # sends nothing
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _started_by_proc(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None if _exists(pid) else ""  # hidden from this user, or just gone
    except PermissionError:
        return None
    fields = stat.rpartition(")")[2].split()  # the command's name, in brackets, may hold blanks and brackets
    state, ticks = fields[0], fields[19]
    return "" if state in "ZX" else f"{ticks}-{_boot()}"


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()[:8]


def _started_by_psutil(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.NoSuchProcess:
        return ""
    except psutil.AccessDenied:
        return None
