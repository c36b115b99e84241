"""Reads of what the rows of an import refer to: products, barcodes, suppliers and categories."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.products.model import Product

_IDS_BY_SKU = text("""
    SELECT g.sku, p.id FROM unnest(CAST(:skus AS text[])) g(sku)
    JOIN product p ON lower(p.sku) = lower(g.sku) AND p.deleted_at IS NULL
""")
_BARCODE_HOLDERS = text("""
    SELECT g.code, b.product_id FROM unnest(CAST(:codes AS text[])) g(code)
    JOIN barcode b ON b.key = barcode_key(g.code)
""")
_SUPPLIERS = text("""
    SELECT g.name, s.id FROM unnest(CAST(:names AS text[])) g(name)
    JOIN supplier s ON s.deleted_at IS NULL AND (lower(s.name) COLLATE "C" = lower(g.name) COLLATE "C"
        OR g.name = '#' || s.id)
    ORDER BY s.id FOR KEY SHARE OF s
""")
_CATEGORY_NAMES = text("SELECT id, name FROM category WHERE id = ANY(CAST(:ids AS bigint[]))")


async def lock_products(session: AsyncSession, skus: Sequence[str]) -> dict[str, Product]:
    """Products that are not deleted, by SKU as spelt in `skus`; locked in the order of their ids, against deadlocks."""
    ids = {row.sku: row.id for row in await session.execute(_IDS_BY_SKU, {"skus": list(skus)})}
    statement = select(Product).where(Product.id.in_(ids.values()), Product.deleted_at.is_(None))
    locked = {p.id: p for p in await session.scalars(statement.order_by(Product.id).with_for_update())}
    return {sku: locked[product_id] for sku, product_id in ids.items() if product_id in locked}


async def find_barcode_holders(session: AsyncSession, codes: Sequence[str]) -> dict[str, int]:
    """The ids of the products that have these barcodes."""
    return {row.code: row.product_id for row in await session.execute(_BARCODE_HOLDERS, {"codes": list(codes)})}


async def lock_suppliers(session: AsyncSession, names: Sequence[str]) -> dict[str, list[int]]:
    """The ids of the active suppliers with each name, or with the id in `#12`, locked against deletion."""
    ids: dict[str, list[int]] = {}
    for row in await session.execute(_SUPPLIERS, {"names": list(names)}):
        ids.setdefault(row.name, []).append(row.id)
    return ids


async def find_category_names(session: AsyncSession, ids: Sequence[int | None]) -> dict[int, str]:
    known = [category_id for category_id in set(ids) if category_id is not None]
    return {row.id: row.name for row in await session.execute(_CATEGORY_NAMES, {"ids": known})} if known else {}
