"""Imports and jobs whose process is killed are finished by another process, and take effect once."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx2
from fastapi import FastAPI

from stockbuddy.catalog.app import CatalogSettings
from stockbuddy.chassis.testing.clients import serving
from stockbuddy.chassis.testing.tokens import TestIssuer
from stockbuddy.local_servers.ports import free_port

ROWS = 6000
TIMEOUT_SECONDS = 60


@asynccontextmanager
async def running_catalog(
    settings: CatalogSettings, issuer: TestIssuer
) -> AsyncIterator[tuple[int, httpx2.AsyncClient]]:
    """The service in its own process: process id and a manager's client."""
    keys = FastAPI()
    keys.add_api_route("/jwks.json", issuer.fetch_jwks)
    port = free_port()
    async with serving(keys) as keys_url:
        environment = {
            "ENV": "development",
            "DATABASE_URL": settings.database_url,
            "IMAGE_STORE": settings.image_store,
            "IMPORT_LEASE_SECONDS": "1",
            "JOB_LEASE_SECONDS": "1",
            "JWKS_URL": f"{keys_url}/jwks.json",
            "PORT": str(port),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "stockbuddy.catalog"],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            headers = issuer.headers(2, "manager")
            async with httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, timeout=60
            ) as client:
                await wait_until_ready(client)
                yield process.pid, client
        finally:
            process.terminate()
            process.wait()


async def wait_until_ready(client: httpx2.AsyncClient) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            answer = await client.get("/imports")
        except httpx2.TransportError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        else:
            answer.raise_for_status()
            return


async def progress(client: httpx2.AsyncClient, path: str) -> dict[str, Any]:
    job: dict[str, Any] = (await client.get(path)).json()
    return job


async def test_import_of_killed_process_is_finished_by_another(settings: CatalogSettings, issuer: TestIssuer) -> None:
    rows = "".join(f"S{n},Name {n},{n % 90}.5,B{n},Category {n % 7}\n" for n in range(ROWS))
    content = ("sku,name,unit_price,barcodes,category\n" + rows).encode()
    async with running_catalog(settings, issuer) as (process_id, client):
        answer = await client.post("/products/import", files={"file": ("x.csv", content)})
        path = f"/imports/{answer.json()['id']}"
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not 0 < (await progress(client, path))["done"] < ROWS:
            assert time.monotonic() < deadline
        os.kill(process_id, signal.SIGKILL)

    async with running_catalog(settings, issuer) as (_, client):
        left = await progress(client, path)
        assert (left["state"], left["done"] < ROWS) == ("running", True)
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while (job := await progress(client, path))["state"] == "running":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

        assert (job["state"], job["total"], job["done"]) == ("finished", ROWS, ROWS)
        assert (job["created"], job["updated"], job["failed"]) == (ROWS, 0, 0)
        assert (await client.get("/products")).json()["total"] == ROWS
    connection = await asyncpg.connect(settings.database_url)
    try:
        published = await connection.fetchval("""
            SELECT count(*) FROM catalog.outbox_event WHERE routing_key = 'catalog.product.created'
        """)
    finally:
        await connection.close()
    assert published == ROWS


async def test_job_of_killed_process_is_finished_once_by_another(settings: CatalogSettings, issuer: TestIssuer) -> None:
    blocker = await asyncpg.connect(settings.database_url)
    try:
        async with running_catalog(settings, issuer) as (process_id, client):
            made = await client.post("/products", json={"name": "Pot", "sku": "POT", "unit_price": "2.50"})
            assert made.status_code == 201, made.text
            async with blocker.transaction():
                await blocker.execute("LOCK TABLE catalog.product IN ACCESS EXCLUSIVE MODE")
                answer = await client.get("/products/export", headers={"Prefer": "respond-async"})
                assert answer.status_code == 202, answer.text
                path = f"/jobs/catalog/{answer.json()['id']}"
                deadline = time.monotonic() + TIMEOUT_SECONDS
                while (await progress(client, path))["state"] != "running":
                    assert time.monotonic() < deadline
                os.kill(process_id, signal.SIGKILL)

        async with running_catalog(settings, issuer) as (_, client):
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while (job := await progress(client, path))["state"] in ("running", "queued"):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.05)
            result = await client.get(job["result_url"].removeprefix("/api/v1"))
            assert (job["state"], "POT" in result.text) == ("done", True)
        attempts, parts, events = await blocker.fetchrow("""
            SELECT attempts, (SELECT count(*) FROM catalog.job_result), (SELECT count(*) FROM catalog.outbox_event
                WHERE routing_key = 'catalog.job.finished')
            FROM catalog.job
        """)
        assert (attempts >= 2, parts, events) == (True, 1, 1)
    finally:
        await blocker.close()
