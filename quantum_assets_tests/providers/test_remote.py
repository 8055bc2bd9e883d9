import base64
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from quantum_assets.contracts.envelope import AdmittedResult, ResultEnvelope
from quantum_assets.contracts.errors import PlanError, ProviderError
from quantum_assets.contracts.jobs import Charge, Order
from quantum_assets.providers.remote import RemoteProvider
from quantum_assets.service.results import document
from quantum_assets.service.server import Settings, running
from quantum_assets.trust.admit import admit
from quantum_assets_tests.providers.workloads import IDEAL, SLOW, ZZ, overlaps_workload, states_workload
from quantum_assets_tests.trust.honest import envelope_for

ASKED = Order("a" * 32, (overlaps_workload(ZZ, 3, 2), overlaps_workload(ZZ, 2, 2)), SLOW, correlation_id="c-1")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(Settings(tmp_path_factory.mktemp("service"), rehearsal=True)) as url:
        yield url


@pytest.fixture
def remote(service):
    with httpx.Client(trust_env=False) as client:
        client.delete(f"{service}/faults")
    return RemoteProvider(service)


def faulty(remote, **fault):
    with httpx.Client(trust_env=False) as client:
        client.post(f"{remote.url}/faults", json=[fault]).raise_for_status()


def completed(remote, order):
    job = remote.submit(order)
    while remote.status(job).state not in ("completed", "failed"):
        continue
    return job


