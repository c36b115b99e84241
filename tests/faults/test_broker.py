"""RabbitMQ dies, stays away, forgets, is full, hears nothing, or loses a queue."""

import asyncio

import pytest

from tests.faults.shop import Shop

pytestmark = pytest.mark.timeout(900)

SETTLED_ON_DISK_SECONDS = 1.5
"""RabbitMQ 3.10 forgets a quorum queue that was declared less than a second before SIGKILL."""


async def test_an_operator_deletes_a_queue(shared_shop: Shop) -> None:
    """With all that was in it, while its consumer is held up."""
    proxy = shared_shop.proxies["catalog"]
    async with shared_shop.load("queue") as load:
        proxy.swallow_all()
        await load.until_acknowledged(20)
        await asyncio.to_thread(shared_shop.rabbitmq.control, "delete_queue", "catalog.stock.v1")
        proxy.cut()
        proxy.pass_all()
        await load.until_acknowledged(20)
    await shared_shop.books.reckon("queue deleted by an operator", load)


async def test_the_memory_alarm_is_raised(shared_shop: Shop) -> None:
    """Nobody may publish; shops go on selling, and what was said meanwhile arrives afterwards."""
    rabbitmq = shared_shop.rabbitmq
    async with shared_shop.load("alarm") as load:
        await asyncio.to_thread(rabbitmq.control, "set_vm_memory_high_watermark", "0.00001")
        await load.until_acknowledged(50)
        assert await shared_shop.books.value("SELECT count(*) FROM stock.outbox")
        await asyncio.to_thread(rabbitmq.control, "set_vm_memory_high_watermark", "0.4")
        await load.until_acknowledged(20)
    await shared_shop.books.reckon("memory alarm", load)


@pytest.mark.slow
async def test_rabbitmq_is_killed_twice(shop: Shop) -> None:
    async with shop.load("twice") as load:
        for _ in range(2):
            await load.until_acknowledged(50)
            await asyncio.sleep(SETTLED_ON_DISK_SECONDS)
            shop.rabbitmq.kill()
            await load.until_acknowledged(20)
            await asyncio.to_thread(shop.rabbitmq.start)
        await load.until_acknowledged(50)
    await shop.books.reckon("RabbitMQ killed twice", load)


@pytest.mark.slow
async def test_rabbitmq_is_down_for_two_minutes(shop: Shop) -> None:
    async with shop.load("down") as load:
        shop.rabbitmq.stop()
        await asyncio.sleep(120)
        assert await shop.books.value("SELECT count(*) FROM stock.outbox") >= len(load.tally.acknowledged) / 2
        await asyncio.to_thread(shop.rabbitmq.start)
        await load.until_acknowledged(50)
    await shop.books.reckon("RabbitMQ down for two minutes", load)


@pytest.mark.slow
async def test_rabbitmq_loses_its_data(shop: Shop) -> None:
    """With messages in it that were not consumed yet: the archives fill the queues again."""
    async with shop.load("data") as load:
        for name in ("catalog", "notifications"):
            shop.proxies[name].swallow_all()
        await load.until_acknowledged(50)
        shop.rabbitmq.lose_data()
        for name in ("catalog", "notifications"):
            shop.proxies[name].cut()
            shop.proxies[name].pass_all()
        await load.until_acknowledged(20)
        await asyncio.to_thread(shop.rabbitmq.start)
        await load.until_acknowledged(50)
    await shop.books.reckon("RabbitMQ's data deleted", load)


@pytest.mark.slow
async def test_a_black_hole_opens_between_each_service_and_the_broker(shop: Shop) -> None:
    """Connections stay and nothing arrives: heartbeats and time limits must tell."""
    async with shop.load("hole") as load:
        for proxy in shop.proxies.values():
            proxy.swallow_all()
        await asyncio.sleep(45)
        for proxy in shop.proxies.values():
            proxy.pass_all()
        await load.until_acknowledged(50)
    await shop.books.reckon("black hole between services and broker", load)
