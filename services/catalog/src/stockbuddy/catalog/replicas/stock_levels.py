"""Replica of the stock levels, and each product's totals over them. A level may arrive before its product or warehouse.

Set-based: one call for a whole batch of events.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging.handlers import decode
from stockbuddy.chassis.messaging.message import Message
from stockbuddy.chassis.postgres.database import Database, driver_connection
from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.contracts.stock import LevelChanged

_HAS_LEVELS = text("SELECT EXISTS (SELECT FROM stock_level WHERE product_id = :product_id)")
_REPLICATE_LEVELS = "SELECT replicate_levels($1, $2, $3, $4, $5, $6)"
_STOCK_BY_WAREHOUSE = text("""
    SELECT l.warehouse_id, w.name AS warehouse, sum(l.on_hand) AS on_hand, sum(l.reserved) AS reserved
    FROM stock_level l LEFT JOIN warehouse w ON w.id = l.warehouse_id
    WHERE l.product_id = :product_id AND (l.on_hand <> 0 OR l.reserved <> 0)
    GROUP BY l.warehouse_id, w.name ORDER BY l.warehouse_id
""")
_get_columns = attrgetter("product_id", "warehouse_id", "lot", "version", "on_hand", "reserved")


async def find_stock(session: AsyncSession, product_id: int) -> list[dict[str, Any]]:
    """The warehouses with stock of the product, on hand or reserved: `warehouse_id`, its name, and the quantities."""
    rows = await session.execute(_STOCK_BY_WAREHOUSE, {"product_id": product_id})
    return [
        {
            "warehouse_id": row.warehouse_id,
            "warehouse": row.warehouse,
            "on_hand": quantity_number(row.on_hand),
            "reserved": quantity_number(row.reserved),
        }
        for row in rows
    ]


async def has_levels(session: AsyncSession, product_id: int) -> bool:
    """True if stock has published a level of the product, such as that of its opening stock."""
    return bool(await session.scalar(_HAS_LEVELS, {"product_id": product_id}))


async def replicate_levels(session: AsyncSession, events: Sequence[LevelChanged]) -> None:
    await _replicate(await driver_connection(session), events)


async def replicate_level_messages(database: Database, messages: Sequence[Message]) -> bool:
    """Replicate a delivery of levels alone; False for any other. Repeatable, since a version is replicated once."""
    if any(message.type != LevelChanged.type for message in messages):
        return False
    events = [decode(LevelChanged, message) for message in messages]
    async with database.raw() as connection:
        await _replicate(connection, events)
    return True


async def _replicate(connection: asyncpg.Connection, events: Sequence[LevelChanged]) -> None:
    newest: dict[tuple[int, int, int], LevelChanged] = {}
    for event in events:
        key = (event.product_id, event.warehouse_id, event.lot)
        if key not in newest or newest[key].version < event.version:
            newest[key] = event
    levels = [newest[key] for key in sorted(newest)]
    await connection.execute(_REPLICATE_LEVELS, *zip(*map(_get_columns, levels), strict=True))
