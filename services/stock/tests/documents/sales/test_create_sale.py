"""Sales: atomic, priced exactly, at average cost."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from stockbuddy.chassis.access.roles import Role

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def test_sale_posts_movements_and_reports_profit(shop: Shop) -> None:
    tea = await shop.product(10, sku="TEA", unit_price="4.50", cost_price="2.00")
    cup = await shop.product(5, sku="CUP", unit_price="9.90", cost_price="5.00")
    body = {
        "lines": [
            {"sku": "tea", "quantity": 3},
            {"product_id": cup, "quantity": 2, "unit_price": "8", "discount": "1.50"},
        ],
        "payment_method": "cash",
        "reference": "TILL-1/17",
        "occurred_at": "2026-02-01T10:00:00Z",
    }
    response = await shop.caller(5, Role.MANAGER, username="sam").call("POST", "/sales", json=body)
    assert response.status_code == 201
    sale = response.json()
    assert (sale["status"], sale["version"], sale["payment_method"]) == ("completed", 1, "cash")
    assert (sale["total"], sale["discount"], sale["cost"], sale["profit"]) == ("28.00", "1.50", "16.00", "12.00")
    assert (sale["sold_by"], sale["seller"], sale["reference"]) == (5, "sam", "TILL-1/17")
    assert sale["occurred_at"] == "2026-02-01T10:00:00Z"
    assert [(line["sku"], line["unit_price"], line["total"]) for line in sale["lines"]] == [
        ("TEA", "4.50", "13.50"),
        ("CUP", "8.00", "14.50"),
    ]
    assert (await shop.on_hand(tea), await shop.on_hand(cup)) == (7, 3)
    assert await shop.admin.get(f"/sales/{sale['id']}") == sale
    movements = (await shop.admin.get("/stock-movements", document=f"sale/{sale['id']}"))["items"]
    assert {movement["id"] for movement in movements} == {line["movement_id"] for line in sale["lines"]}
    assert {(movement["movement_type"], movement["performed_by"]) for movement in movements} == {("sale", 5)}
    assert (await shop.wait_for_events(1, "stock.sale.completed"))[0] == sale


async def test_sale_with_hundreds_of_lines_is_accepted(shop: Shop) -> None:
    tea = await shop.product(2000)
    sale = await shop.admin.post("/sales", {"lines": [{"product_id": tea, "quantity": 1}] * 1000})
    assert len(sale["lines"]) == 1000
    assert await shop.on_hand(tea) == 1000
    await shop.admin.post(f"/sales/{sale['id']}/void")
    assert await shop.on_hand(tea) == 2000


async def test_sale_in_short_form_sells_one_product(shop: Shop) -> None:
    tea = await shop.product(10, sku="TEA", unit_price="4.50")
    by_sku = await shop.admin.post("/sales", {"product": "TEA", "quantity": 2})
    by_id = await shop.admin.post("/sales", {"product": tea, "quantity": 1.5})
    assert (by_sku["total"], by_id["total"]) == ("9.00", "6.75")
    assert await shop.on_hand(tea) == 6.5


async def test_sale_with_shortages_is_refused_entirely(shop: Shop) -> None:
    tea, cup, pot = await shop.product(10), await shop.product(1), await shop.product()
    lines = [{"product_id": product, "quantity": quantity} for product, quantity in ((tea, 5), (cup, 2), (pot, 1))]
    problem = await shop.admin.expect_problem(409, "/sales", {"lines": lines})
    assert problem["code"] == "insufficient_stock"
    shortages = {s["product_id"]: (s["requested"], s["available"]) for s in problem["shortages"]}
    assert shortages == {cup: (2, 1), pot: (1, 0)}
    assert await shop.on_hand(tea) == 10
    assert (await shop.admin.get("/sales"))["total"] == 0


async def test_shortage_sums_lines_of_the_same_product(shop: Shop) -> None:
    tea = await shop.product(10)
    lines = [{"product_id": tea, "quantity": 6}, {"product_id": tea, "quantity": 5}]
    problem = await shop.admin.expect_problem(409, "/sales", {"lines": lines})
    assert [(s["requested"], s["available"]) for s in problem["shortages"]] == [(11, 10)]
    sale = await shop.admin.post("/sales", {"lines": [*lines[:1], {"product_id": tea, "quantity": 4}]})
    assert len(sale["lines"]) == 2
    assert await shop.on_hand(tea) == 0


async def test_sale_cost_follows_the_moving_average(shop: Shop) -> None:
    tea = await shop.product(unit_price="10")
    for quantity, cost in ((10, "2"), (30, "4")):
        await shop.admin.post(
            "/stock-movements",
            {"product_id": tea, "movement_type": "purchase", "quantity": quantity, "unit_cost": cost},
        )
    assert (await shop.level(tea))["average_cost"] == "3.50"
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 20})
    assert (sale["cost"], sale["profit"], sale["lines"][0]["unit_cost"]) == ("70.00", "130.00", "3.50")
    assert (await shop.level(tea))["average_cost"] == "3.50"


async def test_sale_of_unknown_cost_has_no_profit(shop: Shop) -> None:
    tea = await shop.product(10)
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 1})
    assert (sale["cost"], sale["profit"]) == (None, None)


@pytest.mark.parametrize(
    "body",
    [
        {"lines": []},
        {},
        {"product": 1},
        {"product": 1, "quantity": 0},
        {"product": 1, "quantity": -1},
        {"product": 1, "quantity": 1, "lines": [{"product_id": 1, "quantity": 1}]},
        {"product": 1, "quantity": 1, "discount": "10.01"},
        {"product": 1, "quantity": 1, "unit_price": "-1"},
        {"product": 1, "quantity": 1, "customer": 1, "customer_id": 1},
        {"product": 1, "quantity": 99999999999, "unit_price": "99999999999"},
        {"lines": [{"product_id": 1, "quantity": 1, "price": 3}]},
    ],
)
async def test_malformed_sale_is_rejected(shop: Shop, body: dict[str, Any]) -> None:
    tea = await shop.product(10)
    await shop.admin.expect_problem(422, "/sales", body)
    assert await shop.on_hand(tea) == 10


async def test_sale_to_an_unknown_customer_is_refused(shop: Shop) -> None:
    tea = await shop.product(10)
    problem = await shop.admin.expect_problem(404, "/sales", {"product": tea, "quantity": 1, "customer_id": 7})
    assert problem["code"] == "unknown_customer"
    assert await shop.on_hand(tea) == 10


async def test_sale_list_is_filtered_and_searched(shop: Shop) -> None:
    tea, cup = await shop.product(50, sku="TEA", name="Green tea"), await shop.product(50, sku="CUP")
    annex = await shop.warehouse("ANNEX")
    move = {"product_id": cup, "movement_type": "in", "quantity": 9, "warehouse_id": annex}
    await shop.admin.post("/stock-movements", move)
    first = await shop.caller(5).post("/sales", {"product": tea, "quantity": 1, "occurred_at": "2026-01-01T00:00:00Z"})
    second = await shop.caller(6).post(
        "/sales", {"product": cup, "quantity": 2, "reference": "R-9", "occurred_at": "2026-01-02T00:00:00Z"}
    )
    third = await shop.caller(6).post(
        "/sales", {"product": cup, "quantity": 1, "warehouse_id": annex, "occurred_at": "2026-01-03T00:00:00Z"}
    )
    numbers = {sale["id"]: name for sale, name in ((first, "first"), (second, "second"), (third, "third"))}

    async def found(**chosen: Any) -> list[str]:
        return [numbers[sale["id"]] for sale in (await shop.admin.get("/sales", **chosen))["items"]]

    assert await found() == ["third", "second", "first"]
    assert await found(sort_by="occurred_asc") == ["first", "second", "third"]
    assert await found(product_id=tea) == ["first"]
    assert await found(sold_by=6) == ["third", "second"]
    assert await found(warehouse_id=annex) == ["third"]
    assert await found(search="green") == ["first"]
    assert await found(search="r-9") == ["second"]
    assert await found(search=third["number"]) == ["third"]
    assert await found(status="voided") == []
    # A date filter is half-open.
    assert await found(**{"from": "2026-01-02T00:00:00Z", "to": "2026-01-03T00:00:00Z"}) == ["second"]


async def test_sale_pages_and_cursors_return_the_same_list(shop: Shop) -> None:
    tea = await shop.product(50)
    for _ in range(5):
        await shop.admin.post("/sales", {"product": tea, "quantity": 1})
    whole = [sale["id"] for sale in (await shop.admin.get("/sales"))["items"]]
    walked, cursor = [], None
    while True:
        page = await shop.admin.get("/sales", page_size=2, **({"cursor": cursor} if cursor else {}))
        assert page["total"] == 5
        walked += [sale["id"] for sale in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert walked == whole
    second = await shop.admin.get("/sales", page_size=2, page=2)
    assert [sale["id"] for sale in second["items"]] == whole[2:4]
    stale = await shop.admin.get("/sales", page_size=2)
    await shop.admin.expect_problem(422, f"/sales?sort_by=total_asc&cursor={stale['next_cursor']}", method="GET")


async def test_sale_totals_are_exact(shop: Shop) -> None:
    tea = await shop.product(100, unit_price="0.1")
    sale = await shop.admin.post("/sales", {"lines": [{"product_id": tea, "quantity": 0.1}] * 30})
    assert Decimal(sale["total"]) == Decimal("0.3")
    assert await shop.on_hand(tea) == 97


async def test_sale_exceeding_the_amount_limit_is_rejected(shop: Shop) -> None:
    tea = await shop.product(unit_price="60000000000000")
    await shop.admin.post("/stock-movements", {"product_id": tea, "movement_type": "in", "quantity": 9})
    line = {"product_id": tea, "quantity": 1}
    problem = await shop.admin.expect_problem(422, "/sales", {"lines": [line, line]})
    assert problem["errors"][0]["field"] == "lines"
    costly = {"product_id": tea, "movement_type": "purchase", "quantity": 9, "unit_cost": "90000000000000"}
    await shop.admin.post("/stock-movements", costly)
    cheap = {"product_id": tea, "quantity": 9, "unit_price": 1}
    problem = await shop.admin.expect_problem(422, "/sales", {"lines": [cheap]})
    assert problem["errors"][0]["message"] == "cost must come to less than 100,000,000,000,000"
    assert await shop.on_hand(tea) == 18


async def test_customer_name_of_several_customers_is_ambiguous(shared_shop: Shop) -> None:
    shop, tea = shared_shop, await shared_shop.product(10)
    customers = [await shop.admin.post("/customers", {"name": name}) for name in ("Kim Lee", "kim lee")]
    problem = await shop.admin.expect_problem(409, "/sales", {"product": tea, "quantity": 1, "customer": "Kim Lee"})
    assert problem["code"] == "ambiguous_customer"
    assert problem["customers"] == [{"id": customer["id"], "name": customer["name"]} for customer in customers]
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 1, "customer": customers[1]["id"]})
    assert sale["customer_id"] == customers[1]["id"]
