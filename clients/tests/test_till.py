"""The till delivers each sale once and in order: across kills at every step, lost responses, refusals and users."""

import asyncio
import json
import os
import random
import sqlite3
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from stockbuddy_client import ApiKey, AsyncClient, ConnectionFailed, StockbuddyError
from stockbuddy_client.till import AsyncTill, NotQueued, TillInUse

from clients.tests.faulty_proxy import CLOSED_PORT, FaultyProxy
from clients.tests.node import NODE
from stockbuddy.chassis.testing.clients import PASSWORD, User, register

TESTS = Path(__file__).parent
SEED = int(os.environ.get("STOCKBUDDY_TILL_SEED", "1"))
KILLS = int(os.environ.get("STOCKBUDDY_TILL_KILLS", "10"))
"""`make faults` sets 1,000."""
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(TESTS.parent / "python/src")}
FAULTS: list[Any] = ["pass", "pass", "pass", "lose", "cut", "reset", "repeat", {"respond_after": {"status": 503}}]


@pytest.fixture
async def proxy(direct: httpx.AsyncClient) -> AsyncIterator[FaultyProxy]:
    async with FaultyProxy(direct).running() as proxy:
        proxy.start_case([])
        yield proxy


async def sales_of(admin: User, till: str) -> list[dict[str, Any]]:
    """The sales that the server has of a till, oldest first."""
    found: list[dict[str, Any]] = []
    position: dict[str, str] = {}
    while not found or position["cursor"]:
        page = await admin.get("/sales", search=f"{till}-", page_size=100, **position)
        found += page["items"]
        position = {"cursor": page["next_cursor"]}
    return sorted(found, key=lambda sale: int(sale["id"]))


async def check_sales(admin: User, sales: list[dict[str, Any]], acknowledged: list[str]) -> None:
    """Each sale is delivered once and in order, or refused; none is lost. `make faults` prints the numbers."""
    delivered = delivered_references(sales, acknowledged)
    posted = await sales_of(admin, delivered[0].split("-")[0])
    assert [sale["reference"] for sale in posted] == delivered
    refused = len(sales) - len(delivered)
    print(f"{KILLS} kills: {len(sales)} sales, {len(delivered)} once and in order, {refused} refused, none lost")


def delivered_references(sales: list[dict[str, Any]], acknowledged: list[str]) -> list[str]:
    references = [sale["reference"] for sale in sales]
    assert [sale["number"] for sale in sales] == list(range(1, len(sales) + 1))
    assert set(acknowledged) <= set(references), "a sale was lost after `sell` returned"
    delivered = [sale["reference"] for sale in sales if sale["state"] == "delivered"]
    refused = [sale for sale in sales if sale["state"] == "refused"]
    assert len(delivered) + len(refused) == len(sales)
    assert {sale["result"]["code"] for sale in refused} == {"insufficient_stock"}
    return delivered


