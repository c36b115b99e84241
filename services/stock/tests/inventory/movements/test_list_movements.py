"""GET /stock-movements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockbuddy.chassis.access.roles import Role

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def test_movements_with_filters_are_selected(shop: Shop) -> None:
    tea, cup, annex = await shop.product(), await shop.product(sku="CUP"), await shop.warehouse("ANNEX")
    manager = shop.caller(2, Role.MANAGER)

    async def post(name: str, caller: Any, **values: Any) -> None:
        given = {"product_id": tea, "movement_type": "in", "quantity": 9, "notes": name} | values
        await caller.post("/stock-movements", given)

    await post("first", shop.admin, occurred_at="2026-01-03T00:00:00Z")
    await post("second", manager, warehouse_id=annex, occurred_at="2026-01-02T00:00:00Z")
    await post("third", shop.admin, product_id=cup, reference_number="R-1", occurred_at="2026-01-01T00:00:00Z")
    await post("fourth", shop.admin, movement_type="damaged", quantity=1)

    async def found(**chosen: Any) -> list[str]:
        return [movement["notes"] for movement in (await shop.admin.get("/stock-movements", **chosen))["items"]]

    assert await found() == ["fourth", "third", "second", "first"]
    assert await found(sort_by="recorded_asc") == ["first", "second", "third", "fourth"]
    assert await found(sort_by="occurred_asc") == ["third", "second", "first", "fourth"]
    assert await found(product_id=cup) == ["third"]
    assert await found(sku="cup") == ["third"]
    assert await found(warehouse_id=annex) == ["second"]
    assert await found(movement_type="damaged") == ["fourth"]
    assert await found(reference_number="R-1") == ["third"]
    assert await found(performed_by=2) == ["second"]
    assert await found(**{"from": "2026-01-02T00:00:00Z", "to": "2026-01-03T00:00:00Z"}) == ["second"]
    await shop.admin.expect_problem(422, "/stock-movements?movement_type=gift", method="GET")
    await shop.admin.expect_problem(422, "/stock-movements?product_id=99999999999999999999", method="GET")


async def test_movement_is_returned_by_id(shop: Shop) -> None:
    tea = await shop.product(5)
    posted = await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "out", "quantity": 2})
    assert await shop.admin.get(f"/stock-movements/{posted['id']}") == posted
    await shop.admin.expect_problem(404, "/stock-movements/999999", method="GET")


async def test_cursor_is_stable_during_inserts(shop: Shop) -> None:
    tea = await shop.product()
    move = {"product_id": tea, "movement_type": "in", "quantity": 1}
    for _ in range(4):
        await shop.admin.post("/stock-movements", move)
    first = await shop.admin.get("/stock-movements", page_size=2)
    await shop.admin.post("/stock-movements", move)
    second = await shop.admin.get("/stock-movements", page_size=2, cursor=first["next_cursor"])
    assert [movement["balance"] for movement in first["items"] + second["items"]] == [4, 3, 2, 1]
