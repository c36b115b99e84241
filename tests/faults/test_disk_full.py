"""PostgreSQL's disk is full for a while."""

import asyncio
import contextlib
import itertools
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.local_servers.postgres import LocalPostgres
from tests.faults.deployment import Deployment, start_deployment

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

DISK_BYTES = 400 * 2**20
# Spare segments of the write-ahead log: a server that can't write its log crashes until the disk has room.
SETTINGS = {"fsync": "off", "min_wal_size": "128MB", "max_wal_size": "128MB", "max_connections": "300"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; only root may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    subprocess.run(
        [*as_root, "mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=1777", "tmpfs", folder], check=True
    )
    yield folder
    subprocess.run([*as_root, "umount", folder], check=True)


@pytest.fixture
async def deployment(disk: Path, private_rabbitmq: PrivateRabbitMQ, tmp_path: Path) -> AsyncIterator[Deployment]:
    with LocalPostgres.start(disk / "postgres", settings=SETTINGS) as postgres:
        async with start_deployment(postgres, private_rabbitmq, tmp_path) as deployment:
            yield deployment


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """No byte is free until the block ends."""
    filler = disk / "filler"
    try:
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(65536))
        yield
    finally:
        filler.unlink()


async def recycle_log(deployment: Deployment) -> None:
    """Leave complete segments of the write-ahead log, which the server uses again."""
    for _ in range(6):
        await deployment.verifier.value("SELECT pg_switch_wal() FROM pg_logical_emit_message(false, 'test', 'x')")
    await deployment.verifier.value("CHECKPOINT")


async def wait_until_named(deployment: Deployment, reason: str) -> None:
    """Wait until readiness names `reason` as the state of stock's database."""
    url = f"http://127.0.0.1:{deployment.programs['stock'].environment['PORT']}/health/ready"
    async with asyncio.timeout(120), aiohttp.ClientSession() as http:
        while True:
            async with http.get(url) as response:
                if (await response.json())["parts"]["database"] == reason:
                    return
            await asyncio.sleep(0.1)


async def refusal_of_a_product(deployment: Deployment) -> tuple[int, str]:
    """Create products until one is refused: the first ones may fit into space that the tables have left."""
    headers = deployment.client._authorized({})
    async with asyncio.timeout(120), aiohttp.ClientSession(headers=headers) as http:
        for number in itertools.count():
            body = {"sku": f"last-{number}", "name": "Last", "unit_price": "1.00", "description": "x" * 1000}
            async with http.post(f"{deployment.url}/api/v1/products", json=body) as response:
                if response.status != 201:
                    assert int(response.headers["Retry-After"]) > 0
                    return response.status, (await response.json())["detail"]
    raise AssertionError("unreachable")


async def test_full_disk_is_named_and_loses_nothing(deployment: Deployment, disk: Path) -> None:
    async with deployment.load("full") as load:
        await recycle_log(deployment)
        with full(disk):
            await wait_until_named(deployment, "disk_full")
            refusal = await refusal_of_a_product(deployment)
            assert refusal == (503, "Temporarily unavailable (database: disk full).")
        await load.wait_until_acknowledged(30)
    await wait_until_named(deployment, "ok")
    await deployment.verifier.verify("disk full", load)
