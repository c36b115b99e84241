"""GET /dashboard/stats."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from stockbuddy.chassis.access.roles import Role
from stockbuddy.contracts.catalog import ProductDeleted, SupplierCreated

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def stats(shop: Shop, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await shop.caller(5, Role.MANAGER).get("/dashboard/stats", **parameters)
    return answer


async def test_dashboard_without_data_is_zero(shop: Shop) -> None:
    empty = await stats(shop)
    days = [day["date"] for day in empty.pop("sales_by_day")]
    assert len(days) == 30
    assert days == sorted(days)
    assert empty.pop("timezone") == "UTC"
    empty.pop("currency")
    assert empty == {
        "total_products": 0,
        "total_units": 0,
        "inventory_value": "0.00",
        "units_in_transit": 0,
        "value_in_transit": "0.00",
        "low_stock_count": 0,
        "out_of_stock_count": 0,
        "sales_today": {"count": 0, "revenue": "0.00"},
        "top_products": [],
        "recent_movements": [],
        "pending_transfers": 0,
        "open_purchase_orders": 0,
    }


async def test_inventory_totals_sum_warehouses_at_average_cost(shop: Shop) -> None:
    north = await shop.warehouse("NORTH")
    tea = await shop.product(10, cost_price="1.25", low_stock_threshold=12)
    await shop.product(2.5, cost_price="4", low_stock_threshold=3)
    await shop.product(low_stock_threshold=0)
    gone = await shop.product(100, cost_price="7")
    body = {"product_id": tea, "warehouse_id": north, "movement_type": "purchase", "quantity": 3, "unit_cost": "2.3333"}
    await shop.admin.post("/stock-movements", body)
    event = ProductDeleted(
        product_id=gone,
        version=2,
        sku=f"SKU-{gone}",
        name="gone",
        unit_price="1",
        is_active=False,
        deleted=True,
        created_at=datetime.now(UTC),
        updated_at=datetime.now(UTC),
    )
    await shop.deliver(event)
    now = await stats(shop)
    assert (now["total_products"], now["total_units"], now["inventory_value"]) == (3, 15.5, "29.4999")
    assert (now["low_stock_count"], now["out_of_stock_count"]) == (2, 1)


async def test_daily_sales_follow_sales_and_returns_in_time_zone(shop: Shop) -> None:
    tea, cup = await shop.product(50, unit_price="4.50"), await shop.product(50, unit_price="2.00")
    zone = ZoneInfo("Pacific/Kiritimati")
    midnight = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    yesterday = (midnight - timedelta(minutes=1)).astimezone(UTC).isoformat()
    sold = await shop.admin.post("/sales", {"product": tea, "quantity": 3, "occurred_at": yesterday})
    await shop.admin.post("/sales", {"product": cup, "quantity": 4})
    await shop.admin.post(f"/sales/{sold['id']}/returns", {"lines": [{"product_id": tea, "quantity": 1}]})
    there = await stats(shop, tz="Pacific/Kiritimati")
    assert there["timezone"] == "Pacific/Kiritimati"
    assert there["sales_today"] == {"count": 1, "revenue": "3.50"}
    assert there["sales_by_day"][-1] == {"date": midnight.date().isoformat(), "count": 1, "revenue": "3.50"}
    assert there["sales_by_day"][-2]["revenue"] == "13.50"
    assert [(top["product_id"], top["quantity"], top["revenue"]) for top in there["top_products"]] == [
        (tea, 2, "9.00"),
        (cup, 4, "8.00"),
    ]


async def test_dashboard_excludes_sales_older_than_thirty_days(shop: Shop) -> None:
    tea = await shop.product(50, unit_price="4.50")
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = today - timedelta(days=29)
    for moment in (first - timedelta(seconds=1), first):
        await shop.admin.post("/sales", {"product": tea, "quantity": 1, "occurred_at": moment.isoformat()})
    now = await stats(shop)
    assert [day["count"] for day in now["sales_by_day"]] == [1] + [0] * 29
    assert now["top_products"][0]["quantity"] == 1


async def test_dashboard_contains_recent_movements_and_open_orders(shop: Shop) -> None:
    tea = await shop.product(50)
    for number in range(12):
        body = {"product_id": tea, "movement_type": "out", "quantity": 1, "notes": str(number)}
        await shop.admin.post("/stock-movements", body)
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf"))
    order = {"supplier_id": 7, "lines": [{"product_id": tea, "quantity": 2, "unit_cost": 1}]}
    drafts = [await shop.admin.post("/purchase-orders", order) for _ in range(3)]
    for draft in drafts[:2]:
        await shop.admin.post(f"/purchase-orders/{draft['id']}/order")
    await shop.admin.post(f"/purchase-orders/{drafts[0]['id']}/receive")
    now = await stats(shop)
    assert now["open_purchase_orders"] == 1
    latest = (await shop.admin.get("/stock-movements", page_size=10))["items"]
    assert now["recent_movements"] == latest
    assert latest[0]["movement_type"] == "purchase"


async def test_unknown_time_zone_is_rejected(shop: Shop) -> None:
    for tz in ("Nowhere/Land", "../etc/passwd", "/etc/passwd", ""):
        answer = await shop.admin.call("GET", "/dashboard/stats", params={"tz": tz})
        assert answer.status_code == 422, tz
    assert (await shop.http.get("/api/v1/dashboard/stats")).status_code == 401
