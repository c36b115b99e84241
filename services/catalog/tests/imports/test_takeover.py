"""An import whose worker loses its lease while it reads the file."""

import asyncio
from typing import Any

import asyncpg
from httpx2 import AsyncClient

TIMEOUT_SECONDS = 60
FILE = b"sku,name,unit_price\nTEA-1,Teapot,19.90\nTEA-2,Teacup,4.90\n"
TAKE_OVER = """
    UPDATE catalog.import_job SET runner = gen_random_uuid(), lease_until = now() WHERE state = 'running' RETURNING id
"""


async def test_file_is_read_again_after_the_lease_was_lost(
    service: Any, manager: AsyncClient, database_url: str
) -> None:
    lock, other = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    try:
        async with lock.transaction():
            await lock.execute("LOCK TABLE catalog.import_row IN SHARE MODE")
            created = await manager.post("/imports", content=FILE, headers={"Content-Type": "text/csv"})
            assert created.status_code == 202, created.text
            async with asyncio.timeout(TIMEOUT_SECONDS):
                # As if another replica had claimed the import, and died.
                while await other.fetchval(TAKE_OVER) is None:
                    await asyncio.sleep(0.02)
        async with asyncio.timeout(TIMEOUT_SECONDS):
            path = f"/imports/{created.json()['id']}"
            while (job := (await manager.get(path)).json())["state"] in ("queued", "running"):
                await asyncio.sleep(0.02)
    finally:
        await lock.close()
        await other.close()
    assert (job["state"], job["created"], job["problem"]) == ("finished", 2, None)
    assert await service.events.wait_for("catalog.import.finished")
    assert service.events.count("catalog.import.finished") == 1
