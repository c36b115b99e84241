"""HTTP of products' images."""

import asyncio
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from stockbuddy.catalog.dependencies import get_services
from stockbuddy.catalog.errors import NoImage
from stockbuddy.catalog.file_store import STORE_ERRORS, FileStore
from stockbuddy.catalog.images import commands, queries
from stockbuddy.catalog.images.image_file import CONTENT_TYPES, THUMBNAIL_TYPE, decode_image
from stockbuddy.catalog.images.schemas import ImageResponse
from stockbuddy.catalog.products.commands import require_permission_to_change
from stockbuddy.catalog.uploads import read_upload, request_body
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller, authenticate
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch

log = structlog.get_logger(__name__)

router = APIRouter(
    prefix="/api/v1/products/{product_id}/image",
    tags=["images"],
    route_class=ConditionalRoute,
    dependencies=[Depends(authenticate)],
)

ImageSize = Literal["original", "medium", "thumbnail"]
IMAGE_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            content_type: {"schema": {"type": "string", "format": "binary"}} for content_type in CONTENT_TYPES.values()
        }
    }
}


@router.put("", openapi_extra=request_body())
async def replace_image(request: Request, caller: Caller, product_id: Id, if_match: IfMatch = None) -> ImageResponse:
    """PNG, JPEG or WebP as the raw body or as the multipart field `file`."""
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
    return ImageResponse.from_image(product_id, image)


@router.get("", response_class=Response, responses=IMAGE_CONTENT)
async def get_image(
    request: Request,
    product_id: Id,
    size: Annotated[ImageSize, Query()] = "original",
    _digest: Annotated[str | None, Query(alias="v", description="Makes each image's URL unique; ignored.")] = None,
) -> Response:
    services = get_services(request)
    async with services.database.reading() as session:
        image = await queries.get_image(session, product_id)
    headers = {
        "ETag": f'"{image.digest}-{size}"',
        "Cache-Control": "private, no-cache",
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


@router.delete("", status_code=204)
async def delete_image(request: Request, caller: Caller, product_id: Id, if_match: IfMatch = None) -> None:
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
