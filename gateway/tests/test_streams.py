"""Answers that come piece by piece: large ones, server-sent events and WebSockets, across both upstreams."""

from __future__ import annotations

import asyncio
import hashlib
import time
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.tests.conftest import MadeUpService, StartSystem, System


class Ticker:
    """A stream that says what it is told to, and notices when its client leaves."""

    def __init__(self, service: MadeUpService) -> None:
        self.lines: asyncio.Queue[bytes] = asyncio.Queue()
        self.left = asyncio.Event()
        self.headers: list[tuple[bytes, bytes]] = []
        service.plays["/api/v1/stream"] = self.play

    async def play(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.headers = scope["headers"]
        leaving = asyncio.create_task(self._notice(receive))
        head = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        try:
            while not self.left.is_set():
                saying = asyncio.create_task(self.lines.get())
                await asyncio.wait([saying, leaving], return_when=asyncio.FIRST_COMPLETED)
                if saying.done():
                    await send({"type": "http.response.body", "body": saying.result(), "more_body": True})
                saying.cancel()
        finally:
            self.left.set()
            leaving.cancel()

    async def _notice(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


async def test_events_arrive_one_by_one_as_they_are_said(system: System) -> None:
    ticker = Ticker(system.notifications)
    headers = {**system.auth.bearer(), "Last-Event-ID": "41"}
    async with system.client.get(system.url + "/api/v1/stream", headers=headers) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert (b"last-event-id", b"41") in ticker.headers
        for number in range(3):
            ticker.lines.put_nowait(b"id: %d\ndata: x\n\n" % number)
            # Each is awaited before the next is said: nothing on the way waits for more.
            assert await asyncio.wait_for(response.content.readuntil(b"\n\n"), 5) == b"id: %d\ndata: x\n\n" % number


async def test_a_service_learns_at_once_that_the_listener_left(system: System) -> None:
    ticker = Ticker(system.notifications)
    async with system.client.get(system.url + "/api/v1/stream", headers=system.auth.bearer()) as response:
        ticker.lines.put_nowait(b": hello\n\n")
        await response.content.readuntil(b"\n\n")
    await asyncio.wait_for(ticker.left.wait(), 5)


async def test_a_stream_ends_with_its_session(system: System) -> None:
    ticker = Ticker(system.notifications)
    headers = system.auth.bearer(sid="doomed")
    async with system.client.get(system.url + "/api/v1/stream", headers=headers) as response:
        ticker.lines.put_nowait(b": hello\n\n")
        await response.content.readuntil(b"\n\n")
        system.auth.ended.append("doomed")
        assert await asyncio.wait_for(response.content.read(), 2) == b""
    await asyncio.wait_for(ticker.left.wait(), 5)


async def test_a_stream_ends_when_its_token_expires(system: System) -> None:
    ticker = Ticker(system.notifications)
    headers = system.auth.bearer(exp=int(time.time()) + 2)
    async with system.client.get(system.url + "/api/v1/stream", headers=headers) as response:
        assert await asyncio.wait_for(response.content.read(), 5) == b""
    await asyncio.wait_for(ticker.left.wait(), 5)


def large_answer(body: bytes, *, declared: bool) -> ASGIApp:
    async def play(_: Scope, __: Receive, send: Send) -> None:
        headers = [(b"content-type", b"text/csv")]
        if declared:
            headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for start in range(0, len(body), 60_000):
            await send({"type": "http.response.body", "body": body[start : start + 60_000], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return play


@pytest.mark.parametrize("declared", [True, False])
async def test_large_answers_arrive_whole_also_at_slow_clients(system: System, declared: bool) -> None:
    body = bytes(i * 11 % 253 for i in range(5_000_000))
    system.catalog.plays["/api/v1/products/export"] = large_answer(body, declared=declared)
    digest = hashlib.sha256()
    async with system.client.get(system.url + "/api/v1/products/export", headers=system.auth.bearer()) as response:
        assert ("Content-Length" in response.headers) is declared
        async for piece in response.content.iter_chunked(100_000):
            digest.update(piece)
            await asyncio.sleep(0.001)
    assert digest.digest() == hashlib.sha256(body).digest()


async def test_an_answer_that_breaks_off_does_not_look_whole(system: System) -> None:
    async def play(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"x" * 10, "more_body": True})
        raise RuntimeError("gone")

    system.catalog.plays["/api/v1/products/export"] = play
    with pytest.raises(aiohttp.ClientPayloadError):
        await system.get("/api/v1/products/export")
    assert (await system.get("/api/v1/products")).status == 200


async def test_a_service_that_fails_before_answering_is_a_problem_without_its_inside(system: System) -> None:
    async def play(_: Scope, __: Receive, ___: Send) -> None:
        raise RuntimeError("SELECT secret FROM table at 10.0.0.5")

    system.catalog.plays["/api/v1/products"] = play
    got = await system.get("/api/v1/products")
    assert got.status == 500
    assert b"secret" not in got.body
    assert b"10.0.0.5" not in got.body


# WebSockets


def conversation(service: MadeUpService) -> dict[str, Any]:
    """Says everything back; `bye` makes it close."""
    noted: dict[str, Any] = {}

    async def play(scope: Scope, receive: Receive, send: Send) -> None:
        noted.update(scope)
        assert (await receive())["type"] == "websocket.connect"
        subprotocols = scope["subprotocols"]
        await send({"type": "websocket.accept", "subprotocol": subprotocols[0] if subprotocols else None})
        while (message := await receive())["type"] == "websocket.receive":
            if message.get("text") == "bye":
                await send({"type": "websocket.close", "code": 4001, "reason": "as you wish"})
            elif message.get("text") is not None:
                await send({"type": "websocket.send", "text": "you said " + message["text"]})
            else:
                await send({"type": "websocket.send", "bytes": message["bytes"][::-1]})
        noted["code"] = message.get("code")

    service.plays["/api/v1/ws"] = play
    return noted


async def test_a_conversation_passes_both_ways_with_its_identity(system: System) -> None:
    noted = conversation(system.notifications)
    headers = {**system.auth.bearer(), "X-Forwarded-For": "1.2.3.4"}
    async with system.client.ws_connect(
        system.url + "/api/ws/?after=9", headers=headers, protocols=("events.v1",)
    ) as socket:
        assert socket.protocol == "events.v1"
        await socket.send_str("hello")
        assert await socket.receive_str(timeout=5) == "you said hello"
        await socket.send_bytes(b"abc")
        assert await socket.receive_bytes(timeout=5) == b"cba"
        received = dict(noted["headers"])
        assert received[b"x-forwarded-for"] == b"127.0.0.1"
        assert received[b"authorization"].startswith(b"Bearer ")
        assert received[b"x-request-id"]
        assert (noted["path"], noted["query_string"]) == ("/api/v1/ws", b"after=9")


async def test_either_side_may_end_it(system: System) -> None:
    noted = conversation(system.notifications)
    async with system.client.ws_connect(system.url + "/api/v1/ws", headers=system.auth.bearer()) as socket:
        await socket.send_str("bye")
        assert (await socket.receive(timeout=5)).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4001
    noted.clear()
    async with system.client.ws_connect(system.url + "/api/v1/ws", headers=system.auth.bearer()) as socket:
        await socket.close(code=4002)
    await system.eventually(lambda: noted.get("code") == 4002)


async def test_nobody_talks_without_credentials_or_at_unknown_paths(system: System) -> None:
    conversation(system.notifications)
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


async def test_a_conversation_ends_with_its_session(system: System) -> None:
    conversation(system.notifications)
    headers = system.auth.bearer(sid="doomed")
    async with system.client.ws_connect(system.url + "/api/v1/ws", headers=headers) as socket:
        system.auth.ended.append("doomed")
        message = await socket.receive(timeout=2)
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING)
        assert socket.close_code == 1008


async def test_without_the_service_a_handshake_is_refused_as_unavailable(start_system: StartSystem) -> None:
    system = await start_system("http")
    await system.listening["notifications"].stop()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await system.client.ws_connect(system.url + "/api/v1/ws", headers=system.auth.bearer())
    assert refusal.value.status == 503
