"""The codes of a product."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import UnknownProduct

_CODES = text("SELECT sku, barcodes FROM product WHERE id = :id AND deleted_at IS NULL")


async def get_codes(session: AsyncSession, product_id: int) -> list[str]:
    """The barcodes of a product, then its SKU. Raises UnknownProduct, also if the product is deleted."""
    row = (await session.execute(_CODES, {"id": product_id})).one_or_none()
    if row is None:
        raise UnknownProduct()
    return [*row.barcodes, row.sku]
