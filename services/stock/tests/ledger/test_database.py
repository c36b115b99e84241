"""Constraints and triggers of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
import pytest

if TYPE_CHECKING:
    from services.stock.tests.conftest import Shop


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE level SET on_hand = -1",
        "UPDATE level SET on_hand = on_hand - 11",
        "UPDATE level SET reserved = -1",
        "UPDATE level SET reserved = on_hand + 1",
    ],
)
async def test_level_violating_its_bounds_is_rejected_by_the_database(
    shop: Shop, database: asyncpg.Connection, statement: str
) -> None:
    await shop.product(10)
    with pytest.raises(asyncpg.CheckViolationError):
        await database.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE movement SET quantity = 5",
        "UPDATE movement SET notes = 'nothing happened'",
        "DELETE FROM movement",
        "TRUNCATE movement CASCADE",
        "DELETE FROM level",
        "TRUNCATE level CASCADE",
    ],
)
async def test_update_or_delete_of_movements_is_rejected_by_the_database(
    shop: Shop, database: asyncpg.Connection, statement: str
) -> None:
    product_id = await shop.product(10)
    with pytest.raises(asyncpg.RestrictViolationError):
        await database.execute(statement)
    assert (await shop.admin.get("/stock-movements", product_id=product_id))["total"] == 1


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        ("version = 1", asyncpg.UniqueViolationError),
        ("version = 2, balance = balance + 1", asyncpg.CheckViolationError),
        ("version = 2, quantity = -quantity, balance = before - quantity", asyncpg.CheckViolationError),
        ("version = 2, lot = 7", asyncpg.ForeignKeyViolationError),
    ],
)
async def test_inconsistent_movement_is_rejected_by_the_database(
    shop: Shop, database: asyncpg.Connection, change: str, violation: type[Exception]
) -> None:
    await shop.product(10)
    await database.execute("CREATE TEMPORARY TABLE forged AS SELECT * FROM movement")
    await database.execute(f"UPDATE forged SET id = id + 1000, {change}")
    with pytest.raises(violation):
        await database.execute("INSERT INTO movement SELECT * FROM forged")


async def test_integrity_report_lists_a_forged_level(shop: Shop, database: asyncpg.Connection) -> None:
    product_id = await shop.product(10)
    await database.execute("UPDATE level SET on_hand = 11")
    proof = await shop.admin.get("/stock/integrity")
    assert proof["ok"] is False
    [difference] = proof["differences"]
    assert difference | {"warehouse_id": 0} == {
        "what": "on_hand",
        "product_id": product_id,
        "warehouse_id": 0,
        "lot": 0,
        "expected": 10,
        "found": 11,
    }


async def test_integrity_report_requires_an_admin(shop: Shop) -> None:
    await shop.caller(5).expect_problem(403, "/stock/integrity", method="GET")
