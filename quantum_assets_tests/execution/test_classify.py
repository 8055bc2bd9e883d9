"""What failures mean: every rule of the shipped policy is met by the vendors' own exceptions, and by real answers.

The answers come over HTTP from a server on loopback, through the vendors' own clients, so that what is wrapped in what
is theirs and not ours.
"""

import builtins
import json
import pickle
import socket
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.client import IncompleteRead, RemoteDisconnected
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
import requests
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from quantum_assets.contracts.errors import BudgetError, LedgerError, PlanError, ProviderError, RejectedError
from quantum_assets.contracts.failure import Action, Failure, FailurePolicy, Phase, Rule
from quantum_assets.contracts.jobs import JobStatus
from quantum_assets.execution.breaker import BreakerOpen
from quantum_assets.execution.classify import classify, facts_of
from quantum_assets.execution.policy import read_policy

POLICY = read_policy()
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def failure_of(error: Any, phase: Phase = "status", **more: Any) -> Failure:
    return classify(error, provider="ibm", phase=phase, policy=POLICY, **more)


def raised(action: Callable[[], Any]) -> BaseException:
    try:
        action()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


# ------------------------------------------------------------------------------------------------- a server on loopback


class Answering(ThreadingHTTPServer):
    """Gives every request the answer that was set last."""

    daemon_threads = True
    status, headers, body = 200, dict[str, str](), b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def will(self, status: int, body: str = "", **headers: str) -> "Answering":
        self.status, self.body = status, body.encode()
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self


class Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.status)
        for name, value in {**self.server.headers, "Content-Length": str(len(self.server.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.server.body)

    do_POST = do_GET  # noqa: N815 - the base class names them so

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture(scope="module")
def server() -> Iterator[Answering]:
    with Answering(("127.0.0.1", 0), Handler) as answering:
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        yield answering
        answering.shutdown()


@pytest.fixture(scope="module")
def dead_url() -> str:
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def ibm_error(url: str, method: str = "GET", retries: int = 1) -> BaseException:
    """What the runtime client's own session raises."""
    from qiskit_ibm_runtime.api.session import RetrySession

    def ask() -> None:
        with closing(RetrySession(url, retries_total=retries, retries_connect=1, backoff_factor=0)) as session:
            session.trust_env = False
            session.request(method, "/jobs")

    return raised(ask)


def ibm_submit_error(url: str) -> BaseException:
    """The same, wrapped as `QiskitRuntimeService._run` wraps it: from None."""
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError

    def run() -> None:
        try:
            raise ibm_error(url, "POST")
        except RequestsApiError as ex:
            raise IBMRuntimeError(f"Failed to run program: {ex}") from None

    return raised(run)


def braket_error(url: str) -> BaseException:
    """What botocore raises of the real Braket service model."""
    import boto3
    from botocore.config import Config

    client = boto3.client(
        "braket",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    with closing(client):
        return raised(lambda: client.get_quantum_task(quantumTaskArn="arn:aws:braket:us-east-1:1:quantum-task/2"))


@pytest.mark.parametrize(
    ("status", "phase", "rule", "code"),
    [
        (400, "submit", "http_bad_request", "400"),
        (401, "status", "ibm_not_authorized", "401"),
        (403, "fetch", "http_not_authorized", "403"),
        (404, "status", "not_found", "404"),
        (404, "submit", "not_found_on_submit", "404"),
        (409, "status", "conflict", "409"),
        (422, "submit", "http_bad_request", "422"),
        (429, "submit", "throttled", "429"),
        (500, "status", "unavailable", "500"),
        (503, "status", "unavailable", "503"),
        (503, "submit", "unavailable_on_submit", "503"),
    ],
)
def test_real_answers_through_the_runtime_clients_session(server, status, phase, rule, code) -> None:
    error = ibm_error(server.will(status, json.dumps({"errors": []})).url)
    found = failure_of(error, phase)
    assert (found.rule.name, found.code) == (rule, code)


@pytest.mark.parametrize(
    ("status", "rule"),
    [(409, "conflict"), (429, "throttled"), (503, "unavailable_on_submit"), (403, "http_not_authorized")],
)
def test_the_code_is_found_though_the_client_raises_from_none(server, status, rule) -> None:
    error = ibm_submit_error(server.will(status).url)
    assert error.__cause__ is None
    assert error.__suppress_context__
    assert not hasattr(error, "status_code")
    assert failure_of(error, "submit").rule.name == rule


def test_a_refused_connection_and_a_vendors_code_in_the_body(server, dead_url) -> None:
    refused = failure_of(ibm_submit_error(dead_url), "submit")
    assert (refused.rule.name, refused.rule.action, refused.code) == ("unavailable_on_submit", Action.RETRY, "")
    assert refused.rule.counts_for_breaker

    body = json.dumps({"error": {"message": "The backend is not available", "code": 1004}})
    named = failure_of(ibm_submit_error(server.will(400, body).url), "submit")
    assert (named.rule.name, named.code) == ("ibm_backend_unavailable", "1004")


@pytest.mark.parametrize(
    ("status", "kind", "message", "rule"),
    [
        (403, "AccessDeniedException", "not allowed", "access_denied"),
        (424, "DeviceOfflineException", "offline", "device_offline"),
        (410, "DeviceRetiredException", "retired", "device_retired"),
        (500, "InternalServiceException", "unknown error", "unavailable"),
        (402, "ServiceQuotaExceededException", "quota", "service_quota"),
        (402, "ServiceQuotaExceededException", "too many concurrent quantum tasks", "concurrent_quota"),
        (429, "ThrottlingException", "rate", "throttled"),
        (400, "ThrottlingException", "Rate exceeded", "aws_throttled"),
        (400, "ValidationException", "shots", "aws_validation"),
        (400, "ValidationException", "The spending limit of the device is exceeded", "spending_limit"),
        (404, "ResourceNotFoundException", "no task", "not_found"),
        (409, "ConflictException", "conflict", "conflict"),
        (403, "RequestTimeTooSkewed", "clock", "clock_skew"),
    ],
)
def test_real_answers_through_botocore(server, status, kind, message, rule) -> None:
    body = json.dumps({"message": message})
    error = braket_error(server.will(status, body, x_amzn_ErrorType=kind, Content_Type="application/json").url)
    assert "ClientError" in {kind.__name__ for kind in type(error).__mro__}
    found = failure_of(error)
    assert (found.rule.name, found.code) == (rule, kind)
    assert message in found.message


def test_botocore_without_a_server(dead_url) -> None:
    error = braket_error(dead_url)
    assert type(error).__name__ == "EndpointConnectionError"
    assert failure_of(error).rule.name == "network"
    assert failure_of(error, "submit").rule.name == "network_on_submit"


def test_other_http_clients(server, dead_url) -> None:
    server.will(503)

    def with_httpx() -> None:
        with httpx.Client(trust_env=False) as client:
            client.get(server.url).raise_for_status()

    def with_requests() -> None:
        with requests.Session() as session:
            session.trust_env = False
            session.get(server.url).raise_for_status()

    def with_urllib() -> None:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(server.url)

    for ask in (with_httpx, with_requests, with_urllib):
        error = raised(ask)
        assert (failure_of(error).rule.name, failure_of(error).code) == ("unavailable", "503"), ask
        if isinstance(error, urllib.error.HTTPError):
            error.close()
    for gone in (
        lambda: httpx.get(dead_url, trust_env=False),
        lambda: urllib3.PoolManager(retries=False).request("GET", dead_url),
        lambda: urllib.request.build_opener(urllib.request.ProxyHandler({})).open(dead_url),
    ):
        assert failure_of(raised(gone)).rule.name == "network", gone


# ----------------------------------------------------------------------------------------------------- Retry-After


def test_retry_after_in_seconds_through_every_client(server) -> None:
    server.will(429, "{}", Retry_After="7", Content_Type="application/json")
    assert failure_of(ibm_error(server.url, retries=0)).retry_after == 7
    assert failure_of(ibm_submit_error(server.url), "submit").retry_after == 7
    assert failure_of(braket_error(server.url)).retry_after == 7
    with httpx.Client(trust_env=False) as client:
        assert failure_of(raised(lambda: client.get(server.url).raise_for_status())).retry_after == 7


def test_retry_after_of_a_maintenance_that_the_client_raises_without_a_cause(server) -> None:
    """As the runtime client does for a 503: raised anew while the HTTP error is being handled."""
    server.will(503, Retry_After="120")

    def ask() -> None:
        with requests.Session() as session:
            session.trust_env = False
            try:
                session.get(server.url).raise_for_status()
            except requests.exceptions.RequestException:
                raise ibm("RequestsApiError", "maintenance")  # noqa: B904 - as it does

    found = failure_of(raised(ask))
    assert (found.rule.name, found.code, found.retry_after) == ("unavailable", "503", 120)


def test_retry_after_as_a_date_counts_from_the_responses_own_date() -> None:
    error = Answered(503, {"retry-after": format_datetime(NOON + timedelta(seconds=90)), "Date": format_datetime(NOON)})
    assert failure_of(error, now=NOON + timedelta(days=400)).retry_after == 90
    without = Answered(503, {"Retry-After": format_datetime(NOON + timedelta(seconds=90))})
    assert failure_of(without, now=NOON + timedelta(seconds=30)).retry_after == 60
    assert failure_of(without, now=NOON + timedelta(days=1)).retry_after == 0


@pytest.mark.parametrize("value", ["soon", "-5", "", "nan", "1e9", "Fri, 99 Nov 99999999999 99:99:99 GMT"])
def test_retry_after_that_nobody_can_keep_is_none(value) -> None:
    assert failure_of(Answered(429, {"Retry-After": value})).retry_after is None


def test_botocore_metadata_may_hold_retry_after_itself() -> None:
    response = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503, "RetryAfter": 12}}
    found = failure_of(boto("ClientError", response, "GetObject"), "fetch")
    assert (found.rule.name, found.retry_after, found.code) == ("aws_throttled", 12, "SlowDown")


class Answered(Exception):
    """An exception with a response, as any SDK has it."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        super().__init__(f"status {status}")
        self.response = SimpleNamespace(status_code=status, headers=headers)


# --------------------------------------------------------------------------------------- every rule has an example


def ibm(name: str, *args: Any) -> BaseException:
    from qiskit_ibm_runtime import exceptions
    from qiskit_ibm_runtime.api import exceptions as api_exceptions

    return getattr(exceptions, name, None)(*args) if hasattr(exceptions, name) else getattr(api_exceptions, name)(*args)


def failed_job(code: str) -> BaseException:
    """As `RuntimeJobV2.result` raises it."""
    return ibm("RuntimeJobFailureError", f"Unable to retrieve job result. Error code {code}; it did not run")


def qiskit_error(module: str, name: str) -> BaseException:
    import importlib

    return getattr(importlib.import_module(module), name)("broken")


def boto(name: str, *args: Any, **fields: Any) -> BaseException:
    import botocore.exceptions

    return getattr(botocore.exceptions, name)(*args, **fields)


def client_error(code: str, message: str = "said") -> BaseException:
    return boto("ClientError", {"Error": {"Code": code, "Message": message}}, "CreateQuantumTask")


def import_error() -> BaseException:
    return raised(lambda: builtins.__import__("a_vendor_that_is_not_installed"))


EXAMPLES: list[tuple[str, Phase, Callable[[], Any]]] = [
    ("plan_error", "submit", lambda: PlanError("a", "b", "c")),
    ("budget_used_up", "submit", lambda: BudgetError("a", "b", "c")),
    ("approval_missing", "submit", lambda: BudgetError("a", "1.00 USD on b lacks an approval: high_shots", "c")),
    ("breaker_open_on_submit", "submit", lambda: BreakerOpen("ibm", "ibm_x", NOON, NOON)),
    ("breaker_open", "status", lambda: BreakerOpen("ibm", "ibm_x", NOON, NOON)),
    ("ledger_trouble", "fetch", lambda: LedgerError("a", "b", "c")),
    ("answer_to_another_question", "result", lambda: ["answers_the_question: it answers workload ab, asked was cd"]),
    ("answer_made_up", "result", lambda: ("not_mocked: the outcomes are made up",)),
    ("profile_not_honoured", "result", lambda: ["profile_honoured: shots: asked for 100, ran with 4000"]),
    ("answer_out_of_statistics", "result", lambda: ["crosscheck: the cross-check z-score is 9.1, allowed is 0 to 6"]),
    ("answer_refused", "result", lambda: RejectedError("ibm", ["3 of 9 outcomes are NaN or infinite"])),
    ("usage_limit", "submit", lambda: UserWarning("This instance has met its usage limit. Workloads will not run")),
    ("ibm_quota", "submit", lambda: ibm("RequestsApiError", "Error code: 4317.", 400)),
    ("spending_limit", "submit", lambda: client_error("ValidationException", "Spending limit exceeded for device")),
    ("concurrent_quota", "submit", lambda: client_error("ServiceQuotaExceededException", "concurrent quantum tasks")),
    ("service_quota", "submit", lambda: client_error("ServiceQuotaExceededException")),
    ("payment_required", "submit", lambda: Answered(402, {})),
    ("throttled", "submit", lambda: ibm("RequestsApiError", "slow", 429)),
    ("aws_throttled", "status", lambda: client_error("ThrottlingException")),
    ("job_limit", "submit", lambda: ibm("RequestsApiError", "full, Error code: 3458.", 400)),
    ("pending_jobs", "submit", lambda: ibm("IBMRuntimeError", "You have reached the limit of 3 pending jobs.")),
    ("clock_skew", "submit", lambda: client_error("RequestExpired")),
    ("access_denied", "submit", lambda: client_error("AccessDeniedException")),
    ("aws_credentials", "submit", lambda: boto("NoCredentialsError")),
    ("ibm_not_authorized", "submit", lambda: ibm("IBMAccountError", "no account")),
    ("ibm_account", "submit", lambda: ibm("RequestsApiError", "Error code: 3407.", 400)),
    ("http_not_authorized", "submit", lambda: ibm("RequestsApiError", "no", 403)),
    ("tls_not_trusted", "submit", lambda: requests.exceptions.SSLError("[SSL: CERTIFICATE_VERIFY_FAILED] unknown CA")),
    ("waited_too_long", "fetch", lambda: ibm("RuntimeJobTimeoutError", "Timed out waiting for job")),
    ("ran_too_long", "fetch", lambda: ibm("RuntimeJobMaxTimeoutError", "Error code 1305; ran too long")),
    ("ibm_too_long", "status", lambda: JobStatus("failed", "FAILED", code="1305", message="ran too long")),
    ("circuit_too_complex", "status", lambda: JobStatus("failed", "FAILED", message="QuantumCircuitComplexityError")),
    ("too_many_shots", "submit", lambda: ibm("RequestsApiError", "Error code: 6000.", 400)),
    ("too_few_shots", "submit", lambda: ibm("RequestsApiError", "Error code: 6001.", 400)),
    ("too_many_circuits", "submit", lambda: ibm("RequestsApiError", "Error code: 3242.", 400)),
    ("payload_too_large", "submit", lambda: ibm("RequestsApiError", "large", 413)),
    ("out_of_memory", "submit", MemoryError),
    ("ibm_backend_unavailable", "fetch", lambda: failed_job("2615")),
    ("ibm_backend_unsuitable", "fetch", lambda: failed_job("1109")),
    ("backend_not_found", "submit", lambda: qiskit_error("qiskit.providers.exceptions", "QiskitBackendNotFoundError")),
    ("device_offline", "submit", lambda: client_error("DeviceOfflineException")),
    ("device_retired", "submit", lambda: client_error("DeviceRetiredException")),
    ("device_gone", "submit", lambda: Answered(410, {})),
    ("not_enough_qubits", "status", lambda: JobStatus("failed", "FAILED", message="NotEnoughQubits: 30 needed")),
    ("circuit_too_wide", "submit", lambda: qiskit_error("qiskit.transpiler.exceptions", "CircuitTooWideForTarget")),
    ("ibm_run_failed", "fetch", lambda: failed_job("5203")),
    ("ibm_try_again", "submit", lambda: ibm("RequestsApiError", "Error code: 3233.", 400)),
    ("ibm_maintenance", "status", lambda: failed_job("1999")),
    ("ibm_session_closed", "fetch", lambda: failed_job("4001")),
    ("ibm_internal", "fetch", lambda: failed_job("9999")),
    ("job_cancelled_by_user", "status", lambda: JobStatus("cancelled", "CANCELLED", message="Cancelled by user")),
    ("ibm_cancelled", "status", lambda: JobStatus("cancelled", "CANCELLED", code="5202")),
    ("job_cancelled", "status", lambda: JobStatus("cancelled", "CANCELLED")),
    ("cancelled_result", "fetch", lambda: ibm("RuntimeInvalidStateError", "Unable to retrieve. Job was cancelled.")),
    (
        "invalid_state",
        "status",
        lambda: ibm("RuntimeInvalidStateError", "Job cannot be cancelled: it is final"),
    ),
    ("job_not_found", "status", lambda: ibm("RuntimeJobNotFound", "Job not found: x")),
    ("ibm_job_not_found", "status", lambda: ibm("RequestsApiError", "Error code: 3250.", 404)),
    ("job_unknown", "status", lambda: JobStatus("unknown", "DEFROSTING")),
    ("program_not_found", "submit", lambda: ibm("RuntimeProgramNotFound", "Program not found: sampler")),
    ("ibm_bad_input", "fetch", lambda: failed_job("7004")),
    (
        "ibm_input_value",
        "submit",
        lambda: ibm("IBMInputValueError", "instruction h is not supported by the target"),
    ),
    ("option_without_effect", "submit", lambda: UserWarning("Options ... have no effect in local testing mode.")),
    ("circuit_invalid", "submit", lambda: qiskit_error("qiskit.circuit.exceptions", "CircuitError")),
    ("vendor_input", "status", lambda: JobStatus("failed", "FAILED", message="InvalidInput: gate")),
    ("aws_validation", "submit", lambda: client_error("ValidationException", "shots must be positive")),
    ("aws_parameters", "submit", lambda: boto("ParamValidationError", report="Missing parameter: shots")),
    ("http_bad_request", "submit", lambda: ibm("RequestsApiError", "bad", 422)),
    ("bad_address", "submit", lambda: requests.exceptions.MissingSchema("no scheme")),
    ("not_installed", "submit", import_error),
    ("unavailable_on_submit", "submit", lambda: ibm("RequestsApiError", "gone")),
    ("unavailable", "status", lambda: ibm("RequestsApiError", "gone")),
    ("aws_internal_on_submit", "submit", lambda: client_error("InternalServiceException")),
    ("aws_internal", "fetch", lambda: client_error("InternalServiceException")),
    ("not_found_on_submit", "submit", lambda: ibm("RequestsApiError", "no", 404)),
    ("not_found", "status", lambda: ibm("RequestsApiError", "no", 404)),
    ("conflict", "status", lambda: ibm("RequestsApiError", "no", 409)),
    ("garbled_on_submit", "submit", lambda: raised(lambda: json.loads("<html>"))),
    ("garbled", "status", lambda: ibm("IBMBackendApiProtocolError", "unexpected")),
    ("provider_try_again", "fetch", lambda: ProviderError("aer", "busy", "Wait", retry=True)),
    ("provider_refuses", "submit", lambda: ProviderError("aer", "no noise here", "Choose another")),
    ("network_on_submit", "submit", lambda: httpx.ConnectTimeout("slow")),
    ("network", "fetch", lambda: requests.exceptions.ReadTimeout("slow")),
    ("local_file", "submit", lambda: FileNotFoundError("calibration.json")),
    ("system_call", "submit", lambda: OSError("too many open files")),
    ("simulator_failed", "submit", lambda: qiskit_error("qiskit_aer", "AerError")),
    ("job_failed", "status", lambda: JobStatus("failed", "FAILED", message="something else")),
    ("unknown", "submit", lambda: RuntimeError("never seen before")),
]


@pytest.mark.parametrize(("rule", "phase", "example"), EXAMPLES, ids=[name for name, _, _ in EXAMPLES])
def test_every_rule_is_met_by_a_real_failure(rule, phase, example) -> None:
    assert failure_of(example(), phase).rule.name == rule


def test_no_rule_is_without_an_example() -> None:
    assert {name for name, _, _ in EXAMPLES} == {rule.name for rule in POLICY.rules}


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"),
        ConnectionResetError("reset"),
        TimeoutError("slow"),
        socket.gaierror(-2, "Name or service not known"),
        ssl.SSLError("bad record mac"),
        RemoteDisconnected("closed"),
        IncompleteRead(b"half", 9),
        TimeoutError(),
        requests.exceptions.ConnectionError("refused"),
        requests.exceptions.ChunkedEncodingError("short"),
        httpx.ReadError("reset"),
        httpx.PoolTimeout("busy"),
        urllib3.exceptions.ReadTimeoutError(None, "/", "slow"),
        urllib3.exceptions.NewConnectionError(None, "refused"),
        lambda: boto("ReadTimeoutError", endpoint_url="x"),
        lambda: boto("ConnectionClosedError", endpoint_url="x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_kind_of_network_trouble_is_tried_again_and_counts(error) -> None:
    error = error if isinstance(error, Exception) else error()
    for phase in ("submit", "status", "fetch"):
        rule = failure_of(error, phase).rule
        assert rule.action is Action.RETRY
        assert rule.counts_for_breaker


@pytest.mark.parametrize(
    ("phase", "name", "status", "action"),
    [
        ("status", "RequestsApiError", -1, Action.RETRY),
        ("fetch", "RequestsApiError", 502, Action.RETRY),
        ("fetch", "RuntimeJobTimeoutError", None, Action.REATTACH),
        ("fetch", "RuntimeJobMaxTimeoutError", None, Action.MODIFY),
        ("submit", "IBMInputValueError", None, Action.FATAL),
        ("submit", "IBMNotAuthorizedError", None, Action.FATAL),
        ("submit", "IBMAccountError", None, Action.FATAL),
    ],
)
def test_rows_of_the_fields_table_by_class(phase, name, status, action) -> None:
    error = ibm(name, "said") if status is None else ibm(name, "said", status)
    assert failure_of(error, phase).rule.action is action


@pytest.mark.parametrize(
    ("codes", "action", "at_most", "breaker"),
    [
        (("1012", "3458", "1202"), Action.RETRY, 10, False),
        (("1305", "5201", "3248", "8031"), Action.MODIFY, 4, False),
        (("1103", "6000"), Action.MODIFY, 6, False),
        (("3242",), Action.MODIFY, 5, False),
        (("1004", "1009", "2615"), Action.MODIFY, 5, True),
        (("5203", "5204", "1000", "1010"), Action.RETRY, 1, True),
        (("9999",), Action.FALL_BACK, 3, True),
        (("7000", "7001", "7006", "8013"), Action.FATAL, 3, False),
    ],
)
def test_rows_of_the_fields_table_by_code(codes, action, at_most, breaker) -> None:
    for code in codes:
        for error in (failed_job(code), JobStatus("failed", "FAILED", code=code, message="x")):
            found = failure_of(error)
            assert (found.rule.action, found.rule.counts_for_breaker, found.code) == (action, breaker, code)
            assert found.rule.at_most == at_most


def test_a_429_is_slow_and_says_nothing_of_the_backend() -> None:
    rule = failure_of(ibm("RequestsApiError", "slow", 429)).rule
    assert rule.backoff_seconds >= 30
    assert not rule.counts_for_breaker


def test_an_unknown_code_falls_back_and_alerts() -> None:
    for error in (failed_job("8999"), JobStatus("failed", "FAILED", code="4711"), KeyError("result")):
        rule = failure_of(error).rule
        assert rule.action is Action.FALL_BACK
        assert rule.alert


# ------------------------------------------------------------------------------------------------- families and texts


def test_what_was_being_handled_meanwhile_is_another_story() -> None:
    def looked_up_after_a_refusal() -> None:
        try:
            raise ibm("RequestsApiError", "not you", 401)  # noqa: TRY301
        except Exception:
            raise ibm("RequestsApiError", "gone", 503)  # noqa: B904 - implicit on purpose

    assert failure_of(raised(looked_up_after_a_refusal)).rule.name == "unavailable"


def test_it_is_asked_when_nothing_else_is_known() -> None:
    def wrapped_carelessly() -> None:
        try:
            raise ibm("RequestsApiError", "gone", 503)  # noqa: TRY301
        except Exception:
            raise RuntimeError("could not submit")  # noqa: B904 - implicit on purpose

    found = failure_of(raised(wrapped_carelessly))
    assert (found.rule.name, found.code) == ("unavailable", "503")


def test_groups_arguments_loops_and_strange_messages() -> None:
    group = ExceptionGroup("two", [ValueError("x"), ConnectionResetError("reset")])
    assert failure_of(group).rule.name == "network"

    loop = RuntimeError("a")
    loop.__cause__ = ValueError("b")
    loop.__cause__.__cause__ = loop
    assert failure_of(loop).rule.name == "unknown"

    class Unprintable(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    assert "could not be printed" in failure_of(Unprintable()).message


def test_text_of_exhausted_retries_names_the_status() -> None:
    error = requests.exceptions.RetryError(
        "Max retries exceeded (Caused by ResponseError('too many 504 error responses'))"
    )
    assert (failure_of(error).rule.name, failure_of(error).code) == ("unavailable", "504")


def test_messages_are_short_one_line_and_without_secrets(monkeypatch) -> None:
    monkeypatch.setenv("VENDOR_TOKEN", "tok-5f2e9a77c1d04b")
    error = RuntimeError("line one\nAuthorization: Bearer tok-5f2e9a77c1d04b " + "x" * 480 + "tok-5f2e9a77c1d04b" * 40)
    message = failure_of(error).message
    assert len(message) <= 500
    assert "\n" not in message
    assert "tok-5" not in message


def test_a_failure_survives_a_process_pool_and_speaks() -> None:
    found = failure_of(failed_job("9999"))
    assert pickle.loads(pickle.dumps(found)) == found
    assert found.sentence.startswith("ibm status ibm_internal (9999): ")


def test_conditions_are_joined_and_provider_and_phase_are_conditions() -> None:
    rules = (
        Rule(name="both", provider="^braket$", phase="fetch", text="half", action=Action.RETRY, mend="Wait"),
        Rule(name="rest", action=Action.FALL_BACK, mend="Read"),
    )
    policy = FailurePolicy(rules=rules)

    def name(provider: str, phase: Phase, text: str) -> str:
        return classify(RuntimeError(text), provider=provider, phase=phase, policy=policy).rule.name

    assert name("braket", "fetch", "half an answer") == "both"
    assert name("ibm", "fetch", "half an answer") == "rest"
    assert name("braket", "status", "half an answer") == "rest"
    assert name("braket", "fetch", "nothing") == "rest"


@given(st.text(max_size=300), st.sampled_from(["submit", "status", "fetch", "result"]), st.integers(-1, 700))
def test_anything_is_classified(text, phase, number) -> None:
    error = Answered(number, {"Retry-After": text})
    error.args = (text, number)
    error.code = text  # type: ignore[attr-defined]
    for thing in (error, JobStatus("failed", text, code=text, message=text), [text]):
        found = failure_of(thing, phase)
        assert found.rule in POLICY.rules
        assert len(found.message) <= 500
        assert found.retry_after is None or found.retry_after >= 0


def test_facts_are_nearest_first() -> None:
    error = RuntimeError("outer")
    error.__cause__ = ibm("RequestsApiError", "inner, Error code: 1004.", 400)
    facts = facts_of(error)
    assert facts.names[0] == "RuntimeError"
    assert facts.statuses == (400,)
    assert facts.codes == ("1004",)
    assert facts.said == "outer"
