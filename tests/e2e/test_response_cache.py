"""Kept responses of stock are those of the current data after every operation of the API."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2 as httpx
import pytest
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.service_runtime import BackgroundProcess
from stockbuddy.chassis.messaging.bus.inprocess import InProcessBus
from stockbuddy.chassis.runtime.failures import Failure
from stockbuddy.chassis.runtime.signals import Signals
from stockbuddy.embedded.asgi_client import get
from stockbuddy.embedded.system import JWKS_PATH, System
from stockbuddy.gateway.openapi.examples import load_examples
from stockbuddy.stock.app import SERVICE, StockSettings
from tests.e2e.openapi_examples import call_examples

MAX_ATTEMPTS = 100
PATHS = (
    "/dashboard/stats",
    "/reports/inventory-valuation",
    "/reports/sales?group_by=customer",
    "/reports/profit",
    "/reports/movements?group_by=none",
    "/reports/stock-aging",
    "/reports/dead-stock?days=1",
    "/reports/turnover",
    "/reorder-suggestions",
)


@pytest.fixture
async def uncached(system: System, database_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A replica of stock that keeps no responses, and leaves the background work to the system."""

    async def fetch_jwks() -> Mapping[str, Any]:
        jwks: Mapping[str, Any] = json.loads(await get(system.services["auth"], JWKS_PATH))
        return jwks

    async def fetch_outages() -> list[Failure]:
        return []

    settings = StockSettings(env="development", database_url=database_url, cache_seconds=0)
    background = BackgroundProcess(Signals(), fetch_outages)
    app = create_app(SERVICE, settings, bus=InProcessBus(), fetch_jwks=fetch_jwks, background=background)
    async with LifespanManager(app), client_of(app) as client:
        yield client


@pytest.fixture
async def cached(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """The system's stock, without the gateway, which rejects tokens of sessions that an example has ended."""
    async with client_of(system.services["stock"]) as client:
        yield client


def client_of(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stock", timeout=60)


@pytest.mark.timeout(900)
async def test_kept_responses_show_the_effect_of_every_operation(
    http: httpx.AsyncClient, cached: httpx.AsyncClient, uncached: httpx.AsyncClient
) -> None:
    outdated: list[str] = []
    token = None
    async for example, response in call_examples(http, load_examples()):
        if "access_token" in example.get("records", {}):
            token = token or response.json()["access_token"]
        if token is None or example["call"].startswith("GET"):
            continue
        headers = {"Authorization": f"Bearer {token}"}
        current = {path: await is_current(cached, uncached, path, headers) for path in PATHS}
        outdated += [f"{path} after {example['call']}" for path in PATHS if not current[path]]
    assert not outdated


async def is_current(
    cached: httpx.AsyncClient, uncached: httpx.AsyncClient, path: str, headers: Mapping[str, str]
) -> bool:
    """Whether the kept response is that of a read before and a read after it; repeated until these are equal, because
    events change the data meanwhile."""
    for _ in range(MAX_ATTEMPTS):
        before = await uncached.get(f"/api/v1{path}", headers=headers)
        kept = await cached.get(f"/api/v1{path}", headers=headers)
        after = await uncached.get(f"/api/v1{path}", headers=headers)
        if before.content == after.content:
            assert (before.status_code, kept.status_code) == (200, 200), kept.text
            return kept.content == before.content
        await asyncio.sleep(0.02)
    raise AssertionError(f"{path} changes without end")
