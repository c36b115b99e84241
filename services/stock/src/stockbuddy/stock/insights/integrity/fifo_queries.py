"""Verifies cost layers by FIFO: replays the whole ledger, and compares it with levels and with the valuation."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import NamedTuple

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.integrity.schemas import Difference, ValueDifference
from stockbuddy.stock.insights.reports.cost_layers import ProductLayers
from stockbuddy.stock.insights.reports.fifo_queries import END_OF_TIME, FIFO_LAYERS, replay_products, replayed_layers
from stockbuddy.stock.insights.reports.inventory_queries import CURRENT_LEVELS
from stockbuddy.stock.insights.reports.sql import fetch_rows

MAX_ROUNDING = Decimal("0.0001")
"""Layers round to ten places whenever they are divided; the valuation divides each once, the replay at every issue."""

_VALUATION = f"""
    WITH costed AS ({CURRENT_LEVELS})
    SELECT product_id, sum(value) AS value FROM ({FIFO_LAYERS}) layers GROUP BY product_id
"""
_LEVELS = "SELECT product_id, warehouse_id, lot, on_hand FROM level WHERE version > 0"


class FifoDifferences(NamedTuple):
    quantities: list[Difference]
    values: list[ValueDifference]


async def check_fifo(session: AsyncSession) -> FifoDifferences:
    """Of every level, the layers and its quantity; of every product, what was paid for receipts less the cost of what
    left, and the valuation."""
    found = FifoDifferences([], [])
    filters = {"warehouse_id": None, "category": None}
    async with replayed_layers(session, END_OF_TIME, None) as layers:
        valuation = {
            row["product_id"]: row["value"] for row in await fetch_rows(session, _VALUATION, **layers, **filters)
        }
        levels = {
            (row["product_id"], row["warehouse_id"], row["lot"]): row["on_hand"]
            for row in await fetch_rows(session, _LEVELS)
        }
        async for product_id, product in _replay(session):
            value = Decimal(product.paid - product.cost_of_issues).scaleb(-10)
            shown = valuation.get(product_id, Decimal(0))
            if abs(value - shown) > MAX_ROUNDING:
                found.values.append(_value_difference(product_id, value, shown))
            found.quantities.extend(_quantity_differences(product_id, product, levels))
    return found


async def _replay(session: AsyncSession) -> AsyncIterator[tuple[int, ProductLayers]]:
    connection = await session.connection()
    driver: asyncpg.Connection = (await connection.get_raw_connection()).driver_connection
    async for replayed in replay_products(driver, END_OF_TIME, None, plain=True):
        yield replayed


def _value_difference(product_id: int, expected: Decimal, found: Decimal) -> ValueDifference:
    return ValueDifference(
        what="fifo", product_id=product_id, warehouse_id=None, lot=None, expected=expected, found=found
    )


def _quantity_differences(
    product_id: int, product: ProductLayers, levels: dict[tuple[int, int, int], Decimal]
) -> list[Difference]:
    differences = []
    for (warehouse_id, lot), level in product.levels.items():
        quantity = Decimal(sum(layer.quantity for layer in level.layers) - level.missing).scaleb(-3)
        if quantity != (on_hand := levels.get((product_id, warehouse_id, lot), Decimal(0))):
            differences.append(
                Difference(
                    what="layers",
                    product_id=product_id,
                    warehouse_id=warehouse_id,
                    lot=lot,
                    expected=on_hand,
                    found=quantity,
                )
            )
    return differences
