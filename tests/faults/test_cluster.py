"""A node of a RabbitMQ cluster is cut off from the others, or frozen."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from stockbuddy.chassis.testing.server_folders import server_folder
from stockbuddy.local_servers.postgres import LocalPostgres
from stockbuddy.local_servers.rabbitmq import LocalRabbitMQ
from stockbuddy.local_servers.rabbitmq_cluster import LocalRabbitMQCluster
from tests.faults.deployment import Deployment, start_deployment
from tests.faults.load import Load

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LOGGED = "SELECT count(*) FROM notifications.event_log"
GROWN = "SELECT count(*) > $1 FROM notifications.event_log"
REJOIN_TIMEOUT_SECONDS = 120


@pytest.fixture
def cluster() -> Iterator[LocalRabbitMQCluster]:
    with server_folder() as folder:
        cluster = LocalRabbitMQCluster(folder)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.close()


@pytest.fixture
async def deployment(
    private_postgres: LocalPostgres, cluster: LocalRabbitMQCluster, tmp_path: Path
) -> AsyncIterator[Deployment]:
    async with start_deployment(
        private_postgres, cluster.nodes[0], tmp_path, replicas=2, bus_url=cluster.url
    ) as deployment:
        yield deployment


async def events_arrive(deployment: Deployment, load: Load) -> None:
    """Wait until events are logged that were published from now on."""
    for _ in range(2):  # some of the first ones were on their way
        logged = await deployment.verifier.value(LOGGED)
        await load.wait_until_acknowledged(30)
        await deployment.verifier.wait_until(GROWN, True, logged)


async def ready_again(node: LocalRabbitMQ) -> None:
    async with asyncio.timeout(REJOIN_TIMEOUT_SECONDS):
        while not await asyncio.to_thread(node.virtual_hosts.is_ready):
            await asyncio.sleep(0.2)


async def test_each_node_in_turn_is_partitioned_and_nothing_is_lost(
    deployment: Deployment, cluster: LocalRabbitMQCluster
) -> None:
    """Whichever node leads a queue is the one that is cut off at some time; services use the others meanwhile."""
    async with deployment.load("partition") as load:
        for node in cluster.nodes:
            await asyncio.to_thread(cluster.isolate, node)
            await events_arrive(deployment, load)
            await asyncio.to_thread(cluster.reconnect, node)
            await ready_again(node)
        await load.wait_until_acknowledged(30)
    await deployment.verifier.verify("each node of the cluster partitioned", load)


async def test_each_node_in_turn_is_frozen_and_nothing_is_lost(
    deployment: Deployment, cluster: LocalRabbitMQCluster
) -> None:
    """Its connections stay open without traffic."""
    async with deployment.load("node") as load:
        for node in cluster.nodes:
            node.freeze()
            try:
                await events_arrive(deployment, load)
            finally:
                node.resume()
            await ready_again(node)
        await load.wait_until_acknowledged(30)
    await deployment.verifier.verify("each node of the cluster frozen", load)
