"""POST /stock-movements: signs, balances, rejections and events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stockbuddy.chassis.access.roles import Role
from stockbuddy.contracts.stock import LevelChanged

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop

TAKING = ["sale", "damaged", "transfer_out", "out"]
ADDING = ["purchase", "return", "transfer_in", "in"]


def movement(product_id: int, movement_type: str, quantity: float | str, **values: Any) -> dict[str, Any]:
    return {"product_id": product_id, "movement_type": movement_type, "quantity": quantity, **values}


@pytest.mark.parametrize("movement_type", TAKING)
async def test_decreasing_movement_is_negative_for_either_sign(shop: Shop, movement_type: str) -> None:
    product_id = await shop.product(10)
    first = await shop.admin.post("/stock-movements", movement(product_id, movement_type, 4))
    second = await shop.admin.post("/stock-movements", movement(product_id, movement_type, -3))
    assert (first["quantity"], first["before"], first["balance"]) == (-4, 10, 6)
    assert (second["quantity"], second["before"], second["balance"]) == (-3, 6, 3)


@pytest.mark.parametrize("movement_type", ADDING)
async def test_increasing_movement_rejects_negative_quantity(shop: Shop, movement_type: str) -> None:
    product_id = await shop.product()
    posted = await shop.admin.post("/stock-movements", movement(product_id, movement_type, 2.5))
    assert (posted["quantity"], posted["balance"]) == (2.5, 2.5)
    problem = await shop.admin.expect_problem(422, "/stock-movements", movement(product_id, movement_type, -1))
    assert problem["code"] == "validation_error"
    assert await shop.on_hand(product_id) == 2.5


async def test_adjustment_keeps_its_sign(shop: Shop) -> None:
    product_id = await shop.product(10)
    await shop.admin.post("/stock-movements", movement(product_id, "adjustment", -4))
    await shop.admin.post("/stock-movements", movement(product_id, "adjustment", 1.125))
    await shop.admin.expect_problem(422, "/stock-movements", movement(product_id, "adjustment", 0))
    assert (await shop.level(product_id))["on_hand"] == 7.125


async def test_created_movement_response_contains_all_fields(shop: Shop) -> None:
    product_id = await shop.product(sku="TEA-1")
    answer = await shop.admin.call(
        "POST",
        "/stock-movements",
        json={
            "sku": "tea-1",
            "warehouse_code": "main",
            "movement_type": "PURCHASE",
            "quantity": "12.5",
            "unit_cost": 3,
            "reference_number": "PO-7",
            "notes": "two crates",
            "occurred_at": "2026-02-01T10:00:00+02:00",
        },
    )
    assert answer.status_code == 201
    posted = answer.json()
    level = await shop.level(product_id)
    assert posted.pop("id") > 0
    assert posted.pop("recorded_at") > "2026-02-02"
    assert posted == {
        "product_id": product_id,
        "sku": "TEA-1",
        "warehouse_id": level["warehouse_id"],
        "lot": 0,
        "movement_type": "purchase",
        "quantity": 12.5,
        "before": 0,
        "balance": 12.5,
        "unit_cost": "3.00",
        "value": "37.50",
        "correction": "0.00",
        "average_cost": "3.00",
        "reference_number": "PO-7",
        "notes": "two crates",
        "document": None,
        "performed_by": 1,
        "went_negative": False,
        "reverses_id": None,
        "occurred_at": "2026-02-01T08:00:00Z",
    }


async def test_movement_exceeding_stock_is_rejected_with_shortage(shop: Shop) -> None:
    product_id = await shop.product(3, sku="TEA-1")
    problem = await shop.admin.expect_problem(409, "/stock-movements", movement(product_id, "sale", 5))
    assert problem["code"] == "insufficient_stock"
    [shortage] = problem["shortages"]
    assert shortage["product_id"] == product_id
    assert (shortage["sku"], shortage["requested"], shortage["available"]) == ("TEA-1", 5, 3)
    assert await shop.on_hand(product_id) == 3
    assert (await shop.admin.get("/stock-movements", product_id=product_id))["total"] == 1


async def test_issue_from_new_level_is_rejected(shop: Shop) -> None:
    product_id = await shop.product()
    await shop.admin.expect_problem(409, "/stock-movements", movement(product_id, "out", 1))
    assert (await shop.admin.get("/stock-levels", product_id=product_id))["items"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": "1.0001"},
        {"quantity": "Infinity"},
        {"quantity": True},
        {"quantity": None},
        {"unit_cost": -1},
        {"movement_type": "gift"},
        {"product": 1, "sku": "both"},
        {"quantty": 3},
        {"occurred_at": "2026-02-01T10:00:00"},
        {"occurred_at": "2999-01-01T00:00:00Z"},
        {"notes": "nul\x00"},
        {"lot": -1},
    ],
)
async def test_movement_with_invalid_field_is_rejected(shop: Shop, wrong: dict[str, Any]) -> None:
    product_id = await shop.product(10)
    problem = await shop.admin.expect_problem(422, "/stock-movements", movement(product_id, "sale", 1) | wrong)
    assert problem["errors"]
    assert await shop.on_hand(product_id) == 10


async def test_unknown_product_or_warehouse_returns_404(shop: Shop) -> None:
    product_id = await shop.product(10)
    problem = await shop.admin.expect_problem(404, "/stock-movements", movement(product_id, "sale", 1, warehouse_id=99))
    assert problem["code"] == "unknown_warehouse"
    problem = await shop.admin.expect_problem(404, "/stock-movements", movement(999, "sale", 1))
    assert (problem["code"], problem["products"]) == ("unknown_product", [999])


async def test_movement_of_other_owners_product_is_forbidden(shop: Shop) -> None:
    own, foreign = await shop.product(5, owner_id=7), await shop.product(5, owner_id=8)
    salesperson = shop.caller(7)
    posted = await salesperson.post("/stock-movements", movement(own, "damaged", 1))
    assert posted["performed_by"] == 7
    problem = await salesperson.expect_problem(403, "/stock-movements", movement(foreign, "damaged", 1))
    assert problem["code"] == "not_owner"
    await shop.caller(9, Role.MANAGER).post("/stock-movements", movement(foreign, "damaged", 1))


async def test_movement_in_other_warehouse_is_forbidden(shop: Shop) -> None:
    product_id, annex = await shop.product(5), await shop.warehouse("ANNEX")
    manager = shop.caller(2, Role.MANAGER, warehouse_ids=[annex])
    await manager.post("/stock-movements", movement(product_id, "in", 5, warehouse_id=annex))
    problem = await manager.expect_problem(403, "/stock-movements", movement(product_id, "in", 5))
    assert problem["code"] == "warehouse_forbidden"


async def test_movement_without_credentials_is_rejected(shop: Shop) -> None:
    answer = await shop.http.post("/api/v1/stock-movements", json=movement(1, "in", 5))
    assert answer.status_code == 401


async def test_movement_below_zero_is_flagged_where_allowed(shop: Shop) -> None:
    product_id = await shop.product()
    outlet = await shop.warehouse("OUTLET", negative_stock="allow")
    taken = await shop.admin.post("/stock-movements", movement(product_id, "sale", 2, warehouse_id=outlet))
    assert (taken["balance"], taken["went_negative"]) == (-2, True)
    added = await shop.admin.post("/stock-movements", movement(product_id, "in", 1, warehouse_id=outlet))
    assert (added["balance"], added["went_negative"]) == (-1, False)
    # Once negative stock is forbidden again, decreases are rejected and increases are accepted.
    await shop.admin.call("PATCH", f"/warehouses/{outlet}", json={"negative_stock": "reject"})
    await shop.admin.expect_problem(409, "/stock-movements", movement(product_id, "sale", 1, warehouse_id=outlet))
    await shop.admin.post("/stock-movements", movement(product_id, "in", 0.5, warehouse_id=outlet))
    assert await shop.on_hand(product_id) == -0.5
    await shop.require_integrity()


async def test_movement_publishes_movement_and_level_events(shop: Shop) -> None:
    product_id = await shop.product(10, sku="TEA-1")
    posted = await shop.caller(5, Role.MANAGER).post("/stock-movements", movement(product_id, "sale", 4))
    [_, published] = await shop.wait_for_events(2, "stock.movement.posted")
    assert published == posted
    [_, changed] = await shop.wait_for_events(2, "stock.level.changed")
    assert changed == {
        "product_id": product_id,
        "sku": "TEA-1",
        "warehouse_id": posted["warehouse_id"],
        "lot": 0,
        "version": 2,
        "before": 10,
        "delta": -4,
        "on_hand": 6,
        "reserved": 0,
        "value": "0.00",
        "average_cost": None,
        "reason": "sale",
        "changed_at": posted["recorded_at"],
    }
    message = next(m for m in reversed(shop.bus.published) if m.type == "stock.movement.posted")
    assert message.headers["actorid"] == "5"
    assert message.headers["subject"] == f"product/{product_id}"


async def test_lots_have_separate_levels(shop: Shop) -> None:
    product_id = await shop.product(5)
    await shop.admin.post("/stock-movements", movement(product_id, "in", 3, lot=42))
    problem = await shop.admin.expect_problem(409, "/stock-movements", movement(product_id, "sale", 4, lot=42))
    assert problem["shortages"][0]["lot"] == 42
    await shop.admin.post("/stock-movements", movement(product_id, "sale", 3, lot=42))
    levels = (await shop.admin.get("/stock-levels", product_id=product_id))["items"]
    assert [(level["lot"], level["on_hand"]) for level in levels] == [(0, 5), (42, 0)]


async def test_level_beyond_maximum_is_rejected(shop: Shop) -> None:
    """Rejected rather than recorded: consumers read a level and its change as a Quantity."""
    tea = await shop.product()
    half = 499_999_999_999.999
    posted = await shop.admin.post("/stock-movements", movement(tea, "in", half))
    assert posted["balance"] == half
    for quantity in (0.001, 999_999_999_999):
        problem = await shop.admin.expect_problem(422, "/stock-movements", movement(tea, "in", quantity))
        assert problem["code"] == "quantity_out_of_range"
    await shop.admin.expect_problem(409, "/stock-movements", movement(tea, "out", 999_999_999_999))
    await shop.admin.expect_problem(409, "/reservations", {"lines": [{"product_id": tea, "quantity": 500_000_000_000}]})
    outlet = await shop.warehouse("OUTLET", negative_stock="allow")
    sold = {"warehouse_id": outlet}
    await shop.admin.expect_problem(422, "/stock-movements", movement(tea, "out", 500_000_000_000, **sold))
    await shop.admin.post("/stock-movements", movement(tea, "out", half, **sold))
    body = {"product_id": tea, "warehouse_id": outlet, "quantity": half, "expected_quantity": None}
    answer = await shop.admin.call("PUT", "/stock-levels", json=body)
    assert answer.status_code == 200, answer.text
    await shop.wait_until_published()
    for message in shop.bus.published:
        if message.type == LevelChanged.type:
            LevelChanged.model_validate_json(message.body)
    await shop.require_integrity()


async def test_sums_of_large_levels_are_returned(shop: Shop) -> None:
    for number in range(3):
        product = await shop.product(sku=f"HUGE-{number}")
        costly = movement(product, "purchase", 499_999_999_999, unit_cost="199999.9999")
        await shop.admin.post("/stock-movements", costly)
    figures = await shop.admin.get("/dashboard/stats")
    assert figures["total_units"] == 1_499_999_999_997
    assert figures["inventory_value"] == "299999999849400000.0003"
    for name in (await shop.admin.get("/reports"))["items"]:
        for wanted in ("json", "csv", "xlsx"):
            answer = await shop.admin.call("GET", f"/reports/{name}", params={"format": wanted})
            assert answer.status_code == 200, (name, wanted)
    assert len((await shop.admin.get("/reorder-suggestions"))["items"]) == 0


async def test_negative_zero_is_normalised(shop: Shop) -> None:
    tea = await shop.product()
    posted = await shop.admin.post("/stock-movements", movement(tea, "in", 1, unit_cost="-0.0"))
    assert (posted["unit_cost"], posted["average_cost"]) == ("0.00", "0.00")
    body = {"product_id": tea, "quantity": "-0", "expected_quantity": 1}
    answer = await shop.admin.call("PUT", "/stock-levels", json=body)
    assert answer.text.count("-0") == 0


@pytest.mark.parametrize("named", [{"product_id": True}, {"product": True}, {"warehouse_id": True}, {"lot": False}])
async def test_boolean_reference_is_rejected(shop: Shop, named: dict[str, bool]) -> None:
    product_id = await shop.product(10)
    body = movement(product_id, "out", 1) | named
    if "product" in named:
        del body["product_id"]
    await shop.admin.expect_problem(422, "/stock-movements", body)
    assert await shop.on_hand(product_id) == 10
