import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from quantum_assets.service.door import Door, DoorPolicy
from quantum_assets_tests.service.asgi import request


async def echo(asked: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await asked.body())}")


def door(**policy):
    inner = Starlette(routes=[Route(path, echo, methods=["GET", "POST"]) for path in ("/jobs", "/health")])
    return Door(inner, DoorPolicy(**policy))


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost", "LOCALHOST:1", "[::1]:5", "[::1]"])
def test_programs_on_this_machine_come_in(host):
    assert request(door(), "POST", "/jobs", headers={"Host": host}, content=b"12345").text == "5"


@pytest.mark.parametrize("host", ["evil.example.org", "127.0.0.1.evil.org", "", "[::2]:80", "localhost.evil:80"])
def test_other_names_of_this_machine_do_not(host):
    answer = request(door(), "GET", "/jobs", headers={"Host": host})
    assert (answer.status_code, set(answer.json())) == (403, {"culprit", "problem", "mend"})


def test_a_host_that_was_named_comes_in():
    assert request(door(hosts=("lab.example.org",)), "GET", "/jobs", headers={"Host": "lab.example.org"}).is_success


def test_web_pages_stay_out():
    answer = request(door(), "POST", "/jobs", headers={"Origin": "http://127.0.0.1:1"})
    assert (answer.status_code, answer.json()["culprit"]) == (403, "a web page")


@pytest.mark.parametrize(
    ("offered", "status"),
    [("Bearer s3cret", 200), ("Bearer s3cre", 401), ("bearer", 401), ("", 401), ("Basic s3cret", 401)],
)
def test_a_token_is_wanted_where_one_is_set(offered, status):
    app = door(token="s3cret")
    answer = request(app, "GET", "/jobs", headers={"Authorization": offered})
    assert answer.status_code == status
    assert "s3cret" not in answer.text
    assert request(app, "GET", "/health").is_success


def test_the_token_is_not_shown():
    assert "s3cret" not in repr(DoorPolicy(token="s3cret"))


def test_a_body_is_read_within_bounds():
    app = door(max_body=10)
    assert request(app, "POST", "/jobs", content=b"x" * 10).text == "10"
    answer = request(app, "POST", "/jobs", content=b"x" * 11)
    assert (answer.status_code, "10 bytes" in answer.json()["problem"]) == (413, True)


def test_a_body_without_end_is_refused_as_soon_as_it_is_too_long():
    sent, received = [], 0

    async def receive():
        nonlocal received
        received += 1
        return {"type": "http.request", "body": b"x" * 4, "more_body": True}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/jobs", "headers": [(b"host", b"localhost")]}
    asyncio.run(door(max_body=10)(scope, receive, send))
    assert (sent[0]["status"], received) == (413, 3)


def test_half_a_body_reaches_nobody():
    sent, reached = [], []
    messages = iter([{"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}])

    async def receive():
        return next(messages)

    async def send(message):
        sent.append(message)

    async def inner(*parts):
        reached.append(parts)

    scope = {"type": "http", "method": "POST", "path": "/jobs", "headers": [(b"host", b"localhost")]}
    asyncio.run(Door(inner, DoorPolicy())(scope, receive, send))
    assert (sent, reached) == ([], [])
