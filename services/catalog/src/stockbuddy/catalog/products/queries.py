"""Reads of product rows that a command is going to change."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.products.model import Product

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
