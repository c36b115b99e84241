"""Files that clients send: as the raw body or as the multipart field `file`, never more than is accepted."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from stockbuddy.chassis.http.errors import BadRequest, TooLarge, Unprocessable

LARGEST_BYTES = 10 * 1024 * 1024
MULTIPART_OVERHEAD_BYTES = 4096
LONGEST_NAME = 255

REQUEST_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""For a route's `openapi_extra`."""


@dataclass(frozen=True, slots=True)
class Upload:
    content: bytes
    file_name: str | None


async def read_upload(request: Request) -> Upload:
    """Raises TooLarge as soon as more than is accepted has arrived, BadRequest or Unprocessable for a broken form."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        content = b"".join([chunk async for chunk in _limited(request, LARGEST_BYTES)])
        return _checked(Upload(content, None))
    parser = MultiPartParser(
        request.headers, _limited(request, LARGEST_BYTES + MULTIPART_OVERHEAD_BYTES), max_files=1, max_fields=10
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise BadRequest("The body is not a valid form.") from error
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Unprocessable.field("file", "is missing")
        return _checked(Upload(await file.read(), _printable(file.filename or "")))
    finally:
        await form.close()


def _printable(name: str) -> str | None:
    return "".join(character for character in name if character.isprintable())[:LONGEST_NAME] or None


def _checked(upload: Upload) -> Upload:
    if len(upload.content) > LARGEST_BYTES:
        raise TooLarge()
    if not upload.content:
        raise Unprocessable.field("file", "is empty")
    return upload


async def _limited(request: Request, most_bytes: int) -> AsyncGenerator[bytes, None]:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most_bytes:
        raise TooLarge()
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > most_bytes:
            raise TooLarge()
        yield chunk
