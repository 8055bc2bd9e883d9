"""The sidecar as a provider: orders go to `quantum_assets.service` over HTTP, and jobs outlive whoever submitted them.

The address comes from QUANTUM_ASSETS_REMOTE_URL and the token from QUANTUM_ASSETS_REMOTE_TOKEN, read at every call.
httpx's exceptions pass through as they are. What arrives is believed as little as any claim: an entry that is missing,
double, altered or unreadable fails its own workload, and the rest of the order stands.
"""

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from quantum_assets.contracts.envelope import ResultEnvelope
from quantum_assets.contracts.errors import PlanError, ProviderError
from quantum_assets.contracts.jobs import BackendFact, Calibration, Charge, JobState, JobStatus, Limits, Order
from quantum_assets.contracts.profile import ExecutionProfile
from quantum_assets.contracts.wire import pack_order, unpack_envelope
from quantum_assets.contracts.workload import Workload
from quantum_assets.providers.base import require_support
from quantum_assets.providers.qpy import circuit_of
from quantum_assets.providers.rehearsal import Rehearsal

if TYPE_CHECKING:
    import httpx

URL_VARIABLE = "QUANTUM_ASSETS_REMOTE_URL"
TOKEN_VARIABLE = "QUANTUM_ASSETS_REMOTE_TOKEN"  # noqa: S105 - the name of the variable, not its value

