"""Processes that do nothing but live until they are killed: whoever a test's control plane says that it is.

`execution.owner.alive` looks at the system, so the owner of a simulated process must be a real one. One child of the
test process makes the others by forking, which costs a millisecond, and takes them along when it ends.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from quantum_assets.execution.owner import Owner, alive


@dataclass(frozen=True)
class Body:
    """One process, by the text with which tickets name their owner."""

    owner: str

    def kill(self) -> None:
        """End it as a host does, unless it is dead already, and come back when it is gone."""
        with suppress(ProcessLookupError):
            os.kill(int(self.owner.rsplit("/", 2)[1]), signal.SIGKILL)
        while alive(self.owner):
            os.sched_yield()


@dataclass(frozen=True)
class Bodies:
    """Makes bodies; `born` talks to the process that forks them."""

    mother: "subprocess.Popen[str]"

    def born(self) -> Body:
        """One more."""
        assert self.mother.stdin is not None
        assert self.mother.stdout is not None
        self.mother.stdin.write("\n")
        self.mother.stdin.flush()
        return Body(self.mother.stdout.readline().strip())


@contextmanager
def bodies() -> Iterator[Bodies]:
    """A mother of bodies, and the end of all of them."""
    command = [sys.executable, "-m", __spec__.name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as mother:
        yield Bodies(mother)
        assert mother.stdin is not None
        mother.stdin.close()


def _mother() -> None:
    """Fork a child for every line read; the children hold the read end of a pipe and end with their mother."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are gone at once
    wakes, stays = os.pipe()
    for _ in sys.stdin:
        if os.fork() == 0:
            os.close(stays)
            sys.stdin.close()
            print(Owner.current(), flush=True)
            os.read(wakes, 1)  # returns when the mother is gone
            os._exit(0)


if __name__ == "__main__":
    _mother()
