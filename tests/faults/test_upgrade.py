"""The upgrade from the previous release and back, one service after the other, under load. The replicas of this release
share a cache of responses, which those of the previous one do not know."""

import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.rabbitmq import PrivateRabbitMQ
from stockbuddy.chassis.testing.valkey import PrivateValkey
from stockbuddy.embedded.service_registry import SERVICES
from stockbuddy.local_servers.postgres import LocalPostgres
from tests.faults.deployment import Deployment, start_deployment
from tests.faults.load import Load, without_retries
from tests.faults.release import Release
from tests.faults.shopkeeper import Shopkeeper

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

# By its commit, because a clone may lack tags. A release sets it to its own commit (docs/releasing.md).
PREVIOUS_RELEASE = "03a460242159c085d08c97446c6067c1ed93a333"
REQUESTS_BETWEEN_RESTARTS = 10


async def prepare_load(deployment: Deployment, name: str) -> Load:
    """A load whose requests are sent once. Its products are created by a client that repeats, as the system has just
    started."""
    await Load(deployment.client, name).create_products()
    load = Load(await without_retries(deployment.client), name)
    await load.create_products()  # the same keys: their ids, from stored responses
    return load


async def roll(deployment: Deployment, load: Load, service: str, code: Mapping[str, str]) -> None:
    """Replace the replicas of a service by those of a release."""
    for program in deployment.programs.values():
        if program.name.partition("-")[0] == service:
            await restart(deployment, program.name, code)
            await load.wait_until_acknowledged(REQUESTS_BETWEEN_RESTARTS)


async def restart(deployment: Deployment, name: str, code: Mapping[str, str]) -> None:
    program = deployment.programs[name]
    program.environment = {**program.environment, **code}
    starts = program.starts
    program.signal(signal.SIGTERM)
    await program.wait_for_start_after(starts)
    await deployment.wait_until_ready(name)


async def test_upgrade_and_rollback_under_load_fail_no_request_and_lose_nothing(
    private_postgres: LocalPostgres, private_rabbitmq: PrivateRabbitMQ, private_valkey: PrivateValkey, tmp_path: Path
) -> None:
    this_release = {"PYTHONPATH": "", "CACHE_URL": private_valkey.url}
    previous = Release.checked_out(PREVIOUS_RELEASE, tmp_path / "previous")
    async with start_deployment(
        private_postgres, private_rabbitmq, tmp_path, replicas=2, release=previous
    ) as deployment:
        upgraded = await prepare_load(deployment, "upgraded")
        shopkeeper = await Shopkeeper.hired(deployment)
        async with upgraded.running(), shopkeeper.working():
            for embedded in SERVICES:
                await migrate(private_postgres.url, embedded.name, embedded.migrations)
                await roll(deployment, upgraded, embedded.name, this_release)
        await deployment.verifier.verify("upgrade N-1 to N", upgraded)

        await restart(deployment, "gateway", this_release)  # one gateway is unavailable for a moment: no load
        rolled_back = await prepare_load(deployment, "rolled-back")
        async with rolled_back.running(), shopkeeper.working():
            for embedded in SERVICES:
                await roll(deployment, rolled_back, embedded.name, previous.environment)
        await deployment.verifier.verify("back from N to N-1", rolled_back)
        print(f"\nreads after {shopkeeper.receipts} writes: stale {shopkeeper.stale}")
        assert shopkeeper.stale == 0
