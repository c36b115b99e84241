"""Serving an app on a socket, and users that call its API."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
import uvicorn
from starlette.types import ASGIApp

PASSWORD = "correct-Horse-7-staple"
DEADLINE_SECONDS = 180


@contextlib.asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[str]:
    """Serve `app` with its lifespan on a free port of 127.0.0.1; yields its base URL."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not server.started:
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def until_ready(http: httpx.AsyncClient) -> None:
    """Wait until the gateway and all services behind it are ready."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while (await http.get("/health/ready")).status_code != 200:
            await asyncio.sleep(0.02)


@dataclass
class User:
    """A caller of the API with a token; paths are relative to `/api/v1`."""

    http: httpx.AsyncClient
    username: str
    tokens: dict[str, Any] = field(default_factory=dict)

    async def call(self, method: str, path: str, *, key: str | None = None, **options: Any) -> httpx.Response:
        headers = {**options.pop("headers", {}), "Authorization": f"Bearer {self.tokens['access_token']}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.http.request(method, f"/api/v1{path}", headers=headers, **options)

    async def get(self, path: str, **params: Any) -> Any:
        """GET; assert success and return the body."""
        response = await self.call("GET", path, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> Any:
        """POST; assert success and return the body."""
        response = await self.call("POST", path, json=body, key=key)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    async def until(self, path: str, wanted: Callable[[Any], bool], **params: Any) -> Any:
        """GET until `wanted(body)` is true: how a client waits for an event to reach another service."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not wanted(body := await self.get(path, **params)):
                await asyncio.sleep(0.02)
        return body


async def log_in(http: httpx.AsyncClient, username: str, password: str = PASSWORD) -> User:
    response = await http.post("/api/v1/auth/login", json={"username": username, "password": password})
    assert response.status_code == 200, response.text
    return User(http, username, response.json())


async def register(http: httpx.AsyncClient, username: str, *, path: str = "/auth/register") -> User:
    """Register a user and log in."""
    body = {"username": username, "email": f"{username}@example.com", "password": PASSWORD}
    response = await http.post(f"/api/v1{path}", json=body)
    assert response.status_code == 201, response.text
    return await log_in(http, username)
