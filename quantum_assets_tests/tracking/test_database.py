import socket
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from quantum_assets.contracts.errors import TrackingError
from quantum_assets.tracking.database import (
    Unreachable,
    connect,
    experiment_id,
    is_database,
    local_uri,
    redact,
    speaking_to,
)
from quantum_assets.tracking.delivery import deliver
from quantum_assets.tracking.sync import sync
from quantum_assets_tests.processes import results
from quantum_assets_tests.tracking.conftest import Place
from quantum_assets_tests.tracking.fakes import make_record
from quantum_assets_tests.tracking.processes import MLFLOW


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A server that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in taken:
            connection.close()


@pytest.fixture
def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def open_and_deliver(home: Path, uri: str, number: int) -> None:
    deliver(connect(home, uri), home, uri, make_record(number))


@pytest.mark.slow
def test_eight_processes_open_a_fresh_database_and_deliver(mlflow: Any, tmp_path: Path, nowhere: Path) -> None:
    home, uri = tmp_path / "home", local_uri(tmp_path / "home")
    results(open_and_deliver, [(home, uri, number) for number in range(8)], modules=MLFLOW)
    place = Place(home, uri)
    for number in range(8):
        place.assert_whole(make_record(number))
    assert len(place.runs()) == 8


def test_an_experiment_that_another_process_creates_first_is_used(place: Place) -> None:
    class Blind:
        """Does not see the experiment the first time it looks: another process is creating it."""

        def __init__(self, client: Any) -> None:
            self.client, self.looks = client, 0

        def get_experiment_by_name(self, name: str) -> Any:
            self.looks += 1
            return None if self.looks == 1 else self.client.get_experiment_by_name(name)

        def create_experiment(self, name: str, artifact_location: str) -> str:
            return str(self.client.create_experiment(name, artifact_location=artifact_location))

    first = experiment_id(place.client, place.home, place.uri, "wine")
    assert experiment_id(Blind(place.client), place.home, place.uri, "wine") == first  # type: ignore[arg-type]


def test_artifacts_of_an_experiment_have_a_place_in_the_home(place: Place) -> None:
    ids = {name: experiment_id(place.client, place.home, place.uri, name) for name in ("wine", "../wine", "wein/ü")}
    places = {name: place.client.get_experiment(id_).artifact_location for name, id_ in ids.items()}
    assert len(set(places.values())) == 3
    root = (place.home / "mlflow" / "artifacts").as_uri()
    assert all(location.startswith(f"{root}/") and ".." not in location for location in places.values())


def test_a_deleted_experiment_is_a_clear_error_and_the_record_waits(place: Place) -> None:
    id_ = experiment_id(place.client, place.home, place.uri, "wine")
    place.client.delete_experiment(id_)
    place.outbox.put(make_record())
    report = place.sync()
    assert report.pending == 1
    assert "MLflow experiment 'wine': was deleted there. Restore it" in report.failed[0].reason
    place.client.restore_experiment(id_)
    assert place.sync().delivered == 1


def test_a_server_that_is_down_is_unreachable_and_the_record_is_delivered_later(place: Place, closed_port: str) -> None:
    for number in range(3):
        place.outbox.put(make_record(number))
    report = sync(place.home, closed_port)
    assert report.unreachable
    assert "Connection refused" in report.unreachable
    assert (report.delivered, report.pending, len(report.failed)) == (0, 3, 2)
    assert place.sync().delivered == 3
    for number in range(3):
        place.assert_whole(make_record(number))


def test_a_server_that_never_answers_is_given_up(
    place: Place, silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    place.outbox.put(make_record())
    report = sync(place.home, silent_server)
    assert report.unreachable
    assert "timed out" in report.unreachable
    assert place.sync().delivered == 1
    place.assert_whole(make_record())


def test_a_locked_database_is_unreachable_and_the_record_is_delivered_later(place: Place) -> None:
    impatient = f"{place.uri}?timeout=0.3"
    place.outbox.put(make_record())
    holder = sqlite3.connect(place.home / "mlflow" / "mlflow.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    report = sync(place.home, impatient)
    holder.execute("ROLLBACK")
    holder.close()
    assert report.unreachable
    assert "database is locked" in report.unreachable
    assert place.sync().delivered == 1
    place.assert_whole(make_record())


def test_a_database_of_another_release_is_unreachable_with_mlflows_reason(place: Place) -> None:
    with sqlite3.connect(place.home / "mlflow" / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    database.close()
    with pytest.raises(TrackingError, match=r"(?i)schema|revision"):
        connect(place.home, place.uri)


def test_no_telemetry_and_no_repeated_posts(place: Place) -> None:
    import os

    connect(place.home, place.uri)
    assert (os.environ["MLFLOW_DISABLE_TELEMETRY"], os.environ["DO_NOT_TRACK"]) == ("true", "true")
    assert (os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"], os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]) == ("0", "5")


def test_errors_carry_no_credentials() -> None:
    uri = "postgresql://lab:hunter2@db/mlflow"
    with pytest.raises(Unreachable) as caught, speaking_to(uri):
        raise RuntimeError(f"cannot reach {uri}")
    assert "hunter2" not in str(caught.value)
    assert str(caught.value).count("://***@db/mlflow") == 2
    assert redact("no url here: a@b") == "no url here: a@b"


@pytest.mark.parametrize(
    ("uri", "answer"),
    [("sqlite:///x.db", True), ("postgresql+psycopg://h/d", True), ("mysql://h/d", True), ("http://h", False)],
)
def test_databases_are_told_from_servers(uri: str, answer: bool) -> None:
    assert is_database(uri) is answer
