"""GET /forecasts/{product_id}: demand from the ledger, by day and warehouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


def noon(days_ago: int) -> str:
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return (today - timedelta(days=days_ago)).isoformat()


async def move(shop: Shop, product_id: int, kind: str, quantity: float, days_ago: int, **more: Any) -> int:
    body = {"product_id": product_id, "movement_type": kind, "quantity": quantity, "occurred_at": noon(days_ago)}
    posted = await shop.admin.post("/stock-movements", body | more)
    movement_id: int = posted["id"]
    return movement_id


async def forecast(shop: Shop, product_id: int, **parameters: Any) -> dict[str, Any]:
    answer: dict[str, Any] = await shop.caller(5).get(f"/forecasts/{product_id}", **parameters)
    return answer


async def test_demand_counts_sales_and_issues_unless_reversed(shop: Shop) -> None:
    tea = await shop.product(sku="TEA")
    await move(shop, tea, "in", 1000, 10)
    for days_ago in range(1, 11):
        await move(shop, tea, "out" if days_ago % 2 else "sale", 4, days_ago)
    await move(shop, tea, "damaged", 100, 3)
    wrong = await move(shop, tea, "out", 300, 3)
    await shop.admin.post(f"/stock-movements/{wrong}/reverse")
    response = await forecast(shop, tea)
    since = (datetime.now(UTC) - timedelta(days=10)).date().isoformat()
    assert response["history"] == {
        "since": since,
        "days": 10,
        "days_with_demand": 10,
        "days_without_stock": 0,
        "days_with_promotion": 0,
        "units": 40,
    }
    assert (response["method"], response["sku"], response["demand_per_day"]) == ("tsb", "TEA", 4)
    assert response["interval"] == {"level": 0.8, "low": 4, "high": 4}
    assert len(response["days"]) == 14
    assert response["days"][0]["date"] == datetime.now(UTC).date().isoformat()
    assert (response["total"], response["total_interval"]["low"]) == (56, 56)


async def test_forecast_of_rare_sales_is_spread_over_days(shop: Shop) -> None:
    tea = await shop.product()
    await move(shop, tea, "in", 1000, 60)
    for days_ago in range(5, 61, 5):
        await move(shop, tea, "out", 10, days_ago)
    response = await forecast(shop, tea, horizon_days=30)
    assert response["history"]["days_with_demand"] == 12
    assert 1 < response["demand_per_day"] < 3
    assert response["interval"]["low"] == 0
    assert response["total_interval"]["low"] < response["total"] < response["total_interval"]["high"]
    assert sum(day["expected"] for day in response["days"]) == pytest.approx(response["total"], abs=0.05)


async def test_forecast_with_warehouse_and_history_days_uses_only_these(shop: Shop) -> None:
    north = await shop.warehouse("NORTH")
    tea = await shop.product()
    await move(shop, tea, "in", 1000, 30)
    await move(shop, tea, "in", 1000, 30, warehouse_id=north)
    for days_ago in range(1, 31):
        await move(shop, tea, "out", 1, days_ago)
        await move(shop, tea, "out", 2, days_ago, warehouse_id=north)
    assert (await forecast(shop, tea))["demand_per_day"] == 3
    there = await forecast(shop, tea, warehouse_id=north, history_days=10)
    assert (there["demand_per_day"], there["history"]["days"], there["warehouse_id"]) == (2, 10, north)


async def test_forecast_of_new_product_succeeds(shop: Shop) -> None:
    fresh, unstocked = await shop.product(50), await shop.product()
    await shop.admin.post("/sales", {"product": fresh, "quantity": 5})
    response = await forecast(shop, fresh)
    assert (response["history"]["days"], response["demand_per_day"]) == (1, 5)
    assert (await forecast(shop, unstocked))["demand_per_day"] == 0


async def test_days_without_stock_do_not_lower_forecast(shop: Shop) -> None:
    """Two shops sell four a day; one of them has been out of stock for the last twelve days."""
    supplied, sold_out = await shop.product(), await shop.product()
    await move(shop, supplied, "in", 1000, 60)
    await move(shop, sold_out, "in", 192, 60)
    for days_ago in range(1, 61):
        await move(shop, supplied, "out", 4, days_ago)
        if days_ago > 12:
            await move(shop, sold_out, "out", 4, days_ago)
    response = await forecast(shop, sold_out)
    assert response["history"]["days_without_stock"] == 13
    assert response["demand_per_day"] == (await forecast(shop, supplied))["demand_per_day"] == 4
    [stock] = [reason for reason in response["explanation"] if reason["code"] == "days_without_stock"]
    assert stock["values"] == {"days": "13"}
    assert stock["text"].startswith("13 days on which the stock was used up")


async def test_stock_of_another_warehouse_is_stock(shop: Shop) -> None:
    """The default warehouse is empty for twelve days; another one has stock, but no movement in these weeks."""
    north = await shop.warehouse("NORTH")
    tea = await shop.product()
    await move(shop, tea, "in", 50, 300, warehouse_id=north)
    await move(shop, tea, "in", 192, 60)
    for days_ago in range(13, 61):
        await move(shop, tea, "out", 4, days_ago)
    everywhere = await forecast(shop, tea, history_days=90)
    assert (everywhere["history"]["days_without_stock"], everywhere["history"]["days"]) == (0, 90)
    assert everywhere["demand_per_day"] < 4
    main = (await shop.level(tea))["warehouse_id"]
    there = await forecast(shop, tea, history_days=90, warehouse_id=main)
    assert (there["history"]["days_without_stock"], there["demand_per_day"]) == (13, 4)


async def test_sales_at_reduced_prices_do_not_raise_forecast(shop: Shop) -> None:
    tea = await shop.product(unit_price="10")
    await move(shop, tea, "in", 5000, 60)
    for days_ago in range(60, 0, -1):
        is_promoted = days_ago <= 10
        line = {"product_id": tea, "quantity": 20 if is_promoted else 5}
        price = {"unit_price": "7.50"} if is_promoted else {}
        await shop.admin.post("/sales", {"lines": [line | price], "occurred_at": noon(days_ago)})
    response = await forecast(shop, tea)
    assert (response["history"]["days_with_promotion"], response["demand_per_day"]) == (10, 5)
    assert "days_with_promotion" in [reason["code"] for reason in response["explanation"]]


async def test_forecast_of_saturdays_expects_them(shop: Shop) -> None:
    """30 on Saturdays, 5 on other days, for ten weeks."""
    tea = await shop.product()
    today = datetime.now(UTC).date()
    days = {days_ago: today - timedelta(days=days_ago) for days_ago in range(1, 71)}
    sold = [
        {
            "product_id": tea,
            "movement_type": "sale",
            "quantity": 30 if day.weekday() == 5 else 5,
            "occurred_at": noon(days_ago),
        }
        for days_ago, day in days.items()
    ]
    opening = {"product_id": tea, "movement_type": "in", "quantity": 5000, "occurred_at": noon(70)}
    await shop.admin.post("/stock-movements/batch", {"movements": [opening, *sold]})
    response = await forecast(shop, tea, horizon_days=14)
    expected = {day["date"]: day["expected"] for day in response["days"]}
    assert [
        expected[(today + timedelta(days=ahead)).isoformat()] for ahead in range(14)
    ] == [30 if (today + timedelta(days=ahead)).weekday() == 5 else 5 for ahead in range(14)]  # fmt: skip
    assert (response["total"], response["total_interval"]["low"], response["total_interval"]["high"]) == (120, 120, 120)
    codes = [reason["code"] for reason in response["explanation"]]
    assert codes[0] == f"method_{response['method']}"
    assert "compared" in codes


async def test_short_history_is_explained(shop: Shop) -> None:
    tea, unsold = await shop.product(), await shop.product(50)
    await move(shop, tea, "in", 100, 9)
    for days_ago in range(1, 10):
        await move(shop, tea, "out", 3, days_ago)
    response = await forecast(shop, tea)
    assert (response["method"], response["demand_per_day"]) == ("tsb", 3)
    short = response["explanation"][1]
    assert (short["code"], short["values"]) == ("short_history", {"days": "9", "needed": "35"})
    nothing = await forecast(shop, unsold)
    assert [reason["code"] for reason in nothing["explanation"]] == ["no_demand"]
    assert (nothing["total"], nothing["total_interval"]["high"]) == (0, 0)


async def test_forecast_with_invalid_parameters_is_rejected(shop: Shop) -> None:
    tea = await shop.product()
    assert (await shop.admin.expect_problem(404, "/forecasts/999", method="GET"))["code"] == "unknown_product"
    assert (await shop.admin.expect_problem(404, f"/forecasts/{tea}?warehouse_id=999", method="GET"))[
        "code"
    ] == "unknown_warehouse"
    for query in ("horizon_days=0", "horizon_days=91", "history_days=1", "tz=Moon"):
        await shop.admin.expect_problem(422, f"/forecasts/{tea}?{query}", method="GET")
