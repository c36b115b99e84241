"""`python -m stockbuddy.gateway`: one real process, as deployments run it."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from stockbuddy.local_servers.ports import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from gateway.tests.conftest import StartSystem, System


@asynccontextmanager
async def gateway_process(system: System, **environment: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """In front of the services of `system`."""
    port = free_port()
    settings = {"PORT": str(port), "GATEWAY_SECRET": secrets.token_urlsafe(32)}
    services = {f"{name.upper()}_URL": server.url for name, server in system.servers.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "stockbuddy.gateway",
        env={**os.environ, "ENV": "production", "REQUIRE_HTTPS": "false", **settings, **services, **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    url = f"http://127.0.0.1:{port}"

    async def answers() -> bool:
        assert process.returncode is None, await process.stderr.read() if process.stderr else ""
        try:
            async with system.client.get(url + "/api/v1/sales", headers=system.auth.bearer()) as response:
                return response.status == 200
        except aiohttp.ClientConnectionError:
            return False

    try:
        await system.eventually(answers)
        yield process, url
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_sigterm_closes_streams_and_stops_the_process(start_system: StartSystem) -> None:
    system = await start_system("http")
    left = asyncio.Event()

    async def handler(_: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b": hello\n\n", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    system.notifications.handlers["/api/v1/stream"] = handler
    async with gateway_process(system) as (process, url):
        async with system.client.get(url + "/api/v1/stream", headers=system.auth.bearer()) as response:
            await response.content.readuntil(b"\n\n")
            started_at = time.monotonic()
            process.send_signal(signal.SIGTERM)
            with pytest.raises(aiohttp.ClientPayloadError):
                await response.content.read()
        await asyncio.wait_for(process.wait(), 60)
        assert time.monotonic() - started_at < 25
        assert process.returncode in (0, -signal.SIGTERM)
    await asyncio.wait_for(left.wait(), 60)


async def test_sigterm_completes_requests_in_flight(start_system: StartSystem) -> None:
    system = await start_system("http")
    arrived, release = asyncio.Event(), asyncio.Event()

    async def handler(_: Scope, __: Receive, send: Send) -> None:
        arrived.set()
        await release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        await send({"type": "http.response.body", "body": b"done"})

    system.stock.handlers["/api/v1/reports/sales"] = handler

    async def report(url: str) -> bytes:
        async with system.client.get(url + "/api/v1/reports/sales", headers=system.auth.bearer()) as response:
            return await response.read()

    async with gateway_process(system) as (process, url):
        reporting = asyncio.create_task(report(url))
        await arrived.wait()
        process.send_signal(signal.SIGTERM)

        async def refuses_newcomers() -> bool:
            try:
                await system.client.get(url + "/health/live")
            except aiohttp.ClientConnectionError:
                return True
            return False

        await system.eventually(refuses_newcomers)
        release.set()
        assert await reporting == b"done"
        await asyncio.wait_for(process.wait(), 60)


async def test_internal_port_serves_metrics_and_health_without_checks(start_system: StartSystem) -> None:
    system = await start_system("http")
    port = free_port()
    async with gateway_process(system, METRICS_PORT=str(port), ALLOWED_HOSTS="127.0.0.1") as (_, url):
        for path, status in (("/metrics", 200), ("/health/live", 200), ("/docs", 404), ("/api/v1/sales", 404)):
            async with system.client.get(f"http://127.0.0.1:{port}{path}", headers={"Host": "pod"}) as response:
                assert response.status == status, path
        async with system.client.get(f"http://127.0.0.1:{port}/metrics") as response:
            assert "stockbuddy_gateway_caller_requests_total" in await response.text()
        async with system.client.get(url + "/metrics") as response:
            assert response.status == 404
        async with system.client.get(url + "/health/live", headers={"Host": "pod"}) as response:
            assert response.status == 421
