"""Exports in the background: cancelling, erasure and large results."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from httpx2 import AsyncClient

from stockbuddy.catalog.exports.queries import read_rows
from stockbuddy.catalog.search.schemas import ProductFilter
from stockbuddy.chassis.http.jobs.progress import tracked_progress
from stockbuddy.chassis.http.jobs.result import PART_BYTES
from stockbuddy.contracts.auth import UserErased
from stockbuddy.contracts.stock import CustomerErased

TIMEOUT_SECONDS = 60


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def request_job(client: AsyncClient) -> str:
    """The path of a job that exports all products."""
    answer = await client.get("/products/export", headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["url"]).removeprefix("/api/v1")


async def until(client: AsyncClient, path: str, *states: str) -> dict[str, Any]:
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while (job := (await client.get(path)).json())["state"] not in states:
            await asyncio.sleep(0.02)
    return dict(job)


@asynccontextmanager
async def blocked_exports(database: asyncpg.Connection) -> AsyncIterator[None]:
    """Within the block no statement reads products."""
    async with database.transaction():
        await database.execute("LOCK TABLE catalog.product IN ACCESS EXCLUSIVE MODE")
        yield


async def test_cancelled_job_has_no_result_and_no_event(
    service: Any, manager: AsyncClient, database: asyncpg.Connection
) -> None:
    async with blocked_exports(database):
        path = await request_job(manager)
        await until(manager, path, "running")
        assert (await manager.delete(path)).status_code == 204
        assert (await manager.get(path)).status_code == 404
    await until(manager, await request_job(manager), "done")
    assert await service.events.wait_for("catalog.job.finished")
    assert service.events.count("catalog.job.finished") == 1
    assert await database.fetchval("SELECT count(*) FROM catalog.job") == 1


async def test_worker_that_lost_its_lease_contributes_nothing(
    service: Any, manager: AsyncClient, database: asyncpg.Connection, database_url: str
) -> None:
    async with blocked_exports(database):
        path = await request_job(manager)
        await until(manager, path, "running")
        other = await asyncpg.connect(database_url)
        # As if another replica had claimed the job, and died.
        await other.execute("UPDATE catalog.job SET runner = gen_random_uuid(), lease_until = now()")
        await other.close()
    await until(manager, path, "done")
    await service.events.wait_for("catalog.job.finished")
    row = await database.fetchrow("""
        SELECT attempts, (SELECT count(*) FROM catalog.job_result r WHERE r.runner = j.runner) AS own,
            (SELECT count(*) FROM catalog.job_result) AS parts FROM catalog.job j
    """)
    assert (row["attempts"], row["own"], row["parts"]) == (2, 1, 1)
    assert service.events.count("catalog.job.finished") == 1


@pytest.fixture
async def products(service: Any, database: asyncpg.Connection) -> None:
    """2,500 products with long descriptions."""
    await database.execute("SET search_path = catalog")
    await database.execute("""
        INSERT INTO product (sku, name, description, unit_price, unit_of_measure)
        SELECT 'P' || n, 'Product ' || n, repeat('long text ', 100), 1, 'unit' FROM generate_series(1, 2500) n
    """)


@pytest.mark.usefixtures("products")
async def test_progress_follows_the_rows(service: Any) -> None:
    rows = read_rows(service.app.state.resources.reads, ProductFilter(), ["sku"])
    with tracked_progress() as progress:
        assert [progress.percent async for _ in rows] == [40, 80, 99]


@pytest.mark.usefixtures("products")
async def test_large_result_is_stored_in_parts(manager: AsyncClient, database: asyncpg.Connection) -> None:
    synchronous = await manager.get("/products/export")
    job = await until(manager, await request_job(manager), "done", "failed")
    result = await manager.get(job["result_url"].removeprefix("/api/v1"))
    assert result.content == synchronous.content
    assert len(result.content) > 2 * PART_BYTES
    assert await database.fetchval("SELECT count(*) FROM catalog.job_result") == 3


async def test_erasure_deletes_jobs_of_the_user_and_all_results(
    service: Any, manager: AsyncClient, admin: AsyncClient, database: asyncpg.Connection
) -> None:
    done = await request_job(admin)
    await until(admin, done, "done")
    await service.publish(CustomerErased(customer_id=7, version=2, name="erased-7"))
    assert (await admin.get(done)).status_code == 404

    async with blocked_exports(database):
        of_user, of_other = await request_job(manager), await request_job(admin)
        await until(manager, of_user, "running")
        await until(admin, of_other, "running")
        person = {"user_id": 2, "version": 2, "username": "erased-2", "email": "", "role": "manager"}
        await service.publish(UserErased.model_validate({**person, "is_active": False}))
    assert (await manager.get(of_user)).status_code == 404
    await until(admin, of_other, "done")
