"""PUT /stock-levels: a level is set to a counted quantity if its current quantity is the expected one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def put(shop: Shop, **body: Any) -> dict[str, Any]:
    answer = await shop.admin.call("PUT", "/stock-levels", json=body)
    assert answer.status_code == 200, answer.text
    level: dict[str, Any] = answer.json()
    return level


async def test_level_set_posts_adjustment(shop: Shop) -> None:
    tea = await shop.product(10, cost_price="3")
    level = await put(shop, product_id=tea, quantity=7.5, expected_quantity=10, reason="broken")
    assert (level["before"], level["on_hand"], level["available"], level["average_cost"]) == (10, 7.5, 7.5, "3.00")
    movement = await shop.admin.get(f"/stock-movements/{level['movement_id']}")
    assert (movement["movement_type"], movement["quantity"], movement["notes"]) == ("adjustment", -2.5, "broken")
    again = await put(shop, product_id=tea, quantity=7.5, expected_quantity=7.5)
    assert again["movement_id"] is None
    assert (await shop.admin.get("/stock-movements", product_id=tea))["total"] == 2


async def test_level_set_with_stale_expectation_is_rejected(shop: Shop) -> None:
    tea = await shop.product(10)
    body = {"product_id": tea, "quantity": 7, "expected_quantity": 9}
    problem = await shop.admin.expect_problem(409, "/stock-levels", body, method="PUT")
    assert (problem["code"], problem["current"]) == ("stale_quantity", 10)
    assert await shop.on_hand(tea) == 10


async def test_level_set_without_expectation_requires_explicit_null(shop: Shop) -> None:
    tea = await shop.product(10)
    await shop.admin.expect_problem(422, "/stock-levels", {"product_id": tea, "quantity": 7}, method="PUT")
    await put(shop, product_id=tea, quantity=7, expected_quantity=None)
    assert await shop.on_hand(tea) == 7


async def test_level_set_concurrently_succeeds_once(shop: Shop) -> None:
    tea = await shop.product(10)
    answers = await asyncio.gather(
        *(
            shop.admin.call("PUT", "/stock-levels", json={"product_id": tea, "quantity": n, "expected_quantity": 10})
            for n in range(20, 30)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9
    assert await shop.on_hand(tea) == next(a.json()["on_hand"] for a in answers if a.status_code == 200)


async def test_level_without_movements_can_be_set(shop: Shop) -> None:
    tea, annex = await shop.product(), await shop.warehouse("ANNEX")
    level = await put(shop, product_id=tea, warehouse_code="annex", quantity=4, expected_quantity=0)
    assert (level["warehouse_id"], level["on_hand"]) == (annex, 4)
    await shop.admin.expect_problem(
        422, "/stock-levels", {"product_id": tea, "quantity": -1, "expected_quantity": 4}, method="PUT"
    )
    salesperson = shop.caller(7)
    body = {"product_id": tea, "quantity": 1, "expected_quantity": 4}
    assert (await salesperson.expect_problem(403, "/stock-levels", body, method="PUT"))["code"] == "not_owner"