_STATES: Mapping[str, JobState] = {
    "QUEUED": "queued",
    "RUNNING": "running",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MAX_WORKLOADS = 64

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class RemoteProvider:
    """Managed profiles, run by the service at an address.

    Attributes:
        url: Address of the service; empty: that of QUANTUM_ASSETS_REMOTE_URL.
        name: The name that profiles use.
        connect_seconds: Longest wait for a connection.
        timeout_seconds: Longest wait for each piece of an answer.
        same_key_same_job: Whether to rely on the service's promise that one key makes one job; ``/health`` says whether
            it makes it. Off: a look-up proves it.
        settle_seconds: How long a request that was cut off may still be on its way.
        poll_seconds: How often asking makes sense.
    """

    url: str = ""
    name: str = "remote"
    connect_seconds: float = 5.0
    timeout_seconds: float = 30.0
    same_key_same_job: bool = False
    settle_seconds: float = 1.0
    poll_seconds: float = 1.0

    def supports(self, workload: Workload, profile: ExecutionProfile) -> str | None:
        """None when an address is known and the service's simulators can run it; else the reason."""
        if not self._url():
            return f"no address is known: {URL_VARIABLE} is not set"
        return Rehearsal(self.name).supports(workload, profile)

    def versions(self, profile: ExecutionProfile) -> dict[str, str]:  # noqa: ARG002 - a part of the protocol
        """Packages installed where the service runs, which it tells; they need not be those installed here.

        Raises:
            ProviderError: When the answer names none.
            httpx.HTTPError: When there is none.
        """
        said = _read(self._call("GET", "/health"), "GET /health").get("versions")
        if not isinstance(said, dict) or not said:
            raise _unreadable("GET /health", "names no versions")
        return {str(package): str(version) for package, version in said.items()}

    def limits(self, profile: ExecutionProfile) -> Limits:  # noqa: ARG002 - a part of the protocol
        """Durable jobs; circuits are bounded by the memory guard of `supports` and by the size of a request."""
        return Limits(
            max_workloads=_MAX_WORKLOADS,
            durable=True,
            same_key_same_job=self.same_key_same_job,
            settle_seconds=self.settle_seconds,
            poll_seconds=self.poll_seconds,
            bills=True,
        )

    def calibration(self, profile: ExecutionProfile) -> Calibration | None:  # noqa: ARG002 - a part of the protocol
        """What the service says of its backend now.

        Raises:
            ProviderError: When the answer is no calibration.
            httpx.HTTPError: When there is none.
        """
        said = _read(self._call("GET", "/calibration"), "GET /calibration")
        try:
            return Calibration(**{name: str(said[name]) for name in ("backend", "version", "digest", "updated_at")})
        except KeyError as missing:
            raise _unreadable("GET /calibration", f"lacks {missing}") from None

    def backends(self, profile: ExecutionProfile) -> tuple[BackendFact, ...]:  # noqa: ARG002 - a part of the protocol
        """None to choose among: the service has one backend."""
        return ()

    def submit(self, order: Order) -> str:
        """Post the order; the service runs it when its time comes.

        Raises:
            ProviderError: When a workload is not supported or its circuit cannot be read, or the answer names no job.
            httpx.HTTPError: When the service refuses it or does not answer; it may have accepted it all the same.
        """
        for workload in order.workloads:
            require_support(self, workload, order.profile)
            circuit_of(workload.circuit)  # what cannot be read there is not sent, for every submission costs
        headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": order.key}
        said = _read(self._call("POST", "/jobs", content=pack_order(order), headers=headers), "POST /jobs")
        job = said.get("job")
        if not isinstance(job, str) or not job:
            raise _unreadable("POST /jobs", "names no job")
        return job

    def find(self, order: Order) -> str | None:
        """The first job accepted under the order's key; None when the service knows none.

        Raises:
            ProviderError: When the answer is no list of jobs.
            httpx.HTTPError: When there is none.
        """
        jobs = _read(self._call("GET", f"/jobs?key={quote(order.key, safe='')}"), "GET /jobs").get("jobs")
        if not isinstance(jobs, list) or not all(isinstance(job, str) and job for job in jobs):
            raise _unreadable("GET /jobs", "holds no list of jobs")
        return jobs[0] if jobs else None

    def status(self, job: str) -> JobStatus:
        """How the job is doing; unknown for a job the service does not know, and for any word that we do not.

        Raises:
            httpx.HTTPError: When the service refuses or does not answer.
        """
        answer = self._call("GET", f"/jobs/{quote(job, safe='')}", allow=404)
        if answer.status_code == 404:
            return JobStatus("unknown", "not found")
        try:
            said = _read(answer, "GET /jobs/…")
        except ProviderError:
            return JobStatus("unknown", answer.text[:80])
        word = str(said.get("status", ""))
        position = said.get("queue_position")
        return JobStatus(
            state=_STATES.get(word.upper(), "unknown"),
            raw=word,
            queue_position=position if isinstance(position, int) else None,
            code=str(said.get("code", "")),
            message=str(said.get("message", "")),
            charge=_charge(said.get("charge")),
            seconds=_seconds(said.get("seconds")),
        )

    def fetch(self, job: str, order: Order) -> tuple[ResultEnvelope | ProviderError, ...]:
        """The claims of a completed job, one a workload; what did not come whole is a `ProviderError` in its place.

        Raises:
            ProviderError: When the answer cannot be read at all, or is another job's.
            httpx.HTTPError: When the service refuses (409: it has no result yet) or does not answer.
        """
        said = _read(self._call("GET", f"/jobs/{quote(job, safe='')}/result"), f"result of job {job[:12]}")
        if said.get("job") != job:
            raise _unreadable(f"result of job {job[:12]}", f"is that of job {str(said.get('job'))[:12]}")
        claims = said.get("claims")
        entries = [entry for entry in claims if isinstance(entry, dict)] if isinstance(claims, list) else []
        return tuple(_claim(entries, at, f"job {job[:12]}, workload {at}") for at in range(len(order.workloads)))

    def cancel(self, job: str) -> None:
        """Ask that the job be ended; harmless for one that has ended or that the service does not know.

        Raises:
            httpx.HTTPError: When the service refuses or does not answer.
        """
        self._call("POST", f"/jobs/{quote(job, safe='')}/cancel", allow=404)

    def _url(self) -> str:
        return (self.url or os.environ.get(URL_VARIABLE, "")).rstrip("/")

    def _call(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        allow: int | None = None,
    ) -> "httpx.Response":
        """One request over a connection of its own; nothing but our own variables of the environment is heeded."""
        import httpx

        url = _checked(self._url())
        timeout = httpx.Timeout(self.timeout_seconds, connect=self.connect_seconds)
        everything = {**(headers or {}), **_authorization(url)}
        # proxies and .netrc of the environment would send orders, or other services' credentials, elsewhere
        with httpx.Client(timeout=timeout, trust_env=False, verify=url.startswith("https:")) as client:
            answer = client.request(method, url + path, content=content, headers=everything)
        if answer.status_code != allow:
            answer.raise_for_status()
        return answer


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise PlanError(URL_VARIABLE, "holds a user or a password", f"Put the credential into {TOKEN_VARIABLE}")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise PlanError(
            URL_VARIABLE,
            "names no service: an address begins with http:// or https://" if url else "is not set",
            "Start `python -m quantum_assets.service --home DIR` and set it to the address that it prints",
        )
    return url


def _authorization(url: str) -> dict[str, str]:
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        return {}
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise PlanError(TOKEN_VARIABLE, f"would go to {parts.hostname} in clear text", f"Use https in {URL_VARIABLE}")
    return {"Authorization": f"Bearer {token}"}


def _read(answer: "httpx.Response", what: str) -> dict[str, Any]:
    try:
        said = json.loads(answer.content)
    except ValueError as error:
        raise _unreadable(what, f"is no JSON: {type(error).__name__}") from None
    if not isinstance(said, dict):
        raise _unreadable(what, "is no JSON object")
    return said


def _claim(entries: list[dict[str, Any]], position: int, culprit: str) -> ResultEnvelope | ProviderError:
    """The claim of one workload: its entry must be there, once, whole and readable."""
    mine = [entry for entry in entries if entry.get("position") == position]
    if not mine:
        return _unreadable(culprit, "is missing from the result")
    if any(entry != mine[0] for entry in mine):
        return _unreadable(culprit, "has two answers that differ")
    return _told_error(mine[0]["error"], culprit) if "error" in mine[0] else _unpacked(mine[0], culprit)


def _unpacked(entry: dict[str, Any], culprit: str) -> ResultEnvelope | ProviderError:
    try:
        packed = base64.b64decode(str(entry.get("envelope", "")), validate=True)
        if hashlib.sha256(packed).hexdigest() != entry.get("sha256"):
            return _unreadable(culprit, "was altered on its way: its sha256 differs")
        return unpack_envelope(packed)
    except binascii.Error:
        return _unreadable(culprit, "is no base64")
    except PlanError as error:
        return _unreadable(culprit, f"cannot be read: {error.problem}")


def _told_error(error: object, culprit: str) -> ProviderError:
    if not isinstance(error, dict):
        return _unreadable(culprit, "failed without saying why")
    words = [str(error.get(part, "")) for part in ("problem", "mend")]
    return ProviderError(culprit, words[0] or "failed", words[1] or "Look at the service", error.get("retry") is True)


def _charge(said: object) -> Charge | None:
    """A whole number of millionths, not negative; anything else is no charge that could be settled."""
    micros = said.get("micros") if isinstance(said, dict) else None
    if not isinstance(said, dict) or not isinstance(micros, int) or isinstance(micros, bool) or micros < 0:
        return None
    return Charge(micros, str(said.get("currency", "USD")))


def _seconds(said: object) -> dict[str, float]:
    if not isinstance(said, dict):
        return {}
    return {str(name): float(value) for name, value in said.items() if isinstance(value, int | float)}


def _unreadable(culprit: str, problem: str) -> ProviderError:
    return ProviderError(culprit, problem, "Ask again; if it stays so, look at the service", retry=True)
