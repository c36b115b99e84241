"""RabbitMQ is killed, stopped, loses data or a queue, blocks publishers, or is cut off."""

import asyncio

import pytest

from tests.faults.deployment import Deployment

pytestmark = pytest.mark.timeout(900)

UNPUBLISHED = "SELECT count(*) FROM stock.outbox_event WHERE sent_at IS NULL"

FLUSH_SECONDS = 1.5
"""RabbitMQ 3.10 loses a quorum queue that was declared less than a second before SIGKILL."""


async def test_deleted_queue_is_filled_again(shared_deployment: Deployment) -> None:
    """The queue has messages, because its consumer is blocked."""
    proxy = shared_deployment.proxies["catalog"]
    async with shared_deployment.load("queue") as load:
        proxy.block_all()
        await load.wait_until_acknowledged(20)
        await asyncio.to_thread(shared_deployment.rabbitmq.control, "delete_queue", "catalog.stock.v1")
        proxy.cut()
        proxy.pass_all()
        await load.wait_until_acknowledged(20)
    await shared_deployment.verifier.verify("queue deleted by an operator", load)


async def test_memory_alarm_delays_events_and_loses_none(shared_deployment: Deployment) -> None:
    """RabbitMQ blocks publishers; sales are accepted and their events published afterwards."""
    rabbitmq = shared_deployment.rabbitmq
    async with shared_deployment.load("alarm") as load:
        await asyncio.to_thread(rabbitmq.control, "set_vm_memory_high_watermark", "0.00001")
        await load.wait_until_acknowledged(50)
        assert await shared_deployment.verifier.value(UNPUBLISHED)
        await asyncio.to_thread(rabbitmq.control, "set_vm_memory_high_watermark", "0.4")
        await load.wait_until_acknowledged(20)
    await shared_deployment.verifier.verify("memory alarm", load)


@pytest.mark.slow
async def test_rabbitmq_killed_twice_loses_nothing(deployment: Deployment) -> None:
    async with deployment.load("twice") as load:
        for _ in range(2):
            await load.wait_until_acknowledged(50)
            await asyncio.sleep(FLUSH_SECONDS)
            deployment.rabbitmq.kill()
            await load.wait_until_acknowledged(20)
            await asyncio.to_thread(deployment.rabbitmq.start)
        await load.wait_until_acknowledged(50)
    await deployment.verifier.verify("RabbitMQ killed twice", load)


@pytest.mark.slow
async def test_rabbitmq_down_for_two_minutes_loses_nothing(deployment: Deployment) -> None:
    async with deployment.load("down") as load:
        deployment.rabbitmq.stop()
        await asyncio.sleep(120)
        assert await deployment.verifier.value(UNPUBLISHED) >= len(load.log.acknowledged) / 2
        await asyncio.to_thread(deployment.rabbitmq.start)
        await load.wait_until_acknowledged(50)
    await deployment.verifier.verify("RabbitMQ down for two minutes", load)


@pytest.mark.slow
async def test_rabbitmq_without_its_data_is_filled_from_the_archives(deployment: Deployment) -> None:
    """Some messages were not consumed: they are replayed from the archives."""
    async with deployment.load("data") as load:
        for name in ("catalog", "notifications"):
            deployment.proxies[name].block_all()
        await load.wait_until_acknowledged(50)
        deployment.rabbitmq.lose_data()
        for name in ("catalog", "notifications"):
            deployment.proxies[name].cut()
            deployment.proxies[name].pass_all()
        await load.wait_until_acknowledged(20)
        await asyncio.to_thread(deployment.rabbitmq.start)
        await load.wait_until_acknowledged(50)
    await deployment.verifier.verify("RabbitMQ's data deleted", load)


@pytest.mark.slow
async def test_partition_between_services_and_broker_loses_nothing(deployment: Deployment) -> None:
    """Connections stay open without traffic, so that only heartbeats and timeouts detect the partition."""
    async with deployment.load("hole") as load:
        for proxy in deployment.proxies.values():
            proxy.block_all()
        await asyncio.sleep(45)
        for proxy in deployment.proxies.values():
            proxy.pass_all()
        await load.wait_until_acknowledged(50)
    await deployment.verifier.verify("partition between services and broker", load)
