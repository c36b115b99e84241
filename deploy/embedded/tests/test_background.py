"""An embedded system in two processes: each does its part, and they end together."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.chassis.testing.otlp_collector import running_collector

START_TIMEOUT_SECONDS = 120
STOP_TIMEOUT_SECONDS = 60
TRACE = "0af7651916cd43dd8448eb211c80319c"
ADMIN = {"username": "ann", "email": "ann@example.com", "password": "Correct-Horse-7"}


class Run:
    """A system that was started by its command. `background`: the id of its second process."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path, http: httpx.AsyncClient) -> None:
        self.process = process
        self.http = http
        self._log = log

    @property
    def output(self) -> str:
        return self._log.read_text()

    @property
    def background(self) -> int:
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        own = Path(f"/proc/{self.process.pid}/cmdline").read_bytes()
        [found] = [child for child in children if Path(f"/proc/{child}/cmdline").read_bytes() == own]
        return int(found)

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        response = await self.http.request(method, f"/api/v1{path}", json=body)
        assert response.is_success, response.text
        return response.json()

    async def wait_until_ended(self) -> int:
        async with asyncio.timeout(STOP_TIMEOUT_SECONDS):
            return await self.process.wait()


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Run]:
    log = folder / "log"
    environment = {
        "ENV": "development",
        "PORT": "0",
        "STOCKBUDDY_DATA": str(folder / "data"),
        "BACKGROUND_PROCESS": "on",
    }
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "stockbuddy.embedded"), env={**os.environ, **environment}, stderr=output
        )
    try:
        async with asyncio.timeout(START_TIMEOUT_SECONDS):
            while "is ready at " not in log.read_text():
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.05)
        url = log.read_text().partition("is ready at ")[2].split()[0]
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            yield Run(process, log, http)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


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
        assert 'stockbuddy_database_connections{service="auth",state="max"} 40' in page.text, "of both processes"


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
