"""`from` and `to` take moments, or days in the company's time zone, on every list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from stockbuddy.contracts.auth import SettingsChanged

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop

BERLIN = SettingsChanged.model_validate(
    {
        "version": 1,
        "company_name": "Tea & Co",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "registration_open": True,
        "default_low_stock_threshold": 10,
        "alert_emails": [],
        "negative_stock": "reject",
    }
)
FIRST, LAST = "2024-06-29T22:00:00Z", "2024-06-30T21:59:59.999999Z"
"""Of 30 June 2024 in Berlin."""
LISTS = ("/sales", "/stock-movements", "/stock-transfers", "/purchase-orders", "/expenses")


async def counted(shop: Shop, path: str, **chosen: Any) -> int:
    total: int = (await shop.admin.get(path, **chosen))["total"]
    return total


@pytest.mark.parametrize("path", ["/sales", "/stock-movements"])
async def test_day_is_that_of_the_company(shared_shop: Shop, path: str) -> None:
    await shared_shop.deliver(BERLIN)
    tea = await shared_shop.product(10)
    for moment in (FIRST, LAST):
        await shared_shop.admin.post("/sales", {"product": tea, "quantity": 1, "occurred_at": moment})
    chosen = {"product_id": tea}
    assert await counted(shared_shop, path, **chosen, **{"from": "2024-06-30", "to": "2024-07-01"}) == 2
    assert await counted(shared_shop, path, **chosen, **{"from": "2024-06-29", "to": "2024-06-30"}) == 0
    assert await counted(shared_shop, path, **chosen, **{"from": "2024-06-30", "to": LAST}) == 1
    assert await counted(shared_shop, path, **chosen, **{"from": LAST, "to": "2024-07-01"}) == 1


async def test_level_of_a_day_is_that_at_its_end(shared_shop: Shop) -> None:
    await shared_shop.deliver(BERLIN)
    tea = await shared_shop.product(sku="LEVELS")
    body = {"product_id": tea, "movement_type": "in", "quantity": 1, "occurred_at": LAST}
    await shared_shop.admin.post("/stock-movements", body)
    assert await counted(shared_shop, "/stock-levels", product_id=tea, as_of="2024-06-29") == 0
    assert await counted(shared_shop, "/stock-levels", product_id=tea, as_of="2024-06-30") == 1


async def test_expense_is_selected_by_days_and_moments(shared_shop: Shop) -> None:
    await shared_shop.deliver(BERLIN)
    body = {"category": "rent of June", "amount": "1", "incurred_on": "2024-06-30"}
    await shared_shop.admin.post("/expenses", body)
    for since, until, total in (
        ("2024-06-30", "2024-07-01", 1),
        ("2024-06-29", "2024-06-30", 0),
        (FIRST, LAST, 1),
        (LAST, "2024-07-02", 0),
        ("2024-06-29T21:59:59Z", FIRST, 0),
    ):
        chosen = {"category": "rent of June", "from": since, "to": until}
        assert await counted(shared_shop, "/expenses", **chosen) == total, chosen


@pytest.mark.parametrize("path", LISTS)
async def test_other_notation_of_a_day_is_rejected(shared_shop: Shop, path: str) -> None:
    assert await counted(shared_shop, path, **{"from": "2024-06-30", "to": "2024-07-01T00:00:00+02:00"}) >= 0
    for wrong in ("2024-06-31", "20240630", "2024-W26-7", "30.06.2024", "2024-06-30T00:00:00", "1719700000", "x"):
        response = await shared_shop.admin.call("GET", path, params={"from": wrong})
        assert (response.status_code, response.json()["errors"][0]["field"]) == (422, "from"), wrong
