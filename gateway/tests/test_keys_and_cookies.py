"""API keys and session cookies: both are exchanged for access tokens."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gateway.tests.conftest import StartSystem, System

KEY = {"X-API-Key": "till-secret"}
SESSION = "cookie-secret"


def accept_credentials(system: System) -> None:
    system.auth.credentials["api_key", "till-secret"] = "key:12"
    system.auth.credentials["session_cookie", SESSION] = "browser-1"


@pytest.fixture
async def system(mode: str, start_system: StartSystem) -> System:
    return await start_system(mode, accept_credentials)


def browser(csrf: str | None = "abc", *, header: str | None = "abc", session: str = SESSION) -> dict[str, str]:
    cookies = f"theme=dark; session={session}" + (f"; csrf_token={csrf}" if csrf is not None else "")
    return {"Cookie": cookies} | ({"X-CSRF-Token": header} if header is not None else {})


# API keys


async def test_api_key_is_exchanged_once_for_a_forwarded_token(system: System) -> None:
    for _ in range(3):
        assert (await system.get("/api/v1/products", headers=KEY)).status == 200
        assert system.catalog.last.value("authorization").startswith("Bearer ey")
        assert system.catalog.last.values("x-api-key") == []
    assert system.auth.exchanges == [{"api_key": "till-secret"}]


async def test_concurrent_requests_with_one_key_share_an_exchange(system: System) -> None:
    answers = await asyncio.gather(*(system.get("/api/v1/products", headers=KEY) for _ in range(30)))
    assert {got.status for got in answers} == {200}
    assert len(system.auth.exchanges) == 1


async def test_invalid_api_key_is_401_and_exchanged_once(system: System) -> None:
    for _ in range(5):
        got = await system.get("/api/v1/products", headers={"X-API-Key": "wrong"})
        assert got.is_problem(401, "unauthenticated")
        assert got.headers["WWW-Authenticate"] == "Bearer"
        assert b"wrong" not in got.body
    assert (await system.get("/api/v1/products", headers={"X-API-Key": ""})).status == 401
    assert system.auth.exchanges == [{"api_key": "wrong"}]


async def test_deleted_api_key_is_rejected_while_its_token_is_valid(system: System) -> None:
    assert (await system.get("/api/v1/products", headers=KEY)).status == 200
    del system.auth.credentials["api_key", "till-secret"]
    system.auth.revoked.append("key:12")

    async def refused() -> bool:
        got = await system.get("/api/v1/products", headers=KEY)
        return got.status != 200 and got.is_problem(401, "unauthenticated")

    await system.eventually(refused)


async def test_exchanged_token_is_renewed_before_expiry(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_credentials)
    system.auth.token_seconds = 3
    requests = 0
    async with asyncio.timeout(60):
        while len(system.auth.exchanges) < 3:
            assert (await system.get("/api/v1/products", headers=KEY)).status == 200
            requests += 1
            await asyncio.sleep(0.05)
    assert requests > len(system.auth.exchanges)


async def test_auth_outage_keeps_cached_keys_and_is_503_for_unknown_ones(start_system: StartSystem) -> None:
    system = await start_system("http", accept_credentials)
    assert (await system.get("/api/v1/products", headers=KEY)).status == 200
    await system.servers["auth"].stop()
    assert (await system.get("/api/v1/products", headers=KEY)).status == 200
    got = await system.get("/api/v1/products", headers={"X-API-Key": "never seen"})
    assert got.is_problem(503, "service_unavailable")


async def test_bearer_token_precedes_api_key_and_api_key_precedes_cookie(system: System) -> None:
    forged = {"Authorization": "Bearer forged"}
    assert (await system.get("/api/v1/products", headers={**forged, **KEY, **browser()})).status == 401
    assert (await system.get("/api/v1/products", headers={**KEY, **browser()})).status == 200
    assert system.auth.exchanges == [{"api_key": "till-secret"}]


async def test_invalid_api_keys_are_limited_by_address(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_credentials, rate_limit_address="5/minute")
    assert (await system.get("/api/v1/products", headers=KEY)).status == 200
    statuses = [(await system.get("/api/v1/products", headers={"X-API-Key": f"g{n}"})).status for n in range(10)]
    assert statuses.count(429) >= 5
    assert len(system.auth.exchanges) <= 6
    assert (await system.get("/api/v1/products", headers=KEY)).status == 200  # a cached key is not affected


# Browsers


async def test_session_cookie_alone_allows_safe_methods(system: System) -> None:
    for method in ("GET", "HEAD"):
        got = await system.call(method, "/api/v1/products", headers=browser(csrf=None, header=None))
        assert got.status == 200
    assert system.catalog.last.value("authorization").startswith("Bearer ey")
    assert system.catalog.last.values("cookie") == []
    assert system.auth.exchanges == [{"session_cookie": SESSION}]


async def test_unsafe_method_with_cookie_requires_csrf_token(system: System) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await system.call(method, "/api/v1/products/5", headers=browser())).status == 200
        before = len(system.catalog.seen)
        for headers in (
            browser(header=None),
            browser(csrf=None, header=None),
            browser(csrf=None),
            browser(header="other"),
            browser(csrf="", header=""),
            browser(header="ab"),
        ):
            got = await system.call(method, "/api/v1/products/5", headers=headers)
            assert got.is_problem(403, "csrf_failed"), headers
        assert len(system.catalog.seen) == before


async def test_csrf_token_must_match_the_one_of_auth(system: System) -> None:
    system.auth.csrf_token = "derived"
    path = "/api/v1/products"
    assert (await system.call("POST", path, headers=browser("planted", header="planted"))).status == 403
    assert (await system.call("POST", path, headers=browser("derived", header="derived"))).status == 200


async def test_api_key_or_token_needs_no_csrf_token(system: System) -> None:
    assert (await system.call("POST", "/api/v1/products", headers=KEY)).status == 200
    assert (await system.call("POST", "/api/v1/products")).status == 200


async def test_revoked_browser_session_is_rejected(system: System) -> None:
    assert (await system.get("/api/v1/products", headers=browser())).status == 200
    system.auth.revoked.append("browser-1")

    async def refused() -> bool:
        return (await system.get("/api/v1/products", headers=browser())).status == 401

    await system.eventually(refused)
    assert (await system.get("/api/v1/products", headers=browser(session="forged"))).status == 401


async def test_browser_login_ignores_an_old_cookie(system: System) -> None:
    got = await system.call("POST", "/api/v1/auth/session", headers=browser(session="stale", header=None), json={})
    assert got.status == 200
    assert system.auth.exchanges == []


async def test_websocket_with_cookie_requires_allowed_origin(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_credentials, cors_origins="https://shop.example")

    async def handler(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})

    system.notifications.handlers["/api/v1/ws"] = handler
    url = system.url + "/api/v1/ws"
    for origin in (system.url, "https://shop.example"):
        async with system.client.ws_connect(url, headers={**browser(), "Origin": origin}):
            pass
    for origin in ("https://evil.example", "null"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await system.client.ws_connect(url, headers={**browser(), "Origin": origin})
        assert refusal.value.status == 403
    # Another site's page can't send a token, so a request with one may have any origin.
    async with system.client.ws_connect(url, headers={**system.auth.bearer(), "Origin": "https://other.example"}):
        pass
