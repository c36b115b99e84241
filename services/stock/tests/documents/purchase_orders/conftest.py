"""Suppliers, and purchase orders to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest

from stockbuddy.contracts.catalog import SupplierCreated

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop

Order = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
async def supplier(shop: Shop) -> int:
    """The id of a supplier with a lead time of five days."""
    await shop.deliver(SupplierCreated(supplier_id=7, version=1, name="Leaf & Co", lead_time_days=5))
    return 7


@pytest.fixture
def order(shop: Shop, supplier: int) -> Order:
    """Creates an order of `(product, quantity, unit cost)` and places it."""

    async def place(*lines: tuple[int, float, str], **values: Any) -> dict[str, Any]:
        wanted = [{"product_id": p, "quantity": quantity, "unit_cost": cost} for p, quantity, cost in lines]
        draft = await shop.admin.post("/purchase-orders", {"supplier_id": supplier, "lines": wanted, **values})
        placed: dict[str, Any] = await shop.admin.post(f"/purchase-orders/{draft['id']}/order")
        return placed

    return place
