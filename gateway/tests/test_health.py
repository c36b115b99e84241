"""The page at `/`, liveness, readiness, metrics and the access log."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING

from stockbuddy.gateway.settings import GatewaySettings

if TYPE_CHECKING:
    import pytest

    from gateway.tests.conftest import StartSystem, System

SERVICES = tuple(GatewaySettings.model_construct().urls())
READY = {"status": "ok", "parts": {}}


async def test_liveness_needs_no_credentials_and_no_services(start_system: StartSystem) -> None:
    system = await start_system("http")
    for server in system.servers.values():
        await server.stop()
    got = await system.get("/health/live", headers={})
    assert (got.status, got.json) == (200, {"status": "ok"})


async def test_readiness_is_ok_if_every_service_is_ready(system: System) -> None:
    got = await system.get("/health/ready", headers={})
    assert (got.status, got.json) == (200, {"status": "ok", "services": dict.fromkeys(SERVICES, READY)})


async def test_readiness_shows_a_degraded_service_with_its_parts(mode: str, start_system: StartSystem) -> None:
    degraded = {"status": "degraded", "parts": {"database": "ok", "bus": "unavailable"}}

    def prepare(system: System) -> None:
        system.stock.documents["/health/ready"] = degraded

    system = await start_system(mode, prepare)
    got = await system.get("/health/ready", headers={})
    services = dict.fromkeys(SERVICES, READY) | {"stock": degraded}
    assert (got.status, got.json) == (200, {"status": "degraded", "services": services})


async def test_readiness_names_the_unready_service_without_the_cause(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode)
    services = dict.fromkeys(SERVICES, READY) | {"stock": {"status": "unavailable", "parts": {}}}

    async def broken(_: object, receive: object, send: object) -> None:
        raise RuntimeError("no database at 10.0.0.5")

    system.stock.handlers["/health/ready"] = broken
    got = await system.get("/health/ready", headers={})
    assert (got.status, got.json) == (503, {"status": "unavailable", "services": services})


async def test_readiness_follows_outage_and_recovery_of_a_service(start_system: StartSystem) -> None:
    system = await start_system("http")
    assert (await system.get("/health/ready")).status == 200
    await system.servers["stock"].stop()

    async def not_ready() -> bool:
        got = await system.get("/health/ready")
        return got.status == 503 and got.json["services"]["stock"]["status"] == "unavailable"

    await system.eventually(not_ready)
    await system.servers["stock"].start()

    async def ready() -> bool:
        return (await system.get("/health/ready")).status == 200

    await system.eventually(ready)


async def test_requests_are_counted_by_caller_and_route(system: System) -> None:
    user, key = secrets.randbelow(10**9), secrets.randbelow(10**9)  # counters are shared by all tests of the process
    ann, machine = system.auth.bearer(sub=str(user)), system.auth.bearer(sub="7", sid=f"key:{key}")
    for path in ("/api/v1/products", "/api/v1/products/5", "/api/products/"):
        await system.get(path, headers=ann)
    await system.get("/api/v1/products", headers=machine)
    await system.get("/api/v1/products", headers={})
    page = (await system.get("/metrics")).body.decode()
    counter = "stockbuddy_gateway_caller_requests_total"
    assert f'{counter}{{caller="user:{user}",route="/products"}} 3.0' in page
    assert f'{counter}{{caller="key:{key}",route="/products"}} 1.0' in page
    assert 'stockbuddy_http_requests_total{method="GET",route="/products",service="gateway",status="401"}' in page


async def test_metrics_are_not_public_in_production(start_system: StartSystem) -> None:
    system = await start_system("http", env="production", require_https=False)
    for headers in ({}, system.auth.bearer()):
        assert (await system.get("/metrics", headers=headers)).is_problem(404, "not_found")


async def test_page_at_the_root_links_to_the_documentation(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, root_path="/shop")
    for path in ("/", "/shop/", "/shop"):
        page = await system.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        links = re.findall('href="([^"]+)"', page.body.decode())
        assert links == ["/shop/guide", "/shop/docs", "/shop/redoc", "/shop/openapi.json", "/shop/health/ready"]
        assert "<strong>ok</strong>" in page.body.decode()
        assert "script" not in page.body.decode()
        shown = await system.get(path, headers={"Accept": "*/*"})
        assert (shown.json["status"], list(shown.json["links"].values())) == ("ok", links)
    for link in links[:3]:
        assert (await system.get(link, headers={})).status == 200
    assert (await system.call("POST", "/", headers={})).is_problem(405, "method_not_allowed")


async def test_access_log_has_a_line_for_each_request(
    mode: str, start_system: StartSystem, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also for rejected requests and those to the gateway itself, but not for health checks."""
    system = await start_system(mode, env="production", require_https=False)
    ann = {**system.auth.bearer(sub="8"), "X-Request-ID": "till-7/42"}
    await system.get("/api/v1/products/5?search=x", headers=ann)
    await system.get("/api/v1/products", headers={"X-Request-ID": "till-7/43"})
    await system.get("/docs", headers={"X-Request-ID": "till-7/44"})
    await system.get("/health/ready", headers={"X-Request-ID": "till-7/45"})
    lines: dict[str, dict[str, object]] = {}

    def is_logged() -> bool:
        for line in capsys.readouterr().err.splitlines():
            if "till-7" in line:
                lines[json.loads(line)["request_id"]] = json.loads(line)
        return len(lines) == 3

    await system.eventually(is_logged)
    assert lines["till-7/42"].pop("milliseconds") > 0  # type: ignore[operator]
    assert str(lines["till-7/42"].pop("timestamp")).endswith("Z")
    assert lines["till-7/42"] == {
        "event": "request.completed",
        "level": "info",
        "service": "gateway",
        "method": "GET",
        "route": "/products",
        "status": 200,
        "caller": "user:8",
        "request_id": "till-7/42",
    }
    assert (lines["till-7/43"]["status"], lines["till-7/43"]["caller"]) == (401, "anonymous")
    assert lines["till-7/44"]["route"] == "/docs"


