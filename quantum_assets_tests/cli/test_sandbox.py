"""The rehearsal provider as a command: what it prints, what it answers, how it ends."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from quantum_assets.cli.sandbox import FOLDER, TOKEN_VARIABLE, URL_VARIABLE, ready, sandbox
from quantum_assets.contracts.money import MICROS
from quantum_assets.execution.cost import find_price, read_prices
from quantum_assets.providers import remote
from quantum_assets.service.__main__ import settings as service_settings
from quantum_assets.service.prices import Prices
from quantum_assets.service.server import Settings, running
from quantum_assets_tests.cli.homes import call


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


def test_the_variables_are_those_that_the_provider_reads() -> None:
    assert (URL_VARIABLE, TOKEN_VARIABLE) == (remote.URL_VARIABLE, remote.TOKEN_VARIABLE)


def test_its_prices_are_those_of_the_service_and_of_the_price_book() -> None:
    given = {option.name: option.default for option in sandbox.params}
    prices = Prices.read(given["price_per_task"], given["price_per_shot"], given["currency"])
    assert prices == service_settings(["--home", "h"]).prices
    booked = find_price(read_prices(), "remote", "rehearsal")
    assert booked is not None
    assert (booked.per_task, booked.per_shot) == (prices.per_task / MICROS, prices.per_shot / MICROS)


def test_the_export_line_can_be_pasted() -> None:
    told = ready("http://127.0.0.1:8765", Path("home"), 20, "0.30 USD an order", guarded=False)
    assert "  export QUANTUM_ASSETS_REMOTE_URL=http://127.0.0.1:8765\n" in told
    assert "each job waits 20 s" in told
    assert TOKEN_VARIABLE not in told
    assert f"export {TOKEN_VARIABLE}=" in ready("http://lab:1", Path("home"), 0, "", guarded=True)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--price-per-task", "much"], "price per task: is 'much', not a number"),
        (["--price-per-shot", "-1"], "price per shot"),
        (["--host", "0.0.0.0"], "can be reached from other machines, and no token is set"),
        (["--queue-seconds", "-1"], "--queue-seconds"),
    ],
)
def test_nonsense_is_refused_before_anything_is_served(tmp_path: Path, arguments: list[str], told: str) -> None:
    answer = call(tmp_path, "sandbox", *arguments)
    assert answer.exit_code == 2
    assert told in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = call(tmp_path, "sandbox", "--port", str(taken.getsockname()[1]))
    assert answer.exit_code == 2
    assert answer.stderr.startswith("error: 127.0.0.1:")
    assert answer.stderr.count("\n") == 1


def test_a_home_has_one_sandbox(tmp_path: Path) -> None:
    with running(Settings(tmp_path / FOLDER)):
        answer = call(tmp_path, "sandbox", "--port", "0")
    assert answer.exit_code == 2
    assert "has a running service" in answer.stderr


def test_it_serves_until_ctrl_c_and_ends_well(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "quantum_assets", "sandbox", "--port", "0", "--queue-seconds", "3"]
    process = subprocess.Popen(
        [*command, "--home", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(5)]
    assert said[4] == "Press Ctrl-C to stop.\n"
    url = said[3].strip().removeprefix(f"export {URL_VARIABLE}=")
    with httpx.Client(trust_env=False) as client:
        health = client.get(f"{url}/health").json()
        assert (health["rehearsal"], health["same_key_same_job"]) == (True, True)
        assert client.get(f"{url}/witness").json() == {"jobs": []}
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out == "Stopped; unfinished jobs go on when it is started again.\n"
    assert (tmp_path / FOLDER / "service.db").is_file()
