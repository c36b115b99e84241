"""Streamed responses: large bodies, server-sent events and WebSockets, with both upstreams."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from stockbuddy.chassis.http.tokens import CLOCK_LEEWAY_SECONDS

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.tests.conftest import FakeService, StartSystem, System


class EventSource:
    """A stream that sends the queued lines, and detects a client disconnect."""

    def __init__(self, service: FakeService) -> None:
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        self.headers: list[tuple[bytes, bytes]] = []
        service.handlers["/api/v1/stream"] = self.handler

    async def handler(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers = scope["headers"]
        leaving = asyncio.create_task(self._notice(receive))
        head = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        try:
            while not self.left.is_set():
                responding = asyncio.create_task(self.lines.get())
                await asyncio.wait([responding, leaving], return_when=asyncio.FIRST_COMPLETED)
                if responding.done():
                    await send({"type": "http.response.body", "body": responding.result(), "more_body": True})
                responding.cancel()
        finally:
            self.left.set()
            leaving.cancel()

    async def _notice(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


async def test_events_are_forwarded_as_they_are_sent(system: System) -> None:
    ticker = EventSource(system.notifications)
    headers = {**system.auth.bearer(), "Last-Event-ID": "41"}
    async with system.client.get(system.url + "/api/v1/stream", headers=headers) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert (b"last-event-id", b"41") in ticker.headers
        for number in range(3):
            ticker.lines.put_nowait(b"id: %d\ndata: x\n\n" % number)
            # Each is awaited before the next is sent: nothing on the way buffers events.
            assert await asyncio.wait_for(response.content.readuntil(b"\n\n"), 60) == b"id: %d\ndata: x\n\n" % number


async def test_client_disconnect_is_forwarded_to_the_service_at_once(system: System) -> None:
    ticker = EventSource(system.notifications)
    async with system.client.get(system.url + "/api/v1/stream", headers=system.auth.bearer()) as response:
        ticker.lines.put_nowait(b": hello\n\n")
        await response.content.readuntil(b"\n\n")
    await asyncio.wait_for(ticker.left.wait(), 60)


async def test_stream_ends_with_its_session(system: System) -> None:
    ticker = EventSource(system.notifications)
    headers = system.auth.bearer(sid="doomed")
    async with system.client.get(system.url + "/api/v1/stream", headers=headers) as response:
        ticker.lines.put_nowait(b": hello\n\n")
        await response.content.readuntil(b"\n\n")
        system.auth.revoked.append("doomed")
        assert await asyncio.wait_for(response.content.read(), 60) == b""
    await asyncio.wait_for(ticker.left.wait(), 60)


async def test_stream_ends_at_token_expiry(system: System) -> None:
    ticker = EventSource(system.notifications)
    headers = system.auth.bearer(exp=int(time.time()) + 2 - CLOCK_LEEWAY_SECONDS)
    async with system.client.get(system.url + "/api/v1/stream", headers=headers) as response:
        assert await asyncio.wait_for(response.content.read(), 60) == b""
    await asyncio.wait_for(ticker.left.wait(), 60)


@pytest.mark.parametrize(("kind", "header"), [("api_key", "X-API-Key"), ("session_cookie", "Cookie")])
async def test_stream_lasts_as_long_as_its_credential(system: System, kind: str, header: str) -> None:
    """The gateway gets further tokens while the stream is open, until auth rejects the credential."""
    ticker = EventSource(system.notifications)
    system.auth.token_seconds = 1
    system.auth.credentials[kind, "secret"] = "key:1" if kind == "api_key" else "b7a9b6a2-0000-4000-8000-000000000001"
    value = "secret" if kind == "api_key" else "session=secret"
    async with system.client.get(system.url + "/api/v1/stream", headers={header: value}) as response:
        assert response.status == 200
        await system.eventually(lambda: len(system.auth.exchanges) >= 3)
        ticker.lines.put_nowait(b": hello\n\n")
        assert await asyncio.wait_for(response.content.readuntil(b"\n\n"), 60) == b": hello\n\n"
        system.auth.credentials.clear()
        assert await asyncio.wait_for(response.content.read(), 60) == b""
    await asyncio.wait_for(ticker.left.wait(), 60)


async def test_stream_ticket_opens_one_stream(system: System) -> None:
    """Of concurrent requests with one ticket, one succeeds; its stream ends with the session."""
    ticker = EventSource(system.notifications)
    system.auth.credentials["stream_ticket", "t-1"] = "doomed"
    url = system.url + "/api/v1/stream?types=stock.*&ticket=t-1"
    responses = await asyncio.gather(*(system.client.get(url) for _ in range(4)))
    assert sorted(response.status for response in responses) == [200, 401, 401, 401]
    stream = next(response for response in responses if response.status == 200)
    assert dict(ticker.headers)[b"authorization"].startswith(b"Bearer ey")
    ticker.lines.put_nowait(b": hello\n\n")
    await stream.content.readuntil(b"\n\n")
    system.auth.revoked.append("doomed")
    assert await asyncio.wait_for(stream.content.read(), 60) == b""
    for response in responses:
        response.close()
    assert [*system.auth.exchanges] == [{"stream_ticket": "t-1"}] * 4


async def test_ticket_opens_streams_only(system: System) -> None:
    for path in ("/api/v1/products", "/api/v1/events", "/api/v1/auth/profile"):
        system.auth.credentials["stream_ticket", "t-2"] = "session-2"
        assert (await system.get(f"{path}?ticket=t-2", headers={})).is_problem(401, "unauthenticated")
    assert system.auth.exchanges == []
    refused = await system.get("/api/v1/stream?ticket=unknown", headers={})
    assert refused.is_problem(401, "unauthenticated")
    assert b"unknown" not in refused.body


def large_response(body: bytes, *, declared: bool) -> ASGIApp:
    async def handler(_: Scope, __: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/csv")]
        if declared:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for start in range(0, len(body), 60_000):
            await send({"type": "http.response.body", "body": body[start : start + 60_000], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return handler


@pytest.mark.parametrize("declared", [True, False])
async def test_large_response_is_complete_at_a_slow_client(system: System, declared: bool) -> None:
    body = bytes(i * 11 % 253 for i in range(5_000_000))
    system.catalog.handlers["/api/v1/products/export"] = large_response(body, declared=declared)
    digest = hashlib.sha256()
    async with system.client.get(system.url + "/api/v1/products/export", headers=system.auth.bearer()) as response:
        assert ("Content-Length" in response.headers) is declared
        async for piece in response.content.iter_chunked(100_000):
            digest.update(piece)
            await asyncio.sleep(0.001)
    assert digest.digest() == hashlib.sha256(body).digest()


async def test_truncated_response_is_an_error_for_the_client(system: System) -> None:
    async def handler(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"x" * 10, "more_body": True})
        raise RuntimeError("gone")

    system.catalog.handlers["/api/v1/products/export"] = handler
    with pytest.raises(aiohttp.ClientPayloadError):
        await system.get("/api/v1/products/export")
    assert (await system.get("/api/v1/products")).status == 200


async def test_service_failure_is_a_problem_without_internals(system: System) -> None:
    async def handler(_: Scope, __: Receive, ___: Send) -> None:
        raise RuntimeError("SELECT secret FROM table at 10.0.0.5")

    system.catalog.handlers["/api/v1/products"] = handler
    got = await system.get("/api/v1/products")
    assert got.status == 500
    assert b"secret" not in got.body
    assert b"10.0.0.5" not in got.body


# WebSockets


def echo_websocket(service: FakeService) -> dict[str, Any]:
    """Echoes messages; `bye` makes it close."""
    noted: dict[str, Any] = {}

    async def handler(scope: Scope, receive: Receive, send: Send) -> None:
        noted.update(scope)
        assert (await receive())["type"] == "websocket.connect"
        subprotocols = scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": subprotocols[0] if subprotocols else None})
        while (message := await receive())["type"] == "websocket.receive":
            if message.get("text") == "bye":
                await send({"type": "websocket.close", "code": 4001, "reason": "requested"})
            elif message.get("text") is not None:
                await send({"type": "websocket.send", "text": "echo: " + message["text"]})
            else:
                await send({"type": "websocket.send", "bytes": message["bytes"][::-1]})
        noted["code"] = message.get("code")

    service.handlers["/api/v1/ws"] = handler
    return noted


async def test_websocket_messages_pass_both_ways_with_identity(system: System) -> None:
    noted = echo_websocket(system.notifications)
    headers = {**system.auth.bearer(), "X-Forwarded-For": "1.2.3.4"}
    async with system.client.ws_connect(
        system.url + "/api/ws/?after=9", headers=headers, protocols=("events.v1",)
    ) as socket:
        assert socket.protocol == "events.v1"
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=60) == "echo: hello"
        await socket.send_bytes(b"abc")
        assert await socket.receive_bytes(timeout=60) == b"cba"
        received = dict(noted["headers"])
        assert received[b"x-forwarded-for"] == b"127.0.0.1"
        assert received[b"authorization"].startswith(b"Bearer ")
        assert received[b"x-request-id"]
        assert (noted["path"], noted["query_string"]) == ("/api/v1/ws", b"after=9")


async def test_websocket_close_code_is_forwarded_from_either_side(system: System) -> None:
    noted = echo_websocket(system.notifications)
    async with system.client.ws_connect(system.url + "/api/v1/ws", headers=system.auth.bearer()) as socket:
        await socket.send_str("bye")
        assert (await socket.receive(timeout=60)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4001
    noted.clear()
    async with system.client.ws_connect(system.url + "/api/v1/ws", headers=system.auth.bearer()) as socket:
        await socket.close(code=4002)
    await system.eventually(lambda: noted.get("code") == 4002)


async def test_websocket_without_credentials_or_at_unknown_path_is_rejected(system: System) -> None:
    echo_websocket(system.notifications)
    for path, headers, status in [
        ("/api/v1/ws", {}, 401),
        ("/api/v1/ws", {"Authorization": "Bearer forged"}, 401),
        ("/api/v1/nothing", system.auth.bearer(), 404),
        ("/internal/ws", system.auth.bearer(), 404),
    ]:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await system.client.ws_connect(system.url + path, headers=headers)
        assert refusal.value.status == status
        assert refusal.value.headers is not None
        assert refusal.value.headers["Content-Type"] == "application/problem+json"


async def test_websocket_is_closed_with_its_session(system: System) -> None:
    echo_websocket(system.notifications)
    headers = system.auth.bearer(sid="doomed")
    async with system.client.ws_connect(system.url + "/api/v1/ws", headers=headers) as socket:
        system.auth.revoked.append("doomed")
        message = await socket.receive(timeout=60)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING)
        assert socket.close_code == 1008


async def test_websocket_handshake_with_unavailable_service_is_503(start_system: StartSystem) -> None:
    system = await start_system("http")
    await system.servers["notifications"].stop()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await system.client.ws_connect(system.url + "/api/v1/ws", headers=system.auth.bearer())
    assert refusal.value.status == 503
