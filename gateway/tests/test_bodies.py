"""Request bodies: size, speed and framing."""

from __future__ import annotations

import asyncio
import hashlib
import io
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import Receive, Scope, Send

    from gateway.tests.conftest import StartSystem, System

MEBIBYTE = 1024 * 1024


async def chunks(body: bytes, size: int = 50_000) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def test_body_of_any_size_and_framing_is_forwarded_whole(system: System) -> None:
    for size in (0, 1, 1000, 64 * 1024, 64 * 1024 + 1, 300_000, MEBIBYTE):
        body = bytes(i * 7 % 251 for i in range(size))
        digest = hashlib.sha256(body).hexdigest()
        for data in (body, chunks(body)):  # with Content-Length, and chunked
            got = await system.call("POST", "/api/v1/products", data=data)
            assert (got.status, got.json["bytes"], got.json["sha256"]) == (200, size, digest)


async def test_oversized_body_is_rejected_whether_declared_or_not(system: System) -> None:
    body = bytes(MEBIBYTE + 1)
    for data in (io.BytesIO(body), chunks(body)):
        before = len(system.catalog.seen)
        got = await system.call("POST", "/api/v1/products", data=data)
        assert got.is_problem(413, "body_too_large")
        assert len(system.catalog.seen) == before


async def test_import_or_image_up_to_ten_mebibytes_is_accepted(system: System) -> None:
    body = bytes(10 * MEBIBYTE)
    for method, path in (("POST", "/api/v1/products/import"), ("PUT", "/api/v1/products/5/image")):
        got = await system.call(method, path, data=chunks(body, 500_000))
        assert (got.status, got.json["bytes"]) == (200, len(body))
        assert (await system.call(method, path, data=chunks(body + b"x", 500_000))).is_problem(413, "body_too_large")
    got = await system.call("POST", "/api/v1/products/5/image", data=io.BytesIO(bytes(MEBIBYTE + 1)))
    assert got.is_problem(413, "body_too_large")


async def test_oversized_body_is_rejected_before_authentication_and_before_it_is_sent(
    system: System,
) -> None:
    reader, writer = await open_raw(system)
    writer.write(b"POST /api/v1/products HTTP/1.1\r\nHost: x\r\n")
    writer.write(b"Content-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 413")
    writer.close()


async def test_slow_body_is_rejected_with_408(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, body_timeout_seconds=0.3)
    started_at = time.monotonic()
    reader, writer = await open_raw(system)
    authorization = system.auth.bearer()["Authorization"].encode()
    writer.write(b"POST /api/v1/sales HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
    writer.write(b"Authorization: " + authorization + b"\r\n\r\n{")
    assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started_at < 25  # rather than the default
    assert b"connection: close" in (await reader.read()).lower()
    writer.close()
    assert system.stock.seen[-1].path == "/api/v1/sales"
    assert system.stock.seen[-1].body == b""  # the fixture's first call; the slow one never arrived


async def test_slow_small_body_occupies_no_upstream_connection_until_complete(
    start_system: StartSystem,
) -> None:
    system = await start_system("http")
    arrived = asyncio.Event()

    async def handler(_: Scope, __: Receive, ___: Send) -> None:
        arrived.set()

    system.stock.handlers["/api/v1/sales"] = handler
    _, writer = await open_raw(system)
    authorization = system.auth.bearer()["Authorization"].encode()
    writer.write(b"POST /api/v1/sales HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
    writer.write(b"Authorization: " + authorization + b"\r\n\r\n" + b"x" * 99)
    assert (await system.get("/api/v1/products")).status == 200
    assert not arrived.is_set()
    writer.write(b"x")
    await asyncio.wait_for(arrived.wait(), 60)
    writer.close()


async def test_large_upload_is_streamed_not_buffered(system: System) -> None:
    arrived = asyncio.Event()

    async def handler(_: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        assert message["more_body"]
        arrived.set()
        while message["more_body"]:
            message = await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    async def body() -> AsyncIterator[bytes]:
        yield bytes(100_000)
        await asyncio.wait_for(arrived.wait(), 60)  # the service receives the start before the end is sent
        yield b"end"

    system.catalog.handlers["/api/v1/products/import"] = handler
    assert (await system.call("POST", "/api/v1/products/import", data=body())).status == 200


async def test_response_before_end_of_upload_is_forwarded(system: System) -> None:
    async def handler(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 422, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"{}"})

    system.catalog.handlers["/api/v1/products/import"] = handler
    for _ in range(3):
        got = await system.call("POST", "/api/v1/products/import", data=chunks(bytes(5 * MEBIBYTE), 100_000))
        assert (got.status, got.body) == (422, b"{}")
    assert (await system.get("/api/v1/products")).status == 200


async def test_client_disconnect_during_upload_does_not_affect_other_requests(system: System) -> None:
    authorization = system.auth.bearer()["Authorization"].encode()
    for sent in (b"x" * 10, b"x" * 200_000):
        _, writer = await open_raw(system)
        writer.write(b"POST /api/v1/products/import HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n")
        writer.write(b"Authorization: " + authorization + b"\r\n\r\n" + sent)
        await writer.drain()
        writer.transport.abort()
    assert (await system.call("POST", "/api/v1/products", data=b"{}")).status == 200


async def open_raw(system: System) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    assert system.gateway is not None
    return await asyncio.open_connection("127.0.0.1", system.gateway.port)
