"""Sales, profit, turnover and movements reports, in all groupings."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from stockbuddy.chassis.access.roles import Role

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop

MARCH = {"from": "2026-03-01", "to": "2026-04-01"}


@pytest.fixture
async def traded(shop: Shop) -> dict[str, Any]:
    """Three sales of two products in two warehouses by two sellers, and a partial return of the first."""
    north = await shop.warehouse("NORTH")
    tea = await shop.product(sku="TEA", category="Drinks", category_id=1, unit_price="4.50")
    cup = await shop.product(sku="CUP", unit_price="9.90")
    for product, warehouse, quantity, cost in (
        (tea, None, 50, "2.00"),
        (tea, north, 50, "2.20"),
        (cup, None, 50, "5.00"),
    ):
        body = {"product_id": product, "movement_type": "purchase", "quantity": quantity, "unit_cost": cost}
        body |= {"warehouse_id": warehouse, "occurred_at": "2026-02-01T00:00:00Z"}
        await shop.admin.post("/stock-movements", body)
    lines = [{"product_id": tea, "quantity": 4}, {"product_id": cup, "quantity": 2, "discount": "1.80"}]
    sam, eve = shop.caller(5, username="sam"), shop.caller(6, username="eve")
    first = await sam.post("/sales", {"lines": lines, "occurred_at": "2026-03-02T10:00:00Z"})
    await eve.post(
        "/sales", {"product": tea, "quantity": 10, "warehouse_id": north, "occurred_at": "2026-03-02T23:30:00Z"}
    )
    await sam.post("/sales", {"product": cup, "quantity": 1, "occurred_at": "2026-04-01T00:00:00Z"})
    back = {"lines": [{"product_id": tea, "quantity": 1}], "occurred_at": "2026-03-04T10:00:00Z"}
    await sam.post(f"/sales/{first['id']}/returns", back)
    lost = {"lines": [{"product_id": tea, "quantity": 1}], "restock": False, "occurred_at": "2026-03-05T10:00:00Z"}
    await sam.post(f"/sales/{first['id']}/returns", lost)
    return {"tea": tea, "cup": cup, "north": north}


def shown(answer: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in answer["rows"]]


async def test_sales_report_totals_are_equal_for_all_groupings(shop: Shop, traded: dict[str, Any]) -> None:
    totals = []
    for group_by in ("day", "week", "month", "product", "category", "customer", "seller", "warehouse"):
        answer = await shop.admin.get("/reports/sales", group_by=group_by, **MARCH)
        totals.append({name: answer["totals"][name] for name in answer["totals"] if name not in ("sales", "voided")})
        assert answer["parameters"]["group_by"] == group_by
    assert totals[0] == {
        "sold": 16,
        "returned": 2,
        "gross": "82.80",
        "discounts": "1.80",
        "refunds": "9.00",
        "revenue": "72.00",
        "cost": "38.00",
        "profit": "34.00",
    }
    assert all(total == totals[0] for total in totals)


async def test_sales_report_groups_contain_their_sales(shop: Shop, traded: dict[str, Any]) -> None:
    async def grouped(group_by: str, *names: str, **more: Any) -> list[tuple[Any, ...]]:
        answer = await shop.admin.get("/reports/sales", group_by=group_by, **MARCH, **more)
        return shown(answer, *names, "sales", "revenue")

    assert await grouped("product", "sku") == [("TEA", 2, "54.00"), ("CUP", 1, "18.00")]
    assert await grouped("category", "category") == [("Drinks", 2, "54.00"), (None, 1, "18.00")]
    assert await grouped("seller", "sold_by", "seller") == [(6, "eve", 1, "45.00"), (5, "sam", 1, "27.00")]
    assert await grouped("warehouse", "warehouse") == [("NORTH", 1, "45.00"), ("MAIN", 1, "27.00")]
    assert await grouped("customer", "customer_id", "customer") == [(None, None, 2, "72.00")]
    assert await grouped("month", "period") == [("2026-03-01", 2, "72.00")]
    assert await grouped("warehouse", "warehouse", category="drinks") == [("NORTH", 1, "45.00"), ("MAIN", 1, "9.00")]
    assert await grouped("product", "sku", warehouse_id=traded["north"]) == [("TEA", 1, "45.00")]


async def test_sales_report_days_follow_time_zone_without_gaps(shop: Shop, traded: dict[str, Any]) -> None:
    window = {"from": "2026-03-02", "to": "2026-03-06"}
    utc = await shop.admin.get("/reports/sales", group_by="day", **window)
    assert shown(utc, "period", "sales", "revenue") == [
        ("2026-03-02", 2, "81.00"),
        ("2026-03-03", 0, "0.00"),
        ("2026-03-04", 0, "-4.50"),
        ("2026-03-05", 0, "-4.50"),
    ]
    berlin = await shop.admin.get("/reports/sales", group_by="day", tz="Europe/Berlin", **window)
    assert shown(berlin, "period", "sales", "revenue")[:2] == [("2026-03-02", 1, "36.00"), ("2026-03-03", 1, "45.00")]
    assert berlin["parameters"]["from"] == "2026-03-01T23:00:00Z"
    weeks = await shop.admin.get("/reports/sales", group_by="week", **window)
    assert shown(weeks, "period", "sales") == [("2026-03-02", 2)]


async def test_profit_report_subtracts_cost_and_expenses(shop: Shop, traded: dict[str, Any]) -> None:
    for day, amount, warehouse in (
        ("2026-03-01", "10.25", None),
        ("2026-03-31", "3", traded["north"]),
        ("2026-04-01", "99", None),
    ):
        body = {"category": "Rent", "amount": amount, "incurred_on": day, "warehouse_id": warehouse}
        await shop.admin.post("/expenses", body)
    answer = await shop.admin.get("/reports/profit", group_by="month", **MARCH)
    names = ("period", "revenue", "cost", "gross_profit", "expenses", "net_profit")
    assert shown(answer, *names) == [("2026-03-01", "72.00", "38.00", "34.00", "13.25", "20.75")]
    north = await shop.admin.get("/reports/profit", group_by="month", warehouse_id=traded["north"], **MARCH)
    assert shown(north, *names[1:]) == [("45.00", "22.00", "23.00", "3.00", "20.00")]
    daily = await shop.admin.get("/reports/profit", **MARCH)
    assert len(daily["rows"]) == 31
    assert daily["totals"] == answer["totals"]
    part = await shop.admin.get("/reports/profit", group_by="month", **{"from": "2026-03-02", "to": "2026-03-31"})
    assert part["totals"]["expenses"] == "0.00"


async def test_turnover_report_divides_cost_by_average_value(shop: Shop, traded: dict[str, Any]) -> None:
    answer = await shop.admin.get("/reports/turnover", **MARCH)
    # TEA: 100.00 + 110.00 before; 47 x 2.00 + 40 x 2.20 after; 28.00 of it sold, and one of the sold came back.
    [cup, tea] = answer["rows"]
    assert (tea["sold"], tea["cost"], tea["opening_value"], tea["closing_value"]) == (12, "28.00", "210.00", "182.00")
    assert (tea["average_value"], tea["turnover"], tea["days_of_stock"]) == ("196.00", 0.143, 217)
    assert (cup["cost"], cup["opening_value"], cup["closing_value"]) == ("10.00", "250.00", "240.00")
    overall = Decimal(38) / ((Decimal(460) + 422) / 2)
    assert answer["totals"]["turnover"] == float(overall.quantize(Decimal("0.001")))


async def test_movements_report_adds_up_from_opening_to_closing(shop: Shop, traded: dict[str, Any]) -> None:
    answer = await shop.admin.get("/reports/movements", **MARCH)
    assert shown(answer, "sku", "opening", "sale", "return", "purchase", "closing") == [
        ("CUP", 50, -2, 0, 0, 48),
        ("TEA", 100, -14, 1, 0, 87),
    ]
    by_warehouse = await shop.admin.get("/reports/movements", group_by="warehouse", **MARCH)
    assert shown(by_warehouse, "warehouse", "opening", "closing") == [("MAIN", 100, 95), ("NORTH", 50, 40)]
    assert by_warehouse["totals"] == answer["totals"]
    each = await shop.admin.get("/reports/movements", group_by="none", warehouse_id=traded["north"], **MARCH)
    assert shown(each, "sku", "movement_type", "quantity", "balance", "occurred_at") == [
        ("TEA", "sale", -10, 40, "2026-03-02T23:30:00Z")
    ]


async def test_report_with_invalid_parameters_is_rejected(shop: Shop) -> None:
    wrongs: list[tuple[str, dict[str, Any], str]] = [
        ("sales", {"from": "2026-13-01"}, "from"),
        ("sales", {"from": "yesterday"}, "from"),
        ("sales", {"to": "2026-03-01T00:00:00"}, "to"),
        ("sales", {"from": "2026-03-02", "to": "2026-03-02"}, "to"),
        ("sales", {"from": "1990-01-01", "to": "2026-01-01"}, "from"),
        ("sales", {"group_by": "moon"}, "group_by"),
        ("sales", {"tz": "Mars/Base"}, "tz"),
        ("profit", {"group_by": "product"}, "group_by"),
        ("inventory-valuation", {"method": "lifo"}, "method"),
        ("inventory-valuation", {"as_of": "1-1-2026"}, "as_of"),
        ("inventory-valuation", {"format": "pdf"}, "format"),
        ("dead-stock", {"days": 0}, "days"),
    ]
    for name, parameters, field in wrongs:
        answer = await shop.admin.call("GET", f"/reports/{name}", params=parameters)
        assert answer.status_code == 422, (name, parameters, answer.text)
        assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert (await shop.admin.call("GET", "/reports/horoscope")).status_code == 404
    for name in (await shop.admin.get("/reports"))["items"]:
        assert (await shop.http.get(f"/api/v1/reports/{name}")).status_code == 401
        assert (await shop.caller(5, Role.MANAGER).get(f"/reports/{name}"))["report"] == name
