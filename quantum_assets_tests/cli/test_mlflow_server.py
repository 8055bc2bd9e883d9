"""The command line of MLflow's server, held against the release that is installed."""

from pathlib import Path

import pytest

from quantum_assets.cli.mlflow_server import allowed_hosts, server_command


def test_hosts_are_named_alone_and_with_any_port() -> None:
    assert allowed_hosts(["qa.example.org"])[-2:] == ["qa.example.org", "qa.example.org:*"]
    assert "[[]::1]:*" in allowed_hosts()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # MLflow's own, on import
def test_mlflow_knows_every_option_and_reads_the_hosts_as_meant(tmp_path: Path) -> None:
    from mlflow.cli import server
    from mlflow.server.security_utils import is_allowed_host_header

    command = server_command(tmp_path, "sqlite:///x.db", "127.0.0.1", 5000, ["qa.example.org"])
    words = command[command.index("server") + 1 :]
    parsed = server.make_context("server", words).params
    assert parsed["backend_store_uri"] == "sqlite:///x.db"
    assert parsed["artifacts_destination"] == str(tmp_path / "mlflow" / "artifacts")
    assert (parsed["host"], parsed["port"], parsed["workers"]) == ("127.0.0.1", 5000, "1")
    allowed = parsed["allowed_hosts"].split(",")
    for host in ("127.0.0.1", "127.0.0.1:5000", "localhost:1", "[::1]", "[::1]:5000", "qa.example.org:443"):
        assert is_allowed_host_header(allowed, host), host
    for host in ("evil.example", "192.168.1.4:5000", "10.0.0.1", "127.0.0.1.evil.example", "0.0.0.0:5000", ""):
        assert not is_allowed_host_header(allowed, host), host
