"""The clocks of some machines are stepped by an hour, forwards and backwards."""

import asyncio
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import pytest

from stockbuddy.chassis.testing.clients import PASSWORD
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.local_servers.postgres import LocalPostgres
from tests.faults.deployment import Deployment, start_deployment
from tests.faults.jobs import TURNOVER, request_job, wait_until_done
from tests.faults.load import without_retries
from tests.faults.machine_clock import MachineClock

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

STEPPED = ("auth-2", "catalog-2", "stock-2", "notifications-2", "gateway")
HOUR_SECONDS = 3600
STEP_TIMEOUT_SECONDS = 30
REVOCATION_TIMEOUT_SECONDS = 10


@pytest.fixture
def clocks(tmp_path: Path) -> dict[str, MachineClock]:
    return {name: MachineClock(tmp_path / f"{name}.clock") for name in STEPPED}


@pytest.fixture
async def deployment(
    private_postgres: LocalPostgres,
    private_rabbitmq: PrivateRabbitMQ,
    clocks: dict[str, MachineClock],
    tmp_path: Path,
) -> AsyncIterator[Deployment]:
    """One of two replicas of each service, and the gateway, run on machines with clocks of their own."""
    async with start_deployment(private_postgres, private_rabbitmq, tmp_path, replicas=2, clocks=clocks) as deployment:
        yield deployment


async def wait_for_machine_time(deployment: Deployment, name: str, offset_seconds: int) -> None:
    """Wait until the header `Date`, which the HTTP server sets from the machine's clock, has the offset."""
    url = f"http://127.0.0.1:{deployment.programs[name].environment['PORT']}/health/live"
    async with asyncio.timeout(STEP_TIMEOUT_SECONDS), aiohttp.ClientSession() as http:
        while True:
            async with http.get(url) as response:
                offset = parsedate_to_datetime(response.headers["Date"]) - datetime.now(UTC)
                if abs(offset - timedelta(seconds=offset_seconds)) < timedelta(minutes=5):
                    return
            await asyncio.sleep(0.1)


async def restart(deployment: Deployment, name: str) -> None:
    program = deployment.programs[name]
    starts = program.starts
    program.signal(signal.SIGTERM)
    await program.wait_for_start_after(starts)
    await deployment.wait_until_ready(name)


async def assert_sessions_work(deployment: Deployment) -> None:
    """Tokens of both replicas of auth are valid at once and everywhere, until they are revoked."""
    for service in ("auth", "auth-2"):
        auth_url = f"http://127.0.0.1:{deployment.programs[service].environment['PORT']}"
        async with aiohttp.ClientSession() as http:
            credentials = {"username": "ada", "password": PASSWORD}
            async with http.post(f"{auth_url}/api/v1/auth/login", json=credentials) as response:
                assert response.status == 200, await response.text()
                token = (await response.json())["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            for path in ("auth/sessions", "products", "sales", "notifications") * 4:
                async with http.get(f"{deployment.url}/api/v1/{path}", headers=headers) as response:
                    assert response.status == 200, (service, path, await response.text())
            async with http.post(f"{deployment.url}/api/v1/auth/logout", headers=headers) as response:
                assert response.status < 300, await response.text()
            async with asyncio.timeout(REVOCATION_TIMEOUT_SECONDS):
                while await status_of(http, f"{deployment.url}/api/v1/products", headers) != 401:
                    await asyncio.sleep(0.05)


async def status_of(http: aiohttp.ClientSession, url: str, headers: dict[str, str]) -> int:
    async with http.get(url, headers=headers) as response:
        return response.status


async def assert_jobs_end(deployment: Deployment) -> None:
    for _ in range(4):
        await wait_until_done(deployment, await request_job(deployment, TURNOVER))


async def assert_repeated_request_is_recognised(deployment: Deployment, reference: str) -> None:
    client = await without_retries(deployment.client)
    body = {"sku": reference, "name": reference, "unit_price": "1.00", "quantity": 5}
    first = await client.post("/products", body, key=reference)
    for _ in range(4):
        repeated = await client.post("/products", body, key=reference)
        assert (repeated.replayed, repeated.body) == (True, first.body)


@pytest.mark.parametrize("offset_seconds", [HOUR_SECONDS, -HOUR_SECONDS])
async def test_stepped_clock_of_a_replica_changes_nothing(
    deployment: Deployment, clocks: dict[str, MachineClock], offset_seconds: int
) -> None:
    """Neither while the processes run, nor when they start with the wrong time."""
    token = deployment.client._token
    async with deployment.load("clock") as load:
        for name, clock in clocks.items():
            clock.step(offset_seconds)
            await wait_for_machine_time(deployment, name, offset_seconds)
        await load.wait_until_acknowledged(30)
        await assert_sessions_work(deployment)
        for name in STEPPED:
            await restart(deployment, name)
            await wait_for_machine_time(deployment, name, offset_seconds)
        await load.wait_until_acknowledged(30)
        await assert_sessions_work(deployment)
        await assert_jobs_end(deployment)
        await assert_repeated_request_is_recognised(deployment, "repeated")
    assert deployment.client._token == token, "a token was refused"
    await deployment.verifier.verify(f"clock stepped by {offset_seconds} s", load)
