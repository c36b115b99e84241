"""HTTP/1.1 on raw sockets (RFC 9110, RFC 9112): no byte of a request is read as part of another.

Each case sends its parts as separate packets and lists the status of every response.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gateway.tests.conftest import StartSystem, System

STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ")
LOGIN = b"/api/v1/auth/login"
CREDENTIALS = b'{"username":"ann","password":"x"}'
SMUGGLED = b"GET /api/v1/products/666 HTTP/1.1\r\nHost: x\r\nX-API-Key: k\r\n\r\n"


def post(*headers: bytes, target: bytes = LOGIN, version: bytes = b"1.1") -> bytes:
    lines = [b"POST %b HTTP/%b" % (target, version), b"Host: x", b"Content-Type: application/json", *headers]
    return b"\r\n".join([*lines, b"", b""])


def sized(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


NEXT = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
"""Follows the request under test: its response shows whether the server still knows where a request begins."""
KEY = b"aaaaaaaaaaaaaaaaaaaaaa=="
UPGRADES = [
    (b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
    (b"Connection: Upgrade", b"Upgrade: TLS/1.2"),
    (b"Connection: upgrade", b"Upgrade: websocket"),
    (b"Connection: upgrade", b"Upgrade: WebSocket", b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: " + KEY),
    (b"Connection: keep-alive, Upgrade", b"Upgrade: websocket, h2c"),
    (b"Connection: Upgrade", b"Connection: keep-alive", b"Upgrade: foo/1, bar"),
]  # fmt: skip


@dataclass
class Client:
    """A connection on which packets are sent one by one."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, system: System, *, tls: ssl.SSLContext | None = None) -> Client:
        assert system.gateway is not None
        return cls(*await asyncio.open_connection("127.0.0.1", system.gateway.port, ssl=tls))

    async def send(self, *packets: bytes) -> None:
        for packet in packets:
            self.writer.write(packet)
            await self.writer.drain()
            for _ in range(10):
                await asyncio.sleep(0)  # the server's loop is this one: it reads each packet on its own

    async def read(self) -> bytes:
        """Everything until the server closes the connection in an orderly way."""
        try:
            return await asyncio.wait_for(self.reader.read(), 60)
        finally:
            self.writer.close()

    async def exchange(self, *packets: bytes) -> list[int]:
        await self.send(*packets)
        return statuses(await self.read())


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in STATUS_LINE.findall(received)]


@pytest.fixture
async def gateway(start_system: StartSystem) -> System:
    return await start_system("http", rate_limit_login="off", rate_limit_address="off")


def bodies(system: System) -> list[bytes]:
    return [seen.body for seen in system.auth.seen if seen.raw_path == LOGIN.decode()]


# Upgrades


async def test_body_of_a_request_with_an_ignored_upgrade_belongs_to_it(gateway: System) -> None:
    for upgrade in UPGRADES:
        gateway.auth.seen.clear()
        got = await (await Client.connect(gateway)).exchange(post(*upgrade, sized(SMUGGLED)), SMUGGLED, NEXT)
        assert (got, bodies(gateway)) == ([200, 200], [SMUGGLED]), upgrade
    assert not [seen for seen in gateway.catalog.seen if "666" in seen.path]


async def test_body_with_an_ignored_upgrade_is_read_however_it_is_cut(gateway: System) -> None:
    request = post(*UPGRADES[0], sized(CREDENTIALS)) + CREDENTIALS + NEXT
    for size in (1, 7, 64, len(request)):
        gateway.auth.seen.clear()
        packets = [request[start : start + size] for start in range(0, len(request), size)]
        assert await (await Client.connect(gateway)).exchange(*packets) == [200, 200], size
        assert bodies(gateway) == [CREDENTIALS]


async def test_chunked_body_with_an_ignored_upgrade_belongs_to_its_request(gateway: System) -> None:
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)
    request = post(*UPGRADES[0], b"Transfer-Encoding: chunked")
    assert await (await Client.connect(gateway)).exchange(request, chunks, NEXT) == [200, 200]
    assert bodies(gateway) == [SMUGGLED]


async def test_upgrade_headers_are_not_forwarded(gateway: System) -> None:
    request = post(*UPGRADES[0], b"X-Plain: stays", sized(CREDENTIALS))
    await (await Client.connect(gateway)).exchange(request, CREDENTIALS, NEXT)
    names = {name for name, _ in gateway.auth.last.headers}
    assert "x-plain" in names
    assert not names & {"upgrade", "connection", "http2-settings"}


