"""Liveness, readiness and metrics."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.tests.conftest import StartSystem, System


async def test_liveness_needs_no_credentials_and_no_services(start_system: StartSystem) -> None:
    system = await start_system("http")
    for server in system.servers.values():
        await server.stop()
    got = await system.get("/health/live", headers={})
    assert (got.status, got.json) == (200, {"status": "ok"})


async def test_readiness_is_ok_if_every_service_is_ready(system: System) -> None:
    parts = dict.fromkeys(["auth", "catalog", "stock", "notifications"], "ok")
    got = await system.get("/health/ready", headers={})
    assert (got.status, got.json) == (200, {"status": "ok", "parts": parts})


async def test_readiness_names_the_unready_part_without_the_cause(mode: str, start_system: StartSystem) -> None:
    system = await start_system(mode, lambda system: system.stock.documents.pop("/health/ready"))
    parts = {"auth": "ok", "catalog": "ok", "stock": "unavailable", "notifications": "ok"}
    system.stock.documents.pop("/health/ready", None)

    async def broken(_: object, receive: object, send: object) -> None:
        raise RuntimeError("no database at 10.0.0.5")

    system.stock.handlers["/health/ready"] = broken
    got = await system.get("/health/ready", headers={})
    assert (got.status, got.json) == (503, {"status": "unavailable", "parts": parts})


async def test_readiness_follows_outage_and_recovery_of_a_service(start_system: StartSystem) -> None:
    system = await start_system("http")
    assert (await system.get("/health/ready")).status == 200
    await system.servers["stock"].stop()

    async def not_ready() -> bool:
        got = await system.get("/health/ready")
        return got.status == 503 and got.json["parts"]["stock"] == "unavailable"

    await system.eventually(not_ready, seconds=2)
    await system.servers["stock"].start()

    async def ready() -> bool:
        return (await system.get("/health/ready")).status == 200

    await system.eventually(ready, seconds=8)


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
    system = await start_system("http", env="production")
    for headers in ({}, system.auth.bearer()):
        assert (await system.get("/metrics", headers=headers)).is_problem(404, "not_found")
