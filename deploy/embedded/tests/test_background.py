"""An embedded system in two processes: each does its part, and they end together."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from deploy.embedded.tests.embedded_runs import ADMIN, START_TIMEOUT_SECONDS, STOP_TIMEOUT_SECONDS, Run, running
from stockbuddy.chassis.testing.otlp_collector import running_collector

TRACE = "0af7651916cd43dd8448eb211c80319c"


async def until_ended(process_id: int) -> None:
    async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
        while Path(f"/proc/{process_id}").exists():
            await asyncio.sleep(0.02)


async def until_background_works(run: Run) -> None:
    async with asyncio.timeout(START_TIMEOUT_SECONDS):
        while (await run.http.get("/health/ready")).json()["status"] != "ok":
            await asyncio.sleep(0.05)


async def test_background_process_publishes_and_reports_what_the_first_one_has_committed(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        await until_background_works(run)
        await run.send("POST", "/auth/admin/register", ADMIN)
        login = await run.send("POST", "/auth/login", {key: ADMIN[key] for key in ("username", "password")})
        run.http.headers["Authorization"] = f"Bearer {login['access_token']}"
        product = await run.send("POST", "/products", {"sku": "MUG", "name": "Mug", "price": "7.50"})
        # The product's event travels through the other process to the stock service in this one.
        body = {"product_id": product["id"], "movement_type": "in", "quantity": 3}
        movement = await run.http.post("/api/v1/stock-movements", json=body)
        assert movement.status_code == 201, movement.text
        events = await run.http.get(
            "/api/v1/events", headers={"X-Consistency": movement.headers["X-Consistency"]}, params={"limit": 500}
        )
        assert "stock.movement.posted" in {event["type"] for event in events.json()["items"]}
        metrics = (await run.http.get("/metrics")).text
        assert 'stockbuddy_events_consumed_total{group="notifications.log.v1",outcome="done"}' in metrics
        assert metrics.count("# TYPE stockbuddy_http_requests_total") == 1

        background = run.background
        run.process.terminate()
        assert await run.wait_until_ended() == 0
        await until_ended(background)
        assert "Traceback" not in run.output


async def test_trace_continues_in_the_background_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_collector() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        async with running(tmp_path) as run:
            await until_background_works(run)
            run.http.headers["traceparent"] = f"00-{TRACE}-{'a' * 16}-01"
            await run.send("POST", "/auth/admin/register", ADMIN)
            wanted = {"gateway: POST /auth/admin/register", "auth: publish events"}
            spans = await collector.until(lambda spans: wanted <= {str(span) for span in spans})
            page = await run.http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        assert {span.trace for span in spans if str(span) in wanted} == {TRACE}
        assert f'trace_id="{TRACE}"' in page.text, "an exemplar"
        assert 'stockbuddy_database_connections{company="",service="auth",state="max"} 40' in page.text, (
            "of both processes"
        )


async def test_system_ends_with_an_error_when_its_background_process_is_killed(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        os.kill(run.background, signal.SIGKILL)
        assert await run.wait_until_ended() == 1
        assert "The background process has ended with code -9" in run.output


async def test_background_process_ends_when_the_first_one_is_killed(tmp_path: Path) -> None:
    async with running(tmp_path) as run:
        background = run.background
        run.process.kill()
        await run.wait_until_ended()
        await until_ended(background)
