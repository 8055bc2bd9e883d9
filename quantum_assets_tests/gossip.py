"""Vendors that tell secrets: real exceptions with a credential in them, and a service that says what it hears."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import ProviderError
from quantum_assets.contracts.jobs import Calibration
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets_tests.execution.fakes import DurableVendor


def exceptions(secret: str) -> Mapping[str, Callable[[], Exception]]:
    """What SDKs raise, by name, with a secret in each place where one was ever seen."""
    return {
        "httpx_status": lambda: _http(401, secret),
        "httpx_server": lambda: _http(500, secret),
        "botocore_signature": lambda: _client_error("SignatureDoesNotMatch", 403, secret),
        "botocore_throttled": lambda: _client_error("ThrottlingException", 429, secret),
        "ibm_hidden": lambda: _ibm(secret),
        "chained": lambda: _chained(secret),
        "group": lambda: ExceptionGroup("several", [RuntimeError(secret), OSError(f"Bearer {secret}")]),
        "ours": lambda: ProviderError(f"service {secret}", f"said {secret!r}", "Ask again", retry=True),
    }


def _http(status: int, secret: str) -> Exception:
    import httpx

    request = httpx.Request("POST", f"https://user:{secret.replace('/', '%2F')}@vendor.example/jobs?token={secret}")
    response = httpx.Response(status, headers={"X-Echo": f"Bearer {secret}"}, text=secret, request=request)
    return httpx.HTTPStatusError(f"{status} for url '{request.url}': {secret}", request=request, response=response)


def _client_error(code: str, status: int, secret: str) -> Exception:
    from botocore.exceptions import ClientError

    told = f"Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/braket, Signature={secret}; key {secret}"
    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {"x-amz-security-token": secret}}
    return ClientError({"Error": {"Code": code, "Message": told}, "ResponseMetadata": metadata}, "CreateQuantumTask")


def _ibm(secret: str) -> Exception:
    """The runtime client hides its HTTP error behind ``from None``."""
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError

    try:
        try:
            raise RequestsApiError(f"401: {{'authorization': 'apikey {secret}'}}", status_code=401)  # noqa: TRY301
        except RequestsApiError as hidden:
            raise IBMRuntimeError(f"Failed to run program with token {secret}: {hidden}") from None
    except IBMRuntimeError as wrapped:
        return wrapped


def _chained(secret: str) -> Exception:
    """Harmless in front; the secret is in the cause, and in what was being handled."""
    try:
        try:
            raise KeyError(secret)  # noqa: TRY301
        except KeyError:
            raise OSError(f"https://user:{secret}@host refused") from ValueError(f"password={secret}")
    except OSError as cause:
        error = RuntimeError("it broke")
        error.__cause__ = cause
        return error


@dataclass
class Blabber(DurableVendor):
    """A vendor whose read-only calls may fail as well.

    Attributes:
        asides: What versions, calibration and cancel raise, by name.
    """

    asides: dict[str, Exception] = field(default_factory=dict)

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:
        self._aside("versions")
        return super().versions(profile)

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:
        self._aside("calibration")
        return super().calibration(profile)

    def cancel(self, job: str) -> None:
        self._aside("cancel")
        super().cancel(job)

    def _aside(self, name: str) -> None:
        if name in self.asides:
            raise self.asides[name]


def talkative(claim: ResultEnvelope, secret: str) -> ResultEnvelope:
    """A claim with the secret in every text that a vendor may fill."""
    told = {"engine": f"engine {secret}", "backend": f"backend {secret}", "versions": {f"sdk {secret}": f"1 {secret}"}}
    return replace(
        claim,
        effective=claim.effective.model_copy(update=told),
        job=f"job {secret}",
        calibration_digest=f"digest {secret}",
        currency=secret,
        metrics={**claim.metrics, f"depth {secret}": 3.0},
    )


@dataclass
class Echo:
    """A service that says back the credential it was sent, wherever it can.

    Attributes:
        url: Where it answers.
        manner: What it does with an order: denies, breaks, redirects, fails, mumbles or prattles.
        heard: Whether it was sent a credential at all.
    """

    url: str = ""
    manner: str = "denies"
    heard: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, credential: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and body."""
        headers = {"X-Echo": credential, "WWW-Authenticate": f'Bearer realm="{credential}"'}
        if path == "/health":
            return 200, headers, json.dumps({"versions": {"sdk": "1"}})
        if path == "/calibration":
            known = {"backend": "rehearsal", "version": "1", "digest": "a" * 64, "updated_at": ""}
            return (500, headers, credential) if self.manner == "prattles" else (200, headers, json.dumps(known))
        status = {"denies": 401, "breaks": 500, "redirects": 302}.get(self.manner)
        if status is not None:
            return status, {**headers, "Location": f"/login?token={credential}"}, json.dumps({"problem": credential})
        return self._job(method, path, credential, headers)

    def _job(self, method: str, path: str, credential: str, headers: dict[str, str]) -> tuple[int, dict[str, str], str]:
        if method == "POST":
            return 201, headers, json.dumps({"job": "job-1"})
        if path.startswith("/jobs?"):
            return 200, headers, json.dumps({"jobs": ["job-1"]})
        if path.endswith("/result"):
            return 409, headers, json.dumps({"problem": f"no result for {credential}"})
        if self.manner == "mumbles":
            return 200, headers, credential
        word = "FAILED" if self.manner == "fails" else "QUEUED"
        told: dict[str, Any] = {"status": word, "code": f"E {credential}", "message": f"your key {credential} is spent"}
        return 200, headers, json.dumps(told | {"charge": {"micros": 0}})


@contextmanager
def echoing() -> Iterator[Echo]:
    """An echo at a free port of loopback."""
    echo = Echo()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            credential = self.headers.get("Authorization", "")
            echo.heard.append(credential)
            status, headers, body = echo.answer(self.command, self.path, credential)
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body.encode()))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_POST = _answer  # noqa: N815 - the names are http.server's

        def log_message(self, *parts: object) -> None:
            """Say nothing: what is on trial is our side's log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    echo.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield echo
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
