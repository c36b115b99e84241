"""The codes that a product goes by."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_CODES = text("SELECT sku, barcodes FROM product WHERE id = :id AND deleted_at IS NULL")


async def codes_of(session: AsyncSession, product_id: int) -> tuple[str, list[str]] | None:
    """SKU and barcodes of a living product."""
    row = (await session.execute(_CODES, {"id": product_id})).one_or_none()
    return None if row is None else (row.sku, row.barcodes)
