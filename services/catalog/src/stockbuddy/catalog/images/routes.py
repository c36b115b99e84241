"""HTTP of products' images."""

import asyncio
from typing import Annotated, Any, Literal

import structlog
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from obstore.exceptions import BaseError

from stockbuddy.catalog.errors import NoImage
from stockbuddy.catalog.images import commands, queries
from stockbuddy.catalog.images.pictures import THUMBNAIL_TYPE, read_picture
from stockbuddy.catalog.images.schemas import ShownImage
from stockbuddy.catalog.images.store import FileStore
from stockbuddy.catalog.uploads import REQUEST_BODY, read_upload
from stockbuddy.catalog.wording import Id
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.authentication import Caller, authenticate

log = structlog.get_logger(__name__)

router = APIRouter(
    prefix="/api/v1/products/{product_id}/image",
    tags=["images"],
    route_class=ConditionalRoute,
    dependencies=[Depends(authenticate)],
)

IMAGE_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "image/webp")
        }
    }
}


@router.put("", openapi_extra=REQUEST_BODY)
async def put_image(request: Request, caller: Caller, product_id: Id) -> ShownImage:
    """PNG, JPEG or WebP as the raw body or as the multipart field `file`."""
    upload = await read_upload(request)
    # One at a time: a decoded picture is many times its file.
    async with request.app.state.decoding:
        picture = await asyncio.to_thread(read_picture, upload.content)
    store: FileStore = request.app.state.store
    async with request.app.state.database.transaction() as session:
        former = await commands.set_image(session, caller, request, product_id, picture, store)
    await _forget(store, product_id, former)
    return ShownImage.of(product_id, picture)


@router.get("", response_class=Response, responses=IMAGE_CONTENT)
async def get_image(
    request: Request, product_id: Id, size: Annotated[Literal["original", "medium", "thumbnail"], Query()] = "original"
) -> Response:
    async with request.app.state.database.reading() as session:
        image = await queries.image_of(session, product_id)
    if image is None:
        raise NoImage()
    headers = {
        "ETag": f'"{image.digest}-{size}"',
        "Cache-Control": "private, no-cache",
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
    }
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if headers["ETag"] in known:
        return Response(status_code=304, headers=headers)
    store: FileStore = request.app.state.store
    content = await store.read(commands.file_name(product_id, image.digest, size))
    if content is None:
        raise NoImage()
    kind = image.content_type if size == commands.ORIGINAL else THUMBNAIL_TYPE
    return StreamingResponse(content, headers=headers, media_type=kind)


@router.delete("", status_code=204)
async def delete_image(request: Request, caller: Caller, product_id: Id) -> None:
    async with request.app.state.database.transaction() as session:
        former = await commands.remove_image(session, caller, request, product_id)
    await _forget(request.app.state.store, product_id, former)


async def _forget(store: FileStore, product_id: int, digest: str | None) -> None:
    """The change is made and said; a file too many is no reason to call it failed."""
    if digest is None:
        return
    try:
        await commands.forget_files(store, product_id, digest)
    except (OSError, BaseError) as error:
        log.warning("image.left_behind", product_id=product_id, digest=digest, error=repr(error))
