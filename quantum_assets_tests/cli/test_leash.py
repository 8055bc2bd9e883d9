"""The leash: what it holds ends when its input does, and what it released does not."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantum_assets.cli.leash import end_groups
from quantum_assets_tests.processes import PATIENCE

# A child inherits ignored signals, and Dagster maps SIGTERM to whatever SIGINT is, which a background job ignores.
OBEDIENT, STUBBORN = (
    f"import signal, time; signal.signal(signal.SIGTERM, signal.{how}); print('up', flush=True); time.sleep(600)"
    for how in ("SIG_DFL", "SIG_IGN")
)


#: Starts a worker as `quantum-assets run` does, says its pid, and waits for it.
PARENT = """
import multiprocessing, time
from quantum_assets.cli.leash import end_with_parent

def work(patience, deaf):
    import os, signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN if deaf else signal.SIG_DFL)
    end_with_parent(patience)
    print(os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    import signal, sys
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # see above: else it may be deaf itself
    child = multiprocessing.get_context("spawn").Process(target=work, args=(0.2, sys.argv[1] == "deaf"))
    child.start()
    child.join()
"""


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[bytes]]]:
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(started: list[subprocess.Popen[bytes]], code: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-S", "-c", code], stdout=subprocess.PIPE, start_new_session=True)
    started.append(process)
    assert process.stdout is not None
    assert process.stdout.readline() == b"up\n"
    return process


def test_the_obedient_are_asked_and_the_stubborn_are_killed(started: list[subprocess.Popen[bytes]]) -> None:
    obedient, stubborn = start(started, OBEDIENT), start(started, STUBBORN)
    end_groups([obedient.pid, stubborn.pid], patience=0.5, reap=lambda: [p.poll() for p in started])
    assert (obedient.wait(), stubborn.wait()) == (-15, -9)


def test_groups_that_are_gone_are_passed_over(started: list[subprocess.Popen[bytes]]) -> None:
    gone = start(started, OBEDIENT)
    gone.kill()
    gone.wait()
    end_groups([gone.pid])


def test_the_leash_ends_what_it_holds_when_its_input_ends(started: list[subprocess.Popen[bytes]]) -> None:
    held, released = start(started, OBEDIENT), start(started, OBEDIENT)
    orders = f"hold {held.pid}\nhold {released.pid}\nrelease {released.pid}\n"
    # This process is the parent of the held one and reaps it only below: a zombie is waited for in vain.
    leash = subprocess.Popen([sys.executable, "-m", "quantum_assets.cli.leash"], stdin=subprocess.PIPE, text=True)
    assert leash.stdin is not None
    leash.stdin.write(orders)
    leash.stdin.close()
    assert held.wait(60) == -15
    assert leash.wait(60) == 0
    assert released.poll() is None


@pytest.mark.parametrize("hearing", ["deaf", "obedient"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_ends_with_its_parent_however_that_ends(
    started: list[subprocess.Popen[bytes]], tmp_path: Path, hearing: str, number: signal.Signals
) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(script), hearing], stdout=subprocess.PIPE)
    started.append(parent)
    assert parent.stdout is not None
    assert int(parent.stdout.readline()) != parent.pid
    parent.send_signal(number)
    assert parent.communicate(timeout=PATIENCE)[0] == b""  # ends once nobody is left that could write
    assert parent.returncode == -number
