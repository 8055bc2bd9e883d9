"""Children for tests, forked from a clean server: nothing of the process that runs the tests is in them.

That process has run other tests: threads of BLAS, of Rust and of a database driver may be about, and a fork of it
copies the locks that they hold at the moment. The server has imported modules and done nothing else. What a child runs
is a function of a module, and its arguments must survive pickling; a child has the server's environment variables and
this process's working directory.
"""

import faulthandler
import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Collection, Sequence
from contextlib import chdir, suppress
from dataclasses import dataclass
from multiprocessing import connection, forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

#: Seconds after which whoever has not ended is taken to hang. Nobody waits for them who does not hang.
PATIENCE = 300.0
_LAST_WORDS = 10.0
_ROOT = Path(__file__).parents[1]
_imported: set[str] = set()  # by the server that runs now


@dataclass(frozen=True)
class Ending:
    """How a child ended.

    Attributes:
        exitcode: 0: its work was done; 1: it raised; negative: the signal that ended it; None: it hung until it was
            killed.
        value: What its work returned.
        told: The traceback of what it raised, or of where it hung.
    """

    exitcode: int | None
    value: Any = None
    told: str = ""


def clean(*modules: str) -> ForkServerContext:
    """The context whose children begin with these modules imported, and fork faster for it.

    A server that lacks some of them makes place for one that has them too; so name those that a room has in common.
    """
    context = multiprocessing.get_context("forkserver")
    if not _imported.issuperset(modules):
        for child in multiprocessing.active_children():  # they keep their server alive
            if isinstance(child, ForkServerProcess):
                child.kill()
                child.join()
        forkserver._forkserver._stop()  # type: ignore[attr-defined]  # there is no public way
        _imported.update(modules)
        context.set_forkserver_preload(sorted(_imported))
        with chdir(_ROOT):  # where the server finds this package
            forkserver.ensure_running()
    return context


def results(work: Callable[..., Any], each: Sequence[tuple[Any, ...]], **how: Any) -> list[Any]:
    """What `work` returned in children that all did it at once (`endings`).

    Raises:
        AssertionError: If a child raised, was killed or hung: how every one of them ended.
    """
    ended = endings(work, each, **how)
    assert all(ending.exitcode == 0 for ending in ended), account(ended)
    return [ending.value for ending in ended]


def endings(
    work: Callable[..., Any],
    each: Sequence[tuple[Any, ...]],
    *,
    modules: Collection[str] = (),
    patience: float = PATIENCE,
) -> list[Ending]:
    """Run `work(*arguments)` in a child of its own for each; they begin together when all of them are up.

    Args:
        work: A function of a module.
        each: The arguments of each child.
        modules: See `clean`.
        patience: Seconds for the work; a child that needs more is killed.
    """
    context = clean(*modules)
    with TemporaryDirectory() as folder:
        children = [_started(context, work, arguments, Path(folder, str(n))) for n, arguments in enumerate(each)]
        try:
            end = time.monotonic() + PATIENCE
            if _hear(children, end):
                end = time.monotonic() + patience
                for child in children:
                    child.go()
                _hear(children, end)
            else:
                for child in children:  # they end
                    child.line.close()
            return [child.ending(end) for child in children]
        finally:
            for child in children:
                child.process.kill()
                child.process.join()
                child.line.close()


def account(ended: Sequence[Ending]) -> str:
    """How every child ended, to be read."""
    return "\n".join(
        f"child {number} of {len(ended)}: "
        + ("hung and was killed" if ending.exitcode is None else f"exit code {ending.exitcode}")
        + f"\n{ending.told}"
        for number, ending in enumerate(ended, start=1)
    )


@dataclass
class _Child:
    process: ForkServerProcess
    line: Connection
    stack: Path
    said: Any = None

    def hear(self) -> None:
        """One message; None from a child that is gone."""
        try:
            self.said = self.line.recv()
        except (EOFError, OSError):
            self.said = None

    def go(self) -> None:
        self.said = None
        with suppress(OSError):  # it is gone; `hear` will notice
            self.line.send("go")

    def ending(self, end: float) -> Ending:
        self.process.join(PATIENCE if self.said else max(end - time.monotonic(), 0.0))
        value, told = self.said or (None, "")
        hangs = self.process.exitcode is None
        return Ending(self.process.exitcode, value, self._where() if hangs else told)

    def _where(self) -> str:
        """The stacks of a child that hangs, as it writes them when it is asked."""
        if not self.stack.exists():
            return "it was not up yet"
        os.kill(self.process.pid or 0, signal.SIGUSR1)
        end = time.monotonic() + _LAST_WORDS
        while not self.stack.stat().st_size and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.2)  # to the end of it
        return self.stack.read_text()


def _started(context: ForkServerContext, work: Callable[..., Any], arguments: tuple[Any, ...], stack: Path) -> _Child:
    ours, theirs = context.Pipe()
    process = context.Process(target=_do, args=(work, arguments, theirs, stack, Path.cwd()), daemon=True)
    with chdir(_ROOT):  # where coverage keeps what it counts in the child
        process.start()
    theirs.close()
    return _Child(process, ours, stack)


def _do(work: Callable[..., Any], arguments: tuple[Any, ...], line: Connection, stack: Path, folder: Path) -> None:
    """What a child does from beginning to end."""
    os.chdir(folder)
    with stack.with_suffix(".new").open("w") as file:
        faulthandler.register(signal.SIGUSR1, file=file)
        stack.with_suffix(".new").rename(stack)
        line.send((None, "it was up, and others were not"))
        line.recv()
        try:
            line.send((work(*arguments), ""))
        except BaseException:
            line.send((None, traceback.format_exc()))
            raise SystemExit(1) from None


def _hear(children: Sequence[_Child], end: float) -> bool:
    """One message of each child, or None from one that is gone; whether all of them spoke in time."""
    waiting = {child.line: child for child in children}
    while waiting:
        ready = connection.wait(list(waiting), max(end - time.monotonic(), 0.0))
        if not ready:
            return False
        for line in ready:
            waiting.pop(line).hear()  # type: ignore[call-overload]
    return all(child.said is not None for child in children)
