import socket
from pathlib import Path

import httpx
import pytest

from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.wire import pack_order
from quantum_assets.service.server import Settings, running
from quantum_assets_tests.service.samples import order


def get(url, path):
    with httpx.Client(trust_env=False) as client:
        return client.get(url + path)


def test_it_tells_its_address_while_it_runs(tmp_path):
    with running(Settings(tmp_path / "home")) as url:
        assert (tmp_path / "home" / "service.url").read_text() == f"{url}\n"
        assert get(url, "/health").json()["same_key_same_job"] is True
        assert get(url, "/faults").status_code == 404
    assert not (tmp_path / "home" / "service.url").exists()
    with pytest.raises(httpx.ConnectError):
        get(url, "/health")


def test_a_home_has_one_service(tmp_path):
    with (
        running(Settings(tmp_path)),
        pytest.raises(PlanError, match="has a running service"),
        running(Settings(tmp_path)),
    ):
        pass
    with running(Settings(tmp_path)) as url:
        assert get(url, "/health").is_success


def test_a_port_that_is_taken_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(PlanError, match=f"127.0.0.1:{port}: cannot be used"),
            running(Settings(tmp_path, port=port)),
        ):
            pass


def test_what_was_accepted_is_still_there_after_a_restart(tmp_path):
    headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": "a" * 32}
    with running(Settings(tmp_path, queue_seconds=3600)) as url, httpx.Client(trust_env=False) as client:
        job = client.post(f"{url}/jobs", content=pack_order(order()), headers=headers).json()["job"]
    with running(Settings(tmp_path, queue_seconds=3600)) as url:
        assert get(url, f"/jobs?key={'a' * 32}").json() == {"jobs": [job]}
        assert get(url, f"/jobs/{job}").json()["status"] == "QUEUED"


def test_a_home_may_hold_the_faults_of_a_rehearsal(tmp_path):
    (tmp_path / "faults.json").write_text('[{"at": "lookup", "kind": "refuse"}]')
    with running(Settings(tmp_path, rehearsal=True)) as url:
        assert get(url, "/jobs?key=a").status_code == 503
        assert get(url, "/jobs?key=a").is_success
    with running(Settings(tmp_path)) as url:
        assert get(url, "/jobs?key=a").is_success


@pytest.mark.parametrize("settings", [{"queue_seconds": -1}, {"port": 70000}, {"host": "0.0.0.0"}, {"host": "lab"}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(PlanError):
        Settings(Path("anywhere"), **settings)


def test_a_token_opens_other_addresses_and_is_not_shown():
    settings = Settings(Path("anywhere"), host="0.0.0.0", token="s3cret")
    assert "s3cret" not in repr(settings)
