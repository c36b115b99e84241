"""What is known of products' images."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.images.pictures import Picture


@dataclass(frozen=True, slots=True)
class StoredImage:
    product_id: int
    digest: str
    content_type: str


_OF_LIVING = text("""
    SELECT i.product_id, i.digest, i.content_type FROM product_image i JOIN product p ON p.id = i.product_id
    WHERE i.product_id = :product_id AND p.deleted_at IS NULL
""")
_WRITE = text("""
    INSERT INTO product_image (product_id, digest, content_type, width, height, size_bytes)
    VALUES (:product_id, :digest, :content_type, :width, :height, :size_bytes)
    ON CONFLICT (product_id) DO UPDATE SET digest = excluded.digest, content_type = excluded.content_type,
        width = excluded.width, height = excluded.height, size_bytes = excluded.size_bytes, updated_at = now()
""")
_DELETE = text("DELETE FROM product_image WHERE product_id = :product_id")


async def image_of(session: AsyncSession, product_id: int) -> StoredImage | None:
    """The image of a living product."""
    row = (await session.execute(_OF_LIVING, {"product_id": product_id})).one_or_none()
    return None if row is None else StoredImage(*row)


async def write_image(session: AsyncSession, product_id: int, picture: Picture) -> None:
    await session.execute(
        _WRITE,
        {
            "product_id": product_id,
            "digest": picture.digest,
            "content_type": picture.content_type,
            "width": picture.width,
            "height": picture.height,
            "size_bytes": len(picture.content),
        },
    )


async def delete_image(session: AsyncSession, product_id: int) -> None:
    await session.execute(_DELETE, {"product_id": product_id})
