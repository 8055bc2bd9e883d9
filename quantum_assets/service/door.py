"""Who may speak to the sidecar: this machine's programs, by name, with the token where one is set; never a web page.

A small ASGI middleware in front of the routes. It knows nothing of orders.
"""

import hmac
from collections.abc import Collection
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
OPEN_PATHS = frozenset({"/health"})


@dataclass(frozen=True)
class DoorPolicy:
    """What is let in.

    Attributes:
        hosts: Further Host names that are answered, without port.
        token: Bearer token that every path but ``/health`` needs; empty: none.
        max_body: Largest request body in bytes.
    """

    hosts: Collection[str] = ()
    token: str = field(default="", repr=False)
    max_body: int = 64_000_000


class Door:
    """ASGI middleware that turns away what it must not serve, with one JSON sentence.

    Args:
        app: The application behind it.
        policy: What is let in.
    """

    def __init__(self, app: ASGIApp, policy: DoorPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one request by its head, read its body within bounds, and pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._judge(scope["path"], Headers(scope=scope))
        try:
            body = b"" if refusal else await _read_body(receive, self._policy.max_body)
        except ClientDisconnect:
            return  # half a body is no order, and nobody hears an answer
        if body is None:
            limit = self._policy.max_body
            refusal = problem(413, "request", f"its body is over {limit} bytes", "Split the order")
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        await self._app(scope, _replay(body or b"", receive), send)

    def _judge(self, path: str, headers: Headers) -> JSONResponse | None:
        host = headers.get("host", "").lower()
        if _name(host) not in LOOPBACK.union(self._policy.hosts):
            return problem(403, f"Host {host[:120]!r}", "is not served here", "Use the address that the service prints")
        if "origin" in headers:
            return problem(403, "a web page", "may not speak to this service", "Use a program on this machine")
        token = self._policy.token
        offered = headers.get("authorization", "")
        if token and path not in OPEN_PATHS and not hmac.compare_digest(offered.encode(), f"Bearer {token}".encode()):
            return problem(401, "request", "carries no valid token", "Set QUANTUM_ASSETS_REMOTE_TOKEN on both sides")
        return None


def problem(status: int, culprit: str, what: str, mend: str, **headers: str) -> JSONResponse:
    """A refusal as JSON: culprit, problem, mend."""
    return JSONResponse({"culprit": culprit, "problem": what, "mend": mend}, status_code=status, headers=headers)


def _name(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None as soon as it is longer than `limit`.

    The guard of the Dagster UI reads as this does (`orchestration.guard`); the rooms may not share it, for neither
    knows the other and nothing below them knows HTTP.

    Raises:
        ClientDisconnect: If the client went away before the end of it.
    """
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            return None
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay
