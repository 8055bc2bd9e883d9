"""The supervisor: everything up, everything down, whoever goes first."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from quantum_assets.cli.supervisor import LARGEST_LOG

SCRIPT = Path(__file__).with_name("servers.py")
PATIENCE = 60.0


def eventually(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


class Session:
    """A supervisor in a process of its own, and what it and its servers leave behind."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.folder = folder
        self.output = folder / "output"
        with self.output.open("wb") as out:
            self.process = subprocess.Popen([sys.executable, str(SCRIPT), str(folder), mode], stdout=out, stderr=out)

    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, text: str) -> None:
        assert eventually(lambda: text in self.said()), self.said()

    def pids(self) -> list[int]:
        return [int(pid) for path in self.folder.glob("*.pids") for pid in path.read_text().split()]

    def end(self) -> int:
        return self.process.wait(PATIENCE)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Session]]:
    sessions: list[Session] = []

    def make(mode: str) -> Session:
        sessions.append(Session(tmp_path, mode))
        return sessions[-1]

    yield make
    for session in sessions:
        if session.process.poll() is None:
            session.process.terminate()
            session.process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_every_process(start: Callable[[str], Session], number: signal.Signals) -> None:
    session = start("runs")
    session.wait_for("Ready.")
    pids = session.pids()
    assert len(pids) == 4
    assert all(map(lives, pids))
    session.process.send_signal(number)
    assert session.end() == 0
    assert not any(map(lives, pids))
    *up, ready, stopping, stopped = session.said().splitlines()
    assert sorted(up) == ["  first      at first", "  second     at second"]
    assert [ready, stopping, stopped] == ["Ready.", "Stopping ...", "Stopped."]


def test_a_server_that_ends_is_named_with_its_last_lines_and_the_rest_is_stopped(
    start: Callable[[str], Session], tmp_path: Path
) -> None:
    session = start("dies")
    session.wait_for("Ready.")
    (tmp_path / "die").touch()
    assert session.end() == 1
    assert "error: second: ended with status 3" in session.said()
    assert "  | the disk is on fire" in session.said()
    assert not any(map(lives, session.pids()))


def test_a_server_that_is_killed_is_named_with_the_signal(start: Callable[[str], Session], tmp_path: Path) -> None:
    session = start("runs")
    session.wait_for("Ready.")
    os.kill(int((tmp_path / "first.pids").read_text().split()[0]), signal.SIGKILL)
    assert session.end() == 1
    assert "error: first: was ended by SIGKILL" in session.said()
    assert not any(map(lives, session.pids()))


def test_a_server_that_does_not_answer_is_named(start: Callable[[str], Session]) -> None:
    session = start("mute")
    assert session.end() == 1
    assert "error: second: does not answer" in session.said()
    assert "Ready." not in session.said()
    assert not any(map(lives, session.pids()))


def test_nothing_outlives_a_supervisor_that_is_killed_outright(start: Callable[[str], Session]) -> None:
    session = start("runs")
    session.wait_for("Ready.")
    pids = session.pids()
    session.process.kill()
    session.end()
    assert eventually(lambda: not any(map(lives, pids)))


def test_what_the_servers_write_is_kept_and_can_be_followed(start: Callable[[str], Session], tmp_path: Path) -> None:
    session = start("followed")
    session.wait_for("[first] first listens")
    session.wait_for("[second] second listens")
    session.process.terminate()
    assert session.end() == 0
    log = (tmp_path / "logs" / "first.log").read_text()
    assert log.startswith("--- first started 2")
    assert log.endswith("first listens\n")


def test_logs_grow_over_sessions_and_a_large_one_is_put_aside(start: Callable[[str], Session], tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "first.log").write_text("from yesterday\n")
    (logs / "second.log").write_bytes(b"x" * (LARGEST_LOG + 1))
    session = start("runs")
    session.wait_for("Ready.")
    session.process.terminate()
    session.end()
    assert (logs / "first.log").read_text().startswith("from yesterday\n--- first started")
    assert (logs / "second.log").read_text().startswith("--- second started")
    assert (logs / "second.old.log").stat().st_size == LARGEST_LOG + 1
