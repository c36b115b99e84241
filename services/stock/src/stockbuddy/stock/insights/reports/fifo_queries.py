"""Reads of cost layers by FIFO.

Of a product that only has receipts and issues, what is on hand are the newest receipts: PostgreSQL computes its layers.
Products with goods that moved between warehouses, came back, or were of unknown cost are replayed (`cost_layers`), one
at a time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.insights.reports.cost_layers import LedgerLine, ProductLayers
from stockbuddy.stock.insights.reports.sql import CATEGORY_FILTER, WAREHOUSE_FILTER
from stockbuddy.stock.insights.snapshots import one_snapshot
from stockbuddy.stock.replicas.categories import is_in_category_sql

END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)
FETCHED_LINES = 5_000
"""Lines between two pauses of the replay: about 15 ms."""

# The conditions of the partial indexes movement_linked and movement_of_unknown_cost.
REPLAYED_PRODUCTS = """
    SELECT m.product_id FROM movement m WHERE m.occurred_at <= {until}
        AND (m.reverses_id IS NOT NULL OR m.cost_stated OR m.movement_type IN ('return', 'transfer_in', 'transfer_out'))
    UNION ALL SELECT m.product_id FROM movement m WHERE m.occurred_at <= {until} AND m.unit_cost IS NULL
"""
"""SELECT `product_id`; `until`: the placeholder of a moment."""
FIFO_LAYERS = f"""
    SELECT i.product_id, i.warehouse_id, i.quantity, i.occurred_at,
           round(i.quantity * i.value / i.received, 10) AS value
    FROM (
        SELECT h.product_id, h.warehouse_id, m.quantity AS received, m.value - m.correction AS value, m.occurred_at,
               least(m.quantity, h.on_hand - sum(m.quantity) OVER newer + m.quantity) AS quantity
        FROM costed h
        JOIN product p ON p.id = h.product_id
        JOIN movement m ON (m.product_id, m.warehouse_id, m.lot) = (h.product_id, h.warehouse_id, h.lot)
        WHERE h.on_hand > 0 AND m.quantity > 0 AND m.occurred_at <= :until AND {WAREHOUSE_FILTER} AND {CATEGORY_FILTER}
            AND h.product_id NOT IN ({REPLAYED_PRODUCTS.format(until=":until")})
        WINDOW newer AS (PARTITION BY h.product_id, h.warehouse_id, h.lot ORDER BY m.occurred_at DESC, m.id DESC)
    ) AS i
    WHERE i.quantity > 0
    UNION ALL
    SELECT h.product_id, h.warehouse_id, h.quantity, h.occurred_at, h.value
    FROM unnest(CAST(:layer_products AS bigint[]), CAST(:layer_warehouses AS bigint[]),
                CAST(:layer_quantities AS numeric[]), CAST(:layer_times AS timestamptz[]),
                CAST(:layer_values AS numeric[])) AS h(product_id, warehouse_id, quantity, occurred_at, value)
    WHERE {WAREHOUSE_FILTER}
