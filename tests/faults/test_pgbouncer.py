"""PgBouncer is killed, reloaded, paused or loses its server, while every service goes through it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stockbuddy.chassis.testing.pgbouncer import PooledPostgres, pooled_postgres_server
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.embedded.service_registry import SERVICES
from tests.faults.deployment import Deployment, start_deployment

pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]

DEPLOY = Path(__file__).parents[2] / "deploy"
SERVER_SESSIONS = 6
KILLS = 3
PAUSE_SECONDS = 5


@pytest.fixture
async def pooled_deployment(
    private_rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> AsyncIterator[tuple[Deployment, PooledPostgres]]:
    names = [embedded.name for embedded in SERVICES]
    with pooled_postgres_server(names, DEPLOY, default_pool_size=str(SERVER_SESSIONS)) as pooled:
        async with start_deployment(pooled.server, private_rabbitmq, tmp_path, replicas=2, pooled=pooled) as deployment:
            yield deployment, pooled


async def test_restarts_lose_nothing(pooled_deployment: tuple[Deployment, PooledPostgres]) -> None:
    deployment, pooled = pooled_deployment
    async with deployment.load("pgbouncer") as load:
        for _ in range(KILLS):
            pooled.pgbouncer.kill()
            await asyncio.to_thread(pooled.pgbouncer.start)
            await load.wait_until_acknowledged(30)
    await deployment.verifier.verify(f"PgBouncer killed {KILLS} times", load)

    async with deployment.load("paused") as load:
        await asyncio.to_thread(pooled.pgbouncer.command, "RELOAD")
        await load.wait_until_acknowledged(10)
        await asyncio.to_thread(pooled.pgbouncer.command, "PAUSE")
        await asyncio.sleep(PAUSE_SECONDS)
        await asyncio.to_thread(pooled.pgbouncer.command, "RESUME")
        await load.wait_until_acknowledged(30)
        await asyncio.to_thread(pooled.pgbouncer.command, "RECONNECT")
        await load.wait_until_acknowledged(30)
    await deployment.verifier.verify("PgBouncer reloaded, paused and reconnected", load)

    async with deployment.load("server") as load:
        pooled.server.kill()
        await asyncio.to_thread(pooled.server.restart)
        await load.wait_until_acknowledged(30)
    await deployment.verifier.verify("PostgreSQL killed behind PgBouncer", load)
