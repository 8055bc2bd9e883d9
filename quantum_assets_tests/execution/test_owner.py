import os
import signal
import socket
import subprocess
import sys

from quantum_assets.execution.owner import Owner, _started_by_psutil, alive


def asleep() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["sleep", "60"])


def owner_of(pid: int) -> str:
    """What that process would call itself."""
    code = "from quantum_assets.execution import owner as o; "
    code += f"print(o.Owner('{socket.gethostname()}', {pid}, o._started({pid})))"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_this_process_is_alive_and_keeps_its_name() -> None:
    me = Owner.current()
    assert (me.host, me.pid) == (socket.gethostname(), os.getpid())
    assert me == Owner.current()
    assert alive(str(me)) is True


def test_another_process_sees_the_same_name() -> None:
    assert owner_of(os.getpid()) == str(Owner.current())


def test_a_killed_process_is_gone_and_so_is_its_zombie() -> None:
    child = asleep()
    text = owner_of(child.pid)
    assert alive(text) is True
    child.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # dead, and nobody has fetched it
    assert alive(text) is False
    child.wait()
    assert alive(text) is False


def test_a_pid_that_was_given_again_is_another_process() -> None:
    me = Owner.current()
    assert alive(str(Owner(me.host, me.pid, "1-00000000"))) is False
    assert alive(str(Owner(me.host, me.pid, ""))) is False


def test_a_fork_has_a_name_of_its_own() -> None:
    reading, writing = os.pipe()
    Owner.current()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os.write(writing, str(Owner.current()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    text = os.read(reading, 1000).decode()
    os.close(reading)
    os.close(writing)
    assert text.split("/")[1] == str(child)
    assert alive(text) is False


def test_of_another_machine_it_cannot_tell() -> None:
    assert alive(f"elsewhere/{os.getpid()}/1-0") is None
    assert alive("not an owner") is None
    assert alive(f"{socket.gethostname()}/x/1") is None


def test_nobody_is_not_alive() -> None:
    assert alive("") is False
    assert alive(str(Owner(socket.gethostname(), 2**22 + 12345, "1-0"))) is False


def test_machines_without_proc_ask_psutil() -> None:
    mine = _started_by_psutil(os.getpid())
    assert mine
    assert float(mine) > 0
    child = asleep()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert _started_by_psutil(child.pid) == ""
    child.wait()
    assert _started_by_psutil(child.pid) == ""
