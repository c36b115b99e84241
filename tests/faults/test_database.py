"""PostgreSQL is killed or frozen."""

import asyncio
import os
import signal
import subprocess

import pytest

from tests.faults.deployment import Deployment

pytestmark = pytest.mark.timeout(900)

FROZEN_SECONDS = 20


def process_tree(process_id: int) -> list[int]:
    """The process and its children."""
    listed = subprocess.run(["/bin/ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listed.splitlines()]
    return [process_id, *(child for child, parent in pairs if parent == process_id)]


async def test_postgresql_killed_loses_nothing(shared_deployment: Deployment) -> None:
    async with shared_deployment.load("postgres") as load:
        shared_deployment.postgres.kill()
        await asyncio.to_thread(shared_deployment.postgres.restart)
        await load.wait_until_acknowledged(30)
    await shared_deployment.verifier.verify("PostgreSQL killed", load)


@pytest.mark.slow
async def test_postgresql_frozen_loses_nothing(deployment: Deployment) -> None:
    async with deployment.load("frozen") as load:
        frozen = process_tree(deployment.postgres._process.pid)
        for process_id in frozen:
            os.kill(process_id, signal.SIGSTOP)
        try:
            await asyncio.sleep(FROZEN_SECONDS)
        finally:
            for process_id in frozen:
                os.kill(process_id, signal.SIGCONT)
        await load.wait_until_acknowledged(30)
    await deployment.verifier.verify(f"PostgreSQL frozen for {FROZEN_SECONDS} s", load)
