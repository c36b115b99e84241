"""Metadata of products' images."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import NoImage
from stockbuddy.catalog.images.image_file import ImageFile


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image whose files are in the store."""

    product_id: int
    digest: str
    content_type: str


_BY_PRODUCT = text("""
    SELECT i.product_id, i.digest, i.content_type FROM product_image i JOIN product p ON p.id = i.product_id
    WHERE i.product_id = :product_id AND p.deleted_at IS NULL
""")
_UPSERT = text("""
    INSERT INTO product_image (product_id, digest, content_type, width, height, size_bytes)
    VALUES (:product_id, :digest, :content_type, :width, :height, :size_bytes)
    ON CONFLICT (product_id) DO UPDATE SET digest = excluded.digest, content_type = excluded.content_type,
        width = excluded.width, height = excluded.height, size_bytes = excluded.size_bytes, updated_at = now()
""")
_DELETE = text("DELETE FROM product_image WHERE product_id = :product_id")


async def get_image(session: AsyncSession, product_id: int) -> StoredImage:
    """Raises NoImage, also for a deleted product."""
    row = (await session.execute(_BY_PRODUCT, {"product_id": product_id})).one_or_none()
    if row is None:
        raise NoImage()
    return StoredImage(*row)


async def upsert_image(session: AsyncSession, product_id: int, image: ImageFile) -> None:
    await session.execute(
        _UPSERT,
        {
            "product_id": product_id,
            "digest": image.digest,
            "content_type": image.content_type,
            "width": image.width,
            "height": image.height,
            "size_bytes": len(image.content),
        },
    )


async def delete_image(session: AsyncSession, product_id: int) -> None:
    await session.execute(_DELETE, {"product_id": product_id})
