"""Transfers: reserved, shipped, received in part with damage, completed, cancelled; every unit is accounted for."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop, StartShop


async def transfer(shop: Shop, product_id: int, quantity: float, **values: Any) -> dict[str, Any]:
    body = {"product_id": product_id, "quantity": quantity, "from_warehouse_code": "MAIN", "to_warehouse_code": "SHOP"}
    made: dict[str, Any] = await shop.admin.post("/stock-transfers", body | values)
    return made


async def step(shop: Shop, made: dict[str, Any], name: str, body: Any = None) -> dict[str, Any]:
    response = await shop.admin.call("PUT", f"/stock-transfers/{made['id']}/{name}", json=body)
    assert response.status_code == 200, response.text
    after: dict[str, Any] = response.json()
    return after


async def levels(shop: Shop, product_id: int) -> dict[str, tuple[float, float, float]]:
    """On hand, reserved and incoming, by warehouse."""
    found = (await shop.admin.get("/stock-levels", product_id=product_id))["items"]
    return {level["warehouse_code"]: (level["on_hand"], level["reserved"], level["incoming"]) for level in found}


async def test_transfer_is_shipped_and_received_in_parts(shop: Shop) -> None:
    tea, corner = await shop.product(10, cost_price="3"), await shop.warehouse("SHOP")
    made = await transfer(shop, tea, 4, transfer_reference="T-9", notes="for the window")
    assert (made["status"], made["version"], made["to_warehouse_id"]) == ("pending", 1, corner)
    assert await levels(shop, tea) == {"MAIN": (10, 4, 0)}

    shipped = await step(shop, made, "ship")
    assert (shipped["status"], shipped["lines"][0]["in_transit"]) == ("in_transit", 4)
    assert await levels(shop, tea) == {"MAIN": (6, 0, 0), "SHOP": (0, 0, 4)}

    body = {"lines": [{"product_id": tea, "received": 1.5, "damaged": 0.5}]}
    partly = await step(shop, made, "receive", body)
    line = partly["lines"][0]
    assert partly["status"] == "in_transit"
    assert (line["shipped"], line["received"], line["damaged"], line["in_transit"]) == (4, 1.5, 0.5, 2)
    assert await levels(shop, tea) == {"MAIN": (6, 0, 0), "SHOP": (1.5, 0, 2)}

    completed = await step(shop, made, "complete")
    assert (completed["status"], completed["lines"][0]["received"]) == ("completed", 3.5)
    assert await levels(shop, tea) == {"MAIN": (6, 0, 0), "SHOP": (3.5, 0, 0)}
    assert (await shop.level(tea, "SHOP"))["average_cost"] == "3.00"
    assert await shop.admin.get(f"/stock-transfers/{made['id']}") == completed

    moves = (await shop.admin.get("/stock-movements", document=f"stock_transfer/{made['id']}"))["items"]
    assert [(move["movement_type"], move["quantity"]) for move in reversed(moves)] == [
        ("transfer_out", -4),
        ("transfer_in", 2),
        ("damaged", -0.5),
        ("transfer_in", 2),
    ]
    assert {move["reference_number"] for move in moves} == {"T-9"}
    await shop.require_integrity()
    await shop.wait_until_published()
    kinds = ("created", "shipped", "received", "cancelled")
    types = [m.type.rpartition(".")[2] for m in shop.bus.published if m.type.startswith("stock.transfer.")]
    assert types == ["created", "shipped", "received", "received"]
    versions = [event["version"] for event in shop.bus.events(*(f"stock.transfer.{kind}" for kind in kinds))]
    assert versions == [1, 2, 3, 4]


async def test_completing_a_pending_transfer_ships_and_receives(shop: Shop) -> None:
    tea, _ = await shop.product(10, cost_price="3"), await shop.warehouse("SHOP")
    made = await transfer(shop, tea, 4)
    completed = await step(shop, made, "complete")
    assert (completed["status"], completed["version"]) == ("completed", 2)
    assert completed["lines"][0]["unit_cost"] == "3.00"
    assert await levels(shop, tea) == {"MAIN": (6, 0, 0), "SHOP": (4, 0, 0)}
    assert (await shop.level(tea, "SHOP"))["average_cost"] == "3.00"


async def test_transfer_of_several_lines_is_atomic(shop: Shop) -> None:
    tea, cup, _ = await shop.product(10), await shop.product(5, sku="CUP"), await shop.warehouse("SHOP")
    lines = [{"product_id": tea, "quantity": 3}, {"sku": "cup", "quantity": 5}, {"product_id": tea, "quantity": 2}]
    body = {"from_warehouse_code": "MAIN", "to_warehouse_code": "SHOP", "lines": lines}
    made = await shop.admin.post("/stock-transfers", body)
    await step(shop, made, "ship")
    partly = await step(shop, made, "receive", {"lines": [{"product_id": tea, "received": 4}]})
    assert [line["received"] for line in partly["lines"]] == [3, 0, 1]
    await step(shop, made, "receive")
    assert (await levels(shop, cup))["SHOP"] == (5, 0, 0)
    problem = await shop.admin.expect_problem(
        409, "/stock-transfers", body | {"lines": [{"sku": "CUP", "quantity": 1}]}
    )
    assert problem["code"] == "insufficient_stock"


async def test_stock_of_a_pending_transfer_cannot_be_sold(shop: Shop) -> None:
    tea, _ = await shop.product(10), await shop.warehouse("SHOP")
    made = await transfer(shop, tea, 7)
    problem = await shop.admin.expect_problem(409, "/sales", {"product": tea, "quantity": 4})
    assert problem["shortages"][0]["available"] == 3
    cancelled = await step(shop, made, "cancel")
    assert (cancelled["status"], cancelled["disposition"]) == ("cancelled", None)
    await shop.admin.post("/sales", {"product": tea, "quantity": 4})


@pytest.mark.parametrize(("disposition", "left"), [("return", 8), ("write_off", 6)])
async def test_cancelled_transfer_returns_or_writes_off_stock_in_transit(
    shop: Shop, disposition: str, left: float
) -> None:
    tea, _ = await shop.product(10), await shop.warehouse("SHOP")
    made = await transfer(shop, tea, 4)
    await step(shop, made, "ship")
    await step(shop, made, "receive", {"lines": [{"product_id": tea, "received": 2}]})
    problem = await shop.admin.expect_problem(422, f"/stock-transfers/{made['id']}/cancel", {}, method="PUT")
    assert problem["errors"][0]["field"] == "disposition"
    cancelled = await step(shop, made, "cancel", {"disposition": disposition})
    line = cancelled["lines"][0]
    assert (cancelled["status"], cancelled["disposition"], line["in_transit"]) == ("cancelled", disposition, 0)
    assert (line["received"], line["returned"] + line["written_off"]) == (2, 2)
    assert await levels(shop, tea) == {"MAIN": (left, 0, 0), "SHOP": (2, 0, 0)}
    await shop.require_integrity()


async def test_warehouse_with_incoming_transfers_cannot_be_deleted(shop: Shop) -> None:
    tea, corner = await shop.product(10), await shop.warehouse("SHOP")
    made = await transfer(shop, tea, 4)
    problem = await shop.admin.expect_problem(409, f"/warehouses/{corner}", method="DELETE")
    assert problem["code"] == "warehouse_in_use"
    await step(shop, made, "ship")
    await shop.admin.expect_problem(409, f"/warehouses/{corner}", method="DELETE")
    await step(shop, made, "cancel", {"disposition": "return"})
    assert (await shop.admin.call("DELETE", f"/warehouses/{corner}")).status_code == 204


async def test_transfer_step_in_the_wrong_state_is_refused(shop: Shop) -> None:
    tea, _ = await shop.product(10), await shop.warehouse("SHOP")
    made = await transfer(shop, tea, 4)
    path = f"/stock-transfers/{made['id']}"
    problem = await shop.admin.expect_problem(409, f"{path}/receive", method="PUT")
    assert (problem["code"], problem["state"]) == ("invalid_state", "pending")
    await step(shop, made, "ship")
    await shop.admin.expect_problem(409, f"{path}/ship", method="PUT")
    too_much = {"lines": [{"product_id": tea, "received": 4, "damaged": 0.5}]}
    problem = await shop.admin.expect_problem(409, f"{path}/receive", too_much)
    assert (problem["code"], problem["lines"][0]["too_much"]) == ("exceeds_in_transit", 0.5)
    await step(shop, made, "complete")
    for name in ("ship", "receive", "complete", "cancel"):
        await shop.admin.expect_problem(409, f"{path}/{name}", {"disposition": "return"} if name == "cancel" else None)
    await shop.admin.expect_problem(404, "/stock-transfers/999/ship", method="PUT")


async def test_concurrent_transfer_steps_take_effect_once(start_shop: StartShop) -> None:
    shops = [await start_shop(), await start_shop()]
    tea, _ = await shops[0].product(10), await shops[0].warehouse("SHOP")
    made = await transfer(shops[0], tea, 4)
    path = f"/stock-transfers/{made['id']}/complete"
    responses = await asyncio.gather(*(shops[n % 2].admin.call("PUT", path) for n in range(10)))
    assert sorted(response.status_code for response in responses) == [200] + [409] * 9
    keyed = await transfer(shops[0], tea, 4)
    path = f"/stock-transfers/{keyed['id']}/ship"
    responses = await asyncio.gather(*(shops[n % 2].admin.call("POST", path, key="ship-1") for n in range(10)))
    assert {response.status_code for response in responses} == {200}
    assert await levels(shops[0], tea) == {"MAIN": (2, 0, 0), "SHOP": (4, 0, 4)}


async def test_concurrent_opposite_transfers_do_not_deadlock(start_shop: StartShop) -> None:
    shops = [await start_shop(), await start_shop()]
    products = [await shops[0].product(100) for _ in range(4)]
    annex = await shops[0].warehouse("ANNEX")
    for product in products:
        move = {"product_id": product, "movement_type": "in", "quantity": 100, "warehouse_id": annex}
        await shops[0].admin.post("/stock-movements", move)
    chance = random.Random(3)

    async def move_some(number: int) -> list[int]:
        shop = shops[number % 2]
        ends = {"from_warehouse_code": "MAIN", "to_warehouse_code": "ANNEX"}
        if number % 3:
            ends = {"from_warehouse_code": "ANNEX", "to_warehouse_code": "MAIN"}
        lines = [{"product_id": product, "quantity": 1} for product in chance.sample(products, 3)]
        made = await shop.admin.call("POST", "/stock-transfers", json={**ends, "lines": lines})
        completed = await shop.admin.call("PUT", f"/stock-transfers/{made.json()['id']}/complete")
        return [made.status_code, completed.status_code]

    responses = await asyncio.gather(*(move_some(number) for number in range(60)))
    assert all(response == [201, 200] for response in responses)
    for product in products:
        assert await shops[0].on_hand(product) == 200
    await shops[0].require_integrity()


@pytest.mark.parametrize(
    "wrong",
    [
        {"to_warehouse_code": "MAIN"},
        {"to_warehouse_code": None},
        {"from_warehouse_id": 1},
        {"quantity": 0},
        {"quantity": None},
        {"lines": [{"product_id": 1, "quantity": 1}]},
    ],
)
async def test_malformed_transfer_is_rejected(shop: Shop, wrong: dict[str, Any]) -> None:
    tea, _ = await shop.product(10), await shop.warehouse("SHOP")
    body = {"product_id": tea, "quantity": 1, "from_warehouse_code": "MAIN", "to_warehouse_code": "SHOP"}
    await shop.admin.expect_problem(422, "/stock-transfers", body | wrong)


async def test_transfer_access_is_limited_to_owners_and_warehouses(shop: Shop) -> None:
    tea, foreign = await shop.product(10, owner_id=7), await shop.product(10, owner_id=8)
    corner = await shop.warehouse("SHOP")
    body = {"product_id": tea, "quantity": 1, "from_warehouse_code": "MAIN", "to_warehouse_code": "SHOP"}
    problem = await shop.caller(7).expect_problem(403, "/stock-transfers", body | {"product_id": foreign})
    assert problem["code"] == "not_owner"
    made = await shop.caller(7).post("/stock-transfers", body)
    path = f"/stock-transfers/{made['id']}/ship"
    assert (await shop.caller(8).expect_problem(403, path))["code"] == "not_owner"
    clerk = shop.caller(7, warehouse_ids=[corner])
    assert (await clerk.expect_problem(403, "/stock-transfers", body))["code"] == "warehouse_forbidden"
    assert (await clerk.expect_problem(403, path))["code"] == "warehouse_forbidden"
    await shop.caller(7).post(path)
    await clerk.post(f"/stock-transfers/{made['id']}/receive")


async def test_transfer_list_is_filtered(shop: Shop) -> None:
    tea, cup, corner = await shop.product(10), await shop.product(10), await shop.warehouse("SHOP")
    first = await transfer(shop, tea, 1, transfer_reference="A")
    second = await transfer(shop, cup, 1)
    await step(shop, second, "ship")

    async def found(**chosen: Any) -> list[int]:
        return [made["id"] for made in (await shop.admin.get("/stock-transfers", **chosen))["items"]]

    assert await found() == [second["id"], first["id"]]
    assert await found(status="pending") == [first["id"]]
    assert await found(product_id=cup) == [second["id"]]
    assert await found(transfer_reference="A") == [first["id"]]
    assert await found(warehouse_id=corner, sort_by="created_asc") == [first["id"], second["id"]]
    assert await found(from_warehouse_id=corner) == []
