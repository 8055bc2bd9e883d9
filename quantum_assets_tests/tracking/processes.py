"""Children that share this process's imports: forked, so that MLflow is not imported again in each of them."""

import multiprocessing
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
    gate = _FORK.Barrier(len(works))

    def enter(work: Callable[[], object]) -> None:
        gate.wait()
        work()

    children = [_FORK.Process(target=enter, args=(work,)) for work in works]
    for child in children:
        child.start()
    for child in children:
        child.join()
    codes = [child.exitcode for child in children]
    for child in children:
        child.close()
    assert all(code is not None for code in codes)
    return [int(code) for code in codes if code is not None]
