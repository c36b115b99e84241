"""The public port: malformed requests and slow clients."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gateway.tests.conftest import StartSystem, System


class Raw:
    """A TCP connection on which any bytes can be sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, system: System) -> Raw:
        assert system.gateway is not None
        return cls(*await asyncio.open_connection("127.0.0.1", system.gateway.port))

    async def exchange(self, data: bytes) -> bytes:
        """Send, and return everything received until the gateway closes the connection."""
        self._writer.write(data)
        return await self.read()

    async def read(self) -> bytes:
        try:
            return await asyncio.wait_for(self._reader.read(), 60)
        except ConnectionResetError:
            return b""
        finally:
            self._writer.close()


MALFORMED = [
    b"hello\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /api/v1/products HTTP/1.1\r\nbad header\r\n\r\n",
    b"GET /api/v1/products HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n",
    b"POST /api/v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 4\r\n\r\nabc",
    b"POST /api/v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    b"POST /api/v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/v1/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/v1/products HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


async def test_malformed_http_is_400_with_a_problem(start_system: StartSystem) -> None:
    system = await start_system("direct")
    seen = sum(len(service.seen) for service in system.services.values())
    for data in MALFORMED:
        answer = await (await Raw.to(system)).exchange(data)
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400"), (data, answer)
        assert b"application/problem+json" in head
        assert json.loads(body)["code"] == "bad_request"
    assert sum(len(service.seen) for service in system.services.values()) == seen


async def test_malformed_chunk_aborts_the_request(system: System) -> None:
    raw = await Raw.to(system)
    authorization = system.auth.bearer()["Authorization"].encode()
    head = b"POST /api/v1/products HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nAuthorization: " + authorization
    await raw.exchange(head + b"\r\n\r\n5\r\nabcde\r\nzz\r\n")
    assert all(seen.method != "POST" for seen in system.catalog.seen)
    assert (await system.get("/api/v1/products")).status == 200


async def test_oversized_head_is_431_or_414(start_system: StartSystem) -> None:
    system = await start_system("direct")
    for data in (
        b"GET /api/v1/products HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 100_000,
        b"GET /api/v1/products HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20_000,
        b"GET /" + b"a" * 100_000,
    ):
        answer = await (await Raw.to(system)).exchange(data)
        assert answer.startswith((b"HTTP/1.1 431", b"HTTP/1.1 414")), answer[:100]


async def test_connection_without_complete_head_is_closed(start_system: StartSystem) -> None:
    system = await start_system("direct", header_timeout_seconds=0.3)
    for data in (b"", b"GET /api/v1/products HTTP/1.1\r\nHost: x\r\n", b"G"):
        started_at = time.monotonic()
        assert await (await Raw.to(system)).exchange(data) == b""
        assert 0.2 < time.monotonic() - started_at < 9  # rather than the default


async def test_slowly_sent_headers_do_not_extend_the_timeout(start_system: StartSystem) -> None:
    system = await start_system("direct", header_timeout_seconds=0.3)
    assert system.gateway is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", system.gateway.port)
    writer.write(b"GET /api/v1/products HTTP/1.1\r\n")
    hung_up = asyncio.create_task(reader.read())
    started_at = time.monotonic()
    while not hung_up.done():
        assert time.monotonic() - started_at < 9
        writer.write(b"X-Drip: 1\r\n")
        await asyncio.wait([hung_up], timeout=0.05)
    writer.close()


async def test_idle_connection_outlives_the_header_timeout(start_system: StartSystem) -> None:
    system = await start_system("direct", header_timeout_seconds=0.2)
    assert system.gateway is not None
    reader, writer = await asyncio.open_connection("127.0.0.1", system.gateway.port)
    for _ in range(2):
        writer.write(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert head.startswith(b"HTTP/1.1 200")
        await asyncio.wait_for(reader.readexactly(len(b'{"status":"ok"}')), 60)
        await asyncio.sleep(0.4)
    writer.close()


async def test_pipelined_requests_are_answered_in_order(system: System) -> None:
    authorization = system.auth.bearer()["Authorization"].encode()
    ask = b"GET /api/v1/products/%d HTTP/1.1\r\nHost: x\r\nAuthorization: " + authorization
    last = b"\r\nConnection: close\r\n\r\n"
    answer = await (await Raw.to(system)).exchange(ask % 1 + b"\r\n\r\n" + ask % 2 + b"\r\n\r\n" + ask % 3 + last)
    assert answer.count(b"HTTP/1.1 200") == 3
    positions = [answer.index(b"/api/v1/products/%d" % number) for number in (1, 2, 3)]
    assert positions == sorted(positions)


async def test_client_that_does_not_read_is_disconnected(start_system: StartSystem) -> None:
    system = await start_system("http", client_read_timeout_seconds=0.3)
    left = asyncio.Event()

    async def handler(_: Scope, receive: Receive, send: Send) -> None:
        async def notice() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            left.set()

        noticing = asyncio.create_task(notice())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not left.is_set():
            await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
            await asyncio.sleep(0)
        noticing.cancel()

    system.catalog.handlers["/api/v1/products/export"] = handler
    assert system.gateway is not None
    _, writer = await asyncio.open_connection("127.0.0.1", system.gateway.port, limit=1000)
    authorization = system.auth.bearer()["Authorization"].encode()
    writer.write(b"GET /api/v1/products/export HTTP/1.1\r\nHost: x\r\nAuthorization: " + authorization + b"\r\n\r\n")
    await asyncio.wait_for(left.wait(), 60)
    writer.close()
