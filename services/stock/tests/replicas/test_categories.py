"""Replica of catalog's categories: names of products' categories, and filters by category."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from stockbuddy.contracts.catalog import (
    CategoryCreated,
    CategoryDeleted,
    CategoryRepublished,
    CategoryUpdated,
    ProductUpdated,
)

if TYPE_CHECKING:
    from services.stock.tests.conftest import ProductEvent, Shop

REPORTS: dict[str, dict[str, Any]] = {
    "inventory-valuation": {},
    "stock-aging": {},
    "sales": {"group_by": "product", "from": "2026-03-01"},
    "turnover": {"from": "2026-03-01"},
    "movements": {"group_by": "none", "from": "2026-03-01"},
    "dead-stock": {"days": 1},
}


async def found_with(shop: Shop, category: str) -> dict[str, list[str]]:
    """The SKUs that each list and report finds with this filter."""
    found = {"levels": [level["sku"] for level in (await shop.admin.get("/stock-levels", category=category))["items"]]}
    past = await shop.admin.get("/stock-levels", category=category, as_of="2026-03-02")
    found["past levels"] = [level["sku"] for level in past["items"]]
    for name, parameters in REPORTS.items():
        for method in ("average", "fifo") if name == "inventory-valuation" else (None,):
            chosen = parameters | ({"method": method} if method else {})
            rows = (await shop.admin.get(f"/reports/{name}", category=category, **chosen))["rows"]
            found[f"{name} {method or ''}"] = sorted({row["sku"] for row in rows})
    count = await shop.admin.post("/stock-counts", {"category": category})
    found["count"] = [line["sku"] for line in count["lines"]]
    return found


async def test_filters_include_the_categories_below(shop: Shop, product_created: ProductEvent) -> None:
    """Drinks contain tea, which contains green tea, which an earlier release replicated without its parent."""
    names = {1: "Drinks", 2: "Tea", 3: "Green tea", 4: "China"}
    await shop.deliver(
        CategoryUpdated(category_id=3, version=7, name="Green tea"),
        *(product_created(n, category_id=n, category=name, opening_quantity=3) for n, name in names.items()),
    )
    for number in names:
        body = {"product_id": number, "movement_type": "out", "quantity": 1, "occurred_at": "2026-03-01T12:00:00Z"}
        await shop.admin.post("/stock-movements", body | {"movement_type": "in", "unit_cost": "2"})
        sold = {"lines": [{"product_id": number, "quantity": 1}], "occurred_at": "2026-03-01T13:00:00Z"}
        sale = await shop.admin.post("/sales", sold)
        # A product with a return is replayed for its cost layers.
        await shop.admin.post(f"/sales/{sale['id']}/returns", {})
    await shop.deliver(
        CategoryCreated(category_id=2, version=1, name="Tea", parent_id=1),
        CategoryRepublished(category_id=3, version=7, name="Green tea", parent_id=2),
    )
    for category, skus in (
        ("drinks", ["SKU-1", "SKU-2", "SKU-3"]),
        ("tea", ["SKU-2", "SKU-3"]),
        ("green TEA", ["SKU-3"]),
        ("china", ["SKU-4"]),
        ("Tea pots", []),
    ):
        found = await found_with(shop, category)
        assert found == dict.fromkeys(found, skus)
    # A category that moves takes those below it along; a deleted one still contains its products of the past.
    await shop.deliver(
        CategoryUpdated(category_id=2, version=2, name="Tea", parent_id=4),
        CategoryDeleted(category_id=3, version=8, name="Green tea", parent_id=2, deleted=True),
    )
    assert (await found_with(shop, "drinks"))["levels"] == ["SKU-1"]
    assert (await found_with(shop, "china"))["levels"] == ["SKU-2", "SKU-3", "SKU-4"]


async def test_products_have_current_name_of_their_category(shop: Shop, product_created: ProductEvent) -> None:
    """In any order of a renaming, a product event with the former name, and an older renaming."""

    async def shown(category: str) -> list[str]:
        return [level["sku"] for level in (await shop.admin.get("/stock-levels", category=category))["items"]]

    def named(version: int, name: str) -> CategoryUpdated:
        return CategoryUpdated(category_id=3, version=version, name=name)

    drinks = {"category_id": 3, "category": "Drinks", "opening_quantity": 1}
    await shop.deliver(
        product_created(1, **drinks), product_created(2, category_id=4, category="China", opening_quantity=1)
    )
    await shop.deliver(named(3, "Beverages"))
    await shop.deliver(named(2, "Things to drink"), product_created(5, **drinks))
    assert (await shown("beverages"), await shown("drinks"), await shown("china")) == (
        ["SKU-1", "SKU-5"],
        [],
        ["SKU-2"],
    )
    created = product_created(2, category_id=3, category="Drinks")
    await shop.deliver(ProductUpdated.model_validate(created.model_dump() | {"version": 2}))
    assert await shown("beverages") == ["SKU-1", "SKU-2", "SKU-5"]


async def test_concurrent_rename_and_new_products_have_new_name(shop: Shop, product_created: ProductEvent) -> None:
    products = [product_created(n, category_id=3, category="Old", opening_quantity=1) for n in range(1, 31)]
    renamed = [CategoryUpdated(category_id=3, version=n, name=f"Name {n}") for n in range(2, 12)]
    await asyncio.gather(*(shop.deliver(event) for pair in zip(products[::3], renamed, strict=True) for event in pair))
    await shop.deliver(*products)
    found = await shop.admin.get("/stock-levels", category="name 11", page_size=100)
    assert found["total"] == 30
