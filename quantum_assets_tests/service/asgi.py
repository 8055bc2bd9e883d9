"""Speaks to an ASGI application without a socket, one request a time."""

import asyncio
from typing import Any

import httpx


def request(app: Any, method: str, path: str, host: str = "127.0.0.1:1", **more: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as client:
            return await client.request(method, path, **more)

    return asyncio.run(ask())
