"""The guard: what it refuses in front of an echo, and in front of the real Dagster webserver."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from quantum_assets.contracts.errors import PlanError
from quantum_assets.orchestration.guard import SECURITY_HEADERS, Guard, GuardPolicy, host_name, operations
from quantum_assets_tests.orchestration.asgi import TestClient, WebSocketDenialResponse

OWN = "http://127.0.0.1:3000"
FOREIGN = "http://evil.example"
SOCKET = "ws://127.0.0.1:3000/graphql"  # the test client takes no base URL for sockets
POLICY = GuardPolicy()
MUTATION = "mutation { setNuxSeen }"
QUERY = "{ version }"


async def echo(request: Request) -> JSONResponse:
    body = await request.body()
    return JSONResponse({"path": request.url.path, "size": len(body), "body": body.decode()})


async def echo_socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text(await websocket.receive_text())
    await websocket.close()


def echo_app() -> ASGIApp:
    methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]
    return Starlette(
        routes=[WebSocketRoute("/graphql", echo_socket), Route("/{path:path}", echo, methods=methods)],
    )


def client(app: ASGIApp | None = None, policy: GuardPolicy = POLICY) -> TestClient:
    return TestClient(Guard(app or echo_app(), policy), base_url=OWN)


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost", "LOCALHOST:80", "[::1]:3000", "[::1]"])
def test_loopback_names_are_answered_on_any_port(host: str) -> None:
    assert client().get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example:3000",
        "127.0.0.1@evil.example",
        "localhost.",
        "localhost:",
        "localhost:80:80",
        "::1",
        "0.0.0.0:3000",
        "127.1",
        "",
        "*",
    ],
)
def test_a_foreign_host_is_refused_in_one_sentence(host: str) -> None:
    answer = client().get("/", headers={"Host": host})
    assert answer.status_code == 403
    assert list(answer.json()) == ["error"]
    assert "127.0.0.1 or localhost" in answer.json()["error"]


def test_a_host_sent_twice_is_refused() -> None:
    headers = [("Host", "127.0.0.1:3000"), ("Host", "evil.example")]
    assert client().get("/", headers=headers).status_code == 403


def test_a_configured_host_is_answered_beside_loopback() -> None:
    guarded = client(policy=GuardPolicy(hosts=("dagster.example.org",)))
    assert guarded.get("/", headers={"Host": "dagster.example.org"}).status_code == 200
    assert guarded.get("/", headers={"Host": "127.0.0.1:3000"}).status_code == 200
    assert guarded.get("/", headers={"Host": "mlflow.example.org"}).status_code == 403


@pytest.mark.parametrize(
    "host", ["", "*", "https://a.example", "a.example:80", "A.example", "a.example/x", "*.example"]
)
def test_a_configured_host_must_be_a_plain_name(host: str) -> None:
    with pytest.raises(PlanError, match="plain lower-case host name"):
        GuardPolicy(hosts=(host,))


def test_a_body_cap_of_nothing_is_refused() -> None:
    with pytest.raises(PlanError, match="at least one byte"):
        GuardPolicy(max_body=0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": OWN, "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "https://127.0.0.1:3000"}, 200),  # behind a proxy that ends TLS
        ({"Sec-Fetch-Site": "none"}, 200),
        ({"Origin": FOREIGN}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://127.0.0.1:8888"}, 403),  # another program of this machine
        ({"Origin": "http://localhost:3000"}, 403),  # not the origin that the page was served from
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": OWN, "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/report_asset_materialization/wine"])
def test_posts_come_from_our_own_page_or_from_no_page(path: str, headers: dict[str, str], status: int) -> None:
    answer = client().post(path, json={"query": MUTATION}, headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert json.loads(answer.json()["body"]) == {"query": MUTATION}


def test_an_origin_sent_twice_is_refused() -> None:
    headers = [("Origin", OWN), ("Origin", FOREIGN)]
    assert client().post("/graphql", json={"query": QUERY}, headers=headers).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(method: str) -> None:
    answer = client().request(method, "/graphql", json={"query": QUERY})
    assert answer.status_code == 405
    assert method in answer.json()["error"]


@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "/prefix/graphql", "/%67raphql"])
@pytest.mark.parametrize(
    ("queries", "status"),
    [
        ([QUERY], 200),
        (["query A { version } query B { version }"], 200),
        ([], 200),
        ([MUTATION], 405),
        (["query A { version } mutation B { setNuxSeen }"], 405),
        (["# query\nmutation { setNuxSeen }"], 405),
        (["subscription { logs }"], 405),
        ([QUERY, MUTATION], 405),
        ([MUTATION, QUERY], 405),
        (["mutation {"], 403),
        ([""], 403),
        (["fragment F on Query { version }"], 403),
        (["{a" * 5000 + "}" * 5000], 403),
    ],
)
def test_get_may_only_ask(path: str, queries: list[str], status: int) -> None:
    answer = client().get(path, params=[("query", query) for query in queries])
    assert answer.status_code == status
    assert (status == 200) == ("error" not in answer.json())


def test_a_post_with_its_query_in_the_url_is_refused() -> None:
    answer = client().post("/graphql", params={"query": MUTATION}, json={})
    assert answer.status_code == 403
    assert "JSON body" in answer.json()["error"]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/graphql",
        "text/plain; application/json",  # a browser sends this without asking; Dagster would read it as JSON
        "application/jsonp",
        "",
    ],
)
def test_a_graphql_post_must_be_json(content_type: str) -> None:
    body = json.dumps({"query": MUTATION})
    answer = client().post("/graphql", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 415


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_in_any_spelling_is_let_through(content_type: str) -> None:
    answer = client().post("/graphql", content=b"{}", headers={"Content-Type": content_type})
    assert answer.status_code == 200


def test_a_body_over_the_cap_is_refused_announced_or_not() -> None:
    guarded = client(policy=GuardPolicy(max_body=100))
    headers = {"Content-Type": "application/json"}
    assert guarded.post("/graphql", content=b"x" * 100, headers=headers).json()["size"] == 100
    assert guarded.post("/graphql", content=b"x" * 101, headers=headers).status_code == 413
    assert guarded.post("/graphql", content=(b"x" * 20 for _ in range(6)), headers=headers).status_code == 413
    assert guarded.post("/other", content=b"x" * 101).status_code == 413


def test_half_a_body_reaches_nobody() -> None:
    sent: list[Message] = []
    reached: list[Scope] = []
    messages = iter([{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}])

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message)

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    scope = {"type": "http", "method": "POST", "path": "/report", "headers": [(b"host", b"localhost")]}
    asyncio.run(Guard(inner, POLICY)({**scope, "query_string": b""}, receive, send))
    assert (sent, reached) == ([], [])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (json.dumps({"query": QUERY}), 200),
        (json.dumps({"query": MUTATION}), 403),
        (json.dumps({"query": f"query A {QUERY} mutation B {{ setNuxSeen }}", "operationName": "A"}), 403),
        (json.dumps([{"query": QUERY}]), 403),
        (json.dumps({"query": 4}), 403),
        ("{", 403),
        ("[" * 100_000, 403),
        ("", 403),
    ],
)
def test_a_read_only_server_answers_queries_only(body: str, status: int) -> None:
    guarded = client(policy=GuardPolicy(read_only=True))
    answer = guarded.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == status


def test_a_read_only_server_takes_no_reports() -> None:
    answer = client(policy=GuardPolicy(read_only=True)).post("/report_asset_check/wine", json={})
    assert answer.status_code == 403
    assert "read-only" in answer.json()["error"]


def test_every_answer_carries_the_security_headers() -> None:
    for answer in (client().get("/"), client().get("/", headers={"Host": "evil.example"})):
        assert {name: answer.headers[name] for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)


def test_sockets_open_from_our_own_page_or_from_no_page() -> None:
    for headers in ({}, {"Origin": OWN}):
        with client().websocket_connect(SOCKET, headers=headers) as socket:
            socket.send_text("hello")
            assert socket.receive_text() == "hello"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Origin": FOREIGN}, "A page of 'http://evil.example' may not do this"),
        ({"Origin": "null"}, "A page of 'null' may not do this"),
        ({"Sec-Fetch-Site": "cross-site"}, "A 'cross-site' request may not do this"),
        ({"Host": "evil.example"}, "Host 'evil.example' is not served here"),
    ],
)
def test_a_socket_of_another_site_is_refused_before_it_opens(headers: dict[str, str], reason: str) -> None:
    with pytest.raises(WebSocketDenialResponse) as denied, client().websocket_connect(SOCKET, headers=headers):
        pass
    assert denied.value.status_code == 403
    assert denied.value.json()["error"].startswith(reason)


def test_a_server_without_denial_responses_closes_the_socket() -> None:
    async def without_extension(scope: Scope, receive: Receive, send: Send) -> None:
        await Guard(echo_app())({**scope, "extensions": {}}, receive, send)

    bare = TestClient(without_extension, base_url=OWN)
    with (
        pytest.raises(WebSocketDisconnect) as closed,
        bare.websocket_connect(SOCKET, headers={"Origin": FOREIGN}),
    ):
        pass
    assert closed.value.code == 1008
    assert "may not do this here" in closed.value.reason


def test_lifespan_reaches_the_application() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        for answer in ("lifespan.startup.complete", "lifespan.shutdown.complete"):
            message: Message = await receive()
            seen.append(message["type"])
            await send({"type": answer})

    with client(app):
        pass
    assert seen == ["lifespan.startup", "lifespan.shutdown"]


def test_operations_lists_the_kinds_and_is_empty_for_nonsense() -> None:
    assert operations("query A { a } mutation B { b } subscription C { c }") == {"query", "mutation", "subscription"}
    assert operations("{ a }") == {"query"}
    assert operations("fragment F on T { a }") == set()
    assert operations("{ " + "a " * 30_000 + "}") == set()  # more tokens than the parser may read


def test_host_name_takes_name_and_port_apart() -> None:
    assert host_name("Dagster.Example.org:443") == "dagster.example.org"
    assert host_name("[::1]:3000") == "[::1]"
    assert [host_name(bad) for bad in ("a:b", "a b", "a/b", "a@b", ":80", "é.example", "a:٣")] == [""] * 7


# In front of the real webserver.


@pytest.fixture(scope="module")
def webserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ASGIApp]:
    """The Dagster webserver with one asset, in a scratch instance, without the guard."""
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import PythonFileTarget
    from dagster_webserver.app import create_app_from_workspace_process_context

    home = tmp_path_factory.mktemp("dagster")
    target = PythonFileTarget(
        python_file=str(Path(__file__).with_name("tiny_location.py")),
        attribute=None,
        working_directory=None,
        location_name="tiny",
    )
    overrides = {"telemetry": {"enabled": False}}
    with (
        dg.DagsterInstance.local_temp(str(home), overrides=overrides) as instance,
        WorkspaceProcessContext(instance, target, version="test") as workspace,
    ):
        yield create_app_from_workspace_process_context(workspace)


def test_dagster_alone_runs_mutations_over_get_for_any_host(webserver: ASGIApp) -> None:
    """Why the guard exists; when this fails, Dagster closed the hole itself."""
    bare = TestClient(webserver, base_url=OWN)
    answer = bare.get("/graphql", params={"query": MUTATION}, headers={"Host": "evil.example", "Origin": FOREIGN})
    assert answer.json() == {"data": {"setNuxSeen": True}}


def test_dagster_alone_reads_plain_text_as_json(webserver: ASGIApp) -> None:
    bare = TestClient(webserver, base_url=OWN)
    headers = {"Content-Type": "text/plain; application/json", "Origin": FOREIGN}
    answer = bare.post("/graphql", content=json.dumps({"query": MUTATION}), headers=headers)
    assert answer.json() == {"data": {"setNuxSeen": True}}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"method": "GET", "params": {"query": MUTATION}}, 405),
        ({"method": "GET", "params": {"query": MUTATION}, "headers": {"Accept": "text/html"}}, 405),
        ({"method": "POST", "params": {"query": MUTATION}}, 403),
        ({"method": "POST", "json": {"query": MUTATION}, "headers": {"Origin": FOREIGN}}, 403),
        ({"method": "POST", "json": {"query": MUTATION}, "headers": {"Host": "evil.example"}}, 403),
        ({"method": "POST", "content": MUTATION, "headers": {"Content-Type": "application/graphql"}}, 415),
    ],
)
def test_the_guarded_webserver_refuses_foreign_mutations(
    webserver: ASGIApp, request_: dict[str, Any], status: int
) -> None:
    answer = client(webserver).request(url="/graphql", **request_)
    assert answer.status_code == status
    assert "error" in answer.json()


def test_the_guarded_webserver_serves_its_own_page(webserver: ASGIApp) -> None:
    own = {"Origin": OWN, "Sec-Fetch-Site": "same-origin"}
    query = "{ assetNodes { assetKey { path } } }"
    answer = client(webserver).post("/graphql", json={"query": query}, headers=own)
    assert answer.json() == {"data": {"assetNodes": [{"assetKey": {"path": ["tiny"]}}]}}
    changed = client(webserver).post("/graphql", json={"query": MUTATION}, headers=own)
    assert changed.json() == {"data": {"setNuxSeen": True}}


def test_the_guarded_webserver_answers_a_script_of_the_user(webserver: ASGIApp) -> None:
    guarded = client(webserver)
    assert guarded.post("/graphql", json={"query": MUTATION}).json() == {"data": {"setNuxSeen": True}}
    assert guarded.get("/graphql", params={"query": QUERY}).json()["data"]["version"] == "test"
    assert "dagster_version" in guarded.get("/server_info").json()


def test_the_pages_of_the_guarded_webserver_load(webserver: ASGIApp) -> None:
    page = client(webserver).get("/assets", headers={"Accept": "text/html", "Sec-Fetch-Site": "cross-site"})
    assert page.status_code == 200
    assert page.text.startswith("<!DOCTYPE html>")
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "Content-Security-Policy" in page.headers


def test_a_foreign_page_opens_no_subscription_on_the_webserver(webserver: ASGIApp) -> None:
    bare = TestClient(webserver, base_url=OWN)
    with bare.websocket_connect(SOCKET, headers={"Origin": FOREIGN}) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}  # without the guard
    with (
        pytest.raises(WebSocketDenialResponse) as denied,
        client(webserver).websocket_connect(SOCKET, headers={"Origin": FOREIGN}),
    ):
        pass
    assert "may not do this here" in denied.value.json()["error"]


def test_the_webserver_s_own_page_subscribes_and_cannot_mutate_by_socket(webserver: ASGIApp) -> None:
    with client(webserver).websocket_connect(SOCKET, headers={"Origin": OWN}) as socket:
        socket.send_json({"type": "connection_init"})
        assert socket.receive_json() == {"type": "connection_ack"}
        socket.send_json({"type": "start", "id": "1", "payload": {"query": MUTATION}})
        answer = socket.receive_json()
        assert answer["type"] == "error"
        socket.send_json({"type": "connection_terminate"})
