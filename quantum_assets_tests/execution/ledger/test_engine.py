import os
import socket
import sqlite3
import subprocess
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path

import pytest
import stamina
from sqlalchemy import text

from quantum_assets.contracts.errors import LedgerError
from quantum_assets.execution.ledger import engine as engines
from quantum_assets.execution.ledger.address import parse
from quantum_assets.execution.ledger.engine import engine_for, new_engine, read, write
from quantum_assets.execution.ledger.ledger import Ledger
from quantum_assets_tests.execution.ledger.materials import ask_for, raw


def test_one_engine_a_process_and_database(url: str) -> None:
    assert engine_for(parse(url)) is engine_for(parse(url))


def test_a_fork_makes_its_own_engine_and_its_parent_goes_on(ledger: Ledger) -> None:
    ledger.ask(ask_for(1))
    parents = engine_for(parse(ledger.url))
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        try:
            same = engine_for(parse(ledger.url)) is parents
            ledger.ask(ask_for(2))
            os._exit(1 if same else 0)
        except BaseException:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(ledger.tickets()) == 2
    ledger.ask(ask_for(3))
    assert ledger.check() == ()


def test_a_file_is_written_ahead_with_keys_on(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    ledger.prepare()
    engine = engine_for(parse(ledger.url))

    def settings() -> list[object]:
        names = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        return [read(engine, lambda c, n=name: c.execute(text(f"PRAGMA {n}")).scalar()) for name in names]

    assert settings() == ["wal", 1, 1, 30_000]
    full = write(engine, lambda c: c.execute(text("PRAGMA synchronous")).scalar(), durable=True)
    assert full == 2
    assert settings()[2] == 1, "only that transaction is written through to the disk"
    with pytest.raises(LedgerError):
        write(engine, lambda c: c.execute(text("INSERT INTO nowhere VALUES (1)")), durable=True)
    assert settings()[2] == 1


def test_a_writer_waits_for_another_to_finish(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    ledger.prepare()
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        connection = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        held.set()
        done.wait(0.2)
        connection.execute("COMMIT")
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait()
    assert len(ledger.tickets()) == 0, "readers never wait"
    assert ledger.ask(ask_for())[1]
    done.set()
    holder.join()


def test_a_lock_that_is_never_given_back_is_told_in_our_words(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    ledger.prepare()
    engine = new_engine(parse(ledger.url))
    tries = []

    def locked(connection: object) -> None:
        tries.append(connection)
        error = sqlite3.OperationalError("database is locked")
        error.sqlite_errorcode = sqlite3.SQLITE_BUSY
        raise error

    with pytest.raises(LedgerError, match="was busy for 8 tries") as told:
        write(engine, locked)
    assert len(tries) == engines.TRIES
    assert "database is locked" not in "".join(traceback.format_exception(told.value)).split("LedgerError")[-1]
    assert told.value.__cause__ is None
    engine.dispose()


def test_another_trouble_is_not_tried_again(ledger: Ledger) -> None:
    tries = []

    def broken(connection: object) -> None:
        tries.append(connection)
        connection.execute(text("SELECT 1 FROM nowhere"))  # type: ignore[attr-defined]

    ledger.prepare()
    with pytest.raises(LedgerError, match=r"did not do it: .*nowhere"):
        write(engine_for(parse(ledger.url)), broken)
    assert len(tries) == 1


def test_work_that_raises_leaves_nothing(ledger: Ledger) -> None:
    ledger.prepare()

    def half(connection: object) -> None:
        connection.execute(  # type: ignore[attr-defined]
            text("INSERT INTO breakers VALUES ('k', 'open', 0, 0, NULL, 1, '2026-11-22T12:00:00.000000+00:00', 0)")
        )
        raise KeyError("half way")

    with pytest.raises(KeyError):
        write(engine_for(parse(ledger.url)), half)
    assert ledger.breakers() == ()


def test_deadlocked_transactions_are_made_again(ledger: Ledger) -> None:
    """Two transactions take two rows in opposite orders; PostgreSQL ends one of them, SQLite never lets both begin."""
    ledger.count_failure("a/")
    ledger.count_failure("b/")
    engine, meet, tries = engine_for(parse(ledger.url)), threading.Barrier(2), []

    def both(first: str, second: str) -> None:
        def work(connection: object) -> None:
            tries.append(first)
            add = text("UPDATE breakers SET failures = failures + 1 WHERE key = :key")
            connection.execute(add, {"key": first})  # type: ignore[attr-defined]
            if engine.dialect.name == "postgresql" and len(tries) <= 2:
                meet.wait(10)
            connection.execute(add, {"key": second})  # type: ignore[attr-defined]

        write(engine, work)

    threads = [threading.Thread(target=both, args=names) for names in (("a/", "b/"), ("b/", "a/"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.failures for row in ledger.breakers()] == [3, 3]
    assert len(tries) == (3 if engine.dialect.name == "postgresql" else 2)


class Doorman:
    """A PostgreSQL server's door: turns clients away in words of its protocol, then lets them in and refuses all work.

    It counts who came.
    """

    OPEN, READY = b"R\0\0\0\x08\0\0\0\0", b"Z\0\0\0\x05I"

    def __init__(self, *refusals: str) -> None:
        self.came = 0
        self._refusals = refusals
        self._door = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        port = self._door.getsockname()[1]
        return f"postgresql://ada:s3cr-et@127.0.0.1:{port}/lab?sslmode=disable&gssencmode=disable"

    def __enter__(self) -> "Doorman":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()
        self._thread.join()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client = self._door.accept()[0]
                self.came += 1
                with client, suppress(OSError):
                    client.recv(4096)
                    self._receive(client)

    def _receive(self, client: socket.socket) -> None:
        if self.came <= len(self._refusals):
            client.sendall(self._error(self._refusals[self.came - 1]))
            return
        client.sendall(self.OPEN + self.READY)
        while client.recv(4096):
            client.sendall(self._error("XX000 no work is done here") + self.READY)

    @staticmethod
    def _error(told: str) -> bytes:
        body = f"SFATAL\0VFATAL\0C{told[:5]}\0M{told[6:]}\0\0".encode()
        return b"E" + (len(body) + 4).to_bytes(4, "big") + body


STARTING, FULL = "57P03 the database system is starting up", "53300 sorry, too many clients already"


def _read_at(door: Doorman) -> str:
    """What is told of an attempt to read there."""
    engine = new_engine(parse(door.url))
    with stamina.set_testing(True, attempts=engines.CONNECTS), pytest.raises(LedgerError) as told:  # without pauses
        read(engine, lambda connection: connection.execute(text("SELECT 1")))
    engine.dispose()
    assert "s3cr-et" not in "".join(traceback.format_exception(told.value))
    return str(told.value)


def test_a_server_that_refuses_for_a_moment_is_asked_again_and_work_that_fails_is_not() -> None:
    with Doorman(STARTING, FULL) as door:
        assert "no work is done here" in _read_at(door)
    assert door.came == 3


def test_a_server_that_keeps_refusing_is_left_after_a_few_tries() -> None:
    with Doorman(*[STARTING] * 9) as door:
        assert "did not do it: " in (told := _read_at(door))
        assert "is starting up" in told
    assert door.came == engines.CONNECTS


def test_a_refusal_that_will_not_pass_is_told_at_once() -> None:
    with Doorman('28P01 password authentication failed for user "ada"', STARTING) as door:
        assert "password authentication failed" in _read_at(door)
    assert door.came == 1


def test_no_password_in_any_text_when_nobody_answers() -> None:
    ledger = Ledger("postgresql://ada:s3cr-et@127.0.0.1:1/lab?connect_timeout=2")
    with pytest.raises(LedgerError) as told:
        ledger.prepare()
    assert "postgresql://ada:***@127.0.0.1:1/lab" in str(told.value)
    assert "s3cr-et" not in "".join(traceback.format_exception(told.value))


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    file.write_bytes(b"not a database, but long enough to look like one" * 100)
    with pytest.raises(LedgerError, match="file is not a database"):
        Ledger(f"sqlite:///{file}").tickets()


def test_keys_are_kept_by_our_connections(ledger: Ledger) -> None:
    ticket, _ = ledger.ask(ask_for())
    with pytest.raises(LedgerError, match="refused what breaks its rules"):
        ledger.touch(ticket, order="no such order")
    with raw(ledger) as connection:
        assert connection.execute("SELECT order_key FROM tickets").fetchall() == [(None,)]


def test_a_process_keeps_a_bounded_number_of_engines(tmp_path: Path) -> None:
    first = Ledger(f"sqlite:///{tmp_path}/0.db")
    first.ask(ask_for())
    used = engine_for(parse(first.url))
    for number in range(1, engines._KEPT + 1):
        engine_for(parse(f"sqlite:///{tmp_path}/{number}.db"))
    assert engine_for(parse(first.url)) is not used
    assert len([pid for _, pid in engines._engines if pid == os.getpid()]) == engines._KEPT
    assert len(first.tickets()) == 1


def test_a_process_that_ends_leaves_one_whole_file(tmp_path: Path) -> None:
    code = "from quantum_assets.execution.ledger.ledger import Ledger as L; "
    code += f"L('sqlite:///{tmp_path}/ledger.db').alert('k', 's', 'm')"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ledger.db", "ledger.db.lock"]
    assert len(Ledger(f"sqlite:///{tmp_path}/ledger.db").alerts()) == 1


def test_a_missing_driver_names_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(LedgerError, match=r'Run: pip install "quantum_assets\[postgres\]"') as told:
        new_engine(parse("postgresql://ada:s3cr-et@db/lab"))
    assert "s3cr-et" not in f"{told.value} {told.value.__cause__}"


def test_a_file_turns_to_write_ahead_once_others_let_go_of_it(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db"
    reader = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    reader.execute("CREATE TABLE t (x)")
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM t").fetchall()
    letting_go = threading.Timer(0.1, reader.execute, ["COMMIT"])
    letting_go.start()
    engines.use_wal(parse(f"sqlite:///{file}"))
    letting_go.join()
    reader.close()
    fresh = sqlite3.connect(file)
    assert fresh.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    fresh.close()
