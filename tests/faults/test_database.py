"""PostgreSQL dies, or stands still."""

import asyncio
import os
import signal
import subprocess

import pytest

from tests.faults.shop import Shop

pytestmark = pytest.mark.timeout(900)

FROZEN_SECONDS = 20


def family(process_id: int) -> list[int]:
    """The process and its children."""
    listed = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [process_id, *(child for child, parent in pairs if parent == process_id)]


async def test_postgresql_is_killed(shared_shop: Shop) -> None:
    async with shared_shop.load("postgres") as load:
        shared_shop.postgres.kill()
        await asyncio.to_thread(shared_shop.postgres.restart)
        await load.until_acknowledged(30)
    await shared_shop.books.reckon("PostgreSQL killed", load)


@pytest.mark.slow
async def test_postgresql_is_frozen(shop: Shop) -> None:
    async with shop.load("frozen") as load:
        frozen = family(shop.postgres._process.pid)
        for process_id in frozen:
            os.kill(process_id, signal.SIGSTOP)
        try:
            await asyncio.sleep(FROZEN_SECONDS)
        finally:
            for process_id in frozen:
                os.kill(process_id, signal.SIGCONT)
        await load.until_acknowledged(30)
    await shop.books.reckon(f"PostgreSQL frozen for {FROZEN_SECONDS} s", load)
