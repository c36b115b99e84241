"""Reservations: active until committed, released or expired; an expired one stops counting at once."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop, StartShop


async def reserve(shop: Shop, product_id: int, quantity: float, **values: Any) -> dict[str, Any]:
    body = {"lines": [{"product_id": product_id, "quantity": quantity}], **values}
    held: dict[str, Any] = await shop.admin.post("/reservations", body)
    return held


async def available(shop: Shop, product_id: int) -> tuple[float, float, float]:
    level = await shop.level(product_id)
    return level["on_hand"], level["reserved"], level["available"]


async def overdue(database: asyncpg.Connection, reservation_id: int) -> None:
    """Make the reservation expire."""
    statement = "UPDATE reservation SET expires_at = now() - interval '1 millisecond' WHERE id = $1"
    await database.execute(statement, reservation_id)


async def test_reserved_stock_is_not_available_to_others(shop: Shop) -> None:
    tea = await shop.product(10)
    held = await reserve(shop, tea, 7, external_ref="CART-1", expires_in=60)
    assert (held["status"], held["external_ref"], held["created_by"]) == ("held", "CART-1", 1)
    seconds = datetime.fromisoformat(held["expires_at"]) - datetime.fromisoformat(held["created_at"])
    assert seconds.total_seconds() == 60
    assert await available(shop, tea) == (10, 7, 3)
    for path, body in (
        ("/sales", {"product": tea, "quantity": 4}),
        ("/stock-movements", {"product_id": tea, "movement_type": "damaged", "quantity": 4}),
        ("/reservations", {"lines": [{"product_id": tea, "quantity": 4}]}),
    ):
        problem = await shop.admin.expect_problem(409, path, body)
        assert problem["shortages"][0]["available"] == 3
    assert await shop.admin.get(f"/reservations/{held['id']}") == held
    await shop.require_integrity()
    await shop.wait_until_published()
    assert shop.bus.events("stock.reservation.created") == [held]
    [level] = [event for event in shop.bus.events("stock.level.changed") if event["reason"] == "reservation"]
    assert (level["on_hand"], level["reserved"], level["delta"]) == (10, 7, 0)


async def test_reservation_with_a_shortage_reserves_nothing(shop: Shop) -> None:
    tea, cup = await shop.product(10), await shop.product(1)
    lines = [{"product_id": tea, "quantity": 5}, {"product_id": cup, "quantity": 2}, {"product_id": tea, "quantity": 6}]
    problem = await shop.admin.expect_problem(409, "/reservations", {"lines": lines})
    assert {s["product_id"]: s["requested"] for s in problem["shortages"]} == {tea: 11, cup: 2}
    assert await available(shop, tea) == (10, 0, 10)


async def test_released_stock_is_available_again(shop: Shop) -> None:
    tea = await shop.product(10)
    held = await reserve(shop, tea, 7)
    released = await shop.admin.post(f"/reservations/{held['id']}/release")
    assert (released["status"], released["version"]) == ("released", 2)
    assert await available(shop, tea) == (10, 0, 10)
    problem = await shop.admin.expect_problem(409, f"/reservations/{held['id']}/release")
    assert (problem["code"], problem["state"]) == ("invalid_state", "released")


async def test_committed_reservation_posts_out_movements(shop: Shop) -> None:
    tea, annex = await shop.product(10), await shop.warehouse("ANNEX")
    move = {"product_id": tea, "movement_type": "in", "quantity": 5, "warehouse_id": annex}
    await shop.admin.post("/stock-movements", move)
    lines = [{"product_id": tea, "quantity": 7}, {"product_id": tea, "quantity": 1, "warehouse_id": annex}]
    held = await shop.admin.post("/reservations", {"lines": lines})
    committed = await shop.admin.post(f"/reservations/{held['id']}/commit", {"reference": "R-1"})
    assert (committed["status"], committed["sale"], committed["sale_id"]) == ("committed", None, None)
    assert await available(shop, tea) == (3, 0, 3)
    moves = (await shop.admin.get("/stock-movements", document=f"reservation/{held['id']}"))["items"]
    assert {(m["movement_type"], m["quantity"], m["reference_number"]) for m in moves} == {
        ("out", -7, "R-1"),
        ("out", -1, "R-1"),
    }
    await shop.admin.expect_problem(409, f"/reservations/{held['id']}/commit")
    await shop.require_integrity()


async def test_committed_reservation_becomes_a_sale(shop: Shop) -> None:
    tea = await shop.product(10, unit_price="4.50")
    held = await reserve(shop, tea, 10)
    body = {"as": "sale", "payment_method": "card"}
    committed = await shop.admin.post(f"/reservations/{held['id']}/commit", body)
    sale = committed["sale"]
    assert (committed["status"], committed["sale_id"]) == ("committed", sale["id"])
    assert (sale["total"], sale["payment_method"], sale["reservation_id"]) == ("45.00", "card", held["id"])
    assert await shop.admin.get(f"/sales/{sale['id']}") == sale
    assert await available(shop, tea) == (0, 0, 0)
    await shop.wait_until_published()
    assert len(shop.bus.events("stock.sale.completed")) == len(shop.bus.events("stock.reservation.committed")) == 1
    await shop.require_integrity()


async def test_sale_with_a_reservation_consumes_it(shop: Shop) -> None:
    """The sale may be larger or smaller than the reservation; the rest is released."""
    tea, cup = await shop.product(10), await shop.product(2)
    lines = [{"product_id": tea, "quantity": 8}, {"product_id": cup, "quantity": 1}]
    held = await shop.admin.post("/reservations", {"lines": lines})
    body = {"lines": [{"product_id": tea, "quantity": 10, "unit_price": "1"}], "reservation_id": held["id"]}
    await shop.admin.expect_problem(409, "/sales", {"product": tea, "quantity": 10})
    sale = await shop.admin.post("/sales", body)
    assert (sale["reservation_id"], sale["total"]) == (held["id"], "10.00")
    assert await available(shop, tea) == (0, 0, 0)
    assert await available(shop, cup) == (2, 0, 2)
    assert (await shop.admin.get(f"/reservations/{held['id']}"))["sale_id"] == sale["id"]
    problem = await shop.admin.expect_problem(409, "/sales", body)
    assert problem["code"] == "invalid_state"
    await shop.require_integrity()


async def test_reservation_in_several_warehouses_cannot_become_a_sale(shop: Shop) -> None:
    tea, annex = await shop.product(10), await shop.warehouse("ANNEX")
    move = {"product_id": tea, "movement_type": "in", "quantity": 5, "warehouse_id": annex}
    await shop.admin.post("/stock-movements", move)
    lines = [{"product_id": tea, "quantity": 1}, {"product_id": tea, "quantity": 1, "warehouse_id": annex}]
    held = await shop.admin.post("/reservations", {"lines": lines})
    problem = await shop.admin.expect_problem(422, f"/reservations/{held['id']}/commit", {"as": "sale"})
    assert problem["code"] == "several_warehouses"


async def test_expired_reservation_stops_counting_at_once(shop: Shop, database: asyncpg.Connection) -> None:
    tea = await shop.product(10)
    for _ in range(5):
        held = await reserve(shop, tea, 2)
        await overdue(database, held["id"])
        assert await available(shop, tea) == (10, 0, 10)
        assert (await shop.admin.get(f"/reservations/{held['id']}"))["status"] == "expired"
        await shop.admin.post("/reservations", {"lines": [{"product_id": tea, "quantity": 10}], "expires_in": 1})
        for name in ("extend", "release", "commit"):
            problem = await shop.admin.expect_problem(409, f"/reservations/{held['id']}/{name}")
            assert problem["code"] in ("reservation_expired", "invalid_state")
        newest = (await shop.admin.get("/reservations"))["items"][0]
        await overdue(database, newest["id"])
    await shop.admin.post("/sales", {"product": tea, "quantity": 10})
    assert await shop.on_hand(tea) == 0


async def test_sale_reclaims_stock_of_expired_reservations(start_shop: StartShop, database: asyncpg.Connection) -> None:
    """Concurrent sales on several replicas, while the sweep runs."""
    shops = [await start_shop(), await start_shop()]
    tea, cup = await shops[0].product(20), await shops[0].product(20)
    lines = [{"product_id": tea, "quantity": 2}, {"product_id": cup, "quantity": 2}]
    for _ in range(10):
        await shops[0].admin.post("/reservations", {"lines": lines})
    await database.execute("UPDATE reservation SET expires_at = now()")
    body = {"lines": [{"product_id": tea, "quantity": 1}, {"product_id": cup, "quantity": 1}]}
    responses = await asyncio.gather(*(shops[n % 2].admin.call("POST", "/sales", json=body) for n in range(30)))
    assert sorted(response.status_code for response in responses) == [201] * 20 + [409] * 10
    await shops[0].require_integrity()


async def test_expired_reservation_is_swept_and_published_once(
    start_shop: StartShop, database: asyncpg.Connection
) -> None:
    shops = [await start_shop(), await start_shop()]
    tea = await shops[0].product(10)
    held = await reserve(shops[0], tea, 4)
    await overdue(database, held["id"])
    async with asyncio.timeout(60):
        while await database.fetchval("SELECT reserved FROM level WHERE product_id = $1", tea) != 0:
            await asyncio.sleep(0.02)
    for shop in shops:
        await shop.wait_until_published()
    events = [event for shop in shops for event in shop.bus.events("stock.reservation.expired")]
    assert [(event["id"], event["status"]) for event in events] == [(held["id"], "expired")]
    await shops[0].require_integrity()


async def test_extended_reservation_stays_active(shop: Shop) -> None:
    tea = await shop.product(10)
    held = await reserve(shop, tea, 4, expires_in=60)
    extended = await shop.admin.post(f"/reservations/{held['id']}/extend", {"expires_in": 3600})
    assert extended["version"] == 2
    assert extended["expires_at"] > held["expires_at"]
    assert await available(shop, tea) == (10, 4, 6)
    await shop.admin.expect_problem(422, f"/reservations/{held['id']}/extend", {"expires_in": 0})


async def test_concurrent_commits_of_a_reservation_take_effect_once(start_shop: StartShop) -> None:
    shops = [await start_shop(), await start_shop()]
    tea = await shops[0].product(10)
    held = await reserve(shops[0], tea, 4)
    names = ["commit", "release"] * 5
    responses = await asyncio.gather(
        *(shops[n % 2].admin.call("POST", f"/reservations/{held['id']}/{name}") for n, name in enumerate(names))
    )
    assert sorted(response.status_code for response in responses) == [200] + [409] * 9
    await shops[0].require_integrity()


async def test_concurrent_reservations_never_exceed_the_stock(start_shop: StartShop) -> None:
    shops = [await start_shop(), await start_shop()]
    tea = await shops[0].product(50)
    body = {"lines": [{"product_id": tea, "quantity": 1}]}
    responses = await asyncio.gather(*(shops[n % 2].admin.call("POST", "/reservations", json=body) for n in range(120)))
    assert sorted(response.status_code for response in responses) == [201] * 50 + [409] * 70
    await shops[0].require_integrity()


async def test_reservation_list_is_filtered(shop: Shop, database: asyncpg.Connection) -> None:
    tea, cup = await shop.product(10), await shop.product(10)
    first = await reserve(shop, tea, 1, external_ref="A")
    second = await reserve(shop, cup, 1)
    await shop.admin.post(f"/reservations/{second['id']}/release")

    async def found(**chosen: Any) -> list[int]:
        return [held["id"] for held in (await shop.admin.get("/reservations", **chosen))["items"]]

    assert await found() == [second["id"], first["id"]]
    assert await found(status="held") == [first["id"]]
    assert await found(status="released") == [second["id"]]
    assert await found(product_id=cup) == [second["id"]]
    assert await found(external_ref="A") == [first["id"]]
    await overdue(database, first["id"])
    assert await found(status="expired") == [first["id"]]
    assert await found(status="held") == []


@pytest.mark.parametrize("wrong", [{"lines": []}, {"expires_in": 0}, {"expires_in": 10**9}, {"extra": 1}])
async def test_malformed_reservation_is_rejected(shop: Shop, wrong: dict[str, Any]) -> None:
    tea = await shop.product(10)
    body = {"lines": [{"product_id": tea, "quantity": 1}]}
    await shop.admin.expect_problem(422, "/reservations", body | wrong)
