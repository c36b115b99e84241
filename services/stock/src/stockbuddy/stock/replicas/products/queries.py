"""Reads of the product replica."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.replicas.products.model import ProductReference, ProductReplica

_COLUMNS = """
    p.id, p.sku, p.name, p.owner_id, p.unit_price, p.cost_price, p.deleted, p.supplier_id, p.inactive_since,
    p.deleted_at, (SELECT s.currency FROM setting s) AS currency
"""
_BY_ID = f"SELECT {_COLUMNS} FROM product p WHERE id = ANY($1::bigint[])"
_BY_SKU = f"""
    SELECT k.sku AS reference, {_COLUMNS}
    FROM unnest($1::text[]) AS k(sku) JOIN product p ON lower(p.sku) = lower(k.sku) AND NOT p.deleted
    ORDER BY p.id
"""
_DELETED_BY_SKU = f"""
    SELECT k.sku AS reference, {_COLUMNS}
    FROM unnest($1::text[]) AS k(sku) JOIN product p ON lower(p.sku) = lower(k.sku) AND p.deleted AND p.deleted_at > $2
    ORDER BY p.deleted_at DESC, p.id
"""


async def find_products(
    connection: asyncpg.Connection, references: frozenset[ProductReference]
) -> dict[ProductReference, ProductReplica]:
    """By reference; deleted products by id only, because another product may have taken the SKU."""
    products: dict[ProductReference, ProductReplica] = {}
    if ids := [reference for reference in references if isinstance(reference, int)]:
        for row in await connection.fetch(_BY_ID, ids):
            products[row["id"]] = ProductReplica(*row)
    if skus := [reference for reference in references if isinstance(reference, str)]:
        for reference, *values in await connection.fetch(_BY_SKU, skus):
            products[reference] = ProductReplica(*values)
    return products


async def find_deleted_products(
    connection: asyncpg.Connection, references: Sequence[ProductReference], at: datetime
) -> dict[ProductReference, ProductReplica]:
    """By SKU: the products that had it at that moment and have been deleted since."""
    skus = [reference for reference in references if isinstance(reference, str)]
    rows = await connection.fetch(_DELETED_BY_SKU, skus, at)
    return {reference: ProductReplica(*values) for reference, *values in rows}


_OWNERS = text("SELECT DISTINCT owner_id FROM product WHERE id = ANY(:product_ids)")


async def fetch_owner_ids(session: AsyncSession, product_ids: Sequence[int]) -> set[int | None]:
    """The owners of these products, deleted products included."""
    return set(await session.scalars(_OWNERS, {"product_ids": list(product_ids)}))
