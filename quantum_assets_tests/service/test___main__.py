"""The sidecar as a process: one line when it is ready, killed at any moment, and back with everything it accepted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from quantum_assets.contracts.envelope import AdmittedResult
from quantum_assets.contracts.errors import PlanError
from quantum_assets.contracts.jobs import Order
from quantum_assets.providers.remote import RemoteProvider
from quantum_assets.service.__main__ import main, settings
from quantum_assets.service.prices import Prices
from quantum_assets.service.server import Settings
from quantum_assets.trust.admit import admit
from quantum_assets_tests.chaos.witness import read_witness
from quantum_assets_tests.providers.workloads import ZZ, overlaps_workload
from quantum_assets_tests.service.samples import SLOW


def started(home, *more):
    command = [sys.executable, "-m", "quantum_assets.service", "--home", str(home), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return process, process.stdout.readline().strip()


def ended(process, how):
    process.send_signal(how)
    said = process.communicate(timeout=60)
    assert not said[1], said[1]
    return process.returncode


def test_options_become_settings(monkeypatch):
    monkeypatch.delenv("QUANTUM_ASSETS_REMOTE_TOKEN", raising=False)
    assert settings(["--home", "h"]) == Settings(Path("h"))
    line = (
        "--home h --port 5 --queue-seconds 2 --price-per-task 1 --price-per-shot 0.000002 --rehearsal --no-idempotency"
    )
    monkeypatch.setenv("QUANTUM_ASSETS_REMOTE_TOKEN", "s3cret")
    expected = Settings(Path("h"), "127.0.0.1", 5, 2.0, Prices(1_000_000, 2), True, False, "s3cret")
    assert settings(line.split()) == expected


def test_nonsense_is_refused_in_words(capsys):
    assert main(["--home", "h", "--price-per-task", "much"]) == 2
    assert "price per task: is 'much', not a number" in capsys.readouterr().err
    with pytest.raises(PlanError):
        settings(["--home", "h", "--queue-seconds", "-1"])


def words(remote, job, until):
    """The job's state, once it is among `until`."""
    while (status := remote.status(job)).state not in until:
        os.sched_yield()
    return status


@pytest.mark.slow
def test_a_service_that_is_killed_in_the_queue_and_in_the_run_loses_and_bills_nothing_twice(tmp_path):
    asked = Order("a" * 32, (overlaps_workload(ZZ, 3, 2),), SLOW)
    stuck = '[{"at": "run", "kind": "delay", "seconds": 3600}]'
    process, url = started(tmp_path, "--queue-seconds", "3600")
    job = RemoteProvider(url).submit(asked)
    assert ended(process, signal.SIGKILL) == -signal.SIGKILL
    assert (tmp_path / "service.url").exists()  # nobody could take it away

    (tmp_path / "faults.json").write_text(stuck)
    process, url = started(tmp_path, "--queue-seconds", "0", "--rehearsal")
    remote = RemoteProvider(url)
    assert remote.find(asked) == remote.submit(asked) == job
    words(remote, job, {"running"})
    ended(process, signal.SIGKILL)

    process, url = started(tmp_path, "--queue-seconds", "0")
    remote = RemoteProvider(url)
    status = words(remote, job, {"completed", "failed"})
    (claim,) = remote.fetch(job, asked)
    (line,) = read_witness(url)
    price = Prices().of(asked)
    assert (status.state, status.charge.micros, line.micros, line.ended) == ("completed", price, price, True)
    assert isinstance(admit(claim, asked.workloads[0], SLOW), AdmittedResult)
    assert ended(process, signal.SIGTERM) in (0, -signal.SIGTERM)
    assert not (tmp_path / "service.url").exists()
