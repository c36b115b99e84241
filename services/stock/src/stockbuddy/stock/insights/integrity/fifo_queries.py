"""Verifies cost layers by FIFO: replays the whole ledger, and compares it with levels and with the valuation."""

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.integrity.schemas import Difference, ValueDifference
from stockbuddy.stock.insights.reports.cost_layers import ProductLayers
from stockbuddy.stock.insights.reports.fifo_queries import (
    END_OF_TIME,
    FIFO_LAYERS,
    REPLAYED_PRODUCTS,
    LayerColumns,
    replay_products,
)
from stockbuddy.stock.insights.reports.inventory_queries import CURRENT_LEVELS
from stockbuddy.stock.insights.reports.sql import fetch_rows
from stockbuddy.stock.insights.snapshots import one_snapshot

MAX_ROUNDING = Decimal("0.0001")
"""Layers round to ten places whenever they are divided; the valuation divides each once, the replay at every issue."""

# Of the products that the valuation does not replay.
_VALUATION = f"""
    WITH costed AS ({CURRENT_LEVELS})
    SELECT product_id, sum(value) AS value FROM ({FIFO_LAYERS}) layers GROUP BY product_id
"""
_REPLAYED = f"SELECT DISTINCT product_id FROM ({REPLAYED_PRODUCTS.format(until=':until')}) replayed"
_LEVELS = "SELECT product_id, warehouse_id, lot, on_hand FROM level WHERE version > 0"


class FifoDifferences(NamedTuple):
    quantities: list[Difference]
    values: list[ValueDifference]


async def check_fifo(session: AsyncSession) -> FifoDifferences:
    """Of every level, the layers and its quantity; of every product, what was paid for receipts less the cost of what
    left, and the valuation."""
    found = FifoDifferences([], [])
    async with one_snapshot(session) as driver:
        valuation = await _fetch_valuation(session)
        replayed = {row["product_id"] for row in await fetch_rows(session, _REPLAYED, until=END_OF_TIME)}
        levels = {tuple(row.values())[:3]: row["on_hand"] for row in await fetch_rows(session, _LEVELS)}
        async for product_id, product in replay_products(driver, END_OF_TIME, None, plain=True):
            expected = _to_value(product.paid - product.cost_of_issues)
            remaining = _to_value(sum(layer.value for _, layer in product.remaining()))
            shown = remaining if product_id in replayed else valuation.get(product_id, Decimal(0))
            if abs(expected - shown) > MAX_ROUNDING:
                found.values.append(_value_difference(product_id, expected, shown))
            found.quantities.extend(_quantity_differences(product_id, product, levels))
    return found


async def _fetch_valuation(session: AsyncSession) -> dict[int, Decimal]:
    filters = {"until": END_OF_TIME, "warehouse_id": None, "category": None}
    rows = await fetch_rows(session, _VALUATION, **filters, **LayerColumns().parameters())
    return {row["product_id"]: row["value"] for row in rows}


def _to_value(value: int) -> Decimal:
    return Decimal(value).scaleb(-10)


def _value_difference(product_id: int, expected: Decimal, found: Decimal) -> ValueDifference:
    return ValueDifference(
        what="fifo", product_id=product_id, warehouse_id=None, lot=None, expected=expected, found=found
    )


def _quantity_differences(
    product_id: int, product: ProductLayers, levels: Mapping[tuple[int, ...], Decimal]
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
