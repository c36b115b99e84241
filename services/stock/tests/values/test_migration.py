"""Migration 0060 values a ledger that the previous release wrote, by replaying it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import asyncpg

from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.revisions import migrate_to
from stockbuddy.stock.app import MIGRATIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from services.stock.tests.conftest import Shop
    from stockbuddy.chassis.testing.templates import TemplateDatabases

PREVIOUS = "0059"
# Warehouse, type, quantity, unit cost, average cost afterwards (rounded, as it was stored), document, reversed one.
MOVEMENTS: list[tuple[int, str, str, str | None, str | None, str | None, int | None]] = [
    (1, "purchase", "10", "3", "3", "purchase_order/1", None),
    (1, "purchase", "5", "3.3334", "3.1111", "purchase_order/1", None),
    (1, "sale", "-3", "3.1111", "3.1111", "sale/1", None),
    (1, "transfer_out", "-4", "3.1111", "3.1111", "stock_transfer/1", None),
    (2, "transfer_in", "3", "3.1111", "3.1111", "stock_transfer/1", None),
    (2, "damaged", "-1", "3.1111", "3.1111", "stock_transfer/1", None),
    (1, "return", "1", "3.1111", "3.1111", "sale_return/1", None),
    (1, "out", "-1", "5", "3.1111", None, None),
    (1, "in", "10", "9", "5.9939", None, None),
    (1, "adjustment", "-10", "9", "2.9012", None, 9),
    (1, "sale", "-2", "2.9012", "2.9012", "sale/2", None),
    (1, "return", "2", "2.9012", "2.9012", "sale/2", 11),
    (1, "out", "-9", "2.9012", "2.9012", None, None),
    (1, "purchase", "4", "6", "6", None, None),
]
DOCUMENTS = """
    INSERT INTO product (id, version, sku, name, owner_id, unit_price, deleted, created_at)
        VALUES (1, 1, 'TEA', 'Tea', 1, 10, false, now());
    INSERT INTO warehouse (id, code, name, kind, is_default, negative_stock)
        VALUES (1, 'MAIN', 'Main', 'warehouse', true, 'allow'), (2, 'SHOP', 'Shop', 'store', false, NULL);
    SELECT setval('warehouse_id_seq', 2), setval('movement_id_seq', 100), setval('sale_id_seq', 10);
    INSERT INTO level (product_id, warehouse_id) VALUES (1, 1), (1, 2);
"""
SALES = """
    INSERT INTO sale (id, version, number, status, warehouse_id, discount, total, refunded, cost, profit, occurred_at,
                      recorded_at)
        VALUES (1, 2, 'S-1', 'partially_returned', 1, 0, 30, 10, 9.3333, 20.6667, '2026-01-01T03:00Z', now()),
               (2, 2, 'S-2', 'voided', 1, 0, 20, 20, 5.8024, 14.1976, '2026-01-01T11:00Z', now());
    INSERT INTO sale_line (id, sale_id, position, product_id, sku, name, quantity, unit_price, discount, total,
                           unit_cost, returned, refunded, movement_id)
        VALUES (1, 1, 0, 1, 'TEA', 'Tea', 3, 10, 0, 30, 3.1111, 1, 10, 3),
               (2, 2, 0, 1, 'TEA', 'Tea', 2, 10, 0, 20, 2.9012, 2, 20, 11);
    INSERT INTO sale_return (id, sale_id, restock, total, occurred_at, recorded_at)
        VALUES (1, 1, true, 10, '2026-01-01T07:00Z', now());
    INSERT INTO sale_return_line (id, return_id, sale_line_id, quantity, amount, movement_id)
        VALUES (1, 1, 1, 1, 10, 7);
    INSERT INTO stock_transfer (id, version, number, status, from_warehouse_id, to_warehouse_id, created_at, shipped_at)
        VALUES (1, 3, 'T-1', 'in_transit', 1, 2, now(), now());
    INSERT INTO stock_transfer_line (id, transfer_id, position, product_id, sku, name, lot, quantity, shipped, received,
                                     damaged, returned, written_off, unit_cost)
        VALUES (1, 1, 0, 1, 'TEA', 'Tea', 0, 4, 4, 2, 1, 0, 0, 3.1111)
