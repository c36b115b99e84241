"""HTTP of products' images."""

import asyncio
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from stockbuddy.catalog.dependencies import get_services
from stockbuddy.catalog.errors import (
    BrokenImage,
    ImageStoreUnavailable,
    NoImage,
    NotOwner,
    UnknownProduct,
    UnsupportedImage,
)
from stockbuddy.catalog.file_store import STORE_ERRORS, FileStore
from stockbuddy.catalog.images import commands, queries
from stockbuddy.catalog.images.image_file import CONTENT_TYPES, THUMBNAIL_TYPE, decode_image
from stockbuddy.catalog.images.schemas import ImageQuery, ImageResponse
from stockbuddy.catalog.products.commands import require_permission_to_change
from stockbuddy.catalog.signed_urls import DAY_SECONDS, ImageUrls
from stockbuddy.catalog.uploads import read_upload, request_body
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import PUBLIC, Caller, authenticate, requires
from stockbuddy.chassis.http.errors import Unauthenticated, raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch
from stockbuddy.chassis.runtime import clock

log = structlog.get_logger(__name__)

router = APIRouter(
    prefix="/api/v1/products/{product_id}/image",
    tags=["images"],
    route_class=ConditionalRoute,
)

IMAGE_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            content_type: {"schema": {"type": "string", "format": "binary"}} for content_type in CONTENT_TYPES.values()
        }
    }
}


@router.put("", openapi_extra=request_body("ImageUpload"), dependencies=[requires(Permission.CATALOG_WRITE)])
@raises(NotOwner, UnknownProduct, UnsupportedImage, BrokenImage, ImageStoreUnavailable)
async def replace_image(request: Request, caller: Caller, product_id: Id, if_match: IfMatch = None) -> ImageResponse:
    """Upload the image of a product.

    PNG, JPEG or WebP, up to 10 MiB and 40 megapixels, as the raw body or as the multipart field `file`. The file is
    checked by its content, not by its name, and replaces an earlier one.
    """
    services = get_services(request)
    # Before the body is read and decoded, which a caller without the permission must not cause.
    async with services.database.reading() as session:
        await require_permission_to_change(session, caller, product_id, if_match)
    upload = await read_upload(request)
    async with services.image_decoding:
        image = await asyncio.to_thread(decode_image, upload.content)
    files = services.image_files
    async with services.database.transaction() as session:
        replaced = await commands.replace_image(session, caller, product_id, image, files, if_match)
    if replaced is not None:
        await _delete_files(files, product_id, replaced)
    url = await services.image_urls.signed_url(product_id, image.digest)
    return ImageResponse.from_image(url, image)


@router.get("", response_class=Response, responses=IMAGE_CONTENT, dependencies=[PUBLIC])
@raises(NoImage, Unauthenticated, ImageStoreUnavailable)
async def get_image(request: Request, product_id: Id, query: Annotated[ImageQuery, Query()]) -> Response:
    """Download the image of a product.

    `image_url` of a product is signed: for one or two days it works without credentials, so that a page can show it
    with `<img>`. Without a valid signature the request requires credentials. Earlier versions of an image are not kept.
    """
    services, size = get_services(request), query.size
    is_signed = await _is_signed(services.image_urls, product_id, query)
    if not is_signed:
        await authenticate(request)
    async with services.database.reading() as session:
        image = await queries.get_image(session, product_id)
    is_immutable = is_signed and query.v == image.digest
    headers = {
        "ETag": f'"{image.digest}-{size}"',
        "Cache-Control": _immutable_until(query.expires or 0) if is_immutable else "private, no-cache",
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
    }
    # Compared here rather than by ConditionalRoute, which would read the file before it responds with 304.
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if headers["ETag"] in known:
        return Response(status_code=304, headers=headers)
    content = await services.image_files.read(commands.file_name(product_id, image.digest, size))
    if content is None:
        raise NoImage()
    media_type = image.content_type if size == commands.ORIGINAL else THUMBNAIL_TYPE
    return StreamingResponse(content, headers=headers, media_type=media_type)


def _immutable_until(expires: int) -> str:
    """`Cache-Control` of a signed URL: shared caches may keep the image, because the URL is the permission."""
    remaining = max(0, expires - int(clock.timestamp()))
    return f"public, max-age={min(DAY_SECONDS, remaining)}, immutable"


async def _is_signed(urls: ImageUrls, product_id: int, query: ImageQuery) -> bool:
    """False without a signature, and with an invalid or expired one."""
    if query.v is None or query.expires is None or query.signature is None:
        return False
    return await urls.is_valid(product_id, query.v, query.expires, query.signature)


@router.delete("", status_code=204, dependencies=[requires(Permission.CATALOG_WRITE)])
@raises(NotOwner, UnknownProduct, NoImage)
async def delete_image(request: Request, caller: Caller, product_id: Id, if_match: IfMatch = None) -> None:
    """Delete the image of a product.

    The product's `image_url` is null afterwards.
    """
    services = get_services(request)
    async with services.database.transaction() as session:
        deleted = await commands.delete_image(session, caller, product_id, if_match)
    await _delete_files(services.image_files, product_id, deleted)


async def _delete_files(files: FileStore, product_id: int, digest: str) -> None:
    """Failures are only logged: the change is committed and published, and an orphaned file does no harm."""
    try:
        await commands.delete_files(files, product_id, digest)
    except STORE_ERRORS as error:
        log.warning("image.orphaned", product_id=product_id, digest=digest, error=repr(error))
