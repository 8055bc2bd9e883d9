"""The helper that other tests rely on: it brings results home, and tells whatever goes wrong in a child."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from quantum_assets_tests.processes import account, clean, endings, results


def add(first: int, second: int) -> tuple[int, int]:
    return first + second, os.getpid()


def misbehave(how: str) -> str:
    if how == "raise":
        raise ValueError("a hair in the soup")
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "leave":
        os._exit(7)
    if how == "hang":
        threading.Event().wait()
    return how


def where_and_what() -> tuple[str, list[str]]:
    return str(Path.cwd()), [thread.name for thread in threading.enumerate()]


def meet(barrier: threading.Barrier) -> int:
    return barrier.wait()


def unspeakable() -> threading.Thread:
    return threading.current_thread()


def test_results_come_in_order_from_processes_of_their_own() -> None:
    sums, pids = zip(*results(add, [(1, 2), (3, 4), (5, 6)]), strict=True)
    assert sums == (3, 7, 11)
    assert len({*pids, os.getpid()}) == 4


def test_children_inherit_the_working_directory_and_no_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert results(where_and_what, [()]) == [(str(tmp_path), ["MainThread"])]
    finally:
        stop.set()
        thread.join()


def test_all_are_at_work_at_once() -> None:
    barrier = clean().Barrier(4, timeout=300)
    assert sorted(results(meet, [(barrier,)] * 4)) == [0, 1, 2, 3]


def test_endings_tell_how_each_child_ended() -> None:
    fine, raised, died, left = endings(misbehave, [("",), ("raise",), ("die",), ("leave",)])
    assert (fine.exitcode, fine.value, fine.told) == (0, "", "")
    assert (raised.exitcode, raised.value) == (1, None)
    assert 'raise ValueError("a hair in the soup")' in raised.told
    assert (died.exitcode, left.exitcode) == (-signal.SIGKILL, 7)
    told = account([fine, raised, died])
    for words in ("child 1 of 3: exit code 0", "ValueError: a hair in the soup", "child 3 of 3: exit code -9"):
        assert words in told


def test_a_child_that_hangs_is_ended_and_says_where() -> None:
    (hung,) = endings(misbehave, [("hang",)], patience=1.0)
    assert hung.exitcode is None
    assert "in misbehave" in hung.told
    assert "child 1 of 1: hung and was killed" in account([hung])


def test_a_failure_in_a_child_is_a_failure_here() -> None:
    with pytest.raises(AssertionError, match=r"(?s)child 1 of 2: exit code 0.*child 2 of 2: exit code 1.*soup"):
        results(misbehave, [("",), ("raise",)])


def test_what_cannot_be_brought_home_is_said() -> None:
    (ending,) = endings(unspeakable, [()])
    assert ending.exitcode == 1
    assert "cannot pickle" in ending.told


def imported(*names: str) -> bool:
    return set(names) <= set(sys.modules)


def test_a_server_that_lacks_a_module_makes_place_for_one_that_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = ("tabnanny", "quantum_assets_tests.gossip")
    (first,) = results(imported, [wanted])
    (second,) = results(imported, [wanted], modules=wanted)
    (third,) = results(imported, [wanted])
    assert (first, second, third) == (False, True, True)