"""


async def fill(url: str) -> None:
    """The ledger as the previous release wrote it."""
    database = await asyncpg.connect(url, server_settings={"search_path": "stock"})
    await database.execute(DOCUMENTS)
    balances = {1: Decimal(0), 2: Decimal(0)}
    versions = {1: 0, 2: 0}
    for number, (warehouse, kind, text, cost, average, document, reverses) in enumerate(MOVEMENTS, start=1):
        before, quantity = balances[warehouse], Decimal(text)
        balances[warehouse] += quantity
        versions[warehouse] += 2  # A reservation in between.
        columns: dict[str, Any] = {
            "id": number,
            "product_id": 1,
            "warehouse_id": warehouse,
            "lot": 0,
            "version": versions[warehouse],
            "movement_type": kind,
            "quantity": quantity,
            "before": before,
            "balance": before + quantity,
            "unit_cost": None if cost is None else Decimal(cost),
            "average_cost": None if average is None else Decimal(average),
            "went_negative": quantity < 0 and before + quantity < 0,
            "document": document,
            "reverses_id": reverses,
        }
        parameters = ", ".join(f"${n}" for n in range(1, len(columns) + 1))
        await database.execute(
            f"INSERT INTO movement ({', '.join(columns)}, occurred_at, recorded_at) VALUES ({parameters}, "
            f"timestamptz '2026-01-01Z' + interval '{number} hours', timestamptz '2026-01-01Z')",
            *columns.values(),
        )
        update = """
            UPDATE level SET on_hand = $1, version = $2, average_cost = $3, overdrawn = CAST($1 AS numeric) < 0
            WHERE warehouse_id = $4
        """
        await database.execute(update, balances[warehouse], versions[warehouse], columns["average_cost"], warehouse)
    await database.execute(SALES)
    await database.close()


async def test_existing_ledger_is_valued_exactly(
    databases: TemplateDatabases, run_shop: Callable[[str], AbstractAsyncContextManager[Shop]]
) -> None:
    async with databases.clone([]) as url:
        await migrate_to(PREVIOUS, url, "stock", MIGRATIONS)
        await fill(url)
        await migrate(url, "stock", MIGRATIONS)
        async with run_shop(url) as shop:
            await require_values(shop)


async def require_values(shop: Shop) -> None:
    await shop.require_integrity()
    page = await shop.admin.get("/stock-movements", sort_by="recorded_asc", page_size=100)
    values = [Decimal(movement["value"]) for movement in page["items"]]
    average = Decimal("46.667") / 15
    sold, shipped = -values[2], -values[3]
    assert abs(sold - 3 * average) < Decimal("1E-9")
    assert abs(values[4] - shipped * 3 / 4) < Decimal("1E-9")
    # A third of the sale came back, and all of the voided one; the stated costs left as they were.
    assert abs(values[6] - sold / 3) < Decimal("1E-9")
    assert values[7:10] == [Decimal(-5), Decimal(90), Decimal(-90)]
    assert values[11] == -values[10]
    # Nine units were taken from eight: the last receipt covers the missing one at its own cost.
    level = await shop.level(1)
    assert (level["on_hand"], level["value"], level["average_cost"]) == (3, "18.00", "6.00")
    [line] = (await shop.admin.get("/stock-transfers/1"))["lines"]
    assert Decimal(line["value_in_transit"]) == shipped - values[4]
    sale, voided = await shop.admin.get("/sales/1"), await shop.admin.get("/sales/2")
    assert Decimal(sale["lines"][0]["cost"]) == sold
    assert (sale["cost"], sale["profit"]) == ("6.2223", "13.7777")
    assert (voided["profit"], voided["voided_at"]) == ("0.00", "2026-01-01T00:00:00Z")
    # The ledger goes on from there.
    await shop.admin.post("/stock-transfers/1/complete")
    await shop.admin.post("/sales/1/returns", {})
    assert (await shop.admin.get("/sales/1"))["profit"] == "0.00"
    await shop.require_integrity()
