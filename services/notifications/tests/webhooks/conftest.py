"""A receiver of webhooks on a real socket whose responses a test sets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from httpx2 import AsyncClient


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Responder = Callable[[Received], Awaitable[web.StreamResponse]]


async def accept(_: Received) -> web.StreamResponse:
    return web.Response(text="thank you")


@dataclass
class Receiver:
    """`received`: all requests so far; `respond` creates the response to each."""

    url: str = ""
    respond: Responder = accept
    received: list[Received] = field(default_factory=list)
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        received = Received(request.path, request.raw_path, dict(request.headers), await request.read())
        self.received.append(received)
        async with self._arrived:
            self._arrived.notify_all()
        return await self.respond(received)

    async def wait_for(self, count: int, seconds: float = 60) -> list[Received]:
        """All requests, once there are `count`."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.received) >= count)
        return self.received


@pytest.fixture
async def start_receiver() -> AsyncIterator[Callable[[], Awaitable[Receiver]]]:
    runners: list[web.AppRunner] = []

    async def start() -> Receiver:
        receiver = Receiver()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", receiver.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        receiver.url = f"http://127.0.0.1:{port}/hook"
        return receiver

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def receiver(start_receiver: Callable[[], Awaitable[Receiver]]) -> Receiver:
    return await start_receiver()


@pytest.fixture
def register(admin: AsyncClient) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Creates a webhook; the result contains its secret."""

    async def create(receiver: Receiver, **fields: Any) -> dict[str, Any]:
        response = await admin.post("/webhooks", json={"url": receiver.url, **fields})
        assert response.status_code == 201, response.text
        webhook: dict[str, Any] = response.json()
        return webhook

    return create
