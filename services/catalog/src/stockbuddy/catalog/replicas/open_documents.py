"""Replica of stock's open documents: which products purchase orders and transfers still wait for."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.stock import PurchaseState, TransferState

# A completed document keeps its row, without products, so that an older state that arrives later is ignored.
_UPSERT = text("""
    INSERT INTO open_document AS d (document, id, version, number, product_ids)
    VALUES (:document, :id, :version, :number, :product_ids)
    ON CONFLICT (document, id) DO UPDATE SET version = excluded.version, product_ids = excluded.product_ids
        WHERE d.version < excluded.version
""")
_WITH_PRODUCT = text("""
    SELECT document, id, number FROM open_document
    WHERE product_ids @> ARRAY[CAST(:product_id AS bigint)] ORDER BY document, id LIMIT 100
""")


async def replicate_purchase_order(session: AsyncSession, order: PurchaseState) -> None:
    """A draft waits for all of its products, an order for those that are outstanding."""
    products = {line.product_id for line in order.lines if line.outstanding > 0 or order.status == "draft"}
    await _upsert(session, "purchase_order", order, products)


async def replicate_transfer(session: AsyncSession, transfer: TransferState) -> None:
    """A pending transfer waits for all of its products, a shipped one for those in transit."""
    products = {line.product_id for line in transfer.lines if line.in_transit > 0 or transfer.status == "pending"}
    await _upsert(session, "stock_transfer", transfer, products)


async def _upsert(
    session: AsyncSession, document: str, state: PurchaseState | TransferState, products: set[int]
) -> None:
    values = {"id": state.id, "version": state.version, "number": state.number, "product_ids": sorted(products)}
    await session.execute(_UPSERT, {"document": document, **values})


async def find_open_documents(session: AsyncSession, product_id: int) -> Sequence[dict[str, Any]]:
    """`document` (`purchase_order` or `stock_transfer`), `id` and `number` of up to 100 that wait for the product."""
    rows = await session.execute(_WITH_PRODUCT, {"product_id": product_id})
    return [dict(row) for row in rows.mappings()]
