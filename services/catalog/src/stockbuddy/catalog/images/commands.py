"""Replaces and deletes a product's image: upload first, then update the product, then delete the old files, so that a
crash can leave an orphaned file but never a dangling reference."""

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import NoImage
from stockbuddy.catalog.file_store import FileStore
from stockbuddy.catalog.images import queries
from stockbuddy.catalog.images.image_file import THUMBNAIL_SIZES, ImageFile
from stockbuddy.catalog.products.commands import load_product_for_update, update_image_digest
from stockbuddy.chassis.http.tokens import Principal

ORIGINAL = "original"


def file_name(product_id: int, digest: str, size: str) -> str:
    return f"images/{product_id}/{digest}/{size}"


async def replace_image(
    session: AsyncSession,
    caller: Principal,
    product_id: int,
    image: ImageFile,
    files: FileStore,
    if_match: str | None,
) -> str | None:
    """The digest of the replaced image, whose files the caller has to delete after the commit."""
    product = await load_product_for_update(session, caller, product_id, if_match)
    previous_digest = product.image_digest
    if previous_digest == image.digest:
        return None
    for size, content in {ORIGINAL: image.content, **image.thumbnails}.items():
        await files.write(file_name(product_id, image.digest, size), content)
    await queries.upsert_image(session, product_id, image)
    await update_image_digest(session, product, image.digest)
    return previous_digest


async def delete_image(session: AsyncSession, caller: Principal, product_id: int, if_match: str | None) -> str:
    """The digest of the deleted image, whose files the caller has to delete after the commit. Raises NoImage."""
    product = await load_product_for_update(session, caller, product_id, if_match)
    previous_digest = product.image_digest
    if previous_digest is None:
        raise NoImage()
    await queries.delete_image(session, product_id)
    await update_image_digest(session, product, None)
    return previous_digest


async def delete_files(files: FileStore, product_id: int, digest: str) -> None:
    await files.delete([file_name(product_id, digest, size) for size in (ORIGINAL, *THUMBNAIL_SIZES)])