async def test_pipelined_upgrades_are_each_ignored(gateway: System) -> None:
    one = post(*UPGRADES[1], sized(CREDENTIALS)) + CREDENTIALS
    assert await (await Client.connect(gateway)).exchange(one * 3 + NEXT) == [200, 200, 200, 200]


async def test_websocket_handshake_elsewhere_is_an_ordinary_request(gateway: System) -> None:
    get = b"GET /health/live HTTP/1.1\r\nHost: x\r\n" + b"\r\n".join(UPGRADES[3]) + b"\r\n\r\n"
    assert await (await Client.connect(gateway)).exchange(get, NEXT) == [200, 200]


async def test_websocket_handshake_with_a_body_is_an_ordinary_request(gateway: System) -> None:
    head = b"GET /api/v1/ws HTTP/1.1\r\nHost: x\r\n" + b"\r\n".join(UPGRADES[3]) + b"\r\n" + sized(SMUGGLED)
    got = await (await Client.connect(gateway)).exchange(head + b"\r\n\r\n", SMUGGLED, NEXT)
    assert got[-1] == 200
    assert len(got) == 2
    assert not [seen for seen in gateway.catalog.seen if "666" in seen.path]


async def test_rejected_websocket_handshake_closes_the_connection(gateway: System) -> None:
    head = b"GET /api/v1/ws HTTP/1.1\r\nHost: x\r\n" + b"\r\n".join(UPGRADES[3]) + b"\r\n\r\n"
    received = b""
    client = await Client.connect(gateway)
    await client.send(head, SMUGGLED)
    received = await client.read()
    assert statuses(received) == [401]
    assert b"connection: close" in received.lower()


# Framing in doubt: one response, and the connection is closed


