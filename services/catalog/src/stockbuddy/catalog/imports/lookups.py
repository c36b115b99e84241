"""Reads of what the rows of an import refer to: products, barcodes and categories."""

from collections.abc import Collection, Mapping, Sequence

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
_EXTERNAL_PRODUCTS = text("""
    SELECT e.external_id, p.sku, p.name, p.description, c.name AS category, s.name AS supplier,
        p.unit_price::text AS unit_price, p.unit_of_measure
    FROM external_product e JOIN product p ON p.id = e.product_id AND p.deleted_at IS NULL
    LEFT JOIN category c ON c.id = p.category_id LEFT JOIN supplier s ON s.id = p.supplier_id
    WHERE e.external_id = ANY(CAST(:ids AS text[]))
""")
_UPSERT_EXTERNAL_IDS = text("""
    INSERT INTO external_product (external_id, product_id)
    SELECT * FROM unnest(CAST(:ids AS text[]), CAST(:product_ids AS bigint[]))
    ON CONFLICT (external_id) DO UPDATE SET product_id = excluded.product_id
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


async def find_external_products(session: AsyncSession, external_ids: Collection[str]) -> dict[str, dict[str, str]]:
    """The fields of the products with these ids of another shop system, as the cells of an import."""
    rows = await session.execute(_EXTERNAL_PRODUCTS, {"ids": list(external_ids)})
    return {row.external_id: {name: value or "" for name, value in row._mapping.items()} for row in rows}


async def upsert_external_ids(session: AsyncSession, product_ids: Mapping[str, int]) -> None:
    """`product_ids`: by external id."""
    # In one order, so that concurrent imports do not deadlock.
    ids = sorted(product_ids)
    await session.execute(_UPSERT_EXTERNAL_IDS, {"ids": ids, "product_ids": [product_ids[key] for key in ids]})


async def find_category_names(session: AsyncSession, ids: Sequence[int | None]) -> dict[int, str]:
    known = [category_id for category_id in set(ids) if category_id is not None]
    return {row.id: row.name for row in await session.execute(_CATEGORY_NAMES, {"ids": known})} if known else {}
