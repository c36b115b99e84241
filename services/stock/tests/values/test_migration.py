"""Migration 0060 values a ledger that the previous release wrote, by replaying it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

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
    INSERT INTO stock_transfer (id, version, number, status, from_warehouse_id, to_warehouse_id, created_at)
        VALUES (1, 1, 'T-1', 'pending', 1, 2, now());
    INSERT INTO stock_transfer_line (id, transfer_id, position, product_id, sku, name, lot, quantity, shipped, received,
                                     damaged, returned, written_off)
        VALUES (1, 1, 0, 1, 'TEA', 'Tea', 0, 4, 0, 0, 0, 0, 0);
"""
SALES = """
    INSERT INTO sale (id, version, number, status, warehouse_id, discount, total, refunded, cost, profit, occurred_at,
                      recorded_at)
        VALUES (1, 1, 'S-1', 'completed', 1, 0, 30, 0, 9.3333, 20.6667, '2026-01-01T03:00Z', now()),
               (2, 1, 'S-2', 'completed', 1, 0, 20, 0, 5.8024, 14.1976, '2026-01-01T11:00Z', now());
    INSERT INTO sale_line (id, sale_id, position, product_id, sku, name, quantity, unit_price, discount, total,
                           unit_cost, returned, refunded, movement_id)
        VALUES (1, 1, 0, 1, 'TEA', 'Tea', 3, 10, 0, 30, 3.1111, 0, 0, 3),
               (2, 2, 0, 1, 'TEA', 'Tea', 2, 10, 0, 20, 2.9012, 0, 0, 11);
    INSERT INTO sale_return (id, sale_id, restock, total, occurred_at, recorded_at)
        VALUES (1, 1, true, 10, '2026-01-01T07:00Z', now());
    INSERT INTO sale_return_line (id, return_id, sale_line_id, quantity, amount, movement_id)
        VALUES (1, 1, 1, 1, 10, 7);
    UPDATE sale SET version = 2, status = 'partially_returned', refunded = 10 WHERE id = 1;
    UPDATE sale_line SET returned = 1, refunded = 10 WHERE id = 1;
    UPDATE sale SET version = 2, status = 'voided', refunded = 20 WHERE id = 2;
    UPDATE sale_line SET returned = 2, refunded = 20 WHERE id = 2
"""
TRANSFER_STEPS = {
    4: "UPDATE stock_transfer SET version = 2, status = 'in_transit', shipped_at = now();"
    "UPDATE stock_transfer_line SET shipped = 4, unit_cost = 3.1111",
    6: "UPDATE stock_transfer SET version = 3; UPDATE stock_transfer_line SET received = 2, damaged = 1",
}
"""After these movements."""
POST = """
    WITH updated_levels AS (
        UPDATE level SET on_hand = $5, version = $6, average_cost = $7, overdrawn = CAST($5 AS numeric) < 0
        WHERE (product_id, warehouse_id, lot) = ($1, $2, $3) RETURNING 1
    ), inserted_movements AS (
        INSERT INTO movement (product_id, warehouse_id, lot, id, balance, version, average_cost, movement_type,
                              quantity, before, unit_cost, went_negative, document, reverses_id, occurred_at,
                              recorded_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
                timestamptz '2026-01-01Z' + make_interval(hours => CAST($4::bigint AS integer)), '2026-01-01Z')
    )
    SELECT count(*) FROM updated_levels
"""
"""The previous release updates levels and inserts their movements in one statement."""


VALUES = ["30", "16.667", "-9.3333", "-12.4444", "9.3333", "-3.1111", "3.1111", "-5", "90", "-90", "-5.8024", "5.8024"]


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
        key, balance = (1, warehouse, 0), balances[warehouse]
        after = (balance, versions[warehouse], None if average is None else Decimal(average))
        unit_cost = None if cost is None else Decimal(cost)
        went_negative = quantity < 0 and balance < 0
        details = (kind, quantity, before, unit_cost, went_negative, document, reverses)
        await database.execute(POST, *key, number, *after, *details)
        if number in TRANSFER_STEPS:
            await database.execute(TRANSFER_STEPS[number])
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


async def test_what_the_previous_release_writes_after_the_migration_is_valued(
    database_url: str, run_shop: Callable[[str], AbstractAsyncContextManager[Shop]]
) -> None:
    """Its replicas run until they are replaced. They value stock at unit costs of four places."""
    await fill(database_url)
    async with run_shop(database_url) as shop:
        await shop.require_integrity()
        page = await shop.admin.get("/stock-movements", sort_by="recorded_asc", page_size=100)
        values = [movement["value"] for movement in page["items"][:12]]
        assert list(map(Decimal, values)) == list(map(Decimal, VALUES))
        level = await shop.level(1)
        assert (level["on_hand"], level["value"], level["average_cost"]) == (3, "18.00", "6.00")
        [line] = (await shop.admin.get("/stock-transfers/1"))["lines"]
        assert line["value_in_transit"] == "3.1111"
        sale, voided = await shop.admin.get("/sales/1"), await shop.admin.get("/sales/2")
        assert (sale["cost"], sale["profit"]) == ("6.2222", "13.7778")
        assert (voided["cost"], voided["profit"], voided["voided_at"] is None) == ("0.00", "0.00", False)
        # This release goes on with the documents.
        await shop.admin.post("/stock-transfers/1/complete")
        await shop.admin.post("/sales/1/returns", {})
        assert (await shop.admin.get("/sales/1"))["profit"] == "0.00"
        assert (await shop.level(1, "SHOP"))["value"] == "9.3333"
        await shop.require_integrity()
