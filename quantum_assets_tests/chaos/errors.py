"""The vendors' real exceptions, made as their SDKs make them, by name; nothing here imports an SDK before it is asked.

`GROUPS` says what each is to a person; a test asks the shipped failure policy whether it agrees.
"""

import errno
from collections.abc import Callable, Mapping
from types import MappingProxyType

RETRY_AFTER = 7


def _ibm_wrapped(message: str, status: int) -> Exception:
    """As `QiskitRuntimeService._run` raises it: the HTTP status is only on the exception hidden by ``from None``."""
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError
    from qiskit_ibm_runtime.exceptions import IBMRuntimeError

    try:
        try:
            raise RequestsApiError(message, status_code=status)  # noqa: TRY301 - hidden on purpose
        except RequestsApiError as hidden:
            raise IBMRuntimeError(f"Failed to run program: {hidden}") from None
    except IBMRuntimeError as wrapped:
        return wrapped


def _ibm_api(message: str, status: int) -> Exception:
    from qiskit_ibm_runtime.api.exceptions import RequestsApiError

    return RequestsApiError(message, status_code=status)


def _ibm(name: str, message: str) -> Exception:
    from qiskit_ibm_runtime import exceptions

    made = getattr(exceptions, name)(message)
    assert isinstance(made, Exception)
    return made


def _backend_not_found() -> Exception:
    from qiskit.providers.exceptions import QiskitBackendNotFoundError

    return QiskitBackendNotFoundError("No backend matches the criteria.")


def _braket(code: str, message: str, status: int, operation: str = "CreateQuantumTask") -> Exception:
    from botocore.exceptions import ClientError

    metadata = {"HTTPStatusCode": status, "HTTPHeaders": {"retry-after": str(RETRY_AFTER)} if status == 429 else {}}
    return ClientError({"Error": {"Code": code, "Message": message}, "ResponseMetadata": metadata}, operation)


def _braket_unreachable() -> Exception:
    from botocore.exceptions import EndpointConnectionError

    return EndpointConnectionError(endpoint_url="https://braket.example.org")


def _http(status: int) -> Exception:
    import httpx

    headers = {"Retry-After": str(RETRY_AFTER)} if status in (429, 503) else {}
    response = httpx.Response(status, headers=headers, request=httpx.Request("POST", "http://127.0.0.1:9/jobs"))
    return httpx.HTTPStatusError(f"HTTP {status}", request=response.request, response=response)


def _httpx(name: str, message: str) -> Exception:
    import httpx

    made = getattr(httpx, name)(message, request=httpx.Request("POST", "http://127.0.0.1:9/jobs"))
    assert isinstance(made, Exception)
    return made


_STORM = "Max retries exceeded: too many 503 error responses"

#: What each error is, by kind of failure and then by name.
GROUPS: Mapping[str, Mapping[str, Callable[[], Exception]]] = MappingProxyType(
    {
        "transient": {
            "ibm_503_storm": lambda: _ibm_wrapped(_STORM, -1),
            "ibm_refused": lambda: _ibm_api("Connection refused", -1),
            "ibm_500": lambda: _ibm_api("500 Server Error: too many 500 error responses", -1),
            "braket_internal": lambda: _braket("InternalServiceException", "An internal error occurred.", 500),
            "braket_unreachable": _braket_unreachable,
            "http_connect": lambda: _httpx("ConnectError", "[Errno 111] Connection refused"),
            "http_read_timeout": lambda: _httpx("ReadTimeout", "timed out"),
            "http_dropped": lambda: _httpx("RemoteProtocolError", "Server disconnected without sending a response."),
            "http_503": lambda: _http(503),
            "os_reset": lambda: ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
            "os_protocol": lambda: OSError(errno.EPROTO, "Protocol error"),
            "os_timeout": lambda: TimeoutError(errno.ETIMEDOUT, "Connection timed out"),
        },
        "rate_limited": {
            "ibm_429": lambda: _ibm_wrapped("429 Client Error: Too Many Requests", 429),
            "ibm_1012": lambda: _ibm_wrapped("Too many pending jobs. error_code: 1012", 400),
            "braket_throttling": lambda: _braket("ThrottlingException", "Rate exceeded", 429),
            "http_429": lambda: _http(429),
        },
        "reattach": {
            "ibm_wait_timeout": lambda: _ibm("RuntimeJobTimeoutError", "Timed out waiting for job to complete."),
        },
        "modify": {
            "ibm_max_time": lambda: _ibm(
                "RuntimeJobMaxTimeoutError", "Job ran longer than maximum execution time. Error code 1305."
            ),
            "ibm_too_many_shots": lambda: _ibm("RuntimeJobFailureError", "Too many shots. Error code: 1103"),
            "ibm_backend_gone": _backend_not_found,
            "braket_offline": lambda: _braket("DeviceOfflineException", "Device is offline.", 424),
            "braket_retired": lambda: _braket("DeviceRetiredException", "Device is retired.", 410),
        },
        "budget": {
            "braket_quota": lambda: _braket("ServiceQuotaExceededException", "The quota is exhausted.", 402),
        },
        "fatal": {
            "ibm_not_authorized": lambda: _ibm("IBMNotAuthorizedError", "401 Unauthorized"),
            "ibm_account": lambda: _ibm("IBMAccountError", "Unable to find account."),
            "ibm_403": lambda: _ibm_api("403 Client Error: Forbidden", 403),
            "ibm_input": lambda: _ibm("IBMInputValueError", "The instruction h on qubits (0,) is not supported."),
            "braket_denied": lambda: _braket("AccessDeniedException", "User is not authorized.", 403),
            "braket_validation": lambda: _braket("ValidationException", "The program is not valid.", 400),
            "http_401": lambda: _http(401),
        },
        "unknown": {
            "ibm_9999": lambda: _ibm("RuntimeJobFailureError", "Internal error. Error code: 9999"),
            "never_seen": lambda: RuntimeError("something that nobody foresaw"),
        },
    }
)
ERRORS: Mapping[str, Callable[[], Exception]] = MappingProxyType(
    {name: make for group in GROUPS.values() for name, make in group.items()}
)


class Killed(BaseException):
    """The process dies here; a test catches it where the process would have been, and starts another one."""
