"""Attacks on the gateway as an HTTP server, on raw sockets: no client's bytes become part of another request.

`gateway/tests/test_conformance.py` has the cases in full; here the services are the real ones.
"""

import asyncio
import json
import re

import httpx2 as httpx

from stockbuddy.chassis.testing.clients import User

STATUS_LINE = re.compile(rb"HTTP/1\.1 (\d{3}) ")
LAST = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
UPGRADES = (
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n",
    b"Connection: Upgrade\r\nUpgrade: TLS/1.2\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n",
)


async def exchange(port: int, *packets: bytes) -> list[int]:
    """The status of each response until the server closes the connection; the packets are sent one by one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for packet in packets:
        writer.write(packet)
        await writer.drain()
        for _ in range(10):
            await asyncio.sleep(0)  # the server's loop is this one: it reads each packet on its own
    try:
        received = await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
    return [int(status) for status in STATUS_LINE.findall(received)]


def post(path: str, body: bytes, headers: bytes = b"") -> bytes:
    head = b"POST /api/v1%b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" % path.encode()
    return head + headers + b"Content-Length: %d\r\n\r\n" % len(body)


async def categories(admin: User) -> set[str]:
    return {item["name"] for item in (await admin.get("/categories", page_size=100))["items"]}


async def test_body_behind_an_ignored_upgrade_is_not_the_next_request(gateway_port: int, admin: User) -> None:
    authorization = b"Authorization: Bearer %b\r\n" % admin.tokens["access_token"].encode()
    for number, upgrade in enumerate(UPGRADES):
        body = json.dumps({"name": f"smuggled-{number}"}).encode()
        smuggled = post("/categories", body, authorization) + body
        got = await exchange(gateway_port, post("/auth/login", smuggled, upgrade), smuggled, LAST)
        assert got == [400, 200], upgrade
    assert not [name for name in await categories(admin) if name.startswith("smuggled")]


async def test_login_with_an_ignored_upgrade_works(gateway_port: int, admin: User) -> None:
    body = json.dumps({"username": admin.username, "password": "correct-Horse-7-staple"}).encode()
    for upgrade in UPGRADES:
        assert await exchange(gateway_port, post("/auth/login", body, upgrade), body, LAST) == [200, 200]


async def test_trailers_authenticate_nobody(gateway_port: int, admin: User) -> None:
    token = admin.tokens["access_token"].encode()
    head = b"POST /api/v1/categories HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    chunks = b'14\r\n{"name":"trailer"}  \r\n0\r\nAuthorization: Bearer %b\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n' % token
    assert await exchange(gateway_port, head + b"Transfer-Encoding: chunked\r\n\r\n", chunks, LAST) == [401, 200]
    assert "trailer" not in await categories(admin)


async def test_unread_body_of_a_refused_request_is_not_the_next_request(gateway_port: int, admin: User) -> None:
    authorization = b"Authorization: Bearer %b\r\n" % admin.tokens["access_token"].encode()
    body = json.dumps({"name": "unread"}).encode()
    smuggled = post("/categories", body, authorization) + body
    continued = b"Expect: 100-continue\r\n"
    assert await exchange(gateway_port, post("/products", smuggled, continued), smuggled, LAST) == [401]
    assert await exchange(gateway_port, post("/products", smuggled), smuggled, LAST) == [401, 200]
    assert "unread" not in await categories(admin)


async def test_every_spelling_of_the_reset_path_meets_its_size_limit(http: httpx.AsyncClient) -> None:
    for path in ("f%6frgot", "%66orgot", "./forgot", "x/../forgot"):
        request = httpx.Request("POST", f"{http.base_url}/api/v1/auth/password/{path}", content=b"x" * 70_000)
        request.url = request.url.copy_with(raw_path=f"/api/v1/auth/password/{path}".encode())
        assert (await http.send(request)).status_code == 413, path


async def test_encoded_slash_leads_to_no_route_with_other_limits(http: httpx.AsyncClient, admin: User) -> None:
    """The gateway and the service read a path alike: what the service decodes, the gateway has routed decoded."""
    headers = {"Authorization": f"Bearer {admin.tokens['access_token']}", "Content-Type": "application/json"}
    for path in ("auth%2Flogin", "auth/login%2F", "auth%2flogin%2f", "auth/password%2fforgot", "auth/./login%2F"):
        request = httpx.Request("POST", f"{http.base_url}/api/v1/", headers=headers, content=b"x" * 70_000)
        request.url = request.url.copy_with(raw_path=f"/api/v1/{path}".encode())
        response = await http.send(request)
        assert response.status_code in (404, 413), (path, response.text)
