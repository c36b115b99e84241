"""Setting and removing a product's image. The files are written before the product says that it has them, and old
ones are removed after it has let go of them: a crash in between leaves a file too many, never one too few."""

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.catalog.errors import NoImage
from stockbuddy.catalog.images import queries
from stockbuddy.catalog.images.pictures import THUMBNAILS, Picture
from stockbuddy.catalog.images.store import FileStore
from stockbuddy.catalog.products.commands import change_image, product_of
from stockbuddy.chassis.http.tokens import Principal

ORIGINAL = "original"


def file_name(product_id: int, digest: str, size: str) -> str:
    return f"images/{product_id}/{digest}/{size}"


async def set_image(
    session: AsyncSession, caller: Principal, request: Request, product_id: int, picture: Picture, store: FileStore
) -> str | None:
    """The digest of the image that this one replaces."""
    product = await product_of(session, caller, request, product_id)
    former = product.image_digest
    if former == picture.digest:
        return None
    for size, content in {ORIGINAL: picture.content, **picture.thumbnails}.items():
        await store.write(file_name(product_id, picture.digest, size), content)
    await queries.write_image(session, product_id, picture)
    await change_image(session, product, picture.digest)
    return former


async def remove_image(session: AsyncSession, caller: Principal, request: Request, product_id: int) -> str:
    """The digest of the image that was removed."""
    product = await product_of(session, caller, request, product_id)
    former = product.image_digest
    if former is None:
        raise NoImage()
    await queries.delete_image(session, product_id)
    await change_image(session, product, None)
    return former


async def forget_files(store: FileStore, product_id: int, digest: str) -> None:
    await store.delete([file_name(product_id, digest, size) for size in (ORIGINAL, *THUMBNAILS)])
