"""Reads of single products: mapped rows for changes, and JSON from the database for responses."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.products.model import Product
from stockbuddy.catalog.replicas.system_settings import DEFAULT_THRESHOLD

_STOCK = """
    coalesce((SELECT json_agg(row_to_json(w))::text FROM (
        SELECT l.warehouse_id, min(h.name) AS warehouse, min(h.code) AS warehouse_code,
            trim_scale(sum(l.on_hand)) AS on_hand, trim_scale(sum(l.reserved)) AS reserved,
            trim_scale(sum(l.on_hand) - sum(l.reserved)) AS available
        FROM stock_level l LEFT JOIN warehouse h ON h.id = l.warehouse_id
        WHERE l.product_id = s.product_id GROUP BY l.warehouse_id ORDER BY l.warehouse_id) w), '[]')
"""


def _select_by(key_type: str, condition: str) -> str:
    """Rows of the key, the version and the JSON of each product found by one of the keys."""
    return f"""
    SELECT wanted.key, p.version, '{{' || k.document || ',"quantity_in_stock":' || trim_scale(s.on_hand)
        || ',"available":' || trim_scale(s.on_hand - s.reserved)
        || ',"low_stock_threshold":' || trim_scale(coalesce(s.threshold, {DEFAULT_THRESHOLD}))
        || ',"stock":' || {_STOCK} || '}}' AS body
    FROM unnest($1::{key_type}[]) wanted(key)
    JOIN product p ON {condition}
    JOIN product_card k ON k.product_id = p.id
    JOIN product_stock s ON s.product_id = p.id
"""


BY_ID = _select_by("bigint", "p.id = wanted.key AND p.deleted_at IS NULL")
BY_ID_WITH_DELETED = _select_by("bigint", "p.id = wanted.key")
BY_SKU = _select_by("text", "lower(p.sku) = lower(wanted.key) AND p.deleted_at IS NULL")
BY_BARCODE = _select_by("text", "p.id = (SELECT product_id FROM barcode WHERE key = barcode_key(wanted.key))")

_SKU_HOLDER = text("SELECT id, sku, name FROM product WHERE lower(sku) = lower(:sku) AND deleted_at IS NULL")
_BARCODE_HOLDER = text("""
    SELECT p.id, p.sku, p.name FROM barcode b JOIN product p ON p.id = b.product_id
    WHERE b.key IN (SELECT barcode_key(code) FROM unnest(CAST(:codes AS text[])) code) ORDER BY p.id LIMIT 1
""")
_HAS_EQUAL_BARCODES = text("""
    SELECT count(DISTINCT barcode_key(code)) < count(*) FROM unnest(CAST(:codes AS text[])) code
""")
_CATEGORY_NAME = text("SELECT name FROM category WHERE id = :id")
# FOR KEY SHARE: the row can't be deleted until this transaction ends, but other transactions may use it, too.
_IS_CATEGORY_ACTIVE = text("SELECT true FROM category WHERE id = :id AND deleted_at IS NULL FOR KEY SHARE")
_IS_SUPPLIER_ACTIVE = text("SELECT true FROM supplier WHERE id = :id AND deleted_at IS NULL FOR KEY SHARE")


async def find_product(session: AsyncSession, product_id: int) -> Product | None:
    """The product, deleted or not."""
    return await session.get(Product, product_id)


async def lock_product(session: AsyncSession, product_id: int) -> Product | None:
    """The product, deleted or not, locked until the end of the transaction."""
    return await session.scalar(select(Product).where(Product.id == product_id).with_for_update())


async def find_sku_holder(session: AsyncSession, sku: str) -> dict[str, Any] | None:
    """`id`, `sku` and `name` of the product, not deleted, that has this SKU."""
    return _to_dict((await session.execute(_SKU_HOLDER, {"sku": sku})).one_or_none())


async def find_barcode_holder(session: AsyncSession, codes: Sequence[str]) -> dict[str, Any] | None:
    """`id`, `sku` and `name` of a product, not deleted, that has one of these barcodes."""
    return _to_dict((await session.execute(_BARCODE_HOLDER, {"codes": list(codes)})).one_or_none())


async def has_equal_barcodes(session: AsyncSession, codes: Sequence[str]) -> bool:
    """True if two of them are spellings of one barcode."""
    return len(codes) > 1 and bool(await session.scalar(_HAS_EQUAL_BARCODES, {"codes": list(codes)}))


def _to_dict(row: Row[Any] | None) -> dict[str, Any] | None:
    return None if row is None else row._asdict()


async def find_category_name(session: AsyncSession, category_id: int | None) -> str | None:
    return None if category_id is None else await session.scalar(_CATEGORY_NAME, {"id": category_id})


async def is_category_active(session: AsyncSession, category_id: int) -> bool:
    """If True, it stays so until the end of the transaction: the category is locked against deletion."""
    return bool(await session.scalar(_IS_CATEGORY_ACTIVE, {"id": category_id}))


async def is_supplier_active(session: AsyncSession, supplier_id: int) -> bool:
    """If True, it stays so until the end of the transaction: the supplier is locked against deletion."""
    return bool(await session.scalar(_IS_SUPPLIER_ACTIVE, {"id": supplier_id}))