async def run_with_kills(proxy: FaultyProxy, *command: str) -> dict[str, Any]:
    chooser = random.Random(SEED)
    proxy.faults = [chooser.choice(FAULTS) for _ in range(KILLS * 20)]
    process = await asyncio.create_subprocess_exec(
        *command, str(SEED), str(KILLS), env=ENVIRONMENT, stdout=asyncio.subprocess.PIPE, limit=2**26
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    result: dict[str, Any] = json.loads(output)
    assert result["kills"] == KILLS
    return result


async def test_kills_at_every_step_deliver_each_sale_once_and_in_order(
    proxy: FaultyProxy, shop: dict[str, str], admin: User, tmp_path: Path
) -> None:
    file, program = tmp_path / "till.db", str(TESTS / "till_runner.py")
    result = await run_with_kills(proxy, sys.executable, program, proxy.url, shop["key"], str(file), shop["sku"])
    async with AsyncClient(proxy.url, credentials=ApiKey(shop["key"])) as client, AsyncTill(client, file) as till:
        assert (await till.deliver()).stopped_by is None
        sales = [asdict(sale) for sale in await till.sales()]
    await check_sales(admin, sales, result["acknowledged"])


async def test_kills_of_pages_at_every_step_deliver_each_sale_once_and_in_order(
    proxy: FaultyProxy, shop: dict[str, str], admin: User
) -> None:
    """The TypeScript till."""
    program = str(TESTS / "till_runner.mjs")
    result = await run_with_kills(proxy, NODE, program, proxy.url, shop["key"], shop["sku"])
    await check_sales(admin, result["sales"], result["acknowledged"])


async def test_refused_sale_is_set_aside_visible_and_can_be_retried(
    proxy: FaultyProxy, shop: dict[str, str], admin: User, tmp_path: Path
) -> None:
    body = {"name": "Scarce", "sku": f"SCARCE-{tmp_path.name}", "unit_price": "2", "quantity": 1}
    new = await admin.post("/products", body)
    await admin.until("/stock-levels", lambda page: page["total"] == 1, product_id=new["id"])
    async with (
        AsyncClient(proxy.url, credentials=ApiKey(shop["key"])) as client,
        AsyncTill(client, tmp_path / "t") as till,
    ):
        first = await till.sell({"product": new["sku"], "quantity": 2})
        second = await till.sell({"product": shop["sku"], "quantity": 1})
        third = await till.sell({"product": shop["sku"], "quantity": "0.0001"})
        delivery = await till.deliver()
        assert (delivery.delivered, delivery.refused, delivery.stopped_by) == (1, 2, None)
        assert [(sale.reference, sale.result["code"]) for sale in await till.sales("refused")] == [
            (first.reference, "insufficient_stock"), (third.reference, "validation_error"),
        ]  # fmt: skip
        await admin.post("/stock-movements", {"product_id": new["id"], "movement_type": "in", "quantity": 1})
        await till.retry(first.reference)
        await till.discard(third.reference)
        assert (await till.deliver()).delivered == 1
        assert [sale.state for sale in await till.sales()] == ["delivered", "delivered"]
        with pytest.raises(NotQueued):
            await till.retry(second.reference)
        with pytest.raises(NotQueued):
            await till.discard(second.reference)


async def test_sales_wait_while_the_server_is_away(
    proxy: FaultyProxy, shop: dict[str, str], admin: User, tmp_path: Path
) -> None:
    file, key = tmp_path / "till.db", ApiKey(shop["key"])
    async with AsyncClient(CLOSED_PORT, credentials=key, timeout_seconds=1) as client, AsyncTill(client, file) as till:
        sales = [await till.sell({"product": shop["sku"], "quantity": 1}) for _ in range(3)]
        assert isinstance((await till.deliver()).stopped_by, ConnectionFailed)
    async with AsyncClient(proxy.url, credentials=key) as client, AsyncTill(client, file) as till:
        assert (await till.deliver()).delivered == 3
    posted = await sales_of(admin, sales[0].reference.split("-")[0])
    assert [sale["reference"] for sale in posted] == [sale.reference for sale in sales]


async def test_only_the_user_who_sold_delivers_and_another_may_take_over_without_selling_twice(
    proxy: FaultyProxy, shop: dict[str, str], admin: User, tmp_path: Path
) -> None:
    """The response is lost, so the sale waits although the server has it, under the first user's key."""
    file = tmp_path / "till.db"
    await register(admin.http, "olga")
    async with AsyncClient(proxy.url) as client, AsyncTill(client, file) as till:
        with pytest.raises(StockbuddyError):
            await till.sell({"product": shop["sku"], "quantity": 1})
        await client.login("olga", PASSWORD)
        sale = await till.sell({"product": shop["sku"], "quantity": 1})
        proxy.faults = ["lose", {"respond": {"status": 500}}]
        assert (await till.deliver()).stopped_by is not None
        await client.login(shop["username"], PASSWORD)
        assert (await till.deliver()).delivered == 0
        with pytest.raises(NotQueued):
            await till.retry(sale.reference)
    with sqlite3.connect(file) as database:
        old = (datetime.now(UTC) - timedelta(days=8)).isoformat()
        assert database.execute("UPDATE sales SET sent_at = ?", (old,)).rowcount == 1
    database.close()
    async with AsyncClient(proxy.url) as client, AsyncTill(client, file) as till:
        await client.login(shop["username"], PASSWORD)
        await till.retry(sale.reference)
        assert (await till.deliver()).delivered == 1
        assert [one.state for one in await till.sales()] == ["delivered"]
    assert len(await sales_of(admin, sale.reference.split("-")[0])) == 1


async def test_file_belongs_to_one_process(proxy: FaultyProxy, shop: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "till.db"
    async with AsyncClient(proxy.url, credentials=ApiKey(shop["key"])) as client, AsyncTill(client, file) as till:
        await till.sell({"product": shop["sku"], "quantity": 1})
        with pytest.raises(TillInUse):
            AsyncTill(client, file)
        with pytest.raises(ValueError, match="reference"):
            await till.sell({"product": shop["sku"], "quantity": 1, "reference": "mine"})
