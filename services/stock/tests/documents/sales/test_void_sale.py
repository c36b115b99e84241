"""Voids: a sale is voided entirely and once, unless it has returns."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


async def test_void_restocks_and_refunds_everything(shop: Shop) -> None:
    tea, cup = await shop.product(10, cost_price="2"), await shop.product(5)
    lines = [{"product_id": tea, "quantity": 4}, {"product_id": cup, "quantity": 5}]
    sale = await shop.admin.post("/sales", {"lines": lines})
    voided = await shop.admin.post(f"/sales/{sale['id']}/void", {"reason": "wrong till"})
    assert (voided["status"], voided["version"], voided["refunded"]) == ("voided", 2, sale["total"])
    assert (await shop.on_hand(tea), await shop.on_hand(cup)) == (10, 5)
    ledger = await shop.admin.get("/stock-movements", document=f"sale/{sale['id']}", sort_by="recorded_asc")
    sold = [line["movement_id"] for line in sale["lines"]]
    assert [line["reverses_id"] for line in ledger["items"]] == [None, None, *sold]
    assert await shop.admin.get(f"/sales/{sale['id']}") == voided
    [event] = await shop.wait_for_events(1, "stock.sale.voided")
    assert (event["id"], event["reason"]) == (sale["id"], "wrong till")
    problem = await shop.admin.expect_problem(409, f"/sales/{sale['id']}/void")
    assert (problem["code"], problem["state"]) == ("invalid_state", "voided")
    await shop.admin.expect_problem(409, f"/sales/{sale['id']}/returns", {})
    await shop.require_integrity()


async def test_void_is_reported_on_its_own_day(shop: Shop) -> None:
    """The period of the sale does not change; a period with sale and void is as without both."""
    tea = await shop.product(10, unit_price="5", cost_price="2")
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 4, "occurred_at": "2026-08-15T12:00:00Z"})
    august = {"from": "2026-08-01", "to": "2026-09-01"}
    names = ("sales", "profit", "turnover")

    async def figures(**period: str) -> list[Any]:
        return [(await shop.admin.get(f"/reports/{name}", **period))["rows"] for name in names]

    before, now = await figures(**august), await figures()
    voided = await shop.admin.post(f"/sales/{sale['id']}/void")
    assert await figures(**august) == before
    day = next(row for row in (await shop.admin.get("/reports/sales"))["rows"] if row["voided"])
    assert (day["sales"], day["sold"], day["revenue"], day["cost"], day["profit"]) == (
        0, -4, "-20.00", "-8.00", "-12.00",
    )  # fmt: skip
    assert await figures() != now
    assert voided["voided_at"] > voided["occurred_at"]
    product = await shop.admin.get("/reports/sales", group_by="product")
    assert [(row["sales"], row["voided"]) for row in product["rows"]] == [(0, 1)]
    whole = await shop.admin.get("/reports/sales", group_by="product", **{"from": "2026-08-01"})
    assert whole["rows"] == []
    today = (await shop.admin.get("/dashboard/stats"))["sales_today"]
    assert today == {"count": 0, "revenue": "-20.00"}


async def test_voided_sale_leaves_no_trace_over_a_period_with_both(shop: Shop) -> None:
    """All reports that are not by day are as without the sale; only the movements show it and its reversal."""
    tea = await shop.product(sku="TEA", unit_price="5")
    at = (datetime.now(UTC) - timedelta(days=100)).isoformat()
    body = {"product_id": tea, "movement_type": "purchase", "quantity": 20, "unit_cost": "2", "occurred_at": at}
    await shop.admin.post("/stock-movements", body)
    groupings = ("product", "category", "customer", "seller", "warehouse")
    names = ("turnover", "stock-aging", "dead-stock", "inventory-valuation")

    async def figures() -> list[Any]:
        reports = [await shop.admin.get("/reports/sales", group_by=grouping) for grouping in groupings]
        reports += [await shop.admin.get(f"/reports/{name}") for name in names]
        reports.append(await shop.admin.get("/reports/inventory-valuation", method="fifo"))
        dashboard = await shop.admin.get("/dashboard/stats")
        forecast = await shop.admin.get(f"/forecasts/{tea}")
        suggestions = await shop.admin.get("/reorder-suggestions")
        for name in ("recent_movements", "sales_today", "sales_by_day"):
            dashboard.pop(name)
        return [report["rows"] for report in reports] + [dashboard, forecast, suggestions]

    before = await figures()
    assert before[7] != []
    sold_at = (datetime.now(UTC) - timedelta(days=3)).isoformat()
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 19, "occurred_at": sold_at})
    during = await figures()
    assert [n for n, (one, other) in enumerate(zip(before, during, strict=True)) if one == other] == []
    await shop.admin.post(f"/sales/{sale['id']}/void")
    assert await figures() == before


async def test_void_after_a_return_is_refused(shop: Shop) -> None:
    tea = await shop.product(10)
    sale = await shop.admin.post("/sales", {"product": tea, "quantity": 4})
    await shop.admin.post(f"/sales/{sale['id']}/returns", {"lines": [{"product_id": tea, "quantity": 1}]})
    problem = await shop.admin.expect_problem(409, f"/sales/{sale['id']}/void")
    assert problem["state"] == "partially_returned"
    await shop.admin.expect_problem(404, "/sales/999/void")


async def test_concurrent_void_and_return_accept_only_one(shop: Shop) -> None:
    tea = await shop.product(10)
    for _ in range(5):
        sale = await shop.admin.post("/sales", {"product": tea, "quantity": 4})
        responses = await asyncio.gather(
            shop.admin.call("POST", f"/sales/{sale['id']}/void"),
            shop.admin.call("POST", f"/sales/{sale['id']}/returns", json={}),
        )
        assert sorted(response.status_code for response in responses) in ([200, 409], [201, 409])
        assert await shop.on_hand(tea) == 10
