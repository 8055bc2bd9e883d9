"""No orphans: a process that ends process groups when whoever holds its standard input is gone.

`quantum-assets ui` starts its servers in process groups of their own and ends them itself when it is stopped. If it is
killed outright, nobody would; so it also starts `python -m quantum_assets.cli.leash`, tells it every group on a pipe
(``hold 123``, ``release 123``), and the operating system closes that pipe whatever happens to the holder.

The worker processes of `quantum-assets run` end with it in the same way: each watches its parent.
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from multiprocessing.connection import wait


def end_groups(groups: Iterable[int], patience: float = 20.0, reap: Callable[[], object] = lambda: None) -> None:
    """Ask every process of these groups to end, wait, and kill those that have not.

    Args:
        groups: Process group ids.
        patience: Seconds between asking and killing.
        reap: Called while waiting, so that a parent can collect its dead: a zombie still counts as a member.
    """
    left = [group for group in groups if _signal(group, signal.SIGTERM)]
    deadline = time.monotonic() + patience
    while left and time.monotonic() < deadline:
        reap()
        left = [group for group in left if _signal(group, 0)]
        time.sleep(0.05)
    for group in left:
        _signal(group, signal.SIGKILL)
    reap()


def end_with_parent(patience: float = 20.0) -> None:
    """End this process when the one that started it by `multiprocessing` ends, however that does.

    Args:
        patience: Seconds between asking and ending: a run under way is told, and can still say that it was interrupted.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(patience)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def _signal(group: int, number: int) -> bool:
    """Whether the group still had a member that could be told."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


def main() -> None:
    """Follow the orders on standard input to its end, then end what is still held."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    held: set[int] = set()
    for line in sys.stdin:
        word, _, group = line.partition(" ")
        (held.add if word == "hold" else held.discard)(int(group))
    end_groups(held)


if __name__ == "__main__":
    main()