CLOSED = [
    (400, post(b"Transfer-Encoding: chunked", b"Content-Length: 5") + b"0\r\n\r\n" + SMUGGLED),
    (400, post(b"Content-Length: 5", b"Content-Length: 6") + SMUGGLED),
    (400, post(b"Content-Length: +5") + SMUGGLED),
    (501, post(b"Transfer-Encoding: xchunked") + SMUGGLED),
    (400, post(b"Transfer-Encoding:\x0bchunked") + SMUGGLED),
    (400, post(b"Transfer-Encoding : chunked") + SMUGGLED),
    (400, post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity") + SMUGGLED),
    (501, post(b"Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n" + SMUGGLED),
    (501, post(b"Transfer-Encoding: , chunked") + b"0\r\n\r\n" + SMUGGLED),
    (400, post(b"Transfer-Encoding: chunked", version=b"1.0") + b"0\r\n\r\n" + SMUGGLED),
    (400, post(b"Transfer-Encoding: chunked") + b"5 \r\nabcde\r\n0\r\n\r\n" + SMUGGLED),
    (400, post(b"Transfer-Encoding: chunked") + b"5\nabcde\n0\n\n" + SMUGGLED),
    (400, post(b"Transfer-Encoding: chunked") + b"5\r\nabcdeXX0\r\n\r\n" + SMUGGLED),
    (400, post(b"Transfer-Encoding: chunked") + b"fffffffffffffffff\r\n" + SMUGGLED),
    (400, post(b"X-Folded: a\r\n b", sized(b"")) + SMUGGLED),
    (501, b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n" + SMUGGLED),
    (505, b"GET /health/live HTTP/2.0\r\nHost: x\r\n\r\n" + SMUGGLED),
    (505, b"GET /health/live\r\n\r\n" + SMUGGLED),
    (400, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SMUGGLED),
    (400, b"GET /health/live#x HTTP/1.1\r\nHost: x\r\n\r\n" + SMUGGLED),
    (400, b"GET health/live HTTP/1.1\r\nHost: x\r\n\r\n" + SMUGGLED),
    (400, b"GET http://other/health/live HTTP/1.1\r\nHost: x\r\n\r\n" + SMUGGLED),
    (400, b"GET /health/live HTTP/1.1\r\n\r\n" + SMUGGLED),
    (400, b"GET /health/live HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n" + SMUGGLED),
    (400, b"GET /health/live HTTP/1.1\r\nHost: a@x\r\n\r\n" + SMUGGLED),
    (400, b"GET /health/live HTTP/1.1\r\nHost: x/y\r\n\r\n" + SMUGGLED),
    (400, b"GET /health/live HTTP/1.1\r\nHost:\r\n\r\n" + SMUGGLED),
    (414, b"GET /%b HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 66_000)),
    (414, b"GET /" + b"a" * 100_000),
    (431, b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: %b\r\n\r\n" % (b"a" * 70_000)),
    (431, b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + b"a" * 70_000),
    (431, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 300 + b"\r\n"),
]  # fmt: skip


async def test_request_in_doubt_gets_one_problem_and_closes_the_connection(gateway: System) -> None:
    for status, packet in CLOSED:
        client = await Client.connect(gateway)
        await client.send(packet)
        received = await client.read()
        assert statuses(received) == [status], (packet[:200], received)
        head, _, body = received.partition(b"\r\n\r\n")
        assert b"connection: close" in head
        assert json.loads(body)["status"] == status
    assert not [seen for seen in gateway.catalog.seen if "666" in seen.path]


async def test_response_to_an_earlier_request_precedes_the_problem(gateway: System) -> None:
    request = post(sized(CREDENTIALS)) + CREDENTIALS
    assert await (await Client.connect(gateway)).exchange(request + b"nonsense\r\n\r\n" + SMUGGLED) == [200, 400]


async def test_absolute_form_of_the_own_host_is_accepted(gateway: System) -> None:
    request = b"GET http://X/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    assert await (await Client.connect(gateway)).exchange(request, NEXT) == [200, 200]


async def test_nothing_after_a_request_to_close_is_answered(gateway: System) -> None:
    assert await (await Client.connect(gateway)).exchange(NEXT + NEXT) == [200]


# Trailers and chunks


async def test_trailers_never_become_headers(gateway: System) -> None:
    trailers = b"X-Forwarded-For: 9.9.9.9\r\nX-Request-ID: forged\r\nAuthorization: Bearer forged\r\nX-Own: t\r\n\r\n"
    chunks = b"%x\r\n%b\r\n0\r\n" % (len(CREDENTIALS), CREDENTIALS)
    for packets in (
        [post(b"Transfer-Encoding: chunked"), chunks + trailers],
        [post(b"Transfer-Encoding: chunked") + chunks + trailers],
    ):
        assert await (await Client.connect(gateway)).exchange(*packets, NEXT) == [200, 200]
        seen = gateway.auth.last
        assert seen.body == CREDENTIALS
        assert seen.values("x-forwarded-for") == ["127.0.0.1"]
        assert not seen.values("authorization") + seen.values("x-own")
        assert seen.value("x-request-id") != "forged"


async def test_credentials_in_a_trailer_are_none(gateway: System) -> None:
    authorization = gateway.auth.bearer()["Authorization"].encode()
    request = post(b"Transfer-Encoding: chunked", target=b"/api/v1/products")
    trailers = b"2\r\n{}\r\n0\r\nAuthorization: %b\r\n\r\n" % authorization
    assert await (await Client.connect(gateway)).exchange(request + trailers, NEXT) == [401, 200]


async def test_trailer_of_a_response_never_becomes_a_header(gateway: System) -> None:
    async def handler(scope: Scope, _: Receive, __: Send) -> None:
        response = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nset-cookie: a=b\r\n\r\n"
        scope["transport"].write(response)
        await asyncio.sleep(3600)

    gateway.catalog.handlers["/api/v1/products/1"] = handler
    got = await gateway.get("/api/v1/products/1")
    assert (got.status, got.body) == (200, b"{}")
    assert "Set-Cookie" not in got.headers


async def test_chunk_extensions_and_trailers_are_limited(gateway: System) -> None:
    for endless in (b"1;" + b"e" * 40_000 + b"\r\na\r\n", b"0\r\n" + b"X-T: " + b"t" * 40_000):
        client = await Client.connect(gateway)
        await client.send(post(b"Transfer-Encoding: chunked"), *[endless] * 6)
        assert statuses(await client.read()) == [400]
    small_chunks = b"1\r\na\r\n" * 20_000
    request = post(b"Transfer-Encoding: chunked")
    got = await (await Client.connect(gateway)).exchange(request, small_chunks + b"0\r\n\r\n", NEXT)
    assert got == [200, 200]


# Early refusal


async def test_small_body_of_a_refused_request_is_drained(gateway: System) -> None:
    request = post(sized(SMUGGLED), target=b"/api/v1/products")
    assert await (await Client.connect(gateway)).exchange(request, SMUGGLED, NEXT) == [401, 200]


async def test_refused_request_with_a_missing_body_closes_the_connection(gateway: System) -> None:
    for packets, status in [
        ((post(b"Content-Length: 100", target=b"/api/v1/products"),), 401),
        ((post(b"Transfer-Encoding: chunked", target=b"/api/v1/products"), b"5\r\nab"), 401),
        ((post(b"Content-Length: 99999999", target=b"/api/v1/products"), SMUGGLED), 413),
        ((post(b"Content-Length: 99999999", target=b"/api/v1/nothing"), SMUGGLED * 1000), 404),
    ]:
        client = await Client.connect(gateway)
        await client.send(*packets)
        received = await client.read()
        assert statuses(received) == [status]
        assert b"connection: close" in received.lower()


async def test_client_receives_the_refusal_of_a_body_that_it_still_sends(gateway: System) -> None:
    client = await Client.connect(gateway)
    await client.send(post(b"Content-Length: 99999999", target=b"/api/v1/products"))
    for _ in range(40):
        await client.send(b"x" * 100_000)
    assert statuses(await client.read()) == [413]


async def test_refused_request_that_expects_continue_closes_the_connection(gateway: System) -> None:
    request = post(b"Expect: 100-continue", sized(CREDENTIALS), target=b"/api/v1/products")
    client = await Client.connect(gateway)
    await client.send(request, SMUGGLED)
    received = await client.read()
    assert statuses(received) == [401]
    assert b"connection: close" in received.lower()


async def test_accepted_request_that_expects_continue_is_continued(gateway: System) -> None:
    client = await Client.connect(gateway)
    await client.send(post(b"Expect: 100-Continue", sized(CREDENTIALS)))
    assert await asyncio.wait_for(client.reader.readuntil(b"\r\n\r\n"), 60) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert await client.exchange(CREDENTIALS, NEXT) == [200, 200]


# HTTP/1.0, half-closed connections, limits of time


async def test_http_1_0_gets_no_chunked_coding(gateway: System) -> None:
    async def handler(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for part in (b"a" * 1000, b"b" * 1000):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    gateway.catalog.handlers["/api/v1/products/export"] = handler
    authorization = gateway.auth.bearer()["Authorization"].encode()
    client = await Client.connect(gateway)
    await client.send(b"GET /api/v1/products/export HTTP/1.0\r\nAuthorization: %b\r\n\r\n" % authorization)
    head, _, body = (await client.read()).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert body == b"a" * 1000 + b"b" * 1000


async def test_http_1_0_request_needs_no_host_and_gets_no_continue(gateway: System) -> None:
    request = b"POST %b HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}" % LOGIN
    assert await (await Client.connect(gateway)).exchange(request) == [200]


async def test_half_closed_connection_is_answered(gateway: System) -> None:
    request = post(sized(CREDENTIALS)) + CREDENTIALS
    for packets, expected in [((request,), [200]), ((request * 3,), [200, 200, 200])]:
        client = await Client.connect(gateway)
        client.writer.write(b"".join(packets))
        client.writer.write_eof()
        assert statuses(await client.read()) == expected


async def test_incomplete_request_on_a_half_closed_connection_is_not_answered_with_success(gateway: System) -> None:
    client = await Client.connect(gateway)
    client.writer.write(post(b"Content-Length: 100") + CREDENTIALS)
    client.writer.write_eof()
    assert 200 not in statuses(await client.read())
    assert bodies(gateway) == []


async def test_no_state_of_a_connection_lasts_for_ever(start_system: StartSystem) -> None:
    system = await start_system(
        "http", header_timeout_seconds=0.3, keep_alive_timeout_seconds=1, body_timeout_seconds=0.3
    )
    request = post(sized(CREDENTIALS)) + CREDENTIALS
    for packets in (
        (b"\r\n",),
        (request, b"\r\n"),
        (request, b"GET"),
        (request,),
        (post(*UPGRADES[2]),),
        (post(*UPGRADES[2], sized(CREDENTIALS)), CREDENTIALS[:3]),
    ):
        client = await Client.connect(system)
        await client.send(*packets)
        await client.read()  # raises TimeoutError after 5 s


# TLS, whose connections cannot be closed on one side


async def test_framing_over_tls(start_system: StartSystem, certificate: tuple[str, str]) -> None:
    files = {"tls_certificate_file": certificate[0], "tls_key_file": certificate[1]}
    system = await start_system("direct", wait_for_sessions=False, keep_alive_timeout_seconds=1, **files)
    tls = ssl.create_default_context(cafile=certificate[0])
    for expected, packets in [
        ([200, 200], (post(*UPGRADES[0], sized(SMUGGLED)), SMUGGLED, NEXT)),
        ([400], (b"nonsense\r\n\r\n", SMUGGLED)),
        ([404], (post(b"Content-Length: 99999999", target=b"/api/v1/nothing"), b"x" * 400_000)),
        ([404, 200], (post(sized(SMUGGLED), target=b"/api/v1/nothing"), SMUGGLED, NEXT)),
    ]:
        client = await Client.connect(system, tls=tls)
        await client.send(*packets)
        received = b""
        async with asyncio.timeout(60):
            while len(statuses(received)) < len(expected):
                received += await client.reader.read(65536)
        client.writer.close()
        assert statuses(received) == expected
