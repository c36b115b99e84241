"""Returns: never more than was sold, over any number of returns, and refunds that add up."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from stockbuddy.chassis.access.roles import Role

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def sold(shop: Shop, product_id: int, quantity: float, **values: Any) -> dict[str, Any]:
    sale: dict[str, Any] = await shop.admin.post("/sales", {"product": product_id, "quantity": quantity, **values})
    return sale


async def test_return_restocks_and_refunds(shop: Shop) -> None:
    tea = await shop.product(10, unit_price="4.50", cost_price="2")
    sale = await sold(shop, tea, 4)
    body = {"lines": [{"product_id": tea, "quantity": 1}], "reason": "chipped"}
    response = await shop.caller(5, Role.MANAGER).call("POST", f"/sales/{sale['id']}/returns", json=body)
    assert response.status_code == 201
    made = response.json()
    assert (made["total"], made["restock"], made["performed_by"]) == ("4.50", True, 5)
    [line] = made["lines"]
    assert (line["line_id"], line["quantity"], line["amount"]) == (sale["lines"][0]["id"], 1, "4.50")
    assert (made["sale"]["status"], made["sale"]["refunded"]) == ("partially_returned", "4.50")
    assert await shop.on_hand(tea) == 7
    movement = await shop.admin.get(f"/stock-movements/{line['movement_id']}")
    assert (movement["movement_type"], movement["quantity"], movement["unit_cost"]) == ("return", 1, "2.00")
    assert movement["document"] == f"sale_return/{made['id']}"
    assert await shop.admin.get(f"/sales/{sale['id']}") == made["sale"]
    [event] = await shop.wait_for_events(1, "stock.sale.returned")
    assert (event["return_id"], event["returned"], event["version"]) == (made["id"], made["lines"], 2)
    [listed] = await shop.admin.get(f"/sales/{sale['id']}/returns")
    assert listed["lines"] == made["lines"]


async def test_return_exceeding_the_sale_is_refused(shop: Shop) -> None:
    tea = await shop.product(10)
    sale = await sold(shop, tea, 4)
    path = f"/sales/{sale['id']}/returns"
    for _ in range(3):
        await shop.admin.post(path, {"lines": [{"line_id": sale["lines"][0]["id"], "quantity": 1}]})
    problem = await shop.admin.expect_problem(409, path, {"lines": [{"product_id": tea, "quantity": 1.001}]})
    assert problem["code"] == "return_exceeds_sale"
    assert problem["lines"] == [{"product_id": tea, "requested": 1.001, "returnable": 1}]
    assert await shop.on_hand(tea) == 9
    await shop.admin.post(path, {})
    assert (await shop.admin.get(f"/sales/{sale['id']}"))["status"] == "returned"
    problem = await shop.admin.expect_problem(409, path, {})
    assert problem["code"] == "sale_not_returnable"
    assert await shop.on_hand(tea) == 10


async def test_concurrent_returns_never_exceed_the_sale(shop: Shop) -> None:
    tea = await shop.product(10)
    sale = await sold(shop, tea, 5)
    body = {"lines": [{"product_id": tea, "quantity": 1}]}
    responses = await asyncio.gather(
        *(shop.admin.call("POST", f"/sales/{sale['id']}/returns", json=body) for _ in range(20))
    )
    assert sorted(response.status_code for response in responses) == [201] * 5 + [409] * 15
    assert await shop.on_hand(tea) == 10
    assert (await shop.admin.get(f"/sales/{sale['id']}"))["lines"][0]["returned"] == 5
    await shop.require_integrity()


async def test_refunds_of_partial_returns_add_up_to_the_line_total(shop: Shop) -> None:
    tea = await shop.product(10, unit_price="10")
    sale = await sold(shop, tea, 3, discount="0.01")
    amounts = []
    for _ in range(3):
        body = {"lines": [{"product_id": tea, "quantity": 1}]}
        amounts.append(Decimal((await shop.admin.post(f"/sales/{sale['id']}/returns", body))["total"]))
    assert sum(amounts) == Decimal(sale["total"]) == Decimal("29.99")


async def test_return_without_restocking_posts_no_movement(shop: Shop) -> None:
    tea = await shop.product(10)
    sale = await sold(shop, tea, 4)
    made = await shop.admin.post(f"/sales/{sale['id']}/returns", {"restock": False})
    assert made["lines"][0]["movement_id"] is None
    assert made["sale"]["status"] == "returned"
    assert await shop.on_hand(tea) == 6


async def test_return_by_product_is_allocated_line_by_line(shop: Shop) -> None:
    tea = await shop.product(10)
    lines = [
        {"product_id": tea, "quantity": 2, "unit_price": "5"},
        {"product_id": tea, "quantity": 2, "unit_price": "3"},
    ]
    sale = await shop.admin.post("/sales", {"lines": lines})
    made = await shop.admin.post(f"/sales/{sale['id']}/returns", {"lines": [{"product_id": tea, "quantity": 3}]})
    assert [(line["quantity"], line["amount"]) for line in made["lines"]] == [(2, "10.00"), (1, "3.00")]


async def test_return_of_unsold_lines_is_rejected(shop: Shop) -> None:
    tea, cup = await shop.product(10), await shop.product(10)
    sale = await sold(shop, tea, 4)
    path = f"/sales/{sale['id']}/returns"
    problem = await shop.admin.expect_problem(422, path, {"lines": [{"product_id": cup, "quantity": 1}]})
    assert problem["code"] == "not_in_sale"
    await shop.admin.expect_problem(404, "/sales/99/returns", {})
    await shop.admin.expect_problem(422, path, {"lines": [{"quantity": 1}]})


async def test_return_with_a_repeated_key_is_replayed(shop: Shop) -> None:
    tea = await shop.product(10)
    sale = await sold(shop, tea, 4)
    first = await shop.admin.call("POST", f"/sales/{sale['id']}/returns", json={}, key="r-1")
    again = await shop.admin.call("POST", f"/sales/{sale['id']}/returns", json={}, key="r-1")
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await shop.on_hand(tea) == 10


async def test_return_before_its_sale_is_rejected(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product(10)
    sold = {"product": tea, "quantity": 2, "occurred_at": "2026-05-01T12:00:00Z"}
    sale = await shop.admin.post("/sales", sold)
    back = {"lines": [{"product_id": tea, "quantity": 1}]}
    early = back | {"occurred_at": "2026-05-01T11:59:59Z"}
    problem = await shop.admin.expect_problem(422, f"/sales/{sale['id']}/returns", early)
    assert problem["errors"][0]["field"] == "occurred_at"
    await shop.admin.post(f"/sales/{sale['id']}/returns", back | {"occurred_at": "2026-05-01T12:00:00Z"})
