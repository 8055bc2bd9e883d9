"""Children that share this process's imports: forked, so that MLflow is not imported again in each of them."""

import multiprocessing
import os
import traceback
from collections.abc import Callable

_FORK = multiprocessing.get_context("fork")


class Gate:
    """Holds each of so many processes the first time it comes by, until all of them have come."""

    def __init__(self, processes: int) -> None:
        self.barrier = _FORK.Barrier(processes, timeout=60)
        self.passed = False

    def pass_once(self) -> None:
        if not self.passed:
            self.passed = True
            self.barrier.wait()


def in_child(work: Callable[[], object]) -> int:
    """Run in a child; its exit code, negative for the signal that ended it."""
    return in_children([work])[0]


def in_children(works: list[Callable[[], object]]) -> list[int]:
    """Run each in a child of its own, all started together; their exit codes."""
    start = Gate(len(works))
    pids = [_fork(work, start) for work in works]
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def _fork(work: Callable[[], object], start: Gate) -> int:
    """Fork without the clean-up of this process at the child's end: pytest and coverage belong to the parent."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        start.pass_once()
        work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
