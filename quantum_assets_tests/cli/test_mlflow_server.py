"""The command line of MLflow's server, held against the release that is installed."""

from pathlib import Path

import pytest

from quantum_assets.cli.mlflow_server import STORE_VARIABLE, TRACKING_VARIABLE, allowed_hosts, main, server_command


def test_hosts_are_named_alone_and_with_any_port() -> None:
    assert allowed_hosts(["qa.example.org"])[-2:] == ["qa.example.org", "qa.example.org:*"]
    assert "[[]::1]:*" in allowed_hosts()


def test_it_serves_no_database_that_nobody_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(TRACKING_VARIABLE, raising=False)
    with pytest.raises(SystemExit):
        main(["--home", str(tmp_path), "--host", "127.0.0.1", "--port", "5000"])
    assert "QUANTUM_ASSETS_TRACKING_URI names no database" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # MLflow's own, on import
def test_mlflow_knows_every_option_and_reads_the_hosts_as_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.cli import server
    from mlflow.server.security_utils import is_allowed_host_header

    command = server_command(tmp_path, "127.0.0.1", 5000, ["qa.example.org"])
    words = command[command.index("server") + 1 :]
    monkeypatch.setenv(STORE_VARIABLE, "postgresql://me:hunter22@db/x")
    parsed = server.make_context("server", words).params
    assert parsed["backend_store_uri"] == "postgresql://me:hunter22@db/x"
    assert parsed["artifacts_destination"] == str(tmp_path / "mlflow" / "artifacts")
    assert (parsed["host"], parsed["port"], parsed["workers"]) == ("127.0.0.1", 5000, "1")
    allowed = parsed["allowed_hosts"].split(",")
    for host in ("127.0.0.1", "127.0.0.1:5000", "localhost:1", "[::1]", "[::1]:5000", "qa.example.org:443"):
        assert is_allowed_host_header(allowed, host), host
    for host in ("evil.example", "192.168.1.4:5000", "10.0.0.1", "127.0.0.1.evil.example", "0.0.0.0:5000", ""):
        assert not is_allowed_host_header(allowed, host), host
