"""Voids: a whole sale undone, once, unless something of it has come back already."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def test_a_void_brings_everything_back(shop: Shop) -> None:
    tea, cup = await shop.product(10, cost_price="2"), await shop.product(5)
    lines = [{"product_id": tea, "quantity": 4}, {"product_id": cup, "quantity": 5}]
    sale = await shop.admin.post("/sales", {"lines": lines})
    voided = await shop.admin.post(f"/sales/{sale['id']}/void", {"reason": "wrong till"})
    assert (voided["status"], voided["version"], voided["refunded"]) == ("voided", 2, sale["total"])
    assert (await shop.on_hand(tea), await shop.on_hand(cup)) == (10, 5)
    assert await shop.admin.get(f"/sales/{sale['id']}") == voided
    [event] = await shop.said(1, "stock.sale.voided")
    assert (event["id"], event["reason"]) == (sale["id"], "wrong till")
    problem = await shop.admin.refused(409, f"/sales/{sale['id']}/void")
    assert (problem["code"], problem["state"]) == ("wrong_state", "voided")
    await shop.admin.refused(409, f"/sales/{sale['id']}/returns", {})
    await shop.proves_right()


async def test_no_void_after_a_return(shop: Shop) -> None:
    tea = await shop.product(10)
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 4})
    await shop.admin.post(f"/sales/{sale['id']}/returns", {"lines": [{"product_id": tea, "quantity": 1}]})
    problem = await shop.admin.refused(409, f"/sales/{sale['id']}/void")
    assert problem["state"] == "partially_returned"
    await shop.admin.refused(404, "/sales/999/void")


async def test_of_a_void_and_a_return_at_once_one_happens(shop: Shop) -> None:
    tea = await shop.product(10)
    for _ in range(5):
        sale = await shop.admin.post("/sales", {"product": tea, "quantity": 4})
        answers = await asyncio.gather(
            shop.admin.call("POST", f"/sales/{sale['id']}/void"),
            shop.admin.call("POST", f"/sales/{sale['id']}/returns", json={}),
        )
        assert sorted(answer.status_code for answer in answers) in ([200, 409], [201, 409])
        assert await shop.on_hand(tea) == 10
