"""Replica of the system settings: defaults that warehouses and products override."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockbuddy.contracts.auth import SettingsChanged

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


def settings(version: int, **values: Any) -> SettingsChanged:
    given = {
        "version": version,
        "company_name": "Tea & Co",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "registration_open": True,
        "default_low_stock_threshold": 10,
        "alert_emails": [],
        "negative_stock": "reject",
    }
    return SettingsChanged.model_validate(given | values)


async def test_negative_stock_setting_applies_unless_warehouse_overrides(shop: Shop) -> None:
    tea = await shop.product()
    strict = await shop.warehouse("STRICT", negative_stock="reject")
    await shop.deliver(settings(2, negative_stock="allow"), settings(1, negative_stock="reject"))
    sold = await shop.admin.post("/sales", {"product": tea, "quantity": 2})
    assert sold["status"] == "completed"
    assert await shop.on_hand(tea) == -2
    await shop.admin.expect_problem(409, "/sales", {"product": tea, "quantity": 2, "warehouse_id": strict})


async def test_default_threshold_setting_applies_to_product_without_threshold(shop: Shop) -> None:
    tea = await shop.product(50, low_stock_threshold=None)
    await shop.deliver(settings(1, default_low_stock_threshold=49))
    assert (await shop.level(tea))["low_stock_threshold"] == 49
    await shop.admin.post("/sales", {"product": tea, "quantity": 1})
    assert [event["threshold"] for event in await shop.wait_for_events(1, "stock.level.low")] == [49]
