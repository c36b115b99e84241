"""The start of a service without its database: it waits, alive, and says so; commands end with one line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2 as httpx
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from stockbuddy.chassis.http.command_line import describing_outages
from stockbuddy.chassis.http.server import wait_alive
from stockbuddy.chassis.postgres import migrations
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime.ports import check_ports
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.local_servers.ports import free_port

UNREACHABLE = "postgresql://ann:of-ann@127.0.0.1:1/shop"


@asynccontextmanager
async def waiting(url: str, schema: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that waits for its database until the block ends."""
    settings = ServiceSettings(env="development", database_url=url, port=free_port())
    task = asyncio.create_task(wait_alive(settings, schema))
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}", timeout=20) as client:
            async with asyncio.timeout(60):
                while not await is_alive(client):
                    await asyncio.sleep(0.02)
            yield client
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def is_alive(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/health/live")).status_code == 200
    except httpx.ConnectError:
        return False


async def test_service_without_its_database_is_alive_and_says_what_it_waits_for(database_url: str) -> None:
    with capture_logs() as logs:
        async with waiting(UNREACHABLE, "probe") as client:
            ready = await client.get("/health/ready")
            assert (ready.status_code, ready.json()["parts"]) == (503, {"database": "unavailable"})
            refused = await client.post("/api/v1/effects/1")
            assert (refused.status_code, refused.json()["code"]) == (503, "service_unavailable")
            assert int(refused.headers["Retry-After"]) > 0
    line = next(line for line in logs if line["event"] == "start.waiting_for_database")
    assert (line["failure"], line["server"]) == ("database: unavailable", "127.0.0.1:1")
    assert "of-ann" not in str(logs)
    async with waiting(database_url, "not_migrated") as client:
        assert (await client.get("/health/ready")).json()["parts"] == {"database": "schema_missing"}


async def test_start_goes_on_once_the_tables_are_there(database: Database, database_url: str) -> None:
    async with database.transaction() as session:
        await session.execute(text("ALTER SCHEMA probe RENAME TO later"))
    settings = ServiceSettings(env="development", database_url=database_url, port=free_port())
    with capture_logs() as logs:
        starting = asyncio.create_task(wait_alive(settings, "probe"))
        async with asyncio.timeout(60):
            while not logs:
                await asyncio.sleep(0.01)
            async with database.transaction() as session:
                await session.execute(text("ALTER SCHEMA later RENAME TO probe"))
            await starting
    check_ports(settings.host, settings.port)


def test_command_without_database_ends_with_one_line(tmp_path: Path) -> None:
    settings = ServiceSettings(env="development", database_url=UNREACHABLE)
    expected = pytest.raises(SystemExit, match=r"DATABASE_URL: 127\.0\.0\.1:1: database: unavailable")
    with expected, describing_outages(settings):
        migrations.run_command(settings.database_url, "probe", tmp_path, serving_role=None)
