"""Sales, turnover and refunds are counted once, when they have committed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import REGISTRY

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


def totals() -> list[float]:
    """Of all tests of this process so far."""
    names = ("stockbuddy_sales_total", "stockbuddy_sales_turnover_total", "stockbuddy_sales_refunds_total")
    return [REGISTRY.get_sample_value(name) or 0 for name in names]


async def test_sales_and_refunds_are_counted_when_they_commit(shop: Shop) -> None:
    tea = await shop.product(10, unit_price="4.50")
    before = totals()

    def counted() -> list[float]:
        return [round(now - then, 2) for now, then in zip(totals(), before, strict=True)]

    sale = {"product": tea, "quantity": 4}
    made = await shop.admin.post("/sales", sale, key="sale-1")
    assert counted() == [1, 18.0, 0]
    assert await shop.admin.post("/sales", sale, key="sale-1") == made
    await shop.admin.expect_problem(409, "/sales", {"product": tea, "quantity": 40})
    assert counted() == [1, 18.0, 0], "neither a repeated nor a refused sale counts"

    await shop.admin.post(f"/sales/{made['id']}/returns", {"lines": [{"product_id": tea, "quantity": 1}]})
    other = await shop.admin.post("/sales", {"product": tea, "quantity": 2})
    await shop.admin.post(f"/sales/{other['id']}/void")
    assert counted() == [2, 27.0, 13.5]
