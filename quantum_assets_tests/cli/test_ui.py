"""What `ui` refuses, what it starts with which options, and (slow) the three real servers up and down."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from quantum_assets.cli.instance import PATIENCE
from quantum_assets.cli.ui import UiPlan, check_port, daemons_are_healthy, fetch, only_one, run_ui, services
from quantum_assets.contracts.errors import PlanError
from quantum_assets.orchestration.guard import GuardPolicy

TINY = Path(__file__).parents[1] / "orchestration" / "tiny_location.py"


def plan(home: Path, **changes: Any) -> UiPlan:
    return UiPlan(**{"home": home, "workspace": home / "workspace.yaml", "port": 3111, "mlflow_port": 5111, **changes})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Answering:
    """A server on loopback that gives every request the same answer, and remembers them."""

    def __init__(self, status: int, body: str) -> None:
        seen = self.seen = []  # type: list[tuple[str, str, dict[str, str], bytes]]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                seen.append((self.command, self.path, dict(self.headers), content))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_GET  # noqa: N815

            def log_message(self, *arguments: object) -> None:
                """Nothing on the terminal."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Answering":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::", "dagster.example.org", ""])
def test_a_host_that_others_can_reach_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(PlanError, match="put a reverse proxy with authentication in front"):
        plan(tmp_path, host=host)


def test_loopback_addresses_give_urls(tmp_path: Path) -> None:
    assert plan(tmp_path, host="127.0.0.2").dagster_url == "http://127.0.0.2:3111"
    assert plan(tmp_path, host="::1").mlflow_url == "http://[::1]:5111"


def test_two_servers_need_two_ports(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="given to both servers"):
        plan(tmp_path, mlflow_port=3111)
    assert plan(tmp_path, mlflow_port=3111, tracking_uri="https://mlflow.example.org").port == 3111


def test_a_port_in_use_is_refused_before_anything_is_started(tmp_path: Path) -> None:
    said: list[str] = []
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PlanError, match=rf"port {port} of 127.0.0.1: cannot be used: .*--port"):
            run_ui(plan(tmp_path / "home", port=port), said.append)
        with pytest.raises(PlanError, match="--mlflow-port"):
            run_ui(plan(tmp_path / "home", port=free_port(), mlflow_port=port), said.append)
    assert said == []
    assert not (tmp_path / "home").exists()
    check_port("127.0.0.1", port, "--port")


def test_a_home_is_served_once(tmp_path: Path) -> None:
    with (
        only_one(tmp_path),
        pytest.raises(PlanError, match="is served by another"),
        only_one(tmp_path),
    ):
        pass
    with only_one(tmp_path):
        pass


def test_the_servers_are_wired_to_one_home(tmp_path: Path) -> None:
    webserver, daemon, mlflow = services(plan(tmp_path), tmp_path / "dagster")
    for service in (webserver, daemon, mlflow):
        assert service.environment["DAGSTER_HOME"] == str(tmp_path / "dagster")
        assert service.environment["QUANTUM_ASSETS_HOME"] == str(tmp_path)
        assert service.environment["QUANTUM_ASSETS_MLFLOW_URL"] == "http://127.0.0.1:5111"
        assert service.environment["QUANTUM_ASSETS_DAGSTER_URL"] == "http://127.0.0.1:3111"
        assert service.environment.items() >= PATIENCE.items()
        assert service.environment["MLFLOW_DISABLE_TELEMETRY"] == service.environment["DO_NOT_TRACK"] == "true"
        assert service.log == tmp_path / "logs" / f"{service.name}.log"
    assert str(tmp_path / "workspace.yaml") in webserver.command
    assert str(tmp_path / "workspace.yaml") in daemon.command
    assert mlflow.environment["QUANTUM_ASSETS_TRACKING_URI"] == f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    assert "--read-only" not in webserver.command


def test_a_database_s_password_is_on_no_command_line(tmp_path: Path) -> None:
    database = "postgresql://me:hunter22@db/mlflow"
    started = services(plan(tmp_path, tracking_uri=database), tmp_path / "dagster")
    assert [service.name for service in started] == ["webserver", "daemon", "mlflow"]
    for service in started:
        assert service.environment["QUANTUM_ASSETS_TRACKING_URI"] == database
        assert "hunter22" not in " ".join((*service.command, service.told))


def test_hosts_and_read_only_reach_the_servers(tmp_path: Path) -> None:
    shared = plan(tmp_path, policy=GuardPolicy(hosts=("qa.example.org",), read_only=True))
    webserver, _, mlflow = services(shared, tmp_path / "dagster")
    assert "--read-only" in webserver.command
    for service in (webserver, mlflow):
        assert service.command[service.command.index("--allow-host") + 1] == "qa.example.org"


def test_an_mlflow_server_elsewhere_is_linked_and_not_started(tmp_path: Path) -> None:
    webserver, daemon = services(plan(tmp_path, tracking_uri="https://mlflow.example.org"), tmp_path)
    assert webserver.environment["QUANTUM_ASSETS_MLFLOW_URL"] == "https://mlflow.example.org"
    assert daemon.environment["QUANTUM_ASSETS_TRACKING_URI"] == "https://mlflow.example.org"


