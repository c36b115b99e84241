"""Processes die: at any time, and at the worst of times."""

import signal

import pytest

from tests.faults.shop import Shop

pytestmark = pytest.mark.timeout(900)


async def test_a_relay_is_killed_between_publishing_and_deleting(shared_shop: Shop) -> None:
    """The lock lets it publish, and holds it up where it would delete."""
    stock, books = shared_shop.programs["stock"], shared_shop.books
    async with shared_shop.load("relay") as load:
        async with books.holding("LOCK TABLE stock.outbox_archive IN SHARE MODE"):
            logged = await books.value("SELECT count(*) FROM notifications.event_log")
            await load.until_acknowledged(5)
            await books.until("SELECT count(*) > $1 FROM notifications.event_log", True, logged)
            assert await books.value(
                "SELECT count(*) FROM stock.outbox o JOIN notifications.event_log USING (event_id)"
            )
            stock.signal(signal.SIGKILL)
            await stock.until_started_again(stock.starts)
        await load.until_acknowledged(20)
    await books.reckon("relay killed between publish and delete", load)


async def test_a_consumer_is_killed_after_its_commit_and_before_its_acknowledgement(shared_shop: Shop) -> None:
    catalog, proxy, books = shared_shop.programs["catalog"], shared_shop.proxies["catalog"], shared_shop.books
    async with shared_shop.load("consumer") as load:
        proxy.swallow_acknowledgements()
        handled = await books.value("SELECT count(*) FROM catalog.inbox")
        await load.until_acknowledged(10)
        await books.until("SELECT count(*) > $1 FROM catalog.inbox", True, handled)
        catalog.signal(signal.SIGKILL)
        proxy.cut()
        proxy.pass_all()
        await catalog.until_started_again(catalog.starts)
        await load.until_acknowledged(20)
    await books.reckon("consumer killed after commit and before ack", load)


@pytest.mark.slow
async def test_stock_is_killed_ten_times(shop: Shop) -> None:
    stock = shop.programs["stock"]
    async with shop.load("ten") as load:
        for _ in range(10):
            stock.signal(signal.SIGKILL)
            await stock.until_started_again(stock.starts)
            await load.until_acknowledged(20)
    await shop.books.reckon("stock killed ten times", load)
