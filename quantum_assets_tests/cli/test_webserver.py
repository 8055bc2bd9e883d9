"""The guarded webserver as its own process: one socket, read-only when asked."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from quantum_assets.cli.instance import prepare_instance
from quantum_assets.cli.webserver import main

TINY = Path(__file__).parents[1] / "orchestration" / "tiny_location.py"


def test_it_says_which_options_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--host", "127.0.0.1"])
    assert "--port, --workspace" in capsys.readouterr().err


def ask(port: int, query: str, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.mark.slow
def test_a_read_only_webserver_answers_and_changes_nothing(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(f"load_from: [{{python_file: {{relative_path: {TINY}, location_name: tiny}}}}]\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--workspace", str(workspace), "--read-only"]
    environment = {**os.environ, "DAGSTER_HOME": str(prepare_instance(tmp_path / "home"))}
    command = [sys.executable, "-m", "quantum_assets.cli.webserver", *options]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        while True:
            assert server.poll() is None
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        status, body = ask(port, "{ assetNodes { assetKey { path } } }")
        assert (status, json.loads(body)["data"]["assetNodes"]) == (200, [{"assetKey": {"path": ["tiny"]}}])
        status, body = ask(port, "mutation { setNuxSeen }")
        assert (status, b"read-only" in body) == (403, True)
        assert ask(port, "{ version }", Origin="http://evil.example")[0] == 403
    finally:
        server.terminate()
        assert server.wait(60) is not None