"""
"""SELECT `product_id, warehouse_id` (null: in transit), `quantity, occurred_at, value`. `costed`: the levels."""

# Of a plain issue, which takes the oldest layers, only the quantity is needed: reading the rest takes most of the time.
_LINES = f"""
    WITH source AS MATERIALIZED (
        SELECT m.id AS movement_id, m.reverses_id AS source_id FROM movement m WHERE m.reverses_id IS NOT NULL
        UNION ALL
        SELECT r.movement_id, l.movement_id
        FROM sale_return_line r JOIN sale_line l ON l.id = r.sale_line_id WHERE r.movement_id IS NOT NULL
    ), line AS (
        SELECT m.id, m.product_id, m.warehouse_id, m.lot, m.movement_type, m.quantity, m.value, m.correction,
               m.unit_cost, m.cost_stated, m.occurred_at, s.source_id,
               CASE WHEN m.document LIKE 'stock_transfer/%' THEN m.document END AS transfer,
               m.id IN (SELECT source_id FROM source) AS is_source
        FROM movement m JOIN product p ON p.id = m.product_id LEFT JOIN source s ON s.movement_id = m.id
        WHERE {{products}} AND m.occurred_at <= $1 AND {is_in_category_sql("$2")}
    ), known AS (
        SELECT *, quantity < 0 AND correction = 0 AND transfer IS NULL AND source_id IS NULL AND NOT is_source
            AND NOT cost_stated AS is_plain
        FROM line
    )
    SELECT product_id, warehouse_id, lot, CAST(quantity * 1000 AS bigint) AS quantity, is_plain,
           CASE WHEN NOT is_plain THEN id END AS id,
           CASE WHEN NOT is_plain THEN movement_type END AS movement_type,
           CASE WHEN NOT is_plain THEN trunc((value - correction) * 10000000000) END AS value,
           CASE WHEN NOT is_plain THEN trunc(correction * 10000000000) END AS correction,
           CASE WHEN quantity > 0 OR cost_stated THEN CAST(unit_cost * 10000 AS bigint) END AS unit_cost,
           CASE WHEN NOT is_plain THEN occurred_at END AS occurred_at, transfer, source_id, is_source
    FROM known ORDER BY known.product_id, known.occurred_at, known.id
"""
_ALL_LINES = _LINES.format(products="true")
_REPLAYED_LINES = _LINES.format(products=f"m.product_id IN ({REPLAYED_PRODUCTS.format(until='$1')})")


@dataclass(slots=True)
class LayerColumns:
    """The layers of replayed products as arrays."""

    products: list[int] = field(default_factory=list)
    warehouses: list[int | None] = field(default_factory=list)
    quantities: list[Decimal] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    values: list[Decimal] = field(default_factory=list)

    def add(self, product_id: int, product: ProductLayers) -> None:
        for warehouse_id, layer in product.remaining():
            self.products.append(product_id)
            self.warehouses.append(warehouse_id)
            self.quantities.append(Decimal(layer.quantity).scaleb(-3))
            self.times.append(layer.received_at)
            self.values.append(Decimal(layer.value).scaleb(-10))

    def parameters(self) -> dict[str, Any]:
        """The parameters of FIFO_LAYERS that begin with `layer_`."""
        return {
            "layer_products": self.products,
            "layer_warehouses": self.warehouses,
            "layer_quantities": self.quantities,
            "layer_times": self.times,
            "layer_values": self.values,
        }


@asynccontextmanager
async def replayed_layers(
    session: AsyncSession, until: datetime, category: str | None
) -> AsyncIterator[dict[str, Any]]:
    """The parameters of FIFO_LAYERS, with the layers of replayed products. What the block executes in `session` sees
    the same snapshot."""
    async with one_snapshot(session) as driver:
        columns = LayerColumns()
        async for product_id, product in replay_products(driver, until, category):
            columns.add(product_id, product)
        yield {"until": until, **columns.parameters()}


async def replay_products(
    driver: asyncpg.Connection, until: datetime, category: str | None, *, plain: bool = False
) -> AsyncIterator[tuple[int, ProductLayers]]:
    """The layers of the products to be replayed; with `plain`, of every other one, too."""
    product, product_id = ProductLayers(), 0
    await driver.execute("SET LOCAL work_mem = '64MB'")
    lines = await driver.prepare(_ALL_LINES if plain else _REPLAYED_LINES)
    cursor = await lines.cursor(until, category)
    while records := await cursor.fetch(FETCHED_LINES):
        for next_id, warehouse_id, lot, quantity, is_plain, *details in records:
            if next_id != product_id:
                yield product_id, product
                product, product_id = ProductLayers(), next_id
            if is_plain:
                product.levels[warehouse_id, lot].drop(-quantity)
            else:
                product.apply(LedgerLine(warehouse_id, lot, quantity, *details))
    yield product_id, product