def test_fetch_goes_past_proxies_and_takes_failure_for_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with Answering(200, "fine") as server:
        assert fetch(f"{server.url}/health") == "fine"
        assert [(method, path) for method, path, _, _ in server.seen] == [("GET", "/health")]
    with Answering(503, "not yet") as server:
        assert fetch(server.url) is None
    assert fetch(f"http://127.0.0.1:{free_port()}") is None


@pytest.mark.parametrize(
    ("statuses", "healthy"),
    [
        ([{"required": True, "healthy": True}, {"required": False, "healthy": None}], True),
        ([{"required": True, "healthy": True}, {"required": True, "healthy": False}], False),
        ([{"required": True, "healthy": None}], False),
        ([], False),
    ],
)
def test_daemons_are_healthy_when_every_needed_one_is(statuses: list[dict[str, Any]], healthy: bool) -> None:
    body = {"data": {"instance": {"daemonHealth": {"allDaemonStatuses": statuses}}}}
    with Answering(200, json.dumps(body)) as server:
        assert daemons_are_healthy(server.url) is healthy
        method, path, headers, content = server.seen[0]
        assert (method, path, headers["Content-Type"]) == ("POST", "/graphql", "application/json")
        assert "allDaemonStatuses" in json.loads(content)["query"]


def test_daemons_of_a_webserver_that_is_down_or_confused_are_not_healthy() -> None:
    assert not daemons_are_healthy(f"http://127.0.0.1:{free_port()}")
    with Answering(200, "<html>") as server:
        assert not daemons_are_healthy(server.url)
    with Answering(200, '{"data": null, "errors": []}') as server:
        assert not daemons_are_healthy(server.url)


# The real servers.


class Ui:
    """`quantum-assets ui` on a scratch home with a one-asset workspace."""

    def __init__(self, home: Path) -> None:
        self.home, self.port, self.mlflow_port = home, free_port(), free_port()
        workspace = home.parent / "workspace.yaml"
        workspace.write_text(f"load_from: [{{python_file: {{relative_path: {TINY}, location_name: tiny}}}}]\n")
        self.output = home.parent / "output"
        command = [sys.executable, "-c", "from quantum_assets.cli.main import main; main()", "ui"]
        options = ["--home", str(home), "--workspace", str(workspace)]
        ports = ["--port", str(self.port), "--mlflow-port", str(self.mlflow_port)]
        with self.output.open("wb") as out:
            self.process = subprocess.Popen([*command, *options, *ports], stdout=out, stderr=out)

    def wait_until_ready(self) -> None:
        while "Ready." not in self.output.read_text():
            assert self.process.poll() is None, self.output.read_text()
            time.sleep(0.2)

    def family(self) -> set[int]:
        """Every process that carries this home in its environment or command line, but this one."""
        numbers = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
        return {pid for pid in numbers if self._belongs(pid)}

    def _belongs(self, pid: int) -> bool:
        told = b""
        for name in ("cmdline", "environ"):
            try:
                told += Path(f"/proc/{pid}/{name}").read_bytes()
            except OSError:
                return False
        return str(self.home).encode() in told and pid != os.getpid()


def command_line(pid: int) -> str:
    """What `ps` shows of a process; nothing once it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    except OSError:
        return ""


@pytest.fixture
def ui(tmp_path: Path) -> Iterator[Ui]:
    started = Ui(tmp_path / "home")
    yield started
    started.process.terminate()
    started.process.wait()


def status(url: str, headers: dict[str, str] | None = None, data: bytes | None = None) -> int:
    request = urllib.request.Request(url, data, headers or {})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.slow
def test_the_real_servers_come_up_guarded_and_go_down_whole(ui: Ui) -> None:
    ui.wait_until_ready()
    dagster, mlflow = f"http://127.0.0.1:{ui.port}", f"http://127.0.0.1:{ui.mlflow_port}"
    assert all(url in ui.output.read_text() for url in (dagster, mlflow))
    assert status(dagster) == status(mlflow) == 200
    evil = {"Host": "evil.example"}
    assert status(dagster, evil) == status(mlflow, evil) == 403
    assert status(f"{dagster}/graphql?query=mutation%7BsetNuxSeen%7D") == 405
    answer = fetch(f"{dagster}/graphql", "{ assetNodes { assetKey { path } } }")
    assert answer["data"]["assetNodes"] == [{"assetKey": {"path": ["tiny"]}}]
    assert fetch(f"{mlflow}/ajax-api/3.0/mlflow/ui-telemetry").find('"disable_ui_telemetry":true') >= 0
    assert [line for line in map(command_line, ui.family()) if "mlflow.db" in line] == []
    assert len(ui.family()) >= 7  # supervisor, leash, webserver, daemon, a code server each, MLflow and its worker
    ui.process.send_signal(signal.SIGINT)
    assert ui.process.wait() == 0
    assert ui.family() == set()