@contextmanager
def saying(status, body, seen=None):
    """A server that answers everything with the same words, and notes what it was told."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            if seen is not None:
                seen.append(dict(self.headers))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_):
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_order_goes_all_the_way_and_is_trusted(remote):
    job = completed(remote, ASKED)
    status = remote.status(job)
    assert status.charge == Charge(300_000 + (9 + 4) * 256 * 4)
    assert set(status.seconds) == {"queue", "run"}
    claims = remote.fetch(job, ASKED)
    for claim, workload in zip(claims, ASKED.workloads, strict=True):
        assert isinstance(admit(claim, workload, SLOW), AdmittedResult)
        assert (claim.job, claim.correlation_id, claim.effective.provider) == (job, "c-1", "remote")
        assert claim.effective.versions == remote.versions(SLOW)
        assert claim.calibration_digest == remote.calibration(SLOW).digest
    assert sum(claim.cost for claim in claims) == pytest.approx(status.charge.micros / 1e6)
    assert remote.fetch(job, ASKED)[0].data.p_zero.tolist() == claims[0].data.p_zero.tolist()


def test_one_key_is_one_job_and_can_be_looked_up(remote):
    job = remote.submit(ASKED)
    assert remote.submit(ASKED) == job == remote.find(ASKED) == RemoteProvider(remote.url).find(ASKED)
    assert remote.find(Order("d" * 32, ASKED.workloads, SLOW)) is None


def test_a_lost_answer_leaves_a_job_that_is_found(remote):
    order = Order("b" * 32, ASKED.workloads, SLOW)
    faulty(remote, at="submit", kind="lose")
    with pytest.raises(httpx.RemoteProtocolError):
        remote.submit(order)
    assert remote.find(order) == remote.submit(order)


def test_a_dropped_request_leaves_none(remote):
    order = Order("c" * 32, ASKED.workloads, SLOW)
    faulty(remote, at="submit", kind="hang_up")
    with pytest.raises(httpx.RemoteProtocolError):
        remote.submit(order)
    assert remote.find(order) is None


def test_refusals_are_httpxs_own(remote):
    faulty(remote, at="submit", kind="refuse", status=429, retry_after=7)
    with pytest.raises(httpx.HTTPStatusError) as caught:
        remote.submit(ASKED)
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "7")
    with pytest.raises(httpx.HTTPStatusError, match="409"):
        remote.submit(Order(ASKED.key, ASKED.workloads[:1], SLOW))
    with pytest.raises(httpx.ConnectError):
        RemoteProvider("http://127.0.0.1:9").status("j")


def test_a_slow_answer_is_a_timeout(remote):
    faulty(remote, at="status", kind="delay", seconds=0.5)
    with pytest.raises(httpx.ReadTimeout):
        RemoteProvider(remote.url, timeout_seconds=0.05).status("j")


@pytest.mark.parametrize(
    ("word", "state"), [("FAILED", "failed"), ("running", "running"), ("Zugzwang", "unknown"), ("", "unknown")]
)
def test_words_are_mapped_and_strange_ones_kept(remote, word, state):
    job = completed(remote, ASKED)
    faulty(remote, at="status", kind="lie", word=word)
    status = remote.status(job)
    assert (status.state, status.raw) == (state, word)


def test_a_job_that_is_not_known_is_unknown_and_harmless_to_cancel(remote):
    assert remote.status("nobody").state == "unknown"
    remote.cancel("nobody")
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        remote.fetch("nobody", ASKED)


def test_a_job_can_be_cancelled_once_and_again(tmp_path):
    with running(Settings(tmp_path, queue_seconds=3600)) as url:
        remote = RemoteProvider(url)
        job = remote.submit(ASKED)
        assert (remote.status(job).state, remote.status(job).queue_position) == ("queued", 0)
        remote.cancel(job)
        remote.cancel(job)
        assert (remote.status(job).state, remote.status(job).charge) == ("cancelled", Charge(0))
        with pytest.raises(httpx.HTTPStatusError, match="409"):
            remote.fetch(job, ASKED)


def test_damage_to_one_entry_fails_that_workload_only(remote):
    job = completed(remote, ASKED)
    for kind, problem in (("missing", "is missing"), ("corrupt", "was altered")):
        faulty(remote, at="result", kind=kind)
        first, second = remote.fetch(job, ASKED)
        assert isinstance(admit(first, ASKED.workloads[0], SLOW), AdmittedResult)
        assert isinstance(second, ProviderError)
        assert problem in second.problem
        assert second.retry
    faulty(remote, at="result", kind="duplicate")
    assert all(isinstance(claim, ResultEnvelope) for claim in remote.fetch(job, ASKED))


def test_a_cut_or_foreign_result_cannot_be_used(remote):
    job = completed(remote, ASKED)
    faulty(remote, at="result", kind="truncate")
    with pytest.raises(ProviderError, match="is no JSON"):
        remote.fetch(job, ASKED)
    completed(remote, Order("e" * 32, (overlaps_workload(ZZ, 4, 2),), SLOW))
    faulty(remote, at="result", kind="foreign", disguised=False)
    with pytest.raises(ProviderError, match="is that of job"):
        remote.fetch(job, ASKED)
    faulty(remote, at="result", kind="foreign")
    disguised = remote.fetch(job, ASKED)
    assert not any(
        isinstance(claim, ResultEnvelope) and isinstance(admit(claim, workload, SLOW), AdmittedResult)
        for claim, workload in zip(disguised, ASKED.workloads, strict=True)
    )


@pytest.mark.parametrize(
    "entries",
    [
        [{"position": 0, "envelope": "AAAA", "sha256": "x"}],
        [{"position": 0, "envelope": "!", "sha256": "x"}],
        [{"position": 0}],
        [{"position": 0, "error": "oops"}],
        [{"position": 0, "error": {}}, {"position": 0, "error": {"problem": "another"}}],
        ["text", None],
        {},
        None,
    ],
)
def test_entries_that_make_no_sense_fail_their_workload(entries):
    order = Order("a" * 32, ASKED.workloads[:1], SLOW)
    with saying(200, json.dumps({"job": "j", "claims": entries}).encode()) as url:
        (claim,) = RemoteProvider(url).fetch("j", order)
    assert isinstance(claim, ProviderError)


def test_an_envelope_of_another_version_is_an_error_in_its_place():
    said = document("j", (envelope_for(ASKED.workloads[0], IDEAL.model_copy(update={"shots": 100})),), ("f",))
    packed = bytearray(base64.b64decode(said["claims"][0]["envelope"]))
    packed[8] ^= 0xFF
    import hashlib

    said["claims"][0] |= {
        "envelope": base64.b64encode(packed).decode(),
        "sha256": hashlib.sha256(packed).hexdigest(),
    }
    with saying(200, json.dumps(said).encode()) as url:
        (claim,) = RemoteProvider(url).fetch("j", Order("a" * 32, ASKED.workloads[:1], SLOW))
    assert "cannot be read" in claim.problem


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"\xff\xfe\x00", b'{"job": 5}', b'{"jobs": [1]}'])
def test_answers_that_make_no_sense_never_become_a_job(body):
    with saying(200, body) as url:
        remote = RemoteProvider(url)
        assert remote.status("j").state == "unknown"
        for ask in (
            lambda: remote.submit(ASKED),
            lambda: remote.find(ASKED),
            lambda: remote.versions(SLOW),
            lambda: remote.calibration(SLOW),
        ):
            with pytest.raises(ProviderError) as caught:
                ask()
            assert caught.value.retry


@pytest.mark.parametrize("charge", [{"micros": -1}, {"micros": 1.5}, {"micros": True}, {"micros": "1"}, 5, [], None])
def test_a_charge_that_is_no_amount_is_none(charge):
    with saying(200, json.dumps({"status": "COMPLETED", "charge": charge, "seconds": [1]}).encode()) as url:
        status = RemoteProvider(url).status("j")
    assert (status.state, status.charge, status.seconds) == ("completed", None, {})


def test_address_and_token_come_from_the_environment(monkeypatch, service):
    monkeypatch.delenv("QUANTUM_ASSETS_REMOTE_URL", raising=False)
    assert "QUANTUM_ASSETS_REMOTE_URL is not set" in RemoteProvider().supports(ASKED.workloads[0], SLOW)
    with pytest.raises(PlanError, match="QUANTUM_ASSETS_REMOTE_URL: is not set"):
        RemoteProvider().status("j")
    monkeypatch.setenv("QUANTUM_ASSETS_REMOTE_URL", f"{service}/")
    assert RemoteProvider().supports(ASKED.workloads[0], SLOW) is None
    assert RemoteProvider().status("nobody").state == "unknown"


def test_a_token_is_carried_and_never_in_clear_text_over_a_network(monkeypatch, tmp_path):
    monkeypatch.setenv("QUANTUM_ASSETS_REMOTE_TOKEN", "s3cret")
    seen = []
    with saying(404, b"{}", seen) as url:
        RemoteProvider(url).status("j")
    assert seen[0]["Authorization"] == "Bearer s3cret"
    with pytest.raises(PlanError, match="in clear text") as caught:
        RemoteProvider("http://lab.example.org").status("j")
    assert "s3cret" not in str(caught.value)
    with running(Settings(tmp_path, token="s3cret")) as url:
        assert RemoteProvider(url).status("nobody").state == "unknown"
        monkeypatch.delenv("QUANTUM_ASSETS_REMOTE_TOKEN")
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            RemoteProvider(url).status("nobody")


@pytest.mark.parametrize("url", ["lab", "ftp://lab", "http://", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(url):
    with pytest.raises(PlanError, match="names no service"):
        RemoteProvider(url).status("j")


def test_proxies_of_the_environment_are_not_used(monkeypatch, service):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert RemoteProvider(service).status("nobody").state == "unknown"


def test_what_it_does_not_support_is_refused_before_it_is_sent():
    remote = RemoteProvider("http://127.0.0.1:9")
    workload = states_workload(ZZ, 2, 2)
    reason = remote.supports(workload, SLOW)
    with pytest.raises(ProviderError) as caught:
        remote.submit(Order("a" * 32, (workload,), SLOW))
    assert caught.value.problem == reason


def test_its_limits_are_those_of_a_durable_service():
    limits = RemoteProvider("http://127.0.0.1:9", same_key_same_job=True).limits(SLOW)
    assert (limits.durable, limits.same_key_same_job, limits.hardware) == (True, True, False)
    assert not RemoteProvider().limits(SLOW).same_key_same_job
