"""The guard in front of the Dagster webserver: a small ASGI middleware that believes neither Host nor Origin.

Dagster's webserver has no authentication, runs GraphQL mutations over GET, treats any content type that mentions JSON
as JSON and accepts any Host header. On 127.0.0.1 that still lets a page in the user's browser launch runs (cross-site
request forgery) or read answers under a name of its own (DNS rebinding). The guard closes both:

* the Host must be a loopback name or one that was configured;
* whatever may change state (POST, websockets) must come from the page that this server served, or from no page at all:
  a client that is no browser sends neither Origin nor Sec-Fetch-Site;
* GraphQL over GET may only ask; mutations need POST with `application/json`, the one type that a foreign page cannot
  send without asking first (a CORS preflight, which Dagster never grants);
* bodies are capped before they are parsed.

Every refusal is one JSON sentence. This is no authentication: whoever can open a socket to the port may do everything.
To share a server, put a reverse proxy with authentication in front of it and name its host in `GuardPolicy.hosts`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from quantum_assets.contracts.errors import PlanError

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
READING = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS: Mapping[str, str] = {
    "X-Frame-Options": "SAMEORIGIN",  # Dagster shows notebooks in frames of its own origin
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The largest query of Dagster's own pages has about 3,000 tokens; the cap bounds the work of the parser.
MAX_TOKENS = 20_000


@dataclass(frozen=True)
class GuardPolicy:
    """What the guard lets through.

    Attributes:
        hosts: Further Host names that are answered, without port, for example of a reverse proxy; loopback names
            always are.
        read_only: Refuse every change, whoever asks.
        max_body: Largest request body in bytes.
    """

    hosts: tuple[str, ...] = ()
    read_only: bool = False
    max_body: int = 4_000_000

    def __post_init__(self) -> None:
        for host in self.hosts:
            if not host or host_name(host) != host:
                raise PlanError(
                    f"allowed host {host!r}",
                    "is not a plain lower-case host name",
                    "Give the name alone, without scheme, port, path or wildcard, for example dagster.example.org",
                )
        if self.max_body < 1:
            raise PlanError("guard max_body", f"is {self.max_body} bytes", "Allow at least one byte")

    @property
    def names(self) -> frozenset[str]:
        """Every Host name that is answered."""
        return frozenset((*LOOPBACK, *self.hosts))


@dataclass(frozen=True)
class Refusal:
    """Why a request is turned away: an HTTP status and one sentence."""

    status: int
    reason: str

    def response(self) -> JSONResponse:
        """The answer that the client sees."""
        return JSONResponse({"error": self.reason}, status_code=self.status)


class Guard:
    """ASGI middleware that refuses what a page of another site could have sent.

    Args:
        app: The application behind it.
        policy: What is let through.
    """

    def __init__(self, app: ASGIApp, policy: GuardPolicy = GuardPolicy()) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Judge one connection and pass it on, or answer with the reason."""
        if scope["type"] == "http":
            await self._http(scope, receive, _with_headers(send))
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = judge_http(scope, self._policy)
        if refusal is None and scope["method"] not in READING:
            try:
                body = await _read_body(receive, self._policy.max_body)
            except ClientDisconnect:
                return  # half a body is no request, and nobody hears an answer
            refusal = _too_large(self._policy) if body is None else judge_body(scope, body, self._policy)
            receive = _replay(body or b"", receive)
        if refusal is not None:
            await refusal.response()(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = judge_host(headers, self._policy) or judge_origin(headers)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        await receive()  # the connect message; a socket is refused before it is accepted
        if "websocket.http.response" in scope.get("extensions", {}):
            await refusal.response()(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": refusal.reason})


def judge_http(scope: Scope, policy: GuardPolicy) -> Refusal | None:
    """Judge a request by its head alone; None lets it through (a POST still has its body judged)."""
    headers, method = Headers(scope=scope), scope["method"]
    refusal = judge_host(headers, policy)
    if refusal is not None:
        return refusal
    if method in READING:
        return _judge_get(scope) if is_graphql(scope) else None
    if method != "POST":
        return Refusal(405, f"{method} is not a method of this server; use GET or POST.")
    return judge_origin(headers) or (_judge_post(scope, headers) if is_graphql(scope) else None)


def judge_host(headers: Headers, policy: GuardPolicy) -> Refusal | None:
    """The Host must be there once and be one of ours, or a foreign name could be pointed at this machine."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or host_name(hosts[0]) not in policy.names:
        return Refusal(
            403,
            f"Host {', '.join(hosts)[:120] or '(none)'!r} is not served here; use 127.0.0.1 or localhost, "
            "or start with --allow-host NAME behind a reverse proxy.",
        )
    return None


def judge_origin(headers: Headers) -> Refusal | None:
    """A browser's request must come from a page of the very host and port that it is sent to."""
    origins, site = headers.getlist("origin"), headers.get("sec-fetch-site", "same-origin")
    own = {f"{scheme}://{headers.get('host', '').lower()}" for scheme in ("http", "https")}
    if len(origins) > 1 or any(origin.lower() not in own for origin in origins):
        page = ", ".join(origins)[:120]
        return Refusal(403, f"A page of {page!r} may not do this here; open this server's own page.")
    if site.lower() not in ("same-origin", "none"):
        return Refusal(403, f"A {site[:40]!r} request may not do this here; open this server's own page.")
    return None


def judge_body(scope: Scope, body: bytes, policy: GuardPolicy) -> Refusal | None:
    """Only read-only servers look inside a body; the others leave it to Dagster, which parses it once."""
    if not policy.read_only:
        return None
    queries = [_query_of(body)] if is_graphql(scope) else []
    if queries and all(operations(query) == {"query"} for query in queries):
        return None
    return Refusal(403, "This server is read-only: it answers queries and changes nothing.")


def operations(query: str) -> set[str]:
    """The kinds of operation in a GraphQL document: query, mutation, subscription; empty if it does not parse."""
    from graphql import GraphQLError, OperationDefinitionNode, parse

    try:
        document = parse(query, no_location=True, max_tokens=MAX_TOKENS)
    except (GraphQLError, RecursionError):
        return set()
    return {node.operation.value for node in document.definitions if isinstance(node, OperationDefinitionNode)}


def host_name(authority: str) -> str:
    """The lower-case name of ``name:port``; the port must be a number, and an IPv6 address keeps its brackets.

    Returns an empty string, which is no host, for anything that is not of this form.
    """
    name, colon, port = authority.lower().rpartition(":")
    if not colon or authority.endswith("]"):
        name, port = authority.lower(), "0"
    plain = name[1:-1].replace(":", "") if name.startswith("[") and name.endswith("]") else name
    legal = plain.isascii() and plain.replace("-", "").replace(".", "").replace("_", "").isalnum()
    return name if legal and port.isascii() and port.isdigit() else ""


def is_graphql(scope: Scope) -> bool:
    """Whether Dagster may route this path to GraphQL, under any prefix."""
    path: str = scope["path"]
    return path.rstrip("/").endswith("/graphql")


def _judge_get(scope: Scope) -> Refusal | None:
    kinds = [operations(query) for query in _url_queries(scope)]
    if any(not kind for kind in kinds):
        return Refusal(403, "The GraphQL in the URL cannot be parsed, so it is not run; send it by POST as JSON.")
    if any(kind != {"query"} for kind in kinds):
        return Refusal(405, "GET may only ask: send mutations by POST with the content type application/json.")
    return None


def _judge_post(scope: Scope, headers: Headers) -> Refusal | None:
    if _url_queries(scope):
        return Refusal(403, "A GraphQL POST carries its query in the JSON body, not in the URL.")
    if _essence(headers) != "application/json":
        return Refusal(415, "A GraphQL POST must have the content type application/json.")
    return None


def _url_queries(scope: Scope) -> list[str]:
    """Every `query` of the URL: Dagster takes the last one, which a reader of the first would miss."""
    return QueryParams(scope["query_string"]).getlist("query")


def _query_of(body: bytes) -> str:
    try:
        query = json.loads(body)["query"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return query if isinstance(query, str) else ""


def _essence(headers: Headers) -> str:
    types = headers.getlist("content-type")
    return types[0].split(";")[0].strip().lower() if len(types) == 1 else ""


def _too_large(policy: GuardPolicy) -> Refusal:
    return Refusal(413, f"The request body is larger than {policy.max_body} bytes.")


async def _read_body(receive: Receive, limit: int) -> bytes | None:
    """The whole body, or None as soon as it is longer than `limit`; `service.door` reads as this does.

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
    """Hand the body on once, then whatever the client does next."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return waiting.pop() if waiting else await receive()

    return replay


def _with_headers(send: Send) -> Send:
    """Add the security headers to every answer, the application's and the guard's own."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers[name] = value
        await send(message)

    return guarded
