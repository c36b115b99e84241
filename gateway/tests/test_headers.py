"""Request headers that a service can trust, and response headers that the client receives."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gateway.tests.conftest import StartSystem, System

FORGED = {
    "X-Forwarded-For": "1.2.3.4, 5.6.7.8",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Server": "evil.example",
    "X-Forwarded-Prefix": "/internal",
    "X-Forwarded-User": "admin",
    "X-Forwarded": "for=1.2.3.4",
    "Forwarded": "for=1.2.3.4",
    "X-Real-IP": "1.2.3.4",
    "X-Client-IP": "1.2.3.4",
    "Client-IP": "1.2.3.4",
    "True-Client-IP": "1.2.3.4",
    "CF-Connecting-IP": "1.2.3.4",
    "X-Original-URL": "/internal/token-exchange",
    "X-Rewrite-URL": "/internal/token-exchange",
    "X-HTTP-Method-Override": "DELETE",
    "Proxy-Authorization": "Basic YTpi",
}
UUID_LIKE = re.compile(r"[0-9a-f]{32}")


async def test_forged_forwarding_headers_are_removed(system: System) -> None:
    await system.get("/api/v1/products", headers={**system.auth.bearer(), **FORGED})
    seen = system.catalog.last
    assert seen.values("x-forwarded-for") == ["127.0.0.1"]
    assert seen.values("x-forwarded-proto") == ["http"]
    kept = {"x-forwarded-for", "x-forwarded-proto"}
    arrived = {name for name, _ in seen.headers} & {name.lower() for name in FORGED}
    assert arrived == kept
    assert seen.method == "GET"


async def test_repeated_forged_headers_in_any_case_are_removed(system: System) -> None:
    headers = [*system.auth.bearer().items(), ("x-FORWARDED-for", "1.1.1.1"), ("X-Forwarded-For", "2.2.2.2")]
    await system.get("/api/v1/products", headers=headers)
    assert system.catalog.last.values("x-forwarded-for") == ["127.0.0.1"]


async def test_trusted_proxy_determines_client_address(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, trusted_proxies="127.0.0.0/8, 10.0.0.0/8")
    bearer = system.auth.bearer()
    for claimed, believed in [
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),  # entries further left come from the client itself
        ("203.0.113.9, 10.1.2.3", "203.0.113.9"),  # through a second trusted proxy
        ("nonsense", "127.0.0.1"),
        ("1.1.1.1, nonsense", "127.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.9.9.9", "10.9.9.9"),
        ("", "127.0.0.1"),
    ]:
        forwarded = {"X-Forwarded-For": claimed, "X-Forwarded-Proto": "https"}
        await system.get("/api/v1/products", headers={**bearer, **forwarded})
        assert system.catalog.last.values("x-forwarded-for") == [believed], claimed
        assert system.catalog.last.values("x-forwarded-proto") == ["https"]


async def test_request_id_is_kept_if_valid_and_otherwise_generated(system: System) -> None:
    for given in ("till-7:000123", "a" * 128, "0190f5c2-7b1e-7cc0-8000-000000000001"):
        got = await system.get("/api/v1/products", headers={**system.auth.bearer(), "X-Request-ID": given})
        assert system.catalog.last.values("x-request-id") == [given]
        assert got.headers.getall("X-Request-ID") == [given]
    for given in ("", "a" * 129, "two words", 'a"b', "<script>", "é"):
        got = await system.get("/api/v1/products", headers={**system.auth.bearer(), "X-Request-ID": given})
        made = system.catalog.last.value("x-request-id")
        assert UUID_LIKE.fullmatch(made)
        assert got.headers.getall("X-Request-ID") == [made]


async def test_traceparent_is_kept_if_valid_and_otherwise_generated(system: System) -> None:
    valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = {**system.auth.bearer(), "traceparent": valid, "tracestate": "a=b"}
    await system.get("/api/v1/products", headers=headers)
    assert system.catalog.last.values("traceparent") == [valid]
    assert system.catalog.last.values("tracestate") == ["a=b"]
    invalid = ["", "00-0-0-0", valid.upper(), "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "ff" + valid[2:], valid + "x"]
    for given in invalid:
        headers = {**system.auth.bearer(), "traceparent": given, "tracestate": "a=b"}
        await system.get("/api/v1/products", headers=headers)
        made = system.catalog.last.value("traceparent")
        assert made != given
        assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", made)
        assert system.catalog.last.values("tracestate") == []


async def test_duplicate_single_valued_header_is_forwarded_once(system: System) -> None:
    twice = [("Content-Type", "text/plain"), ("Content-Type", "application/json"), ("Origin", "a"), ("Origin", "b")]
    await system.call("POST", "/api/v1/products", headers=[*system.auth.bearer().items(), *twice], data=b"{}")
    assert system.catalog.last.values("content-type") == ["application/json"]
    assert system.catalog.last.values("origin") == ["b"]
    assert system.catalog.last.values("host") == [system.url.removeprefix("http://")]


async def test_hop_by_hop_request_headers_are_removed(system: System) -> None:
    hop_by_hop = {
        "Connection": "keep-alive, X-Secret, X-Forwarded-For, X-Request-ID",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "Trailer": "X-Checksum",
        "Proxy-Connection": "keep-alive",
        "X-Secret": "only for the next hop",
    }
    await system.get("/api/v1/products", headers={**system.auth.bearer(), **hop_by_hop, "X-Plain": "stays"})
    names = {name for name, _ in system.catalog.last.headers}
    assert not names & {"connection", "keep-alive", "te", "trailer", "proxy-connection", "x-secret"}
    assert "x-plain" in names
    assert system.catalog.last.values("x-forwarded-for") == ["127.0.0.1"]
    assert len(system.catalog.last.values("x-request-id")) == 1


async def test_internal_and_hop_by_hop_response_headers_are_removed(system: System) -> None:
    async def handler(_: Scope, __: Receive, send: Send) -> None:
        inside = {"server": "catalog/10.0.0.5", "x-powered-by": "x", "keep-alive": "timeout=9", "x-request-id": "other"}
        kept = {"content-length": "2", "etag": '"v1"', "location": "/api/v1/products/9", "idempotent-replayed": "true"}
        headers = [(name.encode(), value.encode()) for name, value in {**inside, **kept}.items()]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})

    system.catalog.handlers["/api/v1/products"] = handler
    got = await system.call("POST", "/api/v1/products", json={})
    assert (got.status, got.body) == (201, b"{}")
    assert (got.headers["ETag"], got.headers["Location"]) == ('"v1"', "/api/v1/products/9")
    assert got.headers["Idempotent-Replayed"] == "true"
    assert "X-Powered-By" not in got.headers
    assert "Keep-Alive" not in got.headers
    assert got.headers.getall("X-Request-ID") != ["other"]
    assert len(got.headers.getall("Date")) == 1
    assert "Server" not in got.headers


async def test_conditional_and_idempotency_headers_are_forwarded(system: System) -> None:
    sent = {"If-None-Match": '"a"', "If-Match": 'W/"b"', "Idempotency-Key": "k-1", "Range": "bytes=0-1"}
    await system.get("/api/v1/products/5", headers={**system.auth.bearer(), **sent})
    for name, value in sent.items():
        assert system.catalog.last.values(name.lower()) == [value]


async def test_304_and_204_responses_have_no_body(system: System) -> None:
    def handler(status: int) -> Any:
        async def app(_: Scope, __: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": status, "headers": [(b"etag", b'"a"')]})
            await send({"type": "http.response.body", "body": b""})

        return app

    for status in (204, 304):
        system.catalog.handlers["/api/v1/products/5"] = handler(status)
        for _ in range(3):  # the upstream connection is reused and stays in step
            got = await system.get("/api/v1/products/5")
            assert (got.status, got.body, got.headers["ETag"]) == (status, b"", '"a"')


async def test_head_returns_the_headers_of_get_without_body(system: System) -> None:
    for _ in range(3):
        got = await system.call("HEAD", "/api/v1/products")
        assert (got.status, got.body) == (200, b"")
        assert int(got.headers["Content-Length"]) > 0
        assert system.catalog.last.method == "GET", "services need not support HEAD"
    assert (await system.get("/api/v1/products")).status == 200


async def test_cookies_are_forwarded_to_auth_only(system: System) -> None:
    headers = {**system.auth.bearer(), "Cookie": "theme=dark"}
    await system.get("/api/v1/auth/profile", headers=headers)
    assert system.auth.last.values("cookie") == ["theme=dark"]
    await system.get("/api/v1/products", headers=headers)
    assert system.catalog.last.values("cookie") == []


async def test_api_key_header_is_not_forwarded(system: System) -> None:
    await system.get("/api/v1/products", headers={**system.auth.bearer(), "X-API-Key": "secret"})
    assert system.catalog.last.values("x-api-key") == []
