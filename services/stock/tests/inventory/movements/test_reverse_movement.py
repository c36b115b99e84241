"""POST /stock-movements/{id}/reverse."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop, StartShop


async def move(shop: Shop, product_id: int, movement_type: str, quantity: float, **values: Any) -> dict[str, Any]:
    body = {"product_id": product_id, "movement_type": movement_type, "quantity": quantity, **values}
    posted: dict[str, Any] = await shop.admin.post("/stock-movements", body)
    return posted


async def test_movement_is_reversed_once(shop: Shop) -> None:
    tea = await shop.product(10)
    wrong = await move(shop, tea, "damaged", 4, reference_number="R-1")
    path = f"/stock-movements/{wrong['id']}/reverse"
    answer = await shop.admin.call("POST", path)
    assert answer.status_code == 201
    reversal = answer.json()
    assert (reversal["movement_type"], reversal["quantity"], reversal["balance"]) == ("adjustment", 4, 10)
    assert (reversal["reverses_id"], reversal["reference_number"]) == (wrong["id"], "R-1")
    assert (await shop.admin.expect_problem(409, path))["code"] == "already_reversed"
    problem = await shop.admin.expect_problem(409, f"/stock-movements/{reversal['id']}/reverse", {"notes": "no"})
    assert problem["code"] == "not_reversible"
    assert await shop.on_hand(tea) == 10
    await shop.require_integrity()


async def test_concurrent_reversals_post_one(start_shop: StartShop) -> None:
    shops = [await start_shop(), await start_shop()]
    tea = await shops[0].product(10)
    wrong = await move(shops[0], tea, "out", 4)
    path = f"/stock-movements/{wrong['id']}/reverse"
    answers = await asyncio.gather(*(shops[n % 2].admin.call("POST", path) for n in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9
    assert await shops[0].on_hand(tea) == 10


async def test_reversal_of_sold_stock_is_rejected(shop: Shop) -> None:
    tea = await shop.product()
    received = await move(shop, tea, "purchase", 10)
    await move(shop, tea, "sale", 8)
    problem = await shop.admin.expect_problem(409, f"/stock-movements/{received['id']}/reverse")
    assert problem["shortages"][0]["available"] == 2


async def test_reversed_receipt_restores_average_cost(shop: Shop) -> None:
    tea = await shop.product()
    await move(shop, tea, "purchase", 10, unit_cost="2")
    wrong = await move(shop, tea, "purchase", 10, unit_cost="8")
    assert wrong["average_cost"] == "5.00"
    reversal = await shop.admin.post(f"/stock-movements/{wrong['id']}/reverse")
    assert (reversal["average_cost"], reversal["unit_cost"]) == ("2.00", "8.00")


async def test_average_cost_beyond_maximum_after_reversal_is_kept(shop: Shop) -> None:
    """The remaining quantity would carry the cost of everything sold at the wrong average."""
    tea = await shop.product()
    await move(shop, tea, "purchase", 10, unit_cost="90000000000000")
    free = await move(shop, tea, "purchase", 10, unit_cost="0")
    await move(shop, tea, "out", 9.999)
    reversal = await shop.admin.post(f"/stock-movements/{free['id']}/reverse")
    assert (reversal["balance"], reversal["average_cost"]) == (0.001, "45000000000000.00")


async def test_reversal_of_document_movement_is_rejected(shop: Shop) -> None:
    tea = await shop.product(10)
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 1})
    problem = await shop.admin.expect_problem(409, f"/stock-movements/{sale['lines'][0]['movement_id']}/reverse")
    assert problem["code"] == "not_reversible"
    [opening] = (await shop.admin.get("/stock-movements", movement_type="in"))["items"]
    await shop.admin.expect_problem(409, f"/stock-movements/{opening['id']}/reverse")
    await shop.admin.post(f"/sales/{sale['id']}/returns", {})
    await shop.admin.post(f"/stock-movements/{opening['id']}/reverse")
    assert await shop.on_hand(tea) == 0


async def test_reversal_by_other_salesperson_is_forbidden(shop: Shop) -> None:
    tea = await shop.product(10, owner_id=7)
    wrong = await move(shop, tea, "out", 4)
    path = f"/stock-movements/{wrong['id']}/reverse"
    assert (await shop.caller(8).expect_problem(403, path))["code"] == "not_owner"
    await shop.caller(7).post(path)
    await shop.admin.expect_problem(404, "/stock-movements/999999/reverse")
