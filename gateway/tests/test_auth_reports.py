"""Reports to auth: requests denied by the gateway, and last activity of sessions and API keys."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import aiohttp
import pytest

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gateway.tests.conftest import Response, StartSystem, System

FORGED_FORM = {"Cookie": "session=cookie-secret; csrf_token=abc", "X-CSRF-Token": "other"}
LOST = re.compile(r"^stockbuddy_gateway_denials_lost_total (\S+)$", re.MULTILINE)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def accept_credentials(system: System) -> None:
    system.auth.credentials["api_key", "till-secret"] = "key:12"
    system.auth.credentials["session_cookie", "cookie-secret"] = "browser-1"


async def send_forged_form(system: System, **headers: str) -> Response:
    got = await system.call("POST", "/api/products/", headers={**FORGED_FORM, **headers})
    assert got.is_problem(403, "csrf_failed")
    return got


async def test_csrf_failure_is_reported_with_user_and_client(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_credentials, trusted_proxies="127.0.0.1")
    await send_forged_form(system, **{"X-Request-ID": "r-1", "X-Forwarded-For": "203.0.113.9", "traceparent": TRACE})
    await system.eventually(lambda: len(system.auth.denials) == 1)
    assert system.auth.denials == [
        {
            "method": "POST",
            "path": "/api/v1/products",
            "code": "csrf_failed",
            "user_id": 7,
            "username": "ann",
            "client_ip": "203.0.113.9",
            "request_id": "r-1",
            "traceparent": TRACE,
        }
    ]


async def test_websocket_from_foreign_origin_is_reported(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_credentials)
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await system.client.ws_connect(
            system.url + "/api/v1/ws", headers={**FORGED_FORM, "Origin": "https://evil.example"}
        )
    await system.eventually(lambda: len(system.auth.denials) == 1)
    (denial,) = system.auth.denials
    assert (denial["method"], denial["path"], denial["user_id"]) == ("WEBSOCKET", "/api/v1/ws", 7)


async def test_rejected_plain_http_is_reported_without_user(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, require_https=True, wait_for_sessions=False)
    await system.get("/api/v1/products/" + "9" * 500)
    await system.eventually(lambda: len(system.auth.denials) == 1)
    (denial,) = system.auth.denials
    assert (denial["code"], denial["user_id"], denial["client_ip"]) == ("https_required", None, "127.0.0.1")
    assert denial["path"].startswith("/api/v1/products/999")
    assert len(denial["path"]) == 200


async def send_plain(system: System, number: int) -> None:
    """A denied request whose address and id depend on the number."""
    address = f"203.0.{number // 250}.{number % 250}"
    got = await system.get("/api/v1/products", headers={"X-Forwarded-For": address, "X-Request-ID": f"r-{number}"})
    assert got.is_problem(403, "https_required")


HTTPS_ONLY = {"require_https": True, "trusted_proxies": "127.0.0.1", "wait_for_sessions": False}


async def test_repeated_denials_are_reported_once_a_minute(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_credentials, rate_limit_address="off", **HTTPS_ONLY)
    for number in range(30):
        await send_plain(system, number % 3)
        await system.get(f"/api/v1/products/{number}", headers={"X-Forwarded-For": "203.0.0.0"})
    await system.get("/api/v1/sales", headers={"X-Forwarded-For": "203.0.0.1", "X-Request-ID": "last"})
    await system.eventually(lambda: any(denial["request_id"] == "last" for denial in system.auth.denials))
    assert sorted(denial["request_id"] for denial in system.auth.denials) == ["last", "r-0", "r-1", "r-2"]


async def test_reports_wait_for_auth_and_responses_do_not(start_system: StartSystem) -> None:
    system = await start_system("http", accept_credentials, **HTTPS_ONLY)
    await send_plain(system, 100)
    await system.eventually(lambda: len(system.auth.denials) == 1)
    release = asyncio.Event()

    async def handler(_: Scope, __: Receive, send: Send) -> None:
        await release.wait()
        await send({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    system.auth.handlers["/internal/denials"] = handler
    started_at = time.perf_counter()
    for n in range(20):
        await send_plain(system, n)
    assert time.perf_counter() - started_at < 20, "otherwise each response would have waited for a report's timeout"
    release.set()
    del system.auth.handlers["/internal/denials"]
    await system.servers["auth"].stop()
    await send_plain(system, 20)
    await system.servers["auth"].start()
    await system.eventually(lambda: len(system.auth.denials) == 22)
    assert [denial["request_id"] for denial in system.auth.denials[1:]] == [f"r-{n}" for n in range(21)]


async def test_denied_requests_above_the_queue_limit_are_counted_as_lost(start_system: StartSystem) -> None:
    system = await start_system("http", accept_credentials, rate_limit_address="off", **HTTPS_ONLY)
    await send_plain(system, 2000)
    await system.eventually(lambda: len(system.auth.denials) == 1)
    await system.servers["auth"].stop()

    async def lost() -> float:
        page = (await system.get("/metrics", headers={"X-Forwarded-Proto": "https"})).body.decode()
        (count,) = LOST.findall(page)
        return float(count)

    before = await lost()
    for start in range(0, 1050, 50):
        await asyncio.gather(*(send_plain(system, start + n) for n in range(50)))
    assert await lost() == before + 50
    await system.servers["auth"].start()
    await system.eventually(lambda: len(system.auth.denials) == 1001)


async def test_denied_requests_are_reported_before_shutdown(start_system: StartSystem) -> None:
    system = await start_system("direct", accept_credentials)
    await send_forged_form(system)
    assert system.gateway is not None
    await system.gateway.stop()
    assert len(system.auth.denials) == 1


async def test_repeatedly_denied_client_is_rate_limited(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_credentials, rate_limit_address="5/minute")
    forged = [(await system.call("POST", "/api/v1/products", headers=FORGED_FORM)).status for _ in range(10)]
    assert 403 in forged
    assert forged[5:] == [429] * 5
    strict = await start_system(mode, require_https=True, rate_limit_address="5/minute", wait_for_sessions=False)
    assert [(await strict.get("/api/v1/products")).status for _ in range(8)] == [403] * 5 + [429] * 3


def last_used_at(system: System) -> dict[str, datetime]:
    return {use["session_id"]: datetime.fromisoformat(use["used_at"]) for use in system.auth.uses}


async def test_last_activity_is_reported_periodically(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, accept_credentials, activity_report_interval_seconds=0.1)
    calls: list[dict[str, Any]] = [
        {"headers": system.auth.bearer(sid="session-1")},
        {"headers": {"X-API-Key": "till-secret"}},
        {"headers": {"Cookie": "session=cookie-secret"}},
    ]
    for _ in range(2):
        round_started_at = datetime.now(UTC)
        for call in calls:
            assert (await system.get("/api/v1/products", **call)).status == 200
        used = {"session-1", "key:12", "browser-1"}
        since = round_started_at
        await system.eventually(lambda: used <= {sid for sid, at in last_used_at(system).items() if at >= since})  # noqa: B023
    assert len(system.auth.exchanges) == 2  # auth itself sees only the first use


async def test_rate_limited_request_is_not_reported_as_activity(start_system: StartSystem) -> None:
    system = await start_system("direct", activity_report_interval_seconds=0.05, rate_limit_caller="1/minute")
    first, second = str(uuid4()), str(uuid4())
    refused, other = system.auth.bearer(sid=first, sub="8"), system.auth.bearer(sid=second, sub="8")
    assert (await system.get("/api/v1/products", headers=other)).status == 200
    assert (await system.get("/api/v1/products", headers=refused)).status == 429
    await system.eventually(lambda: second in last_used_at(system))
    assert first not in last_used_at(system)


async def test_last_activity_is_reported_after_auth_outage_and_before_shutdown(start_system: StartSystem) -> None:
    system = await start_system("http", activity_report_interval_seconds=0.05)
    await system.servers["auth"].stop()
    assert (await system.get("/api/v1/products", headers=system.auth.bearer(sid="meanwhile"))).status == 200
    await system.servers["auth"].start()
    await system.eventually(lambda: "meanwhile" in last_used_at(system))
    lazy = await start_system("http", activity_report_interval_seconds=3600)
    assert (await lazy.get("/api/v1/products", headers=lazy.auth.bearer(sid="last"))).status == 200
    assert lazy.gateway is not None
    await lazy.gateway.stop()
    assert "last" in last_used_at(lazy)
