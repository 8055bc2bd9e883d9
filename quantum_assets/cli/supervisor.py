"""Starts servers, says when each answers, and stops them all when one dies or the user asks.

Every server runs in a process group of its own, so that Ctrl-C reaches only the supervisor and whatever a server
started goes down with it; `leash` ends the groups should the supervisor itself be killed. Output goes to one log file a
server, which survives the session.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from quantum_assets.cli.leash import end_groups

Say = Callable[[str], None]
LARGEST_LOG = 5_000_000
TICK = 0.25


@dataclass(frozen=True)
class Service:
    """One server to keep running.

    Attributes:
        name: For people, and the name of its log file.
        command: Program and arguments.
        log: File that its output is appended to.
        answers: Whether it is up; called until it says so, must return within a second or two.
        told: What to say once it is up, for example its URL.
        environment: Variables on top of this process's own.
        directory: Where it runs; None: where this process does.
    """

    name: str
    command: tuple[str, ...]
    log: Path
    answers: Callable[[], bool]
    told: str
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None


class _Running:
    """A started service: its process, and how much of its log was read."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.up = False
        service.log.parent.mkdir(parents=True, exist_ok=True)
        if service.log.exists() and service.log.stat().st_size > LARGEST_LOG:
            service.log.replace(service.log.with_suffix(".old.log"))
        with service.log.open("ab") as out:
            out.write(f"--- {service.name} started {time.strftime('%Y-%m-%d %H:%M:%S %z')}\n".encode())
            out.flush()
            self._read = self._start = out.tell()
            self.process = subprocess.Popen(  # noqa: S603  our own command line
                service.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **service.environment},
                cwd=service.directory,
                start_new_session=True,
            )

    def new_lines(self) -> list[str]:
        """What it wrote since the last call, whole lines only."""
        with self.service.log.open("rb") as file:
            file.seek(self._read)
            whole = file.read().rpartition(b"\n")[0]
        self._read += len(whole) + 1 if whole else 0
        return whole.decode(errors="replace").splitlines()

    def last_lines(self, count: int = 15) -> list[str]:
        """The end of what it wrote in this session."""
        with self.service.log.open("rb") as file:
            file.seek(self._start)
            lines = file.read().decode(errors="replace").splitlines()
        return [line for line in lines if line.strip()][-count:]


def supervise(
    services: Sequence[Service], say: Say, *, follow: bool = False, patience: float = 300.0, done: str = ""
) -> int:
    """Run services until the user stops them or one of them ends.

    Args:
        services: What to run, in the order of starting.
        say: Told every line for the user.
        follow: Say what the services write too, each line after its service's name.
        patience: Seconds within which all must answer.
        done: Said once all do.

    Returns:
        0 when it was stopped by Ctrl-C or SIGTERM, 1 when a service died or did not answer in time.
    """
    running: list[_Running] = []
    with _stop_signals() as stop, _leash() as hold:
        try:
            for service in services:
                running.append(_Running(service))
                hold("hold", running[-1].process.pid)
            return _watch(running, say, stop, follow, time.monotonic() + patience, done)
        finally:
            say("Stopping ...")
            end_groups((r.process.pid for r in running), reap=lambda: [r.process.poll() for r in running])
            for one in running:
                one.process.wait()
                hold("release", one.process.pid)
            say("Stopped.")


def _watch(
    running: Sequence[_Running], say: Say, stop: threading.Event, follow: bool, deadline: float, done: str
) -> int:
    while not stop.wait(TICK):
        waiting = [one for one in running if not one.up]
        for one in waiting:
            one.up = one.process.poll() is None and one.service.answers()
            if one.up:
                say(f"  {one.service.name:<10} {one.service.told}")
        if follow:
            for one in running:
                for line in one.new_lines():
                    say(f"[{one.service.name}] {line}")
        failed = next((one for one in running if one.process.poll() is not None), None)
        if failed is None and waiting and time.monotonic() > deadline:
            failed = waiting[0]
        if failed is not None:
            _explain(failed, say)
            return 1
        if waiting and all(one.up for one in running):
            say(done)
    return 0


def _explain(failed: _Running, say: Say) -> None:
    code = failed.process.poll()
    how = (
        "does not answer"
        if code is None
        else f"was ended by {signal.Signals(-code).name}"
        if code < 0
        else f"ended with status {code}"
    )
    say(f"error: {failed.service.name}: {how}. Its last lines, from {failed.service.log}:")
    for line in failed.last_lines():
        say(f"  | {line}")


@contextlib.contextmanager
def _stop_signals() -> Iterator[threading.Event]:
    """An event that SIGINT, SIGTERM and SIGHUP set, as long as the block runs."""
    stop = threading.Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _leash() -> Iterator[Callable[[str, int], None]]:
    """Start the leash; yields what tells it a word and a group."""
    command = [sys.executable, "-m", "quantum_assets.cli.leash"]
    leash = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True, text=True)  # noqa: S603

    def order(word: str, group: int) -> None:
        assert leash.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # without a leash the services still run, and still are stopped
            leash.stdin.write(f"{word} {group}\n")
            leash.stdin.flush()

    try:
        yield order
    finally:
        leash.communicate()
