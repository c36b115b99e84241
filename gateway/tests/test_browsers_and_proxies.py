"""CORS, security headers, compression, hosts and HTTPS."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from typing import TYPE_CHECKING, Any

import aiohttp
import zstandard

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.tests.conftest import Response, StartSystem, System

SHOP = "https://shop.example"


async def preflight(system: System, origin: str, method: str = "PUT", wanted: str = "authorization") -> Response:
    headers = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": wanted}
    return await system.call("OPTIONS", "/api/v1/products/5", headers=headers)


async def test_listed_origin_may_call_and_read_responses(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, cors_origins=f"{SHOP}, http://localhost:3000")
    for origin in (SHOP, "http://localhost:3000"):
        asked = await preflight(system, origin, wanted="authorization,content-type,idempotency-key,x-csrf-token")
        assert asked.status == 200
        assert asked.headers["Access-Control-Allow-Origin"] == origin
        assert asked.headers["Access-Control-Allow-Credentials"] == "true"
        assert "PUT" in asked.headers["Access-Control-Allow-Methods"]
        got = await system.get("/api/v1/products", headers={**system.auth.bearer(), "Origin": origin})
        assert got.headers["Access-Control-Allow-Origin"] == origin
        assert "X-Request-ID" in got.headers["Access-Control-Expose-Headers"]
        assert "Origin" in got.headers["Vary"]


async def test_problem_is_readable_for_listed_origin(start_system: StartSystem) -> None:
    system = await start_system("http", cors_origins=SHOP)
    for path in ("/api/v1/products", "/api/v1/nothing"):
        got = await system.get(path, headers={"Origin": SHOP})
        assert got.status in (401, 404)
        assert got.headers["Access-Control-Allow-Origin"] == SHOP


async def test_unlisted_origin_is_rejected(start_system: StartSystem) -> None:
    system = await start_system("http", cors_origins=SHOP)
    for origin in ("https://evil.example", "https://shop.example.evil.example", "null"):
        asked = await preflight(system, origin)
        assert asked.status == 400
        assert "Access-Control-Allow-Origin" not in asked.headers
        got = await system.get("/api/v1/products", headers={**system.auth.bearer(), "Origin": origin})
        assert "Access-Control-Allow-Origin" not in got.headers
    assert "Access-Control-Allow-Origin" not in (await preflight(await start_system("http"), SHOP)).headers


async def test_wildcard_origin_is_allowed_without_cookies(start_system: StartSystem) -> None:
    system = await start_system("http", cors_origins="*")
    asked = await preflight(system, "https://any.example")
    assert asked.headers["Access-Control-Allow-Origin"] == "*"
    got = await system.get("/api/v1/products", headers={"Origin": "https://any.example", "Cookie": "session=x"})
    assert "Access-Control-Allow-Credentials" not in got.headers


async def test_preflights_count_per_address_and_require_an_allowed_host(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, cors_origins=SHOP, rate_limit_address="3/minute", allowed_hosts="127.0.0.1")
    headers = {"Origin": SHOP, "Access-Control-Request-Method": "PUT"}
    statuses = [(await system.call("OPTIONS", "/api/v1/products/5", headers=headers)).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert (await system.get("/api/v1/products", headers={"Origin": SHOP})).status == 401  # has its own budget
    foreign = await system.call("OPTIONS", "/docs", headers={**headers, "Host": "evil.example"})
    assert foreign.is_problem(421, "unknown_host")
    assert foreign.headers["Access-Control-Allow-Origin"] == SHOP


async def test_every_response_has_security_headers(system: System) -> None:
    for path, headers in (("/api/v1/products", None), ("/api/v1/products", {}), ("/nothing", {}), ("/docs", {})):
        got = await system.get(path, headers=headers)
        assert got.headers.getall("X-Content-Type-Options") == ["nosniff"]
        assert got.headers.getall("X-Frame-Options") == ["DENY"]
        assert got.headers.getall("Referrer-Policy") == ["no-referrer"]
        (policy,) = got.headers.getall("Content-Security-Policy")
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "Strict-Transport-Security" not in got.headers  # the request used plain HTTP
        assert "Server" not in got.headers


async def test_response_is_private_unless_service_sets_cache_control(system: System) -> None:
    async def handler(_: Scope, __: Receive, send: Send) -> None:
        headers = [(b"cache-control", b"private, max-age=60"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    system.catalog.handlers["/api/v1/products/5/image"] = handler
    got = await system.get("/api/v1/products/5/image")
    assert got.headers.getall("Cache-Control") == ["private, max-age=60"]
    assert (await system.get("/api/v1/products")).headers.getall("Cache-Control") == ["private, no-cache"]


# Compression


def responding(body: bytes, *headers: tuple[bytes, bytes], content_type: bytes = b"application/json") -> ASGIApp:
    async def handler(scope: Scope, __: Receive, send: Send) -> None:
        assert not any(name == b"accept-encoding" for name, _ in scope["headers"])
        given = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *headers]
        await send({"type": "http.response.start", "status": 200, "headers": given})
        await send({"type": "http.response.body", "body": body})

    return handler


async def uncompressed(system: System, path: str, accepts: str | None) -> Response:
    async with (
        aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=["Accept-Encoding"]) as client,
        client.get(
            system.url + path,
            headers={**system.auth.bearer(), **({} if accepts is None else {"Accept-Encoding": accepts})},
        ) as response,
    ):
        from_conftest: Any = type(await system.get("/health/live"))
        got: Response = from_conftest(response.status, response.headers.copy(), await response.read())
        return got


LARGE = json.dumps([{"id": number, "name": "product"} for number in range(1000)]).encode()


async def test_large_response_is_compressed_as_negotiated(system: System) -> None:
    system.catalog.handlers["/api/v1/products"] = responding(LARGE, (b"etag", b'"v1"'))
    for accepts, encoding in [
        ("gzip", "gzip"),
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("zstd;q=0, gzip", "gzip"),
        ("br", None),
        ("identity", None),
        (None, None),
    ]:
        got = await uncompressed(system, "/api/v1/products", accepts)
        assert got.headers.get("Content-Encoding") == encoding, accepts
        body = got.body
        if encoding == "gzip":
            body = gzip.decompress(body)
        elif encoding == "zstd":
            body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
        assert body == LARGE
        assert got.headers["ETag"] == '"v1"'
        if accepts is not None:
            assert "Accept-Encoding" in got.headers["Vary"]
        if encoding:
            assert len(got.body) < len(LARGE) / 5
            assert int(got.headers["Content-Length"]) == len(got.body)


async def test_small_or_compressed_response_is_not_compressed_again(system: System) -> None:
    zipped = gzip.compress(LARGE * 20)
    system.catalog.handlers["/api/v1/products/5"] = responding(b'{"id": 5}')
    system.catalog.handlers["/api/v1/products/export"] = responding(zipped, (b"content-encoding", b"gzip"))
    system.catalog.handlers["/api/v1/products/5/image"] = responding(zipped, content_type=b"image/png")
    for path in ("/api/v1/products/5", "/api/v1/products/5/image"):
        assert "Content-Encoding" not in (await uncompressed(system, path, "gzip, zstd")).headers
    got = await uncompressed(system, "/api/v1/products/export", "gzip, zstd")
    assert (got.headers.getall("Content-Encoding"), got.body) == (["gzip"], zipped)


async def test_event_stream_is_never_compressed(system: System) -> None:
    body = b"data: hello\n\n" * 1000
    system.notifications.handlers["/api/v1/stream"] = responding(body, content_type=b"text/event-stream")
    got = await uncompressed(system, "/api/v1/stream", "gzip, zstd")
    assert (got.headers.get("Content-Encoding"), got.body) == (None, body)


# Hosts and HTTPS


async def test_unknown_host_header_is_rejected(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, allowed_hosts="127.0.0.1, api.shop.example, *.till.example")
    for host in (
        "api.shop.example",
        "API.shop.example:8443",
        "api.shop.example.",
        "Api.Shop.Example.:443",
        "a.till.example",
        "a.b.till.example",
    ):
        assert (await system.get("/api/v1/products", headers={**system.auth.bearer(), "Host": host})).status == 200
    for host in ("evil.example", "shop.example", "till.example", "api.shop.example.evil.example", "[::1]:80"):
        got = await system.get("/api/v1/products", headers={**system.auth.bearer(), "Host": host})
        assert got.is_problem(421, "unknown_host"), host
        for path in ("/docs", "/openapi.json", "/health/live", "/docs/assets/favicon.png"):
            assert (await system.get(path, headers={"Host": host})).is_problem(421, "unknown_host"), path


async def test_plain_http_is_rejected_if_https_is_required(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, require_https=True, trusted_proxies="127.0.0.1", wait_for_sessions=False)
    assert (await system.get("/api/v1/products")).is_problem(403, "https_required")
    for path in ("/docs", "/redoc", "/openapi.json", "/health/live", "/health/ready", "/metrics"):
        assert (await system.get(path, headers={})).is_problem(403, "https_required")
    behind_tls = {**system.auth.bearer(), "X-Forwarded-Proto": "https"}

    async def accept_credentials() -> bool:
        got = await system.get("/api/v1/products", headers=behind_tls)
        return got.status == 200 and got.headers["Strict-Transport-Security"].startswith("max-age=")

    await system.eventually(accept_credentials)


async def test_gateway_with_certificate_serves_https(start_system: StartSystem, certificate: tuple[str, str]) -> None:
    files = {"tls_certificate_file": certificate[0], "tls_key_file": certificate[1]}
    system = await start_system("direct", require_https=True, wait_for_sessions=False, **files)
    trusted = ssl.create_default_context(cafile=certificate[0])
    url = system.url.replace("http:", "https:") + "/health/live"
    async with system.client.get(url, ssl=trusted) as response:
        assert response.status == 200
        assert response.headers["Strict-Transport-Security"] == "max-age=31536000"
    for method in ("GET", "POST", "PUT"):
        async with system.client.request(method, system.url + "/health/live") as response:
            assert (response.status, response.content_type) == (400, "application/problem+json")
            assert (await response.json())["code"] == "https_required"
    reader, writer = await asyncio.open_connection("127.0.0.1", int(system.url.rpartition(":")[2]))
    writer.write(b"\x16 is the first byte of TLS, but this is not TLS\r\n\r\n")
    assert b"HTTP" not in await reader.read()
    writer.close()