DETAILS = {
    "version": "1.2.3",
    "started_at": "2026-06-30T08:00:00Z",
    "outbox": {"events": 4, "oldest_seconds": 12.5, "dead": 1},
    "queues": [{"group": "stock.catalog.v1", "retry": 2, "parked": 1, "dead": 3}],
    "latency": {"requests": 10, "p50_seconds": 0.01, "p99_seconds": 0.2},
}


async def test_status_composes_what_the_services_report_to_the_caller(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, lambda system: system.stock.documents.update({"/internal/status": DETAILS}))
    admin = system.auth.bearer(role="admin")
    got = await system.get("/api/v1/system/status", headers=admin)
    assert got.status == 200, got.body
    assert got.headers["Cache-Control"] == "no-store"
    assert got.json["services"]["stock"] == READY | {"replicas": 1, "reachable_replicas": 1, "details": DETAILS}
    assert got.json["services"]["catalog"]["details"] is None
    latency = got.json["gateway"]["latency"]
    assert latency["requests"] > 0
    assert 0 < latency["p50_seconds"] <= latency["p99_seconds"]
    assert (await system.get("/system/status", headers=admin)).status == 404
    assert (await system.call("HEAD", "/api/system/status/", headers=admin)).status == 200
    assert (await system.call("POST", "/api/v1/system/status", headers=admin)).status == 405


async def test_status_needs_the_permission_to_see_the_system(system: System) -> None:
    denied = await system.get("/api/v1/system/status", headers=system.auth.bearer(role="manager"))
    assert denied.is_problem(403, "forbidden")
    assert (await system.get("/api/v1/system/status", headers={})).status == 401
    await system.eventually(lambda: any(one["path"] == "/api/v1/system/status" for one in system.auth.denials))
