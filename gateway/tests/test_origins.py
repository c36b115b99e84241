"""What a request came through and how it is spelled: proxies, path prefixes, paths, cookies, OPTIONS."""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from pydantic import ValidationError
from yarl import URL

from stockbuddy.gateway.settings import GatewaySettings

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from gateway.tests.conftest import Response, StartSystem, System

ADDRESSES = [
    ("203.0.113.7:51234", "203.0.113.7"),
    ("[2001:db8::1]:443", "2001:db8::1"),
    ("[2001:db8::1]", "2001:db8::1"),
    ("2001:DB8::0001", "2001:db8::1"),
    ("::ffff:203.0.113.7", "203.0.113.7"),
    ("[::ffff:203.0.113.7]:80", "203.0.113.7"),
    ("198.51.100.1, 203.0.113.7:1, 127.0.0.1:2", "203.0.113.7"),
    ("198.51.100.1, unknown", "127.0.0.1"),
    ("203.0.113.7:x", "127.0.0.1"),
    ("203.0.113", "127.0.0.1"),
]
FORWARDED = [
    ("for=203.0.113.7;proto=https;by=127.0.0.1", "203.0.113.7", "https"),
    ('For="[2001:db8::1]:443"; Proto=HTTPS', "2001:db8::1", "https"),
    ("for=198.51.100.1;proto=http, for=203.0.113.7", "203.0.113.7", "http"),
    ("for=_hidden", "127.0.0.1", "http"),
]


async def test_addresses_of_proxies_are_understood_with_ports(start_system: StartSystem) -> None:
    system = await start_system("http", trusted_proxies="127.0.0.1")
    for claimed, believed in ADDRESSES:
        await system.get("/api/v1/products", headers={**system.auth.bearer(), "X-Forwarded-For": claimed})
        assert system.catalog.last.values("x-forwarded-for") == [believed], claimed
    lines = [*system.auth.bearer().items(), ("X-Forwarded-For", "198.51.100.1"), ("X-Forwarded-For", "203.0.113.7")]
    await system.call("GET", "/api/v1/products", headers=lines)
    assert system.catalog.last.value("x-forwarded-for") == "203.0.113.7"


async def test_scheme_and_address_are_read_from_forwarded(start_system: StartSystem) -> None:
    system = await start_system("http", trusted_proxies="127.0.0.1")
    for forwarded, address, scheme in FORWARDED:
        await system.get("/api/v1/products", headers={**system.auth.bearer(), "Forwarded": forwarded})
        seen = system.catalog.last
        assert (seen.value("x-forwarded-for"), seen.value("x-forwarded-proto")) == (address, scheme), forwarded
        assert seen.values("forwarded") == []
    for claimed, scheme in [("https,http", "https"), ("HTTPS", "https"), (" http ", "http"), ("ftp", "http")]:
        await system.get("/api/v1/products", headers={**system.auth.bearer(), "X-Forwarded-Proto": claimed})
        assert system.catalog.last.value("x-forwarded-proto") == scheme, claimed


# Paths


SPELLINGS = [
    "/api/v1/auth/password/f%6frgot",
    "/api/v1/auth/password/%66%6F%72got/",
    "/api/auth/./password/x/../forgot",
    "/api/v1/auth/%2e/password/x/%2E%2e/forgot",
    "/api/v1/products/../auth/password/forgot",
]


async def send_raw(system: System, method: str, path: str, **options: object) -> tuple[int, bytes]:
    url = URL(system.url + path, encoded=True)
    async with system.client.request(method, url, **options) as response:  # type: ignore[arg-type]
        return response.status, await response.read()


async def test_every_spelling_of_a_path_meets_its_limits(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, rate_limit_login=f"{len(SPELLINGS)}/minute", rate_limit_address="off")
    for path in SPELLINGS:
        assert (await send_raw(system, "POST", path, json={"email": "ann"}))[0] == 200, path
        assert system.auth.last.raw_path == "/api/v1/auth/password/forgot"
    for path in SPELLINGS:
        assert (await send_raw(system, "POST", path, json={"email": "ann"}))[0] == 429, path
        assert (await send_raw(system, "POST", path, data=b"x" * 70_000))[0] == 413, path


async def test_encoded_slash_does_not_lead_around_a_route(system: System) -> None:
    for path in (
        "/api/v1/auth/password%2Fforgot",
        "/api/v1/auth%2Fpassword/forgot",
        "/api/v1/auth%2fpassword%2fforgot",
    ):
        assert (await send_raw(system, "POST", path, data=b"x" * 70_000))[0] == 413, path
    for path in ("/api%2Fv1/auth/login", "/api/v1/admin%2Flogin", "/api/v1/internal%2Fdenials"):
        assert (await send_raw(system, "POST", path))[0] == 404, path


async def test_reserved_characters_stay_encoded_in_upper_case(system: System) -> None:
    status, _ = await send_raw(
        system, "GET", "/api/v1/products/by-sku/a%2fb%3a%7e%c3%a9%2E", headers=system.auth.bearer()
    )
    assert status == 200
    assert system.catalog.last.raw_path == "/api/v1/products/by-sku/a%2Fb%3A~%C3%A9."


# Path prefixes


def server_urls(document: Any) -> list[str]:
    return [server["url"] for server in document["servers"]]


async def test_path_prefix_of_the_proxy_is_removed_and_restored(mode: str, start_system: StartSystem) -> None:
    async def create(_: Scope, __: Receive, send: Send) -> None:
        headers = [(b"location", b"/api/v1/products/5"), (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    proxies = {"trusted_proxies": "127.0.0.1"}
    for settings, headers in [({"root_path": "/shop/"}, {}), (proxies, {"X-Forwarded-Prefix": "/shop"})]:
        system = await start_system(mode, **settings)
        for prefix in ("", "/shop"):
            got = await system.get(f"{prefix}/api/v1/products", headers={**system.auth.bearer(), **headers})
            assert got.json["path"] == "/api/v1/products"
            assert system.catalog.last.value("x-forwarded-prefix") == "/shop"
            document = (await system.get(f"{prefix}/openapi.json", headers=headers)).json
            assert server_urls(document) == ["/shop"]
            assert "'/shop/openapi.json'" in (await system.get(f"{prefix}/docs", headers=headers)).body.decode()
            assert "/shop/docs/assets/" in (await system.get(f"{prefix}/redoc", headers=headers)).body.decode()
        system.catalog.handlers["/api/v1/products"] = create
        got = await system.call("POST", "/api/v1/products", headers={**system.auth.bearer(), **headers})
        assert got.headers["Location"] == "/shop/api/v1/products/5"


async def test_links_in_responses_have_the_path_prefix(mode: str, start_system: StartSystem) -> None:
    image = "/api/v1/products/5/image?v=1"
    texts: dict[str, object] = {
        "name": '"image_url": "/api/v1/products/1/image"',
        "description": "/api/v1/x",
        "website_url": "https://shop.example/api/v1/",
        "errors_url": None,
    }
    product = {**texts, "image_url": image, "thumbnails": {"medium": image + "&size=medium"}}
    linked = {**texts, "image_url": "/shop" + image, "thumbnails": {"medium": f"/shop{image}&size=medium"}}

    def responding(separators: tuple[str, str], parts: int) -> ASGIApp:
        async def handler(_: Scope, __: Receive, send: Send) -> None:
            body = json.dumps({"items": [product]}, separators=separators).encode()
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            size = -(-len(body) // parts)
            for start in range(0, len(body), size):
                await send({"type": "http.response.body", "body": body[start : start + size], "more_body": True})
            await send({"type": "http.response.body", "body": b""})

        return handler

    system = await start_system(mode, root_path="/shop")
    for separators, parts in (((",", ":"), 1), ((", ", ": "), 3), ((",", ": "), 50)):
        system.catalog.handlers["/api/v1/products"] = responding(separators, parts)
        got = await system.get("/shop/api/v1/products")
        assert got.json == {"items": [linked]}
        head = await system.call("HEAD", "/shop/api/v1/products")
        assert (head.status, head.body) == (200, b"")


async def test_forged_path_prefix_is_ignored(start_system: StartSystem) -> None:
    system = await start_system("http")
    await system.get("/api/v1/products", headers={**system.auth.bearer(), "X-Forwarded-Prefix": "/evil"})
    assert system.catalog.last.values("x-forwarded-prefix") == []
    document = (await system.get("/openapi.json", headers={"X-Forwarded-Prefix": "/evil"})).json
    assert server_urls(document) == ["/"]
    trusting = await start_system("http", trusted_proxies="127.0.0.1")
    for prefix in ("//evil.example", "/a b", '/"><script>', "evil", "/\u00e9"):
        headers = {**trusting.auth.bearer(), "X-Forwarded-Prefix": prefix}
        await trusting.get("/api/v1/products", headers=headers)
        assert trusting.catalog.last.values("x-forwarded-prefix") == [], prefix


# Cookies


def accept_cookie(system: System) -> None:
    system.auth.credentials["session_cookie", "ours"] = "browser-1"


async def order(system: System, cookie: str, **headers: str) -> Response:
    return await system.call("POST", "/api/v1/sales", headers={"Cookie": cookie, "X-CSRF-Token": "abc", **headers})


async def test_foreign_cookie_of_the_same_name_does_not_lock_the_user_out(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_cookie)
    for cookies in (
        "session=ours; csrf_token=abc; session=foreign",
        "session=foreign; session=ours; csrf_token=abc",
        "csrf_token=other; session=ours; csrf_token=abc; session=foreign; csrf_token=last",
    ):
        assert (await order(system, cookies)).status == 200, cookies
    assert (await order(system, "session=foreign; csrf_token=abc")).is_problem(401, "unauthenticated")
    lines = [("Cookie", "session=ours"), ("Cookie", "csrf_token=abc"), ("X-CSRF-Token", "abc")]
    assert (await system.call("POST", "/api/v1/sales", headers=lines)).status == 200


async def test_cookies_of_an_extended_session_are_renewed(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_cookie, trusted_proxies="127.0.0.1")
    system.auth.csrf_token, system.auth.cookie_max_age = "abc", 3600
    https = {"X-Forwarded-Proto": "https", "X-Forwarded-Prefix": "/shop"}
    got = await system.get("/shop/api/v1/sales", headers={"Cookie": "__Secure-session=ours", **https})
    assert got.headers.getall("Set-Cookie") == [
        "__Secure-session=ours; HttpOnly; Max-Age=3600; Path=/shop; SameSite=lax; Secure",
        "__Secure-csrf_token=abc; Max-Age=3600; Path=/shop; SameSite=lax; Secure",
    ]
    again = await system.get("/shop/api/v1/sales", headers={"Cookie": "__Secure-session=ours", **https})
    assert "Set-Cookie" not in again.headers


async def test_cookie_names_have_a_prefix_where_the_request_came_by_https(start_system: StartSystem) -> None:
    system = await start_system("http", accept_cookie, trusted_proxies="127.0.0.1")
    https = {"X-Forwarded-Proto": "https"}
    shop = {**https, "X-Forwarded-Prefix": "/shop"}
    plain, host, secure = (f"{p}session=ours; {p}csrf_token=abc" for p in ("", "__Host-", "__Secure-"))
    for headers, accepted, rejected in [({}, plain, host), (https, host, plain), (shop, secure, host)]:
        assert (await order(system, accepted, **headers)).status == 200
        assert (await order(system, rejected, **headers)).status == 401
    mixed = "__Host-session=ours; __Host-csrf_token=abc; session=foreign; csrf_token=foreign"
    assert (await order(system, mixed, **https)).status == 200


# OPTIONS, conditional requests


async def test_options_without_preflight_is_204_with_allow(mode: str, start_system: StartSystem) -> None:
    def describe(system: System) -> None:
        item: dict[str, object] = {"get": {"responses": {}}, "patch": {"responses": {}}}
        paths = {"/api/v1/products/{product_id}": item, "/api/v1/products/import": {"post": {"responses": {}}}}
        system.catalog.document = {"openapi": "3.1.0", "paths": paths}

    system = await start_system(mode, describe)
    await system.get("/openapi.json", headers={})
    for path, allowed in [
        ("/api/v1/products/5", "GET, HEAD, OPTIONS, PATCH"),
        ("/api/products/5/", "GET, HEAD, OPTIONS, PATCH"),
        ("/api/v1/products/import", "OPTIONS, POST"),
        ("/health/live", "GET, HEAD, OPTIONS"),
        ("/api/v1/sales", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
    ]:
        got = await system.call("OPTIONS", path, headers={})
        assert (got.status, got.headers["Allow"], got.body) == (204, allowed, b""), path
    for path in ("/api/v1/nothing", "/api/v1/products/5/nothing"):
        assert (await system.call("OPTIONS", path, headers={})).is_problem(404, "not_found")


async def test_several_lines_of_a_list_reach_the_service_as_one(system: System) -> None:
    lines = [*system.auth.bearer().items(), ("If-Match", '"a"'), ("If-Match", '"b"'), ("If-None-Match", '"c", "d"')]
    await system.call("GET", "/api/v1/products", headers=lines)
    assert system.catalog.last.values("if-match") == ['"a", "b"']
    assert system.catalog.last.values("if-none-match") == ['"c", "d"']


async def test_own_document_is_304_with_the_suffix_of_a_compressing_proxy(system: System) -> None:
    etag = (await system.get("/openapi.json", headers={})).headers["ETag"]
    for known in (etag, f"W/{etag}", etag[:-1] + '-gzip"', f'"other", {etag}', "*"):
        assert (await system.get("/openapi.json", headers={"If-None-Match": known})).status == 304, known


# Limits


async def test_caller_has_a_limited_number_of_streams(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, max_streams_per_caller=2)
    leave = asyncio.Event()

    async def stream(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        await send({"type": "http.response.body", "body": b": open\n\n", "more_body": True})
        await leave.wait()
        await send({"type": "http.response.body", "body": b""})

    system.notifications.handlers["/api/v1/stream"] = stream
    async with aiohttp.ClientSession() as client:
        url, mine = system.url + "/api/v1/stream", system.auth.bearer()
        first, second = await client.get(url, headers=mine), await client.get(url, headers=mine)
        assert (first.status, second.status) == (200, 200)
        refused = await system.get("/api/v1/stream", headers=mine)
        assert refused.is_problem(429, "too_many_streams")
        assert int(refused.headers["Retry-After"]) > 0
        other = await client.get(url, headers=system.auth.bearer(sub="8"))
        assert other.status == 200
        leave.set()
        await asyncio.gather(*(response.read() for response in (first, second, other)))
        assert (await system.get("/api/v1/stream", headers=mine)).status == 200


async def test_registrations_and_logins_are_limited_by_address(mode: str, start_system: StartSystem) -> None:
    limits = {
        "rate_limit_registration": "3/minute",
        "rate_limit_login_address": "4/minute",
        "rate_limit_address": "off",
    }
    system = await start_system(mode, trusted_proxies="127.0.0.1", **limits)

    async def post(path: str, address: str, body: object) -> int:
        got = await system.call("POST", path, headers={"X-Forwarded-For": address}, json=body)
        return got.status

    paths = (
        "/api/v1/auth/register",
        "/api/v1/auth/password/reset",
        "/api/v1/auth/admin/register",
        "/api/auth/register",
    )
    assert [await post(path, "203.0.113.1", {}) for path in paths] == [200, 200, 200, 429]
    logins = [await post("/api/v1/auth/login", "203.0.113.1", {"username": f"u{n}"}) for n in range(5)]
    assert logins == [200, 200, 200, 200, 429]
    assert await post("/api/v1/auth/login", "203.0.113.2", {"username": "u9"}) == 200
    assert await post("/api/v1/auth/register", "203.0.113.2", {}) == 200


async def test_health_checks_have_a_limit_of_their_own(start_system: StartSystem) -> None:
    system = await start_system("direct", rate_limit_address="20/minute", trusted_proxies="127.0.0.1")
    address = {"X-Forwarded-For": "203.0.113.1"}
    assert [(await system.get("/health/live", headers=address)).status for _ in range(21)] == [200] * 20 + [429]
    assert (await system.get("/docs", headers=address)).is_problem(429, "rate_limited")
    assert (await system.get("/api/v1/products", headers=address)).status == 401


# Settings


def test_origins_are_written_as_browsers_send_them() -> None:
    settings = GatewaySettings(env="development", cors_origins="https://Shop.example/, http://[::1]:3000 ,*")
    assert settings.cors_origins == ("https://shop.example", "http://[::1]:3000", "*")
    for wrong in ("shop.example", "https://shop.example/app", "https://*.shop.example/x", "https://u@shop.example"):
        with pytest.raises(ValidationError):
            GatewaySettings(env="development", cors_origins=wrong)


def test_production_requires_https_and_rejects_every_origin_by_default() -> None:
    secret: dict[str, Any] = {"gateway_secret": secrets.token_urlsafe(32)}
    assert not GatewaySettings(env="development").rejects_plain_http
    assert GatewaySettings(env="production", **secret).rejects_plain_http
    assert not GatewaySettings(env="production", require_https=False, **secret).rejects_plain_http
    with pytest.raises(ValidationError, match="CORS_ORIGINS allows every origin"):
        GatewaySettings(env="production", cors_origins="https://shop.example, *", **secret)


def test_empty_variable_is_an_absent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("METRICS_PORT", "RATE_LIMIT_URL", "CORS_ORIGINS", "TRUSTED_PROXIES", "ROOT_PATH", "TLS_KEY_FILE"):
        monkeypatch.setenv(name, "")
    settings = GatewaySettings(env="development")
    assert (settings.metrics_port, settings.rate_limit_url, settings.cors_origins) == (None, None, ())
    for wrong in ("/a b", "https://shop.example/", "/a?b"):
        with pytest.raises(ValidationError):
            GatewaySettings(env="development", root_path=wrong)


async def test_local_origins_are_allowed_in_development_only(start_system: StartSystem) -> None:
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-requested-with,prefer,range"}
    for env, allowed in (("development", True), ("production", False)):
        system = await start_system("direct", env=env, require_https=False)
        for origin in ("http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:8080"):
            got = await system.call("OPTIONS", "/api/v1/products", headers={"Origin": origin, **asked})
            assert (got.headers.get("Access-Control-Allow-Origin") == origin) is allowed
    for origin in ("https://localhost.evil.example", "http://localhost.evil.example", "https://evil.example"):
        got = await system.call("OPTIONS", "/api/v1/products", headers={"Origin": origin, **asked})
        assert "Access-Control-Allow-Origin" not in got.headers


PREFLIGHT_HEADERS = (
    "X-Requested-With, Cache-Control, Pragma, Prefer, X-Consistency, Traceparent, Tracestate, Baggage, Range, "
    "Authorization, Content-Type, If-Match, Idempotency-Key, X-API-Key, X-CSRF-Token, X-Request-ID, Last-Event-ID"
)


async def test_preflight_allows_the_headers_of_usual_clients(start_system: StartSystem) -> None:
    system = await start_system("direct", cors_origins="https://shop.example/")
    for wanted in (PREFLIGHT_HEADERS, PREFLIGHT_HEADERS.lower()):
        headers = {
            "Origin": "https://shop.example",
            "Access-Control-Request-Method": "PATCH",
            "Access-Control-Request-Headers": wanted,
        }
        got = await system.call("OPTIONS", "/api/v1/products/5", headers=headers)
        assert got.status == 200, got.body
        assert got.headers["Access-Control-Allow-Origin"] == "https://shop.example"
    assert server_urls((await system.get("/openapi.json", headers={})).json) == ["/"]
